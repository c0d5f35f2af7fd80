//! Proofs of deletion: honest ones arrive and hold, false ones are kept nowhere, and nobody learns
//! by asking for one what else stands in a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use symbolon_audit::{DeletedEvent, Entry, Logged, Who};
use symbolon_disclosure::Stage;
use symbolon_protocol::limits::PROVE_LEAVES_MAX;
use symbolon_protocol::{Code, OpenedLeaf, ProtocolError, Prove, Proved};
use symbolon_store::{DeletionDue, DeletionProof, Store, Write};
use symbolon_tlog::{CheckpointVerifier, Hash, SignedCheckpoint, verify_inclusion};
use symbolon_trust::Mode;

use super::node::{Node, form, officer};
use super::world::{BEGIN_MS, DAY_MS, World, asked};
use crate::api::{AlarmsShow, AlertForm, AlertSend, DeletionProved, Quiet};
use crate::limits::{PROOF_AGAIN_SECONDS_MAX, PROOF_TRIES_MAX};
use crate::{LinkError, Officer};

/// North has sent this to south and taken it back; south has deleted it, and said so.
fn deleted(north: &Node, south: &Node, what: &str) -> String {
    let id = north.send(what, Mode::Live, &[south]);
    north.push(south).unwrap();
    north.withdraw(&id);
    north.push(south).unwrap();
    assert_eq!(north.state(&id, south), "deleted");
    id
}

fn proofs(north: &Node, id: &str, south: &Node) -> Vec<DeletionProof> {
    north.desk.store.deletion_proofs(&id.parse().unwrap(), &south.id()).unwrap()
}

fn due(north: &Node, south: &Node) -> Vec<DeletionDue> {
    north.desk.store.deletion_due_scan(&south.id(), None, 100).unwrap()
}

fn prove(north: &Node, south: &Node) -> usize {
    north.desk.deletions_prove(&south.id()).unwrap()
}

fn requests(north: &Node) -> usize {
    north.link.asked_for.lock().unwrap().len()
}

/// By the words of the specification alone.
fn holds(proof: &DeletionProof, south: &Node) -> bool {
    let checkpoint = south.desk.store.log_consistency(proof.size, south.desk.store.log_size());
    let logged = Logged::decode(&proof.logged).unwrap();
    let leaf = south.desk.store.log_leaf_fetch(proof.log_index).unwrap().unwrap();
    let inclusion = south.desk.store.log_inclusion(proof.log_index, proof.size).unwrap();
    checkpoint.is_ok() && logged.leaf() == leaf && inclusion == proof.proof
}

fn alarms(node: &Node) -> Vec<String> {
    let request = AlarmsShow { closed: false };
    let alarms = node.desk.audit_alarms(&officer(), request, &mut Quiet).unwrap().alarms;
    alarms.into_iter().map(|alarm| alarm.kind).collect()
}

#[test]
fn a_deletion_is_proved_and_shown() {
    let world = World::with_drills();
    let World { north, south, .. } = &world;
    let id = deleted(north, south, "Alarm");
    let signed = north.row(&id, south);
    assert_eq!((signed.deletion_proved, due(north, south).len()), (None, 1));
    assert_eq!((prove(north, south), due(north, south).len()), (1, 0));
    let [proof] = &proofs(north, &id, south)[..] else { panic!("one statement, one proof") };
    assert!(holds(proof, south));
    let proved = DeletionProved { position: signed.their_index.unwrap(), size: proof.size };
    assert_eq!(north.row(&id, south).deletion_proved, Some(proved));
    // South has opened a leaf, and its log says so; north has seen that much of it.
    let last = south.desk.store.log_size() - 1;
    let entry = south.desk.store.log_entry_fetch(last).unwrap().unwrap();
    assert_eq!(entry.entry().event().name(), "read");
    let seen = north.desk.store.partner_seen(&south.id()).unwrap().unwrap();
    assert_eq!(seen.size, proof.size);
    assert_eq!((prove(north, south), requests(north)), (0, 1), "nothing is asked for twice");
    // What is over, and what is of a drill, is proved as well.
    let drill = north.send("Drill", Mode::Exercise, &[south]);
    let only = vec!["south".to_owned()];
    let form = AlertForm { expires_days: Some(1), only, ..form("Expiring", Mode::Live) };
    let request = AlertSend { form, idempotency_key: None };
    let expiring = north.desk.alert_send(&officer(), request, &mut Quiet).unwrap().id;
    north.push(south).unwrap();
    north.withdraw(&drill);
    north.push(south).unwrap();
    world.pass(2 * DAY_MS);
    for node in [north, south] {
        node.desk.alerts_due().unwrap();
    }
    south.push(north).unwrap();
    assert_eq!(prove(north, south), 2);
    for id in [drill, expiring] {
        assert!(north.row(&id, south).deletion_proved.is_some());
        assert!(proofs(north, &id, south).iter().all(|proof| holds(proof, south)));
    }
    for node in [north, south] {
        node.log_holds();
    }
}

#[test]
fn many_are_asked_for_at_once() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let count = PROVE_LEAVES_MAX + 6;
    let ids: Vec<_> =
        (0..count).map(|n| north.send(&format!("{n}"), Mode::Live, &[south])).collect();
    north.push(south).unwrap();
    for id in &ids {
        north.withdraw(id);
    }
    north.push(south).unwrap();
    assert_eq!(due(north, south).len(), count);
    assert_eq!(prove(north, south), count);
    assert!(requests(north) < count / 4, "{}", requests(north));
    assert!(ids.iter().all(|id| north.row(id, south).deletion_proved.is_some()));
}

fn openings(answer: &Proved, change: impl Fn(usize, &OpenedLeaf) -> OpenedLeaf) -> Proved {
    let openings = answer.openings().iter().enumerate().map(|(n, leaf)| change(n, leaf));
    Proved::new(answer.consistency().to_vec(), openings.collect()).unwrap()
}

fn wrong_proof(_: &World, _: &Prove, answer: Proved) -> Proved {
    openings(&answer, |_, leaf| {
        let mut proof = leaf.proof().to_vec();
        proof[0] = Hash([7; 32]);
        OpenedLeaf::new(leaf.logged().to_vec(), proof)
    })
}

fn another_leaf(_: &World, _: &Prove, answer: Proved) -> Proved {
    let turned: Vec<_> = answer.openings().iter().rev().cloned().collect();
    Proved::new(answer.consistency().to_vec(), turned).unwrap()
}

fn another_entry(_: &World, _: &Prove, answer: Proved) -> Proved {
    openings(&answer, |_, leaf| {
        let entry = Entry::heartbeat(Who { now: 1, actor: "node" });
        OpenedLeaf::new(Logged::new(entry, [1; 32]).encode(), leaf.proof().to_vec())
    })
}

fn no_entry(_: &World, _: &Prove, answer: Proved) -> Proved {
    openings(&answer, |_, leaf| OpenedLeaf::new(vec![7; 40], leaf.proof().to_vec()))
}

fn fewer(_: &World, _: &Prove, answer: Proved) -> Proved {
    Proved::new(answer.consistency().to_vec(), answer.openings()[..1].to_vec()).unwrap()
}

fn no_consistency(_: &World, _: &Prove, answer: Proved) -> Proved {
    assert!(!answer.consistency().is_empty());
    Proved::new(Vec::new(), answer.openings().to_vec()).unwrap()
}

/// The same two alerts were deleted by east too: its leaves say so, in its own log.
fn another_log(world: &World, request: &Prove, _: Proved) -> Proved {
    let World { north, east, .. } = world;
    let theirs: Vec<DeletionDue> = due(north, east);
    let mut leaves: Vec<u64> = theirs.iter().map(|one| one.log_index).collect();
    leaves.sort_unstable();
    assert_eq!(leaves.len(), request.leaves().len());
    let of_east = Prove::new(theirs[0].size, 0, leaves).unwrap();
    asked(&north.desk, &east.desk, &of_east).unwrap()
}

#[test]
fn what_does_not_hold_is_kept_nowhere() {
    let lies: [(&str, fn(&World, &Prove, Proved) -> Proved); 7] = [
        ("a wrong proof", wrong_proof),
        ("another leaf", another_leaf),
        ("another entry", another_entry),
        ("no entry", no_entry),
        ("fewer leaves", fewer),
        ("no consistency", no_consistency),
        ("another log", another_log),
    ];
    for (name, lie) in lies {
        let world = Arc::new(World::new());
        let World { north, south, east, .. } = &*world;
        // So that north has seen something of south's log.
        deleted(north, south, "Before");
        assert_eq!(prove(north, south), 1);
        let ids = ["One", "Other"].map(|what| north.send(what, Mode::Live, &[south, east]));
        [south, east].into_iter().for_each(|to| north.push(to).unwrap());
        ids.iter().for_each(|id| north.withdraw(id));
        [south, east].into_iter().for_each(|to| north.push(to).unwrap());
        let seen = north.desk.store.partner_seen(&south.id()).unwrap();
        let lying = Arc::clone(&world);
        north.link.proves(move |request| {
            let honest = asked(&lying.north.desk, &lying.south.desk, request).unwrap();
            Some(Ok(lie(&lying, request, honest)))
        });
        let kept = north.desk.store.log_size();
        assert_eq!(prove(north, south), 0, "{name}");
        for id in &ids {
            assert_eq!(proofs(north, id, south), [], "{name}");
            assert_eq!(north.row(id, south).deletion_proved, None, "{name}");
        }
        assert_eq!(north.desk.store.log_size(), kept);
        assert_eq!(alarms(north), [""; 0], "a proof that leads nowhere proves no split");
        assert!(due(north, south).iter().all(|one| one.tries == 1), "{name}");
        if name == "no consistency" {
            assert_eq!(north.desk.store.partner_seen(&south.id()).unwrap(), seen);
        }
        // The truth is taken when its time comes, and not before.
        let asked_for = requests(north);
        north.link.proves(|_| None);
        assert_eq!((prove(north, south), requests(north)), (0, asked_for), "{name}");
        world.pass(61_000);
        assert_eq!(prove(north, south), 2, "{name}");
    }
}

#[test]
fn what_is_not_for_the_asker_is_refused_like_what_is_not_there() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    deleted(north, south, "For north");
    deleted(east, south, "For east");
    let (of_north, of_east) =
        (due(north, south).remove(0).log_index, due(east, south).remove(0).log_index);
    let size = south.desk.store.log_size();
    let refused = |size: u64, seen: u64, leaves: &[u64]| {
        let request = Prove::new(size, seen, leaves.to_vec()).unwrap();
        match asked(&east.desk, &south.desk, &request) {
            Err(ProtocolError::PeerRefused { code: Code::Nothing, detail: None }) => {}
            other => panic!("{leaves:?}: {other:?}"),
        }
    };
    for index in (0..size).filter(|index| *index != of_east) {
        refused(size, 0, &[index]);
    }
    assert!(of_north < size);
    refused(size + 1, 0, &[size]);
    refused(size + 1, 0, &[of_east]);
    refused(u64::MAX, 0, &[u64::MAX - 1]);
    refused(size, size + 1, &[of_east]);
    let mut both = [of_north, of_east];
    both.sort_unstable();
    refused(size, 0, &both);
    assert_eq!(south.desk.store.log_size(), size, "nothing was opened, nothing is logged");
    let request = Prove::new(size, 0, vec![of_east]).unwrap();
    assert_eq!(asked(&east.desk, &south.desk, &request).unwrap().openings().len(), 1);
    // A partner cannot make the log grow by asking.
    let busy = (0..1_000).find_map(|_| asked(&east.desk, &south.desk, &request).err());
    assert!(matches!(busy, Some(ProtocolError::PeerRefused { code: Code::Busy, .. })));
}

#[test]
fn one_that_does_not_prove_is_asked_less_and_less_and_then_no_more() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = deleted(north, south, "Alarm");
    // What an older node answers to a message that it does not know.
    north.link.proves(|_| Some(Err(LinkError::Refused { code: Code::Unexpected, detail: None })));
    for _ in 0..5 {
        prove(north, south);
    }
    assert_eq!(requests(north), 1, "not again at once");
    for _ in 0..2 * PROOF_TRIES_MAX {
        world.pass(PROOF_AGAIN_SECONDS_MAX * 1_000);
        prove(north, south);
    }
    assert_eq!(requests(north), PROOF_TRIES_MAX as usize);
    assert_eq!((due(north, south), proofs(north, &id, south)), (Vec::new(), Vec::new()));
    assert_eq!(north.state(&id, south), "deleted", "its signed word stands");
}

#[test]
fn one_that_is_away_loses_no_try() {
    let world = World::new();
    let World { north, south, .. } = &world;
    deleted(north, south, "Alarm");
    north.link.proves(|_| Some(Err(LinkError::TimedOut)));
    for _ in 0..3 {
        assert_eq!(prove(north, south), 0);
    }
    assert_eq!((requests(north), due(north, south)[0].tries), (1, 0));
    north.link.proves(|_| None);
    assert_eq!(prove(north, south), 0, "it is left in peace");
    north.desk.met(&south.id());
    assert_eq!(prove(north, south), 1);
}

#[test]
fn one_leaf_that_is_gone_keeps_no_other_from_being_proved() {
    let world = Arc::new(World::new());
    let World { north, south, .. } = &*world;
    let ids = ["One", "Other"].map(|what| north.send(what, Mode::Live, &[south]));
    north.push(south).unwrap();
    ids.iter().for_each(|id| north.withdraw(id));
    north.push(south).unwrap();
    let gone = due(north, south).iter().map(|one| one.log_index).min().unwrap();
    north.link.proves(move |request| {
        let is_gone = request.leaves().contains(&gone);
        is_gone.then_some(Err(LinkError::Refused { code: Code::Nothing, detail: None }))
    });
    assert_eq!(prove(north, south), 0);
    world.pass(61_000);
    assert_eq!(prove(north, south), 1);
    let proved = ids.iter().filter(|id| north.row(id, south).deletion_proved.is_some()).count();
    assert_eq!(proved, 1);
}

#[test]
fn a_second_log_raises_the_alarm() {
    let world = World::new();
    let World { north, south, .. } = &world;
    deleted(north, south, "Before");
    assert_eq!(prove(north, south), 1);
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    // The same keys with another history, in which the alert was deleted.
    let double =
        Node::new(&Arc::new(AtomicU64::new(BEGIN_MS)), "south", "PRT", Store::memory([b's'; 32]));
    assert_eq!(double.id(), south.id());
    double.meet(north);
    let (actor, hash) = (Officer::node(), north.hash_of(&id, south));
    let who = Who { now: world.now(), actor: actor.as_str() };
    let (alert, origin) = (id.parse().unwrap(), north.id());
    let event = DeletedEvent { alert, origin, statement_hash: hash, mode: Mode::Live };
    let write = (0..40).fold(Write::new(), |write, _| write.log(Entry::heartbeat(who)));
    let done = double.desk.store.commit(write.log(Entry::deleted(who, event))).unwrap();
    let index = done.receipts().last().unwrap().leaf_index;
    let (size, checkpoint) = double.desk.checkpoint().unwrap();
    let said = double.acks_under(north, Stage::Deleted, &[hash], (checkpoint.clone(), index));
    south.shove(north, &[said]).unwrap();
    assert_eq!(north.state(&id, south), "deleted");
    let answering = Arc::clone(&double.desk);
    let asking = Arc::clone(&north.desk);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    north.link.proves(move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        Some(Ok(asked(&asking, &answering, request).unwrap()))
    });
    assert_eq!(prove(north, south), 0);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(proofs(north, &id, south), []);
    assert_eq!(alarms(north), ["split_view"]);
    // The leaf itself would have held: it is the log that is not the one seen.
    let request = Prove::new(size, 0, vec![index]).unwrap();
    let answer = asked(&north.desk, &double.desk, &request).unwrap();
    let logged = Logged::decode(answer.openings()[0].logged()).unwrap();
    let signed = SignedCheckpoint::parse(&checkpoint).unwrap();
    let card = south.desk.identity().card.clone();
    let verified = CheckpointVerifier::parse(&card.card().log).unwrap().verify(&signed).unwrap();
    let (leaf, proof) = (logged.leaf().leaf_hash(), answer.openings()[0].proof());
    assert!(verify_inclusion(leaf, index, size, proof, verified.root()).is_ok());
}
