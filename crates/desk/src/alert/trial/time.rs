//! Links that fail for an hour or for weeks, drills that nobody takes, pushes that cross: nothing
//! is lost, nothing comes twice, and each sender's order is kept.

use std::sync::{Arc, Mutex};

use symbolon_trust::Mode;

use super::node::{Node, agree};
use super::world::{DAY_MS, Fate, World};

/// The same dice for the same seed.
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

/// One datagram in twenty is lost, on each way; some pushes come twice.
fn bad_weather(seed: u64) -> impl FnMut() -> Fate {
    let mut roll = dice(seed);
    move || match roll() % 20 {
        0 => Fate::Lost,
        1 => Fate::AnswerLost,
        2 => Fate::Twice,
        _ => Fate::Arrives,
    }
}

/// As a lane does: tries, and waits longer and longer where it fails.
fn carried(world: &World, from: &Node, to: &Node) {
    let mut wait_ms = 500;
    for _ in 0..200 {
        match from.push(to) {
            Ok(()) => return,
            Err(_) => world.pass(wait_ms),
        }
        wait_ms = (wait_ms * 2).min(120_000);
    }
    panic!("{} does not get through", from.name);
}

#[test]
fn an_hour_without_a_link() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    for (number, node) in [north, south, east].into_iter().enumerate() {
        node.link.weather(bad_weather(number as u64));
    }
    let mut sent: [Vec<String>; 2] = Default::default();
    let alarm = |node: &Node, sent: &mut Vec<String>| {
        sent.push(node.send(&format!("{} {}", node.name, sent.len()), Mode::Live, &[south]));
    };
    for round in 0..60 {
        alarm(north, &mut sent[0]);
        alarm(east, &mut sent[1]);
        if round == 20 {
            // The link is down, alarms go on, once in two minutes.
            let hour = world.now() + 3_600;
            for node in [north, east] {
                node.link.weather(|| Fate::Lost);
            }
            while world.now() < hour {
                alarm(north, &mut sent[0]);
                alarm(east, &mut sent[1]);
                assert!(north.push(south).is_err() && east.push(south).is_err());
                world.pass(120_000);
            }
            north.link.weather(bad_weather(7));
            east.link.weather(bad_weather(8));
        }
        carried(&world, north, south);
        carried(&world, east, south);
        world.pass(200);
    }
    let titles = south.titles();
    for (node, sent) in [(north, &sent[0]), (east, &sent[1])] {
        let expected: Vec<_> = (0..sent.len()).map(|n| format!("{} {n}", node.name)).collect();
        let of = |title: &&String| title.starts_with(node.name);
        let came: Vec<_> = titles.iter().filter(of).cloned().collect();
        assert_eq!(came, expected, "each once, in its order");
        for id in sent {
            assert_eq!(node.state(id, south), "delivered");
        }
        node.log_holds();
    }
    south.log_holds();
}

#[test]
fn weeks_without_a_link() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let known = north.send("Known", Mode::Live, &[south]);
    north.push(south).unwrap();
    // Sealed, and then the link is down; of some, only the answer is lost.
    let arrived = north.send("Arrived", Mode::Live, &[south]);
    north.link.weather(|| Fate::AnswerLost);
    assert!(north.push(south).is_err());
    north.link.weather(|| Fate::Lost);
    let plain = north.send("Plain", Mode::Live, &[south]);
    let changed = north.send("Changed", Mode::Live, &[south]);
    let gone = north.send("Gone", Mode::Live, &[south]);
    north.contest(&known);
    assert!(north.push(south).is_err());
    north.update(&changed, "Changed, second version");
    north.update(&arrived, "Arrived, second version");
    north.withdraw(&gone);
    assert!(north.push(south).is_err());
    // Every key and every statement of that time is void by now.
    for _ in 0..4 {
        world.pass(8 * DAY_MS);
        for node in [north, south] {
            node.desk.tend().unwrap();
            node.desk.alerts_due().unwrap();
        }
        assert!(north.push(south).is_err());
    }
    north.link.weather(|| Fate::Arrives);
    carried(&world, north, south);
    let rows = south.received();
    let of = |id: &str| rows.iter().find(|row| row.id == id).unwrap();
    assert_eq!(of(&plain).title, "Plain");
    assert_eq!(of(&changed).title, "Changed, second version");
    assert_eq!(of(&arrived).title, "Arrived, second version");
    assert_eq!((of(&known).state.as_str(), of(&known).contested), ("active", true));
    assert!(rows.iter().all(|row| row.id != gone || row.title.is_empty()));
    for id in [&known, &plain, &changed, &arrived] {
        assert_eq!(north.state(id, south), "delivered");
    }
    // And back: what was acknowledged of the versions that it has is what the origin shows.
    for id in [&plain, &changed, &arrived] {
        south.acknowledge(id, "read").unwrap();
    }
    carried(&world, south, north);
    for id in [&plain, &changed, &arrived] {
        assert_eq!(north.state(id, south), "read");
    }
    north.log_holds();
    south.log_holds();
}

#[test]
fn drills_that_nobody_takes_hold_up_no_alert() {
    let world = World::new();
    let World { north, south, .. } = &world;
    // North holds the agreement on drills; south's people have not stored it yet.
    agree(north, south, Mode::Exercise, &[]);
    south.without_drills(north);
    for number in 0..200 {
        let _waits = north.send(&format!("Drill {number}"), Mode::Exercise, &[south]);
    }
    for _ in 0..3 {
        let before = north.link.pushes();
        assert!(north.push(south).is_err(), "the lane waits longer and longer");
        assert!(north.link.pushes() <= before + 1);
    }
    let id = north.send("Real", Mode::Live, &[south]);
    let _waits = north.push(south);
    assert_eq!(north.state(&id, south), "delivered");
    assert_eq!(south.titles(), ["Real"]);
    agree(north, south, Mode::Exercise, &[]);
    north.push(south).unwrap();
    let drills = south.titles();
    assert_eq!(drills.len(), 201);
    let expected: Vec<_> = (0..200).map(|number| format!("Drill {number}")).collect();
    assert_eq!(drills[1..], expected);
}

#[test]
fn a_slow_way_carries_less_at_once() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let ids: Vec<_> = (0..64)
        .map(|number| north.send(&format!("Alarm {number}"), Mode::Live, &[south]))
        .collect();
    north.link.weather(|| Fate::Slow(100_000));
    carried(&world, north, south);
    let expected: Vec<_> = (0..64).map(|number| format!("Alarm {number}")).collect();
    assert_eq!(south.titles(), expected);
    assert!(ids.iter().all(|id| north.state(id, south) == "delivered"));
}

#[test]
fn two_pushes_that_cross_apply_once() {
    let world = World::new();
    let World { north, south, .. } = &world;
    for number in 0..12 {
        let _id = north.send(&format!("Alarm {number}"), Mode::Live, &[south]);
    }
    north.link.weather(|| Fate::Lost);
    assert!(north.push(south).is_err());
    let envelopes = north.link.left.lock().unwrap().last().unwrap().clone();
    let answers = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = north.shove(south, &envelopes).unwrap();
                assert!(answer.envelope().is_some(), "everybody is told");
                answers.lock().unwrap().push(answer.next(Mode::Live));
            });
        }
    });
    assert_eq!(*answers.lock().unwrap(), [13; 4]);
    let expected: Vec<_> = (0..12).map(|number| format!("Alarm {number}")).collect();
    assert_eq!(south.titles(), expected);
    south.log_holds();
}
