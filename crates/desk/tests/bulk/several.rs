//! Several partitions of a match under way at once: one waits for none, each is kept alone, and all
//! together keep to the bounds.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use symbolon_desk::LinkError;
use symbolon_desk::limits::{BULK_IDLE_SECONDS, BULK_PARTITIONS_AT_ONCE_MAX};
use symbolon_protocol::{BulkCarry, Code};
use symbolon_store::Direction;

use super::world::{World, asked};

/// Items of a partition, so that a few thousand are several.
const ROOM: u64 = 2_048;
/// Records of each side, of which the last and the first ones are the same: more partitions than
/// run at once.
const RECORDS: u32 = 9_000;
/// As many.
const PARTITIONS: u32 = 8;
/// Longer than anything here takes: who waits so long waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two nodes of so many threads that have so many records in common.
fn world(workers: usize, room: u64, shared: u32) -> World {
    let world = World::on_threads(10_000_000, workers);
    for node in [&world.north, &world.south] {
        node.desk.bulk_partition_room(room).unwrap();
    }
    world.north.import(0..RECORDS);
    world.south.import(RECORDS - shared..2 * RECORDS - shared);
    world.south.publish();
    world
}

/// What several threads tell each other.
#[derive(Default)]
struct Board<T>(Mutex<T>, Condvar);

impl<T> Board<T> {
    fn note(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap());
        self.1.notify_all();
    }

    fn wait_until(&self, is_so: impl Fn(&T) -> bool) {
        let kept = self.0.lock().unwrap();
        let waited = self.1.wait_timeout_while(kept, PATIENCE, |kept| !is_so(kept)).unwrap();
        assert!(!waited.1.timed_out(), "nothing came while a piece was held back");
    }
}

/// The first piece of an attempt.
fn is_first(carry: &BulkCarry) -> bool {
    carry.sent == 0 && carry.taken == 0
}

/// The partitions of which rows are kept, by what the rows hold.
fn kept(world: &World) -> (usize, Vec<u32>) {
    let rows = world.north.desk.store().progress_list("bulk/").unwrap();
    let done = rows.iter().filter_map(|(name, _)| {
        let (_, partition) = name.split_once("/done/")?;
        u32::from_str_radix(partition, 16).ok()
    });
    (rows.len(), done.collect())
}

#[test]
fn a_partition_that_is_held_back_holds_no_other_back() {
    let world = world(2, ROOM, 300);
    let begun = Arc::new(Board::<u32>::default());
    world.north.gate(move |carry| {
        // Whoever begins the third has done the second.
        begun.note(|highest| *highest = carry.partition.max(*highest));
        if carry.partition == 0 && !is_first(carry) {
            begun.wait_until(|highest| *highest >= 2);
        }
        None
    });
    let report = world.north.run("psi", "held back");
    assert_eq!((report.classes[0].not_asked.clone(), report.hits_by_kind["passport"]), (None, 300));
}

/// Runs until the second partition is done and the first is not; then the way is lost.
fn stopped_in_between(world: &World, case: &str) {
    let begun = Arc::new(Board::<u32>::default());
    world.north.gate(move |carry| {
        begun.note(|highest| *highest = carry.partition.max(*highest));
        if carry.partition == 0 {
            begun.wait_until(|highest| *highest >= 2);
            return Some(LinkError::TimedOut);
        }
        (carry.partition >= 2).then_some(LinkError::TimedOut)
    });
    let report = world.north.run("psi", case);
    assert!(report.classes[0].not_asked.is_some(), "the way is lost");
    assert_eq!(kept(world).1, [1], "what was done is kept, although one before it is not");
}

#[test]
fn a_match_that_was_stopped_runs_just_what_it_lacks() {
    let world = world(2, ROOM, 300);
    stopped_in_between(&world, "stopped");
    let spent = world.north.spent(&world.south, Direction::Asked);
    let attempts = Arc::new(Mutex::new(BTreeMap::<u32, Vec<u32>>::new()));
    let seen = Arc::clone(&attempts);
    world.north.gate(move |carry| {
        if is_first(carry) {
            seen.lock().unwrap().entry(carry.partition).or_default().push(carry.attempt);
        }
        None
    });
    let report = world.north.run("psi", "stopped");
    assert_eq!((report.classes[0].not_asked.clone(), report.hits_by_kind["passport"]), (None, 300));
    let attempts = attempts.lock().unwrap();
    let missing: Vec<u32> = (0..PARTITIONS).filter(|one| *one != 1).collect();
    assert_eq!(attempts.keys().copied().collect::<Vec<_>>(), missing);
    assert!(attempts.values().all(|numbers| *numbers == [0]), "each once: {attempts:?}");
    // Only the evaluations of what met were charged beside the set, and nothing is left of it.
    let evaluated = world.north.spent(&world.south, Direction::Asked) - spent;
    assert!(evaluated < 2_000, "{evaluated}");
    assert_eq!(kept(&world), (0, Vec::new()));
}

#[test]
fn partitions_whose_stores_were_taken_are_gone_on_with() {
    let world = world(2, ROOM, 300);
    let shown = Arc::new(Board::<[bool; 2]>::default());
    let (north, south) = (Arc::clone(&world.north.desk), Arc::clone(&world.south.desk));
    world.north.gate(move |carry| {
        let rows = north.store().progress_list("bulk/").unwrap();
        let row = format!("/shown/{:08x}", carry.partition);
        let partition = usize::try_from(carry.partition).unwrap();
        rows.iter().any(|(name, _)| name.ends_with(&row)).then(|| {
            // The store is there, small enough for one piece, and its answer does not come back.
            asked(&north, &south, carry).unwrap();
            shown.note(|shown| shown[partition] = true);
            shown.wait_until(|shown| shown.iter().all(|shown| *shown));
            LinkError::TimedOut
        })
    });
    let report = world.north.run("psi", "taken");
    assert!(report.classes[0].not_asked.is_some(), "the way is lost");
    let rows = world.north.desk.store().progress_list("bulk/").unwrap();
    assert_eq!(rows.iter().filter(|(name, _)| name.contains("/shown/")).count(), 2);
    let begun = Arc::new(Mutex::new(Vec::<u32>::new()));
    let seen = Arc::clone(&begun);
    world.north.gate(move |carry| {
        if is_first(carry) {
            seen.lock().unwrap().push(carry.partition);
        }
        None
    });
    let spent = world.north.spent(&world.south, Direction::Asked);
    let report = world.north.run("psi", "taken");
    assert_eq!((report.classes[0].not_asked.clone(), report.hits_by_kind["passport"]), (None, 300));
    assert_eq!(begun.lock().unwrap().iter().filter(|one| **one < 2).count(), 0, "none anew");
    assert!(world.north.spent(&world.south, Direction::Asked) - spent < 2_000, "one charge");
    assert_eq!(kept(&world), (0, Vec::new()));
}

#[test]
fn a_newer_match_sweeps_what_is_left_of_an_older() {
    let world = world(2, ROOM, 300);
    stopped_in_between(&world, "stopped");
    // Another set: the match of the old one is of no use any more.
    world.north.import(2 * RECORDS..2 * RECORDS + 10);
    world.north.gate(|_| Some(LinkError::TimedOut));
    assert!(world.north.run("psi", "stopped").classes[0].not_asked.is_some());
    assert_eq!(kept(&world), (1, Vec::new()), "the new match, of which nothing is done");
}

#[test]
fn the_bound_is_on_all_partitions_and_nothing_is_kept_past_it() {
    let world = world(3, ROOM, RECORDS / 2);
    let report = world.north.run("psi", "too much");
    assert!(report.classes[0].not_asked.clone().unwrap().contains("common items"));
    assert_eq!((report.classes[0].met, world.north.hits()), (0, 0));
    assert_eq!(kept(&world), (1, Vec::new()), "only that it was given up");
    let spent = world.north.spent(&world.south, Direction::Asked);
    world.north.gate(|_| panic!("begun again"));
    let again = world.north.run("psi", "too much");
    assert!(again.classes[0].not_asked.clone().unwrap().contains("common items"));
    assert_eq!(world.north.spent(&world.south, Direction::Asked), spent);
}

/// The first piece of the first attempt at a partition of the same match.
fn opening(of: &BulkCarry, partition: u32) -> BulkCarry {
    BulkCarry { id: of.id, partition, attempt: 0, sent: 0, taken: 0, bytes: Vec::new() }
}

#[test]
fn a_holder_runs_no_more_at_once_than_it_has_room_for_and_an_asker_waits_for_its_own() {
    let world = world(4, ROOM, 300);
    let (north, south) = (Arc::clone(&world.north.desk), Arc::clone(&world.south.desk));
    let most = u32::try_from(BULK_PARTITIONS_AT_ONCE_MAX).unwrap();
    let begun = Arc::new(Mutex::new(Vec::<u32>::new()));
    let seen = Arc::clone(&begun);
    world.north.gate(move |carry| {
        let mut seen = seen.lock().unwrap();
        if seen.is_empty() {
            // Opened and left: all but one of what may run at once. Then one takes the last.
            for partition in (PARTITIONS - most + 1..PARTITIONS).chain([0]) {
                asked(&north, &south, &opening(carry, partition)).unwrap();
            }
            let one_more = asked(&north, &south, &opening(carry, 1));
            let is_busy = matches!(one_more, Err(LinkError::Refused { code: Code::Busy, .. }));
            assert!(is_busy);
        }
        if is_first(carry) {
            seen.push(carry.partition);
        }
        None
    });
    let report = world.north.run("psi", "crowded");
    assert_eq!((report.classes[0].not_asked.clone(), report.hits_by_kind["passport"]), (None, 300));
    let begun = begun.lock().unwrap();
    assert!(begun.len() > PARTITIONS as usize, "some found no room at first: {begun:?}");
    assert_eq!(kept(&world), (0, Vec::new()));
}

#[test]
fn what_is_left_open_ends_with_its_match() {
    let world = world(2, ROOM, 300);
    let first = Arc::new(Mutex::new(None::<BulkCarry>));
    let seen = Arc::clone(&first);
    let (north, south) = (Arc::clone(&world.north.desk), Arc::clone(&world.south.desk));
    world.north.gate(move |carry| {
        seen.lock().unwrap().get_or_insert_with(|| {
            asked(&north, &south, &opening(carry, 0)).unwrap();
            asked(&north, &south, &opening(carry, 1)).unwrap();
            carry.clone()
        });
        Some(LinkError::TimedOut)
    });
    assert!(world.north.run("psi", "left").classes[0].not_asked.is_some());
    world.pass((BULK_IDLE_SECONDS + 60) * 1_000);
    world.south.desk.tend().unwrap();
    let first = first.lock().unwrap().take().unwrap();
    for partition in 0..2 {
        let gone = asked(&world.north.desk, &world.south.desk, &opening(&first, partition));
        let is_nothing = matches!(gone, Err(LinkError::Refused { code: Code::Nothing, .. }));
        assert!(is_nothing, "{partition}");
    }
}

#[test]
fn partitions_of_any_size_give_what_both_have() {
    let shapes = [(1, 2_048, 431), (2, 3_072, 1), (3, 2_048, 999), (4, 6_144, 70), (2, 1 << 20, 9)];
    for (workers, room, shared) in shapes {
        let world = world(workers, room, shared);
        let report = world.north.run("psi", "any");
        assert_eq!(report.classes[0].not_asked, None, "{workers} {room}");
        assert_eq!(report.hits_by_kind["passport"], u64::from(shared), "{workers} {room}");
        assert_eq!(report.classes[0].met, u64::from(shared), "{workers} {room}");
    }
}
