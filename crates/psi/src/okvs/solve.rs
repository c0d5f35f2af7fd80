//! Solves one bin: peels columns that one item alone has, solves the rest densely, goes back.
//!
//! Implements spec/psi.md#store. Runs on the receiver's own items only.

use super::{Part, Shape, core};
use crate::PsiError;
use crate::field::Block;

/// A column's items: their number in the upper half, the sum of their places in the lower.
const ONE: u64 = 1 << 32;

/// Solves one bin after the other, in the same memory.
#[derive(Default)]
pub(super) struct Solver {
    columns: Vec<Block>,
    peeling: Peeling,
}

impl Solver {
    /// A vector that decodes to the value of every item of the bin.
    ///
    /// Columns that nothing determines are zero: the store is never seen without its mask.
    pub(super) fn solve(&mut self, shape: &Shape, bin: &Part) -> Result<&[Block], PsiError> {
        let mut rest = self.peeling.peel(shape, &bin.rows);
        let unique;
        let bin = if has_repetition(bin, &rest) {
            unique = distinct(bin);
            rest = self.peeling.peel(shape, &unique.rows);
            &unique
        } else {
            bin
        };
        self.columns.clear();
        self.columns.resize(shape.bin_columns(), Block::ZERO);
        let (sparse, dense) = self.columns.split_at_mut(shape.sparse());
        if !rest.is_empty() {
            core::solve(shape, bin, &rest, sparse, dense)?;
        }
        let is_dense_zero = rest.is_empty();
        for (item, column) in self.peeling.order.iter().rev() {
            let (row, value) = (at(&bin.rows, *item), at(&bin.values, *item));
            let [first, second, third] = shape.columns_of(row);
            // The column itself is still zero, so the sum of all three is that of the other two.
            let mut sum = value ^ at(sparse, first) ^ at(sparse, second) ^ at(sparse, third);
            if !is_dense_zero {
                sum ^= polynomial(row, dense);
            }
            if let Some(target) = sparse.get_mut(*column as usize) {
                *target = sum;
            }
        }
        Ok(&self.columns)
    }
}

/// Whether two of the items at `places` are the same. Peeling always leaves repeated ones over.
fn has_repetition(bin: &Part, places: &[u32]) -> bool {
    let mut rows: Vec<u128> = places.iter().map(|place| at(&bin.rows, *place).0).collect();
    rows.sort_unstable();
    rows.iter().zip(rows.iter().skip(1)).any(|(left, right)| left == right)
}

/// The items of the bin, each once.
fn distinct(bin: &Part) -> Part {
    let mut pairs: Vec<_> = bin.rows.iter().zip(&bin.values).map(|(r, v)| (r.0, v.0)).collect();
    pairs.sort_unstable();
    pairs.dedup_by_key(|(row, _)| *row);
    let (rows, values) = pairs.into_iter().map(|(row, value)| (Block(row), Block(value))).unzip();
    Part { rows, values, indexes: Vec::new() }
}

/// `dense[0] * row + dense[1] * row^2 + …`
pub(super) fn polynomial(row: Block, dense: &[Block]) -> Block {
    dense.iter().rev().fold(Block::ZERO, |sum, column| (sum ^ *column) * row)
}

#[inline]
fn at(blocks: &[Block], place: u32) -> Block {
    blocks.get(place as usize).copied().unwrap_or_default()
}

/// Takes items away whose column no other one has.
#[derive(Default)]
struct Peeling {
    cells: Vec<u64>,
    /// The items in the order of peeling, each with the column that was its own.
    order: Vec<(u32, u32)>,
    stack: Vec<u32>,
}

impl Peeling {
    /// Finds the order; gives the items that are left over.
    fn peel(&mut self, shape: &Shape, rows: &[Block]) -> Vec<u32> {
        let Self { cells, order, stack } = self;
        cells.clear();
        cells.resize(shape.sparse(), 0);
        order.clear();
        for (place, row) in (0_u32..).zip(rows) {
            for column in shape.columns_of(*row) {
                if let Some(cell) = cells.get_mut(column as usize) {
                    *cell = (*cell ^ u64::from(place)) + ONE;
                }
            }
        }
        for start in 0..shape.sparse() as u32 {
            stack.push(start);
            while let Some(column) = stack.pop() {
                let cell = cells.get(column as usize).copied().unwrap_or_default();
                if cell >> 32 != 1 {
                    continue;
                }
                let place = cell as u32;
                order.push((place, column));
                for other in shape.columns_of(at(rows, place)) {
                    if let Some(cell) = cells.get_mut(other as usize) {
                        *cell = (*cell ^ u64::from(place)) - ONE;
                        // Columns ahead of the scan would be met anyway, but are still cached now.
                        if *cell >> 32 == 1 {
                            stack.push(other);
                        }
                    }
                }
            }
        }
        if order.len() == rows.len() { Vec::new() } else { left_over(order, rows.len()) }
    }
}

fn left_over(order: &[(u32, u32)], count: usize) -> Vec<u32> {
    let mut is_peeled = vec![false; count];
    for (place, _) in order {
        if let Some(flag) = is_peeled.get_mut(*place as usize) {
            *flag = true;
        }
    }
    let places = (0_u32..).zip(&is_peeled);
    places.filter(|(_, is_peeled)| !**is_peeled).map(|(place, _)| place).collect()
}
