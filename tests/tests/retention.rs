//! What is old is erased and said to be; what is gone without an erasure is missing, by name.
//!
//! Holds the program to spec/log.md#erasure.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::process::Command;

use serde_json::{Value, json};
use symbolon_store::{Store, Unlock};
use symbolon_tests::{Node, PURPOSE, columns, go_verify, neighbours, row, wait_for};

const INVALID: i32 = 2;
const REFUSED: i32 = 4;
const CHECK_FAILED: i32 = 6;
const PASSPORT: &str = "KX1002001";

/// A day from now on, as YYYY-MM-DD.
fn day(shift: &str) -> String {
    let done = Command::new("date").args(["-u", "-d", shift, "+%F"]).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn verify(node: &Node) -> Value {
    node.call("audit/verify", &json!({}))
}

fn erase(node: &Node, before: &str, more: &[&str]) -> (Option<i32>, String) {
    let what = ["audit", "erase", "--before", before, "--reason", "yearly"];
    let done = node.command(&[&what, more].concat());
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn an_erased_log_goes_on_to_verify_here_and_with_other_peoples_tools() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let table = columns() + &row("N-1", "green", "Ada Vexley", "passport", PASSPORT);
    assert!(north.import(&table).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let identifier = json!({ "kind": "passport", "text": PASSPORT });
    let reason = json!({ "purpose": PURPOSE, "case": "T-7" });
    let ask = json!({ "identifiers": [identifier], "reason": reason });
    let asked = north.call("query/ask", &ask);
    let query = asked["id"].as_str().unwrap().to_owned();
    for _ in 0..300 {
        let _page = north.call("record/list", &json!({}));
    }
    let place = folder.path().join("log");
    let export = |node: &Node| {
        let done = node.command(&["--json", "audit", "export", &place.display().to_string()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).unwrap()
    };
    let _before = export(&north);
    north.stop();
    north.start_later(40);

    // Not what is younger than an epoch can be, not without a yes, not without a reason.
    let (code, said) = erase(&north, &day("+20 days"), &["--yes"]);
    assert!(code == Some(REFUSED) && said.contains("31 days"), "{said}");
    let (code, said) = erase(&north, &day("+5 days"), &[]);
    assert!(code == Some(INVALID) && said.contains("a person's yes"), "{said}");
    assert_eq!(erase(&north, "yesterday", &["--yes"]).0, Some(INVALID));
    let (fifth, word) = (day("+5 days"), ["--reason", "yearly"]);
    let asked = [&["audit", "erase", "--before", &fifth], word.as_slice()].concat();
    let (said, code) = north.at_terminal(&asked, "no\n");
    assert!(code == Some(REFUSED) && said.contains("Nothing brings it back"), "{said}");
    assert_eq!(verify(&north)["erased"], 0, "nothing was erased yet");
    let (code, said) = erase(&north, &day("+5 days"), &["--yes"]);
    assert!(code == Some(0) && said.contains("what 1 queries asked"), "{said}");

    let report = verify(&north);
    assert_eq!((&report["holds"], &report["missing"]), (&json!(true), &json!([])), "{report}");
    assert!(report["erased"].as_u64() > Some(300), "{report}");
    let kinds = report["entries"].as_object().unwrap();
    assert!(["query", "import"].iter().all(|kind| !kinds.contains_key(*kind)), "{report}");
    assert!(["card", "agreement", "policy", "erased"].iter().all(|kind| kinds.contains_key(*kind)));
    let shown = north.command(&["audit", "show", "--limit", "1000"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("salt and body are destroyed"), "{shown}");
    assert!(
        shown.contains("entries, because: yearly by ") && !shown.contains("MISSING"),
        "{shown}"
    );
    let opened = north.command(&["audit", "open", &query, "--reason", "sample"]);
    let said = String::from_utf8_lossy(&opened.stdout).into_owned();
    assert!(opened.status.success() && said.contains("erased with its entry"), "{said}");
    assert!(!said.contains(PASSPORT) && !said.contains("T-7"), "{said}");

    // The folder of before takes what is new: it is the same history.
    let after = export(&north);
    // Go knows Ed25519 only, and that key is the shorter one.
    let vkeys = after["vkeys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    let (said, is_well) = go_verify(&place, vkeys.min_by_key(|key| key.len()).unwrap());
    assert!(is_well && said.contains("every proof hold"), "{said}");
    assert!(said.contains(&format!("{} leaves, 1 signatures", after["size"])), "{said}");
    // A second time there is nothing left to erase, and a partner sees a log that goes on.
    assert!(erase(&north, &day("+5 days"), &["--yes"]).1.contains("0 entries erased"));
    assert_eq!(verify(&north)["holds"], true);
    south.stop();
    south.start_later(40);
    let _sets = south.call("exchange/publish", &json!({}));
    let again = north.ask("passport", PASSPORT);
    assert_eq!(again["outcome"], "no_hit", "{again}");
}

#[test]
fn what_is_gone_without_an_erasure_is_missing_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    north.start();
    for _ in 0..10 {
        let _page = north.call("record/list", &json!({}));
    }
    north.stop();
    north.start_later(40);
    assert_eq!(erase(&north, &day("+5 days"), &["--yes"]).0, Some(0));
    let _young = north.call("record/list", &json!({}));
    let young = north.log_holds() - 1;
    north.stop();
    let database = rusqlite::Connection::open(north.directory.join("symbolon.db")).unwrap();
    let empty = "UPDATE log_entry SET cell = x'' WHERE number = ?1";
    assert_eq!(database.execute(empty, [i64::try_from(young).unwrap()]).unwrap(), 1);
    drop(database);
    north.start_later(40);
    let done = north.command(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let named = format!("leaf {young}: its entry is missing, and no erasure covers it");
    assert!(done.status.code() == Some(CHECK_FAILED) && said.contains(&named), "{said}");
    assert_eq!(verify(&north)["missing"], json!([young]));
    let shown = north.command(&["audit", "show", "--from", &young.to_string(), "--limit", "1"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("MISSING"));
    let doctor = north.command(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(CHECK_FAILED));
}

#[test]
fn the_node_erases_by_itself_what_its_configuration_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    north.start();
    let _page = north.call("record/list", &json!({}));
    north.stop();
    north.start_later(90);
    let _page = north.call("record/list", &json!({}));
    assert_eq!(verify(&north)["erased"], 0, "by default nothing is erased");
    north.stop();
    north.configure("log_retention_days = 35");
    north.start_later(90);
    let erased = || verify(&north)["erased"].as_u64().filter(|erased| *erased > 0);
    wait_for("the node erases", 30, erased);
    assert_eq!(verify(&north)["holds"], true);

    let entries = north.call("audit/show", &json!({ "from": 0, "limit": 1_000 }));
    let entries = entries["entries"].as_array().unwrap();
    let erasures: Vec<&Value> = entries.iter().filter(|e| e["kind"] == "erased").collect();
    assert_eq!(erasures.len(), 1, "{entries:?}");
    let words = erasures[0]["summary"].as_str().unwrap();
    assert!(words.ends_with("because: log_retention_days = 35 by node"), "{words}");
    assert!(entries.iter().any(|e| e["kind"] == "read"), "the young one is there");

    north.stop();
    let path = north.directory.join("symbolon.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("days = 35", "days = 30")).unwrap();
    let key = north.directory.with_extension("key").display().to_string();
    let done = north.command(&["run", "--key-file", &key]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(INVALID) && said.contains("31 or more"), "{said}");
    // The refusal opened the store; it is whole.
    let unlock = Unlock::key_file(std::fs::read(&key).unwrap()).unwrap();
    let store = Store::open(&north.directory, &unlock, [1; 32]).unwrap();
    assert!(store.log_verify(|_| ()).is_ok());
}
