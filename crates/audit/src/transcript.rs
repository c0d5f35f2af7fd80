//! What both sides sign when a bulk match is over: what they sent each other, as one hash.
//!
//! Implements spec/accountability.md#transcripts.
//!
//! Invariant: a statement names who signs, so that nobody can hand back the other's as its own.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{encode, sha256};
use symbolon_trust::{IdentityKey, IdentityPublic, NodeId, Signatures, TrustError};

use crate::{SetTerms, label};

/// The only version of these statements.
const VERSION: u8 = 1;

/// Which transcript of a partition counts: that of its last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct PartitionTranscript {
    /// The attempt.
    pub attempt: u32,
    /// Hash over every message of its session.
    #[serde(with = "serde_bytes")]
    pub hash: [u8; 32],
}

/// The hash over a whole match: `session` is its name, `partitions` are all, in order.
#[must_use]
pub fn match_transcript(session: &[u8; 32], partitions: &[PartitionTranscript]) -> [u8; 32] {
    let one = |one: &PartitionTranscript| [&one.attempt.to_be_bytes()[..], &one.hash].concat();
    let all: Vec<u8> = partitions.iter().flat_map(one).collect();
    sha256(label::MATCH_TRANSCRIPT, &[session, &all])
}

/// That a match took place, under which terms, and what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct MatchStatement {
    version: u8,
    kind: u8,
    from: NodeId,
    to: NodeId,
    #[serde(with = "serde_bytes")]
    terms: [u8; 32],
    #[serde(with = "serde_bytes")]
    transcript: [u8; 32],
}

impl MatchStatement {
    /// The kind of these statements, among those of spec/envelope.md#payloads.
    pub const KIND: u8 = 11;

    /// What `from` signs for `to`; the digest of the terms is what stands in the asker's log.
    #[must_use]
    pub fn new(from: NodeId, to: NodeId, terms: &SetTerms, transcript: [u8; 32]) -> Self {
        Self { version: VERSION, kind: Self::KIND, from, to, terms: terms.digest(), transcript }
    }

    /// By which logs and evidence name it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256("", &[&encode(self)])
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`TrustError`] of the library.
    pub fn sign(&self, key: &IdentityKey) -> Result<Signatures, TrustError> {
        key.sign(label::MATCH, &encode(self))
    }

    /// Takes it as signed by the node that it names as its author.
    ///
    /// # Errors
    /// [`TrustError::Signature`] if the key did not sign just this.
    pub fn signed(
        self,
        key: &IdentityPublic,
        signatures: &Signatures,
    ) -> Result<SignedMatch, TrustError> {
        let statement = encode(&self);
        let _verified = key.verify(label::MATCH, &statement, signatures)?;
        let ed25519 = serde_bytes::ByteArray::new(*signatures.ed25519());
        let mldsa65 = serde_bytes::ByteBuf::from(signatures.mldsa65());
        let bytes = encode(&(serde_bytes::ByteBuf::from(statement), ed25519, mldsa65));
        Ok(SignedMatch { statement: self, bytes })
    }
}

/// A statement whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMatch {
    statement: MatchStatement,
    bytes: Vec<u8>,
}

impl SignedMatch {
    /// By which logs and evidence name it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.statement.hash()
    }

    /// Who signed it.
    #[must_use]
    pub const fn from(&self) -> NodeId {
        self.statement.from
    }

    /// The statement's bytes and both signatures, in the form of spec/envelope.md#statement.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ident::Class;

    const TERMS: SetTerms = SetTerms {
        class: Class::Document,
        epoch: 7,
        nonce: [3; 32],
        receiver_count: 1024,
        elements: 1400,
    };

    #[test]
    fn every_part_of_a_match_is_signed() {
        let key = IdentityKey::generate([1; 32]).unwrap();
        let stranger = IdentityKey::generate([2; 32]).unwrap();
        let [from, to] = [[1; 32], [2; 32]].map(NodeId::from_bytes);
        let parts = [1, 2].map(|n| PartitionTranscript { attempt: 0, hash: [n; 32] });
        let transcript = match_transcript(&[9; 32], &parts);
        let own = MatchStatement::new(from, to, &TERMS, transcript);
        let signatures = own.sign(&key).unwrap();
        let signed = own.signed(key.public(), &signatures).unwrap();
        assert_eq!((signed.hash(), signed.from()), (own.hash(), from));
        assert!(own.signed(stranger.public(), &signatures).is_err());

        let [first, second] = parts;
        let other_attempt = PartitionTranscript { attempt: 1, ..second };
        let others = [
            (from, to, TERMS, match_transcript(&[8; 32], &parts)),
            (from, to, TERMS, match_transcript(&[9; 32], &[second, first])),
            (from, to, TERMS, match_transcript(&[9; 32], &[first])),
            (from, to, TERMS, match_transcript(&[9; 32], &[first, other_attempt])),
            (from, to, SetTerms { elements: 1401, ..TERMS }, transcript),
            (from, from, TERMS, transcript),
            (to, from, TERMS, transcript),
        ];
        for (from, to, terms, transcript) in others {
            let other = MatchStatement::new(from, to, &terms, transcript);
            assert!(other.hash() != own.hash());
            assert!(other.signed(key.public(), &signatures).is_err(), "a changed transcript");
        }
    }
}
