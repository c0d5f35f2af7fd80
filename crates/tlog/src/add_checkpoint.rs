//! The bodies of the add-checkpoint call: the request, the answer with cosignatures, and the
//! answer to a conflict; decides nothing, which is for [`crate::witness`].
//!
//! Implements spec/log.md#witness (c2sp.org/tlog-witness, "add-checkpoint").
//!
//! Invariant: a request formats to exactly the bytes that it was read from.

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::cosignature::CosignatureVerifier;
use crate::error::{Format, TlogError};
use crate::hash::Hash;
use crate::limits::{
    ADD_CHECKPOINT_BYTES_MAX, ADD_CHECKPOINT_HASHES_MAX, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX,
    TREE_LEAVES_MAX,
};
use crate::note::{SignatureLine, SignedNote};
use crate::text::{base64, parse_decimal, parse_hash};

/// Content type of the answer to a conflict.
pub const CONFLICT_CONTENT_TYPE: &str = "text/x.tlog.size";

const fn malformed(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::AddCheckpoint, rule)
}

const fn malformed_answer(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::AddCheckpointAnswer, rule)
}

/// A request to cosign, in which nothing has been verified. Its `Display` is the body.
///
/// It is the one place where a checkpoint of size 0 may have any root, because a witness has an
/// answer of its own to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Hash>,
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl AddCheckpoint {
    /// A request to cosign `signed`, with the consistency proof from the tree of `old_size` leaves.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the proof has more than 63 hashes.
    pub fn new(
        old_size: u64,
        proof: Vec<Hash>,
        signed: &SignedCheckpoint,
    ) -> Result<Self, TlogError> {
        Self::from_parts(old_size, proof, signed.note().clone())
    }

    fn from_parts(old_size: u64, proof: Vec<Hash>, note: SignedNote) -> Result<Self, TlogError> {
        if proof.len() > ADD_CHECKPOINT_HASHES_MAX {
            return Err(malformed("there are at most 63 consistency proof lines"));
        }
        let checkpoint = Checkpoint::parse_with_any_root(note.text())?;
        Ok(Self { old_size, proof, note, checkpoint })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the body breaks: "400 Bad Request".
    pub fn parse(body: &str) -> Result<Self, TlogError> {
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(malformed("a request has at most 132 KiB"));
        }
        let (head, note) = body
            .split_once("\n\n")
            .ok_or(malformed("an empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(parse_decimal)
            .ok_or(malformed("the first line is \"old\", a space and a decimal size"))?;
        let proof = lines
            .take(ADD_CHECKPOINT_HASHES_MAX + 1)
            .map(|line| parse_hash(line).ok_or(malformed("a proof line is one hash in base64")))
            .collect::<Result<_, _>>()?;
        Self::from_parts(old_size, proof, SignedNote::parse(note)?)
    }

    /// Reads the body of a request from bytes.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn decode(body: &[u8]) -> Result<Self, TlogError> {
        Self::parse(std::str::from_utf8(body).map_err(|_| malformed("a request is valid UTF-8"))?)
    }

    /// Origin that the checkpoint names, by which a witness finds the keys that it trusts.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// Size of the tree that the client takes for the latest that the witness cosigned.
    #[must_use]
    pub const fn old_size(&self) -> u64 {
        self.old_size
    }

    /// Consistency proof from the old size to that of the checkpoint.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint, if it can be one: that of the empty tree has the empty root.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] for a checkpoint of size 0 with another root.
    pub fn signed(&self) -> Result<SignedCheckpoint, TlogError> {
        SignedCheckpoint::from_note(self.note.clone())
    }

    pub(crate) const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl std::fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash.as_bytes())))?;
        write!(f, "\n{}", self.note)
    }
}

/// "The response body MUST be a sequence of one or more note signature lines".
///
/// # Errors
/// [`TlogError::Malformed`] for no line, or more than a note may have.
pub fn format_cosignatures(lines: &[SignatureLine]) -> Result<String, TlogError> {
    if lines.is_empty() || lines.len() > NOTE_SIGNATURES_MAX {
        return Err(malformed_answer("there are 1 to 16 signature lines"));
    }
    Ok(lines.iter().map(ToString::to_string).collect())
}

/// Reads the body of an answer, whose signatures nobody has checked.
///
/// # Errors
/// [`TlogError::Malformed`].
pub fn parse_cosignatures(body: &str) -> Result<Vec<SignatureLine>, TlogError> {
    if body.len() > NOTE_BYTES_MAX {
        return Err(malformed_answer("an answer has at most 128 KiB"));
    }
    let lines: Vec<SignatureLine> = body
        .strip_suffix('\n')
        .ok_or(malformed_answer("each line ends in a newline"))?
        .split('\n')
        .take(NOTE_SIGNATURES_MAX + 1)
        .map(SignatureLine::parse)
        .collect::<Result<_, _>>()?;
    if lines.len() > NOTE_SIGNATURES_MAX {
        return Err(malformed_answer("there are 1 to 16 signature lines"));
    }
    Ok(lines)
}

/// The checkpoint with those lines of an answer that are by one of `witnesses` and verify.
///
/// "The client MUST ignore any cosignatures from unknown keys." A line that the checkpoint already
/// carries is not added again.
///
/// # Errors
/// [`TlogError::SignatureMissing`] if no line is by a known witness,
/// [`TlogError::SignatureInvalid`] or [`TlogError::Malformed`] if one that is does not verify.
pub fn add_cosignatures(
    signed: SignedCheckpoint,
    lines: &[SignatureLine],
    witnesses: &[CosignatureVerifier],
) -> Result<SignedCheckpoint, TlogError> {
    let mut cosigned = signed;
    let mut known = 0;
    for line in lines {
        let by = |witness: &&CosignatureVerifier| {
            witness.name() == line.name() && witness.key_id() == line.key_id()
        };
        let Some(witness) = witnesses.iter().find(by) else { continue };
        // "The cosignature MUST NOT omit the timestamp".
        if witness.verify_line(cosigned.note().text(), line)? == 0 {
            return Err(TlogError::TimestampMissing);
        }
        known += 1;
        if !cosigned.note().signatures().contains(line) {
            cosigned = cosigned.with_signature(line.clone())?;
        }
    }
    if known == 0 { Err(TlogError::SignatureMissing) } else { Ok(cosigned) }
}

/// "The tree size of the latest cosigned checkpoint in decimal, followed by a newline".
#[must_use]
pub fn format_conflict(size: u64) -> String {
    format!("{size}\n")
}

/// Reads the size that a witness answers to a conflict.
///
/// # Errors
/// [`TlogError::Malformed`].
pub fn parse_conflict(body: &str) -> Result<u64, TlogError> {
    body.strip_suffix('\n')
        .and_then(parse_decimal)
        .filter(|size| *size <= TREE_LEAVES_MAX)
        .ok_or(malformed_answer("a conflict is answered by a decimal size and a newline"))
}
