//! How long a bundle of 100 statements takes to verify: 50 confirms and 50
//! disclosures. Prints the median of 21 runs.
//!
//! Measures spec/evidence.md#cost.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "a tool for developers, where a panic is the report"
)]

#[path = "../tests/support/cbor.rs"]
mod cbor;
#[path = "../tests/support/node.rs"]
mod node;
#[path = "../tests/support/world.rs"]
mod world;

use std::time::Instant;

use cbor::{Cbor, bytes};
use node::NOW;
use symbolon_verify::{Draft, ItemKind, MANIFEST_LABEL, Making, Subject, verify};
use world::{Statement, World, confirm_event, received_event};

fn main() {
    let bundle = bundle();
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let start = Instant::now();
            assert!(verify(&bundle).is_ok());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("100 statements, {} bytes: {:.1} ms, median of 21", bundle.len(), times[10]);
    println!("fastest {:.1} ms, slowest {:.1} ms", times[0], times[20]);
}

fn bundle() -> Vec<u8> {
    let mut world = World::new();
    let mut statements = Vec::new();
    for number in 0..50_u8 {
        let confirm = changed(&world.confirm, 2 * number, None);
        let answer = changed(&world.disclosure, 2 * number + 1, Some(&confirm));
        let event = confirm_event("confirm_sent", &world.south, &confirm);
        world.north.append(NOW, event);
        let event = received_event(&world.south, 2, &answer);
        world.north.append(NOW + 1, event);
        statements.push((ItemKind::Statement, confirm.signed(&world.north.signing)));
        statements.push((ItemKind::Statement, answer.signed(&world.south.signing)));
    }
    let north = &world.north;
    let size = north.size();
    let checkpoint = north.checkpoint(size) + &world.south.cosign(north, size, NOW + 50);
    let agreement = world.signed_agreement(&world.agreement()).encode();
    let epoch = world.south.signing.signed("symbolon/1 epoch card", &world.epoch_card());
    let mut draft = Draft::new();
    draft.add(ItemKind::Card, north.signed_card());
    draft.add(ItemKind::Card, world.south.signed_card());
    draft.add(ItemKind::Agreement, agreement);
    draft.add(ItemKind::EpochCard, epoch);
    draft.add(ItemKind::Checkpoint, checkpoint.into_bytes());
    statements.into_iter().for_each(|(kind, bytes)| draft.add(kind, bytes));
    for index in 1..size {
        draft.add(ItemKind::Opening, north.opening(index, size).encode());
    }
    let making = Making {
        node: north.id(),
        card_digest: north.card_digest(),
        built_at: NOW + 100,
        officer: "officer".into(),
        reason: "measuring".into(),
        subject: Subject { kind: "case".into(), name: "T-7".into() },
    };
    let unsigned = draft.manifest(making).unwrap();
    let (ed25519, mldsa65) = north.signing.sign(MANIFEST_LABEL, unsigned.as_bytes());
    unsigned.finish(ed25519, mldsa65).unwrap().bytes
}

/// The same statement under another id, in reply to another question.
fn changed(statement: &Statement, id: u8, question: Option<&Statement>) -> Statement {
    let mut content = statement.content.clone();
    content.at(&[1]).as_bytes()[0] = id;
    if let Some(question) = question {
        let mut payload = Cbor::decode(content.at(&[9]).as_bytes());
        *payload.at(&[1]) = bytes(question.id());
        *content.at(&[9]) = bytes(payload.encode());
    }
    Statement { content }
}
