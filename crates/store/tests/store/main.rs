//! The store as its users see it: one conformance suite on both backends, and what only files show.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers: a surprise must end the test"
)]

mod alerts;
mod around;
mod conformance;
mod crash;
mod erasure;
mod files;
mod foreseen;
mod relays;

use std::path::Path;

use symbolon_audit::{Act, Entry, PolicyEvent, Who};
use symbolon_ident::{Class, MatchKey};
use symbolon_record::{Record, sample};
use symbolon_store::{BudgetKey, Cost, Direction, IndexKey, Store, Unlock};
use symbolon_trust::NodeId;

fn partner_id() -> NodeId {
    NodeId::from_bytes([4; 32])
}

fn budget() -> BudgetKey {
    let direction = Direction::Answered;
    BudgetKey { partner: partner_id(), class: Class::Document, epoch: 3, direction }
}

fn unlock() -> Unlock {
    Unlock::key_file(vec![7; 32]).unwrap()
}

fn create(directory: &Path) -> Store {
    Store::create(directory, &unlock(), Cost::dangerous_cheap(), [1; 32]).unwrap();
    open(directory, 2)
}

fn open(directory: &Path, seed: u8) -> Store {
    Store::open(directory, &unlock(), [seed; 32]).unwrap()
}

fn entry(number: u64) -> Entry {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    Entry::policy(Who { now: number, actor: "node" }, PolicyEvent { digest, act: Act::Accepted })
}

fn record(number: u64) -> Record {
    sample::record(number).unwrap()
}

/// A sample record that has match keys, and its keys.
fn indexed(from: u64) -> (Record, Vec<IndexKey>) {
    (from..)
        .map(|number| (record(number), keys(&record(number))))
        .find(|(_, keys)| !keys.is_empty())
        .unwrap()
}

fn keys(record: &Record) -> Vec<IndexKey> {
    let subjects = record.content().subjects.iter().enumerate();
    subjects
        .flat_map(|(subject, of)| {
            let canonical =
                of.identifiers.iter().filter_map(|identifier| identifier.canonical().ok());
            let keys: Vec<MatchKey> =
                canonical.flat_map(|canonical| canonical.keys().to_vec()).collect();
            keys.into_iter()
                .map(move |key| IndexKey { subject: u16::try_from(subject).unwrap(), key })
        })
        .collect()
}
