//! Sealing, pushing and applying beside each other, on stores in files: what is on its way to the
//! disk is neither given out twice nor taken for missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use symbolon_disclosure::{Kept, Payload};
use symbolon_store::StreamSide;
use symbolon_trust::Mode;

use super::node::Node;
use super::world::{Fate, World};

/// Alerts, of which every fifth has a second version.
const ALERTS: usize = 60;
const SEALERS: usize = 3;
const PUSHERS: usize = 3;

/// Accepts all alerts, one after the other; the id and the newest title of each.
fn accepted(north: &Node, south: &Node) -> BTreeMap<String, String> {
    let all = (0..ALERTS).map(|number| {
        let mut title = format!("Alert {number:02}");
        let id = north.send(&title, Mode::Live, &[south]);
        if number % 5 == 0 {
            title.push_str(", second version");
            north.update(&id, &title);
        }
        (id, title)
    });
    all.collect()
}

/// The places of the stream to a partner, as they were given out, each with its alert's title.
fn placed(north: &Node, south: &Node) -> Vec<(u64, String)> {
    let sent = north.desk.store.sent_scan(&south.id(), Mode::Live, 0, 10 * ALERTS).unwrap();
    let titled = sent.into_iter().map(|(place, sent)| {
        let kept = Kept::decode(&sent.signed.unwrap()).unwrap();
        let Payload::Alert(alerted) = kept.payload() else { panic!("a word was sent") };
        (place, alerted.view.title.clone().unwrap())
    });
    titled.collect()
}

#[test]
fn what_is_sealed_beside_each_other_is_sealed_once() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::on_disk(directory.path());
    let (north, south) = (&world.north, &world.south);
    let partner = north.desk.partner(&south.id()).unwrap();
    let is_over = AtomicBool::new(false);
    let dealt = AtomicUsize::new(0);
    let titles = thread::scope(|scope| {
        for _ in 0..SEALERS {
            scope.spawn(|| {
                loop {
                    let was_over = is_over.load(Ordering::SeqCst);
                    let more = north.desk.outbox_seal(&partner, u64::MAX).unwrap();
                    dealt.fetch_add(more, Ordering::SeqCst);
                    if was_over && more == 0 {
                        break;
                    }
                }
            });
        }
        let titles = accepted(north, south);
        is_over.store(true, Ordering::SeqCst);
        titles
    });
    assert!(north.desk.store.outbox_is_empty(&south.id()).unwrap());
    assert_eq!(dealt.into_inner(), ALERTS + ALERTS / 5, "each intent once");
    let placed = placed(north, south);
    let next = north.desk.store.stream_next(StreamSide::Out, &south.id(), Mode::Live).unwrap();
    let places: Vec<u64> = placed.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..next).collect::<Vec<_>>());
    let given: BTreeSet<String> = placed.iter().map(|(_, title)| title.clone()).collect();
    assert_eq!(given.len(), placed.len(), "no version twice");
    assert!(titles.values().all(|title| given.contains(title)));
    north.log_holds();
}

/// Now and then a push comes twice, or its answer is lost and all is sent again.
fn unsteady(from: &Node) {
    let mut number = 0;
    from.link.weather(move || {
        number += 1;
        match number % 8 {
            3 => Fate::Twice,
            6 => Fate::AnswerLost,
            _ => Fate::Arrives,
        }
    });
}

/// Accepts, seals and pushes at once until all is there.
fn delivered<'a>(
    scope: &'a Scope<'a, '_>,
    from: &'a Node,
    to: &'a Node,
) -> ScopedJoinHandle<'a, BTreeMap<String, String>> {
    let is_over = Arc::new(AtomicBool::new(false));
    let step = |step: fn(&Node, &Node)| {
        let is_over = Arc::clone(&is_over);
        scope.spawn(move || {
            while !is_over.load(Ordering::SeqCst) || from.desk.something_waits(&to.id()).unwrap() {
                step(from, to);
            }
        });
    };
    for _ in 0..SEALERS {
        step(|from, to| drop(from.desk.alerts_seal(&to.id())));
    }
    for _ in 0..PUSHERS {
        step(|from, to| drop(from.desk.alerts_push(&to.id())));
    }
    scope.spawn(move || {
        let titles = accepted(from, to);
        is_over.store(true, Ordering::SeqCst);
        titles
    })
}

/// Each alert is there, each statement applied once and in its order.
fn all_is_there(from: &Node, to: &Node, titles: &BTreeMap<String, String>) {
    let mut held = to.titles();
    held.sort_unstable();
    let mut sent: Vec<String> = titles.values().cloned().collect();
    sent.sort_unstable();
    assert_eq!(held, sent);
    for (id, title) in titles {
        assert_eq!(from.state(id, to), "delivered", "{title}");
    }
    let sent = from.desk.store.sent_scan(&to.id(), Mode::Live, 0, 10 * ALERTS).unwrap();
    let leaf = |hash: &[u8; 32]| to.desk.store.log_receipt(hash).unwrap().unwrap().leaf_index;
    let leaves: Vec<u64> = sent.iter().map(|(_, sent)| leaf(&sent.statement_hash)).collect();
    assert!(leaves.is_sorted_by(|one, other| one < other), "{leaves:?}");
    let next = leaves.len() as u64 + 1;
    assert_eq!((to.next_in(from, Mode::Live), from.settled(to, Mode::Live)), (next, next));
    from.log_holds();
}

#[test]
fn what_goes_both_ways_is_applied_once_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::on_disk(directory.path());
    let (north, south) = (&world.north, &world.south);
    unsteady(north);
    unsteady(south);
    let (there, back) = thread::scope(|scope| {
        // What each sends makes its log grow while it acknowledges what comes.
        let there = delivered(scope, north, south);
        let back = delivered(scope, south, north);
        (there.join().unwrap(), back.join().unwrap())
    });
    all_is_there(north, south, &there);
    all_is_there(south, north, &back);
}
