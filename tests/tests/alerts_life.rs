//! Alerts between real nodes that are taken back from some, refused by policy when they leave, or
//! end; and drills on every way that an alert can take.
//!
//! Holds the program to spec/alerts.md and spec/relay.md.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::path::Path;

use serde_json::{Value, json};
use symbolon_tests::{Node, PURPOSE, columns, free_address, introduce, neighbours, row, wait_for};

fn budgets() -> Value {
    json!({ "document": 100_000 })
}

/// A flash on loose material, which goes out at once.
fn form(what: &str) -> Value {
    json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": "flash", "tlp": "green", "identifiers": ["IMO 9074729"],
    })
}

fn drill(what: &str) -> Value {
    let mut form = form(what);
    form["exercise"] = json!(true);
    form
}

fn send(node: &Node, form: &Value) -> String {
    let sent = node.call("alert/send", &json!({ "form": form }));
    assert_eq!(sent["state"], "active", "{sent}");
    sent["id"].as_str().unwrap().to_owned()
}

fn received(node: &Node) -> Vec<Value> {
    let page = node.call("alert/list", &json!({ "direction": "received" }));
    page["alerts"].as_array().unwrap().clone()
}

/// How far a partner is with an alert.
fn row_of(node: &Node, id: &str, partner: &str) -> Value {
    let acks = node.call("alert/acks", &json!({ "id": id }));
    let rows = acks["recipients"].as_array().unwrap();
    rows.iter().find(|row| row["partner"] == partner).cloned().unwrap_or_default()
}

fn wait_state(node: &Node, id: &str, partner: &str, state: &str) -> Value {
    wait_for(&format!("{partner} has {state}"), 60, || {
        let row = row_of(node, id, partner);
        (row["state"] == state).then_some(row)
    })
}

/// Titles and states of what a node has received, once they are these.
fn wait_held(node: &Node, expected: &[(&str, &str)]) {
    wait_for(&format!("{} holds {expected:?}", node.name), 60, || {
        let rows = received(node);
        let held: Vec<_> = rows
            .iter()
            .map(|row| (row["title"].as_str().unwrap(), row["state"].as_str().unwrap()))
            .collect();
        (held == expected).then_some(())
    });
}

/// Kinds and words of the entries of a node's log.
fn entries(node: &Node) -> Vec<(String, String)> {
    let page = node.call("audit/show", &json!({ "from": 0, "limit": 1_000 }));
    let entries = page["entries"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries.map(|entry| (text(&entry["kind"]), text(&entry["summary"]))).collect()
}

fn count(node: &Node, kind: &str) -> usize {
    entries(node).iter().filter(|(found, _)| found == kind).count()
}

fn agree_on_drills(one: &Node, other: &Node) {
    let propose = json!({
        "partner": other.name, "purposes": [PURPOSE], "budgets": budgets(),
        "epoch_seconds": 7 * 86_400, "retention_days": 365, "days": 365, "exercise": true,
    });
    let mut file = one.call("partner/agree", &propose);
    for node in [other, one] {
        let accept =
            json!({ "armored": file["armored"], "confirmed_digest": file["terms"]["digest"] });
        file = node.call("partner/accept", &accept);
    }
}

/// East, too, a partner of north.
fn third(folder: &Path, north: &Node) -> Node {
    let mut east = Node::new(folder, "east", "FIN");
    east.start();
    introduce(north, &east, &budgets());
    east
}

#[test]
fn who_is_out_deletes_with_proof_and_the_other_sees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &budgets());
    let east = third(folder.path(), &north);
    let id = send(&north, &form("Portal alarm"));
    wait_held(&south, &[("Portal alarm", "active")]);
    wait_held(&east, &[("Portal alarm", "active")]);
    let before = wait_state(&north, &id, "east", "delivered");
    let (listed, logged) = (received(&east), count(&east, "received"));

    let narrowed = north.command(&["alert", "narrow", &id, "--keep", "east"]);
    assert!(narrowed.status.success(), "{}", String::from_utf8_lossy(&narrowed.stderr));
    let row = wait_state(&north, &id, "south", "deleted");
    wait_held(&south, &[("", "withdrawn")]);
    assert_eq!(south.call("alert/show", &json!({ "id": id }))["fields"], json!([]));
    assert_eq!(south.call("inbox/list", &json!({}))["items"], json!([]));
    // The leaf that the proof names is the one that says so, and the statement is kept.
    let leaf = usize::try_from(row["their_index"].as_u64().unwrap()).unwrap();
    assert_eq!(entries(&south)[leaf].0, "deleted");
    let proved = wait_for("south proves it", 60, || {
        let proved = row_of(&north, &id, "south")["deletion_proved"].clone();
        proved.is_object().then_some(proved)
    });
    assert_eq!(proved["position"], row["their_index"]);
    let shown = north.command(&["acks", &id]);
    let (position, size) = (&proved["position"], &proved["size"]);
    let place = format!("at position {position} of checkpoint size {size}");
    let line = format!("south: deletion proved in the partner's log {place}");
    assert!(String::from_utf8_lossy(&shown.stdout).contains(&line), "{shown:?}");
    let agreed = north.call("audit/reconcile", &json!({ "partner": "south" }));
    assert_eq!(agreed["agrees"], true, "{agreed}");

    assert_eq!(row_of(&north, &id, "east"), before);
    assert_eq!((received(&east), count(&east, "received")), (listed, logged));

    // A later version goes to whoever kept it, and to nobody else.
    let update = json!({ "id": id, "form": form("Portal alarm, false") });
    assert_eq!(north.call("alert/update", &update)["recipients"], json!(["east"]));
    wait_held(&east, &[("Portal alarm, false", "active")]);
    wait_held(&south, &[("", "withdrawn")]);
    for node in [&north, &south, &east] {
        node.log_holds();
    }
}

#[test]
fn what_policy_no_longer_permits_when_it_leaves_is_refused_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &budgets());
    let first = send(&north, &form("Known"));
    wait_state(&north, &first, "south", "delivered");
    south.stop();
    // Accepted while policy permits both: a new one, and a new version of one that is there.
    let second = send(&north, &form("New"));
    let update = json!({ "id": first, "form": form("Known, second version") });
    assert_eq!(north.call("alert/update", &update)["recipients"], json!(["south"]));
    north.stop();
    let path = north.directory.join("policy.cedar");
    let rules = std::fs::read_to_string(&path).unwrap();
    let forbid = "@id(\"no-alerts\")\n@about(\"Nothing is pushed.\")\n\
                  forbid (principal, action == Action::\"alert\", resource);\n";
    std::fs::write(&path, rules + forbid).unwrap();
    north.start();
    assert!(entries(&north).iter().all(|(kind, _)| kind != "refused"));
    south.start();

    wait_state(&north, &second, "south", "dropped");
    wait_state(&north, &first, "south", "deleted");
    wait_held(&south, &[("", "withdrawn")]);
    let refused: Vec<String> = entries(&north)
        .into_iter()
        .filter(|(kind, _)| kind == "refused")
        .map(|(_, words)| words)
        .collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused.iter().all(|words| words.starts_with("alert: ")), "{refused:?}");
    assert!(refused.iter().all(|words| words.contains("no-alerts")), "{refused:?}");
    north.log_holds();
    south.log_holds();
}

#[test]
fn each_node_ends_an_alert_by_its_own_clock_and_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &budgets());
    let mut east = third(folder.path(), &north);
    let mut short = form("Portal alarm");
    short["expires_days"] = json!(1);
    let id = send(&north, &short);
    for (node, name) in [(&south, "south"), (&east, "east")] {
        wait_held(node, &[("Portal alarm", "active")]);
        wait_state(&north, &id, name, "delivered");
    }
    for node in [&mut north, &mut south, &mut east] {
        node.stop();
    }
    // Nobody is there to tell it.
    south.start_later(4);
    wait_held(&south, &[("", "expired")]);
    assert_eq!(south.call("inbox/list", &json!({}))["items"], json!([]));
    assert_eq!(count(&south, "deleted"), 1);

    north.start_later(4);
    let row = wait_state(&north, &id, "south", "deleted");
    assert_eq!((row["deleted_at"].is_u64(), &row["overdue"]), (true, &json!(false)), "{row}");
    let leaf = usize::try_from(row["their_index"].as_u64().unwrap()).unwrap();
    assert_eq!(entries(&south)[leaf].0, "deleted");
    // East is away: it should have said so by now.
    let row = row_of(&north, &id, "east");
    assert_eq!((&row["state"], &row["overdue"]), (&json!("delivered"), &json!(true)), "{row}");
    let shown = north.command(&["acks", &id]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("overdue"), "{shown:?}");
    east.start_later(4);
    let row = wait_state(&north, &id, "east", "deleted");
    assert_eq!(row["overdue"], false, "{row}");
    wait_held(&east, &[("", "expired")]);
    for node in [&north, &south, &east] {
        node.log_holds();
    }
}

/// A node whose card names an address at which nobody is.
fn hidden(folder: &Path, name: &str, country: &str) -> Node {
    let key = folder.join(format!("{name}.key")).display().to_string();
    let addresses = (free_address(), free_address());
    Node::reached_at(folder, name, country, addresses, ["--key-file".to_owned(), key])
}

/// A drill has come to south by some way, after a real alert: it has met nothing, is marked
/// everywhere, is logged as a drill at both ends, and cannot become real.
fn stays_a_drill(north: &Node, south: &Node, id: &str) {
    let rows = received(south);
    let there = rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!((&there["exercise"], &there["matches"]), (&json!(true), &json!(0)), "{there}");
    assert_eq!(there["rings"], false, "{there}");
    for arguments in [["alert", "show", id].as_slice(), &["alert", "list"], &["inbox"]] {
        let shown = south.command(arguments);
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(text.contains("EXERCISE"), "{arguments:?}: {text}");
    }
    let update = json!({ "id": id, "form": form("Drill") });
    assert_eq!(north.post("alert/update", &update).unwrap().error.unwrap()["code"], "refused");
    let _read = south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    // One real alert and one drill were accepted here; only the drill was read there.
    assert_eq!((count(north, "alert"), count(north, "exercise")), (1, 1));
    assert_eq!((count(south, "alert"), count(south, "exercise")), (0, 1));
    assert_eq!(south.call("node/status", &json!({}))["records"], 1);
}

/// A record of south that the alerts of these tests meet.
fn import_ship(south: &Node) {
    let table = columns() + &row("R-1", "green", "Person 1", "imo_ship", "9074729");
    assert!(south.import(&table).unwrap().result.is_some());
}

#[test]
fn a_drill_by_relay_stays_a_drill() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = hidden(folder.path(), "north", "NOR");
    let mut south = hidden(folder.path(), "south", "PRT");
    let mut east = Node::new(folder.path(), "east", "FIN");
    east.configure("relay_for = [\"north\", \"south\"]");
    for node in [&mut north, &mut south] {
        node.configure("relay_collect_seconds = 1");
        node.start();
    }
    east.start();
    introduce(&north, &south, &budgets());
    agree_on_drills(&north, &south);
    import_ship(&south);
    for (node, other) in [(&north, "south"), (&south, "north")] {
        for (from, to) in [(node, &east), (&east, node)] {
            let card = from.call("partner/card", &json!({}));
            let confirmed = &card["fingerprint"];
            let add = json!({ "card": card["armored"], "confirmed_fingerprint": confirmed });
            let _added = to.call("partner/add", &add);
        }
        let route = json!({ "partner": other, "route": "relay:east" });
        let _routed = node.call("partner/route", &route);
    }
    let real = send(&north, &form("Real"));
    let id = send(&north, &drill("Drill"));
    wait_state(&north, &real, "south", "delivered");
    wait_state(&north, &id, "south", "delivered");
    stays_a_drill(&north, &south, &id);
    wait_state(&north, &id, "south", "read");
    assert_eq!(row_of(&north, &real, "south")["state"], "delivered");
    north.log_holds();
    south.log_holds();
}

/// Writes a file of north's for south; its path.
fn written(north: &Node, folder: &Path, name: &str, more: &[&str]) -> String {
    let path = folder.join(name).display().to_string();
    let arguments = [["courier", "write", "south", "--out", &path].as_slice(), more].concat();
    let output = north.command(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

#[test]
fn a_drill_by_courier_stays_a_drill() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = hidden(folder.path(), "north", "NOR");
    let mut south = hidden(folder.path(), "south", "PRT");
    north.start();
    south.start();
    introduce(&north, &south, &budgets());
    agree_on_drills(&north, &south);
    import_ship(&south);
    for (node, other) in [(&north, "south"), (&south, "north")] {
        let _routed = node.call("partner/route", &json!({ "partner": other, "route": "courier" }));
    }
    let _real = send(&north, &form("Real"));
    let id = send(&north, &drill("Drill"));
    // A file is of one mode: what is real is not in the file of drills, nor the other way round.
    let drills = written(&north, folder.path(), "drills", &["--exercise"]);
    let read = |path: &str| {
        let output = south.command(&["--json", "courier", "read", path]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let taken = read(&drills);
    assert_eq!((&taken["applied"], &taken["exercise"]), (&json!(1), &json!(true)), "{taken}");
    wait_held(&south, &[("Drill", "active")]);
    let taken = read(&written(&north, folder.path(), "real", &[]));
    assert_eq!((&taken["applied"], &taken["exercise"]), (&json!(1), &json!(false)), "{taken}");
    let rows = received(&south);
    let is_drill = |row: &&Value| row["exercise"] == true;
    assert_eq!((rows.len(), rows.iter().filter(is_drill).count()), (2, 1));
    stays_a_drill(&north, &south, &id);

    // A manifest of drills over real envelopes is nobody's: what is real in it is refused.
    let frames = |path: &str| {
        let bytes = std::fs::read(path).unwrap();
        let start = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let length = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
        let manifest_end = start + 4 + length;
        (bytes[..manifest_end].to_vec(), bytes[manifest_end..].to_vec())
    };
    let real = folder.path().join("real").display().to_string();
    let ((manifest, _), (_, envelopes)) = (frames(&drills), frames(&real));
    let mixed = folder.path().join("mixed");
    std::fs::write(&mixed, [manifest, envelopes].concat()).unwrap();
    let output = south.command(&["courier", "read", mixed.to_str().unwrap()]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(received(&south), rows);
    north.log_holds();
    south.log_holds();
}
