//! Extends 128 base transfers to a bit matrix correlated by the sender's secret.
//!
//! Implements spec/psi.md#extension: SoftSpoken (ePrint 2022/192) with trees of 16 leaves. The
//! receiver gets a bit `u` and a row `V`, the sender the row `W = V + u·Δ`. The roles of the base
//! transfers are turned around: the sender of the correlation chose there, by the bits of Δ.
//!
//! Invariants: nothing is given out before the check holds; no branch and no address depends on Δ.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::field::{self, Block};
use crate::ggm::{self, Shape, masked};
use crate::message::Reader;
use crate::ot_base::{BASE_TRANSFERS, ChosenKeys, KeyPairs};
use crate::ot_matrix::{Columns, check_hash};
use crate::prg::{Doubler, Stream};
use crate::vole_transcript::{Purpose, Transcript};
use crate::{PsiError, label};

/// Bits of Δ that one small tree serves: more bits, fewer bytes, more work.
const DEPTH: usize = 4;
const LEAVES: usize = 1 << DEPTH;
const TREES: usize = BASE_TRANSFERS / DEPTH;
const CHECK_BYTES: usize = 32;
/// Blocks of a stream that are folded together: those of all leaves stay in the nearest cache.
const FOLD_BLOCKS: usize = 64;

/// The receiver's part: `u`, and the columns of `V`. The first block is only for the check.
pub(crate) struct Choices {
    pub(crate) bits: Zeroizing<Vec<Block>>,
    pub(crate) columns: Columns,
}

/// Bytes of the receiver's message for columns of `blocks`.
pub(crate) const fn message_bytes(blocks: usize) -> usize {
    let sums = BASE_TRANSFERS * 2 * Block::BYTES;
    let checks = (TREES + 1) * CHECK_BYTES;
    let corrections = (TREES - 1) * blocks * Block::BYTES;
    sums + checks + corrections + Block::BYTES + CHECK_BYTES
}

/// Seed and check value of one leaf of a small tree.
struct Leaf {
    seed: Zeroizing<[u8; 16]>,
    check: [u8; CHECK_BYTES],
}

/// The two uses of a leaf, as independent outputs of one random oracle.
fn open_leaf(key: &[u8; 32], tree: usize, place: usize, leaf: Block) -> Leaf {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&(tree as u32).to_le_bytes()).update(&(place as u32).to_le_bytes());
    hasher.update(&leaf.to_bytes());
    let mut output = hasher.finalize_xof();
    let (mut seed, mut check) = (Zeroizing::new([0; 16]), [0; CHECK_BYTES]);
    output.fill(seed.as_mut());
    output.fill(&mut check);
    Leaf { seed, check }
}

fn add_check(sum: &mut [u8; CHECK_BYTES], value: &[u8; CHECK_BYTES]) {
    sum.iter_mut().zip(value).for_each(|(sum, byte)| *sum ^= byte);
}

/// Expands the seeds of a tree: adds to column `l` the streams of the places whose bit at level `l`
/// is set, and gives the sum of all. A stream counts only where its mask is set.
fn fold(seeds: &[Leaf], masks: &[u128; LEAVES], columns: &mut [Block]) -> Zeroizing<Vec<Block>> {
    let length = columns.len() / DEPTH;
    let streams: Vec<Stream> = seeds.iter().map(|leaf| Stream::new(*leaf.seed)).collect();
    let mut total = Zeroizing::new(vec![Block::ZERO; length]);
    let mut parts = Zeroizing::new(vec![[Block::ZERO; FOLD_BLOCKS]; LEAVES]);
    for first in (0..length).step_by(FOLD_BLOCKS) {
        for ((part, stream), mask) in parts.iter_mut().zip(&streams).zip(masks) {
            stream.fill(first as u64, part);
            part.iter_mut().for_each(|block| *block = masked(*block, *mask));
        }
        for (level, column) in columns.chunks_exact_mut(length).enumerate().rev() {
            for place in 0..1 << level {
                let [Some(left), Some(right)] = [2 * place, 2 * place + 1].map(|i| parts.get(i))
                else {
                    continue;
                };
                let (mut sum, right) = (*left, *right);
                field::add_slice(&mut sum, &right);
                field::add_slice(column.get_mut(first..).unwrap_or_default(), &right);
                if let Some(target) = parts.get_mut(place) {
                    *target = sum;
                }
            }
        }
        if let (Some(target), Some(sum)) = (total.get_mut(first..), parts.first()) {
            target.iter_mut().zip(sum).for_each(|(target, block)| *target = *block);
        }
    }
    total
}

/// The digest that both sides compute of the checked columns.
fn digest(transcript: &Transcript, hashes: impl Iterator<Item = Block>) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(label::EXTENSION_CHECK);
    hasher.update(transcript.as_bytes());
    for hash in hashes {
        hasher.update(&hash.to_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn check_powers(transcript: &Transcript, blocks: usize) -> Vec<Block> {
    let seed = transcript.derive(Purpose::ExtensionCheck, 0);
    let point = Block::from_bytes(seed.first_chunk().copied().unwrap_or_default());
    field::powers(point, blocks.saturating_sub(1))
}

fn small_doubler(transcript: &Transcript, tree: usize) -> Doubler {
    Doubler::new(transcript.derive(Purpose::SmallTree, tree))
}

/// The receiver's part and its message, which the transcript has absorbed.
pub(crate) fn receive(
    transcript: &mut Transcript,
    keys: &KeyPairs,
    blocks: usize,
    rng: &mut ChaCha20Rng,
) -> (Choices, Vec<u8>) {
    receive_altering(transcript, keys, blocks, rng, |_| ())
}

/// As [`receive`]; `alter` changes what is sent before the challenge, as a cheating receiver may.
fn receive_altering(
    transcript: &mut Transcript,
    keys: &KeyPairs,
    blocks: usize,
    rng: &mut ChaCha20Rng,
    alter: impl FnOnce(&mut [u8]),
) -> (Choices, Vec<u8>) {
    let mut message = Vec::with_capacity(message_bytes(blocks));
    let leaf_key = transcript.derive(Purpose::SmallLeaf, 0);
    let mut all_checks = blake3::Hasher::new_keyed(&leaf_key);
    let mut columns = Columns::new(blocks);
    let mut check_sums = Vec::with_capacity(TREES * CHECK_BYTES);
    let mut corrections = Vec::with_capacity((TREES - 1) * blocks * Block::BYTES);
    let mut bits = Zeroizing::new(Vec::new());
    let tree_keys = keys.expose_secret().chunks_exact(DEPTH);
    for (tree, (group, keys)) in columns.groups_mut(DEPTH).zip(tree_keys).enumerate() {
        let mut root = Zeroizing::new([0; Block::BYTES]);
        rng.fill_bytes(root.as_mut());
        let mut leaves = Zeroizing::new([Block::ZERO; LEAVES]);
        let doubler = small_doubler(transcript, tree);
        let sums = ggm::grow(Shape::new(LEAVES), &doubler, Block::from_bytes(*root), &mut *leaves);
        for ([left, right], [left_key, right_key]) in sums.iter().zip(keys) {
            message.extend((*left ^ *left_key).to_bytes());
            message.extend((*right ^ *right_key).to_bytes());
        }
        let mut check_sum = [0; CHECK_BYTES];
        let open = |(place, leaf): (usize, &Block)| open_leaf(&leaf_key, tree, place, *leaf);
        let opened: Vec<Leaf> = leaves.iter().enumerate().map(open).collect();
        for leaf in &opened {
            add_check(&mut check_sum, &leaf.check);
            all_checks.update(&leaf.check);
        }
        check_sums.extend(check_sum);
        let total = fold(&opened, &[u128::MAX; LEAVES], group);
        if tree == 0 {
            bits = total;
        } else {
            let correction = total.iter().zip(bits.iter()).map(|(a, b)| *a ^ *b);
            corrections.extend(correction.flat_map(Block::to_bytes));
        }
    }
    message.extend(check_sums);
    message.extend(all_checks.finalize().as_bytes());
    message.extend(corrections);
    alter(&mut message);
    transcript.absorb(&message);
    let powers = check_powers(transcript, blocks);
    let mut proof = check_hash(&bits, &powers).to_bytes().to_vec();
    proof.extend(digest(transcript, columns.iter().map(|column| check_hash(column, &powers))));
    transcript.absorb(&proof);
    message.extend(proof);
    (Choices { bits, columns }, message)
}

/// The sender's part: the columns of `W`, and `Δ`.
///
/// # Errors
/// [`PsiError::Malformed`] for a message of another length, [`PsiError::CheckFailed`] where the
/// receiver's trees or corrections do not fit together.
pub(crate) fn send(
    transcript: &mut Transcript,
    keys: &ChosenKeys,
    delta: Block,
    blocks: usize,
    message: &[u8],
) -> Result<Columns, PsiError> {
    let mut reader = Reader::new(message);
    let sums = reader.blocks(BASE_TRANSFERS * 2)?;
    let check_sums = reader.take(TREES * CHECK_BYTES)?;
    let (check_sums, _) = check_sums.as_chunks::<CHECK_BYTES>();
    let check_total = reader.array::<CHECK_BYTES>()?;
    let corrections = reader.blocks((TREES - 1) * blocks)?;
    let challenged = message.len().saturating_sub(Block::BYTES + CHECK_BYTES);
    let bits_hash = reader.block()?;
    let expect = reader.array::<CHECK_BYTES>()?;
    reader.finish()?;

    let leaf_key = transcript.derive(Purpose::SmallLeaf, 0);
    let mut all_checks = blake3::Hasher::new_keyed(&leaf_key);
    let mut columns = Columns::new(blocks);
    let none = vec![Block::ZERO; blocks];
    let corrections = std::iter::once(none.as_slice()).chain(corrections.chunks_exact(blocks));
    let (sums, _) = sums.as_chunks::<2>();
    let trees = columns.groups_mut(DEPTH).zip(keys.expose_secret().chunks_exact(DEPTH));
    let told = sums.chunks_exact(DEPTH).zip(check_sums).zip(corrections);
    for (tree, ((group, keys), ((sums, check_sum), correction))) in trees.zip(told).enumerate() {
        let bits = delta.0 >> (tree * DEPTH);
        let known = Zeroizing::new(known_sums(bits, sums, keys));
        // The first level is the highest bit of a place.
        let mut index =
            (0..DEPTH).fold(0, |index, level| index << 1 | (bits >> level & 1) as usize);
        let mut leaves = Zeroizing::new([Block::ZERO; LEAVES]);
        let doubler = small_doubler(transcript, tree);
        let punctured =
            ggm::grow_punctured(Shape::new(LEAVES), &doubler, index, &*known, &mut *leaves);
        index.zeroize();
        let open = |(place, leaf): (usize, &Block)| {
            open_leaf(&leaf_key, tree, place, punctured.leaf(place, *leaf))
        };
        let mut opened: Vec<Leaf> = leaves.iter().enumerate().map(open).collect();
        let masks: [u128; LEAVES] = std::array::from_fn(|place| !punctured.mask(place));
        complete_checks(&mut opened, &masks, check_sum);
        opened.iter().for_each(|leaf| _ = all_checks.update(&leaf.check));
        let total = fold(&opened, &masks, group);
        for (level, column) in group.chunks_exact_mut(blocks).enumerate() {
            let mask = 0u128.wrapping_sub(bits >> level & 1);
            for ((block, total), correction) in column.iter_mut().zip(total.iter()).zip(correction)
            {
                *block ^= masked(*total ^ *correction, mask);
            }
        }
    }
    let trees_agree = all_checks.finalize().as_bytes().ct_eq(&check_total);
    transcript.absorb(message.get(..challenged).unwrap_or_default());
    let powers = check_powers(transcript, blocks);
    let hashes = columns.iter().enumerate().map(|(place, column)| {
        let mask = 0u128.wrapping_sub(delta.0 >> place & 1);
        check_hash(column, &powers) ^ masked(bits_hash, mask)
    });
    let columns_agree = digest(transcript, hashes).ct_eq(&expect);
    transcript.absorb(message.get(challenged..).unwrap_or_default());
    // One answer for both checks: which failed would tell more about Δ than that one did.
    if bool::from(trees_agree & columns_agree) { Ok(columns) } else { Err(PsiError::CheckFailed) }
}

/// The sums on the sides away from the path, freed of their pads.
fn known_sums(bits: u128, sums: &[[Block; 2]], keys: &[Block]) -> [Block; DEPTH] {
    let mut known = [Block::ZERO; DEPTH];
    for (level, ((known, [left, right]), key)) in known.iter_mut().zip(sums).zip(keys).enumerate() {
        // A set bit goes right, so the left sum is the one to know.
        let mask = 0u128.wrapping_sub(bits >> level & 1);
        *known = masked(*left, mask) ^ masked(*right, !mask) ^ *key;
    }
    known
}

/// Gives the leaf that is not known the check value that the sum of all leaves open.
fn complete_checks(opened: &mut [Leaf], masks: &[u128; LEAVES], sum: &[u8; CHECK_BYTES]) {
    let mut missing = *sum;
    for (leaf, mask) in opened.iter_mut().zip(masks) {
        let byte = *mask as u8;
        leaf.check.iter_mut().for_each(|value| *value &= byte);
        add_check(&mut missing, &leaf.check);
    }
    for (leaf, mask) in opened.iter_mut().zip(masks) {
        let byte = !*mask as u8;
        leaf.check.iter_mut().zip(&missing).for_each(|(value, known)| *value ^= known & byte);
    }
}

#[cfg(test)]
mod tests {
    use chacha20::rand_core::SeedableRng;

    use super::*;

    /// `cheat` alters before the challenge, `alter` on the way.
    fn run(
        delta: Block,
        blocks: usize,
        cheat: impl FnOnce(&mut [u8]),
        alter: impl FnOnce(&mut Vec<u8>),
    ) -> (Choices, Result<Columns, PsiError>) {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let (chosen, pairs) = base(delta, &mut rng);
        let mut left = Transcript::new(&[1; 32], &[]);
        let mut right = left.clone();
        let (choices, mut message) = receive_altering(&mut left, &pairs, blocks, &mut rng, cheat);
        assert_eq!(message.len(), message_bytes(blocks));
        alter(&mut message);
        let columns = send(&mut right, &chosen, delta, blocks, &message);
        (choices, columns)
    }

    /// Keys as base transfers give them, without the group.
    fn base(delta: Block, rng: &mut ChaCha20Rng) -> (ChosenKeys, KeyPairs) {
        let mut random = || Block((u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64()));
        let pairs: Vec<[Block; 2]> = (0..BASE_TRANSFERS).map(|_| [random(), random()]).collect();
        let pick = |(bit, pair): (usize, &[Block; 2])| pair[(!delta.0 >> bit & 1) as usize];
        let chosen = pairs.iter().enumerate().map(pick).collect();
        (ChosenKeys::of(chosen), KeyPairs::of(pairs))
    }

    fn correlated(delta: Block, choices: &Choices, columns: &Columns, blocks: usize) -> bool {
        (0..blocks).all(|block| {
            let (v, w) = (choices.columns.rows(block), columns.rows(block));
            let bits = choices.bits[block].0;
            let expect = |row: usize| v[row] ^ masked(delta, 0u128.wrapping_sub(bits >> row & 1));
            (0..128).all(|row| w[row] == expect(row))
        })
    }

    #[test]
    fn every_row_is_correlated() {
        for delta in [Block(0), Block(u128::MAX), Block(0x1234_5678_9abc_def0_0fed_cba9_8765_4321)]
        {
            let (choices, columns) = run(delta, 70, |_| (), |_| ());
            assert!(correlated(delta, &choices, &columns.unwrap(), 70));
        }
    }

    /// spec/psi.md#extension: a wrong correction passes exactly for the four bits of Δ that cancel
    /// it, and a wrong sum exactly for those that do not need it; then nothing is wrong.
    #[test]
    fn a_cheating_receiver_is_caught_or_guessed_bits_of_the_secret() {
        const BLOCKS: usize = 3;
        let delta = Block(0x0000_1111_2222_4444_8888_ffff_0f0f_30c0);
        let sums_end = BASE_TRANSFERS * 32;
        let corrections = sums_end + (TREES + 1) * CHECK_BYTES;
        let end = corrections + (TREES - 1) * BLOCKS * 16;
        let (mut passed, mut caught) = (0, 0);
        for place in (0..sums_end).step_by(7).chain((corrections..end).step_by(5)) {
            let (choices, columns) = run(delta, BLOCKS, |sent| sent[place] ^= 16, |_| ());
            let harmless = if place < sums_end {
                let (transfer, side) = (place / 32, place / 16 % 2);
                (delta.0 >> transfer & 1) as usize == side
            } else {
                let tree = 1 + (place - corrections) / 16 / BLOCKS;
                delta.0 >> (DEPTH * tree) & 15 == 0
            };
            match columns {
                Ok(columns) => {
                    assert!(harmless, "byte {place} passed");
                    assert!(correlated(delta, &choices, &columns, BLOCKS), "byte {place}");
                    passed += 1;
                }
                Err(error) => {
                    assert_eq!(error, PsiError::CheckFailed);
                    assert!(!harmless, "byte {place} was caught");
                    caught += 1;
                }
            }
        }
        assert!(passed > 100 && caught > 100);
    }

    #[test]
    fn a_wrong_check_value_is_caught() {
        let sums_end = BASE_TRANSFERS * 32;
        for place in (sums_end..sums_end + (TREES + 1) * CHECK_BYTES).step_by(3) {
            let (_, columns) = run(Block(77), 2, |sent| sent[place] ^= 1, |_| ());
            assert_eq!(columns.err(), Some(PsiError::CheckFailed), "byte {place}");
        }
        for back in 1..=Block::BYTES + CHECK_BYTES {
            let alter =
                |message: &mut Vec<u8>| *message.iter_mut().nth_back(back - 1).unwrap() ^= 1;
            let (_, columns) = run(Block(77), 2, |_| (), alter);
            assert_eq!(columns.err(), Some(PsiError::CheckFailed), "{back} from the end");
        }
    }

    #[test]
    fn a_message_of_another_length_is_refused() {
        let (_, columns) = run(Block(5), 3, |_| (), |message| message.push(0));
        assert_eq!(columns.err(), Some(PsiError::Malformed));
        let (_, columns) = run(Block(5), 3, |_| (), |message| _ = message.pop());
        assert_eq!(columns.err(), Some(PsiError::Malformed));
    }
}
