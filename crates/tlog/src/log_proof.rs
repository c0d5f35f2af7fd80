//! The offline proof that a leaf is logged: index, inclusion proof and cosigned checkpoint in one
//! text; computes no leaf hash, which is for whoever knows the leaf.
//!
//! Implements spec/log.md#log-proofs (c2sp.org/tlog-proof).
//!
//! Invariant: a [`Logged`] exists only where the quorum was met for the very checkpoint under which
//! the inclusion was verified.

use crate::checkpoint::SignedCheckpoint;
use crate::error::{Format, TlogError};
use crate::hash::Hash;
use crate::limits::{EXTRA_BYTES_MAX, LOG_PROOF_BYTES_MAX, PROOF_HASHES_MAX, TREE_LEAVES_MAX};
use crate::policy::QuorumMet;
use crate::proof::{Included, verify_inclusion};
use crate::text::{base64, parse_base64, parse_decimal, parse_hash};

/// "The first line MUST be the string".
const HEADER: &str = "c2sp.org/tlog-proof@v1";

const fn malformed(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::LogProof, rule)
}

/// A proof in which nothing has been verified. Its `Display` is the text that travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    proof: Vec<Hash>,
    signed: SignedCheckpoint,
}

impl LogProof {
    /// The proof that the leaf at `index` is in the tree of `signed`.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the proof would not parse.
    pub fn new(index: u64, proof: Vec<Hash>, signed: SignedCheckpoint) -> Result<Self, TlogError> {
        if index >= TREE_LEAVES_MAX {
            return Err(malformed("the index is below 2^63 - 1"));
        }
        if proof.len() > PROOF_HASHES_MAX {
            return Err(malformed("an inclusion proof has at most 64 hashes"));
        }
        Ok(Self { extra: None, index, proof, signed })
    }

    /// The same with extra data. "Applications MUST NOT implicitly trust the extra data, as it is
    /// not authenticated."
    ///
    /// # Errors
    /// [`TlogError::Malformed`] for no data, whose line "is omitted", or more than 64 KiB.
    pub fn with_extra(self, extra: Vec<u8>) -> Result<Self, TlogError> {
        if extra.is_empty() || extra.len() > EXTRA_BYTES_MAX {
            return Err(malformed("extra data has 1 byte to 64 KiB"));
        }
        Ok(Self { extra: Some(extra), ..self })
    }

    /// Reads the text of a proof.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TlogError> {
        if text.len() > LOG_PROOF_BYTES_MAX {
            return Err(malformed("a log proof has at most 220 KiB"));
        }
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(malformed("an empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("the first line names the format"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(encoded) => {
                let extra = parse_base64(encoded).ok_or(malformed("extra data is base64"))?;
                lines.next();
                Some(extra)
            }
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal)
            .ok_or(malformed("the next line is \"index\", a space and a decimal index"))?;
        let proof = lines
            .take(PROOF_HASHES_MAX + 1)
            .map(|line| parse_hash(line).ok_or(malformed("a proof line is one hash in base64")))
            .collect::<Result<_, _>>()?;
        let proof = Self::new(index, proof, SignedCheckpoint::parse(checkpoint)?)?;
        match extra {
            Some(extra) => proof.with_extra(extra),
            None => Ok(proof),
        }
    }

    /// Reads the bytes of a proof.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TlogError> {
        Self::parse(
            std::str::from_utf8(bytes).map_err(|_| malformed("a log proof is valid UTF-8"))?,
        )
    }

    /// Extra data, "with application-specific meaning", which nothing authenticates.
    #[must_use]
    pub fn unauthenticated_extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Index of the leaf.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Inclusion proof, the leaf's sibling first.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint, on which [`crate::Policy`] has to find its quorum first.
    #[must_use]
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// Verifies that the leaf with this hash is at the index, in the tree that the quorum cosigned.
    ///
    /// # Errors
    /// [`TlogError::OtherCheckpoint`] if the quorum is for another tree, or as
    /// [`crate::verify_inclusion`].
    pub fn verify(&self, leaf: Hash, quorum: QuorumMet) -> Result<Logged, TlogError> {
        if quorum.checkpoint().signed().checkpoint() != self.signed.checkpoint() {
            return Err(TlogError::OtherCheckpoint);
        }
        let checkpoint = self.signed.checkpoint();
        let (size, root) = (checkpoint.size(), checkpoint.root());
        let included = verify_inclusion(leaf, self.index, size, &self.proof, root)?;
        Ok(Logged { included, quorum })
    }
}

impl std::fmt::Display for LogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash.as_bytes())))?;
        write!(f, "\n{}", self.signed)
    }
}

/// Evidence that a leaf is in a log, and that a quorum observed the tree that it is in.
#[derive(Debug, Clone)]
#[must_use]
pub struct Logged {
    included: Included,
    quorum: QuorumMet,
}

impl Logged {
    /// Leaf, index, size and root.
    pub const fn included(&self) -> &Included {
        &self.included
    }

    /// The checkpoint and who cosigned it.
    pub const fn quorum(&self) -> &QuorumMet {
        &self.quorum
    }
}
