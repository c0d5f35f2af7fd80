//! Oblivious key-value store: a vector that decodes to `h(x)` for the encoded items only.
//!
//! Implements spec/psi.md#store. Clustered PaXoS of weight three: an item belongs to one bin, and
//! within it to three sparse columns and all dense ones.
//!
//! Invariants: the addresses that decoding reads depend on the reader's own items only; the shape
//! depends on the padded count only.

mod core;
mod shape;
mod solve;

use crate::PsiError;
use crate::field::{self, Block};
use crate::hash::{Hashes, Item};
use crate::workers;

use solve::Solver;

pub(crate) use shape::Shape;

/// Items of one bin, in parts as they were hashed: to join them would take as much memory again.
pub(crate) struct Bin(pub(crate) Vec<Part>);

/// Some items of one bin, side by side.
#[derive(Clone, Default)]
pub(crate) struct Part {
    /// The 16 bytes that choose an item's columns.
    pub(crate) rows: Vec<Block>,
    /// `h(x)`.
    pub(crate) values: Vec<Block>,
    /// Where the item stands in the caller's list.
    pub(crate) indexes: Vec<u32>,
}

/// A set sorted into bins under one seed.
pub(crate) struct Binned {
    pub(crate) shape: Shape,
    pub(crate) bins: Vec<Bin>,
}

impl Binned {
    /// Hashes `items` with `seed` and puts each into its bin.
    pub(crate) fn new(
        shape: Shape,
        items: &[Item],
        hashes: &Hashes,
        seed: Block,
        workers: usize,
    ) -> Result<Self, PsiError> {
        let piece = workers::piece_length(items.len(), workers, 16);
        let pieces = items.chunks(piece).zip((0_u32..).step_by(piece)).collect();
        let pieces = workers::run(pieces, workers, |(items, offset)| {
            Ok(scatter(&shape, items, offset, hashes, seed))
        })?;
        let mut bins: Vec<Bin> = (0..shape.bins()).map(|_| Bin(Vec::new())).collect();
        for piece in pieces {
            bins.iter_mut().zip(piece).for_each(|(bin, part)| bin.0.push(part));
        }
        Ok(Self { shape, bins })
    }

    /// Solves for the store of all items, encoded, or says [`PsiError::Unsolvable`] for this seed.
    pub(crate) fn solve(&self, workers: usize) -> Result<Vec<u8>, PsiError> {
        let mut store = vec![0; self.shape.columns() * Block::BYTES];
        let columns = store.chunks_exact_mut(self.shape.bin_columns() * Block::BYTES);
        let tasks = self.bins.iter().zip(columns).collect();
        let start = || (Part::default(), Solver::default());
        workers::run_with(tasks, workers, start, |(whole, solver), (bin, target)| {
            let whole = bin.whole(whole);
            field::write_bytes(target, solver.solve(&self.shape, whole)?);
            Ok(())
        })?;
        Ok(store)
    }
}

impl Bin {
    /// All items of the bin, put together in `room` if they are in several parts.
    fn whole<'a>(&'a self, room: &'a mut Part) -> &'a Part {
        if let [part] = self.0.as_slice() {
            return part;
        }
        room.rows.clear();
        room.values.clear();
        for part in &self.0 {
            room.rows.extend_from_slice(&part.rows);
            room.values.extend_from_slice(&part.values);
        }
        room
    }
}

impl Part {
    fn with_capacity(items: usize) -> Self {
        Self {
            rows: Vec::with_capacity(items),
            values: Vec::with_capacity(items),
            indexes: Vec::with_capacity(items),
        }
    }

    /// Decodes the bin's columns at each of the items and adds it to their values, which then are
    /// not those of the hash any more: memory that is there already serves again.
    ///
    /// The sum of three sparse columns, and the dense ones times the powers of the row.
    pub(crate) fn decode(&mut self, shape: &Shape, columns: &[Block]) {
        let (sparse, dense) = columns.split_at(shape.sparse().min(columns.len()));
        let at = |column: u32| sparse.get(column as usize).copied().unwrap_or_default();
        for (value, row) in self.values.iter_mut().zip(&self.rows) {
            let [first, second, third] = shape.columns_of(*row);
            *value ^= at(first) ^ at(second) ^ at(third);
        }
        field::polynomial_add(&mut self.values, &self.rows, dense);
    }
}

/// Hashes a piece of the list whose first item has the index `offset`.
fn scatter(shape: &Shape, items: &[Item], offset: u32, hashes: &Hashes, seed: Block) -> Vec<Part> {
    let room = items.len().div_ceil(shape.bins()) * 9 / 8;
    let mut bins: Vec<Part> = (0..shape.bins()).map(|_| Part::with_capacity(room)).collect();
    let mut index = offset;
    hashes.rows(items, seed, |value, row| {
        if let Some(bin) = bins.get_mut(shape.bin_of(row)) {
            bin.rows.push(row);
            bin.values.push(value);
            bin.indexes.push(index);
        }
        index = index.wrapping_add(1);
    });
    bins
}

#[cfg(test)]
impl Bin {
    /// The values of all items.
    pub(crate) fn values(&self) -> Vec<Block> {
        self.0.iter().flat_map(|part| part.values.iter().copied()).collect()
    }

    /// What a store decodes to at the bin's items.
    pub(crate) fn decoded(&self, shape: &Shape, columns: &[Block]) -> Vec<Block> {
        let mut whole = self.whole(&mut Part::default()).clone();
        whole.values.fill(Block::ZERO);
        whole.decode(shape, columns);
        whole.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `store` decodes to the value of every item.
    fn holds(binned: &Binned, store: &[Block]) -> bool {
        let columns = store.chunks_exact(binned.shape.bin_columns());
        let mut bins = binned.bins.iter().zip(columns);
        bins.all(|(bin, columns)| bin.decoded(&binned.shape, columns) == bin.values())
    }

    fn items(count: u64, salt: u64) -> Vec<Item> {
        let item = |n: u64| Item::derive(&[n.to_le_bytes(), salt.to_le_bytes()].concat());
        (0..count).map(item).collect()
    }

    #[test]
    fn decodes_to_the_hash_of_every_item_and_of_no_other() {
        let hashes = Hashes::new(&[1; 32]);
        for (count, padded) in [(0, 1024), (1, 1024), (1000, 1024), (1536, 1536), (40_000, 49_152)]
        {
            let shape = Shape::for_padded(padded).unwrap();
            let own = items(count, 0);
            for workers in [1, 3] {
                let binned = Binned::new(shape, &own, &hashes, Block(99), workers).unwrap();
                let store = field::from_bytes(&binned.solve(workers).unwrap());
                assert_eq!(store.len(), shape.columns());
                assert!(holds(&binned, &store));
                let other = Binned::new(shape, &items(500, 1), &hashes, Block(99), 1).unwrap();
                for (bin, columns) in other.bins.iter().zip(store.chunks_exact(shape.bin_columns()))
                {
                    let decoded = bin.decoded(&shape, columns);
                    assert!(decoded.iter().zip(&bin.values()).all(|(left, right)| left != right));
                }
            }
        }
    }

    #[test]
    fn decoding_is_linear() {
        let hashes = Hashes::new(&[2; 32]);
        let shape = Shape::for_padded(1024).unwrap();
        let binned = Binned::new(shape, &items(100, 2), &hashes, Block(5), 1).unwrap();
        let vector = |start: u128| -> Vec<Block> {
            (0..shape.columns() as u128)
                .map(|n| Block((((n + start) * (n + 7)) << 60) | n))
                .collect()
        };
        let (left, right) = (vector(3), vector(1 << 50));
        let sum: Vec<Block> = left.iter().zip(&right).map(|(l, r)| *l ^ *r).collect();
        let [l, r, s] = [&left, &right, &sum].map(|store| binned.bins[0].decoded(&shape, store));
        assert!(l.iter().zip(&r).zip(&s).all(|((l, r), s)| *l ^ *r == *s));
    }

    #[test]
    fn repeated_items_are_one() {
        let hashes = Hashes::new(&[3; 32]);
        let own = [items(400, 3), items(400, 3), vec![items(1, 3)[0]; 200]].concat();
        let shape = Shape::for_padded(1024).unwrap();
        let binned = Binned::new(shape, &own, &hashes, Block(1), 1).unwrap();
        let store = field::from_bytes(&binned.solve(1).unwrap());
        assert!(holds(&binned, &store));
    }
}
