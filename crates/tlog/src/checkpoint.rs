//! The checkpoint: origin, size and root of a log, and the note that carries it signed.
//!
//! Implements spec/log.md#checkpoints (c2sp.org/tlog-checkpoint).
//!
//! Invariant: a [`VerifiedCheckpoint`] is made only by [`crate::CheckpointVerifier`].

use crate::error::{Format, TlogError};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::limits::{EXTENSION_BYTES_MAX, EXTENSION_LINES_MAX, ORIGIN_BYTES_MAX, TREE_LEAVES_MAX};
use crate::note::{SignatureLine, SignedNote};
use crate::proof::{Consistent, Included, verify_consistency, verify_inclusion};
use crate::text::{base64, has_control, parse_decimal, parse_hash};

const fn malformed(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::Checkpoint, rule)
}

/// What a log says of itself at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the checkpoint would not parse.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, TlogError> {
        Self::with_extensions(origin, size, root, Vec::new())
    }

    /// A checkpoint with extension lines, which an ML-DSA-44 signature does not cover.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the checkpoint would not parse.
    pub fn with_extensions(
        origin: &str,
        size: u64,
        root: Hash,
        extensions: Vec<String>,
    ) -> Result<Self, TlogError> {
        if size == 0 && root != EMPTY_ROOT {
            return Err(malformed("the root of the empty tree is the hash of nothing"));
        }
        Self::with_any_root(origin, size, root, extensions)
    }

    fn with_any_root(
        origin: &str,
        size: u64,
        root: Hash,
        extensions: Vec<String>,
    ) -> Result<Self, TlogError> {
        if origin.is_empty() || origin.len() > ORIGIN_BYTES_MAX || has_control(origin) {
            return Err(malformed("the origin is 1 to 255 bytes on one line"));
        }
        if size > TREE_LEAVES_MAX {
            return Err(malformed("the size is below 2^63"));
        }
        if extensions.len() > EXTENSION_LINES_MAX {
            return Err(malformed("there are at most 16 extension lines"));
        }
        let bad = |line: &String| {
            line.is_empty() || line.len() > EXTENSION_BYTES_MAX || has_control(line)
        };
        if extensions.iter().any(bad) {
            return Err(malformed("an extension line has 1 to 1024 bytes"));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// Reads the text of a checkpoint, "a sequence of at least three non-empty lines".
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TlogError> {
        let Self { origin, size, root, extensions } = Self::parse_with_any_root(text)?;
        Self::with_extensions(&origin, size, root, extensions)
    }

    /// As [`Self::parse`], but the root of the empty tree may be any: what it gives must not leave
    /// the one caller that answers to such a root.
    pub(crate) fn parse_with_any_root(text: &str) -> Result<Self, TlogError> {
        let lines = text.strip_suffix('\n').ok_or(malformed("the text ends in a newline"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("there are at least three lines"));
        };
        let size = parse_decimal(size).ok_or(malformed("the size is a decimal number"))?;
        let root =
            parse_hash(root).ok_or(malformed("the root is the canonical base64 of 32 bytes"))?;
        let extensions = lines.take(EXTENSION_LINES_MAX + 1).map(str::to_owned).collect();
        Self::with_any_root(origin, size, root, extensions)
    }

    /// "A unique identifier for the log identity which issued the checkpoint."
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// Extension lines, "opaque and OPTIONAL".
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, base64(self.root.as_bytes()))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint in a signed note, whose signatures nobody has checked.
///
/// Its `Display` is the text that travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl SignedCheckpoint {
    /// Reads the text of a signed checkpoint.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TlogError> {
        Self::from_note(SignedNote::parse(text)?)
    }

    /// Reads the bytes of a signed checkpoint.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, TlogError> {
        Self::from_note(SignedNote::decode(bytes)?)
    }

    /// The checkpoint that a note's text is.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the text is no checkpoint.
    pub fn from_note(note: SignedNote) -> Result<Self, TlogError> {
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// What the signatures are over.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The same checkpoint with one more signature line.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the note would grow beyond its limits.
    pub fn with_signature(self, line: SignatureLine) -> Result<Self, TlogError> {
        Ok(Self { checkpoint: self.checkpoint, note: self.note.with_signature(line)? })
    }
}

impl std::fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

/// Evidence that both keys of a log signed a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct VerifiedCheckpoint {
    signed: SignedCheckpoint,
    timestamp: Option<u64>,
}

impl VerifiedCheckpoint {
    pub(crate) const fn new(signed: SignedCheckpoint, timestamp: Option<u64>) -> Self {
        Self { signed, timestamp }
    }

    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.signed.checkpoint.origin()
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.signed.checkpoint.size
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.signed.checkpoint.root
    }

    /// When the log says that this was its largest tree, in Unix seconds, if it says so.
    #[must_use]
    pub const fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// The signed checkpoint, to be kept as evidence.
    #[must_use]
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// Verifies that `leaf` is at `index` in this tree.
    ///
    /// # Errors
    /// As [`verify_inclusion`].
    pub fn includes(&self, leaf: Hash, index: u64, proof: &[Hash]) -> Result<Included, TlogError> {
        verify_inclusion(leaf, index, self.size(), proof, self.root())
    }

    /// Verifies that this tree extends the one of size `old` and root `old_root`.
    ///
    /// # Errors
    /// As [`verify_consistency`].
    pub fn extends(
        &self,
        old: u64,
        old_root: Hash,
        proof: &[Hash],
    ) -> Result<Consistent, TlogError> {
        verify_consistency(old, old_root, self.size(), self.root(), proof)
    }
}
