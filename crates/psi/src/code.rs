//! The expand-convolute code: shortens a long sparse vector to a shorter one that looks random.
//!
//! Implements spec/psi.md#code (ePrint 2023/882). The generator is `B · A`: the convolution `A`
//! adds to every entry some of the 24 before it and the one 25 back; the expander `B` sums 21
//! entries for each entry of the result, a uniform one from each of 21 regions of equal size.
//!
//! Invariant: the matrix is public and comes from a seed; which entries are touched depends on
//! nothing else.

use std::ops::Range;

use crate::PsiError;
use crate::field::Block;
use crate::lane::Lane;
use crate::limits::{EXPANDER_WEIGHT, VOLE_CODE_LENGTH_MAX};
use crate::prg::Stream;
use crate::workers;

/// Entries whose sums are tabled together: one table has all 16 sums of four.
const GROUP_ENTRIES: usize = 4;
/// Tables that are kept: the own group's and those of the seven before it.
const TABLES: usize = 8;
/// The entry 25 back is always added: a state that is not zero never becomes zero by itself.
const ALWAYS: u32 = 1 << 24;
/// Rows whose numbers are drawn together, and entries whose bits are.
const ROWS: usize = ROW_BLOCKS * 4;
/// Blocks of a stream that have the numbers of so many rows: enough to make up for each call.
const ROW_BLOCKS: usize = 256;

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
    /// The sums of four neighbours are tabled once and looked up by the six later groups: six
    /// additions an entry instead of twelve, and no masks. Sequential by its nature.
    pub(crate) fn convolve(&self, entries: &mut [Block]) {
        let mut tables = [[Lane::default(); 16]; TABLES];
        let mut bits = [[0; GROUP_ENTRIES]; ROW_BLOCKS];
        for (number, piece) in entries.chunks_mut(ROWS).enumerate() {
            self.convolution.numbers((number * ROW_BLOCKS) as u64, &mut bits);
            let (groups, rest) = piece.as_chunks_mut::<GROUP_ENTRIES>();
            let count = groups.len();
            for (own, (group, bits)) in groups.iter_mut().zip(&bits).enumerate() {
                *group = convolve_group(*group, own, &mut tables, *bits);
            }
            if let Some(bits) = bits.get(count) {
                let mut group = [Block::ZERO; GROUP_ENTRIES];
                group.iter_mut().zip(rest.iter()).for_each(|(target, entry)| *target = *entry);
                let group = convolve_group(group, count, &mut tables, *bits);
                rest.iter_mut().zip(group).for_each(|(target, entry)| *target = entry);
            }
        }
    }

    /// Puts into `output[i]` the sum of the 21 entries of `input` that row `i` names.
    ///
    /// What was there is overwritten, not read: memory that is fresh from the system is then given
    /// once. Read first, it would be shared zeros that the first write exchanges, page by page, and
    /// each exchange interrupts all other threads.
    ///
    /// # Errors
    /// [`PsiError::Count`] for an input of fewer than 21 entries or more than
    /// [`VOLE_CODE_LENGTH_MAX`].
    pub(crate) fn expand(
        &self,
        input: &[Block],
        output: &mut [Block],
        workers: usize,
    ) -> Result<(), PsiError> {
        let length = share(output.len(), workers);
        let pieces = output.chunks_mut(length).enumerate().collect();
        workers::run(pieces, workers, |(number, rows): (usize, &mut [Block])| {
            self.visit(input, number * length, rows.len(), |region, range, entries, places| {
                let rows = rows.get_mut(range).unwrap_or_default();
                let terms = places.iter().map(|place| entries.get(*place as usize));
                let pairs = rows.iter_mut().zip(terms);
                if region == 0 {
                    pairs.for_each(|(row, term)| *row = term.copied().unwrap_or_default());
                    return;
                }
                for (row, term) in pairs {
                    if let Some(term) = term {
                        *row ^= *term;
                    }
                }
            })
        })?;
        Ok(())
    }

    /// Calls `add` with the number of a region, a range of rows, the region of the input, and one
    /// place in it for each row; `first` is the number of the first row, a multiple of `ROWS`.
    ///
    /// One region after the other: what is read without order is then small enough to stay near the
    /// processor, and what is large is read and written in order.
    fn visit(
        &self,
        input: &[Block],
        first: usize,
        rows: usize,
        mut add: impl FnMut(usize, Range<usize>, &[Block], &[u32]),
    ) -> Result<(), PsiError> {
        if input.len() > VOLE_CODE_LENGTH_MAX || input.len() < EXPANDER_WEIGHT {
            return Err(PsiError::Count);
        }
        let mut numbers = [[0; 4]; ROW_BLOCKS];
        for region in 0..EXPANDER_WEIGHT {
            let entries = input.get(region_range(input.len(), region)).unwrap_or_default();
            for offset in (0..rows).step_by(ROWS) {
                self.expander.numbers(row_block(region, first + offset), &mut numbers);
                let places = numbers.as_flattened_mut();
                places.iter_mut().for_each(|number| *number = place(*number, entries.len()));
                add(region, offset..rows.min(offset + ROWS), entries, places);
            }
        }
        Ok(())
    }
}

/// Rows of each worker: as few pieces as workers, because each piece goes through all regions.
fn share(rows: usize, workers: usize) -> usize {
    rows.div_ceil(workers.max(1)).next_multiple_of(ROWS).max(ROWS)
}

/// The entries from which every row takes its term number `region`.
fn region_range(length: usize, region: usize) -> Range<usize> {
    region * length / EXPANDER_WEIGHT..(region + 1) * length / EXPANDER_WEIGHT
}

/// The block of the stream that has the numbers of four rows for one region.
fn row_block(region: usize, row: usize) -> u64 {
    ((region as u64) << 40) | (row / 4) as u64
}

/// Maps a uniform number to `0..length`.
#[inline]
fn place(number: u32, length: usize) -> u32 {
    ((u64::from(number) * length as u64) >> 32) as u32
}

/// Four entries of the convolution; `own` is the number of their group.
///
/// Bit `d - 1` of a word says whether the entry `d` before is added. Shifted to the end of the
/// group, its nibbles are the table indices of the own group, the one before, and so on; the lowest
/// bit of a nibble is the group's last entry.
#[inline]
fn convolve_group(
    group: [Block; GROUP_ENTRIES],
    own: usize,
    tables: &mut [[Lane; 16]; TABLES],
    words: [u32; GROUP_ENTRIES],
) -> [Block; GROUP_ENTRIES] {
    let look = |back: usize, index: u64| {
        let table = tables.get((own + TABLES - back) % TABLES);
        table.and_then(|table| table.get((index & 15) as usize)).copied().unwrap_or_default()
    };
    let earlier = |entry: Block, word: u64| {
        let near = look(1, word >> 4) ^ look(2, word >> 8) ^ look(3, word >> 12);
        let far = look(4, word >> 16) ^ look(5, word >> 20) ^ look(6, word >> 24);
        Lane::new(entry) ^ near ^ far
    };
    let [a, b, c, d] = words.map(|word| u64::from(word & (ALWAYS - 1) | ALWAYS));
    let (a, b, c, d) = (a << 4, b << 3, c << 2, d << 1);
    let [w, x, y, z] = group;
    // Of the first entry, the one 25 back is the last of the seventh group back.
    let w = earlier(w, a) ^ look(7, 1);
    let x = earlier(x, b) ^ w.choose(b >> 3);
    let y = earlier(y, c) ^ w.choose(c >> 3) ^ x.choose(c >> 2);
    let z = earlier(z, d) ^ w.choose(d >> 3) ^ x.choose(d >> 2) ^ y.choose(d >> 1);
    let both = y ^ z;
    if let Some(table) = tables.get_mut(own % TABLES) {
        let (quarters, _) = table.as_chunks_mut::<4>();
        for (quarter, high) in quarters.iter_mut().zip([Lane::default(), x, w, w ^ x]) {
            *quarter = [high, high ^ z, high ^ y, high ^ both];
        }
    }
    [w.block(), x.block(), y.block(), z.block()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The four 32-bit numbers of a block, lowest first.
    fn words(block: Block) -> [u32; 4] {
        let x = block.0;
        [x as u32, (x >> 32) as u32, (x >> 64) as u32, (x >> 96) as u32]
    }

    /// The matrix by its definition, row by row, and a plain product with it.
    fn slow(seed: [u8; 32], input: &[Block], rows: usize) -> Vec<Block> {
        let stream = |half: &[u8], blocks: usize| {
            let mut target = vec![Block::ZERO; blocks];
            Stream::new(half.try_into().unwrap()).fill(0, &mut target);
            target.into_iter().flat_map(words).collect::<Vec<u32>>()
        };
        let bits = stream(&seed[..16], input.len().div_ceil(4));
        let expander = Stream::new(seed[16..].try_into().unwrap());
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
                for region in 0..21 {
                    let mut block = [Block::ZERO];
                    expander.fill((region << 40) + i as u64 / 4, &mut block);
                    let number = u128::from(words(block[0])[i % 4]);
                    let length = input.len() as u128;
                    let start = u128::from(region) * length / 21;
                    let end = u128::from(region + 1) * length / 21;
                    let place = (start + ((number * (end - start)) >> 32)) as usize;
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
        for (length, rows) in [(21, 1), (30, 12), (257, 128), (600, 299), (1023, 511)] {
            let seed = *b"sixteen bytes 01sixteen bytes 02";
            let mut input = vec![Block::ZERO; length];
            Stream::new([3; 16]).fill(0, &mut input);
            let expect = slow(seed, &input, rows);
            for workers in [1, 3] {
                assert!(fast(seed, &input, rows, workers) == expect, "{length} to {rows}");
            }
        }
    }
}
