//! The messages of a whole match, over links with faults: each request is served at most once, and
//! its answer comes as it was or not at all.

use proptest::prelude::*;
use symbolon_audit::SetTerms;
use symbolon_ident::Class;
use symbolon_protocol::limits::{BULK_ITEMS_MAX, BULK_PIECE_BYTES_MAX, REQUEST_DEADLINE_MS};
use symbolon_protocol::{
    BulkBegin, BulkCarried, BulkCarry, BulkId, BulkState, BulkWait, Code, Incoming, Refusal,
    decode, encode,
};

use super::exchange::{ask, assert_refused, two};
use super::link::{Fault, faults};
use super::query::committed_batch;
use super::world::{NOW, session};

const TERMS: SetTerms = SetTerms {
    class: Class::Document,
    epoch: NOW / 604_800,
    nonce: [5; 32],
    receiver_count: 1_024,
    elements: 1_500,
};

fn carry(bytes: Vec<u8>) -> BulkCarry {
    BulkCarry { id: BulkId::of(&TERMS), partition: 3, attempt: 1, sent: 70_000, taken: 9, bytes }
}

/// Whether nothing but pieces of another size can come of these.
fn is_whole(faults: &[Fault]) -> bool {
    faults.iter().all(|fault| matches!(fault, Fault::None | Fault::Split(_)))
}

fn is_corrupt(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| matches!(fault, Fault::Corrupt(_)))
}

#[test]
fn a_match_begins_waits_and_carries() {
    let (mut a, b) = two();
    let session = session(&a, &b);
    let (_, evidence) = committed_batch(&mut a, &b);
    let begin = BulkBegin::new(&TERMS, 4_096, evidence);
    let state = BulkState::new(None, [7; 32]);
    let (answer, _) = ask(&session, &begin, &[], |incoming| {
        let Incoming::BulkBegin(asked) = incoming else { panic!("{incoming:?}") };
        assert_eq!((asked.request().terms(), asked.request().partition_items()), (TERMS, 4_096));
        asked.answer(&state)
    });
    assert_eq!(answer.unwrap(), state);
    let wait = BulkWait::new(BulkId::of(&TERMS));
    let gathered = BulkState::new(Some(1_024), [7; 32]);
    let (answer, _) = ask(&session, &wait, &[], |incoming| {
        let Incoming::BulkWait(asked) = incoming else { panic!("{incoming:?}") };
        asked.answer(&gathered)
    });
    assert_eq!(answer.unwrap(), gathered);
    let piece = carry(vec![1; BULK_PIECE_BYTES_MAX]);
    let (answer, _) = ask(&session, &piece, &[], |incoming| {
        let Incoming::BulkCarry(asked) = incoming else { panic!("{incoming:?}") };
        assert!(*asked.request() == piece);
        asked.answer(&BulkCarried::new(vec![2; BULK_PIECE_BYTES_MAX]).unwrap())
    });
    assert_eq!(answer.unwrap().bytes().len(), BULK_PIECE_BYTES_MAX);
    for (refusal, code) in
        [(Refusal::Unknown, Code::Nothing), (Refusal::ElementRefused, Code::Element)]
    {
        let (answer, _) = ask(&session, &piece, &[], |incoming| {
            let Incoming::BulkCarry(asked) = incoming else { panic!("{incoming:?}") };
            asked.refuse(refusal)
        });
        assert_refused(answer, code);
    }
}

#[test]
fn what_is_out_of_bounds_is_not_a_message() {
    let (mut a, b) = two();
    let (_, evidence) = committed_batch(&mut a, &b);
    for receiver_count in [0, BULK_ITEMS_MAX + 1] {
        let terms = SetTerms { receiver_count, ..TERMS };
        let begin = encode(&BulkBegin::new(&terms, 4_096, evidence.clone()));
        assert!(decode::<BulkBegin>(&begin[4..]).is_err(), "{receiver_count}");
    }
    for count in [0, BULK_ITEMS_MAX + 1] {
        let state = encode(&BulkState::new(Some(count), [7; 32]));
        assert!(decode::<BulkState>(&state[4..]).is_err(), "{count}");
    }
    let piece = encode(&carry(vec![1; BULK_PIECE_BYTES_MAX + 1]));
    assert!(decode::<BulkCarry>(&piece[4..]).is_err());
    assert!(BulkCarried::new(vec![1; BULK_PIECE_BYTES_MAX + 1]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_schedule_begins_a_match_once_or_ends_in_an_error(faults in faults()) {
        let (mut a, b) = two();
        let session = session(&a, &b);
        let (_, evidence) = committed_batch(&mut a, &b);
        let begin = BulkBegin::new(&TERMS, 4_096, evidence);
        let (state, mut served) = (BulkState::new(None, [7; 32]), 0);
        let (answer, time_ms) = ask(&session, &begin, &faults, |incoming| {
            let Incoming::BulkBegin(asked) = incoming else { panic!("{incoming:?}") };
            served += 1;
            asked.answer(&state)
        });
        prop_assert!(served <= 1, "what is served is charged");
        prop_assert!(time_ms <= 2 * REQUEST_DEADLINE_MS + 80_001);
        prop_assert!(!is_whole(&faults) || answer.is_ok());
        if let Ok(answer) = answer {
            prop_assert!(served == 1 && (answer == state || is_corrupt(&faults)));
        }
    }

    #[test]
    fn any_schedule_carries_a_piece_whole_or_not_at_all(
        faults in faults(),
        there in proptest::collection::vec(any::<u8>(), 0..9_000),
        back in proptest::collection::vec(any::<u8>(), 0..9_000),
    ) {
        let (a, b) = two();
        let session = session(&a, &b);
        let (piece, mut served) = (carry(there), 0);
        let (answer, time_ms) = ask(&session, &piece, &faults, |incoming| {
            let Incoming::BulkCarry(asked) = incoming else { panic!("{incoming:?}") };
            assert!(*asked.request() == piece || is_corrupt(&faults));
            served += 1;
            asked.answer(&BulkCarried::new(back.clone()).unwrap())
        });
        prop_assert!(served <= 1);
        prop_assert!(time_ms <= 2 * REQUEST_DEADLINE_MS + 80_001);
        prop_assert!(!is_whole(&faults) || answer.is_ok());
        if let Ok(answer) = answer {
            prop_assert!(served == 1 && (answer.bytes() == back || is_corrupt(&faults)));
        }
    }
}
