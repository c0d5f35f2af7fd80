//! The worked example of spec/matching.md, recomputed; the text holds every value.

use symbolon_codec::Framed;
use symbolon_ident::Class;
use symbolon_tlog::{MemoryTree, leaf_hash};

use crate::chunk::{RecordCommitment, RecordRef};
use crate::key::SecretKey;
use crate::{EpochSeed, KeyNames, Sender, SetSalt, Tag};

const TEXT: &str = include_str!("../../../spec/matching.md");

#[test]
fn the_worked_example_holds() {
    let seed = EpochSeed::new([0x33; 32]);
    let names =
        KeyNames { holder: &[0x11; 32], asker: &[0x22; 32], class: Class::Contact, epoch: 7 };
    let sender = Sender::derive(&seed, &names).unwrap();
    let parts = [&[1][..], &[0x15], &[1], b"", b"officer@example.org"];
    let input = parts.iter().fold(Framed::new(), Framed::part);
    let output = sender.evaluate_input(input.as_bytes()).unwrap();
    let tag = output.tag();
    let salt = SetSalt::derive(&seed, &names, 1).entry(&tag);
    let record = RecordRef { id: [0x44; 16], version: [0x55; 32] };
    let commitment = RecordCommitment::new(&salt, &[record]);
    let secret = SecretKey::derive(&seed, &names).unwrap();
    let values = [
        ("input", hex::encode(input.as_bytes())),
        ("secret key", hex::encode(secret.expose_secret().as_bytes())),
        ("public key", hex::encode(sender.public_key().as_bytes())),
        ("output", hex::encode(output.expose_secret())),
        ("tag", hex::encode(tag.as_bytes())),
        ("confirm", hex::encode(output.confirm_code().as_bytes())),
        ("entry salt", hex::encode(salt)),
        ("record commitment", hex::encode(commitment.as_bytes())),
        ("leaf", hex::encode(commitment.leaf(&tag).as_bytes())),
    ];
    let expected: Vec<String> =
        values.iter().map(|(name, value)| format!("{name:<18}{value}\n")).collect();
    assert!(TEXT.contains(&expected.concat()), "{}", expected.concat());
}

#[test]
fn the_example_of_the_roots_holds() {
    let entries: Vec<(Tag, RecordCommitment)> = (0..1536u32)
        .map(|i| {
            let tag = Tag::from_bytes(u128::from(i).to_be_bytes());
            let commitment = leaf_hash(i.to_be_bytes());
            (tag, RecordCommitment::from_bytes(*commitment.as_bytes()))
        })
        .collect();
    let set: MemoryTree = entries.iter().map(|(tag, commitment)| commitment.leaf(tag)).collect();
    let bytes: Vec<u8> = entries.iter().flat_map(|(tag, _)| *tag.as_bytes()).collect();
    let tags: MemoryTree = bytes.chunks(4096).map(leaf_hash).collect();
    let expected = format!("set root  {:?}\ntags root {:?}\n", set.root(), tags.root());
    assert!(TEXT.contains(&expected), "{expected}");
}
