//! The right edge of a growing tree: all that appending needs, a hash per set bit of the size.
//!
//! Implements spec/log.md#hashing.
//!
//! Invariant: there are as many hashes as bits set in the size, the largest subtree first.

use crate::TlogError;
use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::limits::TREE_LEAVES_MAX;
use crate::reader::{HashReader, fold_right};

/// The right edge of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge that [`Self::size`] and [`Self::hashes`] once gave.
    ///
    /// # Errors
    /// [`TlogError::FrontierShape`] unless `hashes` has one hash per bit set in `size`.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, TlogError> {
        if size > TREE_LEAVES_MAX || hashes.len() as u64 != u64::from(size.count_ones()) {
            return Err(TlogError::FrontierShape);
        }
        Ok(Self { size, hashes })
    }

    /// The edge of the tree of the first `size` leaves that `reader` holds.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] if `size` is beyond the largest tree, or the reader's error.
    pub fn from_reader(reader: &impl HashReader, size: u64) -> Result<Self, TlogError> {
        if size > TREE_LEAVES_MAX {
            return Err(TlogError::BeyondTree);
        }
        let mut hashes = Vec::new();
        for level in (0..63u8).rev().filter(|level| size >> level & 1 == 1) {
            // The leaves before this subtree are those of the higher bits.
            hashes.push(reader.hash(level, (size >> level) - 1)?);
        }
        Ok(Self { size, hashes })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the perfect subtrees, the largest first.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_right(&self.hashes).unwrap_or(EMPTY_ROOT)
    }

    /// Adds a leaf by its hash; gives its index.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] when the tree is full.
    pub fn append(&mut self, leaf: Hash) -> Result<u64, TlogError> {
        self.append_with(leaf, |_, _, _| ())
    }

    /// Adds a leaf by its hash; gives its index. `keep` is told (level, index, hash) of every
    /// perfect subtree that the leaf completes, the leaf itself first: a store of tiles keeps those
    /// whose level is a multiple of eight.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] when the tree is full.
    pub fn append_with(
        &mut self,
        leaf: Hash,
        mut keep: impl FnMut(u8, u64, Hash),
    ) -> Result<u64, TlogError> {
        if self.size >= TREE_LEAVES_MAX {
            return Err(TlogError::BeyondTree);
        }
        let index = self.size;
        let (mut level, mut hash) = (0u8, leaf);
        keep(level, index, hash);
        // Each trailing one of the index is a perfect subtree of which this is the right sibling.
        while index >> level & 1 == 1
            && let Some(left) = self.hashes.pop()
        {
            level += 1;
            hash = node_hash(&left, &hash);
            keep(level, index >> level, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryTree, leaf_hash};

    #[test]
    fn comes_back_from_parts_and_from_a_reader() {
        let mut tree = MemoryTree::new();
        for leaf in 0u32..300 {
            let edge = tree.frontier().clone();
            assert_eq!(Frontier::from_parts(edge.size(), edge.hashes().to_vec()), Ok(edge.clone()));
            assert_eq!(Frontier::from_reader(&tree, edge.size()), Ok(edge));
            tree.append(leaf_hash(leaf.to_be_bytes())).unwrap();
        }
    }

    #[test]
    fn refuses_hashes_that_do_not_fit() {
        let hash = leaf_hash("a");
        for (size, count) in [(0, 1), (1, 0), (3, 1), (4, 2), (u64::MAX, 64)] {
            let parts = Frontier::from_parts(size, vec![hash; count]);
            assert_eq!(parts, Err(TlogError::FrontierShape), "size {size}, {count} hashes");
        }
    }

    #[test]
    fn a_full_tree_takes_no_leaf() {
        let mut full = Frontier::from_parts(TREE_LEAVES_MAX, vec![leaf_hash("a"); 63]).unwrap();
        assert_eq!(full.append(leaf_hash("b")), Err(TlogError::BeyondTree));
        assert_eq!(full.size(), TREE_LEAVES_MAX);
    }
}
