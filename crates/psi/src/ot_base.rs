//! 128 random oblivious transfers on ristretto255, secure against cheating in either role.
//!
//! Implements spec/psi.md#base-ot: the endemic transfer of Masny and Rindal (ePrint 2019/706), one
//! message each way, one group element of the answering side for all 128, with the number of the
//! transfer in every hash as the batch needs (ePrint 2021/682).
//!
//! Invariants: scalars and choices are wiped; no branch depends on a choice; every hash covers the
//! session, the number of the transfer and the side.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable};
use curve25519_dalek::{RistrettoPoint, Scalar};
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

use crate::field::Block;
use crate::{PsiError, label, workers};

/// How many transfers: one for each bit of the sender's secret.
pub(crate) const BASE_TRANSFERS: usize = 128;
/// Bytes of an encoded group element.
pub(crate) const POINT_BYTES: usize = 32;
/// Bytes of the choosing side's message: two elements for each transfer.
pub(crate) const OFFER_BYTES: usize = BASE_TRANSFERS * 2 * POINT_BYTES;

/// The side that learns one key of each pair; waits for the answer.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Chooser {
    session: [u8; 32],
    choices: u128,
    halves: Vec<Scalar>,
    offer: Vec<u8>,
}

/// The keys of the answering side, both of each transfer.
pub(crate) struct KeyPairs(Zeroizing<Vec<[Block; 2]>>);

impl KeyPairs {
    pub(crate) fn expose_secret(&self) -> &[[Block; 2]] {
        &self.0
    }
}

/// The keys of the choosing side, one of each transfer.
pub(crate) struct ChosenKeys(Zeroizing<Vec<Block>>);

#[cfg(test)]
impl KeyPairs {
    pub(crate) fn of(pairs: Vec<[Block; 2]>) -> Self {
        Self(Zeroizing::new(pairs))
    }
}

#[cfg(test)]
impl ChosenKeys {
    pub(crate) fn of(keys: Vec<Block>) -> Self {
        Self(Zeroizing::new(keys))
    }
}

impl ChosenKeys {
    pub(crate) fn expose_secret(&self) -> &[Block] {
        &self.0
    }
}

fn scalar(rng: &mut ChaCha20Rng) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    rng.fill_bytes(wide.as_mut());
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn point(rng: &mut ChaCha20Rng) -> RistrettoPoint {
    let mut wide = [0; 64];
    rng.fill_bytes(&mut wide);
    RistrettoPoint::from_uniform_bytes(&wide)
}

/// A random oracle onto the group, of the other side's element.
fn hash_to_point(session: &[u8; 32], transfer: usize, side: u8, other: &[u8]) -> RistrettoPoint {
    let mut hasher = blake3::Hasher::new_derive_key(label::BASE_POINT);
    hasher.update(session).update(&(transfer as u32).to_le_bytes()).update(&[side]).update(other);
    let mut wide = [0; 64];
    hasher.finalize_xof().fill(&mut wide);
    RistrettoPoint::from_uniform_bytes(&wide)
}

/// The key of one side of a transfer: it covers all that travelled for it.
fn key(
    session: &[u8; 32],
    transfer: usize,
    side: u8,
    pair: &[u8],
    answer: &[u8; POINT_BYTES],
    shared: &CompressedRistretto,
) -> Block {
    let mut hasher = blake3::Hasher::new_derive_key(label::BASE_KEY);
    hasher.update(session).update(&(transfer as u32).to_le_bytes()).update(&[side]);
    hasher.update(pair).update(answer).update(shared.as_bytes());
    let mut bytes = Zeroizing::new([0; Block::BYTES]);
    hasher.finalize_xof().fill(bytes.as_mut());
    Block::from_bytes(*bytes)
}

/// One half of the scalar: points are encoded in batches as doubles, which shares the inversion.
fn half(scalar: &Scalar) -> Scalar {
    scalar * Scalar::from(2u8).invert()
}

impl Chooser {
    /// Bit `j` of `choices` says which key of transfer `j` to learn.
    pub(crate) fn new(session: [u8; 32], choices: u128, rng: &mut ChaCha20Rng) -> Self {
        let mut offer = Vec::with_capacity(OFFER_BYTES);
        let mut halves = Vec::with_capacity(BASE_TRANSFERS);
        for transfer in 0..BASE_TRANSFERS {
            let side = (choices >> transfer & 1) as u8;
            let secret = Zeroizing::new(scalar(rng));
            let other = point(rng).compress();
            let mask = hash_to_point(&session, transfer, side, other.as_bytes());
            let own = (RistrettoPoint::mul_base(&secret) - mask).compress();
            let pick = Choice::from(side);
            let select = |left: &CompressedRistretto, right: &CompressedRistretto| {
                <[u8; POINT_BYTES]>::conditional_select(left.as_bytes(), right.as_bytes(), pick)
            };
            offer.extend(select(&own, &other));
            offer.extend(select(&other, &own));
            halves.push(half(&secret));
        }
        Self { session, choices, halves, offer }
    }

    /// The message to the answering side.
    pub(crate) fn offer(&self) -> &[u8] {
        &self.offer
    }

    /// The chosen keys.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] for an answer that is not the canonical encoding of an element.
    pub(crate) fn keys(&self, answer: &[u8; POINT_BYTES]) -> Result<ChosenKeys, PsiError> {
        let point = CompressedRistretto(*answer).decompress().ok_or(PsiError::Malformed)?;
        let table = RistrettoBasepointTable::create(&point);
        let shared =
            Zeroizing::new(self.halves.iter().map(|half| half * &table).collect::<Vec<_>>());
        let encodings = RistrettoPoint::double_and_compress_batch(shared.iter());
        let pairs = self.offer.chunks_exact(2 * POINT_BYTES);
        let keys = encodings.iter().zip(pairs).enumerate().map(|(transfer, (shared, pair))| {
            let side = (self.choices >> transfer & 1) as u8;
            key(&self.session, transfer, side, pair, answer, shared)
        });
        Ok(ChosenKeys(Zeroizing::new(keys.collect())))
    }
}

impl Drop for Chooser {
    fn drop(&mut self) {
        self.choices.zeroize();
        self.halves.zeroize();
    }
}

/// Answers an offer: the message back, and both keys of each transfer.
///
/// # Errors
/// [`PsiError::Malformed`] for an offer of another length or an encoding that is not canonical.
pub(crate) fn answer(
    session: &[u8; 32],
    offer: &[u8],
    rng: &mut ChaCha20Rng,
    workers: usize,
) -> Result<([u8; POINT_BYTES], KeyPairs), PsiError> {
    if offer.len() != OFFER_BYTES {
        return Err(PsiError::Malformed);
    }
    let secret = Zeroizing::new(scalar(rng));
    let answer = RistrettoPoint::mul_base(&secret).compress().to_bytes();
    let half = Zeroizing::new(half(&secret));
    let (pairs, _) = offer.as_chunks::<{ 2 * POINT_BYTES }>();
    let length = workers::piece_length(BASE_TRANSFERS, workers, 1);
    let pieces = pairs.chunks(length).enumerate().collect();
    let pieces = workers::run(pieces, workers, |(number, pairs): (usize, &[[u8; 64]])| {
        let first = number * length;
        let mut shared = Zeroizing::new(Vec::with_capacity(2 * pairs.len()));
        for (offset, pair) in pairs.iter().enumerate() {
            let (left, right) = pair.split_at(POINT_BYTES);
            for (side, own, other) in [(0, left, right), (1, right, left)] {
                let mask = hash_to_point(session, first + offset, side, other);
                let encoding = CompressedRistretto(own.try_into().unwrap_or_default());
                let element = encoding.decompress().ok_or(PsiError::Malformed)?;
                shared.push((element + mask) * *half);
            }
        }
        let encodings = RistrettoPoint::double_and_compress_batch(shared.iter());
        let (encodings, _) = encodings.as_chunks::<2>();
        let keys =
            pairs.iter().zip(encodings).enumerate().map(|(offset, (pair, [left, right]))| {
                let key = |side, shared| key(session, first + offset, side, pair, &answer, shared);
                [key(0, left), key(1, right)]
            });
        Ok(Zeroizing::new(keys.collect::<Vec<_>>()))
    })?;
    let mut keys = Zeroizing::new(Vec::with_capacity(BASE_TRANSFERS));
    for piece in &pieces {
        keys.extend_from_slice(piece);
    }
    Ok((answer, KeyPairs(keys)))
}

#[cfg(test)]
mod tests {
    use chacha20::rand_core::SeedableRng;

    use super::*;

    fn rng(seed: u8) -> ChaCha20Rng {
        ChaCha20Rng::from_seed([seed; 32])
    }

    #[test]
    fn the_chooser_learns_the_chosen_key_of_each_pair() {
        for choices in [0, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            let chooser = Chooser::new([1; 32], choices, &mut rng(1));
            for workers in [1, 2] {
                let (message, pairs) =
                    answer(&[1; 32], chooser.offer(), &mut rng(2), workers).unwrap();
                let chosen = chooser.keys(&message).unwrap();
                assert_eq!(chosen.expose_secret().len(), BASE_TRANSFERS);
                for (transfer, (key, pair)) in
                    chosen.expose_secret().iter().zip(pairs.expose_secret()).enumerate()
                {
                    let side = (choices >> transfer & 1) as usize;
                    assert!(*key == pair[side] && *key != pair[1 - side]);
                }
            }
        }
    }

    #[test]
    fn another_session_has_other_keys() {
        let chooser = Chooser::new([1; 32], 5, &mut rng(1));
        let (message, pairs) = answer(&[2; 32], chooser.offer(), &mut rng(2), 1).unwrap();
        let chosen = chooser.keys(&message).unwrap();
        let same = |(key, pair): (&Block, &[Block; 2])| pair.contains(key);
        assert!(!chosen.expose_secret().iter().zip(pairs.expose_secret()).any(same));
    }

    #[test]
    fn encodings_that_are_not_canonical_are_refused() {
        let chooser = Chooser::new([1; 32], 5, &mut rng(1));
        assert!(chooser.keys(&[0xff; 32]).is_err());
        let mut offer = chooser.offer().to_vec();
        offer[OFFER_BYTES - 1] = 0xff;
        assert!(answer(&[1; 32], &offer, &mut rng(2), 1).is_err());
        assert!(answer(&[1; 32], &offer[1..], &mut rng(2), 1).is_err());
    }
}
