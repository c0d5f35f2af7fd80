//! Bundles that were tampered with, by strangers and by the node that made them: each is refused,
//! and for the right reason.
//!
//! Holds the crate to spec/evidence.md#checks.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

#[path = "tampering/alerts.rs"]
mod alerts;
#[path = "tampering/insider.rs"]
mod insider;
#[path = "tampering/their_leaf.rs"]
mod their_leaf;

#[path = "support/alert.rs"]
mod alert;
#[path = "support/cbor.rs"]
mod cbor;
#[path = "support/kit.rs"]
mod kit;
#[path = "support/node.rs"]
mod node;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;

use cbor::{Cbor, bytes, list, text, uint};
use kit::*;
use symbolon_verify::limits::BUNDLE_BYTES_MAX;
use symbolon_verify::{Exit, Reason, Refused, Root, verify};
use world::received_event;

fn refused(bytes: &[u8]) -> Refused {
    match verify(bytes) {
        Ok(_) => panic!("the bundle verifies"),
        Err(refused) => refused,
    }
}

/// What a stranger does who has the file and no key.
type Stranger = (&'static str, Reason, fn(&mut Cbor));

#[test]
fn honest_bundles_of_both_sides_hold() {
    for (mut kit, count) in [(Kit::north(), 14), (Kit::south(), 14)] {
        let verified = verify(&kit.seal()).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!(kit.items.len(), count);
        let expected = [&kit.world.north, &kit.world.south].map(|node| {
            Root::parse(&node.id().map(|byte| format!("{byte:02x}")).concat()).unwrap()
        });
        verified.compare_roots(&expected).unwrap();
        let page = verified.page();
        assert!(page.contains("KX 100 2001") && page.contains("court order 12/2026"));
        // The view's name holds an escape sequence, a turn of direction, and markup.
        assert!(page.contains("Ada \u{fffd}[31mVexley\u{fffd} &lt;b&gt;"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{202e}']) && !page.contains("<b>"));
    }
}

#[test]
fn the_report_says_what_is_and_what_is_not_proved() {
    let shown = |kit: &mut Kit| verify(&kit.seal()).unwrap().report().clone();
    let (north, south) = (shown(&mut Kit::north()), shown(&mut Kit::south()));
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    assert!(says(&north.proved, "Node south cosigned that checkpoint"));
    assert!(!says(&north.not_proved, "the same log to everybody"));
    assert!(says(&south.not_proved, "the same log to everybody"));
    assert!(says(&south.proved, "Receipts by the partner: 1."));
    for report in [&north, &south] {
        assert!(says(&report.not_proved, "That a record is true"));
        assert!(says(&report.not_proved, "That nobody else was told"));
        assert!(says(&report.proved, "Statements in the maker's log: 3 of 3"));
        assert!(says(&report.proved, "Disclosures that open the tag set: 1."));
    }
    let left_out = &north.sections.last().unwrap().rows;
    assert!(left_out.iter().any(|(label, _)| label == "entries of the maker's log: 3"));
}

#[test]
fn a_stranger_changes_nothing_unseen() {
    let cases: [Stranger; 21] = [
        ("another version", Reason::Version, |wire| *wire.at(&[0]) = uint(2)),
        ("another shape", Reason::Malformed, |wire| *wire.at(&[4]) = text("items")),
        ("items swapped", Reason::ItemsOrder, |wire| wire.at(&[4]).as_list().swap(0, 1)),
        ("an item twice", Reason::ItemsOrder, |wire| {
            let items = wire.at(&[4]).as_list();
            items.insert(0, items[0].clone());
        }),
        ("an item dropped", Reason::ItemMissing, |wire| {
            wire.at(&[4]).as_list().remove(3);
        }),
        ("the last item dropped", Reason::ItemMissing, |wire| {
            wire.at(&[4]).as_list().pop();
        }),
        ("an item added", Reason::ItemUnnamed, |wire| {
            let card = list([uint(8), bytes([0xff; 40])]);
            wire.at(&[4]).as_list().push(card);
        }),
        ("a card flipped", Reason::ItemAltered, |wire| flip(wire, 0)),
        ("an agreement flipped", Reason::ItemAltered, |wire| flip(wire, 2)),
        ("an epoch card flipped", Reason::ItemAltered, |wire| flip(wire, 3)),
        ("a statement flipped", Reason::ItemAltered, |wire| flip(wire, 5)),
        ("the checkpoint flipped", Reason::ItemAltered, |wire| flip(wire, 7)),
        ("an opening flipped", Reason::ItemAltered, |wire| flip(wire, 9)),
        ("a private part flipped", Reason::ItemAltered, |wire| flip(wire, 12)),
        ("the manifest's reason", Reason::ManifestSignature, |wire| {
            manifest(wire, |manifest| *manifest.at(&[5]) = text("another reason"));
        }),
        ("the list of what is left out", Reason::ManifestSignature, |wire| {
            manifest(wire, |manifest| {
                manifest.at(&[8]).as_list().remove(0);
            });
        }),
        ("the first signature", Reason::ManifestSignature, |wire| {
            wire.at(&[2]).as_bytes()[5] ^= 1;
        }),
        ("the second signature", Reason::ManifestSignature, |wire| {
            wire.at(&[3]).as_bytes()[5] ^= 1;
        }),
        ("the partner's manifest", Reason::ItemAltered, |wire| {
            *wire.at(&[1]) = bytes(Kit::south().manifest.encode());
        }),
        ("one letter of the index", Reason::IndexAltered, |wire| {
            index(wire, |page| page.replacen("T-7", "T-8", 1));
        }),
        ("a script in the index", Reason::IndexAltered, |wire| {
            index(wire, |page| page.replace("</body>", "<script>x</script></body>"));
        }),
    ];
    let mut honest = Kit::north();
    honest.seal();
    for (name, reason, change) in cases {
        let mut wire = honest.wire();
        change(&mut wire);
        assert_eq!(refused(&wire.encode()).reason(), reason, "{name}");
    }
}

fn flip(wire: &mut Cbor, item: usize) {
    let bytes = wire.at(&[4, item, 1]).as_bytes();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn manifest(wire: &mut Cbor, change: fn(&mut Cbor)) {
    let mut manifest = Cbor::decode(wire.at(&[1]).as_bytes());
    change(&mut manifest);
    *wire.at(&[1]) = bytes(manifest.encode());
}

fn index(wire: &mut Cbor, change: fn(&str) -> String) {
    let Cbor::Text(page) = wire.at(&[5]).clone() else { panic!("no index") };
    *wire.at(&[5]) = text(&change(&page));
}

#[test]
fn bytes_that_are_no_bundle_are_refused_as_such() {
    let honest = Kit::north().seal();
    for length in [0, 1, honest.len() / 2, honest.len() - 1] {
        assert_eq!(refused(&honest[..length]).reason(), Reason::Truncated, "{length}");
    }
    let more = [honest.as_slice(), &[0]].concat();
    assert_eq!(refused(&more).reason(), Reason::Trailing);
    assert_eq!(refused(&vec![0; BUNDLE_BYTES_MAX + 1]).reason(), Reason::TooLarge);
    assert_eq!(refused(b"<html>").reason().exit(), Exit::Form);
    // Indefinite lengths are no deterministic encoding.
    let loose = [&[0x9f], &honest[1..], &[0xff]].concat();
    assert_eq!(refused(&loose).reason(), Reason::Malformed);
}

#[test]
fn other_roots_than_were_expected_are_refused() {
    let mut kit = Kit::north();
    let verified = verify(&kit.seal()).unwrap();
    let [north, south, third] = [&kit.world.north, &kit.world.south, &Kit::third()]
        .map(|node| Root::parse(&node.id().map(|byte| format!("{byte:02x}")).concat()).unwrap());
    let compare = |roots: &[Root]| verified.compare_roots(roots).map_err(|error| error.reason());
    assert_eq!(compare(&[north.clone(), south.clone()]), Ok(()));
    assert_eq!(compare(std::slice::from_ref(&north)), Err(Reason::RootUnexpected));
    assert_eq!(compare(&[north.clone(), third.clone()]), Err(Reason::RootUnexpected));
    assert_eq!(compare(&[north, south, third]), Err(Reason::RootAbsent));
    assert_eq!(Reason::RootAbsent.exit(), Exit::Root);
}

/// The world's own root and all its documents, made anew by a stranger: everything holds but the
/// words.
#[test]
fn an_invented_world_holds_only_under_its_own_roots() {
    let mut kit = Kit::north();
    let expected = Root::parse(&"11".repeat(32)).unwrap();
    let verified = verify(&kit.seal()).unwrap();
    assert_eq!(verified.compare_roots(&[expected]).unwrap_err().reason(), Reason::RootUnexpected);
}

#[test]
fn no_single_flipped_byte_passes() {
    let honest = Kit::north().seal();
    // Every byte would take minutes; a prime step visits every part.
    for place in (0..honest.len()).step_by(211) {
        let mut bytes = honest.clone();
        bytes[place] ^= 0x04;
        assert!(verify(&bytes).is_err(), "byte {place}");
    }
}

#[test]
fn every_reason_is_in_the_specification() {
    let spec = include_str!("../../../spec/evidence.md");
    let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let row = format!("| `{}` | {} | {} |", reason.code(), reason.exit() as u8, reason.words());
        assert!(spec.contains(&row), "spec/evidence.md lacks: {row}");
    }
}

#[test]
fn what_the_maker_no_longer_has_is_named() {
    // The entry of the confirm was erased, and agreement and epoch card are not kept.
    let mut kit = Kit::north();
    kit.drop_item(OPENING, 1);
    kit.drop_item(AGREEMENT, 0);
    kit.drop_item(EPOCH_CARD, 0);
    kit.remake();
    let report = verify(&kit.seal()).unwrap().report().clone();
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    assert!(says(&report.proved, "Statements in the maker's log: 2 of 3"));
    assert!(!says(&report.proved, "agreement") && !says(&report.proved, "tag set"));
    let confirm = "01010101-0101-7001-8001-010101010101";
    for what in ["the entry of a statement in the maker's log", "the agreement over a statement"] {
        let label = format!("{what}: {confirm}");
        assert!(report.left_out().iter().any(|(left_out, _)| *left_out == label), "{label}");
    }
    // Other entries, a query in another case, a policy, an entry, two under no agreement, a set.
    assert_eq!(report.left_out().len(), 7, "{:?}", report.left_out());
}

/// Numbers and names vary; everything else of a sentence is specified.
fn normal(text: &str) -> String {
    let text = text.replace("*n*", "1").replace("*name*", "south");
    let mut normal = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), normal.ends_with('#')) {
            (true, true) => {}
            (true, false) => normal.push('#'),
            (false, _) => normal.push(c),
        }
    }
    normal
}

#[test]
fn every_sentence_is_in_the_specification() {
    let spec = normal(include_str!("../../../spec/evidence.md"));
    let mut said = BTreeSet::new();
    let alerts = ["live", "exercise"].map(|mode| [alert::origin(mode), alert::recipient(mode)]);
    for mut kit in [Kit::north(), Kit::south()].into_iter().chain(alerts.into_iter().flatten()) {
        let report = verify(&kit.seal()).unwrap().report().clone();
        said.extend(report.proved.into_iter().chain(report.not_proved));
    }
    assert!(said.len() > 15, "{said:?}");
    for sentence in said {
        assert!(spec.contains(&format!("\n- {}", normal(&sentence))), "{sentence}");
    }
}

#[test]
fn every_reason_is_tried_here() {
    let tried = [
        include_str!("tampering.rs"),
        include_str!("tampering/insider.rs"),
        include_str!("tampering/alerts.rs"),
    ]
    .concat();
    for reason in Reason::ALL {
        let name = format!("Reason::{reason:?}");
        let is_whole = |at: usize| !tried[at + name.len()..].starts_with(char::is_alphanumeric);
        let is_tried = tried.match_indices(&name).any(|(at, _)| is_whole(at));
        assert!(is_tried, "no case is refused for {reason:?}");
    }
}

#[test]
fn entries_of_a_statement_twice_are_both_shown() {
    // A holder logs a confirm twice: what it says, and that it came in.
    let mut kit = Kit::south();
    let event = received_event(&kit.world.north, 1, &kit.world.confirm);
    assert_eq!(kit.world.south.entries[5].1, event);
    let report = verify(&kit.seal()).unwrap().report().clone();
    let mut sections = report.sections.iter();
    let confirm = sections.find(|one| one.title.ends_with(": confirm")).unwrap();
    let places = confirm.rows.iter().filter(|(label, _)| label == "in the maker's log");
    assert_eq!(places.count(), 2);
}
