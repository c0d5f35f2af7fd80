//! Where hashes of a tree are read from, and the roots that follow from them.
//!
//! Implements spec/log.md#hashing.

use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::limits::TREE_LEAVES_MAX;
use crate::{Frontier, TlogError};

/// Gives the hashes of perfect subtrees.
pub trait HashReader {
    /// Hash of the subtree over the 2^`level` leaves from `index << level`; level 0 is leaf hashes.
    ///
    /// # Errors
    /// [`TlogError::Unavailable`], or another cause, when the reader does not have it.
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TlogError>;
}

impl<R: HashReader + ?Sized> HashReader for &R {
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TlogError> {
        (**self).hash(level, index)
    }
}

/// Root of the tree of the first `size` leaves.
///
/// # Errors
/// [`TlogError::BeyondTree`] if `size` is beyond the largest tree, or the reader's error.
pub fn root_from(reader: &impl HashReader, size: u64) -> Result<Hash, TlogError> {
    if size > TREE_LEAVES_MAX {
        return Err(TlogError::BeyondTree);
    }
    if size == 0 { Ok(EMPTY_ROOT) } else { range_root(reader, 0, size) }
}

/// Root over the leaves `start..end`, where `start` is a multiple of a power of two that is not
/// smaller than `end - start`: what RFC 6962 calls `MTH(D[start:end])`.
pub(crate) fn range_root(
    reader: &impl HashReader,
    start: u64,
    end: u64,
) -> Result<Hash, TlogError> {
    let mut perfect = Vec::new();
    let mut from = start;
    while from < end {
        let level = (end - from).ilog2();
        perfect.push(reader.hash(u8::try_from(level).unwrap_or(u8::MAX), from >> level)?);
        from += 1 << level;
    }
    fold_right(&perfect).ok_or(TlogError::BeyondTree)
}

/// Joins the roots of perfect subtrees, the largest first, into the root over all of them.
pub(crate) fn fold_right(perfect: &[Hash]) -> Option<Hash> {
    let (last, rest) = perfect.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// All hashes of a tree in memory: for trees that are built once and proved from, and for tests.
#[derive(Clone, Default)]
pub struct MemoryTree {
    /// `levels[l][i]` is the hash at level `l`, index `i`.
    levels: Vec<Vec<Hash>>,
    frontier: Frontier,
}

impl MemoryTree {
    /// The tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf by its hash.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] when the tree is full.
    pub fn append(&mut self, leaf: Hash) -> Result<u64, TlogError> {
        let levels = &mut self.levels;
        self.frontier.append_with(leaf, |level, _, hash| match levels.get_mut(usize::from(level)) {
            Some(row) => row.push(hash),
            None => levels.push(vec![hash]),
        })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The right edge.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

impl FromIterator<Hash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            // Memory ends long before the tree is full.
            let _ = tree.append(leaf);
        }
        tree
    }
}

impl HashReader for MemoryTree {
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TlogError> {
        let index = usize::try_from(index).map_err(|_| TlogError::BeyondTree)?;
        let row = self.levels.get(usize::from(level)).ok_or(TlogError::BeyondTree)?;
        row.get(index).copied().ok_or(TlogError::BeyondTree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn roots_of_all_prefixes_agree_with_the_frontier() {
        let mut tree = MemoryTree::new();
        let mut roots = vec![tree.root()];
        for leaf in 0u32..200 {
            tree.append(leaf_hash(leaf.to_be_bytes())).unwrap();
            roots.push(tree.root());
        }
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(root_from(&tree, size as u64), Ok(*root), "size {size}");
        }
    }

    #[test]
    fn sizes_beyond_the_tree_are_refused() {
        let tree: MemoryTree = [leaf_hash("a")].into_iter().collect();
        assert_eq!(root_from(&tree, 2), Err(TlogError::BeyondTree));
        assert_eq!(root_from(&tree, u64::MAX), Err(TlogError::BeyondTree));
    }
}
