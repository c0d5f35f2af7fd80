//! Compares this crate with an independent implementation of RFC 9497, by bytes only.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's failed step is its failure")]

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use rand_core_of_voprf::{CryptoRng, RngCore};
use symbolon_codec::{Framed, sha256};
use symbolon_ident::{Canonical, Class, Kind, MatchKey};
use symbolon_oprf::{
    BlindedElement, EpochSeed, Evaluated, EvaluatedElement, KeyNames, Proof, Receiver, Sender, Tag,
};
use voprf::{BlindedElement as TheirBlinded, EvaluationElement, Ristretto255};
use voprf::{VoprfClient, VoprfServer};

const INPUTS: usize = 10_000;
const WORKERS: usize = 2;

/// The other implementation's random source, of its own generation of traits.
struct TheirRandom(ChaCha20Rng);

impl RngCore for TheirRandom {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

impl CryptoRng for TheirRandom {}

/// The same key in both implementations, derived by each from the same seed and names.
fn senders(class: Class) -> (Sender, VoprfServer<Ristretto255>) {
    let names = KeyNames { holder: &[0x11; 32], asker: &[0x22; 32], class, epoch: 7 };
    let ours = Sender::derive(&EpochSeed::new([0x33; 32]), &names).unwrap();
    let framed = Framed::new()
        .part(names.holder)
        .part(names.asker)
        .part([class.code()])
        .part(7u64.to_be_bytes());
    let info = [b"symbolon/1 oprf".as_slice(), framed.as_bytes()].concat();
    let theirs = VoprfServer::new_from_seed(&[0x33; 32], &info).unwrap();
    (ours, theirs)
}

fn random_inputs(seed: u8) -> Vec<Vec<u8>> {
    let mut random = ChaCha20Rng::from_seed([seed; 32]);
    (0..INPUTS)
        .map(|_| {
            let mut input = vec![0; 1 + (random.next_u32() % 256) as usize];
            random.fill_bytes(&mut input);
            input
        })
        .collect()
}

fn tag(output: &[u8]) -> Tag {
    let hash = sha256("symbolon/1 tag", &[output]);
    Tag::from_bytes(*hash.first_chunk().expect("16 of 32 bytes"))
}

#[test]
fn tags_of_a_list_are_those_of_the_other_implementation() {
    let (ours, theirs) = senders(Class::Document);
    let inputs = random_inputs(1);
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let tags = ours.evaluate_tags(&slices, WORKERS).unwrap();
    assert_eq!(tags.len(), INPUTS);
    for (input, ours) in inputs.iter().zip(tags) {
        assert_eq!(tag(&theirs.evaluate(input).unwrap()), ours);
    }
}

#[test]
fn their_receiver_accepts_our_answers() {
    let (ours, theirs) = senders(Class::Document);
    let ours = ours.with_workers(WORKERS);
    let mut random = TheirRandom(ChaCha20Rng::from_seed([2; 32]));
    // 9 batches of 1,024 and 13 of 64: more than 10,000, each of a padded size.
    let mut inputs = random_inputs(3);
    inputs.extend(random_inputs(4).into_iter().take(9 * 1024 + 13 * 64 - INPUTS));
    let (large, small) = inputs.split_at(9 * 1024);
    for batch in large.chunks(1024).chain(small.chunks(64)) {
        let (mut clients, mut elements) = (Vec::new(), Vec::new());
        for input in batch {
            let blinded = VoprfClient::<Ristretto255>::blind(input, &mut random).unwrap();
            elements.push(BlindedElement::decode(&blinded.message.serialize()).unwrap());
            clients.push(blinded.state);
        }
        let evaluated = ours.blind_evaluate(&elements, [5; 32]).unwrap();
        let messages: Vec<_> = evaluated
            .elements
            .iter()
            .map(|element| EvaluationElement::deserialize(element.as_bytes()).unwrap())
            .collect();
        let proof = voprf::Proof::deserialize(&evaluated.proof.encode()).unwrap();
        let public = theirs.get_public_key();
        let inputs = batch.to_vec();
        let outputs =
            VoprfClient::batch_finalize(&inputs, &clients, &messages, &proof, public).unwrap();
        let slices: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        for (output, ours) in outputs.zip(ours.evaluate_tags(&slices, WORKERS).unwrap()) {
            assert_eq!(tag(&output.unwrap()), ours);
        }
    }
}

#[test]
fn our_receiver_accepts_their_answers() {
    let (ours, theirs) = senders(Class::Contact);
    let mut random = TheirRandom(ChaCha20Rng::from_seed([6; 32]));
    let keys: Vec<MatchKey> = (0..INPUTS)
        .map(|_| {
            let text = format!("{:016x}@example.org", random.next_u64());
            Canonical::parse(Kind::Email, text.as_str()).unwrap().keys().first().unwrap().clone()
        })
        .collect();
    for (number, batch) in (0u8..).zip(keys.chunks(1024)) {
        let receiver = Receiver::blind_with(batch, [number; 32], WORKERS).unwrap();
        let elements: Vec<TheirBlinded<Ristretto255>> = receiver
            .blinded()
            .iter()
            .map(|element| TheirBlinded::deserialize(element.as_bytes()).unwrap())
            .collect();
        let answer = theirs.batch_blind_evaluate(&mut random, &elements).unwrap();
        let evaluated = Evaluated {
            elements: answer
                .messages
                .iter()
                .map(|element| EvaluatedElement::decode(&element.serialize()).unwrap())
                .collect(),
            proof: Proof::decode(&answer.proof.serialize()).unwrap(),
        };
        let mut tags: Vec<Tag> =
            batch.iter().map(|key| tag(&theirs.evaluate(key.as_bytes()).unwrap())).collect();
        let expect = tags.clone();
        tags.sort_unstable();
        let hits = receiver.finalize(&evaluated, ours.public_key(), tags.as_slice()).unwrap();
        assert_eq!(hits.len(), batch.len());
        for (hit, (index, tag)) in hits.iter().zip(expect.iter().enumerate()) {
            assert_eq!((hit.index, hit.tag), (index, *tag));
        }
    }
}
