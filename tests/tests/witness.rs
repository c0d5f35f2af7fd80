//! Two nodes watch each other's logs: cosignatures, two histories, receipts, and both accounts.
//!
//! Holds the program to spec/accountability.md and spec/log.md#witness.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::path::Path;

use serde_json::{Value, json};
use symbolon_tests::{Node, PURPOSE, columns, introduce, neighbours, row, wait_for};
use symbolon_tlog::{CheckpointVerifier, LogVerifier, SignedCheckpoint, SplitView};

const CHECK_FAILED: i32 = 6;

fn vkeys(node: &Node) -> Vec<String> {
    let page = node.call("audit/leaves", &json!({ "limit": 1 }));
    page["vkeys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn alarms(node: &Node) -> Vec<Value> {
    node.call("audit/alarms", &json!({}))["alarms"].as_array().unwrap().clone()
}

fn finding(node: &Node, area: &str) -> Value {
    let report = node.call("node/doctor", &json!({}));
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["area"] == area).unwrap().clone()
}

/// Both hold one passport; south publishes it.
fn world(folder: &Path) -> (Node, Node) {
    let (north, south) = neighbours(folder, &json!({ "document": 1_000 }));
    let own = columns() + &row("N-1", "green", "Ada Vexley", "passport", "KX1002001");
    assert!(north.import(&own).unwrap().result.is_some());
    let theirs = columns() + &row("S-1", "green", "A. Vexley", "passport", "kx1002001");
    assert!(south.import(&theirs).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    (north, south)
}

/// The log cosigned to its last leaf. What a node does when it starts may still be adding some.
fn cosigned_whole(node: &Node) -> Value {
    wait_for("the partner cosigns all there is", 20, || {
        let report = node.call("audit/cosign", &json!({}));
        let size = node.log_holds();
        (report["partners"][0]["size"] == size && report["size"] == size).then_some(report)
    })
}

fn tally(report: &Value, what: &str) -> (u64, u64) {
    let tallies = report["tallies"].as_array().unwrap();
    let found = tallies.iter().find(|tally| tally["what"] == what).unwrap();
    (found["here"].as_u64().unwrap(), found["there"].as_u64().unwrap())
}

#[test]
fn partners_cosign_and_anyone_can_check_it() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = world(folder.path());
    // A session is enough: nobody asks for the cosignature.
    assert_eq!(north.ask("passport", "KX1002001")["outcome"], "hit");
    wait_for("south cosigns after a session", 20, || {
        (finding(&north, "cosigning")["state"] == "well").then_some(())
    });
    // South was dialled, and has its own log cosigned all the same.
    wait_for("north cosigns after the session", 20, || {
        (finding(&south, "cosigning")["state"] == "well").then_some(())
    });

    assert_eq!(north.ask("passport", "KX7007007")["outcome"], "no_hit");
    let report = cosigned_whole(&north);
    let signed = SignedCheckpoint::parse(report["checkpoint"].as_str().unwrap()).unwrap();
    assert_eq!(signed.checkpoint().size(), report["size"].as_u64().unwrap());
    let cosigner = CheckpointVerifier::parse(&vkeys(&south)).unwrap().cosigner();
    let cosigned = cosigner.verify(&signed).unwrap();
    assert!(cosigned.timestamp().is_some(), "it states that it knew no larger tree");
    assert!(CheckpointVerifier::parse(&vkeys(&north)).unwrap().verify(&signed).is_ok());

    // Asked again without a new leaf, the same answer comes and nothing grows.
    let before = (north.log_holds(), south.log_holds());
    let again = north.call("audit/cosign", &json!({}));
    assert_eq!(again["checkpoint"], report["checkpoint"]);
    assert_eq!((north.log_holds(), south.log_holds()), before);
    assert!(alarms(&north).is_empty() && alarms(&south).is_empty());
}

#[test]
fn a_log_beats_and_is_cosigned_though_nothing_happens() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = [("north", "NOR"), ("south", "PRT")].map(|(name, country)| {
        let node = Node::new(folder.path(), name, country);
        let path = node.directory.join("symbolon.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let quick = text.replace("interval_seconds = 300", "interval_seconds = 1");
        assert_ne!(text, quick, "the cadence stands in the file");
        std::fs::write(&path, quick).unwrap();
        node
    });
    nodes.iter_mut().for_each(Node::start);
    let [north, south] = &nodes;
    introduce(north, south, &json!({ "document": 1_000 }));
    for node in &nodes {
        let size = wait_for("the log beats and is cosigned", 30, || {
            let beats = node.call("audit/verify", &json!({}))["entries"]["heartbeat"].as_u64();
            let checked = finding(node, "cosigning")["state"] == "well";
            (beats >= Some(8) && checked).then(|| node.log_holds())
        });
        assert!(size > 8);
        // At each beat the log stands at a multiple of four; between beats nothing is added here.
        let report = node.call("audit/cosign", &json!({}));
        assert_eq!(report["size"].as_u64().unwrap() % 4, 0, "{report}");
    }
}

/// A copy of a node's folder, without its socket.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Puts back an earlier copy of a node and lets it write another history, longer than the first.
fn rewrite(node: &mut Node, kept: &Path) {
    let size = node.log_holds();
    node.stop();
    std::fs::remove_dir_all(&node.directory).unwrap();
    copy(kept, &node.directory);
    node.start();
    let record = node.call("record/list", &json!({}))["records"][0]["id"].clone();
    while node.log_holds() < size + 2 {
        let _shown = node.call("record/show", &json!({ "id": record, "reason": "test" }));
    }
}

#[test]
fn a_node_that_rewrites_its_history_is_caught_with_proof() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, south) = world(folder.path());
    let kept = folder.path().join("kept");
    north.stop();
    copy(&north.directory, &kept);
    north.start();
    assert_eq!(north.ask("passport", "KX1002001")["outcome"], "hit");
    let _report = cosigned_whole(&north);

    rewrite(&mut north, &kept);
    let refused = north.call("audit/cosign", &json!({}));
    let cause = refused["partners"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("does not continue"), "{refused}");
    assert_eq!(north.ask("passport", "KX1002001")["outcome"], "not_asked");

    let raised = alarms(&south);
    assert_eq!((raised.len(), &raised[0]["kind"]), (1, &json!("split_view")), "{raised:?}");
    assert_eq!(raised[0]["partner"], "north");
    // The proof convinces whoever has nothing but north's keys.
    let proof = SplitView::parse(raised[0]["proof"].as_str().unwrap()).unwrap();
    let verifier = LogVerifier::from(CheckpointVerifier::parse(&vkeys(&north)).unwrap());
    let proven = proof.verify(&verifier).unwrap();
    assert!(proven.older().size() < proven.newer().size());
    let own = alarms(&north);
    assert_eq!((own.len(), &own[0]["kind"]), (1, &json!("own_log_refused")), "{own:?}");

    // It stays, also through a restart and the next attempt, until a person closes it.
    assert_eq!(finding(&south, "alarms")["state"], "failing");
    let _again = north.call("audit/cosign", &json!({}));
    assert_eq!(alarms(&south).len(), 1, "one thing is one alarm");
    let id = raised[0]["id"].as_str().unwrap();
    assert_eq!(south.command(&["audit", "close", id, "--reason", ""]).status.code(), Some(2));
    let closed = south.command(&["audit", "close", id, "--reason", "north restored a backup"]);
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
    assert_eq!(finding(&south, "alarms")["state"], "well");
    let all = south.call("audit/alarms", &json!({ "closed": true }));
    assert_eq!(all["alarms"][0]["closed_because"], "north restored a backup");
    assert_eq!(all["alarms"][0]["proof"], raised[0]["proof"], "the proof is kept");
    south.log_holds();
}

#[test]
fn both_logs_account_for_the_same_and_every_receipt_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = world(folder.path());
    let hit = north.ask("passport", "KX1002001")["hit"].clone();
    let _none = north.ask("passport", "KX7007007");
    let confirm =
        json!({ "id": hit, "reason": { "purpose": PURPOSE, "case": "T-1", "legal_basis": "" } });
    assert_eq!(north.call("hit/confirm", &confirm)["outcome"], "released");

    // South has a receipt for its disclosure already; north none for its queries.
    let owed = |node: &Node| {
        let items = node.call("audit/overdue", &json!({ "seconds": 0 }))["items"].clone();
        let kinds = items.as_array().unwrap().iter().map(|item| item["what"].to_string());
        kinds.collect::<Vec<String>>()
    };
    let mut due = owed(&north);
    due.sort();
    assert_eq!(due, ["\"confirm\"", "\"query\"", "\"query\""]);
    assert_eq!(owed(&south), Vec::<String>::new());

    let report = north.call("audit/reconcile", &json!({ "partner": "south" }));
    assert_eq!((&report["agrees"], &report["differences"]), (&json!(true), &json!([])), "{report}");
    assert_eq!(tally(&report, "queries asked"), (2, 2));
    assert_eq!(tally(&report, "confirms sent"), (1, 1));
    assert_eq!(tally(&report, "disclosures received"), (1, 1));
    assert_eq!(tally(&report, "queries answered"), (0, 0));
    assert_eq!(owed(&north), Vec::<String>::new(), "the account is the receipt for everything");
    let mirrored = south.call("audit/reconcile", &json!({ "partner": "north" }));
    assert_eq!(mirrored["agrees"], true, "{mirrored}");
    assert_eq!(tally(&mirrored, "queries answered"), (2, 2));
    assert_eq!(tally(&mirrored, "disclosures sent"), (1, 1));
    let shown = north.command(&["audit", "reconcile", "south"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success() && text.contains("both logs say the same"), "{text}");

    // A query that never arrives is named, and is nobody's fault.
    south.stop();
    assert_eq!(north.ask("passport", "KX1002001")["outcome"], "not_asked");
    south.start();
    let report = wait_for("south is reached again", 30, || {
        north.post("audit/reconcile", &json!({ "partner": "south" }))?.result
    });
    assert_eq!(report["agrees"], true, "{report}");

    // A log that lacks what it did is found out, item by item.
    let kept = folder.path().join("kept");
    north.stop();
    copy(&north.directory, &kept);
    north.start();
    let hit = wait_for("north asks again", 30, || {
        let answer = north.ask("passport", "KX1002001");
        (answer["outcome"] == "hit").then_some(answer)
    });
    rewrite(&mut north, &kept);
    let report = south.call("audit/reconcile", &json!({ "partner": "north" }));
    assert_eq!(report["agrees"], false, "{report} {hit}");
    let found = report["differences"].as_array().unwrap();
    let serious: Vec<&Value> = found.iter().filter(|found| found["is_serious"] == true).collect();
    assert_eq!(serious.len(), 1, "{report}");
    assert_eq!(serious[0]["words"], "answered here, and never committed to there");
    assert_eq!(found.len(), 2, "beside it only the query that did not arrive: {report}");
    let shown = south.command(&["audit", "reconcile", "north"]);
    assert_eq!(shown.status.code(), Some(CHECK_FAILED));
}
