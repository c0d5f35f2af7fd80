//! Alerts that are taken back from some, change their audience, or end: whoever is out has
//! nothing, proves it, and gets nothing more; the others see nothing of it.

use symbolon_audit::Event;
use symbolon_disclosure::{AckItem, Kept, Payload, Stage};
use symbolon_store::Way;
use symbolon_trust::Mode;

use super::node::{Node, form, officer};
use super::world::{DAY_MS, Fate, World};
use crate::api::{AlertForm, AlertName, AlertNarrow, AlertSend, AlertUpdate, Quiet};
use crate::limits::DELETION_PATIENCE_SECONDS;
use crate::officer::Role;
use crate::{DeskError, Officer};

fn narrow(node: &Node, id: &str, keep: &[&Node]) {
    let keep = keep.iter().map(|node| node.name.to_owned()).collect();
    let request = AlertNarrow { id: id.to_owned(), keep };
    node.desk.alert_narrow(&officer(), request, &mut Quiet).unwrap();
}

fn approve(node: &Node, id: &str) -> Result<Vec<String>, DeskError> {
    let second = Officer::parse("second", Role::Officer).unwrap();
    let request = AlertName { id: id.to_owned() };
    Ok(node.desk.alert_approve(&second, request, &mut Quiet)?.recipients)
}

/// The title and the state of the only alert that a node has received.
fn held(node: &Node) -> (String, String) {
    let rows = node.received();
    assert_eq!(rows.len(), 1, "{}", node.name);
    (rows[0].title.clone(), rows[0].state.clone())
}

/// The origin keeps the partner's signed word that it deleted the alert, and the leaf that it names
/// says so.
fn proves_deletion(origin: &Node, partner: &Node, id: &str) {
    let row = origin.row(id, partner);
    assert_eq!((row.state.as_str(), row.deleted_at.is_some()), ("deleted", true));
    let kept = origin.desk.store.evidence_list(None, 1_000).unwrap();
    let key = partner.desk.identity().card.card().signing.clone();
    let item = kept.iter().filter(|kept| kept.way == Way::Received).find_map(|kept| {
        let kept = Kept::decode(&kept.signed).unwrap();
        let Payload::Acknowledgement(said) = kept.payload() else { return None };
        kept.verify(&key, Mode::Live).ok()?;
        // Both words of it may have been acknowledged: the row names one of them.
        let is_it = |item: &&AckItem| {
            item.stage == Stage::Deleted && Some(item.log_index) == row.their_index
        };
        said.items.iter().find(is_it).map(|item| (item.log_index, item.statement_hash))
    });
    let (index, hash) = item.expect("a signed word of deletion");
    let leaf = partner.desk.store.log_entry_fetch(index).unwrap().unwrap();
    let Event::Deleted(deleted) = leaf.entry().event() else { panic!("leaf {index}") };
    assert_eq!((deleted.alert.to_string(), deleted.statement_hash), (id.to_owned(), hash));
}

#[test]
fn who_is_out_deletes_and_the_others_see_nothing() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[]);
    for node in [south, east] {
        north.push(node).unwrap();
    }
    let (before, size) = (north.row(&id, east), east.desk.store.log_size());
    narrow(north, &id, &[east]);
    let pushes = north.link.pushes();
    north.push(east).unwrap();
    assert_eq!(north.link.pushes(), pushes, "nothing leaves for whoever keeps it");
    north.push(south).unwrap();
    assert_eq!(held(south), (String::new(), "withdrawn".to_owned()));
    assert_eq!(south.inbox(), [""; 0]);
    proves_deletion(north, south, &id);
    assert_eq!(east.desk.store.log_size(), size);
    assert_eq!((held(east), north.row(&id, east)), (("Alarm".into(), "active".into()), before));

    // No later version brings it back.
    north.update(&id, "Alarm, second version");
    for node in [south, east] {
        north.push(node).unwrap();
    }
    assert_eq!(held(east).0, "Alarm, second version");
    assert_eq!((held(south).0, north.state(&id, south)), (String::new(), "deleted".to_owned()));
    for node in [north, south, east] {
        node.log_holds();
    }
}

#[test]
fn who_is_out_before_it_left_never_gets_it() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[]);
    narrow(north, &id, &[east]);
    north.update(&id, "Alarm, second version");
    for node in [south, east] {
        north.push(node).unwrap();
    }
    assert_eq!((south.received().len(), south.next_in(north, Mode::Live)), (0, 1));
    assert_eq!(north.state(&id, south), "dropped");
    assert_eq!(held(east).0, "Alarm, second version");
}

#[test]
fn who_is_out_while_it_is_on_its_way_gets_nothing_of_it() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[]);
    north.link.weather(|| Fate::Lost);
    assert!(north.push(south).is_err());
    narrow(north, &id, &[east]);
    assert!(north.push(south).is_err());
    // The answer is lost as well: what is said again is the same.
    let mut fates = [Fate::AnswerLost].into_iter();
    north.link.weather(move || fates.next().unwrap_or(Fate::Arrives));
    assert!(north.push(south).is_err());
    north.push(south).unwrap();
    assert_eq!((south.received().len(), south.next_in(north, Mode::Live)), (0, 3));
    proves_deletion(north, south, &id);
    world.pass(1_000 * (DELETION_PATIENCE_SECONDS + 1));
    assert!(!north.row(&id, south).overdue, "nobody waits for what is proved");
    north.log_holds();
    south.log_holds();
}

#[test]
fn a_change_that_waited_for_a_yes_has_its_own_audience_class_and_end() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[]);
    for node in [south, east] {
        north.push(node).unwrap();
    }
    let urgent = AlertForm {
        urgency: Some("urgent".to_owned()),
        except: vec!["south".to_owned()],
        expires_days: Some(5),
        ..form("Alarm, second version", Mode::Live)
    };
    let request = AlertUpdate { id: id.clone(), form: urgent };
    north.desk.alert_update(&officer(), request, &mut Quiet).unwrap();
    for node in [south, east] {
        north.push(node).unwrap();
        assert_eq!(held(node).0, "Alarm", "the version before stays in force");
    }
    assert_eq!(approve(north, &id).unwrap(), ["east"]);
    for node in [south, east] {
        north.push(node).unwrap();
    }
    proves_deletion(north, south, &id);
    let there = &east.received()[0];
    assert_eq!((there.title.as_str(), there.class.as_str()), ("Alarm, second version", "urgent"));
    let end = world.now() + 5 * DAY_MS / 1_000;
    assert!(there.expires_on <= end, "{} {end}", there.expires_on);
    world.pass(6 * DAY_MS);
    for node in [north, east] {
        node.desk.alerts_due().unwrap();
    }
    assert_eq!(held(east), (String::new(), "expired".to_owned()));
    assert!(approve(north, &id).is_err(), "nothing waits any more");
}

#[test]
fn a_change_that_waits_is_over_when_a_newer_one_goes_out() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    let urgent = AlertForm {
        urgency: Some("urgent".to_owned()),
        ..form("Alarm, second version", Mode::Live)
    };
    let request = AlertUpdate { id: id.clone(), form: urgent };
    north.desk.alert_update(&officer(), request, &mut Quiet).unwrap();
    assert_eq!(north.inbox(), ["approve"]);
    north.update(&id, "Alarm, third version");
    assert_eq!(north.inbox(), [""; 0]);
    assert!(approve(north, &id).is_err(), "an older version cannot take its place");
    north.push(south).unwrap();
    assert_eq!(held(south).0, "Alarm, third version");
}

#[test]
fn each_ends_it_by_its_own_clock_and_who_does_not_say_so_is_overdue() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let short = AlertForm { expires_days: Some(1), ..form("Alarm", Mode::Live) };
    let request = AlertSend { form: short, idempotency_key: None };
    let id = north.desk.alert_send(&officer(), request, &mut Quiet).unwrap().id;
    for node in [south, east] {
        north.push(node).unwrap();
    }
    world.pass(2 * DAY_MS);
    // South ends it although nobody is there to tell it; nobody hears of it from east.
    south.desk.alerts_due().unwrap();
    assert_eq!(held(south), (String::new(), "expired".to_owned()));
    assert_eq!(south.inbox(), [""; 0]);
    assert_eq!(held(east).0, "Alarm", "its clock has not struck yet");
    // The origin was away: it ends it a day too late, and the day of the others counts.
    world.pass(DAY_MS);
    north.desk.alerts_due().unwrap();
    assert!(north.row(&id, south).overdue && north.row(&id, east).overdue);
    south.push(north).unwrap();
    proves_deletion(north, south, &id);
    assert!(!north.row(&id, south).overdue && north.row(&id, east).overdue);
    east.desk.alerts_due().unwrap();
    east.push(north).unwrap();
    assert_eq!((north.state(&id, east), north.row(&id, east).overdue), ("deleted".into(), false));
    for node in [north, south, east] {
        node.log_holds();
    }
}
