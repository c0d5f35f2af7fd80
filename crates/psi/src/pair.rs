//! Both sides in one thread: exact results, and what a cheating side achieves.
//!
//! Tests spec/psi.md#security. Where many sessions are run, a dealer makes the correlation, which
//! has its own tests.

use std::collections::{BTreeSet, HashSet};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::field::{self, Block};
use crate::frame::{Kind, Message};
use crate::hash::{Hashes, Item};
use crate::okvs::Binned;
use crate::receiver::{self, Received};
use crate::sender;
use crate::vole::{ReceiverPart, SenderPart};
use crate::{Poll, PsiError, Receiver, Sender, Terms, padded_count};

fn rng(seed: u64) -> ChaCha20Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    ChaCha20Rng::from_seed(bytes)
}

fn blocks(count: usize, random: &mut ChaCha20Rng) -> Vec<Block> {
    let mut bytes = vec![0; count * 16];
    random.fill_bytes(&mut bytes);
    field::from_bytes(&bytes)
}

fn item(number: u64) -> Item {
    Item::derive(&number.to_le_bytes())
}

fn items(numbers: impl IntoIterator<Item = u64>) -> Vec<Item> {
    numbers.into_iter().map(item).collect()
}

fn terms(receiver: usize, sender: usize, session: u64) -> Terms {
    let mut name = [7; 32];
    name[..8].copy_from_slice(&session.to_le_bytes());
    Terms {
        session: name,
        receiver_count: padded_count(receiver as u64).unwrap(),
        sender_count: padded_count(sender as u64).unwrap(),
        intersection_max: u64::MAX,
    }
}

/// A correlation from a dealer.
fn dealt(length: usize, random: &mut ChaCha20Rng) -> (SenderPart, ReceiverPart) {
    let (masks, shares) = (blocks(length, random), blocks(length, random));
    let delta = blocks(1, random)[0];
    let mut receiver_shares = shares.clone();
    field::scale_add(&mut receiver_shares, &masks, delta);
    let sender = SenderPart { delta: Zeroizing::new(delta), shares: Zeroizing::new(shares) };
    let masks = Zeroizing::new(masks);
    (sender, ReceiverPart { masks, shares: Zeroizing::new(receiver_shares) })
}

/// A session with a dealer; `change` may alter the masked store on its way.
fn run_dealt(
    terms: Terms,
    left: Vec<Item>,
    right: Vec<Item>,
    change: impl FnOnce(Message) -> Message,
) -> Result<Received, PsiError> {
    let session = u64::from_le_bytes(terms.session[..8].try_into().unwrap());
    let mut random = rng(session ^ 0xdea1);
    let (sender_part, receiver_part) = dealt(terms.shape()?.columns(), &mut random);
    let (sender, begin) = sender::ExpectStore::dealt(terms, right, 1, sender_part)?;
    let receiver = receiver::ExpectBegin::start(terms, left, [2; 32], 1)?.handle(begin)?;
    let (receiver, store) = receiver.deal(receiver_part)?;
    let (sender, reveal) = sender.handle(change(store))?;
    let (_, outputs) = sender.answer()?;
    Ok(receiver.handle(reveal)?.handle(outputs)?.0)
}

/// A whole session; `change` may alter or lose each message, numbered from zero.
fn run_whole(
    terms: Terms,
    left: Vec<Item>,
    right: Vec<Item>,
    change: impl FnMut(usize, Message) -> Vec<Message>,
) -> Result<Vec<u32>, PsiError> {
    let (common, is_same) = run_altered(terms, left, right, change)?;
    assert!(is_same, "both sides hash the same transcript");
    Ok(common)
}

/// The same; also whether both sides have the same transcript.
fn run_altered(
    terms: Terms,
    left: Vec<Item>,
    right: Vec<Item>,
    mut change: impl FnMut(usize, Message) -> Vec<Message>,
) -> Result<(Vec<u32>, bool), PsiError> {
    let mut receiver = Receiver::start(terms, left, [3; 32], 1)?;
    let mut sender = Sender::start(terms, right, [4; 32], 1)?;
    let mut number = 0;
    let mut deliver = |message: Message| {
        // As over a wire: only bytes arrive.
        let messages = change(number, Message::decode(&message.encode()).unwrap());
        number += 1;
        messages
    };
    loop {
        let mut is_quiet = true;
        while let Poll::Send(message) = sender.poll()? {
            is_quiet = false;
            for message in deliver(message) {
                receiver.handle(message)?;
            }
        }
        loop {
            match receiver.poll()? {
                Poll::Send(message) => {
                    is_quiet = false;
                    for message in deliver(message) {
                        sender.handle(message)?;
                    }
                }
                Poll::Await => break,
                Poll::Finished(received) => {
                    let Poll::Finished(transcript) = sender.poll()? else {
                        return Err(PsiError::Unexpected);
                    };
                    let is_same = &transcript == received.transcript();
                    return Ok((received.intersect()?, is_same));
                }
            }
        }
        if is_quiet {
            // Both wait: what was lost does not come back.
            return Err(PsiError::PeerStopped);
        }
    }
}

fn expected(left: &[Item], right: &[Item]) -> Vec<u32> {
    let right: HashSet<&Item> = right.iter().collect();
    (0..).zip(left).filter(|(_, item)| right.contains(item)).map(|(index, _)| index).collect()
}

/// Lists by shape: empty, single, equal, disjoint, with repetitions, one large, and mixed ones.
fn shape(number: u64) -> (Vec<Item>, Vec<Item>) {
    let mut random = rng(number);
    let base = number << 32;
    let mut below = |bound: u64| random.next_u64() % bound;
    match number % 10 {
        0 => (vec![], items((0..below(50)).map(|n| base + n))),
        1 => (items((0..below(50)).map(|n| base + n)), vec![]),
        2 => (items([base]), items([base + below(2)])),
        3 => {
            let same = items((0..below(300)).map(|n| base + n));
            (same.clone(), same.into_iter().rev().collect())
        }
        4 => (items((0..200).map(|n| base + n)), items((200..400).map(|n| base + n))),
        5 => {
            let few = 1 + below(20);
            let mut repeated = || items((0..150).map(|_| base + below(few)));
            (repeated(), repeated())
        }
        6 => (items((0..5).map(|n| base + n)), items((3..1024).map(|n| base + n))),
        7 => (items((0..1024).map(|n| base + n)), items((1020..1025).map(|n| base + n))),
        _ => {
            let span = 1 + below(600);
            let (left, right) = (below(400), below(400));
            let mut some = |count: u64| items((0..count).map(|_| base + below(span)));
            (some(left), some(right))
        }
    }
}

#[test]
fn a_thousand_shapes_are_exact() {
    for number in 0..1000 {
        let (left, right) = shape(number);
        let terms = terms(left.len(), right.len(), number);
        let expect = expected(&left, &right);
        let received = run_dealt(terms, left, right, |store| store).unwrap();
        assert_eq!(received.intersect(), Ok(expect), "shape {number}");
    }
}

#[test]
fn whole_sessions_are_exact() {
    for number in [0, 2, 3, 5, 6, 8, 19] {
        let (left, right) = shape(number);
        let terms = terms(left.len(), right.len(), number);
        let expect = expected(&left, &right);
        let common = run_whole(terms, left, right, |_, message| vec![message]);
        assert_eq!(common, Ok(expect), "shape {number}");
    }
}

#[test]
fn several_bins_and_workers_are_exact() {
    let left = items(0..140_000);
    let right = items((0..150_000).map(|n| n * 3));
    let terms = terms(left.len(), right.len(), 1);
    assert!(terms.shape().unwrap().bins() > 1);
    let expect = expected(&left, &right);
    let mut random = rng(5);
    let (sender_part, receiver_part) = dealt(terms.shape().unwrap().columns(), &mut random);
    let (sender, begin) = sender::ExpectStore::dealt(terms, right, 3, sender_part).unwrap();
    let receiver = receiver::ExpectBegin::start(terms, left, [2; 32], 3).unwrap();
    let (receiver, store) = receiver.handle(begin).unwrap().deal(receiver_part).unwrap();
    let (sender, reveal) = sender.handle(store).unwrap();
    let (_, outputs) = sender.answer().unwrap();
    let (received, _) = receiver.handle(reveal).unwrap().handle(outputs).unwrap();
    assert_eq!(received.intersect(), Ok(expect));
}

#[test]
fn a_session_begun_again_from_its_seed_sends_the_same_store() {
    // Several bins.
    let (left, right) = (items(0..140_000), items(4_000..8_000));
    let stores = [1, 2, 5].map(|workers| {
        let terms = terms(left.len(), right.len(), 77);
        let mut receiver = Receiver::start(terms, left.clone(), [3; 32], workers).unwrap();
        let mut sender = Sender::start(terms, right.clone(), [4; 32], 1).unwrap();
        loop {
            while let Poll::Send(message) = sender.poll().unwrap() {
                receiver.handle(message).unwrap();
            }
            while let Poll::Send(message) = receiver.poll().unwrap() {
                if message.is_store() {
                    return message.encode();
                }
                sender.handle(message).unwrap();
            }
        }
    });
    assert!(stores[0] == stores[1] && stores[0] == stores[2], "whatever the threads");
}

#[test]
fn lost_repeated_and_reordered_messages_end_the_session() {
    let (left, right) = (items(0..20), items(10..30));
    let terms = terms(20, 20, 2);
    let count = {
        let mut count = 0;
        let run = run_whole(terms, left.clone(), right.clone(), |number, message| {
            count = number + 1;
            vec![message]
        });
        assert_eq!(run, Ok((10..20).collect()));
        count
    };
    assert_eq!(count, 10);
    for bad in 0..count {
        let run = |change: fn(Message) -> Vec<Message>| {
            run_whole(terms, left.clone(), right.clone(), |number, message| {
                if number == bad { change(message) } else { vec![message] }
            })
        };
        assert!(run(|_| vec![]).is_err(), "message {bad} lost");
        if bad + 1 < count {
            let repeated = run(|message| vec![message.clone(), message]);
            assert!(repeated.is_err(), "message {bad} repeated");
        }
        assert_eq!(run(|_| vec![Message::stop()]), Err(PsiError::PeerStopped));
        let foreign = run(|_| vec![Message::new(Kind::Begin, &[&[0; 32], &[0; 32]], vec![])]);
        assert!(foreign.is_err(), "message {bad} replaced");
        let short = run(|message| {
            let mut bulk = message.bulk().to_vec();
            bulk.pop();
            vec![Message::new(Kind::Correlation, &[], bulk)]
        });
        assert!(short.is_err(), "message {bad} cut");
    }
}

#[test]
fn a_flipped_bit_never_gives_a_wrong_item() {
    let (left, right) = (items(0..20), items(10..30));
    let terms = terms(20, 20, 3);
    let mut random = rng(9);
    for number in 0..10 {
        for _ in 0..2 {
            let place = random.next_u64();
            let run = run_altered(terms, left.clone(), right.clone(), |own, message| {
                if own != number {
                    return vec![message];
                }
                let mut bytes = message.encode();
                let place = place as usize % (8 * bytes.len());
                bytes[place / 8] ^= 1 << (place % 8);
                Message::decode(&bytes).into_iter().collect()
            });
            // A flip costs the session, or hits and the transcript; it never makes a hit.
            if let Ok((common, is_same)) = run {
                assert!(!is_same, "message {number}");
                assert!(common.iter().all(|index| (10..20).contains(index)), "message {number}");
            }
        }
    }
}

#[test]
fn other_terms_are_refused() {
    let (left, right) = (items(0..20), items(10..30));
    let own = terms(20, 20, 4);
    for other in [
        Terms { session: [0; 32], ..own },
        Terms { intersection_max: 5, ..own },
        Terms { sender_count: 1536, ..own },
    ] {
        let (_, [begin, _]) = sender::ExpectSetup::start(other, right.clone(), [1; 32], 1).unwrap();
        let receiver = receiver::ExpectBegin::start(own, left.clone(), [2; 32], 1).unwrap();
        assert_eq!(receiver.handle(begin).err(), Some(PsiError::TermsDiffer));
    }
    let many = items(0..1025);
    assert!(sender::ExpectSetup::start(own, many.clone(), [1; 32], 1).is_err());
    assert!(receiver::ExpectBegin::start(own, many, [2; 32], 1).is_err());
}

#[test]
fn a_result_above_the_bound_is_an_alarm_and_not_told() {
    let (left, right) = (items(0..20), items(10..30));
    for (bound, expect) in [
        (10, Ok((10..20).collect())),
        (9, Err(PsiError::TooManyCommon { bound: 9 })),
        (0, Err(PsiError::TooManyCommon { bound: 0 })),
    ] {
        let terms = Terms { intersection_max: bound, ..terms(20, 20, 5) };
        let received = run_dealt(terms, left.clone(), right.clone(), |store| store).unwrap();
        assert_eq!(received.intersect(), expect);
    }
}

#[test]
fn a_sender_cannot_change_its_half_of_the_coin() {
    let terms = terms(20, 20, 6);
    let (_, [begin, _]) = sender::ExpectSetup::start(terms, vec![], [1; 32], 1).unwrap();
    let receiver = receiver::ExpectBegin::start(terms, items(0..20), [2; 32], 1).unwrap();
    let (_, part) = dealt(terms.shape().unwrap().columns(), &mut rng(6));
    let (receiver, _) = receiver.handle(begin).unwrap().deal(part).unwrap();
    let other = Message::new(Kind::Reveal, &[&[9; 16]], vec![]);
    assert_eq!(receiver.handle(other).err(), Some(PsiError::CommitmentBroken));
}

/// A sender's answer has exactly the agreed count: one more or one less is refused, so a sender
/// that answers for a larger set must leave out others.
#[test]
fn a_sender_answers_for_the_agreed_count_only() {
    let terms = terms(20, 1024, 7);
    for count in [1023, 1025, 1536, 0] {
        let mut random = rng(7);
        let (_, part) = dealt(terms.shape().unwrap().columns(), &mut random);
        let (_, [begin, _]) = sender::ExpectSetup::start(terms, vec![], [1; 32], 1).unwrap();
        let receiver = receiver::ExpectBegin::start(terms, items(0..20), [2; 32], 1).unwrap();
        let (receiver, _) = receiver.handle(begin).unwrap().deal(part).unwrap();
        let mut coin = ChaCha20Rng::from_seed([1; 32]);
        let mut own = [0; 16];
        coin.fill_bytes(&mut own);
        let reveal = Message::new(Kind::Reveal, &[&own], vec![]);
        let receiver = receiver.handle(reveal).unwrap();
        let sorted = crate::outputs::sort(&[blocks(count, &mut random)], 1).unwrap();
        let bulk = crate::outputs::encode(&sorted, 1).unwrap();
        let outputs = Message::new(Kind::Outputs, &[], bulk);
        assert_eq!(receiver.handle(outputs).err(), Some(PsiError::Malformed), "{count}");
    }
}

/// A receiver that packs more items than it declared into the same store: the columns bound it.
#[test]
fn a_receiver_encodes_no_more_items_than_columns() {
    let terms = terms(1024, 1024, 8);
    let shape = terms.shape().unwrap();
    let hashes = Hashes::new(&terms.session);
    let solves = |count: u64| {
        let many = items(0..count);
        let binned = Binned::new(shape, &many, &hashes, Block(1), 1).unwrap();
        binned.solve(1).is_ok()
    };
    assert!(solves(1024), "what it declared");
    // Peeling takes some more than declared; the analysis grants them to a cheating receiver.
    assert!(solves(1200));
    assert!(!solves(shape.columns() as u64 + 1), "more equations than unknowns");
    // A store for the first 1,024 says nothing about any other item.
    let received = run_dealt(terms, items(0..1024), items(1024..2048), |store| store).unwrap();
    assert_eq!(received.intersect(), Ok(vec![]));
}

/// A store of noise gives outputs that nobody can compute.
#[test]
fn a_masked_store_of_noise_finds_nothing() {
    let noise = |store: Message| {
        let seed: [u8; 16] = store.field(0).unwrap();
        let coin: [u8; 16] = store.field(1).unwrap();
        let mut bulk = vec![0; store.bulk().len()];
        rng(11).fill_bytes(&mut bulk);
        Message::new(Kind::Store, &[&seed, &coin], bulk)
    };
    let received = run_dealt(terms(500, 500, 9), items(0..500), items(0..500), noise).unwrap();
    assert_eq!(received.intersect(), Ok(vec![]));
}

#[test]
fn the_wire_shows_padded_counts_only() {
    let sizes = |left: u64, right: u64| {
        let terms = terms(1000, 1000, 10);
        let mut sizes = Vec::new();
        run_whole(terms, items(0..left), items(0..right), |_, message| {
            sizes.push(message.encoded_bytes());
            vec![message]
        })
        .unwrap();
        sizes
    };
    let distinct: BTreeSet<Vec<u64>> =
        [(0, 0), (1, 700), (1000, 3)].map(|(l, r)| sizes(l, r)).into();
    assert_eq!(distinct.len(), 1);
}
