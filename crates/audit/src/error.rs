//! Why an entry, a commitment or its evidence was refused, sorted by whose fault it is.

use symbolon_codec::DecodeError;
use symbolon_tlog::TlogError;

/// Why the audit refused. Never carries a text, an identifier or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    // Malformed input.
    /// The bytes do not decode.
    #[error("malformed")]
    Decode(#[from] DecodeError),
    /// A text, list or proof is longer than its limit.
    #[error("the {field} is longer than allowed")]
    TooLong {
        /// Which field.
        field: &'static str,
    },
    /// The ranges of an erasure are out of order, empty or miscounted.
    #[error("the ranges of an erasure are out of order, empty or miscounted")]
    Ranges,
    /// An alert stands in the class of the other mode.
    #[error("an exercise stands among the real alerts, or the other way round")]
    Mode,

    // The peer misbehaved.
    /// The checkpoint is not a valid one of the asker's log.
    #[error("the asker's checkpoint does not verify")]
    Checkpoint(#[source] TlogError),
    /// The asker's log does not contain this batch's commitment.
    #[error("the query is not committed to in the asker's log")]
    NotCommitted(#[source] TlogError),
    /// The asker shows a log that does not continue the one that it showed before.
    #[error("the asker's log does not continue what was last seen of it")]
    NotConsistent(#[source] TlogError),
    /// The asker's checkpoint is older than what was last seen; ask it for a newer one.
    #[error("the asker's checkpoint is older than the last one seen")]
    Stale,
    /// The opened private part is not the one that was committed to.
    #[error("the opened query is not the one committed to")]
    NotTheQuery,
    /// The opened identifiers and blinds do not give the batch that was committed to.
    #[error("the identifiers and blinds do not give the batch that was committed to")]
    NotTheBatch,
}
