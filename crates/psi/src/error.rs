//! What can go wrong in bulk matching, by whose fault; carries counts, never an item.

/// Why bulk matching refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PsiError {
    // Malformed input.
    /// A message is not of the expected shape or length.
    #[error("a message is not of the expected shape")]
    Malformed,

    // The peer misbehaved.
    /// A check of the oblivious transfers or of the vector correlation failed.
    #[error("a consistency check failed")]
    CheckFailed,

    // The caller's misuse.
    /// A count is zero, too large, or larger than the agreed one.
    #[error("a count is outside the agreed bounds")]
    Count,

    // Our bug, or an event of negligible probability.
    /// The store has no solution under this seed.
    #[error("the key-value store has no solution under this seed")]
    Unsolvable,
    /// A worker thread ended early.
    #[error("a worker thread ended early")]
    WorkerLost,
}
