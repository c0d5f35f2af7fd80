//! The sender's outputs as they travel, and finding the receiver's own among them.
//!
//! Implements spec/psi.md#outputs. Sorted, so that their order says nothing of the sender's list
//! and so that the leading bytes, which ascending order makes nearly redundant, are left out.
//!
//! Invariant: one set of outputs has one encoding.

use crate::PsiError;
use crate::field::Block;
use crate::workers;

/// Outputs of a bucket, on average, when outputs are sorted: few enough to be sorted in registers.
const BUCKET_OUTPUTS: usize = 8;
/// Leading bits by which outputs are parted first: what has them in common is then small enough to
/// stay near the processor, and one worker's task.
const PART_BITS: u32 = 6;
/// Outputs that are parted at once.
const PIECE_OUTPUTS: usize = 1 << 14;
/// Low bits of an output in whose place a sorted entry has the place of the output.
const PLACE_MASK: u128 = u32::MAX as u128;

/// Leading bytes that are not sent for `count` outputs: as many as leave eight outputs, on
/// average, to a prefix.
pub(crate) fn prefix_bytes(count: usize) -> usize {
    (1..=3).rev().find(|bytes| count >> (8 * bytes) >= 8).unwrap_or(0)
}

/// Bytes of the encoding of `count` outputs.
pub(crate) fn encoded_bytes(count: usize) -> usize {
    let prefix = prefix_bytes(count);
    let table = if prefix == 0 { 0 } else { 2 << (8 * prefix) };
    table + count * (Block::BYTES - prefix)
}

/// Sorts outputs from several lists, into parts that follow each other; equal ones are in one part.
pub(crate) fn sort(lists: &[Vec<Block>], workers: usize) -> Result<Vec<Vec<Block>>, PsiError> {
    let bits = bucket_bits(lists.iter().map(Vec::len).sum());
    let pieces = lists.iter().flat_map(|list| list.chunks(PIECE_OUTPUTS)).collect();
    let parted = workers::run(pieces, workers, |piece: &[Block]| {
        Ok(Buckets::new(|| piece.iter().copied(), 0, bits.min(PART_BITS)))
    })?;
    sort_parted(&parted, bits, workers)
}

/// Sorts what is parted by the first [`PART_BITS`] of `bits`; a list for each part.
fn sort_parted(parted: &[Buckets], bits: u32, workers: usize) -> Result<Vec<Vec<Block>>, PsiError> {
    let part_bits = bits.min(PART_BITS);
    workers::run((0..1 << part_bits).collect(), workers, |part| {
        let blocks = || parted.iter().flat_map(|piece| piece.bucket(part)).copied();
        let Buckets { mut blocks, starts } = Buckets::new(blocks, part_bits, bits - part_bits);
        for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
            if let Some(bucket) = blocks.get_mut(*start..*end) {
                bucket.sort_unstable_by_key(|block| block.0);
            }
        }
        Ok(blocks)
    })
}

/// Encodes ascending outputs, which may come in parts: how many have each prefix (two bytes), then
/// the rest of each.
pub(crate) fn encode(sorted: &[Vec<Block>], workers: usize) -> Result<Vec<u8>, PsiError> {
    let count = sorted.iter().map(Vec::len).sum();
    let prefix = prefix_bytes(count);
    let width = Block::BYTES - prefix;
    let mut bytes = vec![0; encoded_bytes(count)];
    let (table, mut rests) = bytes.split_at_mut(encoded_bytes(count) - count * width);
    if prefix > 0 {
        let mut counts = vec![0_u16; 1 << (8 * prefix)];
        for output in sorted.iter().flatten() {
            let count = counts.get_mut(leading(*output, 0, 8 * prefix as u32));
            let count = count.ok_or(PsiError::Count)?;
            *count = count.checked_add(1).ok_or(PsiError::Count)?;
        }
        let (table, _) = table.as_chunks_mut::<2>();
        table.iter_mut().zip(counts).for_each(|(target, count)| *target = count.to_le_bytes());
    }
    let mut tasks = Vec::with_capacity(sorted.len());
    for outputs in sorted {
        let (own, others) = rests.split_at_mut(outputs.len() * width);
        tasks.push((outputs, own));
        rests = others;
    }
    workers::run(tasks, workers, |(outputs, rests): (&Vec<Block>, &mut [u8])| {
        for (output, rest) in outputs.iter().zip(rests.chunks_exact_mut(width)) {
            let whole = output.to_bytes();
            rest.copy_from_slice(whole.get(..width).unwrap_or_default());
        }
        Ok(())
    })?;
    Ok(bytes)
}

/// Decodes exactly `count` strictly ascending outputs, into parts that follow each other.
pub(crate) fn decode(
    bytes: &[u8],
    count: usize,
    workers: usize,
) -> Result<Vec<Vec<Block>>, PsiError> {
    if bytes.len() != encoded_bytes(count) {
        return Err(PsiError::Malformed);
    }
    let prefix = prefix_bytes(count);
    let width = Block::BYTES - prefix;
    if prefix == 0 {
        let mut outputs = Vec::with_capacity(count);
        extend(&mut outputs, 0, bytes.chunks_exact(width))?;
        return Ok(vec![outputs]);
    }
    let (table, mut rests) = bytes.split_at(2 << (8 * prefix));
    let (counts, _) = table.as_chunks::<2>();
    let many = |counts: &[[u8; 2]]| -> usize {
        counts.iter().map(|count| usize::from(u16::from_le_bytes(*count))).sum()
    };
    if many(counts) != count {
        return Err(PsiError::Malformed);
    }
    let length = workers::piece_length(counts.len(), workers, 1);
    let mut tasks = Vec::new();
    for (counts, first) in counts.chunks(length).zip((0_u128..).step_by(length)) {
        let (own, others) = rests.split_at(many(counts) * width);
        tasks.push((first, counts, own));
        rests = others;
    }
    // Of two parts every output of the later one has a greater prefix.
    workers::run(tasks, workers, |(first, counts, rests): (u128, &[[u8; 2]], &[u8])| {
        let mut outputs = Vec::with_capacity(rests.len() / width);
        let mut rests = rests.chunks_exact(width);
        for (leading, count) in (first..).zip(counts) {
            let own = rests.by_ref().take(usize::from(u16::from_le_bytes(*count)));
            extend(&mut outputs, leading << (8 * width), own)?;
        }
        Ok(outputs)
    })
}

/// Appends the outputs that have the prefix `leading` and then each of `rests`, which ascend.
fn extend<'a>(
    outputs: &mut Vec<Block>,
    leading: u128,
    rests: impl Iterator<Item = &'a [u8]>,
) -> Result<(), PsiError> {
    let mut previous = None;
    for rest in rests {
        let mut whole = [0; Block::BYTES];
        whole.get_mut(..rest.len()).ok_or(PsiError::Malformed)?.copy_from_slice(rest);
        let output = u128::from_le_bytes(whole) | leading;
        if previous.is_some_and(|previous| previous >= output) {
            return Err(PsiError::Malformed);
        }
        previous = Some(output);
        outputs.push(Block(output));
    }
    Ok(())
}

/// The receiver's outputs, sorted, each with the index of its item.
pub(crate) struct Own {
    /// The outputs but for their low bits, which say where in the lists the whole output is; in
    /// parts that follow one another and have their leading bits in common.
    sorted: Vec<Vec<Block>>,
    /// Indexes of items, and their outputs.
    lists: Vec<(Vec<u32>, Vec<Block>)>,
    /// The place of the first output of each list.
    starts: Vec<u32>,
}

impl Own {
    /// `lists` are pairs of the indexes of items and their outputs.
    pub(crate) fn new(
        lists: Vec<(Vec<u32>, Vec<Block>)>,
        workers: usize,
    ) -> Result<Self, PsiError> {
        let mut next = 0;
        let mut starts = Vec::with_capacity(lists.len());
        for (_, outputs) in &lists {
            starts.push(next);
            next += outputs.len() as u32;
        }
        let bits = bucket_bits(next as usize);
        let tasks = lists.iter().zip(&starts).collect();
        let parted =
            workers::run(tasks, workers, |((_, outputs), start): (&(_, Vec<_>), &u32)| {
                let entry = |(output, place): (&Block, u32)| {
                    Block(output.0 & !PLACE_MASK | u128::from(place))
                };
                let entries = || outputs.iter().zip(*start..).map(entry);
                Ok(Buckets::new(entries, 0, bits.min(PART_BITS)))
            })?;
        let sorted = sort_parted(&parted, bits, workers)?;
        Ok(Self { sorted, lists, starts })
    }

    /// The output at a place in the lists, with the index of its item.
    fn at(&self, place: u32) -> Option<(u32, Block)> {
        let list = self.starts.partition_point(|start| *start <= place).checked_sub(1)?;
        let ((indexes, outputs), start) = self.lists.get(list).zip(self.starts.get(list))?;
        let offset = (place - start) as usize;
        Some((*indexes.get(offset)?, *outputs.get(offset)?))
    }

    /// Indexes of the items whose output is among the sender's, ascending.
    ///
    /// `theirs` ascends, also from list to list, so both sides are walked once.
    pub(crate) fn intersect(
        &self,
        theirs: &[Vec<Block>],
        workers: usize,
    ) -> Result<Vec<u32>, PsiError> {
        let parts = self.sorted.iter().zip(0_u128..).collect();
        let bits = self.sorted.len().max(1).ilog2();
        let found = workers::run(parts, workers, |(own, part): (&Vec<Block>, u128)| {
            let mut found = Vec::new();
            for theirs in theirs {
                let before = |limit: u128| {
                    theirs.partition_point(|output| leading(*output, 0, bits) as u128 <= limit)
                };
                let start = part.checked_sub(1).map_or(0, before);
                let range = theirs.get(start..before(part)).unwrap_or_default();
                self.walk(own, range, &mut found);
            }
            Ok(found)
        })?;
        // Marked and collected: that is cheaper than sorting them.
        let count = self.lists.iter().map(|(indexes, _)| indexes.len()).sum();
        let mut is_common = vec![false; count];
        for index in found.iter().flatten() {
            if let Some(mark) = is_common.get_mut(*index as usize) {
                *mark = true;
            }
        }
        let indexes = (0_u32..).zip(&is_common);
        Ok(indexes.filter(|(_, is_common)| **is_common).map(|(index, _)| index).collect())
    }

    /// Finds the outputs of one part among some of the sender's.
    fn walk(&self, own: &[Block], theirs: &[Block], found: &mut Vec<u32>) {
        let mut own = own;
        let mut alike = Vec::new();
        for output in theirs {
            let high = output.0 >> 32;
            while let Some((first, rest)) = own.split_first()
                && first.0 >> 32 < high
            {
                own = rest;
            }
            let equal = own.iter().take_while(|entry| entry.0 >> 32 == high);
            alike.extend(equal.map(|entry| ((entry.0 & PLACE_MASK) as u32, *output)));
        }
        // Only now, without decisions between, so that the processor fetches many at once.
        let whole = alike.iter().map(|(place, output)| (self.at(*place), *output));
        let common = whole.filter_map(|(own, output)| own.filter(|(_, own)| *own == output));
        found.extend(common.map(|(index, _)| index));
    }
}

/// Leading bits that cut `count` outputs into buckets.
fn bucket_bits(count: usize) -> u32 {
    (count / BUCKET_OUTPUTS).max(1).ilog2()
}

/// `bits` bits of an output as a number, after its first `skip`.
fn leading(output: Block, skip: u32, bits: u32) -> usize {
    if bits == 0 { 0 } else { (output.0 << skip >> (128 - bits)) as usize }
}

/// Blocks in the order of some of their leading bits.
struct Buckets {
    blocks: Vec<Block>,
    /// Where each bucket starts and the last one ends.
    starts: Vec<usize>,
}

impl Buckets {
    /// A bucket for each value of `bits` bits after the first `skip`.
    fn new<I: Iterator<Item = Block>>(blocks: impl Fn() -> I, skip: u32, bits: u32) -> Self {
        let mut starts = vec![0; (1 << bits) + 1];
        blocks().for_each(|block| {
            if let Some(count) = starts.get_mut(leading(block, skip, bits) + 1) {
                *count += 1;
            }
        });
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut next = starts.clone();
        let mut placed = vec![Block::ZERO; total];
        blocks().for_each(|block| {
            if let Some(next) = next.get_mut(leading(block, skip, bits))
                && let Some(target) = placed.get_mut(*next)
            {
                *target = block;
                *next += 1;
            }
        });
        Self { blocks: placed, starts }
    }

    fn bucket(&self, number: usize) -> &[Block] {
        let ends = self.starts.get(number).zip(self.starts.get(number + 1));
        ends.and_then(|(start, end)| self.blocks.get(*start..*end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Outputs without pattern.
    fn outputs(count: usize, salt: u64) -> Vec<Block> {
        let output = |n: usize| {
            let hash = blake3::hash(&[n.to_le_bytes(), salt.to_le_bytes()].concat());
            Block::from_bytes(hash.as_bytes()[..16].try_into().unwrap())
        };
        (0..count).map(output).collect()
    }

    #[test]
    fn sorted_outputs_come_back() {
        for count in [0, 1, 7, 1024, 2047, 2048, 5000, 600_000] {
            let list = outputs(count, 1);
            let mut expect = list.clone();
            expect.sort_unstable_by_key(|output| output.0);
            let halves = list.split_at(count / 3);
            for workers in [1, 2, 3] {
                let sorted = sort(&[halves.0.to_vec(), halves.1.to_vec()], workers).unwrap();
                assert!(sorted.concat() == expect);
            }
            let halves = expect.split_at(count / 5);
            let halves = [halves.0.to_vec(), halves.1.to_vec()];
            let bytes = encode(&halves, 1).unwrap();
            assert_eq!(bytes.len(), encoded_bytes(count));
            for workers in [1, 2, 3] {
                assert!(encode(&halves, workers).unwrap() == bytes);
                assert!(decode(&bytes, count, workers).unwrap().concat() == expect);
            }
        }
        assert_eq!([0, 2047, 2048, 1 << 19, 1 << 27].map(prefix_bytes), [0, 0, 1, 2, 3]);
    }

    #[test]
    fn refuses_what_is_not_ascending_or_not_counted() {
        for count in [3, 2048] {
            let mut sorted = outputs(count, 2);
            sorted.sort_unstable_by_key(|output| output.0);
            let bytes = encode(&[sorted], 1).unwrap();
            assert!(decode(&bytes, count + 1, 2).is_err());
            assert!(decode(&bytes[1..], count, 2).is_err());
            let mut swapped = bytes.clone();
            let width = 16 - prefix_bytes(count);
            let table = bytes.len() - count * width;
            let second = swapped[table + width..table + 2 * width].to_vec();
            swapped[table..table + width].copy_from_slice(&second);
            assert!(decode(&swapped, count, 2).is_err(), "a repeated output");
        }
        let mut sorted = outputs(2048, 3);
        sorted.sort_unstable_by_key(|output| output.0);
        let mut bytes = encode(&[sorted], 1).unwrap();
        bytes[0] ^= 1;
        assert!(decode(&bytes, 2048, 2).is_err(), "a count that is off by one");
    }

    #[test]
    fn finds_what_is_common_and_nothing_else() {
        let mine = outputs(5000, 4);
        let indexes: Vec<u32> = (0..5000).rev().collect();
        let reversed: Vec<Block> = mine.iter().rev().copied().collect();
        let mut theirs: Vec<Block> = mine.iter().step_by(3).copied().collect();
        // Equal in the leading half only.
        theirs.push(mine[1] ^ Block(1));
        theirs.extend(outputs(100, 5));
        theirs.sort_unstable_by_key(|output| output.0);
        let expect: Vec<u32> = (0..5000).step_by(3).collect();
        let lists = || {
            let (first, second) = (indexes.split_at(1700), reversed.split_at(1700));
            let lists = [(first.0, second.0), (&[], &[]), (first.1, second.1)];
            lists.map(|(indexes, outputs)| (indexes.to_vec(), outputs.to_vec())).to_vec()
        };
        for workers in [1, 2] {
            let own = Own::new(lists(), workers).unwrap();
            for lists in [vec![theirs.clone()], theirs.chunks(300).map(<[_]>::to_vec).collect()] {
                assert_eq!(own.intersect(&lists, workers).unwrap(), expect);
            }
            assert_eq!(own.intersect(&[], workers).unwrap(), Vec::<u32>::new());
        }
    }

    proptest! {
        #[test]
        fn decoding_is_total(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0_usize..13
        ) {
            if let Ok(outputs) = decode(&bytes, count, 1) {
                prop_assert_eq!(outputs.concat().len(), count);
                prop_assert_eq!(encode(&outputs, 1).unwrap(), bytes);
            }
        }
    }
}
