//! Envelopes left at a relay for a third node, and collected there.

use serde_bytes::ByteBuf;
use symbolon_protocol::limits::{COLLECTED_ENVELOPES_MAX, PUSH_BYTES_MAX, PUSH_ENVELOPES_MAX};
use symbolon_protocol::{
    Collect, Collected, Disclose, Incoming, Leave, Leaving, Left, ProtocolError, Refusal, Serve,
    decode, encode,
};
use symbolon_tlog::leaf_hash;
use symbolon_trust::NodeId;

use super::exchange::{ask, two};
use super::world::{Node, session};

/// Bytes stand for envelopes: a relay opens none.
fn envelopes(from: &mut Node, to: NodeId, sizes: &[usize]) -> Vec<Disclose> {
    let receipt = from.append(leaf_hash("sent"));
    let make =
        |bytes: &usize| Disclose::restore_from_own_store(vec![7; *bytes], to, receipt).unwrap();
    sizes.iter().map(make).collect()
}

#[test]
fn envelopes_for_a_third_node_are_left_in_their_order() {
    let (mut a, b) = two();
    let session = session(&a, &b);
    let third = NodeId::from_bytes([9; 32]);
    let leave = Leave::new(envelopes(&mut a, third, &[3, 1, 2])).unwrap();
    assert_eq!((leave.count(), leave.to()), (3, third));
    let (answer, _) = ask(&session, &leave, &[], |incoming| {
        let Incoming::Leave(asked) = incoming else { panic!("{incoming:?}") };
        let sizes: Vec<_> = asked.request().envelopes().map(<[u8]>::len).collect();
        assert_eq!(sizes, [3, 1, 2]);
        asked.answer(&Left { taken: 2 })
    });
    assert_eq!(answer.unwrap().taken, 2);
    assert!(matches!(Leave::new(Vec::new()), Err(ProtocolError::Misuse { .. })));
    let mut mixed = envelopes(&mut a, third, &[1]);
    mixed.extend(envelopes(&mut a, b.card.id(), &[1]));
    assert!(matches!(Leave::new(mixed), Err(ProtocolError::Misuse { .. })));
    let many = envelopes(&mut a, third, &[1; PUSH_ENVELOPES_MAX + 1]);
    assert!(matches!(Leave::new(many), Err(ProtocolError::FieldTooLong { .. })));
}

#[test]
fn what_lies_at_a_relay_is_collected_page_by_page() {
    let (a, b) = two();
    let session = session(&a, &b);
    let (answer, _) = ask(&session, &Collect { after: 4 }, &[], |incoming| {
        let Incoming::Collect(asked) = incoming else { panic!("{incoming:?}") };
        assert_eq!(asked.request().after, 4);
        asked.answer(&Collected::new(vec![(5, vec![1]), (8, vec![2, 2])], 3).unwrap())
    });
    let answer = answer.unwrap();
    assert_eq!((answer.envelopes().len(), answer.more(), answer.last(4).unwrap()), (2, 3, Some(8)));
    assert!(matches!(answer.last(5), Err(ProtocolError::Field { field: "position" })));
    let nothing = Collected::new(Vec::new(), 0).unwrap();
    assert_eq!(nothing.last(4).unwrap(), None);
    let (answer, _) = ask(&session, &Collect { after: 0 }, &[], |incoming| match incoming {
        Incoming::Collect(asked) => asked.refuse(Refusal::NotForYou),
        other => panic!("{other:?}"),
    });
    assert!(matches!(answer, Err(ProtocolError::PeerRefused { .. })));
}

#[test]
fn a_full_page_fits_a_frame() {
    let bytes = PUSH_BYTES_MAX / COLLECTED_ENVELOPES_MAX;
    let first = u64::MAX - COLLECTED_ENVELOPES_MAX as u64;
    let entries: Vec<_> =
        (first..).take(COLLECTED_ENVELOPES_MAX).map(|at| (at, vec![1; bytes])).collect();
    let full = Collected::new(entries, u64::MAX).unwrap();
    assert!(decode::<Collected>(&encode(&full)[4..]).is_ok());
    let (mut a, _) = two();
    let third = NodeId::from_bytes([9; 32]);
    let most = envelopes(&mut a, third, &[bytes; PUSH_ENVELOPES_MAX]);
    let leave = Leave::new(most).unwrap();
    assert_eq!(decode::<Leaving>(&encode(&leave)[4..]).unwrap().envelopes().len(), 64);
}

/// As a hostile relay, or a hostile partner of one, would write them.
#[test]
fn pages_out_of_order_empty_or_too_full_are_refused() {
    let page = |entries: &[(u64, usize)], more: u64| {
        let entries: Vec<_> =
            entries.iter().map(|(at, bytes)| (*at, ByteBuf::from(vec![1; *bytes]))).collect();
        symbolon_codec::encode(&(29_u8, (entries, more)))
    };
    assert!(decode::<Collected>(&page(&[(1, 1), (7, 2)], 0)).is_ok());
    let many: Vec<_> = (1..).take(COLLECTED_ENVELOPES_MAX + 1).map(|at| (at, 1)).collect();
    let bad: [(&[(u64, usize)], u64); 7] = [
        (&[(0, 1)], 0),
        (&[(2, 1), (2, 1)], 0),
        (&[(3, 1), (2, 1)], 0),
        (&[(1, 0)], 0),
        (&[], 1),
        (&many, 0),
        (&[(1, PUSH_BYTES_MAX), (2, 1)], 0),
    ];
    for (entries, more) in bad {
        assert!(decode::<Collected>(&page(entries, more)).is_err(), "{}", entries.len());
    }
    let leaving = |sizes: &[usize]| {
        let envelopes: Vec<_> = sizes.iter().map(|bytes| ByteBuf::from(vec![1; *bytes])).collect();
        symbolon_codec::encode(&(26_u8, [envelopes]))
    };
    assert!(decode::<Leaving>(&leaving(&[1, 5])).is_ok());
    for bad in [&[][..], &[5, 0], &[1; PUSH_ENVELOPES_MAX + 1], &[PUSH_BYTES_MAX, 1]] {
        assert!(decode::<Leaving>(&leaving(bad)).is_err(), "{}", bad.len());
    }
    // Answers are no requests.
    let (a, b) = two();
    let (_, server) = session(&a, &b);
    for body in [page(&[], 0), symbolon_codec::encode(&(27_u8, [3]))] {
        let mut serve = Serve::new(&server, 0);
        serve.handle_bytes(&[&(body.len() as u32).to_be_bytes()[..], &body].concat(), 0);
        let outcome = serve.poll_outcome().unwrap();
        assert!(matches!(outcome, Err(ProtocolError::Unexpected { .. })));
    }
}
