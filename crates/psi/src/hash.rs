//! The two random oracles of the protocol, many items at a time.
//!
//! Implements spec/psi.md#hashing. Both are keyed BLAKE3 of exactly one 64-byte block, so that
//! sixteen of them run side by side where the processor has wide registers.

use std::sync::LazyLock;

use blake3::IncrementCounter;
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use blake3::platform::Platform;

use crate::field::Block;
use crate::label;

/// Bytes of one input: one compression.
const INPUT_BYTES: usize = 64;
/// Inputs hashed in one call: several times what the widest registers take side by side (sixteen),
/// so that what is fetched and written for one sixteen is there when the hash comes to it.
const LANES: usize = 64;
/// Bytes of one digest.
const DIGEST_BYTES: usize = 32;

/// Flags of a one-block message with a key (BLAKE3 §2.2): chunk start, chunk end and root.
const CHUNK_START: u8 = 1;
const CHUNK_END_AND_ROOT: u8 = 2 | 8;
const KEYED_HASH: u8 = 16;

/// What key derivation makes of its context, once: half the time of a short item.
static ITEM_KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(label::ITEM));

/// One element of a set: 32 bytes that stand for an identifier.
///
/// It says what is looked for: no `Debug` shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item([u8; 32]);

impl Item {
    /// The item of an identifier's canonical bytes.
    #[must_use]
    pub fn derive(identifier: &[u8]) -> Self {
        Self(
            *blake3::Hasher::new_from_context_key(&ITEM_KEY)
                .update(identifier)
                .finalize()
                .as_bytes(),
        )
    }

    /// An item that the caller has made already: any 32 bytes that are distinct for distinct
    /// identifiers.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Item([redacted])")
    }
}

/// The hashes of one session.
pub(crate) struct Hashes {
    row: [u32; 8],
    output: [u32; 8],
    platform: Platform,
}

impl Hashes {
    pub(crate) fn new(session: &[u8; 32]) -> Self {
        let key = |label| words(&blake3::derive_key(label, session));
        Self { row: key(label::ROW), output: key(label::OUTPUT), platform: Platform::detect() }
    }

    /// `h(x)` and the 16 bytes that choose the columns of `x`, under the store's seed.
    pub(crate) fn rows(&self, items: &[Item], seed: Block, mut take: impl FnMut(Block, Block)) {
        let mut batch = Batch::new();
        for items in items.chunks(LANES) {
            let digests = batch.digests(self, &self.row, items.iter().map(|item| (item, seed)));
            for digest in digests {
                let (halves, _) = digest.as_chunks::<{ Block::BYTES }>();
                if let [value, row] = halves {
                    take(Block::from_bytes(*value), Block::from_bytes(*row));
                }
            }
        }
    }

    /// Replaces each mask by `Ho(mask, x)` with the item that stands at its place.
    pub(crate) fn outputs<'a>(&self, items: impl Iterator<Item = &'a Item>, masks: &mut [Block]) {
        let (mut items, mut batch) = (items, Batch::new());
        for masks in masks.chunks_mut(LANES) {
            let inputs = masks.iter().zip(items.by_ref()).map(|(mask, item)| (item, *mask));
            let digests = batch.digests(self, &self.output, inputs);
            for (target, digest) in masks.iter_mut().zip(digests) {
                if let Some(output) = digest.first_chunk() {
                    *target = Block::from_bytes(*output);
                }
            }
        }
    }
}

/// Room for one call of the hash; kept between calls, so that the zeros behind each input are
/// written once.
struct Batch {
    inputs: [[u8; INPUT_BYTES]; LANES],
    digests: [u8; DIGEST_BYTES * LANES],
}

impl Batch {
    fn new() -> Self {
        Self { inputs: [[0; INPUT_BYTES]; LANES], digests: [0; DIGEST_BYTES * LANES] }
    }

    /// Digests of `item ‖ tail ‖ 16 zero bytes`, at most [`LANES`] of them.
    fn digests<'a>(
        &mut self,
        hashes: &Hashes,
        key: &[u32; 8],
        pairs: impl Iterator<Item = (&'a Item, Block)>,
    ) -> &[[u8; DIGEST_BYTES]] {
        let Self { inputs, digests } = self;
        let mut count = 0;
        for (input, (item, tail)) in inputs.iter_mut().zip(pairs) {
            let (head, rest) = input.split_at_mut(item.0.len());
            head.copy_from_slice(&item.0);
            if let Some(rest) = rest.first_chunk_mut() {
                *rest = tail.to_bytes();
            }
            count += 1;
        }
        hashes.platform.hash_many(
            inputs.each_ref().get(..count).unwrap_or_default(),
            key,
            0,
            IncrementCounter::No,
            KEYED_HASH,
            CHUNK_START,
            CHUNK_END_AND_ROOT,
            digests,
        );
        digests.as_chunks().0.get(..count).unwrap_or_default()
    }
}

/// The eight little-endian words of a key.
fn words(key: &[u8; 32]) -> [u32; 8] {
    let (chunks, _) = key.as_chunks::<4>();
    std::array::from_fn(|word| chunks.get(word).map_or(0, |chunk| u32::from_le_bytes(*chunk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_plain_keyed_blake3() {
        let session = [7; 32];
        let items: Vec<Item> = (0..37_u8).map(|n| Item::derive(&[n])).collect();
        let seed = Block(0x1234_5678 << 80);
        let mut rows = Vec::new();
        Hashes::new(&session).rows(&items, seed, |value, row| rows.push((value, row)));
        let masks: Vec<Block> = (0..37).map(|n| Block(n << 100)).collect();
        let mut outputs = masks.clone();
        Hashes::new(&session).outputs(items.iter(), &mut outputs);
        assert_eq!((rows.len(), outputs.len()), (37, 37));
        for (n, item) in items.iter().enumerate() {
            let plain = |label, tail: Block| {
                let key = blake3::derive_key(label, &session);
                let input = [&item.0[..], &tail.to_bytes(), &[0; 16]].concat();
                *blake3::keyed_hash(&key, &input).as_bytes()
            };
            let row = plain("symbolon/1 psi row", seed);
            assert!(rows[n].0.to_bytes() == row[..16] && rows[n].1.to_bytes() == row[16..]);
            assert!(outputs[n].to_bytes() == plain("symbolon/1 psi output", masks[n])[..16]);
        }
    }

    #[test]
    fn an_item_is_a_derived_key() {
        for text in ["", "PL12345", "longer than one block of the hash, which has sixty-four bytes"]
        {
            let plain = blake3::derive_key("symbolon/1 psi item", text.as_bytes());
            assert_eq!(Item::derive(text.as_bytes()).as_bytes(), &plain);
        }
    }

    #[test]
    fn an_item_is_not_shown() {
        assert_eq!(format!("{:?}", Item::derive(b"PL12345")), "Item([redacted])");
    }
}
