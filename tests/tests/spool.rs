//! A hotline's client killed at every point of its way: what it spooled is at the node once.
//!
//! Holds the program to spec/hotlines.md#spool and #sending.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::{Dice, Gate, Hold, HotlineClient, Node, wait_for};

const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;

/// A node, and a hotline whose way there leads through a gate.
struct World {
    node: Node,
    gate: Gate,
    client: HotlineClient,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut node = Node::new(folder.path(), "north", "NOR");
        let door: SocketAddr = HotlineClient::door(&node);
        node.start();
        let gate = Gate::start(door);
        let more = ["--quota", "100000", "--burst", "10000"];
        let direct = HotlineClient::enrol(&node, door, "harbour", &more);
        let client = direct.changed("gated", |file| {
            file["urls"] = json!([format!("https://{}", gate.address)]);
        });
        World { node, gate, client, _folder: folder }
    }

    /// `alert send`, begun and not waited for.
    fn send(&self, what: &str) -> Child {
        let flags = HotlineClient::flags(what);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.client.program(&flags).spawn().unwrap()
    }

    fn sent(&self, what: &str, wait: &str) -> Output {
        let flags = HotlineClient::flags(what);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--wait", wait]).collect();
        self.client.run(&flags)
    }

    fn flush(&self) {
        let flushed = self.client.run(&["alert", "spool", "flush"]);
        assert!(flushed.status.success(), "{}", String::from_utf8_lossy(&flushed.stderr));
        assert!(self.client.spooled("alert").is_empty());
    }

    /// Alerts that the node has, by what they say.
    fn held(&self) -> BTreeMap<String, usize> {
        let page = self.node.call("alert/list", &json!({ "limit": 1_000 }));
        assert_eq!(page["next"], Value::Null);
        let mut held = BTreeMap::new();
        for alert in page["alerts"].as_array().unwrap() {
            *held.entry(alert["title"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        held
    }

    /// The receipts that the client kept: log positions by idempotency key.
    fn receipts(&self) -> Vec<Value> {
        let paths = self.client.spooled("receipt");
        let read = |path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        paths.into_iter().map(read).collect()
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn once(names: &[&str]) -> BTreeMap<String, usize> {
    names.iter().map(|name| ((*name).to_owned(), 1)).collect()
}

#[test]
fn what_is_spooled_while_the_node_is_down_is_there_once_and_in_order() {
    let mut world = World::new();
    world.node.stop();
    for what in ["first", "second"] {
        let output = world.sent(what, "0");
        assert_eq!(output.status.code(), Some(UNAVAILABLE));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("spooled as") && said.contains("spool flush"), "{said}");
    }
    world.node.start();
    // The next sending takes the older ones along, before its own.
    let output = world.sent("third", "20");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.held(), once(&["first", "second", "third"]));
    let receipts = world.receipts();
    let places: Vec<u64> =
        receipts.iter().map(|one| one["answer"]["log_index"].as_u64().unwrap()).collect();
    assert!(places.len() == 3 && places.is_sorted(), "{places:?}");
    let text = serde_json::to_string(&receipts).unwrap();
    assert!(!text.contains("first") && !text.contains("third"), "a receipt holds no content");
    for receipt in receipts {
        let place = receipt["answer"]["log_index"].as_u64().unwrap();
        let page = world.node.call("audit/show", &json!({ "from": place, "limit": 1 }));
        let words = page["entries"][0]["summary"].as_str().unwrap();
        assert!(words.ends_with(" by hotline/harbour"), "{words}");
    }
    world.node.log_holds();
}

#[test]
fn a_client_killed_before_it_writes_has_promised_nothing() {
    let world = World::new();
    let flags = ["alert", "send", "--form", "-"];
    let mut child = world.client.program(&flags).stdin(Stdio::piped()).spawn().unwrap();
    let form = HotlineClient::form("never finished").to_string();
    let half = form.split_at(form.len() / 2).0;
    child.stdin.as_mut().unwrap().write_all(half.as_bytes()).unwrap();
    kill(child);
    assert!(world.client.spooled("alert").is_empty());
    world.flush();
    assert_eq!(world.held(), once(&[]));
}

#[test]
fn a_client_killed_after_it_wrote_sends_when_it_comes_back() {
    let world = World::new();
    world.gate.hold(Hold::Everything);
    let child = world.send("written");
    wait_for("the file", 10, || world.client.spooled("alert").pop());
    kill(child);
    world.gate.hold(Hold::Nothing);
    assert_eq!(world.held(), once(&[]));
    world.flush();
    assert_eq!(world.held(), once(&["written"]));
}

#[test]
fn a_client_killed_after_it_sent_sends_again_and_the_node_has_one() {
    let world = World::new();
    world.gate.hold(Hold::Answers);
    for round in 1..=3 {
        let child = match round {
            1 => world.send("sent"),
            _ => world.client.program(&["alert", "spool", "flush"]).spawn().unwrap(),
        };
        world.gate.answered(round);
        kill(child);
        assert_eq!(world.held(), once(&["sent"]), "the node has it, the client does not know");
        assert_eq!(world.client.spooled("alert").len(), 1);
    }
    world.gate.hold(Hold::Nothing);
    world.flush();
    assert_eq!(world.held(), once(&["sent"]));
    let receipts = world.receipts();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts.first().unwrap()["answer"]["repeated"], true);
}

#[test]
fn clients_and_nodes_killed_at_random_leave_each_alert_once() {
    let mut world = World::new();
    let mut dice = Dice(0x5700_1000);
    // How long the whole way takes here and now, so that the kills fall all along it.
    let begun = Instant::now();
    assert!(world.sent("whole", "20").status.success());
    let way_us = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let mut sent = vec!["whole".to_owned()];
    for round in 0..24 {
        let what = format!("alert {round}");
        let child = world.send(&what);
        let pause = Duration::from_micros(way_us / 3 + dice.below(way_us));
        let begun = Instant::now();
        wait_for("the moment", 5, || (begun.elapsed() >= pause).then_some(()));
        if round % 6 == 5 {
            world.node.kill();
            kill(child);
            world.node.start();
        } else {
            kill(child);
        }
        sent.push(what);
    }
    let promised: Vec<String> = ["alert", "receipt"]
        .into_iter()
        .flat_map(|ending| world.client.spooled(ending))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    world.flush();
    let held = world.held();
    assert!(held.values().all(|count| *count == 1), "{held:?}");
    assert!(held.keys().all(|what| sent.contains(what)));
    // A receipt and its alert may both be there for a moment: one name.
    let promised: BTreeSet<String> = promised.into_iter().collect();
    assert!(promised.len() > 4, "nearly all were killed before their file: {promised:?}");
    assert_eq!(held.len(), promised.len(), "all that was spooled, and nothing else");
    assert_eq!(world.receipts().len(), promised.len());
    world.node.log_holds();
}

#[test]
fn a_refused_alert_steps_aside_and_the_next_one_goes() {
    let mut world = World::new();
    world.node.stop();
    let wrong = ["alert", "send", "--kind", "nonsense", "--what", "odd", "--where", "unknown"];
    let wrong = [wrong.as_slice(), &["--when", "unknown", "--urgency", "flash", "--wait", "0"]];
    assert_eq!(world.client.run(&wrong.concat()).status.code(), Some(UNAVAILABLE));
    assert_eq!(world.sent("good", "0").status.code(), Some(UNAVAILABLE));
    world.node.start();
    let flushed = world.client.run(&["alert", "spool", "flush"]);
    assert_eq!(flushed.status.code(), Some(REFUSED));
    assert_eq!(world.held(), once(&["good"]));
    let listed = world.client.run(&["--json", "alert", "spool", "list"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let refusal = listed[0]["refusal"].as_str().unwrap();
    assert!(listed[0]["state"] == "refused" && refusal.contains("kind"), "{listed}");
    let key = listed[0]["key"].as_str().unwrap();
    assert!(world.client.run(&["alert", "spool", "drop", key]).status.success());
    world.flush();
}

#[test]
fn credentials_that_ended_keep_everything_until_they_are_renewed() {
    let world = World::new();
    let change = |verb: &str| {
        let change = json!({ "name": "harbour", "reason": "test" });
        let _changed = world.node.call(&format!("hotline/{verb}"), &change);
    };
    change("suspend");
    let output = world.sent("kept", "20");
    assert_eq!(output.status.code(), Some(REFUSED));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("suspended") && said.contains("spooled as"), "{said}");
    assert_eq!(world.client.spooled("alert").len(), 1);
    change("resume");
    world.flush();
    assert_eq!(world.held(), once(&["kept"]));
}

#[test]
fn at_a_terminal_what_is_missing_is_asked() {
    let world = World::new();
    let place = world.client.enrolment.display().to_string();
    let send = ["alert", "send", "--kind", "suspicious_order", "--enrolment", &place];
    // Nothing is no answer to "when": it is asked again.
    let answers = "odd order\nOslo, NOR\n\nunknown\nurgent\n";
    let (said, code) = world.node.at_terminal(&send, answers);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("What, in one line") && said.contains("has the alert"), "{said}");
    assert_eq!(world.held(), once(&["odd order"]));
}
