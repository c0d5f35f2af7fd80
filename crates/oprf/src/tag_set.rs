//! The holder's answering set: sorted, padded, committed; knows no identifier.
//!
//! Implements spec/matching.md#tag-sets.
//!
//! Invariant: nothing in what travels tells a padding entry from a real one.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use symbolon_tlog::{Frontier, Hash, leaf_hash};
use zeroize::Zeroizing;

use crate::chunk::{Chunk, Entry, RecordCommitment, RecordRef};
use crate::limits::{
    CHUNK_BYTES, CHUNK_ENTRIES, RECORDS_PER_TAG_MAX, TAG_BYTES, TAG_SET_ENTRIES_MAX,
    TAG_SET_ENTRIES_MIN,
};
use crate::{OprfError, SetSalt, Tag, workers};

/// Entries of a set of `tags` distinct tags after padding: the next 2^k or 1.5·2^k, at least 1,024.
///
/// Every such count is a multiple of 256, so all chunks are full.
#[must_use]
pub fn padded_count(tags: u64) -> u64 {
    let power = tags.clamp(TAG_SET_ENTRIES_MIN, TAG_SET_ENTRIES_MAX).next_power_of_two();
    let between = power / 4 * 3;
    if between >= tags.max(TAG_SET_ENTRIES_MIN) { between } else { power }
}

/// Collects tags with the records behind them, in any order.
#[derive(Default)]
pub struct TagSetBuilder {
    rows: Vec<(Tag, RecordRef)>,
}

/// A finished set.
pub struct TagSet {
    rows: Vec<(Tag, RecordRef)>,
    slots: Vec<Slot>,
    level8: Vec<Hash>,
    set_root: Hash,
    tags_root: Hash,
    records_left_out: u64,
}

/// One entry: its records are `length` rows from `start` on.
struct Slot {
    tag: Tag,
    commitment: RecordCommitment,
    start: usize,
    length: usize,
}

impl TagSetBuilder {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for this many additions.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows) }
    }

    /// Adds a record behind a tag; a repetition changes nothing.
    pub fn add(&mut self, tag: Tag, record: RecordRef) {
        self.rows.push((tag, record));
    }

    /// Sorts, merges, pads and commits, on `workers` threads. `seed` is fresh randomness.
    ///
    /// # Errors
    /// [`OprfError::TagSetTooLarge`], or [`OprfError::Degenerate`] with negligible probability.
    pub fn build(
        self,
        salt: &SetSalt,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<TagSet, OprfError> {
        let mut rows = self.rows;
        rows.sort_unstable();
        rows.dedup();
        let mut random = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
        let (mut slots, records_left_out) = slots(&rows);
        pad(&mut slots, &mut random)?;
        commit(&mut slots, &rows, salt, workers)?;
        let (set_root, level8) = set_root(&slots)?;
        let tags_root = tags_root(&slots)?;
        Ok(TagSet { rows, slots, level8, set_root, tags_root, records_left_out })
    }
}

/// One slot per distinct tag, and how many records found no room behind theirs.
fn slots(rows: &[(Tag, RecordRef)]) -> (Vec<Slot>, u64) {
    let (mut slots, mut start, mut left_out) = (Vec::new(), 0, 0);
    for group in rows.chunk_by(|(a, _), (b, _)| a == b) {
        // Ids begin with their time: the records that find room are the newest.
        let length = group.len().min(RECORDS_PER_TAG_MAX);
        let skipped = group.len() - length;
        if let Some((tag, _)) = group.first() {
            let commitment = RecordCommitment::from_bytes([0; 32]);
            slots.push(Slot { tag: *tag, commitment, start: start + skipped, length });
        }
        start += group.len();
        left_out += skipped as u64;
    }
    (slots, left_out)
}

/// Adds random tags with random commitments, then sorts.
fn pad(slots: &mut Vec<Slot>, random: &mut ChaCha20Rng) -> Result<(), OprfError> {
    if slots.len() as u64 > TAG_SET_ENTRIES_MAX {
        return Err(OprfError::TagSetTooLarge);
    }
    let count = usize::try_from(padded_count(slots.len() as u64));
    slots.resize_with(count.map_err(|_| OprfError::TagSetTooLarge)?, || {
        let (mut tag, mut commitment) = ([0; TAG_BYTES], [0; 32]);
        random.fill_bytes(&mut tag);
        random.fill_bytes(&mut commitment);
        let commitment = RecordCommitment::from_bytes(commitment);
        Slot { tag: Tag::from_bytes(tag), commitment, start: 0, length: 0 }
    });
    slots.sort_unstable_by_key(|slot| slot.tag);
    if slots.is_sorted_by(|a, b| a.tag < b.tag) { Ok(()) } else { Err(OprfError::Degenerate) }
}

/// Fills in the commitments of the entries that have records.
fn commit(
    slots: &mut [Slot],
    rows: &[(Tag, RecordRef)],
    salt: &SetSalt,
    workers: usize,
) -> Result<(), OprfError> {
    let pieces = workers::map(slots, workers, |_, part| {
        let commitment = |slot: &Slot| match records(rows, slot).as_slice() {
            [] => slot.commitment,
            records => RecordCommitment::new(&salt.entry(&slot.tag), records),
        };
        Ok(part.iter().map(commitment).collect::<Vec<_>>())
    })?;
    for (slot, commitment) in slots.iter_mut().zip(pieces.into_iter().flatten()) {
        slot.commitment = commitment;
    }
    Ok(())
}

fn records(rows: &[(Tag, RecordRef)], slot: &Slot) -> Vec<RecordRef> {
    let rows = rows.get(slot.start..slot.start + slot.length).unwrap_or_default();
    rows.iter().map(|(_, record)| *record).collect()
}

/// The set root, and the hashes of its perfect subtrees of 256 leaves.
fn set_root(slots: &[Slot]) -> Result<(Hash, Vec<Hash>), OprfError> {
    let mut level8 = Vec::with_capacity(slots.len() / CHUNK_ENTRIES);
    let mut tree = Frontier::new();
    for slot in slots {
        let keep = |level, _, hash| {
            if level == 8 {
                level8.push(hash);
            }
        };
        let leaf = slot.commitment.leaf(&slot.tag);
        tree.append_with(leaf, keep).map_err(|_| OprfError::TagSetTooLarge)?;
    }
    Ok((tree.root(), level8))
}

/// Root of the tree whose leaves are the chunks as they travel.
fn tags_root(slots: &[Slot]) -> Result<Hash, OprfError> {
    let mut tree = Frontier::new();
    let mut bytes = Vec::with_capacity(CHUNK_BYTES);
    for chunk in slots.chunks(CHUNK_ENTRIES) {
        bytes.clear();
        chunk.iter().for_each(|slot| bytes.extend_from_slice(slot.tag.as_bytes()));
        tree.append(leaf_hash(&bytes)).map_err(|_| OprfError::TagSetTooLarge)?;
    }
    Ok(tree.root())
}

impl TagSet {
    /// Entries, padding included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Root over tags and commitments, for the epoch card.
    #[must_use]
    pub fn set_root(&self) -> Hash {
        self.set_root
    }

    /// Root over the chunks of tags: the tag-set digest of the epoch card.
    #[must_use]
    pub fn tags_root(&self) -> Hash {
        self.tags_root
    }

    /// Hashes of the set root's subtrees of 256 leaves, one per chunk: what an opening needs
    /// beside its chunk.
    #[must_use]
    pub fn level8(&self) -> &[Hash] {
        &self.level8
    }

    /// Records beyond the 1,024 newest of their tag: found like the others, but not committed to.
    #[must_use]
    pub fn records_left_out(&self) -> u64 {
        self.records_left_out
    }

    /// The entries in chunks of 256, each made when it is asked for.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = Chunk> {
        self.slots.chunks(CHUNK_ENTRIES).enumerate().map(|(number, slots)| {
            let entry = |slot: &Slot| Entry {
                tag: slot.tag,
                commitment: slot.commitment,
                records: records(&self.rows, slot),
            };
            Chunk::new(number as u64, slots.iter().map(entry).collect())
        })
    }
}
