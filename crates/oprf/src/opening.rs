//! Opening of a record commitment: shows that the holder had these records before anyone asked.
//!
//! Implements spec/matching.md#opening.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::{
    Hash, HashReader, MemoryTree, TlogError, inclusion_proof, node_hash, verify_inclusion,
};

use crate::chunk::{Chunk, RecordCommitment, RecordRef};
use crate::limits::{CHUNK_ENTRIES, PROOF_HASHES_MAX, RECORDS_PER_TAG_MAX};
use crate::{OprfError, SetSalt, Tag};

/// Level of the subtrees that a chunk's entries are.
const CHUNK_LEVEL: u8 = 8;

/// What the holder gives with a disclosure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct CommitmentOpening {
    /// Salt of this entry; no other entry has it.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 32],
    /// The records behind the tag, ascending.
    pub records: Vec<RecordRef>,
    /// Index of the entry in the set.
    pub index: u64,
    /// Inclusion proof of the entry in the tree of the set root, the leaf's sibling first.
    pub proof: Vec<Hash>,
}

/// Evidence that the set root of an epoch card binds the holder to these records.
#[derive(Debug)]
pub struct OpenedCommitment {
    records: Vec<RecordRef>,
}

impl OpenedCommitment {
    /// The records, ascending.
    #[must_use]
    pub fn records(&self) -> &[RecordRef] {
        &self.records
    }
}

impl Chunk {
    /// Opens the commitment of the entry at `position` (as [`Chunk::find`] gives it).
    ///
    /// `level8` are the subtree hashes of the same set, `salt` its salt.
    ///
    /// # Errors
    /// [`OprfError::EntryPadding`] for padding, [`OprfError::EntryUnknown`] where chunk, position
    /// and hashes do not belong together.
    pub fn open_commitment(
        &self,
        position: usize,
        level8: &[Hash],
        salt: &SetSalt,
    ) -> Result<CommitmentOpening, OprfError> {
        let entry = self.entries().get(position).ok_or(OprfError::EntryUnknown)?;
        if entry.records.is_empty() {
            return Err(OprfError::EntryPadding);
        }
        let salt = salt.entry(&entry.tag);
        if RecordCommitment::new(&salt, &entry.records) != entry.commitment {
            return Err(OprfError::EntryUnknown);
        }
        let tree = ChunkTree { number: self.number(), below: self.leaves().collect(), level8 };
        let chunk_number = usize::try_from(self.number()).map_err(|_| OprfError::EntryUnknown)?;
        if level8.get(chunk_number) != Some(&tree.below.root()) {
            return Err(OprfError::EntryUnknown);
        }
        let index = self.number() * CHUNK_ENTRIES as u64 + position as u64;
        let size = level8.len() as u64 * CHUNK_ENTRIES as u64;
        let proof = inclusion_proof(&tree, index, size).map_err(|_| OprfError::EntryUnknown)?;
        Ok(CommitmentOpening { salt, records: entry.records.clone(), index, proof })
    }
}

impl CommitmentOpening {
    /// Verifies the opening against the epoch card's count and set root.
    ///
    /// # Errors
    /// [`OprfError::CommitmentInvalid`].
    pub fn verify(
        &self,
        tag: &Tag,
        count: u64,
        set_root: &Hash,
    ) -> Result<OpenedCommitment, OprfError> {
        let bounded = (1..=RECORDS_PER_TAG_MAX).contains(&self.records.len())
            && self.proof.len() <= PROOF_HASHES_MAX;
        // One list of records has one order, so the opening has one form.
        if !bounded || !self.records.is_sorted_by(|a, b| a < b) {
            return Err(OprfError::CommitmentInvalid);
        }
        let leaf = RecordCommitment::new(&self.salt, &self.records).leaf(tag);
        match verify_inclusion(leaf, self.index, count, &self.proof, *set_root) {
            Ok(_) => Ok(OpenedCommitment { records: self.records.clone() }),
            Err(_) => Err(OprfError::CommitmentInvalid),
        }
    }
}

/// The tree of a set root as far as one chunk's proofs need it.
struct ChunkTree<'a> {
    number: u64,
    below: MemoryTree,
    level8: &'a [Hash],
}

impl HashReader for ChunkTree<'_> {
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TlogError> {
        if level < CHUNK_LEVEL {
            let first = self.number << (CHUNK_LEVEL - level);
            let within = index.checked_sub(first).ok_or(TlogError::Unavailable)?;
            return self.below.hash(level, within);
        }
        let width = 1usize.checked_shl(u32::from(level - CHUNK_LEVEL)).unwrap_or(usize::MAX);
        let start = usize::try_from(index).ok().and_then(|index| index.checked_mul(width));
        let range = start.and_then(|start| Some(start..start.checked_add(width)?));
        let mut row = range.and_then(|range| self.level8.get(range)).unwrap_or_default().to_vec();
        while row.len() > 1 {
            row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.first().copied().ok_or(TlogError::Unavailable)
    }
}
