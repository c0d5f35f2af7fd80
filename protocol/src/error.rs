//! What can go wrong between two nodes, sorted by whose fault it is.
//!
//! The peer is told [`crate::Code`] alone. No variant carries an identifier, a key or a narrative.

use symbolon_audit::AuditError;
use symbolon_codec::DecodeError;
use symbolon_oprf::OprfError;
use symbolon_tlog::{TlogError, VerifiedCheckpoint};
use symbolon_trust::TrustError;

use crate::code::Code;

/// Why a hello, a request or an answer failed.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    // The peer's bytes are malformed.
    /// The bytes are not the deterministic encoding of the message.
    #[error("the message cannot be decoded")]
    Decode(#[from] DecodeError),
    /// A frame announces more than its limit.
    #[error("a frame is longer than the {bytes_max} bytes allowed here")]
    FrameTooLong {
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// A frame announces nothing.
    #[error("a frame is empty")]
    FrameEmpty,
    /// The stream ended inside a message.
    #[error("the stream ended inside a message")]
    Truncated,
    /// A string or list is longer than its limit.
    #[error("the field {field} is longer than its limit")]
    FieldTooLong {
        /// Name of the field.
        field: &'static str,
    },
    /// A field has a value that the specification excludes.
    #[error("the field {field} has a value that is not allowed")]
    Field {
        /// Name of the field.
        field: &'static str,
    },

    // The peer is incompatible.
    /// The peer speaks another version.
    #[error("the partner speaks protocol version {theirs}")]
    Version {
        /// The version that the peer announced.
        theirs: u16,
    },
    /// The canonicalisation profiles differ.
    #[error("the partner's canonicalisation profile differs")]
    ProfileDiffers,
    /// The clocks differ by more than five minutes.
    #[error("the partner's clock differs by more than five minutes")]
    ClockSkew {
        /// This node's clock, in Unix seconds.
        own_seconds: u64,
    },

    // The peer misbehaved.
    /// A message came where it does not exist.
    #[error("a message came where {expected} was due")]
    Unexpected {
        /// What the state awaits.
        expected: &'static str,
    },
    /// The peer names another node than the one whose certificate it showed.
    #[error("the hello names another node than the certificate")]
    OtherNode,
    /// The peer shows a card with a lower sequence than one seen before.
    #[error("the partner's card is older than the one held here")]
    CardOutdated,
    /// Two cards carry the same sequence.
    #[error("the partner's card differs from the one held here under the same sequence")]
    CardConflict,
    /// The card sent with a hello does not verify.
    #[error("the partner's card cannot be verified")]
    CardInvalid(#[source] TrustError),
    /// The card held here, or sent with a hello, is not in its validity.
    #[error("the partner's card is not in its validity")]
    CardExpired(#[source] TrustError),
    /// The hello is not signed by the partner for this very connection.
    #[error("the hello is not signed by the partner for this connection")]
    HelloSignature(#[source] TrustError),
    /// The checkpoint is not one of the partner's log.
    #[error("the checkpoint is not signed by the partner's log")]
    CheckpointInvalid(#[source] TlogError),
    /// The checkpoint is older than one seen before, as happens when another stream is quicker.
    #[error("the partner's checkpoint is older than one seen before")]
    CheckpointStale,
    /// The partner saw more of this node's log than there is: another stream was quicker than the
    /// hello, or the log was set back.
    #[error("the partner has seen more of this node's log than there is")]
    OwnLogBehind,
    /// The log forked: one size has two roots.
    #[error("the partner's log does not continue the one seen before")]
    LogConflict {
        /// The checkpoint that contradicts what was seen: half of the proof.
        shown: Box<VerifiedCheckpoint>,
    },
    /// An epoch card was refused.
    #[error("the epoch card is refused: {rule}")]
    EpochCard {
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A tag-set transfer was refused.
    #[error("the tag set is refused: {rule}")]
    TagSet {
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A batch has a size other than the three allowed.
    #[error("a batch has 8, 64 or 1,024 elements")]
    ElementCount,
    /// An element or proof is not a valid encoding.
    #[error("a group element or proof is refused")]
    Element(#[source] OprfError),

    // The peer said no, or nothing.
    /// The peer answered with a code.
    #[error("the partner refused: {code}")]
    PeerRefused {
        /// The code it gave.
        code: Code,
        /// The number beside it, as [`Code::detail`] says.
        detail: Option<u64>,
    },
    /// The deadline passed.
    #[error("the partner did not answer in time")]
    Deadline,

    // This node says no.
    /// This node refuses a request.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),

    // The caller's misuse.
    /// A machine was used outside its order.
    #[error("protocol machine misused: {rule}")]
    Misuse {
        /// The rule that the caller broke.
        rule: &'static str,
    },
}

/// Why this node refuses a request of a partner. The cause stays here; the partner gets a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The thing exists, and policy keeps it from this partner.
    #[error("policy does not allow it")]
    NotForYou,
    /// The thing does not exist here.
    #[error("nothing is known under this name")]
    Unknown,
    /// The thing existed and has expired.
    #[error("it has expired")]
    Expired,
    /// No agreement in force covers the request.
    #[error("no agreement in force covers it")]
    NoAgreement,
    /// The profiles differ.
    #[error("the canonicalisation profiles differ")]
    ProfileDiffers,
    /// Epoch, serial or chunk is not in force.
    #[error("the epoch, serial or chunk is not in force")]
    EpochUnknown,
    /// The budget does not cover the request.
    #[error("the budget does not cover it")]
    BudgetExhausted {
        /// What is left, in elements.
        remaining: u64,
    },
    /// The query is not proved to be committed.
    #[error("the query is not proved to be committed")]
    Uncommitted,
    /// The asker's log does not continue the one seen before.
    #[error("the log of the asker does not continue the one seen before")]
    LogConflict,
    /// The asker's checkpoint is older than one seen before.
    #[error("the checkpoint of the asker is older than one seen before")]
    CheckpointStale,
    /// An element is not a valid group element.
    #[error("an element is not valid")]
    ElementRefused,
    /// The envelope does not open or verify.
    #[error("the envelope does not open or verify")]
    EnvelopeRefused,
    /// There is no room now.
    #[error("there is no room now")]
    Busy {
        /// When to ask again, in seconds.
        retry_seconds: u64,
    },
    /// The partner is suspended.
    #[error("the partner is suspended")]
    Suspended,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// Storage or another part of this node failed.
    #[error("this node failed")]
    Internal,
}

/// What a partner's query evidence was refused for.
impl From<&AuditError> for Refusal {
    fn from(error: &AuditError) -> Self {
        match error {
            AuditError::NotConsistent(_) => Self::LogConflict,
            AuditError::Stale => Self::CheckpointStale,
            _ => Self::Uncommitted,
        }
    }
}
