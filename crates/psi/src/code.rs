//! The expand-convolute code: shortens a long sparse vector to a shorter one that looks random.
//!
//! Implements spec/psi.md#code (ePrint 2023/882). The generator is `B · A`: the convolution `A` adds
//! to every entry some of the 24 before it and the one 25 back, the expander `B` sums 21 uniform
//! entries for each entry of the result.
//!
//! Invariant: the matrix is public and comes from a seed; which entries are touched depends on
//! nothing else.

use std::ops::{BitXor, BitXorAssign};

use crate::PsiError;
use crate::field::Block;
use crate::limits::{EXPANDER_WEIGHT, VOLE_CODE_LENGTH_MAX};
use crate::prg::Stream;
use crate::workers;

/// Entries whose sums are tabled together: one table has all 16 sums of four.
const GROUP_ENTRIES: usize = 4;
/// Tables that are kept: the own group, the six before it, and one more for a power of two.
const TABLES: usize = 8;
/// The entry 25 back is always added: a state that is not zero never becomes zero by itself.
const ALWAYS: u32 = 1 << 24;
/// Rows whose numbers are drawn together.
const ROWS: usize = 64;
/// Blocks of the stream for the rows of a batch, four numbers of 32 bits each.
const ROWS_BLOCKS: usize = ROWS * EXPANDER_WEIGHT / 4;

/// What the code is linear over: one vector, or two that share the way.
pub(crate) trait Entry:
    Copy + Default + Send + Sync + BitXor<Output = Self> + BitXorAssign
{
}

impl Entry for Block {}

/// Entries of two vectors at one place, side by side in memory.
#[derive(Clone, Copy, Default, zeroize::Zeroize)]
#[repr(C, align(32))]
pub(crate) struct Pair(pub(crate) [Block; 2]);

impl Entry for Pair {}

impl BitXor for Pair {
    type Output = Self;
    #[inline]
    fn bitxor(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a ^ c, b ^ d])
    }
}

impl BitXorAssign for Pair {
    #[inline]
    fn bitxor_assign(&mut self, other: Self) {
        *self = *self ^ other;
    }
}

/// One matrix, from a public seed.
pub(crate) struct Code {
    convolution: Stream,
    expander: Stream,
}

impl Code {
    /// `seed` is public and comes from the session.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let (left, right) = seed.split_at(16);
        let stream = |half: &[u8]| Stream::new(half.try_into().unwrap_or_default());
        Self { convolution: stream(left), expander: stream(right) }
    }

    /// Replaces `entries` by their image under the convolution.
    ///
    /// The sums of four neighbours are tabled once and looked up by the six later groups, which
    /// takes seven additions an entry instead of twelve, and no masks.
    pub(crate) fn convolve<E: Entry>(&self, entries: &mut [E]) {
        let mut tables = [[E::default(); 16]; TABLES];
        // The last of the seventh group back: 25 before the first of a group.
        let mut last = [E::default(); TABLES];
        let mut bits = [Block::ZERO; ROWS];
        let batch = ROWS * 4;
        for (number, piece) in entries.chunks_mut(batch).enumerate() {
            self.convolution.fill((number * ROWS) as u64, &mut bits);
            let mut words = bits.iter().flat_map(|block| words(*block));
            for (group, entries) in piece.chunks_mut(GROUP_ENTRIES).enumerate() {
                convolve_group(entries, group % TABLES, &mut tables, &mut last, &mut words);
            }
        }
    }

    /// `output[i] = Σ input[position(i, j)]` over the 21 positions of row `i`.
    ///
    /// # Errors
    /// [`PsiError::Count`] for an empty input or one longer than [`VOLE_CODE_LENGTH_MAX`].
    pub(crate) fn expand(
        &self,
        input: &[Block],
        output: &mut [Block],
        workers: usize,
    ) -> Result<(), PsiError> {
        let length = workers::piece_length(output.len(), workers, ROWS);
        let pieces = output.chunks_mut(length).enumerate().collect();
        workers::run(pieces, workers, |(number, rows): (usize, &mut [Block])| {
            let rows = rows.iter_mut();
            self.expand_rows(input, number * length, rows, |row, sum| *row = sum)
        })?;
        Ok(())
    }

    /// The same for two vectors at once, which costs little more than one: both entries of a place
    /// come with one line of the cache.
    ///
    /// # Errors
    /// As of [`expand`](Self::expand).
    pub(crate) fn expand_pairs(
        &self,
        input: &[Pair],
        left: &mut [Block],
        right: &mut [Block],
        workers: usize,
    ) -> Result<(), PsiError> {
        let length = workers::piece_length(left.len(), workers, ROWS);
        let pieces = left.chunks_mut(length).zip(right.chunks_mut(length)).enumerate();
        workers::run(pieces.collect(), workers, |(number, (left, right))| {
            let rows = left.iter_mut().zip(right.iter_mut());
            self.expand_rows(input, number * length, rows, |(left, right), Pair(sums)| {
                [*left, *right] = sums;
            })
        })?;
        Ok(())
    }

    /// Sums the rows from number `first` on, which is a multiple of `ROWS`.
    fn expand_rows<E: Entry, T>(
        &self,
        input: &[E],
        first: usize,
        mut rows: impl ExactSizeIterator<Item = T>,
        put: impl Fn(T, E),
    ) -> Result<(), PsiError> {
        if input.len() > VOLE_CODE_LENGTH_MAX || input.is_empty() {
            return Err(PsiError::Count);
        }
        let mut numbers = [Block::ZERO; ROWS_BLOCKS];
        let mut flat = [0u32; ROWS * EXPANDER_WEIGHT];
        let batches = first / ROWS..first / ROWS + rows.len().div_ceil(ROWS);
        for batch in batches {
            self.expander.fill((batch * ROWS_BLOCKS) as u64, &mut numbers);
            let (targets, _) = flat.as_chunks_mut::<4>();
            for (target, block) in targets.iter_mut().zip(&numbers) {
                *target = words(*block);
            }
            let (positions, _) = flat.as_chunks::<EXPANDER_WEIGHT>();
            for (positions, row) in positions.iter().zip(&mut rows) {
                let mut sum = E::default();
                for number in positions {
                    if let Some(entry) = input.get(position(*number, input.len())) {
                        sum ^= *entry;
                    }
                }
                put(row, sum);
            }
        }
        Ok(())
    }
}

/// The four 32-bit numbers of a block, lowest first.
#[inline]
fn words(block: Block) -> [u32; 4] {
    let x = block.0;
    [x as u32, (x >> 32) as u32, (x >> 64) as u32, (x >> 96) as u32]
}

/// Maps a uniform number to `0..length`.
#[inline]
fn position(number: u32, length: usize) -> usize {
    ((u64::from(number) * length as u64) >> 32) as usize
}

/// Four entries of the convolution; `own` is the number of their group, modulo the tables.
///
/// Bit `d - 1` of a word says whether the entry `d` before is added. Shifted to the group's end, its
/// nibbles are the table indices of the own group, the one before, and so on.
#[inline]
fn convolve_group<E: Entry>(
    entries: &mut [E],
    own: usize,
    tables: &mut [[E; 16]; TABLES],
    last: &mut [E; TABLES],
    words: &mut impl Iterator<Item = u32>,
) {
    let seventh = last.get((own + 1) % TABLES).copied().unwrap_or_default();
    let mut table = [E::default(); 16];
    for (lane, entry) in entries.iter_mut().enumerate() {
        let word = words.next().unwrap_or_default() & (ALWAYS - 1) | ALWAYS;
        let aligned = u64::from(word) << (GROUP_ENTRIES - lane);
        let mut sum = *entry;
        if lane == 0 {
            sum ^= seventh;
        }
        sum ^= *table.get((aligned & 15) as usize).unwrap_or(&E::default());
        for back in 1..7 {
            let nibble = (aligned >> (4 * back) & 15) as usize;
            let other = tables.get((own + TABLES - back) % TABLES);
            if let Some(known) = other.and_then(|table| table.get(nibble)) {
                sum ^= *known;
            }
        }
        *entry = sum;
        // The entry's own bit is the higher the longer it is past.
        let bit = 8 >> lane;
        for index in (0..16usize).step_by(2 * bit) {
            let base = table.get(index).copied().unwrap_or_default();
            if let Some(target) = table.get_mut(index + bit) {
                *target = base ^ sum;
            }
        }
    }
    if let (Some(target), Some(value)) = (last.get_mut(own), entries.last()) {
        *target = *value;
    }
    if let Some(target) = tables.get_mut(own) {
        *target = table;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix by its definition, row by row, and a plain product with it.
    fn slow(seed: [u8; 32], input: &[Block], rows: usize) -> Vec<Block> {
        let stream = |half: &[u8], blocks: usize| {
            let mut target = vec![Block::ZERO; blocks];
            Stream::new(half.try_into().unwrap()).fill(0, &mut target);
            target.into_iter().flat_map(words).collect::<Vec<u32>>()
        };
        let bits = stream(&seed[..16], input.len().div_ceil(4));
        let numbers = stream(&seed[16..], rows.next_multiple_of(4) * EXPANDER_WEIGHT / 4);
        // convolution[i] is row i of A: which inputs sum to entry i.
        let mut convolution: Vec<Vec<bool>> = Vec::new();
        for (i, word) in bits.iter().take(input.len()).enumerate() {
            let mut row = vec![false; input.len()];
            row[i] = true;
            for distance in 1..=25 {
                let taken = distance == 25 || word >> (distance - 1) & 1 == 1;
                if taken && distance <= i {
                    let earlier = convolution[i - distance].clone();
                    row.iter_mut().zip(earlier).for_each(|(bit, other)| *bit ^= other);
                }
            }
            convolution.push(row);
        }
        (0..rows)
            .map(|i| {
                let mut row = vec![false; input.len()];
                for number in &numbers[i * EXPANDER_WEIGHT..(i + 1) * EXPANDER_WEIGHT] {
                    let place = (u128::from(*number) * input.len() as u128 >> 32) as usize;
                    row.iter_mut().zip(&convolution[place]).for_each(|(bit, other)| *bit ^= other);
                }
                let terms = row.iter().zip(input).filter(|(bit, _)| **bit);
                terms.fold(Block::ZERO, |sum, (_, entry)| sum ^ *entry)
            })
            .collect()
    }

    fn fast(seed: [u8; 32], input: &[Block], rows: usize, workers: usize) -> Vec<Block> {
        let code = Code::new(seed);
        let mut input = input.to_vec();
        code.convolve(&mut input);
        let mut output = vec![Block::ZERO; rows];
        code.expand(&input, &mut output, workers).unwrap();
        output
    }

    #[test]
    fn the_code_is_its_matrix() {
        for (length, rows) in [(1, 1), (30, 12), (257, 128), (600, 299), (1023, 511)] {
            let seed = *b"sixteen bytes 01sixteen bytes 02";
            let mut input = vec![Block::ZERO; length];
            Stream::new([3; 16]).fill(0, &mut input);
            let expect = slow(seed, &input, rows);
            for workers in [1, 3] {
                assert!(fast(seed, &input, rows, workers) == expect, "{length} to {rows}");
            }
        }
    }

    #[test]
    fn two_vectors_go_the_way_of_each() {
        let mut streams = [vec![Block::ZERO; 700], vec![Block::ZERO; 700]];
        Stream::new([4; 16]).fill(0, &mut streams[0]);
        Stream::new([5; 16]).fill(0, &mut streams[1]);
        let mut pairs: Vec<Pair> =
            streams[0].iter().zip(&streams[1]).map(|(a, b)| Pair([*a, *b])).collect();
        let code = Code::new([9; 32]);
        code.convolve(&mut pairs);
        let [mut left, mut right] = [vec![Block::ZERO; 350], vec![Block::ZERO; 350]];
        code.expand_pairs(&pairs, &mut left, &mut right, 2).unwrap();
        for (together, stream) in [left, right].iter().zip(&streams) {
            assert!(*together == fast([9; 32], stream, 350, 1));
        }
    }
}
