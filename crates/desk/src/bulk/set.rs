//! The items of a set that is matched: in memory where they are few, else under seal in the store.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariants: nothing of a set is on the disk but sealed; what is there goes with the set, at the
//! latest when the node starts again; a set is read in ascending order, each item once.

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_audit::SetDigest;
use symbolon_psi::{Item, Plan};
use symbolon_store::{Store, StoreError, Write};

use crate::desk::hex;
use crate::limits::{BULK_PARTITIONS_READ, BULK_SPILL_ROWS};

/// Begins the names of rows that hold items.
const PREFIX: &str = "spill/";
/// Parts of a set in the store, by the first byte of an item.
const BUCKETS: u8 = u8::MAX;

/// Items while they are found, in any order and perhaps repeated.
pub(crate) struct Gathering {
    items: Vec<[u8; 32]>,
    /// Items that are kept in memory at most.
    room: usize,
    spill: Spill,
}

/// A set: distinct items, and how many they are.
pub(crate) struct ItemSet {
    held: Held,
    count: u64,
    /// Partitions that were read with another one and not taken yet.
    ready: BTreeMap<u32, Vec<Item>>,
}

enum Held {
    Memory(Vec<[u8; 32]>),
    Store(Spill),
}

/// Rows in the store, gone when this is.
struct Spill {
    store: Arc<Store>,
    name: String,
    /// How often what was in memory went to the store: as many rows as each bucket has.
    times: u32,
}

/// Forgets what an earlier process left behind.
pub(crate) fn forget_left(store: &Store) -> Result<(), StoreError> {
    store.commit(Write::new().progress_delete_all(PREFIX)).map(drop)
}

impl Gathering {
    /// For items of which `room` may be in memory; `seed` names what goes to the store.
    pub(crate) fn new(store: &Arc<Store>, seed: &[u8; 32], room: u64) -> Gathering {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let name = format!("{PREFIX}{}/", hex(seed));
        let spill = Spill { store: Arc::clone(store), name, times: 0 };
        Gathering { items: Vec::new(), room, spill }
    }

    pub(crate) fn push(&mut self, item: [u8; 32]) -> Result<(), StoreError> {
        self.items.push(item);
        if self.items.len() < self.room {
            return Ok(());
        }
        self.settle();
        // Repeated items alone do not fill the room.
        if self.items.len() > self.room / 2 { self.flush() } else { Ok(()) }
    }

    fn settle(&mut self) {
        self.items.sort_unstable();
        self.items.dedup();
    }

    /// Puts what is in memory, which ascends, into the store.
    fn flush(&mut self) -> Result<(), StoreError> {
        let (mut write, mut rows) = (Write::new(), 0);
        for bucket in self.items.chunk_by(|left, right| left.first() == right.first()) {
            let first = bucket.first().and_then(|item| item.first()).copied().unwrap_or_default();
            write = write.progress(&self.spill.row(first, self.spill.times), bucket.as_flattened());
            rows += 1;
            if rows % BULK_SPILL_ROWS == 0 {
                self.spill.store.commit(write)?;
                write = Write::new();
            }
        }
        self.spill.store.commit(write)?;
        self.spill.times += 1;
        self.items.clear();
        Ok(())
    }

    /// The set of all that was found.
    pub(crate) fn finish(mut self) -> Result<ItemSet, StoreError> {
        self.settle();
        if self.spill.times == 0 {
            let count = self.items.len() as u64;
            let held = Held::Memory(self.items);
            return Ok(ItemSet { held, count, ready: BTreeMap::new() });
        }
        self.flush()?;
        let mut set = ItemSet { held: Held::Store(self.spill), count: 0, ready: BTreeMap::new() };
        let mut count = 0;
        set.visit(|items| count += items.len() as u64)?;
        set.count = count;
        Ok(set)
    }
}

impl ItemSet {
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The digest that the commitment to the set covers.
    pub(crate) fn digest(&self, blind: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        let mut digest = SetDigest::new(blind);
        self.visit(|items| digest.add(items))?;
        Ok(digest.finish())
    }

    /// The items of one partition; of a set in the store, those beside it are read with it, so
    /// that partitions that are asked for in about their order read it once a few.
    pub(crate) fn partition(&mut self, plan: &Plan, own: u32) -> Result<Vec<Item>, StoreError> {
        if let Some(items) = self.ready.remove(&own) {
            return Ok(items);
        }
        let (first, last) = match self.held {
            Held::Memory(_) => (own, own),
            Held::Store(_) => {
                let first = own - own % BULK_PARTITIONS_READ;
                (first, first.saturating_add(BULK_PARTITIONS_READ - 1))
            }
        };
        // What was read before and is not taken gives way first.
        self.ready.clear();
        let read = first..=last.min(plan.partitions().saturating_sub(1));
        let mut ready: BTreeMap<u32, Vec<Item>> = read.map(|one| (one, Vec::new())).collect();
        self.visit(|items| {
            for item in items {
                let item = Item::from_bytes(*item);
                if let Some(items) = ready.get_mut(&plan.partition_of(&item)) {
                    items.push(item);
                }
            }
        })?;
        self.ready = ready;
        Ok(self.ready.remove(&own).unwrap_or_default())
    }

    /// Takes back what was given for a partition that was not begun.
    pub(crate) fn put_back(&mut self, partition: u32, items: Vec<Item>) {
        self.ready.insert(partition, items);
    }

    /// Calls `take` with all items, part by part.
    fn visit(&self, mut take: impl FnMut(&[[u8; 32]])) -> Result<(), StoreError> {
        match &self.held {
            Held::Memory(items) => take(items),
            Held::Store(spill) => {
                for bucket in 0..=BUCKETS {
                    take(&spill.bucket(bucket)?);
                }
            }
        }
        Ok(())
    }
}

impl Spill {
    fn row(&self, bucket: u8, time: u32) -> String {
        format!("{}{bucket:02x}/{time:08x}", self.name)
    }

    fn bucket(&self, bucket: u8) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut items = Vec::new();
        for time in 0..self.times {
            let row = self.store.progress_fetch(&self.row(bucket, time))?;
            items.extend_from_slice(row.as_deref().map_or(&[], |row| row.as_chunks().0));
        }
        items.sort_unstable();
        items.dedup();
        Ok(items)
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if self.times > 0 {
            // What this does not reach is forgotten when the node starts again.
            let _ = self.store.submit(Write::new().progress_delete_all(&self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_audit::{set_digest, set_item};

    fn set(store: &Arc<Store>, room: u64, items: &[[u8; 32]]) -> ItemSet {
        let mut gathering = Gathering::new(store, &[7; 32], room);
        items.iter().for_each(|item| gathering.push(*item).unwrap());
        gathering.finish().unwrap()
    }

    fn rows(store: &Store) -> usize {
        store.progress_list(PREFIX).unwrap().len()
    }

    #[test]
    fn a_set_in_the_store_is_the_set_in_memory() {
        let store = Arc::new(Store::memory([1; 32]));
        let mut items: Vec<[u8; 32]> =
            (0..9_000_u32).map(|number| set_item(&(number % 6_000).to_be_bytes())).collect();
        let mut small = set(&store, 500, &items);
        assert!(rows(&store) > 1_000, "most of it is in the store");
        let mut large = set(&store, 1 << 20, &items);
        items.sort_unstable();
        items.dedup();
        assert_eq!((small.count(), large.count()), (6_000, 6_000));
        let expect = set_digest(&[3; 32], &items);
        assert_eq!(small.digest(&[3; 32]).unwrap(), expect);
        assert_eq!(large.digest(&[3; 32]).unwrap(), expect);
        let plan = Plan::with_room([5; 32], 12_288, 6_144, 1_024, 2_048).unwrap();
        assert!(plan.partitions() > BULK_PARTITIONS_READ, "{}", plan.partitions());
        // In their order, one again, and one that was read with another.
        for partition in (0..plan.partitions()).chain([0, 2]) {
            let expect: Vec<[u8; 32]> = items
                .iter()
                .filter(|item| plan.partition_of(&Item::from_bytes(**item)) == partition)
                .copied()
                .collect();
            for set in [&mut small, &mut large] {
                let found = set.partition(&plan, partition).unwrap();
                let found: Vec<[u8; 32]> = found.iter().map(|item| *item.as_bytes()).collect();
                assert!(found == expect, "{partition}");
            }
        }
    }

    #[test]
    fn what_repeats_stays_in_memory_and_what_is_done_leaves_the_store() {
        let store = Arc::new(Store::memory([1; 32]));
        let few: Vec<[u8; 32]> = (0..5_000_u32).map(|n| set_item(&(n % 9).to_be_bytes())).collect();
        assert_eq!(set(&store, 100, &few).count(), 9);
        assert_eq!(rows(&store), 0);
        let many: Vec<[u8; 32]> = (0..20_000_u32).map(|n| set_item(&n.to_be_bytes())).collect();
        let kept = set(&store, 100, &many);
        assert!(rows(&store) > 10_000, "a long list is listed whole");
        drop(kept);
        // What was queued before a write that is waited for is applied.
        store.commit(Write::new().progress("other", &[1])).unwrap();
        assert_eq!(rows(&store), 0);
        std::mem::forget(set(&store, 100, &many));
        assert!(rows(&store) > 0, "a process that was killed leaves them");
        forget_left(&store).unwrap();
        assert_eq!((rows(&store), store.progress_fetch("other").unwrap().is_some()), (0, true));
    }
}
