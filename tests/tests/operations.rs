//! What operators meet: stops in the middle of work, stray clocks, full disks, questions at a
//! terminal, and the demo. Each is one real process or several.
//!
//! Holds the program to spec/node.md.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::{Node, PURPOSE, columns, neighbours, program, row, wait_for};

const CHECK_FAILED: i32 = 6;
const REFUSED: i32 = 4;
/// Keys of a passport: with and without its issuer. Here none has one.
const PASSPORTS: u64 = 6_000;
const SHARED: u64 = 40;

fn passports(numbers: impl Iterator<Item = u64>) -> String {
    let rows = numbers.map(|number| {
        let (reference, text) = (format!("R-{number}"), format!("QX{:07}", number * 7 + 1_000_003));
        row(&reference, "green", &format!("Name {number}"), "passport", &text)
    });
    columns() + &rows.collect::<String>()
}

fn exchange(node: &Node) -> Option<symbolon_tests::Answer> {
    let reason = json!({ "purpose": PURPOSE, "case": "T-1" });
    node.post("exchange/run", &json!({ "partner": "south", "reason": reason }))
}

fn class<'a>(report: &'a Value, name: &str) -> &'a Value {
    let classes = report["classes"].as_array().unwrap();
    classes.iter().find(|class| class["class"] == name).unwrap()
}

#[test]
fn a_stop_in_an_exchange_drains_and_the_next_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    assert!(north.import(&passports(0..PASSPORTS)).unwrap().result.is_some());
    let theirs = passports(PASSPORTS - SHARED..PASSPORTS + 100);
    assert!(south.import(&theirs).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let answered = || south.call("node/status", &json!({}))["log_size"].as_u64().unwrap();
    let before = answered();
    let begun = std::thread::scope(|scope| {
        let asking = scope.spawn(|| exchange(&north));
        wait_for("the first batch is answered", 60, || (answered() > before).then_some(()));
        let begun = Instant::now();
        north.terminate();
        let _cut = asking.join().unwrap();
        begun
    });
    north.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let spent = answered() - before;
    north.start();
    let report = exchange(&north).unwrap().result.unwrap();
    let document = class(&report, "document");
    assert_eq!(document["not_asked"], Value::Null, "{document}");
    let hits = north.call("hit/list", &json!({ "limit": 1000 }));
    let met: std::collections::BTreeSet<&str> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["record"].as_str().unwrap())
        .collect();
    assert_eq!(met.len() as u64, SHARED);
    // What was asked before the stop is not asked again, but for batches cut in the middle.
    let batches = answered() - before;
    let whole = PASSPORTS * 2 / 1_024 + 1;
    assert!(batches <= whole + 8, "{batches} batches in both runs, {spent} in the first");
    north.log_holds();
    south.log_holds();
    north.stop();
    south.stop();
}

#[test]
fn what_could_not_be_asked_is_asked_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let (north, mut south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    assert!(north.import(&passports(0..SHARED)).unwrap().result.is_some());
    assert!(south.import(&passports(0..SHARED)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    // Card and tag set are here after a first question, so what fails next is the batch itself.
    assert_eq!(north.ask("passport", "QX9999991")["outcome"], "no_hit");
    south.kill();
    for _ in 0..3 {
        let report = exchange(&north).unwrap().result.unwrap();
        let document = class(&report, "document");
        assert_ne!(document["not_asked"], Value::Null, "{document}");
        assert_eq!((&document["asked"], &document["met"]), (&json!(0), &json!(0)));
    }
    south.start();
    let report = wait_for("the partner is reached", 30, || {
        let report = exchange(&north)?.result?;
        (class(&report, "document")["not_asked"] == Value::Null).then_some(report)
    });
    assert_eq!(report["hits_by_kind"]["passport"], SHARED, "{report}");
}

#[test]
fn a_clock_that_is_off_is_named_by_query_and_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let (north, mut south) = neighbours(folder.path(), &json!({ "contact": 1_000 }));
    let _sets = south.call("exchange/publish", &json!({}));
    assert_eq!(north.ask("email", "a@example.org")["outcome"], "no_hit");
    let well = north.command(&["doctor"]);
    assert_eq!(well.status.code(), Some(0), "{}", String::from_utf8_lossy(&well.stdout));
    south.stop();
    south.start_ahead("+7m");
    let answer = north.ask("email", "b@example.org");
    assert_eq!(answer["outcome"], "not_asked", "{answer}");
    assert!(answer["cause"].as_str().unwrap().contains("clock"), "{answer}");
    let ill = north.command(&["doctor"]);
    let said = String::from_utf8_lossy(&ill.stdout);
    assert_eq!(ill.status.code(), Some(CHECK_FAILED), "{said}");
    assert!(said.contains("clocks differ") && said.contains("date -u"), "{said}");
    assert_eq!(String::from_utf8_lossy(&ill.stderr).trim_end().lines().count(), 1);
}

/// Asked at a terminal, which `script` provides: only the word "yes" adds a partner.
#[test]
fn a_partner_is_added_only_after_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    let mut south = Node::new(folder.path(), "south", "PRT");
    north.start();
    south.start();
    let card = folder.path().join("south.card");
    let made = south.command(&["partner", "card", "--out", &card.display().to_string()]);
    assert!(made.status.success());
    let file = card.display().to_string();
    let add = ["partner", "add", &file];
    let without = north.command(&add);
    assert_eq!(without.status.code(), Some(2), "no terminal, no yes");
    let words = south.call("partner/card", &json!({}))["words"].clone();
    for (answer, code) in [("no\n", Some(REFUSED)), ("y\n", Some(REFUSED)), ("yes\n", Some(0))] {
        assert_eq!(north.call("partner/list", &json!({})), json!([]));
        let (said, status) = north.at_terminal(&add, answer);
        assert_eq!(status, code, "{said}");
        for word in words.as_array().unwrap() {
            assert!(said.contains(word.as_str().unwrap()), "{word} is not in {said}");
        }
    }
    assert_eq!(north.call("partner/list", &json!({}))[0]["name"], "south");
}

/// In a mount namespace of its own, where a file system of a few megabytes can be made.
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(this)
        .args(["--exact", "with_a_disk_of_its_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{error}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "runs inside a_full_disk_is_told_and_loses_nothing"]
fn with_a_disk_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
        .arg(&disk)
        .status()
        .unwrap();
    assert!(mounted.success());
    let mut north = Node::new(&disk, "north", "NOR");
    north.start();
    let acknowledged = |node: &Node| node.call("node/status", &json!({}))["records"].clone();
    let mut table = 0;
    let error = loop {
        assert!(table < 100, "the disk does not fill");
        let numbers = table * 1_000..(table + 1) * 1_000;
        let answer = north.import(&passports(numbers)).unwrap();
        match answer.error {
            Some(error) => break error,
            None => table += 1,
        }
    };
    assert_eq!(error["code"], "unavailable", "{error}");
    assert!(error["message"].as_str().unwrap().contains("full"), "{error}");
    assert!(error["remedy"].as_str().unwrap().contains("free space"), "{error}");
    // It still serves what needs no space, and what was acknowledged is there, now and later.
    let kept = acknowledged(&north).as_u64().unwrap();
    assert!(kept >= table * 1_000, "{kept} of {}", table * 1_000);
    grow(&disk);
    let whole = north.import(&passports(0..(table + 1) * 1_000)).unwrap().result.unwrap();
    assert_eq!(whole["rows_refused"], 0, "{whole}");
    assert_eq!(acknowledged(&north), (table + 1) * 1_000);
    north.log_holds();
    north.stop();
    north.start();
    assert_eq!(acknowledged(&north), (table + 1) * 1_000);
    north.log_holds();
}

fn grow(disk: &Path) {
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(disk).status().unwrap();
    assert!(grown.success());
}

/// Processes whose command line names `folder`.
fn living(folder: &Path) -> usize {
    let folder = folder.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&folder)).count()
}

fn demo(folder: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(["demo", "--json"]).env("TMPDIR", folder).stdin(Stdio::null());
    command
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_demo_plays_the_main_job_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["confirmed"], "released", "{outcome}");
    assert_eq!((&outcome["not_asked_shown"], &outcome["logs_verified"]), (&json!(true), &json!(3)));
    assert!(outcome["fields_released"].as_u64().unwrap() > 0);
    assert!(outcome["fields_withheld"].as_u64().unwrap() > 0);
    assert!(outcome["alert_matches"].as_u64().unwrap() > 0, "the alert met a case");
    assert_eq!(outcome["deletions_proven"], 2, "and both recipients took it back");
    let shared = outcome["shared"].as_array().unwrap();
    assert!(shared.len() >= 2 && shared.iter().all(|pair| pair[2].as_u64().unwrap() > 0));
    assert!(is_empty(folder.path()), "the folder is gone");
    assert_eq!(living(folder.path()), 0, "no process is left");
}

#[test]
fn the_demo_ends_on_ctrl_c_and_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        demo(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the demo's nodes run", 30, || (living(folder.path()) == 3).then_some(()));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let status = wait_for("the demo ends", 20, || child.try_wait().unwrap());
    assert!(!status.success());
    wait_for("its nodes end", 10, || (living(folder.path()) == 0).then_some(()));
    assert!(is_empty(folder.path()), "the folder is gone");
}
