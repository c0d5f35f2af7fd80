//! Watch rules between real nodes: previewed, kept, applied, gathered, and told to others.
//!
//! Holds the program to spec/watch.md.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use symbolon_tests::{Node, find, neighbours, wait_for};

const PASSPORT: &str = "KX1234567";

/// A flash, which goes out at once.
fn send(node: &Node, what: &str, passport: &str) -> String {
    let form = json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": "flash", "tlp": "green",
        "identifiers": [{ "kind": "passport", "text": passport, "issuer": "DEU" }],
    });
    let sent = node.call("alert/send", &json!({ "form": form }));
    assert_eq!(sent["state"], "active", "{sent}");
    sent["id"].as_str().unwrap().to_owned()
}

/// Waits until a node has received an alert; whether it rings.
fn rings(node: &Node, id: &str) -> bool {
    wait_for("an alert comes in", 20, || {
        let page = node.call("alert/list", &json!({ "direction": "received" }));
        let alerts = page["alerts"].as_array().unwrap();
        let there = alerts.iter().find(|alert| alert["id"] == id)?;
        there["rings"].as_bool()
    })
}

/// The alerts of each rule of a digest, by name.
fn gathered(node: &Node) -> Vec<(String, Vec<(String, bool)>)> {
    let digest = node.call("watch/digest", &json!({ "since": 0 }));
    let rules = digest["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| {
            let alerts = rule["alerts"].as_array().unwrap().iter();
            let alerts = alerts
                .map(|alert| (alert["alert"].as_str().unwrap().to_owned(), alert["rings"] == true));
            (rule["name"].as_str().unwrap().to_owned(), alerts.collect())
        })
        .collect()
}

fn everything_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn a_rule_is_previewed_kept_applied_and_gathered() {
    let folder = tempfile::tempdir().unwrap();
    let (north, mut south) = neighbours(folder.path(), &json!({ "document": 100_000 }));
    south.stop();
    south.configure("notice_lines_file = \"notices.jsonl\"");
    south.start();
    let first = send(&north, "Portal alarm", PASSPORT);
    assert!(!rings(&south, &first), "nobody asked for it");

    // Preview, and only then: the number must be the one that was shown.
    let person = json!({
        "name": "the person",
        "identifiers": [{ "kind": "passport", "text": PASSPORT, "issuer": "DEU" }],
        "delivery": "ring", "targets": ["inbox", "lines"],
    });
    let elsewhere = json!({ "name": "elsewhere", "countries": ["FRA"] });
    let preview = south.call("watch/preview", &json!({ "form": person }));
    assert_eq!(
        (&preview["alerts"], &preview["fits"], &preview["rings"]),
        (&json!(1), &json!(1), &json!(1)),
        "{preview}"
    );
    assert_eq!(preview["newest"][0]["alert"], json!(first));
    assert!(preview["newest"][0]["why"][0].as_str().unwrap().starts_with("identifier passport"));
    assert_eq!(south.call("watch/preview", &json!({ "form": elsewhere }))["fits"], 0);
    let unseen = south.post("watch/save", &json!({ "form": person, "fits": 0 })).unwrap();
    assert_eq!(unseen.error.unwrap()["code"], "refused");
    let saved = south.call("watch/save", &json!({ "form": person, "fits": 1 }));
    let _other = south.call("watch/save", &json!({ "form": elsewhere, "fits": 0 }));
    assert!(!saved.to_string().contains(PASSPORT) && !preview.to_string().contains(PASSPORT));
    assert_eq!(saved["asks"], json!(["identifier passport"]));

    // What comes in is held against the rules in the write that takes it.
    let second = send(&north, "Portal alarm again", PASSPORT);
    assert!(rings(&south, &second), "the rule calls");
    let third = send(&north, "Another", "KX7654321");
    assert!(!rings(&south, &third));
    let expected = vec![
        ("the person".to_owned(), vec![(second.clone(), true)]),
        ("elsewhere".to_owned(), Vec::new()),
    ];
    assert_eq!(gathered(&south), expected);

    // The line has five facts and no content; it is there before anybody looks.
    let path = south.directory.join("notices.jsonl");
    let line = wait_for("the notice is written", 20, || {
        std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))
    });
    let notice: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&notice["alert"], &notice["rule"]), (&json!(second), &json!("the person")));
    let facts: BTreeSet<&str> = notice.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(facts, BTreeSet::from(["alert", "class", "exercise", "rule", "time"]));

    // The command line shows the same, and no identifier.
    let shown = |arguments: &[&str]| {
        let output = south.command(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = shown(&["watch", "list"]);
    assert!(listed.contains("identifier passport") && !listed.contains(PASSPORT), "{listed}");
    let digest = shown(&["watch", "digest"]);
    assert!(digest.contains(&second) && digest.contains("RING"), "{digest}");
    let identifier = format!("passport={PASSPORT}");
    let preview = ["watch", "preview", "--name", "again", "--identifier", identifier.as_str()];
    assert!(shown(&preview).contains("--fits 2"));
    let _removed = shown(&["watch", "remove", saved["id"].as_str().unwrap()]);
    assert_eq!(gathered(&south), expected[1..]);
    south.stop();
    assert!(find(&everything_in(&south.directory), PASSPORT.as_bytes()).is_none());
}

#[test]
fn a_rule_that_cannot_be_kept_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), "north", "NOR");
    node.start();
    let refused = |form: Value, named: &str| {
        let answer = node.post("watch/preview", &json!({ "form": form })).unwrap();
        let error = answer.error.unwrap();
        assert_eq!(error["code"], "invalid", "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert!(!error["remedy"].as_str().unwrap().is_empty(), "{error}");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    };
    refused(json!({ "name": "x" }), "asks for nothing");
    refused(json!({ "name": "", "kinds": ["diversion"] }), "'name'");
    refused(json!({ "name": "x", "kinds": ["CANARY"] }), "'kinds[0]'");
    refused(json!({ "name": "x", "classes": ["flash", "CANARY"] }), "'classes[1]'");
    refused(json!({ "name": "x", "countries": ["CANARY"] }), "'countries[0]'");
    refused(json!({ "name": "x", "items": ["CANARY:2B"] }), "'items[0]'");
    refused(json!({ "name": "x", "routes": ["unknown"] }), "'routes[0]'");
    let identifiers = json!([{ "kind": "lei", "text": "CANARY" }]);
    refused(json!({ "name": "x", "identifiers": identifiers }), "'identifiers[0]'");
    let spoken = |field: &str, value: Value| {
        let mut form = json!({ "name": "x", "kinds": ["diversion"] });
        form[field] = value;
        form
    };
    refused(spoken("delivery", json!("CANARY")), "'delivery'");
    refused(spoken("targets", json!(["http://CANARY.example/x"])), "'targets[0]'");
    let unknown = node.post("watch/remove", &json!({ "id": "CANARY" })).unwrap();
    assert_eq!(unknown.error.unwrap()["code"], "not_found");
}
