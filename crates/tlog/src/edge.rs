//! Right edge of a log: the hashes of every tile that is not full yet; holds no entry.
//!
//! Implements spec/log.md#tiles (c2sp.org/tlog-tiles).
//!
//! Invariant: every full tile is given out once, by the leaf that fills it, and the edge can always
//! be rebuilt from those and the leaves behind the last one.

use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::limits::TILE_WIDTH;

const TILE_HASHES: usize = TILE_WIDTH as usize;

/// The hashes behind the last full tile, for each tile level.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    full_tiles: u64,
    hashes: Vec<Hash>,
}

/// A tile with its hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeTile {
    /// Tile level.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// The hashes: 256, or fewer at the right edge.
    pub hashes: Vec<Hash>,
}

impl Edge {
    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf and gives the tiles that it fills: nearly always none.
    pub fn append(&mut self, leaf_hash: Hash) -> Vec<EdgeTile> {
        self.size += 1;
        let mut full = Vec::new();
        let mut carry = Some(leaf_hash);
        for number in 0..=u8::MAX {
            let Some(hash) = carry.take() else { break };
            if self.levels.len() <= usize::from(number) {
                self.levels.resize_with(usize::from(number) + 1, Level::default);
            }
            let Some(row) = self.levels.get_mut(usize::from(number)) else {
                break;
            };
            row.hashes.push(hash);
            if row.hashes.len() == TILE_HASHES {
                let hashes = std::mem::take(&mut row.hashes);
                let index = row.full_tiles;
                row.full_tiles += 1;
                carry = Some(fold(&hashes));
                full.push(EdgeTile { level: number, index, hashes });
            }
        }
        full
    }

    /// Rebuilds the edge of a log of `size` leaves from its full tiles and its last leaf hashes.
    ///
    /// # Errors
    /// What `tile` gives.
    pub fn rebuild<E>(
        size: u64,
        mut tile: impl FnMut(u8, u64) -> Result<Vec<Hash>, E>,
        last_leaf_hashes: Vec<Hash>,
    ) -> Result<Self, E> {
        let mut levels = Vec::new();
        let mut full_below = size;
        let mut number = 0;
        while full_below > 0 {
            let full_tiles = full_below / TILE_HASHES as u64;
            let rest = full_below % TILE_HASHES as u64;
            let hashes = if number == 0 {
                Vec::new()
            } else {
                let first = full_tiles * TILE_HASHES as u64;
                (first..first + rest)
                    .map(|index| tile(number - 1, index).map(|hashes| fold(&hashes)))
                    .collect::<Result<_, E>>()?
            };
            levels.push(Level { full_tiles, hashes });
            full_below = full_tiles;
            number += 1;
        }
        if let Some(leaves) = levels.first_mut() {
            leaves.hashes = last_leaf_hashes;
        }
        Ok(Self { size, levels })
    }

    /// The tiles that are not full, one a level at most.
    pub fn partial(&self) -> impl Iterator<Item = EdgeTile> {
        (0u8..).zip(&self.levels).filter(|(_, row)| !row.hashes.is_empty()).map(|(level, row)| {
            EdgeTile { level, index: row.full_tiles, hashes: row.hashes.clone() }
        })
    }

    /// The hashes of the unfinished tile at `level`, if `index` is that tile.
    #[must_use]
    pub fn unfinished(&self, level: u8, index: u64) -> Option<&[Hash]> {
        let row = self.levels.get(usize::from(level))?;
        (row.full_tiles == index).then_some(row.hashes.as_slice())
    }
}

/// The tree hash over a power of two of hashes.
fn fold(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => EMPTY_ROOT,
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(&fold(left), &fold(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;
    use std::collections::BTreeMap;

    #[test]
    fn comes_back_from_full_tiles_and_the_last_leaves() {
        let mut edge = Edge::default();
        let (mut tiles, mut leaves) = (BTreeMap::new(), Vec::new());
        for number in 0u32..66_000 {
            let hash = leaf_hash(number.to_be_bytes());
            leaves.push(hash);
            for tile in edge.append(hash) {
                tiles.insert((tile.level, tile.index), tile.hashes);
            }
            let size = u64::from(number) + 1;
            if ![1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000].contains(&size) {
                continue;
            }
            let last = leaves[leaves.len() - leaves.len() % TILE_HASHES..].to_vec();
            let tile = |level, index| tiles.get(&(level, index)).cloned().ok_or(());
            let rebuilt = Edge::rebuild(size, tile, last).unwrap();
            for level in 0..3 {
                for index in 0..260 {
                    let rebuilt = rebuilt.unfinished(level, index).unwrap_or_default();
                    let grown = edge.unfinished(level, index).unwrap_or_default();
                    assert_eq!(rebuilt, grown, "size {size}, level {level}, tile {index}");
                }
            }
        }
        // 257 of the leaves, one of the level above.
        assert_eq!(tiles.len(), 258);
    }
}
