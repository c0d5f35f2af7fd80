//! Sender side of matching: evaluates blinded elements and its own list; never learns a hit.
//!
//! Implements spec/matching.md#sender.
//!
//! Invariants: the key never leaves [`Sender`]; one call evaluates at most `BATCH_ELEMENTS_MAX`
//! elements, and only a batch of a padded size.

use curve25519_dalek::RistrettoPoint;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::MatchKey;
use zeroize::Zeroizing;

use crate::dleq::{self, Proof};
use crate::element::{BlindedElement, Element, EvaluatedElement, PublicKey};
use crate::key::{EpochSeed, KeyNames, SecretKey};
use crate::limits::BATCH_SIZES_ELEMENTS;
use crate::{OprfError, Output, Tag, suite, workers};

/// Points whose encodings share one inversion; more would only leave the cache.
const ENCODING_POINTS: usize = 256;

/// The holder's key of one (holder, asker, class, epoch).
pub struct Sender {
    key: SecretKey,
    public: PublicKey,
    workers: usize,
}

/// The answer to a batch, element by element, with one proof for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Evaluated {
    /// In the order of the blinded elements.
    pub elements: Vec<EvaluatedElement>,
    /// Shows that all were evaluated with the announced key.
    pub proof: Proof,
}

impl Sender {
    /// Derives the key of these names.
    ///
    /// # Errors
    /// [`OprfError::Degenerate`], with negligible probability.
    pub fn derive(seed: &EpochSeed, names: &KeyNames<'_>) -> Result<Self, OprfError> {
        SecretKey::derive(seed, names).map(Self::new)
    }

    pub(crate) fn new(key: SecretKey) -> Self {
        let public = key.public();
        Self { key, public, workers: 1 }
    }

    /// Evaluates batches on this many threads instead of one.
    #[must_use]
    pub fn with_workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// What the epoch card announces.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// `BlindEvaluate` for a padded batch (RFC 9497 §3.3.2).
    ///
    /// The caller spends the asker's budget before. `seed` is fresh randomness; the proof's nonce
    /// also depends on key and batch, so a repeated seed gives nothing away.
    ///
    /// # Errors
    /// [`OprfError::BatchSize`] for a batch that is not padded.
    pub fn blind_evaluate(
        &self,
        batch: &[BlindedElement],
        seed: [u8; 32],
    ) -> Result<Evaluated, OprfError> {
        if !BATCH_SIZES_ELEMENTS.contains(&batch.len()) {
            return Err(OprfError::BatchSize);
        }
        let elements = self.evaluate_elements(batch)?;
        let pairs = dleq::pairs(batch, &elements);
        let composites = dleq::composites_of_sender(&self.key, &self.public, &pairs, self.workers)?;
        let nonce = Zeroizing::new(dleq::nonce(seed, &self.key, &composites));
        let proof = dleq::prove(&self.key, &self.public, &composites, &nonce);
        Ok(Evaluated { elements, proof })
    }

    pub(crate) fn evaluate_elements(
        &self,
        batch: &[BlindedElement],
    ) -> Result<Vec<EvaluatedElement>, OprfError> {
        let pieces = workers::map(batch, self.workers, |_, part| {
            let halves: Vec<_> =
                part.iter().map(|blinded| self.key.evaluate_half(blinded.point())).collect();
            Ok(Element::from_halves(&halves).into_iter().map(EvaluatedElement).collect::<Vec<_>>())
        })?;
        Ok(pieces.into_iter().flatten().collect())
    }

    /// `Evaluate` for an identifier of the holder's own, to check a confirm (RFC 9497 §3.3.1).
    ///
    /// # Errors
    /// [`OprfError::Degenerate`], with negligible probability.
    pub fn evaluate(&self, key: &MatchKey) -> Result<Output, OprfError> {
        self.evaluate_input(key.as_bytes())
    }

    pub(crate) fn evaluate_input(&self, input: &[u8]) -> Result<Output, OprfError> {
        let point = suite::hash_to_group(input)? * self.key.expose_secret();
        Ok(Output::new(input, point.compress().as_bytes()))
    }

    /// The tags of the holder's own list ([`MatchKey::as_bytes`]), in order, on `workers` threads.
    ///
    /// # Errors
    /// [`OprfError::InputLength`] for an empty or over-long input.
    pub fn evaluate_tags(&self, inputs: &[&[u8]], workers: usize) -> Result<Vec<Tag>, OprfError> {
        let pieces = workers::map(inputs, workers, |_, part| {
            let mut tags = Vec::with_capacity(part.len());
            for block in part.chunks(ENCODING_POINTS) {
                self.evaluate_block(block, &mut tags)?;
            }
            Ok(tags)
        })?;
        Ok(pieces.concat())
    }

    fn evaluate_block(&self, inputs: &[&[u8]], tags: &mut Vec<Tag>) -> Result<(), OprfError> {
        let half = |input: &&[u8]| Ok(self.key.evaluate_half(&suite::hash_to_group(input)?));
        let halves = inputs.iter().map(half).collect::<Result<Vec<RistrettoPoint>, OprfError>>()?;
        // From here on a point is as good as the output, which only the holder may have.
        let halves = Zeroizing::new(halves);
        let encodings = RistrettoPoint::double_and_compress_batch(halves.iter());
        tags.extend(inputs.iter().zip(encodings).map(|(input, encoding)| {
            let encoding = Zeroizing::new(encoding.to_bytes());
            Output::new(input, &encoding).tag()
        }));
        Ok(())
    }
}
