//! Whole lists matched at once between two real nodes: exactly what both hold and may match, and
//! what an auditor sees of it.
//!
//! Holds the program to spec/matching.md#bulk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_store::{Store, Unlock, Write};
use symbolon_tests::{Node, PURPOSE, columns, introduce, neighbours, program, row, wait_for};

const NO_MATCH_OF_AMBER: &str = "\n@id(\"no-match-of-amber\")\n\
    forbid (principal, action == Action::\"match\", resource)\n\
    when { resource.tlp == Tlp::\"amber\" };\n";

/// Passports of these numbers, every tenth of them amber.
fn list(numbers: std::ops::Range<u32>) -> String {
    let mut table = columns();
    for number in numbers {
        let tlp = if number % 10 == 0 { "amber" } else { "green" };
        let (reference, passport) = (format!("R-{number}"), format!("KX{number:07}"));
        let name = format!("Person {number}");
        write!(table, "{}", row(&reference, tlp, &name, "passport", &passport)).unwrap();
    }
    table
}

fn run(node: &Node, engine: &str, case: &str) -> Value {
    let partner = if node.name == "north" { "south" } else { "north" };
    let reason = json!({ "purpose": PURPOSE, "case": case });
    let request = json!({ "partner": partner, "engine": engine, "reason": reason });
    node.call("exchange/run", &request)
}

fn met(report: &Value) -> (u64, &Value) {
    (report["hits_by_kind"]["passport"].as_u64().unwrap_or(0), &report["classes"][0]["not_asked"])
}

#[test]
fn a_whole_list_is_matched_exactly_and_opens_for_the_auditor() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    let mut south = Node::new(folder.path(), "south", "PRT");
    let policy = south.directory.join("policy.cedar");
    let text = std::fs::read_to_string(&policy).unwrap() + NO_MATCH_OF_AMBER;
    std::fs::write(&policy, text).unwrap();
    north.start();
    south.start();
    introduce(&north, &south, &json!({ "document": 100_000 }));
    assert!(north.import(&list(0..3_000)).unwrap().result.is_some());
    assert!(south.import(&list(2_300..5_300)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));

    // 700 numbers are on both lists; a tenth of them policy keeps out.
    let report = run(&north, "psi", "T-1");
    assert_eq!(met(&report), (630, &Value::Null), "{report}");
    let own = report["classes"][0]["asked"].as_u64().unwrap();
    assert!(own >= 3_000, "the whole own list was matched: {report}");
    // Key by key gives the same.
    let by_key = run(&north, "oprf", "T-2");
    assert_eq!((met(&by_key), by_key["hits_new"].as_u64()), ((630, &Value::Null), Some(0)));
    assert_eq!(met(&run(&north, "psi", "T-1")), (630, &Value::Null), "done stays done");

    // What met is asked for like any other hit: it can be confirmed.
    let hit = north.call("hit/list", &json!({ "limit": 1 }))["hits"][0]["id"].clone();
    let confirm = json!({ "id": hit, "reason": { "purpose": PURPOSE, "case": "T-1" } });
    assert_eq!(north.call("hit/confirm", &confirm)["outcome"], "released");
    let agreed = north.call("audit/reconcile", &json!({ "partner": "south" }));
    assert_eq!((&agreed["agrees"], &agreed["differences"]), (&json!(true), &json!([])));

    // The auditor sees the whole set, proved to be the one that was committed to.
    let open = json!({ "query": report["id"], "reason": "sampling" });
    let opened = north.call("audit/open", &open);
    assert_eq!(opened["holds"], true);
    let queries = opened["queries"].as_array().unwrap();
    let keys = |query: &&Value| query["keys"].as_array().unwrap().len() as u64;
    let largest = queries.iter().max_by_key(keys).unwrap();
    assert_eq!(keys(&largest), own, "every key of the set is shown");
    assert_eq!(largest["case"], "T-1");
    forget_a_row(&mut north);
    let opened = north.call("audit/open", &open);
    assert_eq!(opened["holds"], false, "a set that lacks keys is not the one in the log");
    north.log_holds();
    south.log_holds();
}

/// Removes a row of a set's keys, as somebody with the node's key could.
fn forget_a_row(node: &mut Node) {
    node.stop();
    let key = std::fs::read(node.directory.with_extension("key")).unwrap();
    let store = Store::open(&node.directory, &Unlock::key_file(key).unwrap(), [1; 32]).unwrap();
    let rows = store.progress_list("set/").unwrap();
    assert!(rows.len() > 2);
    store.commit(Write::new().progress_delete(&rows[1].0)).unwrap();
    drop(store);
    node.start();
}

/// What the entries of a kind say in a node's log.
fn entries(node: &Node, kind: &str) -> Vec<String> {
    let page = node.call("audit/show", &json!({ "limit": 1_000 }));
    let entries = page["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind);
    entries.map(|entry| entry["summary"].as_str().unwrap().to_owned()).collect()
}

/// How many queries or evaluations were of a whole set: those of single keys have fewer elements.
fn sets(node: &Node, kind: &str) -> usize {
    let is_set = |summary: &String| {
        let (before, _) = summary.split_once(" elements").unwrap();
        before.rsplit(' ').next().unwrap().parse::<u64>().unwrap() > 1_024
    };
    entries(node, kind).iter().filter(|summary| is_set(summary)).count()
}

/// How often a node's log has that the other signed the transcript of a match.
fn signed_matches(node: &Node) -> usize {
    entries(node, "received").iter().filter(|summary| summary.starts_with("kind 11,")).count()
}

#[test]
fn a_match_killed_between_two_partitions_goes_on_with_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &json!({ "document": 60_000 }));
    // Both plan from what the asker proposes, and have the most of their sets in the store.
    for node in [&mut north, &mut south] {
        node.stop();
        node.configure("bulk_partition_items = 2048");
        node.start();
    }
    assert!(north.import(&list(0..6_000)).unwrap().result.is_some());
    assert!(south.import(&list(5_300..11_300)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));

    let reason = json!({ "purpose": PURPOSE, "case": "T-1" });
    let request = json!({ "partner": "south", "engine": "psi", "reason": reason });
    let is_between = north.kill_at("exchange/run", &request, "matching partitions");
    assert!(is_between, "there are partitions, and one is done");
    north.start();
    let (report, raw) = wait_for("the match goes on", 60, || {
        let answer = north.post("exchange/run", &request)?;
        let report = answer.result.unwrap();
        met(&report).1.is_null().then_some((report, answer.raw))
    });
    assert_eq!(met(&report).0, 700, "{report}");
    let raw = String::from_utf8(raw).unwrap();
    let done = |line: &str| -> Option<(u64, u64)> {
        let line: Value = serde_json::from_str(line).ok()?;
        let progress = &line["progress"];
        let is_match = progress["stage"].as_str()?.starts_with("matching partitions");
        is_match.then_some((progress["done"].as_u64()?, progress["total"].as_u64()?))
    };
    let done: Vec<(u64, u64)> = raw.lines().filter_map(done).collect();
    assert!(done.iter().all(|(done, total)| *done > 1 && *total > 2), "not again: {done:?}");
    // Another match would have to be committed to again.
    assert_eq!((sets(&north, "query"), sets(&south, "evaluation")), (1, 1));
    for node in [&north, &south] {
        assert_eq!(signed_matches(node), 1, "{} has what the other signed", node.name);
        node.log_holds();
    }
}

#[test]
fn more_in_common_than_is_plausible_is_not_looked_at_and_rings() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    for node in [&north, &south] {
        assert!(node.import(&list(0..2_000)).unwrap().result.is_some());
    }
    let _sets = south.call("exchange/publish", &json!({}));
    let report = run(&north, "psi", "T-1");
    let (count, cause) = met(&report);
    assert!(count == 0 && cause.as_str().unwrap().contains("common items"), "{report}");
    let alarms = north.call("audit/alarms", &json!({}));
    assert_eq!(alarms["alarms"][0]["kind"], "too_many_common", "{alarms}");
    assert_eq!(north.call("hit/list", &json!({}))["hits"], json!([]), "nothing was kept");
}

#[test]
fn a_match_costs_budget_and_survives_a_holder_that_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (north, mut south) = neighbours(folder.path(), &json!({ "document": 4_000 }));
    assert!(north.import(&list(0..1_000)).unwrap().result.is_some());
    assert!(south.import(&list(900..1_900)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    south.stop();
    let (count, cause) = (0, run(&north, "psi", "T-1"));
    assert_eq!(met(&cause).0, count);
    assert!(met(&cause).1.is_string(), "a partner that is down is not asked: {cause}");
    south.start();
    let report = wait_for("south is matched once it is back", 30, || {
        let report = run(&north, "psi", "T-1");
        met(&report).1.is_null().then_some(report)
    });
    assert_eq!(met(&report).0, 100);
    // The set's stores take more than its keys, so that another one of its size is not covered.
    let again = run(&north, "psi", "T-2");
    assert!(met(&again).1.as_str().unwrap().contains("budget"), "{again}");
}

/// Elements of the last set that a node matched.
fn set_elements(node: &Node) -> u64 {
    let summaries = entries(node, "query");
    let elements = summaries.iter().filter_map(|summary| {
        let (before, _) = summary.split_once(" elements")?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    elements.max().unwrap()
}

#[test]
fn what_costs_less_and_is_covered_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 8_900 }));
    assert!(north.import(&list(0..20)).unwrap().result.is_some());
    assert!(south.import(&list(0..3_000)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    // A few own keys against a list that has its tags: each by an evaluation.
    assert_eq!(met(&run(&north, "auto", "T-1")), (20, &Value::Null));
    assert_eq!(sets(&north, "query"), 0);
    // Thousands: the whole set at once, and what met by evaluations.
    assert!(north.import(&list(2_900..5_900)).unwrap().result.is_some());
    assert_eq!(met(&run(&north, "auto", "T-2")), (120, &Value::Null));
    assert_eq!((sets(&north, "query"), sets(&south, "evaluation")), (1, 1));
    // What is left does not cover the stores of another set, but each of its keys by itself.
    let elements = set_elements(&north);
    let again = run(&north, "auto", "T-3");
    assert_eq!(sets(&north, "query"), 1, "{elements} elements are not left: {again}");
    assert_eq!(met(&again), (120, &Value::Null), "{again}");
    // Told to match the whole set, the node says what it lacks.
    let forced = run(&north, "psi", "T-4");
    assert!(met(&forced).1.as_str().unwrap().contains("budget"), "{forced}");
}

#[test]
fn the_bound_on_common_items_is_on_all_partitions_together() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    north.stop();
    north.configure("bulk_partition_items = 2048");
    north.start();
    assert!(north.import(&list(0..6_000)).unwrap().result.is_some());
    assert!(south.import(&list(3_000..9_000)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let reason = json!({ "purpose": PURPOSE, "case": "T-1" });
    let request = json!({ "partner": "south", "engine": "psi", "reason": reason });
    let answer = north.post("exchange/run", &request).unwrap();
    let (report, raw) = (answer.result.unwrap(), String::from_utf8(answer.raw).unwrap());
    // No partition has as much in common as the bound; a first one is done before it is met.
    assert!(raw.contains("matching partitions"), "{raw}");
    let (count, cause) = met(&report);
    assert!(count == 0 && cause.as_str().unwrap().contains("common items"), "{report}");
    assert_eq!(north.call("audit/alarms", &json!({}))["alarms"][0]["kind"], "too_many_common");
    assert_eq!(north.call("hit/list", &json!({}))["hits"], json!([]), "nothing was kept");
    // The same set is not matched again: it would cost again, and say no more.
    let again = run(&north, "psi", "T-1");
    assert!(met(&again).1.as_str().unwrap().contains("common items"), "{again}");
    assert_eq!((sets(&north, "query"), sets(&south, "evaluation")), (1, 1));
}

#[test]
fn a_watch_matches_again_what_is_published_anew_and_says_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    assert!(north.import(&list(0..2_000)).unwrap().result.is_some());
    assert!(south.import(&list(1_900..4_000)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let mut watch = Command::new(program())
        .args(["--json", "--data"])
        .arg(&north.directory)
        .args(["exchange", "run", "south", "--engine", "psi", "--watch", "--every", "1"])
        .args(["--purpose", PURPOSE, "--case", "T-1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (said, says) = channel();
    let output = BufReader::new(watch.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in output.lines() {
            let _ = said.send(serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        }
    });
    let next = || says.recv_timeout(Duration::from_secs(90)).unwrap();
    let first = next();
    assert_eq!((met(&first), &first["hits_new"]), ((100, &Value::Null), &json!(100)), "{first}");
    // Published anew with more in common, and the node restarted meanwhile: the watch stays.
    assert!(south.import(&list(1_850..1_900)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    north.stop();
    north.start();
    let second = next();
    assert_eq!((met(&second), &second["hits_new"]), ((150, &Value::Null), &json!(50)), "{second}");
    assert_eq!((sets(&north, "query"), sets(&south, "evaluation")), (2, 2), "one match a list");
    watch.kill().unwrap();
    watch.wait().unwrap();
    reader.join().unwrap();
    assert!(says.try_recv().is_err(), "nothing new is nothing to say");
    north.log_holds();
}
