//! Pushes as a hostile partner makes them: each ends in the right refusal or an acknowledgement
//! that claims nothing, nothing has changed, and honest traffic goes on.

use symbolon_disclosure::{
    Author, ContestReason, Payload, Recipient, Say, Stage, Terms, WithdrawReason, Word,
    seal_confirm, seal_word,
};
use symbolon_protocol::limits::{PUSH_BYTES_MAX, PUSH_ENVELOPES_MAX};
use symbolon_protocol::{Code, ProtocolError, Pushed};
use symbolon_record::{Record, RecordSalt};
use symbolon_trust::Mode;

use super::node::{Node, agree, form, officer};
use super::world::{DAY_MS, Fate, World};
use crate::api::{AlertForm, AlertSend, PartnerChange, Quiet};

/// All that an outsider could have changed at a node.
fn held(node: &Node) -> (Vec<(String, String, String, bool)>, Vec<String>) {
    let rows = node.received().into_iter();
    let rows = rows.map(|row| (row.id, row.title, row.state, row.contested)).collect();
    (rows, node.inbox())
}

fn refused(answer: Result<Pushed, ProtocolError>, expected: Code) {
    match answer {
        Err(ProtocolError::PeerRefused { code, .. }) => assert_eq!(code, expected),
        other => panic!("{other:?}"),
    }
}

/// Taken without effect: what the partner is told to send next.
fn neutral(answer: Result<Pushed, ProtocolError>) -> u64 {
    answer.unwrap().next(Mode::Live)
}

/// North has sent an alert to south and to nobody else; both have gone on, and go on afterwards.
fn beside_honest_traffic(attack: impl FnOnce(&World, &str)) {
    let world = World::with_drills();
    let World { north, south, .. } = &world;
    let id = north.send("Honest", Mode::Live, &[south]);
    north.push(south).unwrap();
    attack(&world, &id);
    let after = north.send("After", Mode::Live, &[south]);
    north.push(south).unwrap();
    assert_eq!(north.state(&after, south), "delivered");
    assert!(south.titles().contains(&"After".to_owned()));
    north.withdraw(&id);
    north.push(south).unwrap();
    assert_eq!(north.state(&id, south), "deleted");
    for node in [&world.north, &world.south, &world.east] {
        node.log_holds();
    }
}

/// The same, where the attack leaves nothing behind at north and south.
fn without_effect(attack: impl FnOnce(&World, &str)) {
    beside_honest_traffic(|world, id| {
        let before = (held(&world.north), held(&world.south), world.north.row(id, &world.south));
        attack(world, id);
        let after = (held(&world.north), held(&world.south), world.north.row(id, &world.south));
        assert_eq!(before, after);
    });
}

fn word_on(from: &Node, id: &str, say: Say) -> Word {
    let version = from.record(&form("any", Mode::Live)).version();
    Word { alert: id.parse().unwrap(), version, say }
}

const WITHDRAWN: Say = Say::Withdrawn(WithdrawReason::Error);
const CONTEST: Say = Say::Contest(ContestReason::WrongFacts);

/// A word to south as `name` would sign it and `signer` did.
fn forged_word(name: &Node, signer: &Node, to: &Node, word: Word) -> Vec<u8> {
    let (now, partner) = (name.desk.now(), name.desk.partner(&to.id()).unwrap());
    let recipient = Recipient::new(&partner.card, now, Mode::Live).unwrap();
    let keys = signer.desk.identity();
    let author = Author { node: name.id(), key: &keys.signing };
    let terms = Terms { created: now, expires: now + 3_600, in_reply_to: None };
    seal_word(word, 2, &recipient, &author, &terms, [3; 32]).unwrap().into_bytes()
}

#[test]
fn a_forged_signature() {
    without_effect(|World { north, south, east, .. }, id| {
        let forged = forged_word(north, east, south, word_on(north, id, WITHDRAWN));
        refused(north.shove(south, std::slice::from_ref(&forged)), Code::Envelope);
        refused(east.shove(south, &[forged]), Code::Envelope);
    });
}

#[test]
fn an_envelope_for_somebody_else() {
    without_effect(|World { north, south, east, .. }, id| {
        let word = north.word(east, Mode::Live, 1, word_on(north, id, WITHDRAWN));
        refused(north.shove(south, &[word]), Code::Envelope);
    });
}

#[test]
fn an_envelope_of_another_sender() {
    without_effect(|World { north, south, east, .. }, id| {
        let word = north.word(south, Mode::Live, 2, word_on(north, id, WITHDRAWN));
        refused(east.shove(south, &[word]), Code::Envelope);
    });
}

#[test]
fn bytes_that_are_no_envelope() {
    without_effect(|World { north, south, .. }, _| {
        for bytes in [vec![0], vec![0xff; 5_000]] {
            refused(north.shove(south, &[bytes]), Code::Envelope);
        }
        let mut torn = north.link.last();
        torn.truncate(torn.len() - 1);
        refused(north.shove(south, &[torn]), Code::Envelope);
    });
}

#[test]
fn an_old_push_again() {
    without_effect(|World { north, south, east, .. }, _| {
        let old = north.link.last();
        for _ in 0..3 {
            assert_eq!(neutral(north.shove(south, std::slice::from_ref(&old))), 2);
        }
        assert_eq!(neutral(north.shove(south, &[old.clone(), old.clone()])), 2);
        refused(east.shove(south, &[old]), Code::Envelope);
    });
}

#[test]
fn a_withdrawal_by_another_than_the_origin() {
    without_effect(|World { north, south, east, .. }, id| {
        let word = east.word(south, Mode::Live, 1, word_on(east, id, WITHDRAWN));
        assert_eq!(neutral(east.shove(south, &[word])), 2);
        // Nor by a recipient, towards the origin itself.
        let word = south.word(north, Mode::Live, 1, word_on(south, id, WITHDRAWN));
        assert_eq!(neutral(south.shove(north, &[word])), 2);
    });
}

#[test]
fn a_contest_by_one_that_never_had_it() {
    without_effect(|World { north, south, east, .. }, id| {
        let word = east.word(north, Mode::Live, 1, word_on(east, id, CONTEST));
        assert_eq!(neutral(east.shove(north, &[word])), 2);
        let word = east.word(south, Mode::Live, 1, word_on(east, id, CONTEST));
        assert_eq!(neutral(east.shove(south, &[word])), 2);
    });
}

#[test]
fn a_word_about_an_alert_that_never_was() {
    without_effect(|World { north, south, .. }, _| {
        let id = north.record(&form("Never sent", Mode::Live)).id().to_string();
        for (sequence, say) in [(1, WITHDRAWN), (2, CONTEST)] {
            let word = south.word(north, Mode::Live, sequence, word_on(south, &id, say));
            assert_eq!(neutral(south.shove(north, &[word])), sequence + 1);
        }
    });
}

#[test]
fn a_gap_in_the_stream() {
    without_effect(|World { north, south, .. }, id| {
        for sequence in [3, 65, u64::MAX] {
            let word = north.word(south, Mode::Live, sequence, word_on(north, id, WITHDRAWN));
            assert_eq!(neutral(north.shove(south, &[word])), 2, "{sequence}");
        }
    });
}

#[test]
fn a_place_with_another_content() {
    without_effect(|World { north, south, .. }, id| {
        let word = north.word(south, Mode::Live, 1, word_on(north, id, WITHDRAWN));
        assert_eq!(neutral(north.shove(south, &[word])), 2);
        let other = north.alert(south, 1, &north.record(&form("Other", Mode::Live)));
        assert_eq!(neutral(north.shove(south, &[other.into_bytes()])), 2);
    });
}

#[test]
fn a_drill_s_word_about_a_real_alert() {
    without_effect(|World { north, south, .. }, id| {
        for (sequence, say) in [(1, WITHDRAWN), (2, CONTEST)] {
            let word = north.word(south, Mode::Exercise, sequence, word_on(north, id, say));
            let answer = north.shove(south, &[word]).unwrap();
            assert_eq!((answer.next(Mode::Live), answer.next(Mode::Exercise)), (2, sequence + 1));
        }
    });
}

/// A record of another content under an id that is taken.
fn under(id: &str, from: &Node, mode: Mode) -> Record {
    let other = from.record(&form("Impostor", mode));
    let salt = RecordSalt::generate([7; 32]);
    Record::new(id.parse().unwrap(), salt, other.content().clone()).unwrap()
}

#[test]
fn a_drill_under_the_id_of_a_real_alert() {
    without_effect(|World { north, south, .. }, id| {
        let drill = north.alert(south, 1, &under(id, north, Mode::Exercise));
        let answer = north.shove(south, &[drill.into_bytes()]).unwrap();
        assert_eq!(answer.next(Mode::Exercise), 2);
    });
}

#[test]
fn a_real_alert_under_the_id_of_a_drill() {
    let world = World::with_drills();
    let World { north, south, .. } = &world;
    let id = north.send("Drill", Mode::Exercise, &[south]);
    north.push(south).unwrap();
    let before = held(south);
    let real = north.alert(south, 1, &under(&id, north, Mode::Live));
    assert_eq!(neutral(north.shove(south, &[real.into_bytes()])), 2);
    assert_eq!(held(south), before);
    assert!(south.received().iter().all(|row| row.exercise), "the live list stays empty");
}

#[test]
fn another_s_alert_under_a_known_id() {
    beside_honest_traffic(|World { north, south, east, .. }, id| {
        let impostor = east.alert(south, 1, &under(id, east, Mode::Live));
        assert_eq!(neutral(east.shove(south, &[impostor.into_bytes()])), 2);
        // Both are there, each under its origin.
        let rows = south.received();
        let said = |origin: &Node| {
            let of = |row: &&crate::api::AlertRow| row.origin.as_deref() == Some(origin.name);
            rows.iter().find(of).unwrap().title.clone()
        };
        assert_eq!((said(north), said(east)), ("Honest".to_owned(), "Impostor".to_owned()));
        // Nobody acts on one and means the other.
        assert!(south.acknowledge(id, "read").is_err());
        south.acknowledge(&format!("{id}@north"), "read").unwrap();
        south.push(north).unwrap();
        assert_eq!(north.state(id, south), "read");
        // Its withdrawal is its own.
        let word = east.word(south, Mode::Live, 2, word_on(east, id, WITHDRAWN));
        assert_eq!(neutral(east.shove(south, &[word])), 3);
        let left: Vec<_> =
            south.received().into_iter().filter(|row| row.state == "active").collect();
        assert_eq!((left.len(), left[0].title.as_str()), (1, "Honest"));
    });
}

#[test]
fn another_s_alert_under_the_id_of_an_own_one() {
    beside_honest_traffic(|World { north, south, east, .. }, id| {
        let before = (held(south), north.row(id, south));
        let impostor = east.alert(north, 1, &under(id, east, Mode::Live));
        assert_eq!(neutral(east.shove(north, &[impostor.into_bytes()])), 2);
        let word = east.word(north, Mode::Live, 2, word_on(east, id, WITHDRAWN));
        assert_eq!(neutral(east.shove(north, &[word])), 3);
        assert_eq!((held(south), north.row(id, south)), before);
        let rows = north.received();
        assert_eq!((rows.len(), rows[0].state.as_str()), (1, "withdrawn"));
    });
}

#[test]
fn an_alert_of_a_kind_that_was_not_agreed() {
    let world = World::new();
    let World { north, south, .. } = &world;
    // Sealed while it was agreed; on its way when it is not any more.
    let id = north.send("Sealed before", Mode::Live, &[south]);
    north.link.weather(|| Fate::Lost);
    assert!(north.push(south).is_err());
    let forged = north.alert(south, 2, &north.record(&form("Forged", Mode::Live))).into_bytes();
    agree(north, south, Mode::Live, &["listing"]);
    north.link.weather(|| Fate::Arrives);
    north.push(south).unwrap();
    assert_eq!(north.state(&id, south), "refused");
    assert_eq!(neutral(north.shove(south, &[forged])), 3);
    assert_eq!(held(south), (Vec::new(), Vec::new()));
    // Sent once more, it is said once more that it was refused, and not that it was delivered.
    let old = north.link.last();
    let answer = north.shove(south, &[old]).unwrap();
    let opened = north
        .desk
        .open_envelope(answer.envelope().unwrap(), &north.desk.partner(&south.id()).unwrap());
    let Payload::Acknowledgement(said) = opened.unwrap().payload().clone() else { panic!() };
    assert_eq!(said.items.iter().map(|item| item.stage).collect::<Vec<_>>(), [Stage::Refused]);
}

#[test]
fn an_alert_that_is_over_when_it_comes() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let short = AlertForm { expires_days: Some(1), ..form("Short", Mode::Live) };
    let late = north.alert(south, 1, &north.record(&short)).into_bytes();
    // The statement itself lives longer than what it says.
    world.pass(2 * DAY_MS);
    assert_eq!(neutral(north.shove(south, &[late])), 2, "it keeps its place");
    assert_eq!(held(south), (Vec::new(), Vec::new()));
    south.log_holds();
}

#[test]
fn an_alert_that_is_over_before_it_is_read() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let form = AlertForm { expires_days: Some(1), ..form("Short", Mode::Live) };
    let request = AlertSend { form, idempotency_key: None };
    let id = north.desk.alert_send(&officer(), request, &mut Quiet).unwrap().id;
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["Short"]);
    world.pass(2 * DAY_MS);
    south.desk.alerts_due().unwrap();
    let rows = south.received();
    assert_eq!((rows[0].state.as_str(), rows[0].title.as_str()), ("expired", ""));
    assert!(south.acknowledge(&id, "read").is_err());
    south.push(north).unwrap();
    assert_eq!(north.state(&id, south), "deleted");
}

#[test]
fn more_than_a_push_may_hold() {
    without_effect(|World { north, south, .. }, _| {
        let envelope = north.link.last();
        let many = vec![envelope; PUSH_ENVELOPES_MAX + 1];
        let too_long = |answer: Result<Pushed, ProtocolError>| {
            assert!(matches!(answer, Err(ProtocolError::FieldTooLong { field: "envelopes" })));
        };
        too_long(north.shove(south, &many));
        too_long(north.shove(south, &vec![vec![1; PUSH_BYTES_MAX / 8 + 1]; 8]));
    });
}

#[test]
fn a_bad_envelope_between_good_ones() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let alert = |sequence, what| {
        north.alert(south, sequence, &north.record(&form(what, Mode::Live))).into_bytes()
    };
    let (first, second) = (alert(1, "First"), alert(2, "Second"));
    let mixed = [first, vec![7; 2_000], second.clone()];
    assert_eq!(neutral(north.shove(south, &mixed)), 2, "what came before the bad one is taken");
    assert_eq!(neutral(north.shove(south, &[second])), 3);
    assert_eq!(south.titles(), ["First", "Second"]);
}

#[test]
fn a_statement_that_is_not_pushed() {
    without_effect(|World { north, south, .. }, _| {
        let (now, partner) = (north.desk.now(), north.desk.partner(&south.id()).unwrap());
        let recipient = Recipient::new(&partner.card, now, Mode::Live).unwrap();
        let keys = north.desk.identity();
        let terms = Terms { created: now, expires: now + 3_600, in_reply_to: None };
        let confirm = symbolon_disclosure::ConfirmRequest {
            class: symbolon_ident::Class::Document,
            epoch: 1,
            serial: 1,
            tag: symbolon_oprf::Tag::from_bytes([1; 16]),
            confirm: symbolon_oprf::ConfirmCode::from_bytes([2; 32]),
            purpose: "nonproliferation".into(),
            case_hash: [3; 32],
        };
        let sealed = seal_confirm(confirm, &recipient, &keys.author(), &terms, [8; 32]).unwrap();
        assert_eq!(neutral(north.shove(south, &[sealed.into_bytes()])), 2);
    });
}

#[test]
fn a_push_before_any_agreement_or_of_a_suspended_partner() {
    let world = World::strangers();
    let World { north, south, .. } = &world;
    let id = north.record(&form("any", Mode::Live)).id().to_string();
    let word = north.word(south, Mode::Live, 1, word_on(north, &id, CONTEST));
    assert_eq!(neutral(north.shove(south, std::slice::from_ref(&word))), 1, "nothing is taken");
    agree(north, south, Mode::Live, &[]);
    let change =
        PartnerChange { partner: "north".to_owned(), reason: "a test of suspension".to_owned() };
    assert_eq!(neutral(north.shove(south, std::slice::from_ref(&word))), 2, "now it is");
    south.desk.partner_suspend(&officer(), change.clone(), &mut Quiet).unwrap();
    refused(north.shove(south, std::slice::from_ref(&word)), Code::Unavailable);
    let sent = south.send("Not to a suspended one", Mode::Live, &[]);
    assert!(south.push(north).is_ok(), "nothing goes there");
    assert!(north.received().is_empty());
    south.desk.partner_resume(&officer(), change, &mut Quiet).unwrap();
    assert_eq!(neutral(north.shove(south, &[word])), 2, "once is enough");
    assert!(sent.len() > 8);
}

#[test]
fn what_was_withdrawn_comes_again() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let id = north.send("Gone", Mode::Live, &[south]);
    north.push(south).unwrap();
    north.withdraw(&id);
    north.push(south).unwrap();
    let again = north.alert(south, 3, &under(&id, north, Mode::Live));
    assert_eq!(neutral(north.shove(south, &[again.into_bytes()])), 4);
    let rows = south.received();
    assert_eq!((rows.len(), rows[0].state.as_str(), rows[0].title.as_str()), (1, "withdrawn", ""));
    assert!(south.inbox().is_empty());
}

#[test]
fn an_idempotency_key_with_another_content() {
    let world = World::new();
    let World { north, south, .. } = &world;
    let send = |what: &str| {
        let request = AlertSend {
            form: form(what, Mode::Live),
            idempotency_key: Some("0123456789abcdef".to_owned()),
        };
        north.desk.alert_send(&officer(), request, &mut Quiet)
    };
    let first = send("First").unwrap();
    assert!(send("Second").is_err());
    let again = send("First").unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
    north.push(south).unwrap();
    assert_eq!(south.titles(), ["First"]);
}
