//! Encoded samples of log entries, and the leaves that they give; no product code.
//!
//! Implements the entries of spec/vectors/symbolon.

use serde_json::{Value, json};
use symbolon_audit::{
    Act, AlertAct, AlertEvent, DeletedEvent, Entry, ErasedEvent, LeafRange, Logged, OpeningEvent,
    PolicyEvent, ReadEvent, Who,
};
use symbolon_codec::encode;
use symbolon_trust::{Mode, NodeId};

use crate::sample::{NOW, SEED, alert_record};

const RECORD: &str = "01900000-0000-7000-8000-000000000001";
const QUERY: &str = "00112233445566778899aabbccddeeff";

fn read(object: &str, id: &str, count: u64, reason: &str, act: Act) -> ReadEvent {
    let (object, id, reason) = (object.to_owned(), id.to_owned(), reason.to_owned());
    ReadEvent { object, id, count, reason, act }
}

fn shown() -> ReadEvent {
    read("record", RECORD, 1, "case T-1", Act::Shown)
}

fn exported() -> ReadEvent {
    read("log", "", 300, "", Act::Exported)
}

fn opening() -> OpeningEvent {
    let (query, auditor) = (QUERY.to_owned(), "auditor/ada".to_owned());
    let (until, reason) = (NOW + 604_800, "yearly sample".to_owned());
    OpeningEvent { query, auditor, until, reason, act: Act::Made }
}

fn erased() -> ErasedEvent {
    let ranges = vec![LeafRange { from: 1, to: 50 }, LeafRange { from: 51, to: 53 }];
    ErasedEvent { ranges, before: NOW - 31 * 86_400, count: 51, reason: "retention".to_owned() }
}

fn alert(mode: Mode) -> AlertEvent {
    let record = alert_record(mode);
    let (alert, version) = (record.id(), record.version());
    AlertEvent { act: AlertAct::Accepted, alert, version, mode, recipients: 3 }
}

pub(crate) fn deleted() -> DeletedEvent {
    let record = alert_record(Mode::Live);
    let (origin, statement_hash) = (NodeId::from_bytes([5; 32]), [6; 32]);
    DeletedEvent { alert: record.id(), origin, statement_hash, mode: Mode::Live }
}

/// The fields of events, each with its rule in spec/messages.cddl.
pub(crate) fn samples() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("read", "read-event", encode(&shown())),
        ("read_export", "read-event", encode(&exported())),
        ("query_opening", "opening-event", encode(&opening())),
        ("erased", "erased-event", encode(&erased())),
        ("alert", "alert-event", encode(&alert(Mode::Live))),
        ("exercise", "alert-event", encode(&alert(Mode::Exercise))),
        ("deleted", "deleted-event", encode(&deleted())),
    ]
}

/// Whole entries with their leaves under one salt.
pub(crate) fn vector() -> Value {
    let officer = Who { now: NOW, actor: "ada" };
    let auditor = Who { now: NOW, actor: "auditor/ada" };
    let node = Who { now: NOW, actor: "node" };
    let opened = read("query", QUERY, 1, "sampling", Act::Shown);
    let entries = [
        ("read", Entry::read(officer, shown())),
        ("read_export", Entry::read(officer, exported())),
        ("read_by_an_auditor", Entry::read(auditor, opened)),
        ("opening", Entry::opening(officer, opening())),
        ("erased", Entry::erased(node, erased())),
        ("policy", Entry::policy(node, PolicyEvent { digest: [7; 32], act: Act::Accepted })),
        ("heartbeat", Entry::heartbeat(node)),
        ("alert", Entry::alert(officer, alert(Mode::Live))),
        ("exercise", Entry::alert(officer, alert(Mode::Exercise))),
        ("deleted", Entry::deleted(node, deleted())),
    ];
    let rows = entries.into_iter().map(|(name, entry)| {
        let (encoded, logged) = (hex::encode(encode(&entry)), Logged::new(entry, SEED));
        json!({
            "event": name,
            "entry": encoded,
            "leaf": hex::encode(logged.leaf().as_bytes()),
            "leaf_hash": hex::encode(logged.leaf().leaf_hash().as_bytes()),
        })
    });
    json!({ "salt": hex::encode(SEED), "entries": rows.collect::<Vec<_>>() })
}
