//! What can go wrong in bulk matching, by whose fault; carries counts, never an item.

/// Why bulk matching stopped.
///
/// The peer is told nothing of it but that it stopped ([`Message::stop`](crate::Message::stop)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PsiError {
    // Malformed input.
    /// A message is not of the expected shape or length.
    #[error("a message is not of the expected shape")]
    Malformed,
    /// A message that this state does not await: repeated, reordered or foreign.
    #[error("a message that is not awaited here")]
    Unexpected,

    // The peer stopped or disagrees.
    /// The peer stopped.
    #[error("the peer stopped")]
    PeerStopped,
    /// The peer works under other terms: another session, other counts or another version.
    #[error("the peer works under other terms")]
    TermsDiffer,

    // The peer misbehaved.
    /// A check of the oblivious transfers or of the vector correlation failed.
    #[error("a consistency check failed")]
    CheckFailed,
    /// The sender's half of the coin is not the one it committed to.
    #[error("the revealed value is not the committed one")]
    CommitmentBroken,
    /// More items are common than was agreed: raise an alarm. Which ones they are is not told.
    #[error("more items are common than the agreed bound of {bound}")]
    TooManyCommon {
        /// The agreed bound.
        bound: u64,
    },

    // The caller's misuse.
    /// A count is zero, not a padded one, too large, or smaller than the list.
    #[error("a count is outside the bounds")]
    Count,

    // Our bug, or an event of negligible probability.
    /// The store has no solution under any of the seeds that were tried.
    #[error("the key-value store has no solution")]
    Unsolvable,
    /// A worker thread ended early.
    #[error("a worker thread ended early")]
    WorkerLost,
}
