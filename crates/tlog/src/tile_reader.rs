//! Reads any hash of a tree from tiles alone, a handful of them for a proof.
//!
//! Implements spec/log.md#tiles.
//!
//! Invariant: no tile is asked for twice, nor one that the tree of the given size does not have.
//! The hashes are believed as the source gives them: whoever verifies the proof finds a false one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::TlogError;
use crate::hash::{Hash, perfect_root};
use crate::limits::{SUBTREE_LEVEL_MAX, TREE_LEAVES_MAX};
use crate::reader::HashReader;
use crate::tile::{Row, Tile};

/// Where tiles of hashes lie.
pub trait TileSource {
    /// The hashes of `tile`, at least as many as its width: a source that has the tile wider, from
    /// a larger tree, gives that. `tile` is never a bundle of entries.
    ///
    /// # Errors
    /// [`TlogError::Unavailable`], or another cause, when the source does not have it.
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, TlogError>;
}

/// A [`HashReader`] over the tiles of the tree of one size.
///
/// It keeps the tiles that it has read, so make one for each proof or handful of proofs.
pub struct TileReader<S> {
    source: S,
    size: u64,
    read: RefCell<BTreeMap<Tile, Vec<Hash>>>,
}

impl<S: TileSource> TileReader<S> {
    /// Reads the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] if `size` is beyond the largest tree.
    pub fn new(source: S, size: u64) -> Result<Self, TlogError> {
        if size > TREE_LEAVES_MAX {
            return Err(TlogError::BeyondTree);
        }
        Ok(Self { source, size, read: RefCell::default() })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Tiles read so far.
    #[must_use]
    pub fn tiles_read(&self) -> usize {
        self.read.borrow().len()
    }
}

impl<S: TileSource> HashReader for TileReader<S> {
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TlogError> {
        if level > SUBTREE_LEVEL_MAX || index >= self.size >> level {
            return Err(TlogError::BeyondTree);
        }
        // The subtree's root is over 2^height neighbours in a tile of the row below it.
        let (row, height) = (Row::Hashes { level: level / 8 }, level % 8);
        let first = index << height;
        let tile = Tile::in_tree(row, first >> 8, self.size)?;
        let from = (first & 0xff) as usize;
        let mut read = self.read.borrow_mut();
        let hashes = match read.entry(tile) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.source.tile(tile)?),
        };
        if hashes.len() < usize::from(tile.width()) {
            return Err(TlogError::Unavailable);
        }
        let subtree = hashes.get(from..from + (1 << height)).ok_or(TlogError::Unavailable)?;
        perfect_root(subtree).ok_or(TlogError::Unavailable)
    }
}
