//! The 128 columns of the extension: as they are made, as rows, and as field elements.
//!
//! Implements spec/psi.md#extension.
//!
//! Invariant: neither branch nor address depends on a bit of the matrix.

use zeroize::Zeroizing;

use crate::field::{self, Block};
use crate::ot_base::BASE_TRANSFERS;

/// A bit matrix of 128 columns; a column is a run of blocks, 128 rows in each.
pub(crate) struct Columns {
    blocks: Zeroizing<Vec<Block>>,
    /// Blocks of a column.
    length: usize,
}

impl Columns {
    pub(crate) fn new(length: usize) -> Self {
        Self { blocks: Zeroizing::new(vec![Block::ZERO; BASE_TRANSFERS * length]), length }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Block]> {
        self.blocks.chunks_exact(self.length.max(1))
    }

    /// Groups of `columns` neighbouring columns.
    pub(crate) fn groups_mut(&mut self, columns: usize) -> impl Iterator<Item = &mut [Block]> {
        self.blocks.chunks_exact_mut((self.length * columns).max(1))
    }

    /// Rows `128 · block` to `128 · block + 127`.
    pub(crate) fn rows(&self, block: usize) -> Zeroizing<[Block; 128]> {
        let mut rows = Zeroizing::new([Block::ZERO; 128]);
        for (row, column) in rows.iter_mut().zip(self.iter()) {
            *row = column.get(block).copied().unwrap_or_default();
        }
        transpose(&mut rows);
        rows
    }

    /// For each block from `first` on, the sum over its rows `k` of `x^k` times row `k`.
    ///
    /// Column `c` is then the polynomial of its bits, so that this is the sum of `x^c` times it.
    pub(crate) fn elements(&self, first: usize) -> Zeroizing<Vec<Block>> {
        let count = self.length.saturating_sub(first);
        let mut sums = Zeroizing::new(vec![Block::ZERO; count]);
        let columns: Vec<&[Block]> = self.iter().collect();
        for column in columns.iter().rev() {
            for (sum, block) in sums.iter_mut().zip(column.iter().skip(first)) {
                *sum = times_x(*sum) ^ *block;
            }
        }
        sums
    }
}

/// The hash that checks a column: its first block, which only masks, and the others as coefficients
/// of a polynomial without constant term. `powers` begins with the point itself.
pub(crate) fn check_hash(column: &[Block], powers: &[Block]) -> Block {
    let Some((mask, rest)) = column.split_first() else { return Block::ZERO };
    *mask ^ field::inner_product(rest, powers)
}

#[inline]
fn times_x(block: Block) -> Block {
    let carry = 0u128.wrapping_sub(block.0 >> 127);
    Block((block.0 << 1) ^ (carry & 0x87))
}

/// Bit `c` of block `r` becomes bit `r` of block `c`.
fn transpose(blocks: &mut [Block; 128]) {
    for shift in [64, 32, 16, 8, 4, 2, 1] {
        // Runs of `shift` ones and as many zeros, ones lowest.
        let low = if shift == 64 { u128::from(u64::MAX) } else { u128::MAX / ((1 << shift) + 1) };
        for pair in blocks.chunks_exact_mut(2 * shift) {
            let (lower, upper) = pair.split_at_mut(shift);
            for (a, b) in lower.iter_mut().zip(upper) {
                let swap = ((a.0 >> shift) ^ b.0) & low;
                b.0 ^= swap;
                a.0 ^= swap << shift;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Stream;

    fn columns(length: usize) -> Columns {
        let mut columns = Columns::new(length);
        Stream::new([8; 16]).fill(0, &mut columns.blocks);
        columns
    }

    #[test]
    fn rows_are_the_bits_of_columns() {
        let columns = columns(3);
        for block in 0..3 {
            let rows = columns.rows(block);
            for (c, column) in columns.iter().enumerate() {
                for (r, row) in rows.iter().enumerate() {
                    assert_eq!(row.0 >> c & 1, column[block].0 >> r & 1);
                }
            }
        }
    }

    #[test]
    fn elements_weigh_rows_by_powers() {
        let columns = columns(3);
        let elements = columns.elements(1);
        assert_eq!(elements.len(), 2);
        for (offset, element) in elements.iter().enumerate() {
            let rows = columns.rows(1 + offset);
            let sum = rows.iter().enumerate().map(|(k, row)| *row * Block(1 << k));
            assert!(*element == sum.fold(Block::ZERO, |sum, term| sum ^ term));
        }
    }
}
