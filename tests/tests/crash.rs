//! Nodes are killed again and again in the midst of work; nothing acknowledged may be gone.
//!
//! Breaks spec/architecture.md#invariants 7 on purpose, and must fail to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::{Answer, Dice, Node, PURPOSE, columns, neighbours, row};

const IMPORTS: u64 = 18;
const QUERIES: u64 = 18;
const CONFIRMS: u64 = 18;
const KILLS_MIN: u64 = 50;
const ROWS: u64 = 200;
const SHARED: u64 = 40;

/// What was acknowledged so far.
#[derive(Default)]
struct Acknowledged {
    records: u64,
    hits: BTreeSet<String>,
    released: BTreeSet<String>,
    log_size: u64,
}

impl Acknowledged {
    /// All of it is there.
    fn check(&mut self, node: &Node) {
        let status = node.call("node/status", &json!({}));
        assert!(status["records"].as_u64().unwrap() >= self.records, "{status}");
        let size = node.log_holds();
        assert!(size >= self.log_size, "the log had {} leaves and has {size}", self.log_size);
        self.log_size = size;
        let page = node.call("hit/list", &json!({ "limit": 1000 }));
        let hits: BTreeSet<&str> =
            page["hits"].as_array().unwrap().iter().map(|hit| text(&hit["id"])).collect();
        for hit in &self.hits {
            assert!(hits.contains(hit.as_str()), "a hit is gone");
        }
        for hit in &self.released {
            let shown = node.call("hit/show", &json!({ "id": hit }));
            assert_eq!(shown["hit"]["state"], "released");
            assert_eq!(shown["released"].as_array().unwrap().len(), 1, "kept once");
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn table(round: u64) -> String {
    let rows = (0..ROWS).map(|number| {
        let id = format!("{round}-{number}");
        row(&format!("R-{id}"), "green", "Ida Zorn", "email", &format!("m{id}@example.org"))
    });
    columns() + &rows.collect::<String>()
}

fn passport(number: u64) -> String {
    format!("KZ{:07}", 1_000_000 + number * 13)
}

fn shared() -> String {
    let rows = (0..SHARED).map(|number| {
        row(&format!("S-{number}"), "green", "Jo Yarn", "passport", &passport(number))
    });
    columns() + &rows.collect::<String>()
}

/// Works on `node` and kills it within `span`; what it had answered before, and how long it took.
fn killed_in(
    node: &mut Node,
    span: Duration,
    dice: &mut Dice,
    work: impl FnOnce(&Node) -> Option<Answer> + Send,
) -> Option<Answer> {
    let wait = span.mul_f64((dice.below(1000) as f64) / 1000.0);
    let (done, finished) = channel();
    let answer = std::thread::scope(|scope| {
        let shown: &Node = node;
        let working = scope.spawn(move || {
            let answer = work(shown);
            let _ = done.send(());
            answer
        });
        // Not waiting for anything: the moment of the kill is meant to be random.
        let early = finished.recv_timeout(wait);
        assert_ne!(early, Err(RecvTimeoutError::Disconnected));
        shown.kill_now();
        working.join().unwrap()
    });
    node.kill();
    node.start();
    answer
}

fn ask(node: &Node, number: u64) -> Option<Answer> {
    let request = json!({
        "identifiers": [{ "kind": "passport", "text": passport(number) }],
        "reason": { "purpose": PURPOSE, "case": "T-1" },
    });
    node.post("query/ask", &request)
}

fn hit_in(answer: &Value) -> Option<String> {
    let answer = &answer["identifiers"][0]["answers"][0];
    match text(&answer["outcome"]) {
        "hit" => Some(text(&answer["hit"]).to_owned()),
        // The partner may still be busy with a connection that has died.
        "not_asked" => None,
        other => panic!("{other}: both hold it"),
    }
}

/// Longer than a silent connection keeps its seat, in seconds.
const PATIENCE_SECONDS: u64 = 50;

fn measured(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) =
        neighbours(folder.path(), &json!({ "document": 1_000_000, "contact": 1_000_000 }));
    assert_eq!(south.import(&shared()).unwrap().result.unwrap()["records_new"], SHARED);
    let _sets = south.call("exchange/publish", &json!({ "partners": ["north"] }));
    let (mut dice, mut known, mut kills) = (Dice(0xdead), Acknowledged::default(), 0);

    let span = measured(|| known.records = new_records(north.import(&table(0))));
    for round in 1..=IMPORTS {
        let answer = killed_in(&mut north, span, &mut dice, |node| node.import(&table(round)));
        kills += 1;
        if answer.as_ref().is_some_and(|answer| answer.result.is_some()) {
            known.records += new_records(answer);
        }
        known.check(&north);
    }
    for round in 0..=IMPORTS {
        let _report = north.import(&table(round)).unwrap().result.unwrap();
    }
    known.records = (IMPORTS + 1) * ROWS;
    let status = north.call("node/status", &json!({}));
    assert_eq!(status["records"], known.records, "each record is there once");

    let first = hit_in(&ask(&north, 0).unwrap().result.unwrap()).unwrap();
    let span = measured(|| known.hits.extend(hit_in(&ask(&north, 1).unwrap().result.unwrap())));
    known.hits.insert(first.clone());
    for round in 0..QUERIES {
        let answer = killed_in(&mut north, span, &mut dice, |node| ask(node, round));
        kills += 1;
        known.hits.extend(answer.and_then(|answer| answer.result).and_then(|found| hit_in(&found)));
        known.check(&north);
        south.log_holds();
    }

    let confirm = |node: &Node, hit: &str| {
        let reason = json!({ "purpose": PURPOSE, "case": "T-1" });
        node.post("hit/confirm", &json!({ "id": hit, "reason": reason }))
    };
    // The holder keeps a seat for every asker that died, until it has been silent for 30 s.
    let span = symbolon_tests::wait_for("a seat is free", PATIENCE_SECONDS, || {
        let begun = Instant::now();
        let done = confirm(&north, &first)?.result?;
        (done["outcome"] == "released").then(|| begun.elapsed())
    });
    known.released.insert(first);
    let mut holder_size = south.log_holds();
    for round in 0..CONFIRMS {
        let Some(hit) = hit_of(&north, 2 + round) else {
            continue;
        };
        known.hits.insert(hit.clone());
        // The two sides of a confirm take turns in dying.
        let answer = if round % 2 == 0 {
            killed_in(&mut north, span, &mut dice, |node| confirm(node, &hit))
        } else {
            let asker = &north;
            killed_in(&mut south, span, &mut dice, |_| confirm(asker, &hit))
        };
        kills += 1;
        let done = answer.and_then(|answer| answer.result);
        if done.is_some_and(|done| done["outcome"] == "released") {
            known.released.insert(hit);
        }
        known.check(&north);
        let size = south.log_holds();
        assert!(size >= holder_size, "the holder's log has shrunk");
        holder_size = size;
    }
    assert!(kills >= KILLS_MIN, "{kills} kills");
    assert!(known.released.len() > 1, "some confirms came through");
}

fn new_records(answer: Option<Answer>) -> u64 {
    answer.and_then(|answer| answer.result).unwrap()["records_new"].as_u64().unwrap()
}

/// The hit of a shared passport, asked until the partner answers again.
fn hit_of(node: &Node, number: u64) -> Option<String> {
    symbolon_tests::wait_for("the partner answers", PATIENCE_SECONDS, || {
        ask(node, number)?.result.map(|found| hit_in(&found)).filter(Option::is_some)
    })
}
