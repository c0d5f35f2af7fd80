//! Requests and answers over whole sessions, and every way in which a request is refused.

use std::collections::VecDeque;

use symbolon_protocol::limits::FRAME_BYTES_MAX;
use symbolon_protocol::{
    Card, CardRequest, Code, Epochs, EpochsRequest, Established, Exchange, Incoming, Message,
    ProtocolError, Refusal, Reply, Request, Serve, SignedEpochCard, Transmit,
};

use super::epoch_card::epoch_card;
use super::link::{End, Fault, run};
use super::world::{Node, session, written};

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
        Self { serve, answer, outbox: VecDeque::new(), outcome: None }
    }

    fn answer(&mut self) {
        match self.serve.poll_outcome() {
            None => (),
            Some(Err(error)) => self.outcome = Some(Err(error)),
            Some(Ok(incoming)) => {
                self.outbox.push_back(Transmit::Bytes((self.answer)(incoming).into_bytes()));
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
        self.serve.poll_transmit().or_else(|| self.outbox.pop_front())
    }
}

pub(crate) fn ask<R: Request>(
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

#[test]
fn cards_are_exchanged() {
    let (a, b) = two();
    let session = session(&a, &b);
    let (card, _) = ask(&session, &CardRequest::new(), &[], |incoming| match incoming {
        Incoming::Card(asked) => asked.answer(&Card::new(&b.signed_card)),
        other => panic!("{other:?}"),
    });
    assert_eq!(card.unwrap().signed().unwrap(), *b.signed_card);

    let made = SignedEpochCard::sign(epoch_card(&b, &a), &b.key).unwrap();
    let answer = Epochs::new(&vec![made.clone(); 8]).unwrap();
    let (epochs, _) = ask(&session, &EpochsRequest::new(), &[], |incoming| match incoming {
        Incoming::Epochs(asked) => asked.answer(&answer),
        other => panic!("{other:?}"),
    });
    assert_eq!(epochs.unwrap().signed().unwrap(), vec![made; 8]);
}

/// Gives `bytes` to a server at once and returns all it writes.
pub(crate) fn answer_raw(
    session: &Established,
    bytes: &[u8],
    answer: impl FnMut(Incoming) -> Reply,
) -> Vec<u8> {
    let mut server = Answering::new(session, answer);
    server.bytes(bytes, 0);
    server.end(0);
    written(|| server.transmit())
}

pub(crate) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, ProtocolError>, expect: Code) {
    match answer {
        Err(ProtocolError::PeerRefused { code, .. }) => assert_eq!(code, expect),
        other => panic!("not refused: {other:?}"),
    }
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
fn hostile_requests_get_their_code() {
    let (a, b) = two();
    let (_, session) = session(&a, &b);
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let deep = [&[0x82, 11][..], &[0x81; 40], &[0]].concat();
    let huge_card_request = [&[0, 0x0f, 0, 0][..], &[0x82, CardRequest::TYPE, 0x80]].concat();
    let twice = [frame(&[0x82, 5, 0x80]), frame(&[0x82, 5, 0x80])].concat();
    let cases: [(&str, Vec<u8>, Code); 10] = [
        (
            "a frame over the limit",
            (FRAME_BYTES_MAX as u32 + 1).to_be_bytes().to_vec(),
            Code::TooLarge,
        ),
        ("a small request in a large frame", huge_card_request, Code::TooLarge),
        ("an empty frame", frame(&[]), Code::Malformed),
        ("deep CBOR", frame(&deep), Code::Malformed),
        ("a trailing byte", frame(&[0x82, 5, 0x80, 0]), Code::Malformed),
        ("an unknown type", frame(&[0x82, 23, 0x80]), Code::Unexpected),
        ("a hello after hello", frame(&[0x82, 1, 0x80]), Code::Unexpected),
        ("an answer as a request", frame(&[0x82, 12, 0x80]), Code::Unexpected),
        ("two requests", twice, Code::Unexpected),
        ("nothing", Vec::new(), Code::Malformed),
    ];
    for (rule, bytes, expect) in cases {
        let mut serve = Serve::new(&session, 0);
        serve.handle_bytes(&bytes, 0);
        serve.handle_end(0);
        assert_eq!(serve.poll_outcome().unwrap().unwrap_err().code(), expect, "{rule}");
        assert!(matches!(serve.poll_transmit(), Some(Transmit::Bytes(_))), "{rule}");
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
    assert!(matches!(outcome, Err(ProtocolError::Unexpected { expected: "card" })));
}
