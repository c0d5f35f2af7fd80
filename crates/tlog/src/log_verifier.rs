//! Which keys a log's checkpoints are accepted by, for logs of any make; the two keys of a log of
//! this house are [`crate::CheckpointVerifier`].
//!
//! Implements spec/log.md#witness (c2sp.org/tlog-checkpoint).
//!
//! Invariant: an [`AuthenticCheckpoint`] is made only where the log's rule of keys was met.

use crate::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::error::TlogError;
use crate::hash::Hash;
use crate::limits::ORIGIN_BYTES_MAX;
use crate::vkey::{CheckpointVerifier, NoteVerifier};

/// The keys that are trusted for one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier(Rule);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Any { origin: String, keys: Vec<NoteVerifier> },
    Both(Box<CheckpointVerifier>),
}

impl LogVerifier {
    /// A log whose checkpoints one of `keys` signs. The names of the keys may differ from the
    /// origin.
    ///
    /// # Errors
    /// [`TlogError::NoKey`] without a key, [`TlogError::OriginMismatch`] if no checkpoint can have
    /// the origin.
    pub fn any(origin: &str, keys: Vec<NoteVerifier>) -> Result<Self, TlogError> {
        if keys.is_empty() {
            return Err(TlogError::NoKey);
        }
        if origin.is_empty() || origin.len() > ORIGIN_BYTES_MAX {
            return Err(TlogError::OriginMismatch);
        }
        Ok(Self(Rule::Any { origin: origin.to_owned(), keys }))
    }

    /// Origin of the log's checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        match &self.0 {
            Rule::Any { origin, .. } => origin,
            Rule::Both(verifier) => verifier.origin(),
        }
    }

    /// Verifies that the log signed a checkpoint.
    ///
    /// Lines of unknown keys are ignored; a line of a known key that does not verify refuses the
    /// checkpoint, whatever else stands there. Where only an ML-DSA-44 key signed, extension
    /// lines are nobody's.
    ///
    /// # Errors
    /// [`TlogError::OriginMismatch`] for another log, [`TlogError::SignatureMissing`] if no trusted
    /// key signed, or why a signature does not verify; as [`CheckpointVerifier::verify`] for a log
    /// of two keys.
    pub fn verify(&self, signed: &SignedCheckpoint) -> Result<AuthenticCheckpoint, TlogError> {
        match &self.0 {
            Rule::Both(verifier) => Ok(verifier.verify(signed)?.into()),
            Rule::Any { origin, keys } => {
                if signed.checkpoint().origin() != origin {
                    return Err(TlogError::OriginMismatch);
                }
                let mut lines = 0;
                for key in keys {
                    lines += key.verify_lines(signed.note())?;
                }
                if lines == 0 {
                    return Err(TlogError::SignatureMissing);
                }
                Ok(AuthenticCheckpoint { signed: signed.clone() })
            }
        }
    }
}

impl From<CheckpointVerifier> for LogVerifier {
    fn from(verifier: CheckpointVerifier) -> Self {
        Self(Rule::Both(Box::new(verifier)))
    }
}

/// Evidence that a checkpoint was signed by the log that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AuthenticCheckpoint {
    signed: SignedCheckpoint,
}

impl AuthenticCheckpoint {
    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.signed.checkpoint().origin()
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.signed.checkpoint().size()
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.signed.checkpoint().root()
    }

    /// The signed checkpoint, to be kept as evidence.
    #[must_use]
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }
}

impl From<VerifiedCheckpoint> for AuthenticCheckpoint {
    fn from(verified: VerifiedCheckpoint) -> Self {
        Self { signed: verified.signed().clone() }
    }
}
