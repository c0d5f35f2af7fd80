//! What both sides agree before a session: its name, the padded counts, the bound on the result.
//!
//! Implements spec/psi.md#terms.

use crate::PsiError;
use crate::label;
use crate::limits::{SESSION_ITEMS_MAX, SESSION_ITEMS_MIN};
use crate::okvs::Shape;

/// The terms of one session; both sides must hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A name that no other session has: a hash of the TLS exporter, the parties, the epoch and the
    /// round. All hashes of the session depend on it.
    pub session: [u8; 32],
    /// Items of the receiver, padded with [`padded_count`].
    pub receiver_count: u64,
    /// Items of the sender, padded with [`padded_count`].
    pub sender_count: u64,
    /// Common items at which the receiver still looks; more raise an alarm.
    pub intersection_max: u64,
}

impl Terms {
    /// Digest by which the sides compare their terms.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(label::TERMS);
        hasher.update(&self.session);
        for number in [self.receiver_count, self.sender_count, self.intersection_max] {
            hasher.update(&number.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// The store's shape, once both counts are known to be padded ones.
    pub(crate) fn shape(&self) -> Result<Shape, PsiError> {
        if padded_count(self.sender_count) != Ok(self.sender_count) {
            return Err(PsiError::Count);
        }
        Shape::for_padded(self.receiver_count)
    }

    /// Bytes of the masked store that the receiver sends: what its budget is charged for.
    ///
    /// # Errors
    /// [`PsiError::Count`] if a count is not a padded one.
    pub fn store_bytes(&self) -> Result<u64, PsiError> {
        Ok(self.shape()?.columns() as u64 * 16)
    }

    /// Commitment to the sender's half of the coin.
    pub(crate) fn coin_commitment(&self, coin: &[u8; 16]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(label::COIN);
        *hasher.update(&self.session).update(coin).finalize().as_bytes()
    }
}

/// The smallest count that `count` items may be padded to: 2^k or 1.5·2^k, at least 1,024.
///
/// # Errors
/// [`PsiError::Count`] if one session does not take so many; [`Plan`](crate::Plan) splits them.
pub fn padded_count(count: u64) -> Result<u64, PsiError> {
    let power = count.max(SESSION_ITEMS_MIN).next_power_of_two();
    let three_quarters = power / 4 * 3;
    let is_enough = three_quarters >= count && three_quarters >= SESSION_ITEMS_MIN;
    let padded = if is_enough { three_quarters } else { power };
    if padded > SESSION_ITEMS_MAX { Err(PsiError::Count) } else { Ok(padded) }
}

/// Hash over every message of a session, in order; both sides sign it.
#[derive(Clone)]
pub(crate) struct Transcript(Box<blake3::Hasher>);

/// Whose message it is.
#[derive(Clone, Copy)]
pub(crate) enum From {
    Sender = 0,
    Receiver = 1,
}

impl Transcript {
    pub(crate) fn new(terms: &Terms) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(label::TRANSCRIPT);
        hasher.update(&terms.digest());
        Self(Box::new(hasher))
    }

    pub(crate) fn add(&mut self, from: From, message: &crate::Message) {
        // The head says how long it is and how many raw bytes follow: the framing is unambiguous.
        self.0.update(&[from as u8]).update(&message.encode_head()).update(message.bulk());
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_padded_to_two_steps_an_octave() {
        let cases = [
            (0, 1024),
            (1024, 1024),
            (1025, 1536),
            (1536, 1536),
            (1537, 2048),
            (1 << 20, 1 << 20),
            ((1 << 20) + 1, 3 << 19),
        ];
        for (count, padded) in cases {
            assert_eq!(padded_count(count), Ok(padded), "{count}");
            assert!(Shape::for_padded(padded).is_ok(), "{padded} has a shape");
        }
        assert_eq!(padded_count(SESSION_ITEMS_MAX + 1), Err(PsiError::Count));
        let largest = Shape::for_padded(SESSION_ITEMS_MAX).unwrap();
        assert!(largest.columns() <= crate::VOLE_LENGTH_MAX);
    }

    #[test]
    fn every_term_is_in_the_digest() {
        let terms = Terms {
            session: [1; 32],
            receiver_count: 1024,
            sender_count: 1024,
            intersection_max: 9,
        };
        let others = [
            Terms { session: [2; 32], ..terms },
            Terms { receiver_count: 1536, ..terms },
            Terms { sender_count: 1536, ..terms },
            Terms { intersection_max: 10, ..terms },
        ];
        assert!(others.iter().all(|other| other.digest() != terms.digest()));
        assert!(Terms { sender_count: 1000, ..terms }.shape().is_err());
        assert!(Terms { receiver_count: 1000, ..terms }.shape().is_err());
    }
}
