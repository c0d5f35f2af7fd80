//! The sender's outputs as they travel, and finding the receiver's own among them.
//!
//! Implements spec/psi.md#outputs. Sorted, so that their order says nothing of the sender's list
//! and so that the leading bytes, which ascending order makes nearly redundant, are left out.
//!
//! Invariant: one set of outputs has one encoding.

use crate::PsiError;
use crate::field::Block;
use crate::workers;

/// Outputs of a bucket, on average, when the own ones are sorted; a bucket fits the fastest cache.
const BUCKET_OUTPUTS: usize = 256;

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
    let count: usize = lists.iter().map(Vec::len).sum();
    let parts = workers.clamp(1, 16).next_power_of_two();
    let bits = bucket_bits(count).max(parts.trailing_zeros());
    let tasks = (0..parts).collect();
    workers::run(tasks, workers, |part| {
        let buckets = 1_usize << bits;
        let own = part * (buckets / parts)..(part + 1) * (buckets / parts);
        let place = |output: &Block| leading(*output, bits).wrapping_sub(own.start);
        let outputs = || lists.iter().flatten().map(|o| (place(o), *o));
        let mut sorted = scatter(outputs, own.len(), Block::ZERO);
        sorted.1.iter().zip(sorted.1.iter().skip(1)).for_each(|(start, end)| {
            if let Some(bucket) = sorted.0.get_mut(*start..*end) {
                bucket.sort_unstable_by_key(|output| output.0);
            }
        });
        Ok(sorted.0)
    })
}

/// Encodes ascending outputs, which may come in parts: how many have each prefix (two bytes), then
/// the rest of each.
pub(crate) fn encode(sorted: &[Vec<Block>]) -> Result<Vec<u8>, PsiError> {
    let count = sorted.iter().map(Vec::len).sum();
    let prefix = prefix_bytes(count);
    let mut bytes = Vec::with_capacity(encoded_bytes(count));
    if prefix > 0 {
        let mut counts = vec![0_u16; 1 << (8 * prefix)];
        for output in sorted.iter().flatten() {
            let count = counts.get_mut(leading(*output, 8 * prefix as u32));
            let count = count.ok_or(PsiError::Count)?;
            *count = count.checked_add(1).ok_or(PsiError::Count)?;
        }
        bytes.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
    }
    for output in sorted.iter().flatten() {
        let whole = output.to_bytes();
        bytes.extend_from_slice(whole.get(..Block::BYTES - prefix).unwrap_or_default());
    }
    Ok(bytes)
}

/// Decodes exactly `count` strictly ascending outputs.
pub(crate) fn decode(bytes: &[u8], count: usize) -> Result<Vec<Block>, PsiError> {
    if bytes.len() != encoded_bytes(count) {
        return Err(PsiError::Malformed);
    }
    let prefix = prefix_bytes(count);
    let table = if prefix == 0 { 0 } else { 2 << (8 * prefix) };
    let (table, rest) = bytes.split_at(table);
    let (counts, _) = table.as_chunks::<2>();
    let total: usize = counts.iter().map(|count| usize::from(u16::from_le_bytes(*count))).sum();
    if prefix > 0 && total != count {
        return Err(PsiError::Malformed);
    }
    let mut outputs = Vec::with_capacity(count);
    let mut rests = rest.chunks_exact(Block::BYTES - prefix);
    let mut previous = None;
    let mut take = |leading: u128, many: usize| {
        for rest in rests.by_ref().take(many) {
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
    };
    if prefix == 0 {
        take(0, count)?;
    }
    for (leading, many) in (0_u128..).zip(counts) {
        take(leading << (128 - 8 * prefix), usize::from(u16::from_le_bytes(*many)))?;
    }
    Ok(outputs)
}

/// The receiver's outputs, sorted by their leading half, each with the index of its item.
pub(crate) struct Own {
    /// Leading halves, and where in the lists their outputs are; in parts that follow one another.
    sorted: Vec<Vec<(u64, u32)>>,
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
        let count = lists.iter().map(|(_, outputs)| outputs.len()).sum();
        let parts = workers.clamp(1, 16).next_power_of_two();
        let bits = bucket_bits(count).max(parts.trailing_zeros());
        let sorted = workers::run((0..parts).collect(), workers, |part| {
            let buckets = 1_usize << bits;
            let own = part * (buckets / parts)..(part + 1) * (buckets / parts);
            let entries = || {
                let outputs = lists.iter().flat_map(|(_, outputs)| outputs);
                outputs.zip(0_u32..).map(|(output, place)| {
                    let bucket = leading(*output, bits).wrapping_sub(own.start);
                    (bucket, ((output.0 >> 64) as u64, place))
                })
            };
            let (mut sorted, starts) = scatter(entries, own.len(), (0, 0));
            for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
                if let Some(bucket) = sorted.get_mut(*start..*end) {
                    bucket.sort_unstable();
                }
            }
            Ok(sorted)
        })?;
        let mut next = 0;
        let mut starts = Vec::with_capacity(lists.len());
        for (_, outputs) in &lists {
            starts.push(next);
            next += outputs.len() as u32;
        }
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
    /// `theirs` ascends, so both lists are walked once.
    pub(crate) fn intersect<'a>(&self, theirs: impl IntoIterator<Item = &'a Block>) -> Vec<u32> {
        let mut common = Vec::new();
        let mut parts = self.sorted.iter();
        let mut own = [].as_slice();
        for output in theirs {
            let half = (output.0 >> 64) as u64;
            loop {
                match own.split_first() {
                    Some(((first, _), rest)) if *first < half => own = rest,
                    Some(_) => break,
                    None => match parts.next() {
                        Some(part) => own = part,
                        None => break,
                    },
                }
            }
            // Equal halves are in one part.
            let equal = own.iter().take_while(|(first, _)| *first == half);
            let found = equal.filter_map(|(_, place)| self.at(*place));
            common.extend(found.filter(|(_, own)| own == output).map(|(index, _)| index));
        }
        common.sort_unstable();
        common
    }
}

/// Leading bits that cut `count` outputs into buckets.
fn bucket_bits(count: usize) -> u32 {
    (count / BUCKET_OUTPUTS).max(1).ilog2()
}

/// The first `bits` bits of an output as a number.
fn leading(output: Block, bits: u32) -> usize {
    if bits == 0 { 0 } else { (output.0 >> (128 - bits)) as usize }
}

/// Puts entries into the buckets that they name, leaving out those that name none; also says where
/// each bucket starts and the last one ends.
fn scatter<T: Copy, I: Iterator<Item = (usize, T)>>(
    entries: impl Fn() -> I,
    buckets: usize,
    blank: T,
) -> (Vec<T>, Vec<usize>) {
    let mut starts = vec![0; buckets + 1];
    for (bucket, _) in entries() {
        if bucket < buckets
            && let Some(count) = starts.get_mut(bucket + 1)
        {
            *count += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut next = starts.clone();
    let mut placed = vec![blank; total];
    for (bucket, entry) in entries() {
        if bucket < buckets
            && let Some(next) = next.get_mut(bucket)
            && let Some(target) = placed.get_mut(*next)
        {
            *target = entry;
            *next += 1;
        }
    }
    (placed, starts)
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
            let bytes = encode(&[halves.0.to_vec(), halves.1.to_vec()]).unwrap();
            assert_eq!(bytes.len(), encoded_bytes(count));
            assert!(decode(&bytes, count).unwrap() == expect);
        }
        assert_eq!([0, 2047, 2048, 1 << 19, 1 << 27].map(prefix_bytes), [0, 0, 1, 2, 3]);
    }

    #[test]
    fn refuses_what_is_not_ascending_or_not_counted() {
        for count in [3, 2048] {
            let mut sorted = outputs(count, 2);
            sorted.sort_unstable_by_key(|output| output.0);
            let bytes = encode(&[sorted]).unwrap();
            assert!(decode(&bytes, count + 1).is_err());
            assert!(decode(&bytes[1..], count).is_err());
            let mut swapped = bytes.clone();
            let width = 16 - prefix_bytes(count);
            let table = bytes.len() - count * width;
            let second = swapped[table + width..table + 2 * width].to_vec();
            swapped[table..table + width].copy_from_slice(&second);
            assert!(decode(&swapped, count).is_err(), "a repeated output");
        }
        let mut sorted = outputs(2048, 3);
        sorted.sort_unstable_by_key(|output| output.0);
        let mut bytes = encode(&[sorted]).unwrap();
        bytes[0] ^= 1;
        assert!(decode(&bytes, 2048).is_err(), "a count that is off by one");
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
            assert_eq!(own.intersect(&theirs), expect);
            assert_eq!(own.intersect(&[]), Vec::<u32>::new());
        }
    }

    proptest! {
        #[test]
        fn decoding_is_total(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0_usize..13
        ) {
            if let Ok(outputs) = decode(&bytes, count) {
                prop_assert_eq!(outputs.len(), count);
                prop_assert_eq!(encode(&[outputs]).unwrap(), bytes);
            }
        }
    }
}
