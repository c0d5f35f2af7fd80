//! The statement inside an envelope, its two signatures, and the header in the clear.
//!
//! Implements spec/envelope.md#statement.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode, sha256};
use symbolon_trust::{IdentityKey, IdentityPublic, Mode, Moment, NodeId, Signatures};

use crate::error::Layer;
use crate::limits::{
    CLOCK_SKEW_SECONDS_MAX, LIFETIME_SECONDS_MAX, PLAINTEXT_BYTES_MAX, TIME_SECONDS_MAX,
};
use crate::payload::StatementKind;
use crate::{DisclosureError, label};

/// The only version of statements and headers.
pub(crate) const VERSION: u8 = 1;
/// Longest header, in bytes; one of version 1 has at most 72.
pub(crate) const HEADER_BYTES_MAX: usize = 128;

/// Names a statement for as long as it lives: a UUID of version 7 (RFC 9562 §5.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementId(#[serde(with = "serde_bytes")] [u8; 16]);

impl StatementId {
    /// A fresh id for a statement made at `created` (Unix seconds).
    pub(crate) fn generate(created: u64, seed: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, ..] = sha256(label::STATEMENT_ID, &[seed]);
        let random = [a, b, c, d, e, f, g, h, i, j];
        let milliseconds = created.saturating_mul(1000);
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
        Self(id.into_bytes())
    }

    /// An id that was stored earlier.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatementId({self})")
    }
}

/// What both signatures cover.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Statement {
    pub(crate) version: u8,
    pub(crate) id: StatementId,
    pub(crate) kind: u8,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) created: u64,
    pub(crate) expires: u64,
    /// Only a disclosure and an alert have one: that a refusal was decided by policy is nobody's
    /// business.
    #[serde(with = "serde_bytes")]
    pub(crate) policy_digest: Option<[u8; 32]>,
    /// Place in the ordered stream from sender to recipient, for the kinds that have one.
    pub(crate) sequence: Option<u64>,
    #[serde(with = "serde_bytes")]
    pub(crate) payload: Vec<u8>,
}

impl Statement {
    /// Checks version and times of what is about to be sealed or was opened.
    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        let layer = Layer::Statement;
        if self.version != VERSION {
            return Err(DisclosureError::Version { layer, version: self.version });
        }
        let uuid = uuid::Uuid::from_bytes(self.id.0);
        if uuid.get_version_num() != 7 || uuid.get_variant() != uuid::Variant::RFC4122 {
            return Err(DisclosureError::Field { layer, field: "id" });
        }
        let lifetime = self.expires.checked_sub(self.created);
        let bounded = lifetime.is_some_and(|seconds| (1..=LIFETIME_SECONDS_MAX).contains(&seconds));
        if !bounded || self.expires > TIME_SECONDS_MAX {
            return Err(DisclosureError::Field { layer, field: "expires" });
        }
        Ok(())
    }

    /// Checks the fields that some kinds have and others must not have.
    pub(crate) fn validate_for(&self, kind: StatementKind) -> Result<(), DisclosureError> {
        let layer = Layer::Statement;
        let has_digest = matches!(kind, StatementKind::Disclosure | StatementKind::Alert);
        if self.policy_digest.is_some() != has_digest {
            return Err(DisclosureError::Field { layer, field: "policy_digest" });
        }
        let is_ordered = matches!(kind, StatementKind::Alert | StatementKind::Word);
        let fits = match self.sequence {
            Some(sequence) => is_ordered && sequence > 0,
            None => !is_ordered,
        };
        if fits { Ok(()) } else { Err(DisclosureError::Field { layer, field: "sequence" }) }
    }

    /// Checks that the statement is neither over nor still to come.
    pub(crate) fn active(&self, now: u64) -> Result<(), DisclosureError> {
        if now >= self.expires {
            return Err(DisclosureError::Expired { at: Moment(self.expires) });
        }
        if self.created > now.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
            return Err(DisclosureError::Early { created: Moment(self.created) });
        }
        Ok(())
    }
}

/// A statement's bytes and both signatures over them: what the recipient keeps as evidence.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Signed {
    #[serde(with = "serde_bytes")]
    statement: Vec<u8>,
    #[serde(with = "serde_bytes")]
    ed25519: [u8; 64],
    #[serde(with = "serde_bytes")]
    mldsa65: Vec<u8>,
}

impl Signed {
    pub(crate) fn sign(
        statement: &Statement,
        key: &IdentityKey,
        mode: Mode,
    ) -> Result<Self, DisclosureError> {
        let statement = encode(statement);
        let signatures =
            key.sign(signed_under(mode), &statement).map_err(|_| DisclosureError::Library)?;
        let (ed25519, mldsa65) = (*signatures.ed25519(), signatures.mldsa65().to_vec());
        Ok(Self { statement, ed25519, mldsa65 })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DisclosureError> {
        decode(bytes, PLAINTEXT_BYTES_MAX)
            .map_err(|source| DisclosureError::Decode { layer: Layer::Signed, source })
    }

    /// SHA-256 of the statement's bytes, by which receipts and logs name it.
    pub(crate) fn statement_hash(&self) -> [u8; 32] {
        sha256("", &[&self.statement])
    }

    /// The statement, before its signatures are checked: to learn whose they should be.
    pub(crate) fn statement_unverified(&self) -> Result<Statement, DisclosureError> {
        let statement: Statement = decode(&self.statement, PLAINTEXT_BYTES_MAX)
            .map_err(|source| DisclosureError::Decode { layer: Layer::Statement, source })?;
        statement.validate()?;
        Ok(statement)
    }

    pub(crate) fn verify(
        &self,
        sender: &IdentityPublic,
        mode: Mode,
    ) -> Result<(), DisclosureError> {
        let label = signed_under(mode);
        let signatures = Signatures::new(self.ed25519, self.mldsa65.clone());
        signatures
            .and_then(|signatures| sender.verify(label, &self.statement, &signatures))
            .map(|_evidence| ())
            .map_err(DisclosureError::Signature)
    }
}

/// A statement of a drill is none outside of it, whoever seals it to which key.
const fn signed_under(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => label::STATEMENT,
        Mode::Exercise => label::EXERCISE_STATEMENT,
    }
}

/// What a relay or a courier may read.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Header {
    pub(crate) version: u8,
    pub(crate) suite: u8,
    pub(crate) to: NodeId,
    #[serde(with = "serde_bytes")]
    pub(crate) kid: [u8; 8],
    pub(crate) id: StatementId,
    pub(crate) expires: u64,
}

impl Header {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DisclosureError> {
        decode(bytes, HEADER_BYTES_MAX)
            .map_err(|source| DisclosureError::Decode { layer: Layer::Header, source })
    }
}

/// The envelope as it travels.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Envelope {
    #[serde(with = "serde_bytes")]
    pub(crate) header: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) enc: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(crate) ciphertext: Vec<u8>,
}
