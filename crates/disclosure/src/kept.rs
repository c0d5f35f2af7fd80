//! A statement and its signatures as they are kept: read again for people, proved again to an
//! auditor. Says nothing about whether it was ever admitted.
//!
//! Implements spec/envelope.md#statement.

use std::fmt;

use symbolon_trust::{IdentityPublic, Mode, NodeId};

use crate::DisclosureError;
use crate::payload::{Payload, StatementKind};
use crate::statement::{Signed, Statement, StatementId};

/// A statement that was sent or received, with its evidence.
pub struct Kept {
    statement: Statement,
    payload: Payload,
    signed: Signed,
    signed_bytes: Vec<u8>,
}

impl Kept {
    /// Reads what [`crate::Sealed::signed`] or [`crate::Opened::signed`] gave; checks the form, not
    /// the signatures, which were checked when it came in, nor the time, which may have passed.
    ///
    /// # Errors
    /// [`DisclosureError`], by the first rule that the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, DisclosureError> {
        let signed = Signed::decode(bytes)?;
        let statement = signed.statement_unverified()?;
        Self::new(signed, statement, bytes)
    }

    /// Reads the payload of a statement.
    pub(crate) fn new(
        signed: Signed,
        statement: Statement,
        signed_bytes: &[u8],
    ) -> Result<Self, DisclosureError> {
        let kind = StatementKind::from_code(statement.kind)?;
        statement.validate_for(kind)?;
        let payload = Payload::decode(kind, &statement.payload)?;
        if let Payload::Alert(alerted) = &payload
            && alerted.expires_on <= statement.created
        {
            return Err(DisclosureError::OVER);
        }
        Ok(Self { statement, payload, signed, signed_bytes: signed_bytes.to_vec() })
    }

    /// Checks both signatures again, under the signing key that `from` had on its card then, as of
    /// a statement of `mode`.
    ///
    /// # Errors
    /// [`DisclosureError::Signature`].
    pub fn verify(&self, sender: &IdentityPublic, mode: Mode) -> Result<(), DisclosureError> {
        self.signed.verify(sender, mode)
    }

    /// The statement's id.
    #[must_use]
    pub fn id(&self) -> StatementId {
        self.statement.id
    }

    /// The statement's kind.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.payload.kind()
    }

    /// Who signed it.
    #[must_use]
    pub fn from(&self) -> NodeId {
        self.statement.from
    }

    /// For whom.
    #[must_use]
    pub fn to(&self) -> NodeId {
        self.statement.to
    }

    /// When it was made, in Unix seconds by the sender's clock.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.statement.created
    }

    /// When it is void, in Unix seconds.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.statement.expires
    }

    /// Digest of the sender's policy that granted a disclosure or an alert.
    #[must_use]
    pub fn policy_digest(&self) -> Option<[u8; 32]> {
        self.statement.policy_digest
    }

    /// Its place in the ordered stream from sender to recipient, where its kind has one.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.statement.sequence
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What it says, byte for byte.
    #[must_use]
    pub fn payload_bytes(&self) -> &[u8] {
        &self.statement.payload
    }

    /// The statement and both signatures.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        &self.signed_bytes
    }

    /// SHA-256 of the statement's bytes.
    #[must_use]
    pub fn statement_hash(&self) -> [u8; 32] {
        self.signed.statement_hash()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({:?}, {} from {})", self.kind(), self.id(), self.from())
    }
}
