//! What is done once: a statement is sealed once before it first leaves, and what is known of a
//! recipient outlives the yes that lets a new version out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use symbolon_codec::sha256;
use symbolon_trust::Mode;

use super::node::{Node, form, officer};
use super::world::{Fate, World};
use crate::api::{AlertForm, AlertName, AlertUpdate, Quiet};
use crate::officer::Role;
use crate::{Left, Officer};

/// How many seeds a desk has drawn so far: each sealing takes one.
fn drawn(node: &Node) -> u64 {
    let seed = node.desk.surroundings.seed();
    let is_it = |number: &u64| {
        sha256("a seed of a test", &[node.name.as_bytes(), &number.to_be_bytes()]) == seed
    };
    (0..100_000).find(is_it).unwrap()
}

/// How many seeds a push that is lost draws.
fn drawn_by_push(north: &Node, south: &Node) -> u64 {
    let before = drawn(north);
    assert!(north.desk.alerts_push(&south.id()).is_err());
    drawn(north) - before - 1
}

#[test]
fn what_was_sealed_while_another_was_on_its_way_leaves_as_it_is() {
    let world = Arc::new(World::new());
    let (north, south) = (&world.north, &world.south);
    let first = north.send("First", Mode::Live, &[south]);
    let (meanwhile, is_first) = (Arc::clone(&world), AtomicBool::new(true));
    north.link.weather(move || {
        let World { north, south, .. } = &*meanwhile;
        if is_first.swap(false, Ordering::Relaxed) {
            north.send("Second", Mode::Live, &[south]);
            assert_eq!(north.desk.alerts_seal(&south.id()).unwrap(), 1);
        }
        Fate::Arrives
    });
    assert_eq!(north.desk.alerts_push(&south.id()).unwrap().left, Left::More);
    assert_eq!(north.state(&first, south), "delivered");
    north.link.weather(|| Fate::Lost);
    let leaves = drawn_by_push(north, south);
    // Sent again it is the same statement in a fresh envelope.
    let again = drawn_by_push(north, south);
    assert_eq!((again, drawn_by_push(north, south)), (leaves + 1, again));
    north.link.weather(|| Fate::Arrives);
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First", "Second"]);
}

#[test]
fn a_yes_forgets_nothing_that_a_recipient_has_said() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    south.acknowledge(&id, "acted").unwrap();
    south.push(north).unwrap();
    let urgent = AlertForm {
        urgency: Some("urgent".to_owned()),
        only: vec!["south".to_owned()],
        ..form("Alarm, second version", Mode::Live)
    };
    let request = AlertUpdate { id: id.clone(), form: urgent, idempotency_key: None };
    north.desk.alert_update(&officer(), request, &mut Quiet).unwrap();
    let before = north.row(&id, south);
    assert_eq!(before.state, "acted");
    let second = Officer::parse("second", Role::Officer).unwrap();
    let request = AlertName { id: id.clone() };
    let sent = north.desk.alert_approve(&second, request, &mut Quiet).unwrap();
    assert_eq!(sent.recipients, ["south"]);
    assert_eq!(north.row(&id, south), before, "until the new version leaves");
    north.push(south).unwrap();
    assert_eq!(north.state(&id, south), "delivered");
    assert_eq!(south.titles(), ["Alarm, second version"]);
}
