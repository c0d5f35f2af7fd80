//! Requests and answers over whole sessions, with and without faults.

use std::collections::VecDeque;

use proptest::prelude::*;
use symbolon_audit::{QueryEvidence, QueryPrivate, commit, verify_query};
use symbolon_disclosure::{
    Author, ConfirmRequest, Recipient, Refusal as RefusalStatement, RefusalCode, Sealed, Terms,
    open, seal_confirm, seal_refusal,
};
use symbolon_ident::{Canonical, Class, Kind};
use symbolon_oprf::{ConfirmCode, EpochSeed, KeyNames, Receiver, Sender, SetSalt, Tag};
use symbolon_protocol::limits::{FRAME_BYTES_MAX, REQUEST_DEADLINE_MS};
use symbolon_protocol::{
    Acknowledge, Card, CardRequest, Code, Disclose, EPOCH_CARD_VERSION, EpochCard, EpochCardCheck,
    Epochs, EpochsRequest, Established, Evaluate, Evaluation, Exchange, Incoming, Message,
    ProtocolError, Refusal, Reply, Request, Serve, SignedEpochCard, Transmit, VerifiedEpochCard,
};
use symbolon_tlog::{HashReader, consistency_proof, inclusion_proof, leaf_hash};
use symbolon_trust::Replacement;

use super::link::{End, Fault, faults, run};
use super::world::{NOW, Node, PROFILE, agreement, context, session, session_with, written};

/// A server that answers as the closure says.
pub(crate) struct Answering<F> {
    serve: Serve,
    answer: F,
    outbox: VecDeque<Transmit>,
    pub(crate) outcome: Option<Result<(), ProtocolError>>,
}

impl<F: FnMut(Incoming) -> Reply> Answering<F> {
    pub(crate) fn new(session: &Established, answer: F) -> Self {
        let serve = Serve::new(session, 0);
        Self {
            serve,
            answer,
            outbox: VecDeque::new(),
            outcome: None,
        }
    }

    fn answer(&mut self) {
        match self.serve.poll_outcome() {
            None => (),
            Some(Err(error)) => self.outcome = Some(Err(error)),
            Some(Ok(incoming)) => {
                self.outbox
                    .push_back(Transmit::Bytes((self.answer)(incoming).into_bytes()));
                self.outbox.push_back(Transmit::Finish);
                self.outcome = Some(Ok(()));
            }
        }
    }
}

impl<F: FnMut(Incoming) -> Reply> End for Answering<F> {
    fn bytes(&mut self, bytes: &[u8], now_ms: u64) {
        self.serve.handle_bytes(bytes, now_ms);
        self.answer();
    }
    fn end(&mut self, now_ms: u64) {
        self.serve.handle_end(now_ms);
        self.answer();
    }
    fn timeout(&mut self, now_ms: u64) {
        self.serve.handle_timeout(now_ms);
        self.answer();
    }
    fn next_timeout(&self) -> Option<u64> {
        self.serve.poll_timeout()
    }
    fn transmit(&mut self) -> Option<Transmit> {
        self.serve
            .poll_transmit()
            .or_else(|| self.outbox.pop_front())
    }
}

fn ask<R: Request>(
    (client, server): &(Established, Established),
    request: &R,
    faults: &[Fault],
    answer: impl FnMut(Incoming) -> Reply,
) -> (Result<R::Response, ProtocolError>, u64)
where
    Exchange<R>: End,
{
    let mut a = Exchange::begin(client, request, 0).unwrap();
    let mut b = Answering::new(server, answer);
    let time_ms = run(&mut a, &mut b, faults);
    assert!(b.outcome.is_some());
    (a.poll_outcome().unwrap(), time_ms)
}

pub(crate) fn two() -> (Node, Node) {
    (Node::new("alpha", 10), Node::new("beta", 20))
}

pub(crate) fn sender(holder: &Node, asker: &Node) -> (Sender, SetSalt) {
    let seed = EpochSeed::new([5; 32]);
    let (holder, asker) = (holder.card.id(), asker.card.id());
    let epoch = NOW / 604_800;
    let names = KeyNames {
        holder: holder.as_bytes(),
        asker: asker.as_bytes(),
        class: Class::Document,
        epoch,
    };
    (
        Sender::derive(&seed, &names).unwrap(),
        SetSalt::derive(&seed, &names, 1),
    )
}

pub(crate) fn epoch_card(holder: &Node, asker: &Node) -> EpochCard {
    let epoch = agreement(holder, asker).epoch_at(NOW).unwrap();
    EpochCard {
        version: EPOCH_CARD_VERSION,
        holder: holder.card.id(),
        asker: asker.card.id(),
        class: Class::Document,
        epoch: epoch.number,
        serial: 1,
        not_before: epoch.not_before,
        not_after: epoch.not_after,
        public_key: sender(holder, asker).0.public_key().clone(),
        count: 1024,
        set_root: leaf_hash("set"),
        tags_root: leaf_hash("tags"),
        profile: PROFILE,
    }
}

pub(crate) fn verify(
    card: EpochCard,
    holder: &Node,
    asker: &Node,
) -> Result<VerifiedEpochCard, ProtocolError> {
    let agreement = agreement(holder, asker);
    SignedEpochCard::sign(card, &holder.key)?.verify(&EpochCardCheck {
        holder: &holder.card,
        asker: &asker.card.id(),
        agreement: &agreement,
        profile: &PROFILE,
        now: NOW,
    })
}

#[test]
fn cards_are_exchanged() {
    let (a, b) = two();
    let session = session(&a, &b);
    let (card, _) = ask(
        &session,
        &CardRequest::new(),
        &[],
        |incoming| match incoming {
            Incoming::Card(asked) => asked.answer(&Card::new(&b.signed_card)),
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(card.unwrap().signed().unwrap(), *b.signed_card);

    let made = SignedEpochCard::sign(epoch_card(&b, &a), &b.key).unwrap();
    let answer = Epochs::new(&vec![made.clone(); 8]).unwrap();
    let (epochs, _) = ask(
        &session,
        &EpochsRequest::new(),
        &[],
        |incoming| match incoming {
            Incoming::Epochs(asked) => asked.answer(&answer),
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(epochs.unwrap().signed().unwrap(), vec![made; 8]);
}

#[test]
fn epoch_cards_are_refused_by_their_rule() {
    let (a, b) = two();
    let good = epoch_card(&b, &a);
    assert_eq!(verify(good.clone(), &b, &a).unwrap().card(), &good);
    let stranger = Node::new("gamma", 30);
    let cases: [(&str, EpochCard); 10] = [
        (
            "another asker",
            EpochCard {
                asker: stranger.card.id(),
                ..good.clone()
            },
        ),
        (
            "another holder",
            EpochCard {
                holder: stranger.card.id(),
                ..good.clone()
            },
        ),
        (
            "next epoch",
            EpochCard {
                epoch: good.epoch + 1,
                ..good.clone()
            },
        ),
        (
            "longer than its epoch",
            EpochCard {
                not_after: good.not_after + 1,
                ..good.clone()
            },
        ),
        (
            "before its epoch",
            EpochCard {
                not_before: good.not_before - 1,
                ..good.clone()
            },
        ),
        (
            "over",
            EpochCard {
                not_after: NOW,
                ..good.clone()
            },
        ),
        (
            "a count without padding",
            EpochCard {
                count: 1025,
                ..good.clone()
            },
        ),
        (
            "a class outside the agreement",
            EpochCard {
                class: Class::Contact,
                ..good.clone()
            },
        ),
        (
            "serial 0",
            EpochCard {
                serial: 0,
                ..good.clone()
            },
        ),
        (
            "another version",
            EpochCard {
                version: 2,
                ..good.clone()
            },
        ),
    ];
    for (rule, card) in cases {
        let error = verify(card, &b, &a).unwrap_err();
        assert!(matches!(error, ProtocolError::EpochCard { .. }), "{rule}");
        assert_eq!(error.code(), Code::Epoch, "{rule}");
    }
    let other = EpochCard {
        profile: [0; 32],
        ..good.clone()
    };
    assert!(matches!(
        verify(other, &b, &a),
        Err(ProtocolError::ProfileDiffers)
    ));
    // Signed by somebody else.
    let forged = SignedEpochCard::sign(good, &a.key).unwrap();
    let agreement = agreement(&b, &a);
    let check = EpochCardCheck {
        holder: &b.card,
        asker: &a.card.id(),
        agreement: &agreement,
        profile: &PROFILE,
        now: NOW,
    };
    assert!(matches!(
        forged.verify(&check),
        Err(ProtocolError::EpochCard { .. })
    ));
    assert_eq!(SignedEpochCard::decode(&forged.encode()).unwrap(), forged);
}

#[test]
fn an_epoch_card_replaces_an_older_one_of_the_same_key() {
    let (a, b) = two();
    let card = |change: &dyn Fn(&mut EpochCard)| {
        let mut card = epoch_card(&b, &a);
        change(&mut card);
        verify(card, &b, &a).unwrap()
    };
    let held = card(&|card| card.serial = 2);
    assert_eq!(
        card(&|card| card.serial = 3).replaces(&held).unwrap(),
        Replacement::Newer
    );
    assert_eq!(
        card(&|card| card.serial = 2).replaces(&held).unwrap(),
        Replacement::Same
    );
    let refused = [
        ("lower serial", card(&|_| ())),
        (
            "other contents",
            card(&|card| (card.serial, card.count) = (2, 2048)),
        ),
        (
            "other key",
            card(&|card| {
                card.serial = 3;
                card.public_key = sender(&a, &b).0.public_key().clone();
            }),
        ),
    ];
    for (rule, card) in refused {
        assert!(card.replaces(&held).is_err(), "{rule}");
    }
}

/// Commits to a batch in the asker's log and makes the evidence.
pub(crate) fn committed_batch(asker: &mut Node, holder: &Node) -> (Receiver, QueryEvidence) {
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let receiver = Receiver::blind(passport.keys(), [3; 32]).unwrap();
    let private = QueryPrivate {
        partner: holder.card.id(),
        class: Class::Document,
        epoch: NOW / 604_800,
        officer: "officer 4".into(),
        purpose: "investigation".into(),
        legal_basis: "article 1".into(),
        case: "case 12".into(),
        identifiers: Vec::new(),
        opening: Vec::new(),
    };
    let seen = asker.seen();
    let commitment = commit([4; 32], receiver.blinded(), &private).unwrap();
    let receipt = asker.append(commitment.leaf().leaf_hash());
    let proof = |log: &dyn Fn() -> Vec<_>| log();
    let size = receipt.tree_size;
    let evidence = QueryEvidence {
        salt: [4; 32],
        private_digest: *commitment.private_digest(),
        leaf_index: receipt.leaf_index,
        inclusion: proof(&|| inclusion_proof(&asker.log, receipt.leaf_index, size).unwrap()),
        checkpoint: asker.checkpoint(),
        consistency: proof(&|| consistency_proof(&asker.log, seen.size, size).unwrap()),
    };
    assert!(asker.log.hash(0, receipt.leaf_index).is_ok());
    (receiver, evidence)
}

/// The holder's side of a query, in the order that the types demand.
fn answer_query(incoming: Incoming, holder: &mut Node, asker: &Node) -> Reply {
    let Incoming::Evaluate(asked) = incoming else {
        panic!("{incoming:?}")
    };
    let request = asked.request();
    let blinded = match request.blinded() {
        Ok(blinded) => blinded,
        Err(error) => return asked.fail(&error),
    };
    // What the holder saw of the asker's log at hello: its first leaf.
    let seen = Node::new("alpha", 10).seen();
    let verifier = asker.signer.verifier();
    let committed = match verify_query(request.evidence(), &blinded, &verifier, Some(&seen)) {
        Ok(committed) => committed,
        Err(error) => return asked.refuse((&error).into()),
    };
    let receipt = holder.append(leaf_hash("the spend and the evaluation"));
    let (sender, _) = sender(holder, asker);
    let evaluated = sender.blind_evaluate(&blinded, [6; 32]).unwrap();
    let answer = Evaluation::new(request, &blinded, &committed, receipt, &evaluated).unwrap();
    asked.answer(&answer)
}

#[test]
fn a_query_finds_what_both_hold() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let (answer, _) = ask(&session, &request, &[], |incoming| {
        answer_query(incoming, &mut b, &a)
    });
    let evaluated = answer.unwrap().evaluated().unwrap();

    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let held = sender(&b, &a)
        .0
        .evaluate(&passport.keys()[0])
        .unwrap()
        .tag();
    let hits = receiver
        .finalize(&evaluated, &card.card().public_key, &[held][..])
        .unwrap();
    assert_eq!((hits.len(), hits[0].index), (1, 0));
}

#[test]
fn a_query_without_its_commitment_is_refused() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let false_salt = QueryEvidence {
        salt: [0; 32],
        ..evidence.clone()
    };
    let other_log = QueryEvidence {
        checkpoint: b.checkpoint(),
        ..evidence.clone()
    };
    let no_consistency = QueryEvidence {
        consistency: Vec::new(),
        ..evidence
    };
    for (evidence, code) in [
        (false_salt, Code::Commitment),
        (other_log, Code::Commitment),
        (no_consistency, Code::Log),
    ] {
        let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
        let (answer, _) = ask(&session, &request, &[], |incoming| {
            answer_query(incoming, &mut b, &a)
        });
        assert_refused(answer, code);
    }
}

#[test]
fn evidence_of_another_batch_cannot_answer() {
    let (mut a, b) = two();
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let verifier = a.signer.verifier();
    let committed = verify_query(&evidence, receiver.blinded(), &verifier, None).unwrap();
    let other = Canonical::parse(Kind::Passport, "X99887766").unwrap();
    let other = Receiver::blind(other.keys(), [8; 32]).unwrap();
    let request = Evaluate::new(&card, other.blinded(), evidence).unwrap();
    let evaluated = sender(&b, &a)
        .0
        .blind_evaluate(other.blinded(), [6; 32])
        .unwrap();
    let receipt = a.append(leaf_hash("entry"));
    let answer = Evaluation::new(&request, other.blinded(), &committed, receipt, &evaluated);
    assert!(matches!(answer, Err(ProtocolError::Misuse { .. })));
}

#[test]
fn elements_that_are_no_elements_are_refused_with_their_code() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let first = receiver.blinded()[0].as_bytes();
    for (rule, element) in [("identity", [0; 32]), ("not canonical", [0xff; 32])] {
        let mut exchange = Exchange::begin(&session.0, &request, 0).unwrap();
        let mut bytes = written(|| exchange.poll_transmit());
        let place = bytes
            .windows(32)
            .position(|window| window == first)
            .unwrap();
        bytes[place..place + 32].copy_from_slice(&element);
        let answer = answer_raw(&session.1, &bytes, |incoming| {
            answer_query(incoming, &mut b, &a)
        });
        exchange.handle_bytes(&answer, 1);
        exchange.handle_end(1);
        let outcome = exchange.poll_outcome().unwrap();
        assert!(
            matches!(
                outcome,
                Err(ProtocolError::PeerRefused {
                    code: Code::Element,
                    ..
                })
            ),
            "{rule}"
        );
    }
    assert!(matches!(
        Evaluate::new(&card, &receiver.blinded()[..7], request.evidence().clone()),
        Err(ProtocolError::ElementCount)
    ));
}

/// Gives `bytes` to a server at once and returns all it writes.
fn answer_raw(
    session: &Established,
    bytes: &[u8],
    answer: impl FnMut(Incoming) -> Reply,
) -> Vec<u8> {
    let mut server = Answering::new(session, answer);
    server.bytes(bytes, 0);
    server.end(0);
    written(|| server.transmit())
}

fn assert_refused<T: std::fmt::Debug>(answer: Result<T, ProtocolError>, expect: Code) {
    match answer {
        Err(ProtocolError::PeerRefused { code, .. }) => assert_eq!(code, expect),
        other => panic!("not refused: {other:?}"),
    }
}

fn terms() -> Terms {
    Terms {
        created: NOW,
        expires: NOW + 3600,
        in_reply_to: None,
    }
}

fn confirm(from: &Node, to: &Node) -> Sealed {
    let confirm = ConfirmRequest {
        class: Class::Document,
        epoch: NOW / 604_800,
        serial: 1,
        tag: Tag::from_bytes([1; 16]),
        confirm: ConfirmCode::from_bytes([2; 32]),
        purpose: "investigation".into(),
        case_hash: [3; 32],
    };
    let author = Author {
        node: from.card.id(),
        key: &from.key,
    };
    seal_confirm(
        confirm,
        &Recipient::new(&to.card, NOW).unwrap(),
        &author,
        &terms(),
        [1; 32],
    )
    .unwrap()
}

#[test]
fn an_envelope_is_delivered_and_answered() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let sealed = confirm(&a, &b);
    let (id, receipt) = (sealed.id(), a.append(leaf_hash("confirm sent")));
    let disclose = Disclose::new(sealed, receipt).unwrap();
    let (answer, _) = ask(&session, &disclose, &[], |incoming| {
        let Incoming::Deliver(asked) = incoming else {
            panic!("{incoming:?}")
        };
        let senders = |node: &_| (*node == a.card.id()).then(|| a.key.public().clone());
        let envelope = asked.request().envelope();
        open(
            envelope,
            std::slice::from_ref(&b.envelope),
            &senders,
            &b.card.id(),
            NOW,
        )
        .unwrap();
        let refusal = RefusalStatement {
            code: RefusalCode::Neutral,
            in_reply_to: id,
        };
        let author = Author {
            node: b.card.id(),
            key: &b.key,
        };
        let to = Recipient::new(&a.card, NOW).unwrap();
        let sealed = seal_refusal(refusal, &to, &author, &terms(), [2; 32]).unwrap();
        let receipt = b.append(leaf_hash("refused"));
        let answer = Disclose::new(sealed, receipt).unwrap();
        asked.answer(&Acknowledge::with(answer, &session.1).unwrap())
    });
    assert!(answer.unwrap().envelope().is_some());

    // The same envelope again, as after a restart: acknowledged, applied once.
    let again = disclose.as_bytes().to_vec();
    let again = Disclose::restore_from_own_store(again, b.card.id(), receipt).unwrap();
    let (answer, _) = ask(&session, &again, &[], |incoming| match incoming {
        Incoming::Deliver(asked) => asked.answer(&Acknowledge::taken()),
        other => panic!("{other:?}"),
    });
    assert_eq!(answer.unwrap().envelope(), None);
}

#[test]
fn an_envelope_for_somebody_else_is_not_sent() {
    let (mut a, b) = two();
    let stranger = Node::new("gamma", 30);
    let (session, _) = session(&a, &b);
    let sealed = confirm(&a, &stranger);
    let disclose = Disclose::new(sealed, a.append(leaf_hash("confirm sent"))).unwrap();
    let exchange = Exchange::begin(&session, &disclose, 0);
    assert!(matches!(exchange, Err(ProtocolError::Misuse { .. })));
    assert!(Acknowledge::with(disclose, &session).is_err());
}

#[test]
fn existence_cannot_be_told_from_a_refusal() {
    let (a, b) = two();
    let session = session(&a, &b);
    let mut exchange = Exchange::begin(&session.0, &CardRequest::new(), 0).unwrap();
    let bytes = written(|| exchange.poll_transmit());
    let answers: Vec<_> = [Refusal::NotForYou, Refusal::Unknown, Refusal::Expired]
        .into_iter()
        .map(|refusal| {
            answer_raw(&session.1, &bytes, |incoming| match incoming {
                Incoming::Card(asked) => asked.refuse(refusal),
                other => panic!("{other:?}"),
            })
        })
        .collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn other_profiles_do_not_match() {
    let (mut a, b) = two();
    let mut client = context(&a, &b);
    client.local.profile = [0; 32];
    let (client, server) = session_with(client, context(&b, &a));
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let exchange = Exchange::begin(&client, &request, 0);
    assert!(matches!(exchange, Err(ProtocolError::ProfileDiffers)));
    // A client that asks all the same.
    let bytes = symbolon_protocol::encode(&request);
    let mut serve = Serve::new(&server, 0);
    serve.handle_bytes(&bytes, 0);
    serve.handle_end(0);
    let outcome = serve.poll_outcome().unwrap();
    assert_eq!(outcome.unwrap_err().code(), Code::Profile);
}

#[test]
fn hostile_requests_get_their_code() {
    let (a, b) = two();
    let (_, session) = session(&a, &b);
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let deep = [&[0x82, 11][..], &[0x81; 40], &[0]].concat();
    let huge_card_request = [&[0, 0x0f, 0, 0][..], &[0x82, CardRequest::TYPE]].concat();
    let twice = [frame(&[0x82, 5, 0x80]), frame(&[0x82, 5, 0x80])].concat();
    let cases: [(&str, Vec<u8>, Code); 10] = [
        (
            "a frame over the limit",
            (FRAME_BYTES_MAX as u32 + 1).to_be_bytes().to_vec(),
            Code::TooLarge,
        ),
        (
            "a small request in a large frame",
            huge_card_request,
            Code::TooLarge,
        ),
        ("an empty frame", frame(&[]), Code::Malformed),
        ("deep CBOR", frame(&deep), Code::Malformed),
        (
            "a trailing byte",
            frame(&[0x82, 5, 0x80, 0]),
            Code::Malformed,
        ),
        (
            "an unknown type",
            frame(&[0x82, 23, 0x80]),
            Code::Unexpected,
        ),
        (
            "a hello after hello",
            frame(&[0x82, 1, 0x80]),
            Code::Unexpected,
        ),
        (
            "an answer as a request",
            frame(&[0x82, 12, 0x80]),
            Code::Unexpected,
        ),
        ("two requests", twice, Code::Unexpected),
        ("nothing", Vec::new(), Code::Malformed),
    ];
    for (rule, bytes, expect) in cases {
        let mut serve = Serve::new(&session, 0);
        serve.handle_bytes(&bytes, 0);
        serve.handle_end(0);
        assert_eq!(
            serve.poll_outcome().unwrap().unwrap_err().code(),
            expect,
            "{rule}"
        );
        assert!(
            matches!(serve.poll_transmit(), Some(Transmit::Bytes(_))),
            "{rule}"
        );
        assert_eq!(serve.poll_transmit(), Some(Transmit::Finish), "{rule}");
    }
}

#[test]
fn an_answer_of_another_kind_is_refused() {
    let (a, b) = two();
    let (session, _) = session(&a, &b);
    let mut exchange = Exchange::begin(&session, &CardRequest::new(), 0).unwrap();
    exchange.handle_bytes(&symbolon_protocol::encode(&Epochs::new(&[]).unwrap()), 0);
    let outcome = exchange.poll_outcome().unwrap();
    assert!(matches!(
        outcome,
        Err(ProtocolError::Unexpected { expected: "card" })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_schedule_ends_in_the_answer_or_an_error(faults in faults()) {
        let (mut a, mut b) = two();
        let session = session(&a, &b);
        let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
        let (receiver, evidence) = committed_batch(&mut a, &b);
        let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
        let (answer, time_ms) =
            ask(&session, &request, &faults, |incoming| answer_query(incoming, &mut b, &a));
        prop_assert!(time_ms <= 2 * REQUEST_DEADLINE_MS + 80_001);
        let whole = faults.iter().all(|fault| matches!(fault, Fault::None | Fault::Split(_)));
        prop_assert!(!whole || answer.is_ok());
        // What comes through damaged is found by the proof at the latest.
        if let Ok(answer) = answer
            && let Ok(evaluated) = answer.evaluated()
        {
            let tags: [Tag; 0] = [];
            let finalized = receiver.finalize(&evaluated, &card.card().public_key, &tags[..]);
            let corrupt = faults.iter().any(|fault| matches!(fault, Fault::Corrupt(_)));
            prop_assert!(corrupt || finalized.is_ok());
        }
    }
}
