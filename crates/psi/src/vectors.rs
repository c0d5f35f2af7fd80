//! The vectors of spec/vectors/psi: makes them, and compares them with the files.
//!
//! Implements spec/psi.md#vectors. `SYMBOLON_VECTORS=write cargo test -p symbolon-psi vectors`
//! writes the files; without the variable a difference fails the test.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::code::Code;
use crate::field::{self, Block};
use crate::frame::{Kind, Message};
use crate::ggm;
use crate::hash::{Hashes, Item};
use crate::okvs::{Binned, Shape};
use crate::prg::Doubler;
use crate::{Plan, Poll, Receiver, Sender, Terms, outputs, padded_count};

const SESSION: [u8; 32] = *b"a session of the vectors of psi.";
const SEED: [u8; 16] = *b"the store's seed";

pub(crate) fn compare(name: &str, value: &Value) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/psi");
    let path = folder.join(name);
    if std::env::var_os("SYMBOLON_VECTORS").is_some_and(|how| how == "write") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(value).unwrap() + "\n").unwrap();
    }
    // The order of the fields in the file is that of whichever features of the library wrote it.
    let known: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(known == *value, "{name} differs from what the code computes");
}

fn show(block: Block) -> String {
    hex::encode(block.to_bytes())
}

fn show_all<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Vec<String> {
    blocks.into_iter().map(|block| show(*block)).collect()
}

/// Elements that anybody can make again: BLAKE3 in key derivation mode, extended.
fn elements(context: &str, count: usize) -> Vec<Block> {
    let mut bytes = vec![0; 16 * count];
    blake3::Hasher::new_derive_key(context).finalize_xof().fill(&mut bytes);
    field::from_bytes(&bytes)
}

fn identifiers() -> Vec<String> {
    (0..10).map(|n| format!("identifier {n}")).collect()
}

fn items() -> Vec<Item> {
    identifiers().iter().map(|text| Item::derive(text.as_bytes())).collect()
}

#[test]
fn field_products() {
    let (left, right) = (elements("vector left", 4), elements("vector right", 4));
    let products: Vec<Block> = left.iter().zip(&right).map(|(l, r)| *l * *r).collect();
    let inverses: Vec<Block> = left.iter().map(|block| block.inverse()).collect();
    let value = json!({
        "left": show_all(&left), "right": show_all(&right), "product": show_all(&products),
        "inverse_of_left": show_all(&inverses), "x_to_the_128": show(Block(2).power(128)),
    });
    compare("field.json", &value);
}

#[test]
fn hashes_to_the_field() {
    let (items, hashes) = (items(), Hashes::new(&SESSION));
    let shape = Shape::for_padded(1 << 17).unwrap();
    let mut cases = Vec::new();
    hashes.rows(&items, Block::from_bytes(SEED), |value, row| {
        cases.push(json!({
            "h": show(value), "row": show(row),
            "bin": shape.bin_of(row), "columns": shape.columns_of(row),
        }));
    });
    let masks = elements("vector masks", items.len());
    let mut outputs = masks.clone();
    hashes.outputs(items.iter(), &mut outputs);
    for (number, case) in cases.iter_mut().enumerate() {
        case["identifier"] = json!(identifiers()[number]);
        case["item"] = json!(hex::encode(items[number].as_bytes()));
        case["mask"] = json!(show(masks[number]));
        case["output"] = json!(show(outputs[number]));
    }
    let value = json!({
        "session": hex::encode(SESSION), "seed": hex::encode(SEED),
        "padded_count": 1 << 17, "bins": shape.bins(),
        "sparse": shape.sparse(), "dense": shape.dense(), "cases": cases,
    });
    compare("hash.json", &value);
}

#[test]
fn store_of_ten_keys() {
    let (items, hashes) = (items(), Hashes::new(&SESSION));
    let shape = Shape::for_padded(1024).unwrap();
    let seed = Block::from_bytes(SEED);
    let binned = Binned::new(shape, &items, &hashes, seed, 1).unwrap();
    let store = field::from_bytes(&binned.solve(1).unwrap());
    let columns: Vec<Value> = (0..)
        .zip(&store)
        .filter(|(_, value)| **value != Block::ZERO)
        .map(|(column, value): (u32, &Block)| json!([column, show(*value)]))
        .collect();
    // A second store without zeros: its dense part is read too.
    let other = elements("vector store", shape.columns());
    let value = json!({
        "session": hex::encode(SESSION), "seed": hex::encode(SEED), "padded_count": 1024,
        "identifiers": identifiers(),
        "note": "one solution of many: whoever decodes it gets h of each item",
        "columns_not_zero": columns,
        "h": show_all(&binned.bins[0].values()),
        "decoded_from_the_store_of_context": "vector store",
        "decoded": show_all(&binned.bins[0].decoded(&shape, &other)),
    });
    compare("store.json", &value);
}

#[test]
fn trees() {
    let keys = *b"two keys of the doubler: 32 byte";
    let root = elements("vector root", 1)[0];
    let cases: Vec<Value> = [8, 11]
        .into_iter()
        .map(|leaves| {
            let shape = ggm::Shape::new(leaves);
            let mut grown = vec![Block::ZERO; leaves];
            let sums = ggm::grow(shape, &Doubler::new(keys), root, &mut grown);
            let sums: Vec<Value> = sums.iter().map(|pair| json!(show_all(pair))).collect();
            json!({"leaves": show_all(&grown), "sums_left_and_right_by_level": sums})
        })
        .collect();
    let value = json!({"keys": hex::encode(keys), "root": show(root), "trees": cases});
    compare("tree.json", &value);
}

#[test]
fn code_of_a_small_instance() {
    let seed = *b"the seed of the code: 32 bytes..";
    let input = elements("vector sparse", 84);
    let code = Code::new(seed);
    let mut convolved = input.clone();
    code.convolve(&mut convolved);
    let mut output = vec![Block::ZERO; 42];
    code.expand(&convolved, &mut output, 1).unwrap();
    let value = json!({
        "seed": hex::encode(seed), "input_context": "vector sparse",
        "input": show_all(&input), "convolved": show_all(&convolved), "output": show_all(&output),
    });
    compare("code.json", &value);
}

#[test]
fn final_outputs() {
    let (items, hashes) = (items(), Hashes::new(&SESSION));
    let shape = Shape::for_padded(1024).unwrap();
    let (seed, coin) = (Block::from_bytes(SEED), elements("vector coin", 1)[0]);
    let binned = Binned::new(shape, &items, &hashes, seed, 1).unwrap();
    let delta = elements("vector delta", 1)[0];
    let (masks, shares) =
        (elements("vector a'", shape.columns()), elements("vector b", shape.columns()));
    // C = A'·Δ + B, and K = B + (P + A')·Δ.
    let mut received = shares.clone();
    field::scale_add(&mut received, &masks, delta);
    let mut sent = received.clone();
    field::scale_add(&mut sent, &field::from_bytes(&binned.solve(1).unwrap()), delta);
    let bin = &binned.bins[0];
    let mut theirs = bin.decoded(&shape, &sent);
    field::scale_add(&mut theirs, &bin.values(), delta);
    let own = bin.decoded(&shape, &received);
    assert!(own == theirs, "all ten items are common");
    let with_coin: Vec<Block> = own.iter().map(|mask| *mask ^ coin).collect();
    let mut list = with_coin.clone();
    hashes.outputs(items.iter(), &mut list);
    let padding = elements("vector padding", 2048 - list.len());
    let sorted = outputs::sort(&[list.clone(), padding], 1).unwrap();
    let encoded = outputs::encode(&sorted, 1).unwrap();
    let value = json!({
        "session": hex::encode(SESSION), "seed": hex::encode(SEED), "padded_count": 1024,
        "identifiers": identifiers(), "delta": show(delta), "coin": show(coin),
        "contexts": {"A'": "vector a'", "B": "vector b", "padding": "vector padding"},
        "argument_of_Ho": show_all(&with_coin), "outputs": show_all(&list),
        "encoded_with_padding_to_2048": {
            "bytes": encoded.len(), "blake3": blake3::hash(&encoded).to_hex().to_string(),
        },
    });
    compare("outputs.json", &value);
}

#[test]
fn partitions_and_padding() {
    let plan = Plan::new(SESSION, 1 << 24, 1 << 20, 1000).unwrap();
    let terms = plan.terms(3, 1).unwrap();
    let of: Vec<u32> = items().iter().map(|item| plan.partition_of(item)).collect();
    let padded: Vec<Value> = [0_u64, 1024, 1025, 1_000_000, 1 << 20]
        .map(|count| json!([count, padded_count(count).unwrap()]))
        .into();
    let value = json!({
        "exchange": hex::encode(SESSION), "receiver_count": 1 << 24, "sender_count": 1 << 20,
        "partitions": plan.partitions(), "partition_of_identifiers": of,
        "partition_3_attempt_1": {
            "session": hex::encode(terms.session), "receiver_count": terms.receiver_count,
            "sender_count": terms.sender_count,
        },
        "count_and_padded_count": padded,
    });
    compare("plan.json", &value);
}

/// A whole session from fixed seeds: what travels, by length and hash, and the transcript. How a
/// side draws from its seed is its own affair; the vector is for this implementation's constancy
/// and for readers of the messages.
#[test]
fn whole_session() {
    let terms = Terms {
        session: SESSION,
        receiver_count: 1024,
        sender_count: 1024,
        intersection_max: 1024,
    };
    let all = items();
    let mut receiver = Receiver::start(terms, all[..6].to_vec(), [1; 32], 1).unwrap();
    let mut sender = Sender::start(terms, all[4..].to_vec(), [2; 32], 1).unwrap();
    let mut messages = Vec::new();
    let mut note = |from: &str, message: &Message| {
        messages.push(json!({
            "from": from, "head": hex::encode(message.encode_head()),
            "bulk_bytes": message.bulk().len(),
            "blake3_of_all": blake3::hash(&message.encode()).to_hex().to_string(),
        }));
    };
    let (common, transcript) = loop {
        while let Poll::Send(message) = sender.poll().unwrap() {
            note("sender", &message);
            receiver.handle(message).unwrap();
        }
        match receiver.poll().unwrap() {
            Poll::Send(message) => {
                note("receiver", &message);
                sender.handle(message).unwrap();
            }
            Poll::Await => {}
            Poll::Finished(received) => {
                let transcript = hex::encode(received.transcript());
                break (received.intersect().unwrap(), transcript);
            }
        }
    };
    assert_eq!(common, [4, 5]);
    let stop = Message::new(Kind::Stop, &[], vec![]);
    let value = json!({
        "terms": {
            "session": hex::encode(SESSION), "receiver_count": 1024, "sender_count": 1024,
            "intersection_max": 1024, "digest": hex::encode(terms.digest()),
        },
        "receiver_seed": hex::encode([1; 32]), "sender_seed": hex::encode([2; 32]),
        "receiver_identifiers": &identifiers()[..6], "sender_identifiers": &identifiers()[4..],
        "messages": messages, "transcript": transcript, "common": common,
        "stop": hex::encode(stop.encode()),
    });
    compare("session.json", &value);
}
