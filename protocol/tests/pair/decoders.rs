//! Every decoder under random bytes and under valid messages with a few bytes changed.

use proptest::prelude::*;
use symbolon_protocol::limits::{FRAME_BYTES_MAX, HELLO_FRAME_BYTES_MAX};
use symbolon_protocol::{
    Accept, AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Card,
    CardRequest, ClientFinish, ClientHello, Code, Collect, Collected, Cosign, Cosigned, Delivered,
    Delivery, Epochs, EpochsRequest, Evaluate, Evaluated, Exchange, Failure, FrameReader,
    Handshake, Leaving, Left, Message, Prove, Proved, Pushed, Pushing, Serve, SignedEpochCard,
    TagSetHeader, TagSetProgress, TagSetRequest, decode, encode,
};
use symbolon_protocol::{ProtocolError, Refusal, ServerHello};

use super::epoch_card::{epoch_card, verify};
use super::exchange::two;
use super::query::committed_batch;
use super::world::{NOW, context, session, written};

/// Whatever is accepted is what its own encoding gives.
fn try_all(body: &[u8]) {
    fn one<M: Message>(body: &[u8]) {
        if let Ok(message) = decode::<M>(body) {
            assert_eq!(symbolon_codec::encode(&(M::TYPE, &message)), body);
        }
    }
    one::<Failure>(body);
    one::<ClientHello>(body);
    one::<ServerHello>(body);
    one::<ClientFinish>(body);
    one::<Accept>(body);
    one::<CardRequest>(body);
    one::<Card>(body);
    one::<EpochsRequest>(body);
    one::<Epochs>(body);
    one::<TagSetRequest>(body);
    one::<TagSetHeader>(body);
    one::<Evaluate>(body);
    one::<Evaluated>(body);
    one::<Delivery>(body);
    one::<Delivered>(body);
    one::<Cosign>(body);
    one::<Cosigned>(body);
    one::<AccountRequest>(body);
    one::<BulkBegin>(body);
    one::<BulkWait>(body);
    one::<BulkState>(body);
    one::<BulkCarry>(body);
    one::<BulkCarried>(body);
    one::<Pushing>(body);
    one::<Pushed>(body);
    one::<Leaving>(body);
    one::<Left>(body);
    one::<Collect>(body);
    one::<Collected>(body);
    one::<Prove>(body);
    one::<Proved>(body);
    let _ = SignedEpochCard::decode(body);
    let _ = TagSetProgress::decode(body);
}

/// One valid body of each message that needs keys or logs to make.
fn samples() -> Vec<Vec<u8>> {
    let (mut a, b) = two();
    let mut client = Handshake::client(context(&a, &b), [1; 32], NOW, 0);
    let mut server = Handshake::server(context(&b, &a), [2; 32], NOW, 0);
    let client_hello = written(|| client.poll_transmit());
    server.handle_bytes(&client_hello, 0);
    let server_hello = written(|| server.poll_transmit());
    client.handle_bytes(&server_hello, 0);
    let client_finish = written(|| client.poll_transmit());
    server.handle_bytes(&client_finish, 0);
    let accept = written(|| server.poll_transmit());

    let made = SignedEpochCard::sign(epoch_card(&b, &a), &b.key).unwrap();
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let error = ProtocolError::Refused(Refusal::BudgetExhausted { remaining: 3 });
    let frames = [
        client_hello,
        server_hello,
        client_finish,
        accept,
        encode(&Card::new(&b.signed_card)),
        encode(&Epochs::new(&[made]).unwrap()),
        encode(&Evaluate::new(&card, receiver.blinded(), evidence).unwrap()),
        encode(&Failure::new(&error)),
        encode(&TagSetHeader { count: 1024, from_chunk: 0 }),
    ];
    frames.into_iter().map(|frame| frame[4..].to_vec()).collect()
}

#[test]
fn samples_decode() {
    for body in samples() {
        try_all(&body);
    }
}

#[test]
fn every_truncation_is_refused() {
    let (a, b) = two();
    let mut client = Handshake::client(context(&a, &b), [1; 32], NOW, 0);
    let frame = written(|| client.poll_transmit());
    for length in 4..frame.len() {
        assert!(decode::<ClientHello>(&frame[4..length]).is_err());
    }
    assert!(decode::<ClientHello>(&[&frame[4..], &[0]].concat()).is_err());
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(
        start in prop_oneof![
            Just(Vec::new()),
            (0_u8..24).prop_map(|number| vec![0x82, number]),
            (24_u8..32).prop_map(|number| vec![0x82, 0x18, number]),
        ],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        try_all(&[start, bytes].concat());
    }

    #[test]
    fn machines_take_any_bytes(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 1_usize..50,
    ) {
        let (a, b) = two();
        let mut handshake = Handshake::server(context(&b, &a), [2; 32], NOW, 0);
        let mut reader = FrameReader::new(HELLO_FRAME_BYTES_MAX);
        for piece in bytes.chunks(cut) {
            handshake.handle_bytes(piece, 0);
            reader.push(piece).unwrap();
            while let Ok(Some(_)) = reader.frame() {}
        }
        handshake.handle_end(0);
        prop_assert!(matches!(handshake.poll_outcome(), Some(Err(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn mutations_do_no_harm(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        cut in any::<usize>(),
    ) {
        let (a, b) = two();
        let (client, server) = session(&a, &b);
        for body in samples() {
            let mut mutated = body.clone();
            for (place, byte) in &changes {
                let place = place % mutated.len();
                mutated[place] = *byte;
            }
            try_all(&mutated);
            mutated.truncate(cut % (mutated.len() + 1));
            try_all(&mutated);

            let frame = [&(mutated.len() as u32).to_be_bytes()[..], &mutated].concat();
            let mut serve = Serve::new(&server, 0);
            serve.handle_bytes(&frame, 0);
            serve.handle_end(0);
            prop_assert!(serve.poll_outcome().is_some());
            let mut exchange = Exchange::begin(&client, &CardRequest::new(), 0).unwrap();
            exchange.handle_bytes(&frame, 0);
            exchange.handle_end(0);
            prop_assert!(exchange.poll_outcome().is_some());
        }
    }
}

#[test]
fn a_full_frame_is_the_largest() {
    let body = vec![0; FRAME_BYTES_MAX + 1];
    let error = decode::<Delivery>(&[&[0x82, Delivery::TYPE][..], &body].concat()).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
}
