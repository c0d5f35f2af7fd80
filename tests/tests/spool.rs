//! A hotline's client killed at every point of its way: what it spooled is at the node once.
//!
//! Holds the program to spec/hotlines.md#spool and #sending.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::{Dice, Gate, Hold, HotlineClient, Node, wait_for};

const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;

const NOT_FOUND: i32 = 3;
const INVALID: i32 = 2;
const DAY_MS: u64 = 86_400_000;

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

    /// The same hotline on a machine with a spool of its own and a way past the gate.
    fn beside(&self) -> HotlineClient {
        let door = self.client.door;
        self.client.changed("beside", |file| file["urls"] = json!([format!("https://{door}")]))
    }

    fn listed(&self) -> Value {
        json_of(&self.client.run(&["--json", "alert", "spool", "list"]))
    }

    /// The receipts that the client kept: log positions by idempotency key.
    fn receipts(&self) -> Vec<Value> {
        let paths = self.client.spooled("receipt");
        let read = |path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        paths.into_iter().map(read).collect()
    }
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The idempotency key in a file's name.
fn key_of(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap().1.to_owned()
}

/// Makes a file of the spool so many days older, or younger.
fn aged(path: &Path, days: i64) {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let (time, key) = stem.split_once('-').unwrap();
    let shift = days * i64::try_from(DAY_MS).unwrap();
    let time = u64::try_from(time.parse::<i64>().unwrap() - shift).unwrap();
    std::fs::rename(path, path.with_file_name(format!("{time:013}-{key}.alert"))).unwrap();
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
    // The first sending of a day also greets the node.
    assert!(world.sent("greets", "20").status.success());
    // How long the whole way takes here and now, so that the kills fall all along it.
    let begun = Instant::now();
    assert!(world.sent("whole", "20").status.success());
    let way_us = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let mut sent = vec!["greets".to_owned(), "whole".to_owned()];
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

#[test]
fn what_waited_too_long_goes_only_when_a_person_releases_it() {
    let world = World::new();
    world.gate.hold(Hold::Answers);
    let child = world.send("old");
    world.gate.answered(1);
    kill(child);
    world.gate.hold(Hold::Nothing);
    aged(&world.client.spooled("alert")[0], 59);
    world.gate.hold(Hold::Answers);
    let child = world.client.program(&["alert", "spool", "flush"]).spawn().unwrap();
    world.gate.answered(2);
    kill(child);
    world.gate.hold(Hold::Nothing);
    aged(&world.client.spooled("alert")[0], 2);
    // Nothing of it is sent, and what came after it is.
    let output = world.sent("new", "20");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("more than 60 days old"), "{}", said(&output));
    assert_eq!(world.held(), once(&["new", "old"]));
    let listed = world.listed();
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("refused"), &json!("sent")));
    let refusal = listed[0]["refusal"].as_str().unwrap();
    assert!(refusal.contains("spool release") && refusal.contains("alert list"), "{refusal}");
    // A person looks whether it is there; here somebody wants it all the same.
    let page = json_of(&world.client.run(&["--json", "alert", "list"]));
    let titles = page["alerts"].as_array().unwrap().iter().map(|row| row["title"].clone());
    assert!(titles.collect::<Vec<_>>().contains(&json!("old")), "{page}");
    let key = listed[0]["key"].as_str().unwrap();
    assert!(world.client.run(&["alert", "spool", "release", &key[..12]]).status.success());
    world.flush();
    assert_eq!(world.held()["old"], 2, "it is a submission of its own");
    let gone = world.client.run(&["alert", "spool", "release", key]);
    assert_eq!(gone.status.code(), Some(NOT_FOUND));
}

#[test]
fn what_was_made_in_the_future_is_put_aside() {
    let world = World::new();
    world.gate.hold(Hold::Everything);
    let child = world.send("clock");
    wait_for("the file", 10, || world.client.spooled("alert").pop());
    kill(child);
    world.gate.hold(Hold::Nothing);
    aged(&world.client.spooled("alert")[0], -3);
    let flushed = world.client.run(&["alert", "spool", "flush"]);
    assert_eq!(flushed.status.code(), Some(REFUSED), "{}", said(&flushed));
    assert_eq!(world.held(), once(&[]));
    let key = key_of(&world.client.spooled("refused")[0]);
    assert!(world.client.run(&["alert", "spool", "drop", &key]).status.success());
    world.flush();
}

#[test]
fn changes_wait_behind_the_alert_that_they_change() {
    let mut world = World::new();
    world.node.stop();
    for what in ["first", "second"] {
        assert_eq!(world.sent(what, "0").status.code(), Some(UNAVAILABLE));
    }
    let [first, second] = [0, 1].map(|place| key_of(&world.client.spooled("alert")[place]));
    let mut update = HotlineClient::flags("corrected");
    update[1] = "update".to_owned();
    update.extend([first[..10].to_owned(), "--wait".to_owned(), "0".to_owned()]);
    let update: Vec<&str> = update.iter().map(String::as_str).collect();
    let withdraw = ["alert", "withdraw", &second, "--reason", "error", "--wait", "0"];
    for change in [update.as_slice(), &withdraw] {
        let output = world.client.run(change);
        assert_eq!(output.status.code(), Some(UNAVAILABLE), "{}", said(&output));
        assert!(said(&output).contains("spooled as"), "{}", said(&output));
    }
    assert_eq!(world.client.spooled("alert").len(), 4);
    let state = |key: &str| world.client.run(&["--json", "alert", "state", key]);
    assert_eq!(state(&first).status.code(), Some(UNAVAILABLE), "it waits");
    world.node.start();
    world.flush();
    assert_eq!(world.held(), once(&["", "corrected"]), "what is withdrawn says nothing");
    let calls: Vec<Value> = world.receipts().iter().map(|one| one["call"].clone()).collect();
    assert_eq!(calls, ["alert/send", "alert/send", "alert/update", "alert/withdraw"]);
    let said_of = |key: &str| json_of(&world.client.run(&["--json", "alert", "state", key]));
    assert_eq!(said_of(&first)["title"], "corrected");
    assert_eq!(said_of(&second)["state"], "withdrawn");
    // By its id too, and at once; a second time there is nothing to take back.
    let id = said_of(&first)["id"].as_str().unwrap().to_owned();
    let withdraw = ["alert", "withdraw", &id, "--reason", "resolved"];
    assert!(world.client.run(&withdraw).status.success());
    assert_eq!(said_of(&id)["state"], "withdrawn");
    assert_eq!(world.client.run(&withdraw).status.code(), Some(REFUSED));
    assert_eq!(world.client.spooled("refused").len(), 1);
    let other = "0199a000-0000-7000-8000-000000000000";
    assert_eq!(world.client.run(&["alert", "state", other]).status.code(), Some(NOT_FOUND));
    assert_eq!(world.client.run(&["alert", "state", "zz"]).status.code(), Some(NOT_FOUND));
    world.node.log_holds();
    world.node.stop();
    let away = world.client.run(&["alert", "state", &id]);
    assert_eq!(away.status.code(), Some(UNAVAILABLE), "{}", said(&away));
}

#[test]
fn a_change_whose_answer_was_lost_undoes_no_later_one() {
    let world = World::new();
    let sent = json_of(
        &world.client.run(
            &[
                &["--json"],
                HotlineClient::flags("one")
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .as_slice(),
            ]
            .concat(),
        ),
    );
    let id = sent["answer"]["id"].as_str().unwrap().to_owned();
    let update = |client: &HotlineClient, what: &str| {
        let mut flags = HotlineClient::flags(what);
        flags[1] = "update".to_owned();
        flags.push(id.clone());
        client.program(&flags.iter().map(String::as_str).collect::<Vec<_>>())
    };
    world.gate.hold(Hold::Answers);
    let before = world.gate.answers();
    let child = update(&world.client, "two").spawn().unwrap();
    world.gate.answered(before + 1);
    kill(child);
    assert_eq!(world.held(), once(&["two"]));
    let beside = world.beside();
    assert!(update(&beside, "three").output().unwrap().status.success());
    world.gate.hold(Hold::Nothing);
    world.flush();
    assert_eq!(world.held(), once(&["three"]));
    assert_eq!(world.receipts().last().unwrap()["answer"]["repeated"], true);
    // A withdrawal that is there is a success when it comes again.
    world.gate.hold(Hold::Answers);
    let withdraw = ["alert", "withdraw", &id, "--reason", "error"];
    let before = world.gate.answers();
    let child = world.client.program(&withdraw).spawn().unwrap();
    world.gate.answered(before + 1);
    kill(child);
    world.gate.hold(Hold::Nothing);
    world.flush();
    assert_eq!(world.receipts().last().unwrap()["answer"]["state"], "withdrawn");
    assert!(world.client.spooled("refused").is_empty());
    world.node.log_holds();
}

#[test]
fn a_change_of_what_was_refused_is_put_aside() {
    let mut world = World::new();
    world.node.stop();
    let wrong = ["alert", "send", "--kind", "nonsense", "--what", "odd", "--where", "unknown"];
    let wrong = [wrong.as_slice(), &["--when", "unknown", "--urgency", "flash", "--wait", "0"]];
    assert_eq!(world.client.run(&wrong.concat()).status.code(), Some(UNAVAILABLE));
    let key = key_of(&world.client.spooled("alert")[0]);
    let withdraw = ["alert", "withdraw", &key, "--reason", "error", "--wait", "0"];
    assert_eq!(world.client.run(&withdraw).status.code(), Some(UNAVAILABLE));
    world.node.start();
    let flushed = world.client.run(&["alert", "spool", "flush"]);
    assert_eq!(flushed.status.code(), Some(REFUSED), "{}", said(&flushed));
    assert_eq!(world.client.spooled("refused").len(), 2);
    assert!(world.client.spooled("alert").is_empty());
    let change = key_of(&world.client.spooled("refused")[1]);
    let released = world.client.run(&["alert", "spool", "release", &change]);
    assert_eq!(released.status.code(), Some(REFUSED), "{}", said(&released));
    assert_eq!(world.client.run(&withdraw).status.code(), Some(REFUSED), "said at once now");
    assert_eq!(world.client.spooled("refused").len(), 2);
}

#[test]
fn one_form_goes_to_two_nodes_each_by_itself() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut south = Node::new(folder.path(), "south", "PRT");
    let door = HotlineClient::door(&south);
    south.start();
    let far = HotlineClient::enrol(&south, door, "quay", &[]);
    south.stop();
    let (one, other) =
        (world.client.enrolment.display().to_string(), far.enrolment.display().to_string());
    // Asked once, for both.
    let send = ["--json", "alert", "send", "--kind", "suspicious_order", "--wait", "0"];
    let both = ["--enrolment", &one, "--enrolment", &other];
    let answers = "odd order\nOslo, NOR\nunknown\nurgent\n";
    let (shown, code) = world.node.at_terminal(&[send.as_slice(), &both].concat(), answers);
    assert_eq!(code, Some(UNAVAILABLE), "{shown}");
    assert_eq!(shown.matches("What, in one line").count(), 1, "{shown}");
    let (_, list) = shown.split_once("[{").unwrap();
    let list = format!("[{{{}", list.lines().next().unwrap());
    let list: Value = serde_json::from_str(&list).unwrap();
    let line = |place: usize| {
        let one = &list[place];
        (one["node"].clone(), one["state"].clone(), one["exit"].clone())
    };
    assert_eq!(line(0), (json!("north"), json!("sent"), json!(0)));
    assert_eq!(line(1), (json!("south"), json!("waiting"), json!(UNAVAILABLE)));
    assert!(list[1]["why"].as_str().unwrap().contains("spooled as"), "{list}");
    assert_eq!(world.held(), once(&["odd order"]));
    assert_eq!((world.client.spooled("alert").len(), far.spooled("alert").len()), (0, 1));
    south.start();
    assert!(far.run(&["alert", "spool", "flush"]).status.success());
    let titles = |node: &Node| {
        let page = node.call("alert/list", &json!({}));
        page["alerts"].as_array().unwrap().iter().map(|row| row["title"].clone()).collect()
    };
    let there: Vec<Value> = titles(&south);
    assert_eq!(there, ["odd order"]);
    // Each node has an alert of its own; the key names both.
    let ids = [&world.client, &far].map(|client| {
        let receipt = std::fs::read(&client.spooled("receipt")[0]).unwrap();
        serde_json::from_slice::<Value>(&receipt).unwrap()["answer"]["id"].clone()
    });
    assert_ne!(ids[0], ids[1]);
    let key = list[0]["key"].as_str().unwrap();
    let withdraw = ["alert", "withdraw", key, "--reason", "error", "--enrolment", &other];
    let output = world.client.run(&withdraw);
    assert!(output.status.success(), "{}", said(&output));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.contains("north") && lines.contains("south"), "{lines}");
    assert_eq!(world.held(), once(&[""]));
    let there: Vec<Value> = titles(&south);
    assert_eq!(there, [""]);
}

#[test]
fn where_one_spool_has_no_room_none_keeps_the_alert() {
    let world = World::new();
    let full = world.beside();
    let other = full.enrolment.display().to_string();
    std::fs::create_dir(full.spool()).unwrap();
    for number in 0..10_000 {
        let name = format!("1795000000000-{number:032x}.alert");
        std::fs::write(full.spool().join(name), "").unwrap();
    }
    let flags = HotlineClient::flags("no room");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let output = world.client.run(&[flags.as_slice(), &["--enrolment", &other]].concat());
    assert_eq!(output.status.code(), Some(REFUSED), "{}", said(&output));
    assert!(said(&output).contains("10000 alerts wait"), "{}", said(&output));
    assert!(world.client.spooled("alert").is_empty());
    assert_eq!(world.held(), once(&[]));
    let own = world.client.enrolment.display().to_string();
    let twice = world.client.run(&[flags.as_slice(), &["--enrolment", &own]].concat());
    assert_eq!(twice.status.code(), Some(INVALID), "{}", said(&twice));
    let keys = world
        .client
        .run(&[flags.as_slice(), &["--enrolment", &other, "--client-key", "-"]].concat());
    assert_eq!(keys.status.code(), Some(INVALID), "{}", said(&keys));
}
