//! The proof that a log showed two histories: two of its signed checkpoints that contradict each
//! other, for a third party that knows only the log's keys.
//!
//! Implements spec/log.md#split-views.
//!
//! Invariant: a [`ProvenSplit`] exists only where both checkpoints are the log's and no tree can
//! have both roots. A failed consistency proof alone is none: anyone can write one.

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::{Format, TlogError};
use crate::hash::Hash;
use crate::label;
use crate::limits::{ADD_CHECKPOINT_HASHES_MAX, SPLIT_VIEW_BYTES_MAX};
use crate::log_verifier::{AuthenticCheckpoint, LogVerifier};
use crate::proof::{prefix_root, verify_consistency};
use crate::text::{base64, parse_hash};

const fn malformed(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::SplitView, rule)
}

/// Two signed checkpoints of one origin and what shows that they contradict each other; nothing in
/// it has been verified. Its `Display` is the text that travels.
///
/// The *prefix* is the root that the newer tree had at the size of the older: for equal sizes the
/// newer root itself, else it is shown by a consistency proof from it to the newer root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    older: SignedCheckpoint,
    newer: SignedCheckpoint,
    prefix: Hash,
    proof: Vec<Hash>,
}

impl SplitView {
    /// What two checkpoints of a log, and a consistency proof between them that failed, prove.
    ///
    /// Equal sizes with different roots prove it without a proof. Different sizes do so where the
    /// proof does lead to the newer root, from another root than the older: it was made from a tree
    /// that contradicts the older. `None` says that nothing is proved, not that the log is honest.
    #[must_use]
    pub fn find(
        one: &AuthenticCheckpoint,
        other: &AuthenticCheckpoint,
        proof: &[Hash],
    ) -> Option<Self> {
        let in_order = order(one.signed().checkpoint()) <= order(other.signed().checkpoint());
        let (older, newer) = if in_order { (one, other) } else { (other, one) };
        let proof = if older.size() == newer.size() { &[] } else { proof };
        let prefix = prefix_root(older.size(), older.root(), newer.size(), newer.root(), proof)?;
        Self::from_prefix(older, newer, prefix, proof).ok()
    }

    /// As [`Self::find`], where the newer tree's root at the size of the older is known.
    ///
    /// # Errors
    /// [`TlogError::NoContradiction`] for checkpoints of two logs, in the wrong order, or of one
    /// history; [`TlogError::ProofLength`] or [`TlogError::ProofMismatch`] if the proof does not
    /// lead from `prefix` to the newer root.
    pub fn from_prefix(
        older: &AuthenticCheckpoint,
        newer: &AuthenticCheckpoint,
        prefix: Hash,
        proof: &[Hash],
    ) -> Result<Self, TlogError> {
        if proof.len() > ADD_CHECKPOINT_HASHES_MAX {
            return Err(TlogError::ProofLength);
        }
        let split = Self {
            older: older.signed().clone(),
            newer: newer.signed().clone(),
            prefix,
            proof: proof.to_vec(),
        };
        split.check()?;
        Ok(split)
    }

    /// Reads the text of a proof.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TlogError> {
        if text.len() > SPLIT_VIEW_BYTES_MAX {
            return Err(malformed("a split view has at most 260 KiB"));
        }
        // Neither a checkpoint's text nor its signature lines have an empty line.
        let parts: Vec<&str> = text.splitn(5, "\n\n").collect();
        let [head, older, older_lines, newer, newer_lines] = parts[..] else {
            return Err(malformed("two signed checkpoints follow, after an empty line each"));
        };
        let mut lines = head.split('\n');
        if lines.next() != Some(label::SPLIT_VIEW) {
            return Err(malformed("the first line names the format"));
        }
        let prefix = lines
            .next()
            .and_then(parse_hash)
            .ok_or(malformed("the second line is one hash in base64"))?;
        let proof: Vec<Hash> = lines
            .take(ADD_CHECKPOINT_HASHES_MAX + 1)
            .map(|line| parse_hash(line).ok_or(malformed("a proof line is one hash in base64")))
            .collect::<Result<_, _>>()?;
        if proof.len() > ADD_CHECKPOINT_HASHES_MAX {
            return Err(malformed("there are at most 63 consistency proof lines"));
        }
        let older = SignedCheckpoint::parse(&format!("{older}\n\n{older_lines}\n"))?;
        let newer = SignedCheckpoint::parse(&format!("{newer}\n\n{newer_lines}"))?;
        if order(older.checkpoint()) >= order(newer.checkpoint()) {
            return Err(malformed("the smaller tree comes first, of equal ones the smaller root"));
        }
        Ok(Self { older, newer, prefix, proof })
    }

    /// Reads the bytes of a proof.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TlogError> {
        Self::parse(
            std::str::from_utf8(bytes).map_err(|_| malformed("a split view is valid UTF-8"))?,
        )
    }

    /// Origin of the log, as the older checkpoint has it.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.older.checkpoint().origin()
    }

    /// The checkpoint of the smaller tree, or of the smaller root.
    #[must_use]
    pub const fn older(&self) -> &SignedCheckpoint {
        &self.older
    }

    /// The other checkpoint.
    #[must_use]
    pub const fn newer(&self) -> &SignedCheckpoint {
        &self.newer
    }

    /// Verifies that the log with these keys signed both checkpoints and that they contradict.
    ///
    /// # Errors
    /// Why a signature does not verify, or as [`Self::from_prefix`].
    pub fn verify(&self, log: &LogVerifier) -> Result<ProvenSplit, TlogError> {
        let (older, newer) = (log.verify(&self.older)?, log.verify(&self.newer)?);
        self.check()?;
        Ok(ProvenSplit { older, newer })
    }

    fn check(&self) -> Result<(), TlogError> {
        let (older, newer) = (self.older.checkpoint(), self.newer.checkpoint());
        if older.origin() != newer.origin() || order(older) >= order(newer) {
            return Err(TlogError::NoContradiction);
        }
        if older.root() == self.prefix {
            return Err(TlogError::NoContradiction);
        }
        let _consistent =
            verify_consistency(older.size(), self.prefix, newer.size(), newer.root(), &self.proof)?;
        Ok(())
    }
}

impl std::fmt::Display for SplitView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}", label::SPLIT_VIEW, base64(self.prefix.as_bytes()))?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash.as_bytes())))?;
        write!(f, "\n{}\n{}", self.older, self.newer)
    }
}

/// Evidence that a log signed two checkpoints that contradict each other.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProvenSplit {
    older: AuthenticCheckpoint,
    newer: AuthenticCheckpoint,
}

impl ProvenSplit {
    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.older.origin()
    }

    /// The checkpoint of the smaller tree, or of the smaller root.
    pub const fn older(&self) -> &AuthenticCheckpoint {
        &self.older
    }

    /// The other checkpoint.
    pub const fn newer(&self) -> &AuthenticCheckpoint {
        &self.newer
    }
}

/// One pair of checkpoints has one proof: the smaller tree first, of equal ones the smaller root.
const fn order(checkpoint: &Checkpoint) -> (u64, Hash) {
    (checkpoint.size(), checkpoint.root())
}
