//! A holder that says one thing and does another, and what an asker makes of it.

use std::sync::atomic::Ordering;

use symbolon_desk::limits::EPOCH_CARDS_FRESH_SECONDS;
use symbolon_store::Direction;

use super::world::{Fate, Passing, World};

#[test]
fn what_a_holder_answers_for_but_has_not_published_is_no_hit() {
    let world = World::new(1_000_000);
    let World { north, south, .. } = &world;
    north.import(0..300);
    south.import(280..600);
    south.publish();
    // From here on the holder answers for a larger set than its tag set says.
    south.import(100..280);
    let report = north.run("psi", "larger");
    assert_eq!(report.classes[0].not_asked, None);
    assert_eq!(report.hits_by_kind["passport"], 20, "what is not published is no hit");
    assert_eq!(north.hits(), 20);
    south.publish();
    world.pass((EPOCH_CARDS_FRESH_SECONDS + 1) * 1_000);
    let report = north.run("psi", "published");
    assert_eq!(report.hits_by_kind["passport"], 200, "published, it is");
}

#[test]
fn a_set_of_another_size_than_was_told_is_refused_before_anything_is_shown() {
    let world = World::new(1_000_000);
    let World { north, south, .. } = &world;
    north.import(0..40);
    south.import(20..60);
    south.publish();
    for count in [1_536, 1 << 20] {
        north.claim(Some(count));
        let report = north.run("psi", &format!("says {count}"));
        let cause = report.classes[0].not_asked.clone();
        assert!(cause.unwrap().contains("broke off"), "{count}");
        assert_eq!((report.classes[0].met, north.hits()), (0, 0), "{count}: nothing is used");
        assert_eq!(north.link.evaluations.load(Ordering::Relaxed), 0, "{count}");
    }
    north.claim(None);
    assert_eq!(north.run("psi", "honest").hits_by_kind["passport"], 20);
    let spent = [north.spent(south, Direction::Asked), south.spent(north, Direction::Answered)];
    assert_eq!(spent[0], spent[1]);
}

#[test]
fn more_in_common_than_the_bound_is_given_up_once_and_for_all() {
    let world = World::new(1_000_000);
    let World { north, south, .. } = &world;
    north.import(0..1_400);
    south.import(0..1_400);
    south.publish();
    let report = north.run("psi", "same");
    assert!(report.classes[0].not_asked.clone().unwrap().contains("common items"));
    let spent = north.spent(south, Direction::Asked);
    // Asked again, nothing passes and nothing is charged.
    north.weather(|what| if what == Passing::Begin { panic!("begun again") } else { Fate::Lost });
    let again = north.run("psi", "same");
    assert!(again.classes[0].not_asked.clone().unwrap().contains("common items"));
    assert_eq!((north.spent(south, Direction::Asked), north.hits()), (spent, 0));
}
