//! Several pushes on their way at once: nothing is lost, applied twice or out of its order,
//! whichever of them arrives first or not at all.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use symbolon_trust::Mode;

use super::world::{Fate, World};
use crate::limits::{ARRIVAL_WAIT_MS, PUSHES_UNDER_WAY_MAX};
use crate::{DeskError, Left, Pushed};

/// Far less than a push waits for one that it overtook.
const SHORT: Duration = Duration::from_millis(ARRIVAL_WAIT_MS / 5);

/// Every push from now on is held; gives for each how it is let go, once it is on its way.
fn held(world: &World) -> Receiver<Sender<Fate>> {
    let (left, leaving) = channel();
    world.north.link.weather(move || {
        let (fate, becomes) = channel();
        left.send(fate).unwrap();
        Fate::Held(becomes)
    });
    leaving
}

#[test]
fn a_push_that_overtakes_another_waits_for_it() {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    let leaving = held(&world);
    let mut ids = vec![north.send("First", Mode::Live, &[south])];
    thread::scope(|scope| {
        let first = scope.spawn(|| north.desk.alerts_push(&south.id()));
        let first_becomes = leaving.recv().unwrap();
        ids.push(north.send("Second", Mode::Live, &[south]));
        assert_eq!(north.desk.alerts_seal(&south.id()).unwrap(), 1);
        let second = scope.spawn(|| north.desk.alerts_push(&south.id()));
        leaving.recv().unwrap().send(Fate::Arrives).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < SHORT {
            assert!(!second.is_finished(), "it was answered before the first had come");
            thread::yield_now();
        }
        first_becomes.send(Fate::Arrives).unwrap();
        let [first, second] = [first, second].map(|push| push.join().unwrap().unwrap());
        assert_eq!((first.sent, second.sent), (1, 1));
        assert!(ids.iter().all(|id| north.state(id, south) == "delivered"));
    });
    assert_eq!(north.link.pushes(), 2, "nothing is sent again");
    assert_eq!(
        (south.titles(), south.next_in(north, Mode::Live)),
        (vec!["First".into(), "Second".into()], 3)
    );
    assert_eq!(north.settled(south, Mode::Live), 3);
    north.log_holds();
    south.log_holds();
}

#[test]
fn what_left_behind_a_lost_push_is_sent_again_with_it() {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    let leaving = held(&world);
    north.send("First", Mode::Live, &[south]);
    thread::scope(|scope| {
        let first = scope.spawn(|| north.desk.alerts_push(&south.id()));
        let first_becomes = leaving.recv().unwrap();
        north.send("Second", Mode::Live, &[south]);
        assert_eq!(north.desk.alerts_seal(&south.id()).unwrap(), 1);
        let second = scope.spawn(|| north.desk.alerts_push(&south.id()));
        leaving.recv().unwrap().send(Fate::Arrives).unwrap();
        first_becomes.send(Fate::Lost).unwrap();
        assert!(first.join().unwrap().is_err());
        let second = second.join().unwrap().unwrap();
        assert_eq!(second, Pushed { sent: 0, left: Left::More });
    });
    assert!(south.titles().is_empty());
    north.link.weather(|| Fate::Arrives);
    north.push(south).unwrap();
    assert_eq!(
        (south.titles(), south.next_in(north, Mode::Live)),
        (vec!["First".into(), "Second".into()], 3)
    );
    assert_eq!(north.settled(south, Mode::Live), 3);
}

#[test]
fn no_more_leave_than_may_be_on_their_way() {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    let leaving = held(&world);
    north.send("Alert 0", Mode::Live, &[south]);
    thread::scope(|scope| {
        let mut under_way: Vec<(Sender<Fate>, ScopedJoinHandle<'_, Result<Pushed, DeskError>>)> =
            Vec::new();
        for number in 1..=PUSHES_UNDER_WAY_MAX {
            let push = scope.spawn(|| north.desk.alerts_push(&south.id()));
            under_way.push((leaving.recv().unwrap(), push));
            north.send(&format!("Alert {number}"), Mode::Live, &[south]);
            assert_eq!(north.desk.alerts_seal(&south.id()).unwrap(), 1);
        }
        let none = north.desk.alerts_push(&south.id()).unwrap();
        assert_eq!(none, Pushed { sent: 0, left: Left::Nothing });
        for (becomes, _) in &under_way {
            becomes.send(Fate::Arrives).unwrap();
        }
        for (_, push) in under_way {
            assert_eq!(push.join().unwrap().unwrap().sent, 1);
        }
    });
    north.link.weather(|| Fate::Arrives);
    north.push(south).unwrap();
    let all: Vec<String> =
        (0..=PUSHES_UNDER_WAY_MAX).map(|number| format!("Alert {number}")).collect();
    assert_eq!(south.titles(), all);
    assert_eq!(north.link.pushes(), PUSHES_UNDER_WAY_MAX + 1);
}
