//! What is handed in under an idempotency key: repeated at once, after other changes, and after
//! its key was forgotten.

use symbolon_trust::Mode;

use super::node::{Node, form, officer};
use super::world::{DAY_MS, World};
use crate::DeskError;
use crate::api::{AlertAcks, AlertName, AlertSend, AlertSent, AlertUpdate, AlertWithdraw, Quiet};
use crate::limits::SUBMISSION_DAYS;

fn key(number: u8) -> Option<String> {
    Some(format!("{number:032x}"))
}

fn send(node: &Node, what: &str, number: u8) -> AlertSent {
    let request = AlertSend { form: form(what, Mode::Live), idempotency_key: key(number) };
    node.desk.alert_send(&officer(), request, &mut Quiet).unwrap()
}

fn update(node: &Node, id: &str, what: &str, number: u8) -> Result<AlertSent, DeskError> {
    let (id, form) = (id.to_owned(), form(what, Mode::Live));
    let request = AlertUpdate { id, form, idempotency_key: key(number) };
    node.desk.alert_update(&officer(), request, &mut Quiet)
}

fn withdraw(node: &Node, id: &str, reason: &str, number: u8) -> Result<AlertAcks, DeskError> {
    let (id, reason) = (id.to_owned(), reason.to_owned());
    let request = AlertWithdraw { id, reason, idempotency_key: key(number) };
    node.desk.alert_withdraw(&officer(), request, &mut Quiet)
}

fn version(node: &Node, id: &str) -> String {
    let key = symbolon_store::AlertKey { origin: node.id(), id: id.parse().unwrap() };
    node.desk.store().alert_fetch(&key).unwrap().unwrap().version.to_string()
}

#[test]
fn a_key_is_known_until_no_client_sends_by_itself_what_has_it() {
    let world = World::new();
    let north = &world.north;
    let first = send(north, "Alarm", 1);
    north.desk.tend().unwrap();
    world.pass(SUBMISSION_DAYS * DAY_MS);
    north.desk.tend().unwrap();
    let again = send(north, "Alarm", 1);
    assert_eq!((&again.id, again.repeated), (&first.id, true));
    world.pass(DAY_MS);
    north.desk.tend().unwrap();
    let fetched = north.desk.store().submission_fetch("duty", key(1).unwrap().as_bytes());
    assert_eq!(fetched.unwrap(), None, "its row is gone");
    assert_ne!(send(north, "Alarm", 1).id, first.id);
    north.log_holds();
}

#[test]
fn a_repeated_change_undoes_no_later_one() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = send(north, "First", 1).id;
    let second = update(north, &id, "Second", 2).unwrap();
    update(north, &id, "Third", 3).unwrap();
    let third = version(north, &id);
    let size = north.desk.store().log_size();
    let again = update(north, &id, "Second", 2).unwrap();
    assert!(again.repeated && !second.repeated);
    assert_eq!((again.log_index, again.leaf_hash), (second.log_index, second.leaf_hash));
    assert_eq!((version(north, &id), north.desk.store().log_size()), (third, size));
    // Neither another form nor another verb under the same key.
    assert!(update(north, &id, "Fourth", 2).is_err());
    assert!(withdraw(north, &id, "error", 2).is_err());
    // What changed nothing when it came changes nothing when it comes again.
    assert!(update(north, &id, "Third", 4).unwrap().repeated);
    update(north, &id, "Fifth", 5).unwrap();
    assert!(update(north, &id, "Third", 4).unwrap().repeated);
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["Fifth"]);
    north.log_holds();
}

#[test]
fn a_repeated_withdrawal_is_answered_as_the_first() {
    let world = World::new();
    let north = &world.north;
    let id = send(north, "Alarm", 1).id;
    let first = withdraw(north, &id, "error", 2).unwrap();
    let size = north.desk.store().log_size();
    let again = withdraw(north, &id, "error", 2).unwrap();
    assert_eq!((again.id, again.state.as_str()), (first.id, "withdrawn"));
    assert_eq!(north.desk.store().log_size(), size);
    // Under a key of its own it is another withdrawal, of what is gone.
    assert!(withdraw(north, &id, "error", 3).is_err());
    assert!(withdraw(north, &id, "resolved", 2).is_err(), "another reason under its key");
    let name = AlertName { id };
    assert_eq!(north.desk.alert_state(&officer(), name, &mut Quiet).unwrap().state, "withdrawn");
}
