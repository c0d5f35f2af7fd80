//! Fixed-key and counter AES in batches: tree nodes, pads and streams; no state beyond its keys.
//!
//! Implements spec/psi.md#primitives.
//!
//! Invariant: nothing here branches on or indexes by a block; the library's software path is
//! constant-time too.

use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::field::Block;

/// Blocks of one call of the cipher, at most: enough to make up for what each call costs.
pub(crate) const BATCH_BLOCKS: usize = 256;
/// What the cipher's widest back end takes at once; a remainder would go block by block.
const STEP_BLOCKS: usize = 64;

/// A batch of cipher blocks; the caller fills a prefix.
struct Batch<const N: usize>([aes::Block; N]);

impl<const N: usize> Batch<N> {
    fn new() -> Self {
        Self([aes::Block::default(); N])
    }

    #[inline]
    fn fill(&mut self, blocks: impl Iterator<Item = Block>) {
        for (target, block) in self.0.iter_mut().zip(blocks) {
            target.0 = block.to_bytes();
        }
    }

    /// Encrypts at least the first `count` blocks.
    #[inline]
    fn encrypt(&mut self, cipher: &Aes128Enc, count: usize) {
        let count = count.next_multiple_of(STEP_BLOCKS).min(N);
        cipher.encrypt_blocks(self.0.get_mut(..count).unwrap_or_default());
    }

    #[inline]
    fn blocks(&self) -> impl Iterator<Item = Block> {
        self.0.iter().map(|block| Block::from_bytes(block.0))
    }
}

impl<const N: usize> Drop for Batch<N> {
    fn drop(&mut self) {
        // A volatile write for each byte would cost more than the encryption.
        self.0 = [aes::Block::default(); N];
        std::hint::black_box(&mut self.0);
    }
}

/// The length-doubling generator of one tree: `x -> (P0(x) + x, P1(x) + x)` with two fixed keys.
///
/// The keys are public and fresh for every tree of every session, so that nothing computed for one
/// tree helps against another (ideal-cipher model; ePrint 2019/074 and 2019/1168).
pub(crate) struct Doubler {
    left: Aes128Enc,
    right: Aes128Enc,
}

/// Up to `BATCH_BLOCKS` parents and their children; kept between calls to spare its making.
pub(crate) struct Doubling {
    left: Batch<BATCH_BLOCKS>,
    right: Batch<BATCH_BLOCKS>,
}

impl Doubling {
    pub(crate) fn new() -> Self {
        Self { left: Batch::new(), right: Batch::new() }
    }
}

impl Doubler {
    /// `keys` is public.
    pub(crate) fn new(keys: [u8; 32]) -> Self {
        let [left, right] = key_pair(keys);
        Self { left: Aes128Enc::new(&left.into()), right: Aes128Enc::new(&right.into()) }
    }

    /// The two children of each of at most `BATCH_BLOCKS` parents.
    #[inline]
    pub(crate) fn children<'a>(
        &self,
        parents: &'a [Block],
        doubling: &'a mut Doubling,
    ) -> impl Iterator<Item = [Block; 2]> + 'a {
        doubling.left.fill(parents.iter().copied());
        doubling.right.fill(parents.iter().copied());
        doubling.left.encrypt(&self.left, parents.len());
        doubling.right.encrypt(&self.right, parents.len());
        let sides = doubling.left.blocks().zip(doubling.right.blocks());
        parents.iter().zip(sides).map(|(parent, (left, right))| [left ^ *parent, right ^ *parent])
    }
}

fn key_pair(keys: [u8; 32]) -> [[u8; 16]; 2] {
    let [mut left, mut right] = [[0; 16]; 2];
    left.copy_from_slice(keys.first_chunk::<16>().unwrap_or(&[0; 16]));
    right.copy_from_slice(keys.last_chunk::<16>().unwrap_or(&[0; 16]));
    [left, right]
}

/// A hash that stays random on correlated inputs: `H(i, x) = P(P(x) + i) + P(x)` (TMMO, tweakable
/// circular correlation robust in the ideal-permutation model; ePrint 2019/074).
pub(crate) struct CorrelationHash {
    cipher: Aes128Enc,
}

impl CorrelationHash {
    /// `key` is public and fresh for every session.
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { cipher: Aes128Enc::new(&key.into()) }
    }

    /// Replaces each `(tweak, input)` by `(tweak, hash)`. Under a key a tweak serves one transfer,
    /// whose inputs differ by the secret.
    pub(crate) fn apply(&self, values: &mut [(u64, Block)]) {
        let mut batch = Batch::<STEP_BLOCKS>::new();
        for chunk in values.chunks_mut(STEP_BLOCKS) {
            batch.fill(chunk.iter().map(|(_, value)| *value));
            batch.encrypt(&self.cipher, chunk.len());
            for ((tweak, value), inner) in chunk.iter_mut().zip(batch.blocks()) {
                *value = inner ^ Block(u128::from(*tweak));
            }
            let mut outer = Batch::<STEP_BLOCKS>::new();
            outer.fill(chunk.iter().map(|(_, value)| *value));
            outer.encrypt(&self.cipher, chunk.len());
            for ((_, value), (inner, outer)) in
                chunk.iter_mut().zip(batch.blocks().zip(outer.blocks()))
            {
                *value = inner ^ outer;
            }
        }
    }
}

/// AES-128 in counter mode: block `i` of the stream is the encryption of the integer `i`.
pub(crate) struct Stream {
    cipher: Aes128Enc,
}

impl Stream {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { cipher: Aes128Enc::new(&key.into()) }
    }

    /// The blocks from number `first` on.
    pub(crate) fn fill(&self, first: u64, target: &mut [Block]) {
        let mut batch = Batch::<STEP_BLOCKS>::new();
        let mut next = first;
        for chunk in target.chunks_mut(STEP_BLOCKS) {
            for (target, number) in batch.0.iter_mut().zip(next..) {
                target.0 = u128::from(number).to_le_bytes();
            }
            next += STEP_BLOCKS as u64;
            batch.encrypt(&self.cipher, chunk.len());
            for (target, block) in chunk.iter_mut().zip(batch.blocks()) {
                *target = block;
            }
        }
    }

    /// The same as numbers of 32 bits, four in a block, lowest first. For public streams only:
    /// nothing is wiped. `first` is the number of a block.
    pub(crate) fn numbers<const N: usize>(&self, first: u64, target: &mut [[u32; 4]; N]) {
        let mut blocks = [aes::Block::default(); N];
        for (block, number) in blocks.iter_mut().zip(first..) {
            block.0 = u128::from(number).to_le_bytes();
        }
        self.cipher.encrypt_blocks(&mut blocks);
        for (target, block) in target.iter_mut().zip(&blocks) {
            let (words, _) = block.0.as_chunks::<4>();
            for (target, word) in target.iter_mut().zip(words) {
                *target = u32::from_le_bytes(*word);
            }
        }
    }
}
