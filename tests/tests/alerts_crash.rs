//! Both nodes are killed again and again while alerts pour in; what was acknowledged to a sender
//! is there once, at both ends, in the order in which it was sent.
//!
//! Breaks spec/alerts.md#delivery on purpose, and must fail to. `SYMBOLON_KILLS` says how often.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_tests::{Dice, Node, neighbours, post, wait_for};

/// Enough to meet every step of a delivery with a kill now and then, within a minute.
const KILLS: u64 = 24;
const SENDERS: u64 = 3;
/// A node lives so long between two kills, in milliseconds, at most: long enough to deliver.
const LIFE_MS_MAX: u64 = 900;
/// Longer than a silent connection keeps its seat and a lane waits, in seconds.
const PATIENCE_SECONDS: u64 = 120;

/// What one sender handed in, in its order, each of it acknowledged.
struct Sender {
    number: u64,
    ids: Vec<String>,
}

impl Sender {
    /// Sends until told to stop, each alert under its key until it is acknowledged.
    fn run(number: u64, socket: &Path, is_over: &AtomicBool) -> Sender {
        let mut sender = Sender { number, ids: Vec::new() };
        while !is_over.load(Ordering::Relaxed) {
            let place = sender.ids.len();
            let form = json!({
                "kind": "material_out_of_control", "what": title(number, place), "where": "NO",
                "when": "2026-11-20", "urgency": "flash", "tlp": "green",
            });
            let key = format!("sender-{number:04}-alarm-{place:08}");
            let request = json!({ "form": form, "idempotency_key": key }).to_string();
            let id = wait_for("an alert is accepted", PATIENCE_SECONDS, || {
                let answer = post(socket, "alert/send", request.as_bytes())?.result?;
                Some(answer["id"].as_str()?.to_owned())
            });
            sender.ids.push(id);
        }
        sender
    }
}

fn title(sender: u64, place: usize) -> String {
    format!("Alarm {place} of {sender}")
}

/// Kills one side after the other at moments that the dice choose.
fn kill(nodes: &mut [Node; 2], kills: u64) {
    let mut dice = Dice(0x0a1e_27c4);
    // Nobody sends: the moment of the kill is the time-out.
    let (_held, never) = channel::<()>();
    for _ in 0..kills {
        let life = Duration::from_millis(dice.below(LIFE_MS_MAX));
        assert_eq!(never.recv_timeout(life), Err(RecvTimeoutError::Timeout));
        let node = &mut nodes[(dice.below(2)) as usize];
        node.kill();
        node.start();
    }
}

/// Id and title of every alert in a direction.
fn listed(node: &Node, direction: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut request = json!({ "direction": direction, "limit": 1000 });
    loop {
        let page = node.call("alert/list", &request);
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        let alerts = page["alerts"].as_array().unwrap();
        rows.extend(alerts.iter().map(|row| (text(row, "id"), text(row, "title"))));
        match page["next"].as_str() {
            Some(next) => request["after"] = json!(next),
            None => return rows,
        }
    }
}

/// The leaf of the recipient's log that says that an alert came in.
fn leaf_there(origin: &Node, id: &str) -> u64 {
    let row = wait_for("an alert is delivered", PATIENCE_SECONDS, || {
        let acks = origin.call("alert/acks", &json!({ "id": id }));
        let rows = acks["recipients"].as_array()?;
        assert_eq!(rows.len(), 1, "{acks}");
        (rows[0]["state"] == "delivered").then(|| rows[0].clone())
    });
    row["their_index"].as_u64().unwrap()
}

/// How many statements a node's log says it has applied.
fn received(node: &Node) -> u64 {
    let counts = node.call("audit/counts", &json!({}));
    let rows = counts["entries"].as_array().unwrap();
    let of = rows.iter().filter(|row| row["what"] == "received");
    of.map(|row| row["count"].as_u64().unwrap()).sum()
}

#[test]
fn what_is_acknowledged_is_delivered_once_whoever_dies() {
    let kills = std::env::var("SYMBOLON_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let socket = north.directory.join("api.sock");
    let is_over = AtomicBool::new(false);
    let mut nodes = [north, south];
    let senders: Vec<Sender> = std::thread::scope(|scope| {
        let run = |number| {
            let (socket, is_over) = (&socket, &is_over);
            scope.spawn(move || Sender::run(number, socket, is_over))
        };
        let running: Vec<_> = (0..SENDERS).map(run).collect();
        kill(&mut nodes, kills);
        is_over.store(true, Ordering::Relaxed);
        running.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let [north, south] = nodes;

    // Delivered, each sender's in its order: a recipient's leaf never changes its place.
    let mut leaves = BTreeSet::new();
    let mut expected = BTreeSet::new();
    for sender in &senders {
        assert!(!sender.ids.is_empty(), "every sender got something through");
        let there: Vec<u64> = sender.ids.iter().map(|id| leaf_there(&north, id)).collect();
        assert!(there.is_sorted_by(|one, next| one < next), "{}: {there:?}", sender.number);
        leaves.extend(there);
        let named = sender.ids.iter().cloned().enumerate();
        expected.extend(named.map(|(place, id)| (id, title(sender.number, place))));
    }
    let count: usize = senders.iter().map(|sender| sender.ids.len()).sum();
    eprintln!("{count} alerts through {kills} kills");
    assert_eq!((leaves.len(), expected.len()), (count, count), "no two are one");

    // Once at both ends, and nothing beside them.
    for (node, direction) in [(&north, "sent"), (&south, "received")] {
        let rows = listed(node, direction);
        assert_eq!(rows.len(), count, "{direction}: nothing twice, nothing else");
        assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), expected, "{direction}");
        node.log_holds();
    }
    assert_eq!(received(&south), u64::try_from(count).unwrap(), "each was applied once");
    let agreed = north.call("audit/reconcile", &json!({ "partner": "south" }));
    assert_eq!(agreed["agrees"], true, "{agreed}");
}
