//! Bundles about alerts where a partner lies: what does not hold is named, and the rest is shown.

use symbolon_disclosure::{AckItem, Acknowledgement, Stage, seal_acknowledgement};
use symbolon_store::{AlertKey, Slot};
use symbolon_trust::Mode;

use super::super::alert_id;
use super::node::{Node, officer};
use super::world::World;
use crate::api::{EvidenceBuild, EvidenceBuilt, Quiet};
use crate::{Desk, DeskError};

fn built(node: &Node, request: EvidenceBuild) -> Result<EvidenceBuilt, DeskError> {
    let request = EvidenceBuild { reason: "inquiry".to_owned(), ..request };
    node.desk.evidence_build(&officer(), request, &mut Quiet)
}

fn about(id: &str) -> EvidenceBuild {
    EvidenceBuild { alert: Some(id.to_owned()), ..EvidenceBuild::default() }
}

fn count(built: &EvidenceBuilt, what: &str) -> usize {
    built.left_out.iter().filter(|(label, _)| label.starts_with(what)).count()
}

/// An acknowledgement of one statement, with the checkpoint of a log.
fn acknowledgement(from: &Node, to: &Node, item: AckItem, log: &Desk) -> Vec<u8> {
    let (_, checkpoint) = log.checkpoint().unwrap();
    let said = Acknowledgement { items: vec![item], checkpoint };
    let seed = from.desk.surroundings.seed();
    from.forging(to, Mode::Live, |to, author, terms| {
        seal_acknowledgement(said, to, author, terms, seed).unwrap().into_bytes()
    })
}

#[test]
fn a_lying_acknowledgement_keeps_nothing_from_being_shown() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let honest = built(north, about(&id)).unwrap();
    assert_eq!(
        (honest.statements, count(&honest, "an acknowledgement that does not hold")),
        (2, 0)
    );
    let (statement_hash, at) = (north.hash_of(&id, south), world.now());
    let true_one = AckItem { statement_hash, stage: Stage::Read, at, log_index: 1 };
    // What its own checkpoint does not cover is refused at once, and not kept.
    let beyond = AckItem { log_index: 1_000_000, ..true_one };
    for (item, log) in [(beyond, south), (true_one, north)] {
        let envelope = acknowledgement(south, north, item, &log.desk);
        south.shove(north, &[envelope]).unwrap();
        let shown = built(north, about(&id)).unwrap();
        assert_eq!(shown.statements, 2);
        assert_eq!(count(&shown, "an acknowledgement that does not hold"), 0);
    }
    let lies = [AckItem { at: at - 301, ..true_one }, AckItem { at: at + 301, ..true_one }];
    for (number, item) in (1..).zip(lies) {
        let envelope = acknowledgement(south, north, item, &south.desk);
        south.shove(north, &[envelope]).unwrap();
        let shown = built(north, about(&id)).unwrap();
        assert_eq!(shown.statements, 2, "lie {number}");
        assert_eq!(count(&shown, "an acknowledgement that does not hold"), number);
    }
    // What is true is shown beside them.
    let envelope = acknowledgement(south, north, true_one, &south.desk);
    south.shove(north, &[envelope]).unwrap();
    assert_eq!(built(north, about(&id)).unwrap().statements, 3);
}

#[test]
fn nobody_acknowledges_its_own_words() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    south.contest(&id);
    south.push(north).unwrap();
    let before = built(north, about(&id)).unwrap();
    let listed = north.desk.store.evidence_list(None, 100).unwrap();
    let word = listed.iter().find(|one| one.kind == 8).unwrap().statement_hash;
    south.shove(north, &[south.acks(north, Stage::Delivered, &[word])]).unwrap();
    let after = built(north, about(&id)).unwrap();
    assert_eq!(before.statements, after.statements);
    assert_eq!(count(&after, "an acknowledgement that does not hold"), 1);
}

#[test]
fn an_alert_that_went_to_nobody_or_to_several_needs_a_name() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[]);
    assert!(built(north, about(&id)).is_err(), "nothing was signed yet");
    north.push(south).unwrap();
    assert_eq!(built(north, about(&id)).unwrap().nodes.len(), 2);
    let to_east = EvidenceBuild { partner: Some("east".to_owned()), ..about(&id) };
    assert!(built(north, to_east.clone()).is_err(), "it did not go there yet");
    north.push(east).unwrap();
    assert!(built(north, about(&id)).is_err(), "it went to two");
    let names: Vec<String> =
        built(north, to_east).unwrap().nodes.into_iter().map(|node| node.name).collect();
    assert!(names.contains(&"east".to_owned()) && !names.contains(&"south".to_owned()));
    let without = EvidenceBuild { alert_entries: true, ..EvidenceBuild::default() };
    assert!(built(north, EvidenceBuild { case: Some("T-1".to_owned()), ..without }).is_err());
}

#[test]
fn of_two_alerts_with_one_id_each_is_shown_alone() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let key = AlertKey { origin: north.id(), id: alert_id(&id).unwrap() };
    let record = north.desk.alert_record(&key, Slot::Current).unwrap().unwrap();
    let copied = east.alert(south, 1, &record).into_bytes();
    east.shove(south, &[copied]).unwrap();
    assert!(built(south, about(&id)).is_err(), "whose?");
    south.acknowledge(&format!("{id}@north"), "read").unwrap();
    for origin in [north, east] {
        let shown = built(south, about(&format!("{id}@{}", origin.name))).unwrap();
        assert_eq!(shown.nodes.len(), 2);
        assert!(shown.nodes.iter().any(|node| node.name == origin.name));
        assert_eq!(count(&shown, "what the maker's log says became of the alert: 1"), 1);
    }
}

#[test]
fn what_is_over_is_shown_by_its_hash() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    world.pass(91 * 86_400_000);
    north.desk.alerts_due().unwrap();
    south.desk.alerts_due().unwrap();
    for node in [north, south] {
        let shown = built(node, about(&id)).unwrap();
        assert_eq!(count(&shown, "a statement of the matter"), 1);
        assert!(!shown.page.contains("Alarm"));
    }
}
