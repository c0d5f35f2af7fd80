//! What an auditor sees afterwards, and what an insider cannot change without being seen.
//!
//! Holds the program to spec/accountability.md.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::path::Path;

use serde_json::{Value, json};
use symbolon_audit::QueryPrivate;
use symbolon_store::{Query, Store, Unlock, Write};
use symbolon_tests::{Node, PURPOSE, columns, go_verify, neighbours, row};
use symbolon_trust::NodeId;

const CHECK_FAILED: i32 = 6;
const INVALID: i32 = 2;
const NOT_FOUND: i32 = 3;

fn ask(node: &Node, text: &str) -> Value {
    let identifier = json!({ "kind": "passport", "text": text, "issuer": "RUS" });
    let reason = json!({ "purpose": PURPOSE, "case": "T-7", "legal_basis": "act 1" });
    node.call("query/ask", &json!({ "identifiers": [identifier], "reason": reason }))
}

fn open(node: &Node, query: &Value) -> Value {
    node.call("audit/open", &json!({ "query": query, "reason": "sampling" }))
}

/// Changes the stored query as somebody with the node's key could.
fn tamper(node: &mut Node, change: impl Fn(&mut Query)) {
    node.stop();
    let key = std::fs::read(node.directory.with_extension("key")).unwrap();
    let unlock = Unlock::key_file(key).unwrap();
    let store = Store::open(&node.directory, &unlock, [1; 32]).unwrap();
    let mut query = store.query_list(None, 1).unwrap().remove(0);
    change(&mut query);
    store.commit(Write::new().query(&query)).unwrap();
    drop(store);
    node.start();
}

fn private(query: &mut Query, change: impl Fn(&mut QueryPrivate)) {
    let mut private = QueryPrivate::decode(&query.private).unwrap();
    change(&mut private);
    query.private = private.encode().to_vec();
}

#[test]
fn a_query_opens_to_what_was_asked_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let theirs = columns() + &row("S-1", "green", "A. Vexley", "passport", "kx1002001");
    assert!(south.import(&theirs).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let asked = ask(&north, "KX-100 2001");
    assert_eq!(asked["identifiers"][0]["answers"][0]["outcome"], "hit", "{asked}");

    let before = north.log_holds();
    let opened = open(&north, &asked["id"]);
    assert_eq!(opened["holds"], true, "{opened}");
    let query = &opened["queries"][0];
    let said = ["partner", "purpose", "case", "legal_basis", "state"].map(|name| &query[name]);
    assert_eq!(said, ["south", PURPOSE, "T-7", "act 1", "answered"], "{query}");
    let keys: Vec<&Value> = query["keys"].as_array().unwrap().iter().collect();
    assert!(keys.iter().all(|key| key["value"] == "KX1002001"), "{query}");
    assert!(keys.iter().any(|key| key["issuer"] == "RUS"), "{query}");
    assert_eq!(north.log_holds(), before + 1, "that it was opened is in the log");
    let id = asked["id"].as_str().unwrap();
    let shown = north.command(&["audit", "open", id, "--reason", "sampling"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success() && text.contains("KX1002001") && text.contains("T-7"), "{text}");
    // Whom, when: what is shown is what the log commits to, whatever the row beside it says.
    let asked_at = query["asked_at"].clone();
    tamper(&mut north, |query| {
        query.partner = NodeId::from_bytes([7; 32]);
        query.asked_at += 1_000;
        query.epoch += 1;
    });
    let again = open(&north, &asked["id"])["queries"][0].clone();
    assert_eq!((&again["partner"], &again["asked_at"]), (&json!("south"), &asked_at), "{again}");
    assert_eq!(again["epoch"], query["epoch"]);
    let nothing = ["audit", "open", "00ff", "--reason", "sampling"];
    assert_eq!(north.command(&nothing).status.code(), Some(NOT_FOUND));
    assert_eq!(north.command(&["audit", "open", id, "--reason", ""]).status.code(), Some(INVALID));
}

#[test]
fn a_changed_blind_a_swapped_identifier_and_a_missing_leaf_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let _sets = south.call("exchange/publish", &json!({}));
    let asked = ask(&north, "KX-100 2001");
    let changes: [(&str, fn(&mut Query)); 4] = [
        ("not the one committed to", |query| {
            private(query, |private| *private.opening.first_mut().unwrap() ^= 1);
        }),
        ("not the one committed to", |query| {
            private(query, |private| private.identifiers.swap(0, 1));
        }),
        ("missing", |query| query.leaf_index = Some(1_000_000)),
        ("something else", |query| query.leaf_index = Some(0)),
    ];
    for (problem, change) in changes {
        let kept = north.directory.with_extension("kept");
        north.stop();
        copy(&north.directory, &kept);
        tamper(&mut north, change);
        let opened = open(&north, &asked["id"]);
        let said = opened["queries"][0]["problem"].as_str().unwrap_or_default();
        assert!(opened["holds"] == false && said.contains(problem), "{problem:?}: {opened}");
        assert_eq!(opened["queries"][0]["keys"], json!([]), "nothing false is shown");
        let id = asked["id"].as_str().unwrap();
        let shown = north.command(&["audit", "open", id, "--reason", "sampling"]);
        assert_eq!(shown.status.code(), Some(CHECK_FAILED));
        north.stop();
        std::fs::remove_dir_all(&north.directory).unwrap();
        std::fs::rename(&kept, &north.directory).unwrap();
        north.start();
        assert_eq!(open(&north, &asked["id"])["holds"], true);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn an_exported_log_verifies_with_other_peoples_tools() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    north.start();
    // More leaves than a tile has, each from an act of an officer: a record that is read.
    let table = columns() + &row("N-1", "green", "Ada Vexley", "passport", "KX1002001");
    assert!(north.import(&table).unwrap().result.is_some());
    let record = north.call("record/list", &json!({}))["records"][0]["id"].clone();
    let read = |times: u64| {
        for _ in 0..times {
            let _shown = north.call("record/show", &json!({ "id": record, "reason": "test" }));
        }
    };
    let place = folder.path().join("log");
    let export = || {
        let done = north.command(&["--json", "audit", "export", &place.display().to_string()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).unwrap()
    };
    read(5);
    let small = export();
    read(300);
    let exported = export();
    assert!(exported["size"].as_u64() > Some(300) && small["size"].as_u64() < Some(20));
    let vkeys = exported["vkeys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    // Go knows Ed25519 only, and that key is the shorter one.
    let ed25519 = vkeys.min_by_key(|key| key.len()).unwrap();
    let (said, is_well) = go_verify(&place, ed25519);
    assert!(is_well && said.contains("every proof hold"), "{said}");
    assert!(said.contains(&format!("{} leaves, 1 signatures", exported["size"])), "{said}");

    // A leaf that is changed, in its bundle or in its tile, is found; so is another key.
    for file in ["tile/entries/000", "tile/0/000"] {
        let path = place.join(file);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.get_mut(40).unwrap() ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let (said, is_well) = go_verify(&place, ed25519);
        assert!(!is_well, "{file}: {said}");
        let again = north.command(&["audit", "export", &place.display().to_string()]);
        assert_eq!(again.status.code(), Some(4), "a folder with another history is refused");
        std::fs::write(&path, &good).unwrap();
    }
    let (name, key) = ed25519.split_once('+').unwrap();
    assert!(!go_verify(&place, &format!("{name}x+{key}")).1, "a key of another log");
}
