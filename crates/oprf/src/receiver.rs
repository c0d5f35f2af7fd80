//! Receiver side of matching: blinds its inputs and learns which of them the holder's set contains.
//!
//! Implements spec/matching.md#receiver.
//!
//! Invariants: a blind serves one evaluation, because `finalize` takes `self`; the proof is
//! verified before anything is computed from an answer; a batch on the wire has a padded size.

use std::fmt;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use curve25519_dalek::{RistrettoPoint, Scalar};
use symbolon_ident::MatchKey;
use zeroize::Zeroizing;

use crate::dleq;
use crate::element::{BlindedElement, Element, PublicKey};
use crate::limits::BATCH_SIZES_ELEMENTS;
use crate::sender::Evaluated;
use crate::{ConfirmCode, FinalizeError, OprfError, Output, Tag, TagLookup, suite, workers};

/// A blinded batch that waits for its evaluation.
///
/// It serves one evaluation:
///
/// ```compile_fail,E0382
/// # use symbolon_oprf::{Evaluated, PublicKey, Receiver, Tag};
/// fn twice(receiver: Receiver, answer: &Evaluated, public: &PublicKey, tags: &[Tag]) {
///     let _ = receiver.finalize(answer, public, tags);
///     let _ = receiver.finalize(answer, public, tags);
/// }
/// ```
pub struct Receiver {
    inputs: Vec<Zeroizing<Vec<u8>>>,
    /// One for every element of the padded batch.
    blinds: Zeroizing<Vec<Scalar>>,
    blinded: Vec<BlindedElement>,
    workers: usize,
}

/// An input of the batch that the holder's set contains.
#[derive(Clone)]
pub struct Hit {
    /// Which of the match keys given to [`Receiver::blind`].
    pub index: usize,
    /// Its tag.
    pub tag: Tag,
    /// What a confirm shows the holder.
    pub confirm: ConfirmCode,
}

/// Shows the position only.
impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("index", &self.index).finish_non_exhaustive()
    }
}

/// The blinds of a batch, 32 bytes for every element in order: what the private digest covers and
/// what an auditor needs to see what was asked. Secret from everyone else.
pub struct Opening(Zeroizing<Vec<u8>>);

/// The size to which a batch of `inputs` is padded.
///
/// # Errors
/// [`OprfError::BatchInputs`] for none, or for more than the largest batch takes.
pub fn padded_batch(inputs: usize) -> Result<usize, OprfError> {
    let size = BATCH_SIZES_ELEMENTS.into_iter().find(|size| (1..=*size).contains(&inputs));
    size.ok_or(OprfError::BatchInputs)
}

impl Receiver {
    /// `Blind` for every key (RFC 9497 §3.3.2), padded to 8, 64 or 1,024 elements.
    ///
    /// # Errors
    /// [`OprfError::BatchInputs`] and [`OprfError::ClassesMixed`] for what no key could serve.
    pub fn blind(keys: &[MatchKey], seed: [u8; 32]) -> Result<Self, OprfError> {
        Self::blind_with(keys, seed, 1)
    }

    /// [`Receiver::blind`], and later `finalize`, on this many threads.
    ///
    /// # Errors
    /// As [`Receiver::blind`].
    pub fn blind_with(
        keys: &[MatchKey],
        seed: [u8; 32],
        workers: usize,
    ) -> Result<Self, OprfError> {
        let size = padded_batch(keys.len())?;
        let mut random = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
        let blinds = (0..size).map(|_| suite::random_scalar(&mut random)).collect();
        Self::blind_inputs(inputs(keys)?, Zeroizing::new(blinds), workers)
    }

    pub(crate) fn blind_inputs(
        inputs: Vec<Zeroizing<Vec<u8>>>,
        blinds: Zeroizing<Vec<Scalar>>,
        workers: usize,
    ) -> Result<Self, OprfError> {
        let blinded = blind_elements(&inputs, &blinds, workers)?;
        Ok(Self { inputs, blinds, blinded, workers })
    }

    /// What is sent to the holder.
    #[must_use]
    pub fn blinded(&self) -> &[BlindedElement] {
        &self.blinded
    }

    /// The blinds, for the private digest of the query and for the auditor.
    #[must_use]
    pub fn opening(&self) -> Opening {
        let bytes = self.blinds.iter().flat_map(|blind| blind.as_bytes()).copied().collect();
        Opening(Zeroizing::new(bytes))
    }

    /// `Finalize` for the batch (RFC 9497 §3.3.2), then the comparison with the holder's tag set.
    ///
    /// # Errors
    /// [`FinalizeError::Oprf`] where the answer does not have one element per blinded one or its
    /// proof does not verify under `public`; [`FinalizeError::Lookup`] where the look-up failed.
    pub fn finalize<L: TagLookup + ?Sized>(
        self,
        evaluated: &Evaluated,
        public: &PublicKey,
        lookup: &L,
    ) -> Result<Vec<Hit>, FinalizeError<L::Error>> {
        let outputs = self.outputs(evaluated, public)?;
        let mut order: Vec<(Tag, usize)> =
            outputs.iter().enumerate().map(|(index, output)| (output.tag(), index)).collect();
        order.sort_unstable();
        let tags: Vec<Tag> = order.iter().map(|(tag, _)| *tag).collect();
        let contained = lookup.contains(&tags).map_err(FinalizeError::Lookup)?;
        if contained.len() != tags.len() {
            return Err(OprfError::LookupCount.into());
        }
        let mut hits: Vec<Hit> = order
            .into_iter()
            .zip(contained)
            .filter(|(_, contained)| *contained)
            .filter_map(|((tag, index), _)| {
                let confirm = outputs.get(index)?.confirm_code();
                Some(Hit { index, tag, confirm })
            })
            .collect();
        hits.sort_unstable_by_key(|hit| hit.index);
        Ok(hits)
    }

    /// The outputs of the inputs; padding has none.
    pub(crate) fn outputs(
        self,
        evaluated: &Evaluated,
        public: &PublicKey,
    ) -> Result<Vec<Output>, OprfError> {
        if evaluated.elements.len() != self.blinded.len() {
            return Err(OprfError::AnswerCount);
        }
        let pairs = dleq::pairs(&self.blinded, &evaluated.elements);
        dleq::verify(public, &pairs, &evaluated.proof, self.workers)?;
        // 1 / (2 * blind): twice the product is what a batched encoding writes.
        let mut inverses: Zeroizing<Vec<Scalar>> = Zeroizing::new(
            self.blinds.iter().take(self.inputs.len()).map(|blind| blind + blind).collect(),
        );
        Scalar::invert_batch_alloc(&mut inverses);
        let items: Vec<_> =
            self.inputs.iter().zip(inverses.iter()).zip(&evaluated.elements).collect();
        let pieces = workers::map(&items, self.workers, |_, part| {
            let halves: Zeroizing<Vec<RistrettoPoint>> = Zeroizing::new(
                part.iter().map(|((_, inverse), element)| element.point() * *inverse).collect(),
            );
            let encodings = RistrettoPoint::double_and_compress_batch(halves.iter());
            let items = part.iter().zip(encodings);
            let output = items.map(|(((input, _), _), encoding)| {
                Output::new(input, &Zeroizing::new(encoding.to_bytes()))
            });
            Ok(output.collect::<Vec<_>>())
        })?;
        Ok(pieces.into_iter().flatten().collect())
    }
}

impl Opening {
    /// Takes back what [`Opening::expose_secret`] gave.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the private digest and for the auditor of the own state.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// Recomputes the blinded elements that these keys gave, as an auditor does.
    ///
    /// Equality with the logged batch shows that it asked for these keys and nothing else: padding
    /// is a known multiple of the base point, in which no input can hide.
    ///
    /// # Errors
    /// [`OprfError::OpeningCount`] and [`OprfError::ScalarNotCanonical`] for an opening of
    /// something else; otherwise as [`Receiver::blind`].
    pub fn recompute(&self, keys: &[MatchKey]) -> Result<Vec<BlindedElement>, OprfError> {
        self.recompute_inputs(&inputs(keys)?)
    }

    /// As [`Opening::recompute`], from the bytes of the keys as they were kept.
    ///
    /// # Errors
    /// As [`Opening::recompute`].
    pub fn recompute_inputs(
        &self,
        inputs: &[Zeroizing<Vec<u8>>],
    ) -> Result<Vec<BlindedElement>, OprfError> {
        let (scalars, rest) = self.0.as_chunks::<32>();
        if scalars.len() != padded_batch(inputs.len())? || !rest.is_empty() {
            return Err(OprfError::OpeningCount);
        }
        let scalar = |bytes: &[u8; 32]| {
            let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
            // A zero blind would hide any input behind the identity.
            scalar.filter(|scalar| *scalar != Scalar::ZERO).ok_or(OprfError::ScalarNotCanonical)
        };
        let blinds = scalars.iter().map(scalar).collect::<Result<Vec<Scalar>, OprfError>>()?;
        blind_elements(inputs, &Zeroizing::new(blinds), 1)
    }
}

/// The OPRF inputs of keys of one class.
fn inputs(keys: &[MatchKey]) -> Result<Vec<Zeroizing<Vec<u8>>>, OprfError> {
    let class = keys.first().map(MatchKey::class);
    if keys.iter().any(|key| Some(key.class()) != class) {
        return Err(OprfError::ClassesMixed);
    }
    Ok(keys.iter().map(|key| Zeroizing::new(key.as_bytes().to_vec())).collect())
}

/// blind · H(input) for every input, then blind · G for what pads the batch.
fn blind_elements(
    inputs: &[Zeroizing<Vec<u8>>],
    blinds: &[Scalar],
    workers: usize,
) -> Result<Vec<BlindedElement>, OprfError> {
    let inputs = inputs.iter().map(Some).chain(std::iter::repeat(None));
    let items: Vec<_> = inputs.zip(blinds).collect();
    let pieces = workers::map(&items, workers, |_, part| {
        let half = |(input, blind): &(Option<&Zeroizing<Vec<u8>>>, &Scalar)| {
            let half = Zeroizing::new(blind.div_by_2());
            Ok(match input {
                Some(input) => suite::hash_to_group(input)? * *half,
                None => RistrettoPoint::mul_base(&half),
            })
        };
        let halves = part.iter().map(half).collect::<Result<Vec<_>, OprfError>>()?;
        Ok(Element::from_halves(&halves).into_iter().map(BlindedElement).collect::<Vec<_>>())
    })?;
    Ok(pieces.into_iter().flatten().collect())
}
