//! The commitment to a whole set that is about to be matched in bulk; a query like any other in
//! the log, opened with the list of its keys.
//!
//! Implements spec/accountability.md#sets.
//!
//! Invariant: the digest that the partner sees covers the terms alone; the set is bound by the
//! private digest, under a blind, so that nobody can try sets against it.

use sha2::{Digest as _, Sha256};
use symbolon_codec::sha256;
use symbolon_ident::Class;
use symbolon_tlog::CheckpointVerifier;

use crate::query::{CommittedQuery, LogSeen, QueryEvidence, verify_committed};
use crate::{AuditError, Commitment, QueryEvent, QueryPrivate, label};

/// Bytes of the opening of a set: label, blind, nonce and two numbers.
const OPENING_BYTES: usize = label::SET.len() + 32 + 32 + 8 + 8;

/// What both sides know of a set before it is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetTerms {
    /// The class of its keys.
    pub class: Class,
    /// The epoch in whose budget it is charged.
    pub epoch: u64,
    /// Random; names the match.
    pub nonce: [u8; 32],
    /// Items of the asker's set, padded.
    pub receiver_count: u64,
    /// Elements that the budgets are charged.
    pub elements: u32,
}

impl SetTerms {
    /// What stands in the log in place of the digest of a batch.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let numbers = [self.epoch, self.receiver_count, u64::from(self.elements)];
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        sha256(label::SET_TERMS, &[&[self.class.code()], &self.nonce, &numbers])
    }
}

/// The item that stands for a match key.
#[must_use]
pub fn set_item(key: &[u8]) -> [u8; 32] {
    sha256(label::SET_ITEM, &[key])
}

/// Digest of a set, over its distinct items in ascending order.
#[must_use]
pub fn set_digest(blind: &[u8; 32], items: &[[u8; 32]]) -> [u8; 32] {
    let mut digest = SetDigest::new(blind);
    digest.add(items);
    digest.finish()
}

/// The digest of a set whose items come in parts: distinct, and ascending over all parts.
pub struct SetDigest(Sha256);

impl SetDigest {
    /// Of no items yet.
    #[must_use]
    pub fn new(blind: &[u8; 32]) -> Self {
        let mut hash = Sha256::new_with_prefix(label::SET.as_bytes());
        hash.update(blind);
        Self(hash)
    }

    /// The next items.
    pub fn add(&mut self, items: &[[u8; 32]]) {
        self.0.update(items.as_flattened());
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The opening that goes into the private part of a set's commitment.
#[must_use]
pub fn set_opening(blind: &[u8; 32], terms: &SetTerms) -> Vec<u8> {
    let numbers = [terms.receiver_count, u64::from(terms.elements)];
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    [label::SET.as_bytes(), blind, &terms.nonce, &numbers].concat()
}

/// Commits to a set: `private` names its digest as its one identifier, and its opening.
///
/// # Errors
/// [`AuditError::TooLong`] if a text is.
pub fn commit_set(
    salt: [u8; 32],
    terms: &SetTerms,
    private: &QueryPrivate,
) -> Result<Commitment, AuditError> {
    Commitment::over(salt, terms.digest(), terms.elements, private)
}

/// Verifies that the asker committed to a set under these terms in its own log, and that its log
/// continues the one last seen.
///
/// # Errors
/// [`AuditError`], by the first check that fails; nothing must be answered then.
pub fn verify_set_query(
    evidence: &QueryEvidence,
    terms: &SetTerms,
    verifier: &CheckpointVerifier,
    last_seen: Option<&LogSeen>,
) -> Result<CommittedQuery, AuditError> {
    verify_committed(evidence, terms.digest(), terms.elements, verifier, last_seen)
}

/// Evidence that a list of keys is the set of a logged query.
#[derive(Debug)]
#[must_use]
pub struct ReopenedSet {
    private: QueryPrivate,
}

impl ReopenedSet {
    /// Whether a private part is that of a set.
    #[must_use]
    pub fn is_one(private: &QueryPrivate) -> bool {
        private.opening.len() == OPENING_BYTES && private.opening.starts_with(label::SET.as_bytes())
    }

    /// Recomputes the digests from the keys and compares them with the log's entry.
    ///
    /// # Errors
    /// [`AuditError::NotTheQuery`] where the private part is another's; [`AuditError::NotTheBatch`]
    /// where the keys are another set, or the terms are not those of the log.
    pub fn verify<'k>(
        event: &QueryEvent,
        private: QueryPrivate,
        keys: impl IntoIterator<Item = &'k [u8]>,
    ) -> Result<ReopenedSet, AuditError> {
        let names = (private.partner, private.class, private.epoch);
        let is_same = names == (event.partner, event.class, event.epoch);
        if !is_same || private.digest(&event.salt) != event.private_digest {
            return Err(AuditError::NotTheQuery);
        }
        let (blind, terms) = opened(&private, event).ok_or(AuditError::NotTheBatch)?;
        let mut items: Vec<[u8; 32]> = keys.into_iter().map(set_item).collect();
        items.sort_unstable();
        items.dedup();
        let digest = set_digest(&blind, &items);
        let is_whole = matches!(&private.identifiers[..], [named] if named[..] == digest);
        if !is_whole || terms.digest() != event.batch_digest {
            return Err(AuditError::NotTheBatch);
        }
        Ok(ReopenedSet { private })
    }

    /// Who asked, why, and of whom.
    #[must_use]
    pub const fn private(&self) -> &QueryPrivate {
        &self.private
    }
}

fn opened(private: &QueryPrivate, event: &QueryEvent) -> Option<([u8; 32], SetTerms)> {
    if !ReopenedSet::is_one(private) {
        return None;
    }
    let rest = private.opening.get(label::SET.len()..)?;
    let (blind, rest) = rest.split_first_chunk::<32>()?;
    let (nonce, rest) = rest.split_first_chunk::<32>()?;
    let (receiver_count, rest) = rest.split_first_chunk::<8>()?;
    let elements = u64::from_be_bytes(*rest.first_chunk::<8>()?);
    let terms = SetTerms {
        class: event.class,
        epoch: event.epoch,
        nonce: *nonce,
        receiver_count: u64::from_be_bytes(*receiver_count),
        elements: u32::try_from(elements).ok().filter(|elements| *elements == event.elements)?,
    };
    Some((*blind, terms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Event, Who};
    use serde_bytes::ByteBuf;
    use symbolon_trust::NodeId;

    const TERMS: SetTerms = SetTerms {
        class: Class::Document,
        epoch: 7,
        nonce: [3; 32],
        receiver_count: 1024,
        elements: 1400,
    };
    const KEYS: [&[u8]; 3] = [b"one", b"two", b"three"];

    fn asked() -> (QueryEvent, QueryPrivate) {
        let mut items = KEYS.map(set_item);
        items.sort_unstable();
        let private = QueryPrivate {
            partner: NodeId::from_bytes([1; 32]),
            class: TERMS.class,
            epoch: TERMS.epoch,
            officer: "officer".into(),
            purpose: "nonproliferation".into(),
            legal_basis: "act".into(),
            case: "T-1".into(),
            identifiers: vec![ByteBuf::from(set_digest(&[9; 32], &items))],
            opening: set_opening(&[9; 32], &TERMS),
        };
        let commitment = commit_set([5; 32], &TERMS, &private).unwrap();
        let entry = Entry::query(Who { now: 1, actor: "officer" }, &commitment);
        let Event::Query(event) = entry.event() else { panic!("not a query") };
        (*event, private)
    }

    #[test]
    fn a_set_opens_with_its_keys_in_any_order() {
        let (event, private) = asked();
        assert!(ReopenedSet::is_one(&private));
        let opened = ReopenedSet::verify(&event, private.clone(), KEYS.into_iter().rev()).unwrap();
        assert_eq!(opened.private().case, "T-1");
        let again = KEYS.into_iter().chain(KEYS);
        assert!(ReopenedSet::verify(&event, private, again).is_ok(), "a set has each key once");
    }

    #[test]
    fn another_set_or_other_terms_are_found_even_where_the_digest_was_made_to_fit() {
        let (event, private) = asked();
        let refit = |private: &QueryPrivate| QueryEvent {
            private_digest: private.digest(&event.salt),
            ..event
        };
        let missing = ReopenedSet::verify(&event, private.clone(), KEYS.into_iter().take(2));
        assert_eq!(missing.unwrap_err(), AuditError::NotTheBatch);
        for place in 0..private.opening.len() {
            let mut other = private.clone();
            other.opening[place] ^= 1;
            let refused = ReopenedSet::verify(&refit(&other), other, KEYS).unwrap_err();
            assert_eq!(refused, AuditError::NotTheBatch, "byte {place} of the opening");
        }
        let mut other = private.clone();
        other.case.push('x');
        let refused = ReopenedSet::verify(&event, other, KEYS).unwrap_err();
        assert_eq!(refused, AuditError::NotTheQuery);
    }
}
