//! Worked values of the correlation's parts, in spec/vectors/psi/correlation.json.
//!
//! Implements spec/psi.md#vectors.

use serde_json::{Value, json};

use crate::field::Block;
use crate::ggm::{self, Shape};
use crate::prg::{CorrelationHash, Doubler};
use crate::vectors::compare;
use crate::vole_transcript::{Purpose, Transcript};

fn hex_of(block: Block) -> String {
    hex::encode(block.to_bytes())
}

fn list(blocks: &[Block]) -> Vec<String> {
    blocks.iter().copied().map(hex_of).collect()
}

/// Bytes that count up, so that the file shows its inputs.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|place| first + place as u8)
}

fn tree(leaves: usize, punctured: usize) -> Value {
    let (keys, root) = (counting::<32>(0x10), Block::from_bytes(counting(0xa0)));
    let (shape, doubler) = (Shape::new(leaves), Doubler::new(keys));
    let mut all = vec![Block::ZERO; leaves];
    let sums = ggm::grow(shape, &doubler, root, &mut all);
    let levels = sums.iter().enumerate();
    let known: Vec<Block> =
        levels.map(|(level, pair)| pair[usize::from(shape.side(punctured, level))]).collect();
    json!({
        "left_key": hex::encode(&keys[..16]),
        "right_key": hex::encode(&keys[16..]),
        "root": hex_of(root),
        "leaves": list(&all),
        "level_sums": sums.iter().map(|pair| list(pair)).collect::<Vec<_>>(),
        "punctured": punctured,
        "sums_away_from_the_path": list(&known),
    })
}

fn hash() -> Value {
    let key = counting(0x20);
    let mut values =
        [(0, Block::ZERO), (1, Block::from_bytes(counting(0xc0))), (1 << 33, Block(5))];
    let inputs = values;
    CorrelationHash::new(key).apply(&mut values);
    json!({
        "key": hex::encode(key),
        "values": inputs.iter().zip(&values).map(tweaked).collect::<Vec<_>>(),
    })
}

fn tweaked(((tweak, input), (_, output)): (&(u64, Block), &(u64, Block))) -> Value {
    json!({ "tweak": tweak, "input": hex_of(*input), "output": hex_of(*output) })
}

fn transcript() -> Value {
    let session = counting::<32>(0x01);
    let mut transcript = Transcript::new(&session, &[1000, 843]);
    let start = hex::encode(transcript.as_bytes());
    transcript.absorb(b"first message");
    json!({
        "session": hex::encode(session),
        "terms": [1000, 843],
        "start": start,
        "after_first_message": hex::encode(transcript.as_bytes()),
        "noise_tree_2": hex::encode(transcript.derive(Purpose::NoiseTree, 2)),
        "code": hex::encode(transcript.derive(Purpose::Code, 0)),
    })
}

fn vectors() -> Value {
    json!({
        "blocks": "16 bytes in hexadecimal; bit i of the little-endian integer is x^i",
        "tree": tree(11, 6),
        "correlation_hash": hash(),
        "transcript": transcript(),
    })
}

#[test]
fn correlation_parts() {
    compare("correlation.json", &vectors());
}
