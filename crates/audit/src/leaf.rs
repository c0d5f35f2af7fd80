//! What the log's tree commits to: salted leaves that tell a reader of the log nothing.
//!
//! Implements spec/accountability.md#leaves.
//!
//! Invariant: the leaf follows from salt and entry alone, so whoever is given both can check it.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::Hash;

use crate::entry::Entry;
use crate::event::Event;
use crate::limits::ENTRY_BYTES_MAX;
use crate::{AuditError, label, query};

/// The 32 bytes that stand in the log for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeafData([u8; 32]);

impl LeafData {
    /// Takes leaf data that was read from a log.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The RFC 6962 hash of the leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        symbolon_tlog::leaf_hash(self.0)
    }
}

/// An entry with the salt of its leaf: what the store keeps sealed, and an auditor is given.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Logged {
    #[serde(with = "serde_bytes")]
    salt: [u8; 32],
    entry: Entry,
}

impl Logged {
    /// Salts an entry. A query keeps the salt of its commitment; every other entry takes `fresh`.
    #[must_use]
    pub fn new(entry: Entry, fresh: [u8; 32]) -> Self {
        Self { salt: entry.committed_salt().unwrap_or(fresh), entry }
    }

    /// The salt.
    #[must_use]
    pub const fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The leaf.
    #[must_use]
    pub fn leaf(&self) -> LeafData {
        self.entry.leaf(&self.salt)
    }

    /// Encodes both.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        symbolon_codec::encode(self)
    }

    /// Decodes both.
    ///
    /// # Errors
    /// [`AuditError::Decode`] or [`AuditError::TooLong`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let logged: Self = symbolon_codec::decode(bytes, ENTRY_BYTES_MAX + 64)?;
        logged.entry.validate()?;
        Ok(logged)
    }
}

impl std::fmt::Debug for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logged([redacted])")
    }
}

impl Entry {
    /// The leaf under `salt`: for a query the commitment of PROTOCOL §6, which the asked node can
    /// compute too; for everything else a hash over the entry.
    #[must_use]
    pub fn leaf(&self, salt: &[u8; 32]) -> LeafData {
        if let Event::Query(event) = self.event() {
            return query::leaf(salt, &event.batch_digest, &event.private_digest);
        }
        let entry = symbolon_codec::encode(self);
        LeafData(symbolon_codec::sha256(label::LEAF, &[salt, &entry]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Act, PolicyEvent, Who};

    #[test]
    fn the_leaf_binds_salt_and_entry() {
        let who = Who { now: 1_700_000_000, actor: "officer" };
        let policy = Entry::policy(who, PolicyEvent { digest: [7; 32], act: Act::Accepted });
        let one = Logged::new(policy.clone(), [1; 32]);
        let expected = symbolon_codec::sha256(
            "symbolon/1 leaf",
            &[&[1; 32], &symbolon_codec::encode(&policy)],
        );
        assert_eq!(one.leaf().as_bytes(), &expected);
        assert_ne!(one.leaf(), Logged::new(policy, [2; 32]).leaf());
        assert_ne!(one.leaf(), Logged::new(Entry::heartbeat(who), [1; 32]).leaf());
    }

    #[test]
    fn every_entry_comes_back_and_shows_its_kind_only() {
        let who = Who { now: 1, actor: "officer" };
        for entry in [Entry::heartbeat(who), Entry::admin(who, "key_rotate", [0; 32])] {
            let logged = Logged::new(entry.clone(), [1; 32]);
            assert_eq!(Logged::decode(&logged.encode()), Ok(logged));
            assert_eq!(format!("{entry:?}"), format!("Entry({})", entry.event().name()));
        }
    }

    #[test]
    fn long_texts_are_cut_in_and_refused_from_outside() {
        let long = "é".repeat(400);
        let entry = Entry::heartbeat(Who { now: 1, actor: &long });
        assert_eq!(entry.actor().len(), 512);
        let bytes = Logged::new(entry, [1; 32]).encode();
        assert!(Logged::decode(&bytes).is_ok());
    }
}
