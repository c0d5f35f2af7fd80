//! Bundles about an alert: honest ones of both sides, and what their makers try with every key.

use symbolon_verify::{Mode, Reason, verify};

use super::alert::{self, ALERT, alert_event, deleted_event, origin, recipient, relogged};
use super::cbor::{Cbor, bytes, list, text, uint};
use super::kit::*;
use super::node::NOW;
use super::refused;
use super::world::{Statement, World};

/// Order of the statements in the origin's bundle.
const ITS_ALERT: usize = 0;
const DELIVERED: usize = 1;
const WORD: usize = 2;
const DELETED: usize = 3;
const BY_NORTH: (&str, u8) = ("symbolon/1 statement", 11);
const BY_SOUTH: (&str, u8) = ("symbolon/1 statement", 21);

type Insider = (&'static str, Reason, fn(&mut Kit));

fn check(honest: fn() -> Kit, cases: &[Insider]) {
    for (name, reason, change) in cases {
        let mut kit = honest();
        change(&mut kit);
        let refused = refused(&kit.seal());
        assert_eq!(refused.reason(), *reason, "{name}: {refused}");
    }
}

fn live() -> Kit {
    origin("live")
}

fn deleted() -> Kit {
    recipient("live")
}

/// Changes the payload of a statement of a live bundle, and has its sender sign it again.
fn restate(kit: &mut Kit, number: usize, change: fn(&mut Cbor)) {
    let seed = if matches!(number, ITS_ALERT | WORD) { 11 } else { 21 };
    kit.restate(number, seed, change);
}

#[test]
fn both_sides_show_an_alert() {
    let report = verify(&live().seal()).unwrap().report().clone();
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    assert!(says(&report.proved, "delivered 2, read 0, acted 0, deleted 1, refused 0"));
    assert!(says(&report.proved, "Statements in the maker's log: 4 of 4"));
    assert!(says(&report.not_proved, "That no copy is left"));
    let rows = |title: &str| {
        let section = report.sections.iter().find(|one| one.title.starts_with(title)).unwrap();
        section.rows.clone()
    };
    assert_eq!(rows("This bundle")[0], ("about".into(), format!("alert {ALERT}")));
    let its = rows("Alert ");
    assert!(its.iter().any(|(_, text)| text.contains("accepted") && text.contains("nodes 2")));

    let theirs = verify(&deleted().seal()).unwrap().report().clone();
    assert!(says(&theirs.not_proved, "statements that are not here: 1."), "{theirs:?}");
    assert!(!says(&theirs.proved, "Acknowledgements by the partner"), "its own prove nothing");
    let what = "a statement of the matter: ";
    let left = theirs.left_out().iter().find(|(label, _)| label.starts_with(what)).unwrap();
    assert_eq!(left.1, "it was erased when its time was over");
}

#[test]
fn a_drill_says_so_everywhere() {
    for mut kit in [origin("exercise"), recipient("exercise")] {
        let verified = verify(&kit.seal()).unwrap();
        assert_eq!(verified.mode(), Mode::Exercise);
        let report = verified.report();
        assert_eq!(report.sections[0].rows[0].0, "EXERCISE");
        assert!(report.not_proved[0].starts_with("EXERCISE"));
        let mut titles = report.sections.iter().map(|section| &section.title);
        assert!(titles.all(|title| !title.contains("Statement ") || title.starts_with("EXERCISE")));
        assert!(verified.page().contains("<th>EXERCISE</th>"));
    }
    assert_eq!(verify(&live().seal()).unwrap().mode(), Mode::Live);
}

#[test]
fn a_drill_and_what_is_real_never_pass_for_each_other() {
    check(
        live,
        &[
            ("a word of a drill", Reason::StatementMode, |kit| {
                kit.resign((STATEMENT, WORD), ("symbolon/1 exercise statement", 11), |_| {});
            }),
            ("an acknowledgement of a drill", Reason::StatementMode, |kit| {
                kit.resign((STATEMENT, DELETED), ("symbolon/1 exercise statement", 21), |_| {});
            }),
            ("a real alert signed as a drill", Reason::StatementSignature, |kit| {
                kit.resign((STATEMENT, ITS_ALERT), ("symbolon/1 exercise statement", 11), |_| {});
            }),
            ("a drill signed as real", Reason::StatementSignature, |kit| {
                restate(kit, ITS_ALERT, |payload| *payload.at(&[1, 2]) = text("exercise"));
            }),
            ("a mark that is none", Reason::Malformed, |kit| {
                restate(kit, ITS_ALERT, |payload| *payload.at(&[1, 2]) = text("test"));
            }),
            ("an agreement on drills", Reason::AgreementTerms, |kit| {
                let mut content = kit.world.agreement();
                *content.at(&[3]) = text("exercise");
                *kit.item(AGREEMENT, 0) = kit.world.signed_agreement(&content).encode();
            }),
            ("an entry of a drill", Reason::OpeningMismatch, |kit| {
                relogged(kit, 2, |event| *event = alert_event("accepted", "exercise", 2));
            }),
            ("an entry that says both", Reason::OpeningMismatch, |kit| {
                relogged(kit, 2, |event| *event.at(&[3]) = text("exercise"));
            }),
        ],
    );
    check(
        || origin("exercise"),
        &[
            ("a real word", Reason::StatementMode, |kit| {
                kit.resign((STATEMENT, WORD), BY_NORTH, |_| {});
            }),
            ("an agreement on real data", Reason::AgreementTerms, |kit| {
                let content = kit.world.agreement();
                *kit.item(AGREEMENT, 0) = kit.world.signed_agreement(&content).encode();
            }),
        ],
    );
}

#[test]
fn a_bundle_about_an_alert_is_about_one_with_one() {
    check(
        live,
        &[
            ("another alert's word", Reason::AlertSubject, |kit| {
                restate(kit, WORD, |payload| *payload.at(&[0]) = bytes([0x30; 16]));
            }),
            ("another alert", Reason::AlertSubject, |kit| {
                restate(kit, ITS_ALERT, |payload| *payload.at(&[1, 0]) = bytes([0x30; 16]));
            }),
            ("a hit's refusal", Reason::AlertSubject, |kit| {
                let World { north, south, .. } = &kit.world;
                let said =
                    Statement::new(7, 3, south, north, NOW, &list([uint(1), bytes([7; 16])]));
                kit.items.push((STATEMENT, said.signed(&south.signing)));
            }),
            ("under the name of a case", Reason::AlertSubject, |kit| {
                *kit.manifest.at(&[6]) = list([text("case"), text(ALERT)]);
            }),
            ("under the name of another", Reason::AlertSubject, |kit| {
                *kit.manifest.at(&[6, 1]) = text(&ALERT.replace('3', "4"));
            }),
            ("under no id", Reason::Malformed, |kit| *kit.manifest.at(&[6, 1]) = text("3131")),
            ("of an unknown kind", Reason::Malformed, |kit| {
                *kit.manifest.at(&[6, 0]) = text("drill")
            }),
            ("another recipient", Reason::AlertParties, |kit| {
                let third = Kit::third();
                let mut payload =
                    list([bytes([0x31; 16]), bytes([0x32; 32]), list([uint(1), uint(1)])]);
                *payload.at(&[2, 1]) = uint(4);
                let said = Statement::new(8, 8, &kit.world.north, &third, NOW + 9, &payload);
                kit.items.push((CARD, third.signed_card()));
                kit.items.push((STATEMENT, said.signed(&kit.world.north.signing)));
            }),
            ("withdrawn by the recipient", Reason::AlertParties, |kit| {
                let World { north, south, .. } = &kit.world;
                let payload =
                    list([bytes([0x31; 16]), bytes([0x32; 32]), list([uint(1), uint(1)])]);
                let said = Statement::new(8, 8, south, north, NOW + 9, &payload);
                kit.items.push((STATEMENT, said.signed(&south.signing)));
            }),
            ("a courier's manifest", Reason::StatementKind, |kit| {
                kit.resign((STATEMENT, DELETED), BY_SOUTH, |content| *content.at(&[2]) = uint(10));
            }),
            ("a transcript", Reason::StatementKind, |kit| {
                kit.resign((STATEMENT, DELETED), BY_SOUTH, |content| *content.at(&[2]) = uint(11));
            }),
            ("an account", Reason::StatementKind, |kit| {
                kit.resign((STATEMENT, DELETED), BY_SOUTH, |content| *content.at(&[2]) = uint(6));
            }),
            ("no place in the stream", Reason::Malformed, |kit| {
                kit.resign((STATEMENT, WORD), BY_NORTH, |content| *content.at(&[8]) = Cbor::Null);
            }),
            ("a place before the first", Reason::Malformed, |kit| {
                kit.resign((STATEMENT, WORD), BY_NORTH, |content| *content.at(&[8]) = uint(0));
            }),
            ("an alert without a policy", Reason::Malformed, |kit| {
                kit.resign((STATEMENT, ITS_ALERT), BY_NORTH, |content| {
                    *content.at(&[7]) = Cbor::Null
                });
            }),
            ("an alert that was over", Reason::Malformed, |kit| {
                restate(kit, ITS_ALERT, |payload| {
                    let over = [3, 4, 5].map(|field| (field, uint(NOW)));
                    over.into_iter().for_each(|(field, at)| *payload.at(&[field]) = at);
                });
            }),
            ("clocks that run backwards", Reason::Malformed, |kit| {
                restate(kit, ITS_ALERT, |payload| *payload.at(&[3]) = uint(NOW + 9_001));
            }),
            ("a word that says nothing known", Reason::Malformed, |kit| {
                restate(kit, WORD, |payload| *payload.at(&[2, 1]) = uint(6));
            }),
            ("a kind that the agreement lacks", Reason::AgreementTerms, |kit| {
                let mut content = kit.world.agreement();
                *content.at(&[5]) = list([text("diversion")]);
                *kit.item(AGREEMENT, 0) = kit.world.signed_agreement(&content).encode();
            }),
        ],
    );
    check(
        Kit::north,
        &[("a word in a case", Reason::AlertSubject, |kit| {
            let payload = list([bytes([0x31; 16]), bytes([0x32; 32]), list([uint(1), uint(1)])]);
            let World { north, south, .. } = &kit.world;
            let said = Statement::new(8, 8, south, north, NOW + 9, &payload);
            kit.items.push((STATEMENT, said.signed(&south.signing)));
        })],
    );
}

#[test]
fn an_acknowledgement_says_what_its_author_may_say() {
    check(
        live,
        &[
            ("of nothing here", Reason::AcknowledgementForeign, |kit| {
                acknowledge(kit, |payload| *payload.at(&[0, 0, 0]) = bytes([5; 32]));
            }),
            ("by the one who sent it", Reason::AcknowledgementParties, |kit| {
                let World { north, south, .. } = &kit.world;
                let mut payload =
                    Cbor::decode(Cbor::decode(kit.items[4].1.as_slice()).at(&[0]).as_bytes());
                let payload = Cbor::decode(payload.at(&[9]).as_bytes());
                let said = Statement::new(9, 9, north, south, NOW + 9, &payload);
                kit.items.push((STATEMENT, said.signed(&north.signing)));
            }),
            ("before it was sent", Reason::TimeOrder, |kit| {
                acknowledge(kit, |payload| *payload.at(&[0, 0, 2]) = uint(NOW - 301));
            }),
            ("of what was yet to come", Reason::TimeOrder, |kit| {
                acknowledge(kit, |payload| *payload.at(&[0, 0, 2]) = uint(NOW + 900));
            }),
            ("with another log's checkpoint", Reason::AcknowledgementCheckpoint, |kit| {
                let other = text(&kit.world.north.checkpoint(3));
                kit.drop_item(OPENING, 3);
                kit.restate(DELIVERED, 21, |payload| *payload.at(&[1]) = other.clone());
            }),
            ("with half a checkpoint", Reason::AcknowledgementCheckpoint, |kit| {
                let half: String = kit
                    .world
                    .south
                    .checkpoint(2)
                    .lines()
                    .take(5)
                    .map(|l| format!("{l}\n"))
                    .collect();
                kit.drop_item(OPENING, 3);
                kit.restate(DELIVERED, 21, |payload| *payload.at(&[1]) = text(&half));
            }),
            ("beyond its checkpoint", Reason::AcknowledgementIndex, |kit| {
                acknowledge(kit, |payload| *payload.at(&[0, 0, 3]) = uint(2));
            }),
            ("an unknown stage", Reason::Malformed, |kit| {
                acknowledge(kit, |payload| *payload.at(&[0, 0, 1]) = uint(6));
            }),
            ("items out of order", Reason::Malformed, |kit| {
                restate(kit, DELETED, |payload| payload.at(&[0]).as_list().reverse());
            }),
            ("no items", Reason::Malformed, |kit| {
                restate(kit, DELETED, |payload| payload.at(&[0]).as_list().clear());
            }),
            ("logged before what it acknowledges", Reason::TimeOrder, |kit| {
                kit.world.north.entries.swap(3, 4);
                relogged(kit, 0, |_| {});
            }),
            ("another hash in the log", Reason::OpeningForeign, |kit| {
                relogged(kit, 4, |event| *event.at(&[3]) = bytes([5; 32]));
            }),
        ],
    );
    check(
        deleted,
        &[
            ("deleted, by a leaf that says otherwise", Reason::AcknowledgementIndex, |kit| {
                their_items(kit, |items| at_leaf(items, 4, 3));
            }),
            ("delivered, by a leaf that is closed", Reason::AcknowledgementIndex, |kit| {
                their_items(kit, |items| at_leaf(items, 1, 0));
            }),
            ("a log that was rewritten since", Reason::Consistency, |kit| {
                kit.world.south.entries[0].0 += 1;
                alert::their_relogged(kit, 0, |_| {});
            }),
            ("no proof that the log continues", Reason::Consistency, |kit| {
                kit.drop_item(CONSISTENCY, 0);
            }),
        ],
    );
}

/// Changes the first acknowledgement, whose entry at the origin is closed then.
fn acknowledge(kit: &mut Kit, change: fn(&mut Cbor)) {
    kit.drop_item(OPENING, 3);
    restate(kit, DELIVERED, change);
}

/// Changes what the recipient last acknowledged, whose own entry is closed then.
fn their_items(kit: &mut Kit, change: fn(&mut Vec<Cbor>)) {
    const LAST: usize = 2;
    let size = kit.world.south.size();
    let own = kit.world.south.opening(5, size).encode();
    kit.items.retain(|(_, bytes)| *bytes != own);
    kit.restate(LAST, 21, |payload| change(payload.at(&[0]).as_list()));
}

fn at_leaf(items: &mut [Cbor], stage: u64, leaf: u64) {
    let mut items = items.iter_mut();
    let item = items.find(|item| *(*item).clone().at(&[1]) == uint(stage)).unwrap();
    *item.at(&[3]) = uint(leaf);
}

/// Without the alert's statement, and without the policy under which it was sent.
fn without_alert(kit: &mut Kit, change: fn(&mut Cbor)) {
    kit.drop_item(STATEMENT, ITS_ALERT);
    relogged(kit, 3, change);
    kit.drop_item(OPENING, 0);
}

#[test]
fn entries_are_those_of_the_alert() {
    check(
        live,
        &[
            ("what became of another", Reason::OpeningForeign, |kit| {
                relogged(kit, 2, |event| *event.at(&[1]) = bytes([0x30; 16]));
            }),
            ("an alert sent to somebody else", Reason::OpeningMismatch, |kit| {
                without_alert(kit, |event| *event.at(&[0]) = bytes(Kit::third().id()));
            }),
            ("another alert that was sent", Reason::OpeningForeign, |kit| {
                without_alert(kit, |event| *event.at(&[4]) = bytes([0x30; 16]));
            }),
            ("another version than was sent", Reason::OpeningMismatch, |kit| {
                relogged(kit, 3, |event| *event.at(&[5]) = bytes([0x30; 32]));
            }),
            ("deleted by its origin", Reason::OpeningMismatch, |kit| {
                kit.world.north.entries[2].1 = deleted_event(&kit.world.south, [5; 32], "live");
                relogged(kit, 0, |_| {});
            }),
            ("a statement dropped and not named", Reason::LeftOutLacks, |kit| {
                without_alert(kit, |_| {});
                kit.remake();
                let lines = kit.manifest.at(&[8]).as_list();
                lines.retain(|line| *line.clone().at(&[0]) != text("statement"));
            }),
            ("the entry of an acknowledgement that is not here", Reason::OpeningForeign, |kit| {
                kit.drop_item(STATEMENT, DELETED);
            }),
            ("what is here named as left out", Reason::LeftOutFalse, |kit| {
                let id = "04040404-0404-7004-8004-040404040404: deleted";
                let line = ["shared_acknowledgement", "not_asked_for", id];
                let lines = kit.manifest.at(&[8]).as_list();
                lines.push(list(line.map(text)));
            }),
            ("an earlier version that is not named", Reason::LeftOutLacks, |kit| {
                restate(kit, ITS_ALERT, |payload| *payload.at(&[2]) = bytes([0x30; 32]));
                // Everything that names the statement follows it.
                let mut signed = Cbor::decode(kit.item(STATEMENT, ITS_ALERT));
                let hash = symbolon_codec::sha256("", &[signed.at(&[0]).as_bytes()]);
                rename(kit, hash);
            }),
        ],
    );
    check(
        deleted,
        &[
            ("what nobody deleted", Reason::OpeningForeign, |kit| {
                let size = kit.world.south.size();
                let gone = kit.world.south.opening(4, size).encode();
                kit.items.retain(|(_, bytes)| *bytes != gone);
            }),
            ("deleted of another alert", Reason::OpeningForeign, |kit| {
                alert::their_relogged(kit, 4, |event| *event.at(&[0]) = bytes([0x30; 16]));
            }),
            ("deleted of another's", Reason::OpeningMismatch, |kit| {
                alert::their_relogged(kit, 4, |event| *event.at(&[1]) = bytes(Kit::third().id()));
            }),
            ("received from somebody else", Reason::OpeningMismatch, |kit| {
                alert::their_relogged(kit, 1, |event| *event.at(&[0]) = bytes(Kit::third().id()));
            }),
            ("a word among what was deleted", Reason::OpeningForeign, |kit| {
                alert::their_relogged(kit, 1, |event| *event.at(&[1]) = uint(8));
            }),
            ("what was deleted is not named", Reason::LeftOutLacks, |kit| {
                let lines = kit.manifest.at(&[8]).as_list();
                lines.retain(|line| *line.clone().at(&[0]) != text("statement"));
            }),
        ],
    );
}

/// North's entry of its alert and south's words on it, for a statement of another hash.
fn rename(kit: &mut Kit, hash: [u8; 32]) {
    *kit.world.north.entries[3].1.at(&[3]) = bytes(hash);
    for number in [DELIVERED, DELETED] {
        let word = kit_word(kit);
        kit.restate(number, 21, |payload| {
            let items = payload.at(&[0]).as_list();
            for item in items.iter_mut().filter(|item| *(*item).clone().at(&[0]) != bytes(word)) {
                *item.at(&[0]) = bytes(hash);
            }
            items.sort_by_key(Cbor::encode);
        });
        let mut signed = Cbor::decode(kit.item(STATEMENT, number));
        let said = symbolon_codec::sha256("", &[signed.at(&[0]).as_bytes()]);
        let place = if number == DELIVERED { 4 } else { 6 };
        *kit.world.north.entries[place].1.at(&[3]) = bytes(said);
    }
    relogged(kit, 0, |_| {});
}

fn kit_word(kit: &Kit) -> [u8; 32] {
    let mut statements = kit.items.iter().filter(|(kind, _)| *kind == STATEMENT);
    let mut signed = Cbor::decode(&statements.nth(WORD).unwrap().1);
    symbolon_codec::sha256("", &[signed.at(&[0]).as_bytes()])
}

#[test]
fn an_acknowledgement_of_others_shows_their_number_alone() {
    let mut kit = live();
    let other = list([bytes([0xff; 32]), uint(1), uint(NOW + 1), uint(1)]);
    kit.restate(DELIVERED, 21, |payload| payload.at(&[0]).as_list().push(other.clone()));
    let mut signed = Cbor::decode(kit.item(STATEMENT, DELIVERED));
    let hash = symbolon_codec::sha256("", &[signed.at(&[0]).as_bytes()]);
    *kit.world.north.entries[4].1.at(&[3]) = bytes(hash);
    relogged(&mut kit, 0, |_| {});
    kit.remake();
    let report = verify(&kit.seal()).unwrap().report().clone();
    let row = ("said of other statements".to_owned(), "1".to_owned());
    assert!(report.sections.iter().any(|section| section.rows.contains(&row)));
    assert!(!format!("{report:?}").contains(&"ff".repeat(32)));
}
