//! Many envelopes in one request, all of them for one node, and one answer to all.

use symbolon_disclosure::{
    AckItem, Acknowledgement, Author, Recipient, Sealed, Stage, Terms, open, reseal,
    seal_acknowledgement,
};
use symbolon_protocol::limits::{PUSH_BYTES_MAX, PUSH_ENVELOPES_MAX};
use symbolon_protocol::{
    Code, Disclose, Exchange, Incoming, ProtocolError, Push, PushAnswer, Pushed, Pushing, Refusal,
    Serve, decode, encode,
};
use symbolon_tlog::leaf_hash;
use symbolon_trust::Mode;

use super::exchange::{ask, two};
use super::world::{NOW, Node, session};

fn acknowledgement(from: &Node, to: &Node, number: u8) -> Sealed {
    let (statement_hash, stage) = ([number; 32], Stage::Delivered);
    let item = AckItem { statement_hash, stage, at: NOW, log_index: 1 };
    let said = Acknowledgement { items: vec![item], checkpoint: from.checkpoint() };
    let to = Recipient::new(&to.card, NOW, Mode::Live).unwrap();
    let author = Author { node: from.card.id(), key: &from.key };
    let terms = Terms { created: NOW, expires: NOW + 3600, in_reply_to: None };
    seal_acknowledgement(said, &to, &author, &terms, [number; 32]).unwrap()
}

fn envelopes(from: &mut Node, to: &Node, count: u8) -> Vec<Disclose> {
    let make = |number| {
        let sealed = acknowledgement(from, to, number);
        let receipt = from.append(leaf_hash([number; 32]));
        Disclose::new(sealed, receipt).unwrap()
    };
    (0..count).map(make).collect()
}

#[test]
fn envelopes_are_pushed_in_their_order_and_answered_together() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let sealed: Vec<_> = (0..3).map(|number| acknowledgement(&a, &b, number)).collect();
    let mut hashes: Vec<_> = sealed.iter().map(Sealed::statement_hash).collect();
    let receipt = a.append(leaf_hash("sent"));
    let mut outgoing: Vec<_> =
        sealed.into_iter().map(|sealed| Disclose::new(sealed, receipt).unwrap()).collect();
    // One that waited in the store goes out in a fresh envelope.
    let again = acknowledgement(&a, &b, 2);
    hashes[2] = again.statement_hash();
    let (author, to) = (
        Author { node: a.card.id(), key: &a.key },
        Recipient::new(&b.card, NOW, Mode::Live).unwrap(),
    );
    let resealed = reseal(again.signed(), &to, &author, [99; 32]).unwrap();
    outgoing[2] = Disclose::resealed(resealed, receipt).unwrap();
    let push = Push::new(outgoing).unwrap();
    assert_eq!((push.count(), push.to()), (3, b.card.id()));
    let (answer, _) = ask(&session, &push, &[], |incoming| {
        let Incoming::Push(asked) = incoming else { panic!("{incoming:?}") };
        let senders = |node: &_| (*node == a.card.id()).then(|| a.key.public().clone());
        let secrets = std::slice::from_ref(&b.envelope);
        let opened = asked.request().envelopes().map(|envelope| {
            open(envelope, secrets, &senders, &b.card.id(), NOW).unwrap().statement_hash()
        });
        assert_eq!(opened.collect::<Vec<_>>(), hashes);
        let sealed = acknowledgement(&b, &a, 9);
        let said = Disclose::new(sealed, b.append(leaf_hash("received"))).unwrap();
        asked.answer(&PushAnswer::new(Some(said), [4, 1], &session.1).unwrap())
    });
    let answer = answer.unwrap();
    assert!(answer.envelope().is_some());
    assert_eq!((answer.next(Mode::Live), answer.next(Mode::Exercise)), (4, 1));
}

#[test]
fn a_refusal_is_one_code() {
    let (mut a, b) = two();
    let session = session(&a, &b);
    let push = Push::new(envelopes(&mut a, &b, 1)).unwrap();
    let (answer, _) = ask(&session, &push, &[], |incoming| match incoming {
        Incoming::Push(asked) => asked.refuse(Refusal::Busy { retry_seconds: 7 }),
        other => panic!("{other:?}"),
    });
    let refused = ProtocolError::PeerRefused { code: Code::Busy, detail: Some(7) };
    assert_eq!(answer.unwrap_err().to_string(), refused.to_string());
}

#[test]
fn a_push_goes_to_one_node_and_fits_a_frame() {
    let (mut a, b) = two();
    let stranger = Node::new("gamma", 30);
    let (client, server) = session(&a, &b);
    assert!(matches!(Push::new(Vec::new()), Err(ProtocolError::Misuse { .. })));
    let mut mixed = envelopes(&mut a, &b, 1);
    mixed.extend(envelopes(&mut a, &stranger, 1));
    assert!(matches!(Push::new(mixed), Err(ProtocolError::Misuse { .. })));
    let others = Push::new(envelopes(&mut a, &stranger, 2)).unwrap();
    let begun = Exchange::begin(&client, &others, 0);
    assert!(matches!(begun, Err(ProtocolError::Misuse { .. })));
    let answer = envelopes(&mut a, &stranger, 1).pop();
    assert!(PushAnswer::new(answer, [1, 1], &server).is_err());
    for next in [[0, 1], [1, 0]] {
        let answer = PushAnswer::new(None, next, &server);
        assert!(matches!(answer, Err(ProtocolError::Field { field: "next" })));
    }
    let receipt = a.append(leaf_hash("sent"));
    let of = |count: usize, bytes: usize| {
        let envelope =
            |_| Disclose::restore_from_own_store(vec![7; bytes], b.card.id(), receipt).unwrap();
        Push::new((0..count).map(envelope).collect())
    };
    let too_long = |made: Result<Push, _>| {
        matches!(made, Err(ProtocolError::FieldTooLong { field: "envelopes" }))
    };
    assert!(too_long(of(PUSH_ENVELOPES_MAX + 1, 10)));
    assert!(too_long(of(PUSH_ENVELOPES_MAX, PUSH_BYTES_MAX / PUSH_ENVELOPES_MAX + 1)));
    let full = of(PUSH_ENVELOPES_MAX, PUSH_BYTES_MAX / PUSH_ENVELOPES_MAX).unwrap();
    let decoded: Pushing = decode(&encode(&full)[4..]).unwrap();
    assert_eq!(decoded.envelopes().len(), PUSH_ENVELOPES_MAX);
}

/// As a hostile partner would write them.
#[test]
fn pushes_of_nothing_or_of_too_much_are_refused() {
    let (a, b) = two();
    let (_, server) = session(&a, &b);
    let pushing = |envelopes: &[usize]| {
        let envelopes: Vec<_> =
            envelopes.iter().map(|bytes| serde_bytes::ByteBuf::from(vec![1; *bytes])).collect();
        symbolon_codec::encode(&(24_u8, [envelopes]))
    };
    assert!(decode::<Pushing>(&pushing(&[1, 5])).is_ok());
    for bad in [&[][..], &[5, 0], &[1; PUSH_ENVELOPES_MAX + 1], &[PUSH_BYTES_MAX, 1]] {
        assert!(decode::<Pushing>(&pushing(bad)).is_err(), "{}", bad.len());
    }
    let pushed = |next: [u64; 2]| symbolon_codec::encode(&(25_u8, (None::<u8>, next)));
    assert!(decode::<Pushed>(&pushed([1, 2])).is_ok());
    assert!(decode::<Pushed>(&pushed([1, 0])).is_err());
    // The answer to a push is no request.
    let mut serve = Serve::new(&server, 0);
    let body = pushed([1, 1]);
    serve.handle_bytes(&[&(body.len() as u32).to_be_bytes()[..], &body].concat(), 0);
    let outcome = serve.poll_outcome().unwrap();
    assert!(matches!(outcome, Err(ProtocolError::Unexpected { .. })));
}
