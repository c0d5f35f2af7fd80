//! Matching a whole set: how it begins, and how the bytes of spec/psi.md#messages are carried.
//!
//! Implements spec/transport.md#bulk.
//!
//! Invariant: a match begins only with the evidence that its set is committed to; a piece says
//! which attempt at which partition it belongs to, and where in its stream it stands.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{QueryEvidence, SetTerms};
use symbolon_ident::Class;
use symbolon_trust::Signatures;

use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::handshake::Established;
use crate::limits::{
    BULK_BEGIN_BYTES_MAX, BULK_ITEMS_MAX, BULK_PIECE_BYTES_MAX, BULK_SIGNED_BYTES_MAX,
};
use crate::message::{Message, both_ways, bound};
use crate::serve::Served;

/// Names a match: the nonce of its terms, cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BulkId(#[serde(with = "serde_bytes")] [u8; 16]);

impl BulkId {
    /// The name of the match with these terms.
    #[must_use]
    pub fn of(terms: &SetTerms) -> Self {
        Self(*terms.nonce.first_chunk().unwrap_or(&[0; 16]))
    }
}

/// `bulk_begin`: the sender's set, of so many items with padding, against the receiver's, please.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BulkBegin {
    class: Class,
    epoch: u64,
    #[serde(with = "serde_bytes")]
    nonce: [u8; 32],
    receiver_count: u64,
    elements: u32,
    partition_items: u64,
    evidence: QueryEvidence,
}

impl BulkBegin {
    /// The request for a set that is committed to, to be matched in partitions of at most so many
    /// items.
    #[must_use]
    pub fn new(terms: &SetTerms, partition_items: u64, evidence: QueryEvidence) -> Self {
        let SetTerms { class, epoch, nonce, receiver_count, elements } = *terms;
        Self { class, epoch, nonce, receiver_count, elements, partition_items, evidence }
    }

    /// Items of a partition at most, padding included.
    #[must_use]
    pub const fn partition_items(&self) -> u64 {
        self.partition_items
    }

    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> SetTerms {
        let Self { class, epoch, nonce, receiver_count, elements, .. } = *self;
        SetTerms { class, epoch, nonce, receiver_count, elements }
    }

    /// The evidence, to be verified before anything is looked at.
    #[must_use]
    pub const fn evidence(&self) -> &QueryEvidence {
        &self.evidence
    }
}

/// `bulk_wait`: how far is the receiver with its set? Or, with signatures under the transcript of a
/// match that is done: those of the receiver, please.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BulkWait {
    id: BulkId,
    signatures: Option<Signatures>,
}

impl BulkWait {
    /// The request.
    #[must_use]
    pub const fn new(id: BulkId) -> Self {
        Self { id, signatures: None }
    }

    /// The request with the own signatures.
    #[must_use]
    pub const fn signed(id: BulkId, signatures: Signatures) -> Self {
        Self { id, signatures: Some(signatures) }
    }

    /// The match.
    #[must_use]
    pub const fn id(&self) -> BulkId {
        self.id
    }

    /// The asker's signatures, to be verified.
    #[must_use]
    pub const fn signatures(&self) -> Option<&Signatures> {
        self.signatures.as_ref()
    }
}

/// `bulk_state`: where the receiver stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BulkState {
    sender_count: Option<u64>,
    #[serde(with = "serde_bytes")]
    nonce: [u8; 32],
    signatures: Option<Signatures>,
}

impl BulkState {
    /// The set is being gathered, or it is there and has so many items, padding included.
    /// `nonce` is random, the same for the whole match.
    #[must_use]
    pub const fn new(sender_count: Option<u64>, nonce: [u8; 32]) -> Self {
        Self { sender_count, nonce, signatures: None }
    }

    /// The state of a match that is done, with the own signatures under its transcript.
    #[must_use]
    pub fn with_signatures(self, signatures: Signatures) -> Self {
        Self { signatures: Some(signatures), ..self }
    }

    /// The receiver's signatures, to be verified.
    #[must_use]
    pub const fn signatures(&self) -> Option<&Signatures> {
        self.signatures.as_ref()
    }

    /// Items of the answering set, padding included, once it is there.
    #[must_use]
    pub const fn sender_count(&self) -> Option<u64> {
        self.sender_count
    }

    /// The receiver's share in the name of the session.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; 32] {
        &self.nonce
    }
}

/// `bulk_carry`: the next bytes of the asker's stream, and: the next of the other, please.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BulkCarry {
    /// The match.
    pub id: BulkId,
    /// The partition.
    pub partition: u32,
    /// Which attempt at it, from 0.
    pub attempt: u32,
    /// Bytes of the asker's stream before these.
    pub sent: u64,
    /// Bytes of the answering stream that arrived.
    pub taken: u64,
    /// The bytes; may be none.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for BulkCarry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (partition, attempt) = (self.partition, self.attempt);
        write!(f, "BulkCarry({partition}, {attempt}, {} bytes)", self.bytes.len())
    }
}

/// `bulk_carried`: the next bytes of the answering stream.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BulkCarried {
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

impl BulkCarried {
    /// The answer.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, ProtocolError> {
        bound(bytes.len(), BULK_PIECE_BYTES_MAX, "bytes")?;
        Ok(Self { bytes })
    }

    /// The bytes; none where the other side waits for more.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for BulkCarried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BulkCarried({} bytes)", self.bytes.len())
    }
}

both_ways!(BulkBegin);

impl Message for BulkBegin {
    const TYPE: u8 = 18;
    const NAME: &'static str = "bulk_begin";
    const BYTES_MAX: usize = BULK_BEGIN_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        if self.receiver_count == 0 || self.receiver_count > BULK_ITEMS_MAX {
            return Err(ProtocolError::Field { field: "receiver_count" });
        }
        self.evidence.validate().map_err(|_| ProtocolError::FieldTooLong { field: "evidence" })
    }
}

impl Request for BulkBegin {
    type Response = BulkState;

    fn permitted(&self, session: &Established) -> Result<(), ProtocolError> {
        session.matching()
    }
}

impl Served for BulkBegin {
    type Answer = BulkState;
}

both_ways!(BulkWait);

impl Message for BulkWait {
    const TYPE: u8 = 19;
    const NAME: &'static str = "bulk_wait";
    const BYTES_MAX: usize = BULK_SIGNED_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

impl Request for BulkWait {
    type Response = BulkState;
}

impl Served for BulkWait {
    type Answer = BulkState;
}

both_ways!(BulkState);

impl Message for BulkState {
    const TYPE: u8 = 20;
    const NAME: &'static str = "bulk_state";
    const BYTES_MAX: usize = BULK_SIGNED_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        match self.sender_count {
            Some(0) => Err(ProtocolError::Field { field: "sender_count" }),
            Some(count) if count > BULK_ITEMS_MAX => {
                Err(ProtocolError::Field { field: "sender_count" })
            }
            _ => Ok(()),
        }
    }
}

both_ways!(BulkCarry);

impl Message for BulkCarry {
    const TYPE: u8 = 21;
    const NAME: &'static str = "bulk_carry";
    const BYTES_MAX: usize = BULK_PIECE_BYTES_MAX + 128;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.bytes.len(), BULK_PIECE_BYTES_MAX, "bytes")
    }
}

impl Request for BulkCarry {
    type Response = BulkCarried;
}

impl Served for BulkCarry {
    type Answer = BulkCarried;
}

both_ways!(BulkCarried);

impl Message for BulkCarried {
    const TYPE: u8 = 22;
    const NAME: &'static str = "bulk_carried";
    const BYTES_MAX: usize = BULK_PIECE_BYTES_MAX + 16;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.bytes.len(), BULK_PIECE_BYTES_MAX, "bytes")
    }
}
