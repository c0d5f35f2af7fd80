//! Both sides of matching in one thread: what agrees is found, what is tampered with is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's failed step is its failure"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use symbolon_ident::{Canonical, Class, Kind, MatchKey};
use symbolon_oprf::{
    BATCH_SIZES_ELEMENTS, BlindedElement, EpochSeed, Evaluated, EvaluatedElement, FinalizeError,
    Hit, KeyNames, Opening, OprfError, Proof, PublicKey, Receiver, Sender, Tag, TagLookup,
    padded_batch,
};

fn sender(epoch: u64) -> Sender {
    let names = KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Contact, epoch };
    Sender::derive(&EpochSeed::new([3; 32]), &names).unwrap()
}

fn key(number: usize) -> MatchKey {
    let text = format!("officer{number}@example.org");
    Canonical::parse(Kind::Email, text.as_str()).unwrap().keys()[0].clone()
}

fn keys(numbers: impl IntoIterator<Item = usize>) -> Vec<MatchKey> {
    numbers.into_iter().map(key).collect()
}

fn tags(sender: &Sender, keys: &[MatchKey]) -> BTreeSet<Tag> {
    let inputs: Vec<&[u8]> = keys.iter().map(MatchKey::as_bytes).collect();
    sender.evaluate_tags(&inputs, 1).unwrap().into_iter().collect()
}

fn refusal(result: Result<Vec<Hit>, FinalizeError<std::convert::Infallible>>) -> OprfError {
    match result {
        Err(FinalizeError::Oprf(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn exactly_the_shared_inputs_are_hits_and_confirm() {
    let sender = sender(1);
    for asked in [1, 8, 9, 64, 65] {
        let held = tags(&sender, &keys((0..100).filter(|n| n % 3 == 0)));
        let asking = keys(0..asked);
        let receiver = Receiver::blind(&asking, [4; 32]).unwrap();
        let evaluated = sender.blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
        let hits = receiver.finalize(&evaluated, sender.public_key(), &held).unwrap();
        let found: Vec<usize> = hits.iter().map(|hit| hit.index).collect();
        assert_eq!(found, (0..asked).step_by(3).collect::<Vec<_>>());
        for hit in &hits {
            let own = sender.evaluate(&asking[hit.index]).unwrap();
            assert_eq!(own.tag(), hit.tag);
            assert!(own.verify_confirm(&hit.confirm).is_ok());
            let other = sender.evaluate(&key(hit.index + 1)).unwrap();
            let refused = other.verify_confirm(&hit.confirm);
            assert_eq!(refused.err(), Some(OprfError::ConfirmMismatch));
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let asking = keys(0..500);
    let one = Receiver::blind(&asking, [4; 32]).unwrap();
    let many = Receiver::blind_with(&asking, [4; 32], 3).unwrap();
    assert_eq!(one.blinded(), many.blinded());
    let evaluated = sender(1).blind_evaluate(one.blinded(), [5; 32]).unwrap();
    let again = sender(1).with_workers(5).blind_evaluate(one.blinded(), [5; 32]).unwrap();
    assert_eq!(evaluated, again);
    let held = tags(&sender(1), &asking[..250]);
    let public = sender(1).public_key().clone();
    let hits = many.finalize(&evaluated, &public, &held).unwrap();
    assert_eq!(hits.len(), 250);
}

#[test]
fn equal_batches_of_equal_size_show_nothing_of_their_count() {
    let asking = keys(0..64);
    let mut seen = BTreeSet::new();
    for count in [1, 8, 9, 63, 64] {
        let seed = [u8::try_from(count).unwrap(); 32];
        let receiver = Receiver::blind(&asking[..count], seed).unwrap();
        let expect = if count <= 8 { 8 } else { 64 };
        assert_eq!(receiver.blinded().len(), expect);
        // Padding is valid group elements like the rest, and nothing repeats between batches.
        for element in receiver.blinded() {
            assert!(BlindedElement::decode(element.as_bytes()).is_ok());
            assert!(seen.insert(*element.as_bytes()));
        }
        let evaluated = sender(1).blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
        assert_eq!(symbolon_codec::encode(&evaluated).len(), encoded_length(expect));
    }
}

/// Array of two, array of `count` byte strings of 32, byte string of 64.
fn encoded_length(count: usize) -> usize {
    1 + if count < 24 { 1 } else { 2 } + count * 34 + 66
}

#[test]
fn sizes_that_padding_never_makes_are_refused() {
    assert_eq!(padded_batch(0), Err(OprfError::BatchInputs));
    assert_eq!(padded_batch(1025), Err(OprfError::BatchInputs));
    let blinded = Receiver::blind(&keys(0..64), [4; 32]).unwrap().blinded().to_vec();
    for size in [0, 1, 7, 9, 63] {
        let refused = sender(1).blind_evaluate(&blinded[..size], [5; 32]);
        assert_eq!(refused.err(), Some(OprfError::BatchSize), "{size}");
    }
    assert!(BATCH_SIZES_ELEMENTS.iter().all(|size| padded_batch(*size) == Ok(*size)));
}

#[test]
fn a_batch_is_of_one_class() {
    let lei = Canonical::parse(Kind::Lei, "2594007XIACKNMUAW223").unwrap().keys()[0].clone();
    let mixed = Receiver::blind(&[key(1), lei], [4; 32]);
    assert_eq!(mixed.err(), Some(OprfError::ClassesMixed));
    assert_eq!(Receiver::blind(&[], [4; 32]).err(), Some(OprfError::BatchInputs));
}

#[test]
fn inputs_that_are_empty_or_too_long_are_refused() {
    for length in [0, 257] {
        let input = vec![1; length];
        let refused = sender(1).evaluate_tags(&[&input], 1);
        assert_eq!(refused.err(), Some(OprfError::InputLength));
    }
    assert!(sender(1).evaluate_tags(&[&[1; 256], &[1; 1]], 1).is_ok());
}

/// Finalizes the same batch after `change` and gives the refusal.
fn after(change: impl FnOnce(&mut Evaluated, &mut PublicKey)) -> OprfError {
    let asking = keys(0..5);
    let receiver = Receiver::blind(&asking, [4; 32]).unwrap();
    let mut evaluated = sender(1).blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
    let mut public = sender(1).public_key().clone();
    change(&mut evaluated, &mut public);
    refusal(receiver.finalize(&evaluated, &public, &tags(&sender(1), &asking)))
}

#[test]
fn a_wrong_key_is_found() {
    assert_eq!(
        after(|_, public| *public = sender(2).public_key().clone()),
        OprfError::ProofInvalid
    );
    // A whole answer under the key of another epoch, with its own valid proof.
    let other = after(|evaluated, _| {
        let blinded = Receiver::blind(&keys(0..5), [4; 32]).unwrap().blinded().to_vec();
        *evaluated = sender(2).blind_evaluate(&blinded, [5; 32]).unwrap();
    });
    assert_eq!(other, OprfError::ProofInvalid);
}

#[test]
fn swapped_replaced_missing_and_added_elements_are_found() {
    assert_eq!(after(|evaluated, _| evaluated.elements.swap(0, 1)), OprfError::ProofInvalid);
    assert_eq!(after(|evaluated, _| evaluated.elements.swap(0, 7)), OprfError::ProofInvalid);
    for position in 0..8 {
        let replaced = after(|evaluated, public| {
            let element = EvaluatedElement::decode(public.as_bytes()).unwrap();
            evaluated.elements[position] = element;
        });
        assert_eq!(replaced, OprfError::ProofInvalid, "position {position}");
    }
    assert_eq!(after(|evaluated, _| evaluated.elements.truncate(7)), OprfError::AnswerCount);
    let added = after(|evaluated, _| evaluated.elements.push(evaluated.elements[0].clone()));
    assert_eq!(added, OprfError::AnswerCount);
}

#[test]
fn every_bit_of_the_proof_counts() {
    for bit in 0..512 {
        let asking = keys(0..1);
        let receiver = Receiver::blind(&asking, [4; 32]).unwrap();
        let mut evaluated = sender(1).blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
        let mut bytes = evaluated.proof.encode();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match Proof::decode(&bytes) {
            Err(error) => assert_eq!(error, OprfError::ScalarNotCanonical),
            Ok(proof) => {
                evaluated.proof = proof;
                let held = tags(&sender(1), &asking);
                let result = receiver.finalize(&evaluated, sender(1).public_key(), &held);
                assert_eq!(refusal(result), OprfError::ProofInvalid, "bit {bit}");
            }
        }
    }
}

#[test]
fn a_repeated_seed_gives_no_two_proofs_one_nonce() {
    // With one nonce r and two challenges, (s1 - s2) / (c2 - c1) would be the key. Here the nonce
    // commitment t2 = s*G + c*B, equal for equal nonces, differs.
    use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
    let sender = sender(1);
    let public = CompressedRistretto(*sender.public_key().as_bytes()).decompress().unwrap();
    let commitments: BTreeSet<[u8; 32]> = (0..3)
        .map(|number| {
            let receiver = Receiver::blind(&keys([number]), [4; 32]).unwrap();
            let evaluated = sender.blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
            let bytes = evaluated.proof.encode();
            let [c, s] = [0, 32].map(|at| {
                let bytes: [u8; 32] = bytes[at..at + 32].try_into().unwrap();
                Scalar::from_canonical_bytes(bytes).unwrap()
            });
            (RistrettoPoint::mul_base(&s) + public * c).compress().to_bytes()
        })
        .collect();
    assert_eq!(commitments.len(), 3);
}

#[test]
fn an_auditor_sees_what_was_asked() {
    let asking = keys(0..10);
    let receiver = Receiver::blind(&asking, [4; 32]).unwrap();
    let opening = Opening::from_bytes(receiver.opening().expose_secret().to_vec());
    assert_eq!(opening.recompute(&asking).unwrap(), receiver.blinded());
    let other = opening.recompute(&keys(1..11)).unwrap();
    assert_ne!(other, receiver.blinded());
    // One key passed off as padding does not recompute either.
    assert_ne!(opening.recompute(&asking[..9]).unwrap(), receiver.blinded());
    assert_eq!(opening.recompute(&asking[..8]).err(), Some(OprfError::OpeningCount));
    let mut bytes = opening.expose_secret().to_vec();
    bytes[..32].fill(0);
    let zero = Opening::from_bytes(bytes.clone()).recompute(&asking);
    assert_eq!(zero.err(), Some(OprfError::ScalarNotCanonical));
    bytes.pop();
    let short = Opening::from_bytes(bytes).recompute(&asking);
    assert_eq!(short.err(), Some(OprfError::OpeningCount));
}

#[test]
fn a_failing_lookup_is_an_error_and_not_a_miss() {
    struct Broken(usize);
    impl TagLookup for Broken {
        type Error = &'static str;
        fn contains(&self, tags: &[Tag]) -> Result<Vec<bool>, &'static str> {
            assert!(tags.is_sorted());
            if self.0 == 0 { Err("storage") } else { Ok(vec![true; self.0]) }
        }
    }
    for (answers, expect) in [(0, None), (4, Some(OprfError::LookupCount))] {
        let receiver = Receiver::blind(&keys(0..5), [4; 32]).unwrap();
        let evaluated = sender(1).blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
        match (receiver.finalize(&evaluated, sender(1).public_key(), &Broken(answers)), expect) {
            (Err(FinalizeError::Lookup("storage")), None) => {}
            (Err(FinalizeError::Oprf(error)), Some(expect)) => assert_eq!(error, expect),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn answers_travel_as_deterministic_cbor() {
    let receiver = Receiver::blind(&keys(0..5), [4; 32]).unwrap();
    let evaluated = sender(1).blind_evaluate(receiver.blinded(), [5; 32]).unwrap();
    let bytes = symbolon_codec::encode(&evaluated);
    assert_eq!(symbolon_codec::decode::<Evaluated>(&bytes, 1 << 20), Ok(evaluated));
    for cut in 0..bytes.len() {
        assert!(symbolon_codec::decode::<Evaluated>(&bytes[..cut], 1 << 20).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_two_lists_give_their_intersection(
        held in proptest::collection::btree_set(0usize..40, 0..30),
        asked in proptest::collection::vec(0usize..40, 1..30),
        seeds: ([u8; 32], [u8; 32]),
    ) {
        let sender = sender(1);
        let receiver = Receiver::blind(&keys(asked.iter().copied()), seeds.0).unwrap();
        let evaluated = sender.blind_evaluate(receiver.blinded(), seeds.1).unwrap();
        let set = tags(&sender, &keys(held.iter().copied()));
        let hits = receiver.finalize(&evaluated, sender.public_key(), &set).unwrap();
        let found: Vec<usize> = hits.iter().map(|hit| hit.index).collect();
        let expect: Vec<usize> =
            (0..asked.len()).filter(|index| held.contains(&asked[*index])).collect();
        prop_assert_eq!(found, expect);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = BlindedElement::decode(&bytes);
        let _ = Proof::decode(&bytes);
        let _ = symbolon_codec::decode::<Evaluated>(&bytes, 80);
        let _ = Opening::from_bytes(bytes).recompute(&keys(0..2));
    }
}
