//! Leaves of the partner's log: an honest one is shown, and none says more than it does.

use symbolon_verify::{Reason, verify};

use super::alert::{deleted_event, origin, recipient};
use super::cbor::{Cbor, bytes, list, text, uint};
use super::kit::*;
use super::node::NOW;
use super::refused;
use super::world::World;

/// The acknowledgement that says so shows so many leaves of south's log.
const SIZE: u64 = 5;
/// The leaf that it names.
const INDEX: u64 = 4;

/// A leaf of south's log as south opens it.
fn opened(world: &World, index: u64, size: u64) -> Vec<u8> {
    let opening = world.south.opening(index, size).encode();
    list([uint(size), bytes(opening)]).encode()
}

fn honest(mode: &'static str) -> Kit {
    let mut kit = origin(mode);
    let opened = opened(&kit.world, INDEX, SIZE);
    kit.items.push((THEIR_OPENING, opened));
    kit.remake();
    kit
}

/// What south would open if its log had held this entry when it acknowledged.
fn rewritten(kit: &mut Kit, at: u64, event: Cbor) {
    kit.world.south.entries[usize::try_from(INDEX).unwrap()] = (at, event);
    let checkpoint = text(&kit.world.south.checkpoint(SIZE));
    // Its place among the statements of the origin's bundle.
    kit.restate(3, 21, |payload| *payload.at(&[1]) = checkpoint.clone());
    // North's log had another statement.
    kit.drop_item(OPENING, 5);
    *kit.item(THEIR_OPENING, 0) = opened(&kit.world, INDEX, SIZE);
}

fn its_deletion(kit: &mut Kit) -> Cbor {
    kit.world.south.entries[usize::try_from(INDEX).unwrap()].1.clone()
}

#[test]
fn a_deletion_stands_in_the_log_of_the_partner() {
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    for mode in ["live", "exercise"] {
        let report = verify(&honest(mode).seal()).unwrap().report().clone();
        assert!(says(&report.proved, "Deletions in the partner's log: 1."), "{report:?}");
        assert!(says(&report.not_proved, "What stands at the other leaves"));
        assert!(!says(&report.not_proved, "What stands at the leaf that"));
        let rows = report.sections.iter().flat_map(|section| &section.rows);
        let mut its = rows.filter(|(label, _)| label == "in its sender's log");
        let (_, text) = its.next().unwrap();
        assert!(text.starts_with("leaf 4 at ") && text.ends_with("in the tree of 5 leaves"));
        assert!(its.next().is_none());
    }
    let without = verify(&origin("live").seal()).unwrap().report().clone();
    assert!(!says(&without.proved, "Deletions in the partner's log"));
    assert!(says(&without.not_proved, "What stands at the leaf that"));
}

#[test]
fn no_leaf_says_more_than_it_does() {
    let cases: [(&str, Reason, fn(&mut Kit)); 13] = [
        ("of another size", Reason::ItemUnneeded, |kit| {
            let opened = opened(&kit.world, INDEX, 6);
            *kit.item(THEIR_OPENING, 0) = opened;
        }),
        ("of another place", Reason::ItemUnneeded, |kit| {
            let opened = opened(&kit.world, 3, SIZE);
            *kit.item(THEIR_OPENING, 0) = opened;
        }),
        ("under an acknowledgement that says less", Reason::ItemUnneeded, |kit| {
            let opened = opened(&kit.world, 1, 2);
            *kit.item(THEIR_OPENING, 0) = opened;
        }),
        ("of another log", Reason::Inclusion, |kit| {
            let opening = kit.world.north.opening(INDEX, SIZE).encode();
            *kit.item(THEIR_OPENING, 0) = list([uint(SIZE), bytes(opening)]).encode();
        }),
        ("with a wrong proof", Reason::Inclusion, |kit| {
            change(kit, |opening| *opening.at(&[3, 0]) = bytes([7; 32]));
        }),
        ("with another salt", Reason::Inclusion, |kit| {
            change(kit, |opening| *opening.at(&[1]) = bytes([7; 32]));
        }),
        ("twice", Reason::ItemsOrder, |kit| {
            let same = kit.item(THEIR_OPENING, 0).clone();
            kit.items.push((THEIR_OPENING, same));
        }),
        ("not an opening", Reason::Malformed, |kit| {
            *kit.item(THEIR_OPENING, 0) = list([uint(SIZE), text("leaf")]).encode();
        }),
        ("with an entry of another kind", Reason::OpeningForeign, |kit| {
            let event = super::alert::alert_event("read", "live", 0);
            rewritten(kit, NOW + 6, event);
        }),
        ("of an alert of another", Reason::OpeningMismatch, |kit| {
            let mut event = its_deletion(kit);
            *event.at(&[1]) = bytes([9; 32]);
            rewritten(kit, NOW + 6, event);
        }),
        ("of another statement", Reason::OpeningMismatch, |kit| {
            let event = deleted_event(&kit.world.north, [9; 32], "live");
            rewritten(kit, NOW + 6, event);
        }),
        ("of a drill", Reason::OpeningMismatch, |kit| {
            let mut event = its_deletion(kit);
            *event.at(&[3]) = text("exercise");
            rewritten(kit, NOW + 6, event);
        }),
        ("written after it was acknowledged", Reason::TimeOrder, |kit| {
            let event = its_deletion(kit);
            rewritten(kit, NOW + 6 + 301, event);
        }),
    ];
    for (name, reason, change) in cases {
        let mut kit = honest("live");
        change(&mut kit);
        let refused = refused(&kit.seal());
        assert_eq!(refused.reason(), reason, "{name}: {refused}");
    }
    // The maker's own acknowledgements are opened as entries of its own log.
    let mut kit = recipient("live");
    let own = opened(&kit.world, INDEX, SIZE);
    kit.items.push((THEIR_OPENING, own));
    assert_eq!(refused(&kit.seal()).reason(), Reason::ItemUnneeded);
}

/// Changes the opening within the item.
fn change(kit: &mut Kit, change: fn(&mut Cbor)) {
    kit.edit(THEIR_OPENING, 0, |item| {
        let mut opening = Cbor::decode(item.at(&[1]).as_bytes());
        change(&mut opening);
        *item.at(&[1]) = bytes(opening.encode());
    });
}
