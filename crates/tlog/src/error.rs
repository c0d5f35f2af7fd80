//! What can go wrong with a log, sorted by whose fault it is.

/// The format in which something malformed was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A signed note.
    Note,
    /// A signature within a note.
    Signature,
    /// A verifier key.
    VerifierKey,
    /// The text of a checkpoint.
    Checkpoint,
    /// The path of a tile or an entry bundle.
    TilePath,
    /// The hashes of a tile.
    Tile,
    /// An entry bundle.
    EntryBundle,
    /// An offline proof that a leaf is logged.
    LogProof,
    /// The body of an add-checkpoint request.
    AddCheckpoint,
    /// The body of the answer to an add-checkpoint request.
    AddCheckpointAnswer,
    /// The proof that a log showed two histories.
    SplitView,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Note => "signed note",
            Self::Signature => "note signature",
            Self::VerifierKey => "verifier key",
            Self::Checkpoint => "checkpoint",
            Self::TilePath => "tile path",
            Self::Tile => "tile",
            Self::EntryBundle => "entry bundle",
            Self::LogProof => "log proof",
            Self::AddCheckpoint => "add-checkpoint request",
            Self::AddCheckpointAnswer => "add-checkpoint answer",
            Self::SplitView => "split view",
        })
    }
}

/// Why an operation on a log was refused. Never carries a part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogError {
    // Malformed input.
    /// The input breaks a rule of its format.
    #[error("malformed {format}: {rule}")]
    Malformed {
        /// Which format.
        format: Format,
        /// The rule, in words.
        rule: &'static str,
    },

    /// A line of a quorum policy breaks a rule.
    #[error("malformed policy, line {line}: {rule}")]
    PolicyLine {
        /// The line, counted from 1.
        line: u32,
        /// The rule, in words.
        rule: &'static str,
    },

    // The other side misbehaved.
    /// The note carries no signature by the key.
    #[error("no signature by the expected key")]
    SignatureMissing,
    /// The note carries more than one signature by the key.
    #[error("more than one signature by the same key")]
    SignatureRepeated,
    /// A signature by a known key is false.
    #[error("a signature by a known key does not verify")]
    SignatureInvalid,
    /// The checkpoint is of another log.
    #[error("the checkpoint is of another log")]
    OriginMismatch,
    /// The checkpoint has extension lines, which not every signature covers.
    #[error("the checkpoint has extension lines, which the ML-DSA-44 signature does not cover")]
    ExtensionUnsigned,
    /// The newer of two trees is the smaller.
    #[error("the newer tree is smaller than the older")]
    TreeShrank,
    /// The proof has not the number of hashes that the sizes demand.
    #[error("the proof has the wrong number of hashes")]
    ProofLength,
    /// The proof leads to another root.
    #[error("the proof does not lead to the root")]
    ProofMismatch,

    /// A cosignature states a time that is yet to come.
    #[error("a cosignature is dated in the future")]
    TimestampInFuture,
    /// The two checkpoints do not contradict each other.
    #[error("the checkpoints do not contradict each other")]
    NoContradiction,

    // The caller asked for the impossible.
    /// The evidence is about another checkpoint.
    #[error("the evidence is about another checkpoint")]
    OtherCheckpoint,
    /// A witness states the time of each cosignature.
    #[error("a cosignature of a witness states a time other than 0")]
    TimestampMissing,
    /// A log is no witness of itself.
    #[error("a log is no witness of itself")]
    OwnLog,
    /// A log has keys.
    #[error("a log has at least one key")]
    NoKey,
    /// The index or size lies beyond the tree, or the tree beyond the largest.
    #[error("beyond the end of the tree")]
    BeyondTree,
    /// The number of hashes does not fit the size of the tree.
    #[error("the hashes do not fit the size of the tree")]
    FrontierShape,
    /// An entry is longer than a bundle can carry.
    #[error("an entry is longer than {} bytes", crate::limits::ENTRY_BYTES_MAX)]
    EntryTooLong,

    // This side failed.
    /// The store of hashes did not give the hash.
    #[error("the hash is not available")]
    Unavailable,
    /// The signature library refused to make a key or to sign.
    #[error("the signature library failed")]
    Signing,
}

impl TlogError {
    pub(crate) const fn malformed(format: Format, rule: &'static str) -> Self {
        Self::Malformed { format, rule }
    }
}
