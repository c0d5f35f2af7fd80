//! Coordinates and paths of tiles, and the hashes within them; fetches and stores nothing.
//!
//! Implements spec/log.md#tiles (c2sp.org/tlog-tiles).
//!
//! Invariant: a [`Tile`] lies within a tree of at most `TREE_LEAVES_MAX` leaves.

use crate::error::{Format, TlogError};
use crate::hash::Hash;
use crate::limits::{TILE_LEVEL_MAX, TILE_PATH_BYTES_MAX, TILE_WIDTH, TREE_LEAVES_MAX};
use crate::text::parse_decimal;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// Hashes of subtrees of 256^level leaves.
    Hashes {
        /// The tile level: 0 to 7.
        level: u8,
    },
    /// The entries that the hashes of level 0 are of.
    Entries,
}

impl Row {
    /// Leaves under one element of the row, as a power of two.
    fn element_shift(self) -> Option<u32> {
        match self {
            Self::Hashes { level } if level <= TILE_LEVEL_MAX => Some(8 * u32::from(level)),
            Self::Hashes { .. } => None,
            Self::Entries => Some(0),
        }
    }
}

/// Coordinates of a tile or entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    row: Row,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile of `width` elements at `index` of a row.
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] if no tree has such a tile.
    pub fn new(row: Row, index: u64, width: u16) -> Result<Self, TlogError> {
        let shift = row.element_shift().ok_or(TlogError::BeyondTree)?;
        let end = index
            .checked_mul(u64::from(TILE_WIDTH))
            .and_then(|elements| elements.checked_add(u64::from(width)))
            .ok_or(TlogError::BeyondTree)?;
        let width_fits = (1..=TILE_WIDTH).contains(&width);
        if width_fits && end <= TREE_LEAVES_MAX >> shift {
            Ok(Self { row, index, width })
        } else {
            Err(TlogError::BeyondTree)
        }
    }

    /// The tile at `index` of a row as it stands in a tree of `size` leaves: "The partial tile at
    /// level *l* for a tree of size *s* has `floor(s / 256**l) mod 256` entries."
    ///
    /// # Errors
    /// [`TlogError::BeyondTree`] if the tree has no such tile: "Empty tiles MUST NOT be served."
    pub fn in_tree(row: Row, index: u64, size: u64) -> Result<Self, TlogError> {
        let shift = row.element_shift().ok_or(TlogError::BeyondTree)?;
        let before = index.checked_mul(u64::from(TILE_WIDTH)).ok_or(TlogError::BeyondTree)?;
        let left = (size >> shift).checked_sub(before).ok_or(TlogError::BeyondTree)?;
        let width = u16::try_from(left).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH));
        Self::new(row, index, width)
    }

    /// Reads `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], or [`TlogError::BeyondTree`] if no tree has such a tile.
    pub fn parse(path: &str) -> Result<Self, TlogError> {
        let malformed = |rule| TlogError::malformed(Format::TilePath, rule);
        if path.len() > TILE_PATH_BYTES_MAX {
            return Err(malformed("a tile path has at most 64 bytes"));
        }
        let rest = path.strip_prefix("tile/").ok_or(malformed("a tile path begins with tile/"))?;
        let (row, rest) = rest.split_once('/').ok_or(malformed("a tile path has an index"))?;
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Hashes {
                level: parse_decimal(level)
                    .and_then(|level| u8::try_from(level).ok())
                    .ok_or(malformed("the level is a decimal number"))?,
            },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                let width = parse_decimal(width).and_then(|width| u16::try_from(width).ok());
                (index, width.ok_or(malformed("the width is a decimal number"))?)
            }
        };
        let rule = "the index is three digits a path element, all but the last with an x";
        let tile = Self::new(row, parse_index(index).ok_or(malformed(rule))?, width)?;
        // One tile, one path: neither "x000/001" nor ".p/256".
        if tile.path() == path { Ok(tile) } else { Err(malformed(rule)) }
    }

    /// The path below the log's prefix.
    #[must_use]
    pub fn path(&self) -> String {
        let row = match self.row {
            Row::Hashes { level } => level.to_string(),
            Row::Entries => "entries".to_owned(),
        };
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1000);
            rest /= 1000;
        }
        let partial =
            if self.width < TILE_WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{row}/{index}{partial}")
    }

    /// What the tile holds.
    #[must_use]
    pub const fn row(&self) -> Row {
        self.row
    }

    /// Index of the tile within its row.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Elements of the tile: 256, or fewer at the right edge.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }
}

/// "A non-negative integer encoded into zero-padded 3-digit path elements. All but the last path
/// element MUST begin with an `x`."
fn parse_index(text: &str) -> Option<u64> {
    let mut index = 0u64;
    let mut elements = text.split('/').peekable();
    while let Some(element) = elements.next() {
        let digits = if elements.peek().is_some() { element.strip_prefix('x')? } else { element };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse::<u64>().ok()?)?;
    }
    Some(index)
}

/// Hashes one after another, as a tile file has them.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile file of `width` hashes.
///
/// # Errors
/// [`TlogError::Malformed`] if the bytes have another length.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TlogError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != usize::from(width) {
        return Err(TlogError::malformed(Format::Tile, "a tile has 32 bytes for each hash"));
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}
