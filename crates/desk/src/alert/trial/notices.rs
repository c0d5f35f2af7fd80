//! Notices whose targets are away: so many wait and no more, the alerts themselves come in all the
//! same, and people are told.

use symbolon_audit::Event;
use symbolon_trust::Mode;

use super::node::officer;
use super::world::World;
use crate::api::{Nothing, Quiet, WatchForm, WatchSave};
use crate::limits::{NOTICES_MAX, WATCHES_MAX};

const TARGETS: [&str; 2] = ["syslog", "lines"];

#[test]
fn what_nobody_takes_does_not_pile_up() {
    let world = World::new();
    let World { north, south, .. } = &world;
    for number in 0..WATCHES_MAX {
        let form = WatchForm {
            name: format!("rule {number}"),
            classes: vec!["flash".to_owned()],
            delivery: Some("ring".to_owned()),
            targets: TARGETS.map(str::to_owned).to_vec(),
            ..WatchForm::default()
        };
        let request = WatchSave { id: None, form, fits: 0 };
        south.desk.watch_save(&officer(), request, &mut Quiet).unwrap();
    }
    let each = (WATCHES_MAX * TARGETS.len()) as u64;
    let alerts = NOTICES_MAX / each + 2;
    for number in 0..alerts {
        let _id = north.send(&format!("Alarm {number}"), Mode::Live, &[south]);
    }
    north.push(south).unwrap();
    assert_eq!(south.received().len() as u64, alerts);
    let waiting = south.desk.store.notice_list(None, usize::MAX).unwrap();
    assert_eq!(waiting.len() as u64, NOTICES_MAX);

    // People are told, in the log and when they ask for the node's health.
    let due = south.desk.notices_due().unwrap();
    let last = south.desk.store.log_size() - 1;
    let entry = south.desk.store.log_entry_fetch(last).unwrap().unwrap();
    let Event::Admin(said) = entry.entry().event() else { panic!("leaf {last}") };
    let left_out = alerts * each - NOTICES_MAX;
    assert!(said.act.starts_with(&format!("{left_out} notices")), "{}", said.act);
    let doctor = |wanted: bool| {
        let report = south.desk.doctor(&officer(), Nothing {}, &mut Quiet).unwrap();
        let finding = report.findings.iter().find(|finding| finding.area == "notices");
        assert_eq!(finding.is_some(), wanted);
    };
    doctor(true);
    // What has left makes room.
    for one in &due {
        south.desk.notice_sent(one.id).unwrap();
    }
    doctor(false);
    let _id = north.send("Another", Mode::Live, &[south]);
    north.push(south).unwrap();
    let waiting = south.desk.store.notice_list(None, usize::MAX).unwrap();
    assert_eq!(waiting.len() as u64, NOTICES_MAX);
    south.log_holds();
}
