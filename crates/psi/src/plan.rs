//! Cuts large sets into partitions, each a session of its own, so that memory stays bounded.
//!
//! Implements spec/psi.md#partitions.
//!
//! Invariants: both sides compute the same plan from the same two counts; which partition an item
//! falls into depends on a keyed hash, so nobody can aim items at one; only padded counts travel.

use crate::hash::Item;
use crate::limits::{PARTITION_ITEMS_MAX, PARTITION_ITEMS_MIN, PARTITIONS_MAX};
use crate::terms::{Terms, padded_count};
use crate::{PsiError, label};

/// Standard deviations of a partition's load that are provided for: more come with probability
/// below 2^-64 in any partition (Chernoff).
const LOAD_DEVIATIONS: u64 = 11;

/// How two sets are matched: in how many partitions, and with which padded counts in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    session: [u8; 32],
    key: [u8; 32],
    partitions: u32,
    receiver_count: u64,
    sender_count: u64,
    intersection_max: u64,
}

impl Plan {
    /// The plan for sets of at most these sizes; `session` is unique to the whole exchange.
    ///
    /// The counts are what both sides told each other: padded counts or agreed bounds, not the true
    /// sizes of the lists. `intersection_max` bounds the common items of all partitions together.
    ///
    /// # Errors
    /// [`PsiError::Count`] if more than [`PARTITIONS_MAX`] partitions were needed.
    pub fn new(
        session: [u8; 32],
        receiver_count: u64,
        sender_count: u64,
        intersection_max: u64,
    ) -> Result<Self, PsiError> {
        let room = PARTITION_ITEMS_MAX;
        Self::with_room(session, receiver_count, sender_count, intersection_max, room)
    }

    /// The same in partitions of at most `room` items, padding included: what bounds the memory.
    ///
    /// # Errors
    /// [`PsiError::Count`] also for a room below [`PARTITION_ITEMS_MIN`] or above
    /// [`PARTITION_ITEMS_MAX`].
    pub fn with_room(
        session: [u8; 32],
        receiver_count: u64,
        sender_count: u64,
        intersection_max: u64,
        room: u64,
    ) -> Result<Self, PsiError> {
        if !(PARTITION_ITEMS_MIN..=PARTITION_ITEMS_MAX).contains(&room) {
            return Err(PsiError::Count);
        }
        let largest = receiver_count.max(sender_count);
        let counts = |partitions: u32| -> Result<(u64, u64), PsiError> {
            Ok((
                padded_count(load(receiver_count, partitions))?,
                padded_count(load(sender_count, partitions))?,
            ))
        };
        let fewest = u32::try_from(largest.div_ceil(room)).ok();
        let fewest = fewest.filter(|fewest| *fewest <= PARTITIONS_MAX).ok_or(PsiError::Count)?;
        // Some more partitions may waste less on padding: the least sum of padded counts wins.
        let choices = (fewest.max(1)..=PARTITIONS_MAX.min(2 * fewest.max(1)))
            .filter(|partitions| load(largest, *partitions) <= room)
            .filter_map(|partitions| counts(partitions).ok().map(|counts| (partitions, counts)));
        let work = |(partitions, (receiver, sender)): &(u32, (u64, u64))| {
            u64::from(*partitions) * (receiver + sender)
        };
        let best = choices.min_by_key(work).ok_or(PsiError::Count)?;
        let (partitions, (receiver_count, sender_count)) = best;
        let key = blake3::derive_key(label::PARTITION_KEY, &session);
        Ok(Self { session, key, partitions, receiver_count, sender_count, intersection_max })
    }

    /// How many partitions there are; each can be run, and run again, alone.
    #[must_use]
    pub const fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The partition of an item.
    #[must_use]
    pub fn partition_of(&self, item: &Item) -> u32 {
        if self.partitions == 1 {
            return 0;
        }
        let hash = blake3::keyed_hash(&self.key, item.as_bytes());
        let word = hash.as_bytes().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        ((u64::from(word) * u64::from(self.partitions)) >> 32) as u32
    }

    /// The terms of one partition at its `attempt`; an attempt that failed is not continued, the
    /// partition begins anew under another name.
    ///
    /// # Errors
    /// [`PsiError::Count`] if there is no such partition.
    pub fn terms(&self, partition: u32, attempt: u32) -> Result<Terms, PsiError> {
        if partition >= self.partitions {
            return Err(PsiError::Count);
        }
        let mut hasher = blake3::Hasher::new_derive_key(label::PARTITION);
        hasher.update(&self.session);
        for number in [self.partitions, partition, attempt] {
            hasher.update(&number.to_le_bytes());
        }
        Ok(Terms {
            session: *hasher.finalize().as_bytes(),
            receiver_count: self.receiver_count,
            sender_count: self.sender_count,
            intersection_max: self.intersection_max,
        })
    }
}

/// Items of the fullest of `partitions` that are provided for.
fn load(count: u64, partitions: u32) -> u64 {
    let mean = count.div_ceil(u64::from(partitions));
    if partitions == 1 {
        mean
    } else {
        // For small means the square root alone is too little; the constant covers them.
        (mean + LOAD_DEVIATIONS * (mean.isqrt() + 1) + 64).min(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(receiver: u64, sender: u64) -> Plan {
        Plan::new([3; 32], receiver, sender, 1000).unwrap()
    }

    #[test]
    fn small_sets_are_one_partition() {
        for (receiver, sender) in [(0, 0), (1, 1), (1000, 1 << 20), (1 << 20, 5)] {
            let plan = plan(receiver, sender);
            assert_eq!(plan.partitions(), 1);
            let terms = plan.terms(0, 0).unwrap();
            assert_eq!(terms.receiver_count, padded_count(receiver).unwrap());
            assert_eq!(terms.sender_count, padded_count(sender).unwrap());
        }
        for (receiver, sender, partitions, counts) in [
            (1 << 22, 1 << 22, 3, (3 << 19, 3 << 19)),
            (1 << 24, 1 << 24, 11, (3 << 19, 3 << 19)),
            (1 << 24, 1 << 12, 11, (3 << 19, 1024)),
        ] {
            let plan = plan(receiver, sender);
            let terms = plan.terms(partitions - 1, 0).unwrap();
            assert_eq!(plan.partitions(), partitions);
            assert_eq!((terms.receiver_count, terms.sender_count), counts);
        }
        assert!(Plan::new([3; 32], u64::MAX, 1, 1).is_err());
        assert!(Plan::new([3; 32], 1 << 34, 1, 1).is_err());
    }

    #[test]
    fn less_room_makes_more_partitions() {
        let plan = |room| Plan::with_room([3; 32], 3 << 12, 1 << 13, 1000, room);
        let mut fewest = u32::MAX;
        for room in [PARTITION_ITEMS_MIN, 2048, 4096, 8192, 3 << 12, PARTITION_ITEMS_MAX] {
            let plan = plan(room).unwrap();
            let terms = plan.terms(0, 0).unwrap();
            assert!(plan.partitions() <= fewest);
            assert!(load(3 << 12, plan.partitions()) <= room);
            assert!(terms.receiver_count < 2 * room && terms.sender_count < 2 * room);
            fewest = plan.partitions();
        }
        assert_eq!(fewest, 1);
        assert!(plan(PARTITION_ITEMS_MIN - 1).is_err());
        assert!(plan(PARTITION_ITEMS_MAX + 1).is_err());
    }

    #[test]
    fn every_attempt_has_its_own_name() {
        let plan = plan(1 << 22, 1 << 22);
        let names: std::collections::BTreeSet<[u8; 32]> = [(0, 0), (0, 1), (1, 0), (2, 7)]
            .map(|(partition, attempt)| plan.terms(partition, attempt).unwrap().session)
            .into();
        assert_eq!(names.len(), 4);
        assert_eq!(plan.terms(plan.partitions(), 0), Err(PsiError::Count));
    }

    #[test]
    fn partitions_are_even() {
        let plan = plan(1 << 24, 1 << 24);
        let partitions = plan.partitions();
        let mut loads = vec![0_u64; partitions as usize];
        let count = 170_000_u64;
        for n in 0..count {
            let item = Item::derive(&n.to_le_bytes());
            loads[plan.partition_of(&item) as usize] += 1;
        }
        assert!(
            loads.iter().all(|own| *own <= load(count, partitions) && *own > 14_000),
            "{loads:?}"
        );
    }

    #[test]
    fn the_provided_load_covers_64_bits() {
        // Chernoff with relative entropy, in bits, for every mean from one to a full partition.
        for mean in (0..=20).map(|bits| 1_u64 << bits) {
            for partitions in [2_u32, 17, 257, 4096] {
                let count = mean * u64::from(partitions);
                let (p, q) =
                    (1.0 / f64::from(partitions), load(count, partitions) as f64 / count as f64);
                if q >= 1.0 {
                    continue;
                }
                let entropy = q * (q / p).log2() + (1.0 - q) * ((1.0 - q) / (1.0 - p)).log2();
                let bits = count as f64 * entropy - f64::from(partitions).log2();
                assert!(bits >= 64.0, "{mean} in each of {partitions}: {bits} bits");
            }
        }
    }
}
