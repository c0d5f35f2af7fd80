//! Recipients that lie: about what they have, about what others have, and about what comes next.

use symbolon_disclosure::{ContestReason, Say, Stage, Word};
use symbolon_trust::Mode;

use super::node::{Node, form};
use super::world::{Fate, World};

/// A push whose only content is an acknowledgement.
fn say(from: &Node, to: &Node, stage: Stage, hashes: &[[u8; 32]]) {
    let answer = from.shove(to, &[from.acks(to, stage, hashes)]).unwrap();
    assert_eq!((answer.envelope(), answer.next(Mode::Live)), (None, 1));
}

#[test]
fn stages_only_go_forward() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let hash = north.hash_of(&id, south);
    say(south, north, Stage::Acted, &[hash]);
    let acted = north.row(&id, south);
    assert_eq!(acted.state, "acted");
    for stage in [Stage::Read, Stage::Delivered, Stage::Refused] {
        say(south, north, stage, &[hash]);
        assert_eq!(north.state(&id, south), "acted", "{stage:?}");
    }
    // Said again later, it was still done when it was first said.
    world.pass(60_000);
    say(south, north, Stage::Acted, &[hash]);
    assert_eq!(north.row(&id, south).acted_at, acted.acted_at);
    north.log_holds();
}

#[test]
fn nobody_acknowledges_for_another() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let before = north.row(&id, south);
    for stage in [Stage::Read, Stage::Acted, Stage::Deleted, Stage::Refused] {
        say(east, north, stage, &[north.hash_of(&id, south), [7; 32]]);
    }
    assert_eq!(north.row(&id, south), before);
    south.acknowledge(&id, "read").unwrap();
    south.push(north).unwrap();
    assert_eq!(north.state(&id, south), "read");
}

#[test]
fn what_no_checkpoint_of_its_own_covers_proves_nothing() {
    let world = World::new();
    let World { north, south, east, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let hashes = [north.hash_of(&id, south)];
    let (size, own) = south.desk.checkpoint().unwrap();
    let (_, of_another) = east.desk.checkpoint().unwrap();
    for place in [(own.clone(), size), (own.clone(), u64::MAX), (of_another, 1), (own + " ", 1)] {
        let envelope = south.acks_under(north, Stage::Deleted, &hashes, place);
        let _answer = south.shove(north, &[envelope]);
        assert_eq!(north.state(&id, south), "delivered");
    }
    say(south, north, Stage::Read, &hashes);
    assert_eq!(north.state(&id, south), "read");
    north.log_holds();
}

#[test]
fn what_is_said_of_an_earlier_version_says_nothing_of_the_newest() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Alarm", Mode::Live, &[south]);
    north.push(south).unwrap();
    let first = north.hash_of(&id, south);
    north.update(&id, "Alarm, second version");
    north.push(south).unwrap();
    say(south, north, Stage::Acted, &[first]);
    assert_eq!(north.state(&id, south), "delivered");
}

/// What is pushed while the partner answers falsely stays queued, and goes out later; the partner
/// is left in peace meanwhile.
fn lied_to(fate: impl Fn(&Node, &Node) -> Fate + Send + Clone + 'static) {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    let first = north.send("First", Mode::Live, &[south]);
    let second = north.send("Second", Mode::Live, &[south]);
    let lies: Vec<Fate> = (0..4).map(|_| fate(north, south)).collect();
    let mut lies = lies.into_iter();
    north.link.weather(move || lies.next().unwrap_or(Fate::Lost));
    for _ in 0..4 {
        // A failure: the lane waits longer and longer before it tries again.
        assert!(north.push(south).is_err());
    }
    assert_eq!(north.link.pushes(), 4, "one attempt each time");
    assert_eq!((north.settled(south, Mode::Live), south.next_in(north, Mode::Live)), (1, 1));
    north.link.weather(|| Fate::Arrives);
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First", "Second"]);
    for id in [first, second] {
        assert_eq!(north.state(&id, south), "delivered");
    }
    north.log_holds();
}

#[test]
fn one_that_awaits_what_it_has() {
    lied_to(|_, _| Fate::Answered(None, [1, 1]));
}

#[test]
fn one_that_answers_with_nonsense() {
    lied_to(|_, _| Fate::Answered(Some(vec![7; 3_000]), [3, 1]));
}

#[test]
fn one_that_answers_with_another_statement() {
    lied_to(|north, south| {
        let record = south.record(&form("any", Mode::Live));
        let say = Say::Contest(ContestReason::Other);
        let word = Word { alert: record.id(), version: record.version(), say };
        Fate::Answered(Some(south.word(north, Mode::Live, 1, word)), [3, 1])
    });
}

#[test]
fn one_that_claims_more_than_it_was_sent() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let lost = north.send("Claimed", Mode::Live, &[south]);
    north.link.weather(|| Fate::Answered(None, [u64::MAX, u64::MAX]));
    north.push(south).unwrap();
    // Its own loss, and of what it was sent only.
    assert_eq!(north.settled(south, Mode::Live), 2);
    assert_eq!(north.settled(south, Mode::Exercise), 1);
    assert_eq!(north.state(&lost, south), "sent", "it has acknowledged nothing");
    north.link.weather(|| Fate::Arrives);
    let next = north.send("Next", Mode::Live, &[south]);
    assert!(north.push(south).is_err(), "it lacks what it claimed to have");
    assert_eq!((south.titles().len(), north.state(&next, south)), (0, "sent".to_owned()));
    north.log_holds();
}
