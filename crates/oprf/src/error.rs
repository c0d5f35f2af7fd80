//! What can go wrong in matching, by whose fault; carries positions and counts, never a value.

/// Why matching refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OprfError {
    // Malformed input.
    /// Not the number of bytes that the structure has.
    #[error("not {bytes} bytes long")]
    Length {
        /// The length that the structure has, in bytes.
        bytes: usize,
    },
    /// Not the canonical encoding of a group element.
    #[error("not the canonical encoding of a group element")]
    ElementNotCanonical,
    /// The identity element, which would cancel the input.
    #[error("the identity element is refused")]
    ElementIdentity,
    /// Not a scalar below the group order.
    #[error("not the canonical encoding of a scalar")]
    ScalarNotCanonical,
    /// A batch of a size that padding never makes.
    #[error("a batch has 8, 64 or 1,024 elements")]
    BatchSize,

    // The peer misbehaved.
    /// The answer has another number of elements than the batch.
    #[error("the answer has another number of elements than the batch")]
    AnswerCount,
    /// The proof does not show that the batch was evaluated with the announced key.
    #[error("the proof of evaluation does not verify")]
    ProofInvalid,
    /// The confirm code is not that of the identifier.
    #[error("the confirm code does not match")]
    ConfirmMismatch,
    /// The number of tags is not one that padding makes, or not the announced one.
    #[error("the tag set does not have the announced, padded count")]
    TagSetCount,
    /// The tags do not ascend strictly.
    #[error("the tags do not ascend strictly")]
    TagOrder,
    /// The tags do not hash to the announced digest.
    #[error("the tags do not have the announced digest")]
    TagSetDigest,
    /// A record commitment does not open as claimed.
    #[error("the record commitment does not open")]
    CommitmentInvalid,

    // The caller's misuse.
    /// An input is empty or longer than [`INPUT_BYTES_MAX`](crate::INPUT_BYTES_MAX).
    #[error("an input has 1 to 256 bytes")]
    InputLength,
    /// A batch without inputs, or with more than the largest batch takes.
    #[error("a batch takes 1 to 1,024 inputs")]
    BatchInputs,
    /// Inputs of several classes in one batch; each class has its own key.
    #[error("a batch is of one class")]
    ClassesMixed,
    /// The opening does not belong to these inputs.
    #[error("the opening does not have the batch's padded count")]
    OpeningCount,
    /// More entries than a tag set holds.
    #[error("more entries than a tag set holds")]
    TagSetTooLarge,
    /// The chunk, its number and the upper hashes do not belong together, or no such position.
    #[error("no such entry in this chunk and tag set")]
    EntryUnknown,
    /// The entry is padding and has no record to open.
    #[error("the entry is padding")]
    EntryPadding,
    /// The tag look-up answered for another number of tags than it was asked.
    #[error("the tag look-up answered for another number of tags")]
    LookupCount,

    // Our bug, or an event of negligible probability.
    /// An input hashed to the identity, or a seed to a zero key (RFC 9497 §3.2.1, §3.3.1).
    #[error("the value cannot be used")]
    Degenerate,
    /// A worker thread ended early.
    #[error("a worker thread ended early")]
    WorkerLost,
}

/// Why a batch was not finalized: by this crate's rules, or by the look-up's storage.
#[derive(Debug, thiserror::Error)]
pub enum FinalizeError<E> {
    /// The answer is refused.
    #[error(transparent)]
    Oprf(#[from] OprfError),
    /// The look-up of tags failed.
    #[error("the look-up of tags failed")]
    Lookup(#[source] E),
}
