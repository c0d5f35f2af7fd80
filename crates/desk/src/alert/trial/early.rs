//! Sealed while the acceptance is on its way to the disk: once, and not at all where the acceptance
//! is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use symbolon_record::Record;
use symbolon_store::{
    Alert, AlertKey, Intent, Line, Slot, StoreError, StreamSide, Submitted, Write,
};
use symbolon_trust::Mode;

use super::super::coming::{Accepting, Announced};
use super::node::{Node, form, officer};
use super::world::World;
use crate::api::{AlertForm, AlertNarrow, AlertSend, Quiet};

const ROUNDS: u64 = 40;
const SUBMITTERS: u64 = 3;

/// An alert that could be accepted: its row, as one is that was accepted, and what it says.
fn acceptable(node: &Node, like: &str) -> (Alert, Record) {
    let origin = node.id();
    let known = AlertKey { origin, id: like.parse().unwrap() };
    let known = node.desk.store.alert_fetch(&known).unwrap().unwrap();
    let record = node.record(&form("Never accepted", Mode::Live));
    let key = AlertKey { origin, id: record.id() };
    (Alert { key, version: record.version(), ..known }, record)
}

/// What accepting does to the store, for one partner.
fn acceptance(alert: &Alert, record: &Record, (to, position): (&Node, u64)) -> Write {
    let intent = Intent::Alert { alert: alert.key.id, mode: alert.mode };
    Write::new().alert_new(alert).alert_content(&alert.key, Slot::Current, &record.encode()).outbox(
        &to.id(),
        position,
        &intent,
    )
}

/// An acceptance that was submitted, and the alert announced that comes with it.
fn coming<'a>(
    (north, south): (&'a Node, &Node),
    like: &str,
    change: impl FnOnce(Write, u64) -> Write,
) -> (AlertKey, Submitted, Announced<'a>) {
    let (alert, record) = acceptable(north, like);
    let (key, position) = (alert.key, north.desk.outbox_position());
    let write = change(acceptance(&alert, &record, (south, position)), position);
    let submitted = north.desk.store.submit(write).unwrap();
    let coming = Accepting { alert, record, secrets: submitted.secrets() };
    let announced = north.desk.alerts.coming.announce(vec![(south.id(), position)], coming);
    (key, submitted, announced)
}

fn is_any_coming(from: &Node, to: &Node) -> bool {
    !from.desk.alerts.coming.of(&to.id(), Mode::Live).is_empty()
}

fn next_out(from: &Node, to: &Node) -> u64 {
    from.desk.store.stream_next(StreamSide::Out, &to.id(), Mode::Live).unwrap()
}

#[test]
fn what_is_on_its_way_to_the_disk_is_taken_by_whoever_seals_it() {
    let directory = tempfile::tempdir().unwrap();
    let World { north, south, .. } = &World::on_disk(directory.path());
    let partner = north.desk.partner(&south.id()).unwrap();
    let first = north.send("First", Mode::Live, &[south]);
    north.push(south).unwrap();
    let (_, submitted, _announced) = coming((north, south), &first, |write, _| write);
    assert!(is_any_coming(north, south));
    assert_eq!(north.desk.outbox_seal(&partner, u64::MAX).unwrap(), 1);
    assert!(!is_any_coming(north, south), "nobody else seals it");
    submitted.wait().unwrap();
    assert!(north.desk.store.outbox_is_empty(&south.id()).unwrap());
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First", "Never accepted"]);
    north.log_holds();
}

#[test]
fn who_sends_is_told_of_what_is_durable_whoever_sealed_it_meanwhile() {
    let World { north, south, .. } = &World::new();
    let (desk, waits) = (Arc::downgrade(&north.desk), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&waits);
    north.desk.on_queued(Box::new(move |node| {
        let desk = desk.upgrade().unwrap();
        let is_coming = !desk.alerts.coming.of(node, Mode::Live).is_empty();
        told.lock().unwrap().push((*node, desk.store.outbox_is_empty(node).unwrap(), is_coming));
    }));
    north.send("First", Mode::Live, &[south]);
    assert_eq!(*waits.lock().unwrap(), [(south.id(), false, false)]);
    let first = north.send("Second", Mode::Live, &[south]);
    let (_, submitted, announced) = coming((north, south), &first, |write, _| write);
    submitted.wait().unwrap();
    drop(announced);
    assert!(!is_any_coming(north, south), "it is the store's from now on");
}

#[test]
fn where_the_acceptance_is_refused_nothing_of_it_is_sealed() {
    let World { north, south, .. } = &World::new();
    let partner = north.desk.partner(&south.id()).unwrap();
    let first = north.send("First", Mode::Live, &[south]);
    let known = AlertKey { origin: north.id(), id: first.parse().unwrap() };
    let known = north.desk.store.alert_fetch(&known).unwrap().unwrap();
    let refused = |write: Write, _| write.alert_new(&known);
    let (key, submitted, _announced) = coming((north, south), &first, refused);
    let size = north.desk.store.log_size();
    assert_eq!(north.desk.outbox_seal(&partner, u64::MAX).unwrap(), 1, "only the first");
    assert!(matches!(submitted.wait(), Err(StoreError::Conflict)));
    assert!(!is_any_coming(north, south));
    assert_eq!(next_out(north, south), 2, "no place is lost");
    assert_eq!(north.desk.store.log_size(), size + 1, "nothing is logged of what does not leave");
    assert_eq!(north.desk.store.delivery_fetch(&key.id, &south.id()).unwrap(), None);
    assert!(north.desk.store.alert_fetch(&key).unwrap().is_none());
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First"]);
}

/// Whoever seals may look for what waits just before an acceptance is durable, and at the alert
/// just after somebody has changed it. Here the outbox shows it never.
#[test]
fn what_is_durable_is_sealed_as_it_is_in_the_store() {
    let World { north, south, .. } = &World::new();
    let partner = north.desk.partner(&south.id()).unwrap();
    let first = north.send("First", Mode::Live, &[south]);
    let unseen = |write: Write, position| {
        write.outbox_delete(&south.id(), Line::Statements(Mode::Live), position)
    };
    let (key, submitted, _announced) = coming((north, south), &first, unseen);
    submitted.wait().unwrap();
    let request = AlertNarrow { id: key.id.to_string(), keep: Vec::new() };
    north.desk.alert_narrow(&officer(), request, &mut Quiet).unwrap();
    assert_eq!(north.desk.outbox_seal(&partner, u64::MAX).unwrap(), 2);
    assert_eq!(next_out(north, south), 2, "it is for nobody any more");
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First"]);
}

/// Several hand in the same at once, and all but one are refused while their alerts are sealed.
#[test]
fn what_is_handed_in_several_times_at_once_is_sealed_once() {
    let directory = tempfile::tempdir().unwrap();
    let World { north, south, .. } = &World::on_disk(directory.path());
    let partner = north.desk.partner(&south.id()).unwrap();
    let (is_over, together) = (AtomicBool::new(false), Barrier::new(SUBMITTERS as usize));
    let submit = || {
        let ids = (0..ROUNDS).map(|round| {
            together.wait();
            let form = form(&format!("Alert {round:02}"), Mode::Live);
            let idempotency_key = Some(format!("handed-in-together-{round}"));
            let form = AlertForm { only: vec!["south".to_owned()], ..form };
            let request = AlertSend { form, idempotency_key };
            north.desk.alert_send(&officer(), request, &mut Quiet).unwrap().id
        });
        ids.collect::<Vec<String>>()
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let was_over = is_over.load(Ordering::SeqCst);
                let dealt = north.desk.outbox_seal(&partner, u64::MAX).unwrap();
                if was_over && dealt == 0 {
                    break;
                }
            }
        });
        let submitters: Vec<_> = (0..SUBMITTERS).map(|_| scope.spawn(submit)).collect();
        let ids: Vec<_> = submitters.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "each is told of the same alert");
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(next_out(north, south), ROUNDS + 1);
    north.push(south).unwrap();
    let titles: Vec<String> = (0..ROUNDS).map(|round| format!("Alert {round:02}")).collect();
    assert_eq!(south.titles(), titles);
    north.log_holds();
}
