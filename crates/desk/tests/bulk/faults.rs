//! One fault in every place where there can be one, and any schedule of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use symbolon_desk::api::ExchangeReport;
use symbolon_desk::limits::{BULK_CARRY_REPEATS_MAX, BULK_IDLE_SECONDS};
use symbolon_store::Direction;

use super::world::{Fate, Passing, World};

/// Passports that both have.
const SHARED: u64 = 12;
/// Elements of the batch that asks for what met: the least that holds the keys of the shared ones.
const EVALUATED: u64 = 64;
/// Runs after which a match is through, however it began: what a fault took away begins anew.
const RUNS_MAX: usize = 3;

fn world() -> World {
    let world = World::new(10_000_000);
    world.north.import(0..40);
    world.south.import(28..70);
    world.south.publish();
    world
}

/// What an exchange of one case cost, and how it ended.
struct Told {
    /// What the first run said.
    first: ExchangeReport,
    /// Evaluations that the first run asked for.
    asked_first: u64,
    runs: usize,
    /// Elements charged by the asker and by the holder.
    spent: [u64; 2],
}

/// Runs an exchange until it is through; `fate` is the weather of the first run.
fn exchange(world: &World, case: &str, fate: impl FnMut(Passing) -> Fate + Send + 'static) -> Told {
    let World { north, south, .. } = world;
    let spent = || [north.spent(south, Direction::Asked), south.spent(north, Direction::Answered)];
    let evaluations = || north.link.evaluations.load(Ordering::Relaxed);
    let (spent_before, evaluated_before) = (spent(), evaluations());
    north.weather(fate);
    let first = north.run("psi", case);
    let asked_first = evaluations() - evaluated_before;
    north.weather(|_| Fate::Arrives);
    let (mut report, mut runs) = (first.clone(), 1);
    while report.classes[0].not_asked.is_some() {
        assert!(runs < RUNS_MAX, "{case}: {:?}", report.classes[0].not_asked);
        report = north.run("psi", case);
        runs += 1;
    }
    assert_eq!(report.hits_by_kind["passport"], SHARED, "{case}: the result is exact");
    let now = spent();
    Told { first, asked_first, runs, spent: [now[0] - spent_before[0], now[1] - spent_before[1]] }
}

fn is_through(report: &ExchangeReport) -> bool {
    report.classes[0].not_asked.is_none()
}

/// The kinds of what passes in a match without a fault, in their order, and what it costs.
fn honest(world: &World) -> (Vec<Passing>, u64) {
    let told = exchange(world, "no fault", |_| Fate::Arrives);
    assert!(is_through(&told.first) && told.spent[0] == told.spent[1]);
    let passed = std::mem::take(&mut *world.north.link.passed.lock().unwrap());
    assert_eq!(passed.first(), Some(&Passing::Begin));
    assert_eq!(passed.last(), Some(&Passing::Signatures));
    assert!(passed.iter().filter(|what| **what == Passing::Carry).count() > 5);
    (passed, told.spent[0])
}

/// The fate that strikes the message with this number, and only that.
fn strike(number: usize, fate: Fate) -> impl FnMut(Passing) -> Fate + Send + 'static {
    let mut next = 0;
    move |_| {
        next += 1;
        if next - 1 == number { fate } else { Fate::Arrives }
    }
}

#[test]
fn what_is_lost_repeated_or_late_costs_nothing_and_changes_nothing() {
    let world = world();
    let (passed, cost) = honest(&world);
    for fate in [Fate::Lost, Fate::AnswerLost, Fate::Twice, Fate::Late] {
        for (number, what) in passed.iter().enumerate() {
            let case = format!("{fate:?} {number} {what:?}");
            let told = exchange(&world, &case, strike(number, fate));
            // A piece is sent again at once; anything else with the next run.
            let is_through_at_once = fate == Fate::Twice || *what == Passing::Carry;
            assert_eq!(is_through(&told.first), is_through_at_once, "{case}");
            assert!(is_through_at_once || told.asked_first == 0, "{case}: nothing is used");
            assert_eq!(told.spent, [cost; 2], "{case}: one set is charged once");
        }
    }
}

#[test]
fn what_is_cut_or_flipped_ends_the_attempt_or_the_match_and_is_not_used() {
    let world = world();
    let (passed, cost) = honest(&world);
    let fates = [
        Fate::Cut,
        Fate::AnswerCut,
        Fate::Flipped(3),
        Fate::Flipped(90_001),
        Fate::AnswerFlipped(2),
        Fate::AnswerFlipped(70_003),
    ];
    let mut begun_anew = 0;
    for fate in fates {
        let carries = passed.iter().enumerate().filter(|(_, what)| **what == Passing::Carry);
        for (number, _) in carries {
            let case = format!("{fate:?} {number}");
            let told = exchange(&world, &case, strike(number, fate));
            assert!(is_through(&told.first) || told.asked_first == 0, "{case}: nothing is used");
            assert_eq!(told.spent[0], told.spent[1], "{case}: both charge the same");
            let is_anew = told.runs == RUNS_MAX || !is_through(&told.first);
            begun_anew += usize::from(is_anew);
            // A set that was shown is paid for; only then is another begun.
            let sets = (told.spent[0] - EVALUATED) / (cost - EVALUATED);
            assert_eq!(sets, 1 + u64::from(is_anew), "{case}");
        }
    }
    assert!(begun_anew > 2, "some of it struck what both had to sign");
}

#[test]
fn a_way_that_stays_broken_leaves_the_match_where_it_was() {
    let world = world();
    let (passed, cost) = honest(&world);
    let first = passed.iter().position(|what| *what == Passing::Carry).unwrap();
    for number in first..passed.len() - 1 {
        let case = format!("broken from {number}");
        let mut next = 0;
        let told = exchange(&world, &case, move |_| {
            next += 1;
            if next > number { Fate::Lost } else { Fate::Arrives }
        });
        assert!(!is_through(&told.first) && told.asked_first == 0, "{case}");
        assert_eq!(told.spent, [cost; 2], "{case}: it is gone on with, wherever it was");
        let lost = world.north.link.passed.lock().unwrap().len();
        assert!(lost > BULK_CARRY_REPEATS_MAX as usize, "{case}: it was tried again");
    }
}

#[test]
fn a_holder_that_forgot_is_begun_with_anew() {
    let world = world();
    let (passed, cost) = honest(&world);
    let mut next = 0;
    let carries = passed.iter().position(|what| *what == Passing::Carry).unwrap();
    world.north.weather(move |_| {
        next += 1;
        if next > carries + 2 { Fate::Lost } else { Fate::Arrives }
    });
    assert!(!is_through(&world.north.run("psi", "forgotten")));
    world.pass((BULK_IDLE_SECONDS + 60) * 1_000);
    world.south.desk.tend().unwrap();
    let told = exchange(&world, "forgotten", |_| Fate::Arrives);
    assert!(is_through(&told.first));
    assert_eq!(told.spent, [cost; 2], "the new set is charged, on both sides");
}

#[test]
fn a_set_larger_than_a_partition_is_matched_from_the_store_and_leaves_nothing_there() {
    let world = World::new(1_000_000);
    let nodes = [&world.north, &world.south];
    nodes.iter().for_each(|node| node.desk.bulk_partition_room(2_048).unwrap());
    world.north.import(0..5_000);
    world.south.import(4_700..9_700);
    world.south.publish();
    let spilled = || nodes.map(|node| node.desk.store().progress_list("spill/").unwrap().len());
    let (store, most) = (world.south.desk.clone(), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&most);
    world.north.weather(move |_| {
        let rows = store.store().progress_list("spill/").unwrap().len() as u64;
        seen.fetch_max(rows, Ordering::Relaxed);
        Fate::Arrives
    });
    let report = world.north.run("psi", "large");
    assert_eq!((report.classes[0].not_asked.clone(), report.hits_by_kind["passport"]), (None, 300));
    assert!(most.load(Ordering::Relaxed) > 256, "the holder's set was in its store");
    assert_eq!(spilled(), [0, 0]);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Late),
        1 => Just(Fate::Cut),
        1 => Just(Fate::AnswerCut),
        1 => (0_usize..1 << 22).prop_map(Fate::Flipped),
        1 => (0_usize..1 << 22).prop_map(Fate::AnswerFlipped),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_schedule_ends_exactly_or_unused(fates in proptest::collection::vec(fate(), 1..20)) {
        let world = world();
        let (_, cost) = honest(&world);
        let mut fates = fates.into_iter();
        let told = exchange(&world, "any", move |_| fates.next().unwrap_or(Fate::Arrives));
        prop_assert!(is_through(&told.first) || told.asked_first == 0);
        prop_assert!(told.spent[0] == told.spent[1] && told.spent[0] <= 3 * cost);
    }
}
