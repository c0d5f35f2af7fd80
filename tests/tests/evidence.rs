//! A matter between two real nodes, shown to a third by both of them: what the bundles hold, what
//! they leave out, and that the verifier needs nothing but the file.
//!
//! Holds the programs to spec/evidence.md.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_tests::{
    Node, PURPOSE, agree_on_drills, columns, find, introduce, neighbours, row, verify, wait_for,
};

const INVALID: i32 = 2;
const FORM: i32 = 3;
const NOT_FOUND: i32 = 3;
const REFUSED: i32 = 4;
const OTHER_ROOT: i32 = 4;
const CHECK_FAILED: i32 = 6;

/// Both hold two people; south publishes.
fn world(folder: &Path) -> (Node, Node) {
    let (north, south) = neighbours(folder, &json!({ "document": 1_000 }));
    let table = |lines: [[&str; 3]; 2]| {
        let line =
            |[case, name, passport]: [&str; 3]| row(case, "green", name, "passport", passport);
        columns() + &lines.map(line).concat()
    };
    let own = [["N-1", "Ada Vexley", "KX1002001"], ["N-2", "Bo Quill", "KX1002002"]];
    assert!(north.import(&table(own)).unwrap().result.is_some());
    let theirs = [["S-1", "A. Vexley", "kx1002001"], ["S-2", "B. Quill", "kx1002002"]];
    assert!(south.import(&table(theirs)).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    (north, south)
}

fn reason(case: &str) -> Value {
    json!({ "purpose": PURPOSE, "case": case, "legal_basis": "act 1" })
}

/// Asks about passports in a case; the hits in their order.
fn ask(node: &Node, case: &str, passports: &[&str]) -> Vec<String> {
    let identifier = |text: &&str| json!({ "kind": "passport", "text": text });
    let identifiers: Vec<Value> = passports.iter().map(identifier).collect();
    let ask = json!({ "identifiers": identifiers, "reason": reason(case) });
    let report = node.call("query/ask", &ask);
    let answers = report["identifiers"].as_array().unwrap().iter();
    answers.map(|one| one["answers"][0]["hit"].as_str().unwrap().to_owned()).collect()
}

fn confirm(node: &Node, hit: &str, case: &str) {
    let confirmed = node.call("hit/confirm", &json!({ "id": hit, "reason": reason(case) }));
    assert_eq!(confirmed["outcome"], "released", "{confirmed}");
}

/// Builds a bundle that must come about; where it is, and what was said of it.
fn build(node: &Node, folder: &Path, name: &str, what: &[&str]) -> (PathBuf, Value) {
    let output = folder.join(name).display().to_string();
    let fixed = ["--json", "evidence", "build", "--reason", "court order 12", "--output", &output];
    let built = node.command(&[&fixed, what].concat());
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    (folder.join(format!("{name}.evidence")), serde_json::from_slice(&built.stdout).unwrap())
}

/// What the verifier says of a bundle that holds.
fn holds(bundle: &Path, arguments: &[&str]) -> Value {
    let said = verify(bundle, &[&["--json"], arguments].concat());
    let text = String::from_utf8_lossy(&said.stdout);
    assert_eq!(said.status.code(), Some(0), "{text}");
    let said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(said["holds"], true);
    said
}

fn section<'a>(said: &'a Value, begins: &str, ends: &str) -> &'a Value {
    let mut sections = said["sections"].as_array().unwrap().iter();
    let is_it = |section: &&Value| {
        let title = section["title"].as_str().unwrap();
        title.starts_with(begins) && title.ends_with(ends)
    };
    sections.find(is_it).unwrap_or_else(|| panic!("no section {begins} {ends}: {said}"))
}

fn value<'a>(section: &'a Value, label: &str) -> &'a str {
    let mut rows = section["rows"].as_array().unwrap().iter();
    rows.find(|row| row[0] == label).unwrap()[1].as_str().unwrap()
}

fn says(list: &Value, words: &str) -> bool {
    list.as_array().unwrap().iter().any(|line| line.to_string().contains(words))
}

fn words(node: &Node) -> String {
    let card = node.call("partner/card", &json!({}));
    let words = card["words"].as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

fn digits(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

#[test]
fn both_sides_show_one_matter_to_a_third() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = world(folder.path());
    let hit = ask(&north, "T-7", &["KX 100 2001"]).remove(0);
    let other = ask(&north, "T-8", &["KX1002002"]).remove(0);
    confirm(&north, &hit, "T-7");
    confirm(&north, &other, "T-8");
    let (bundle, built) = build(&north, folder.path(), "t-7", &["--case", "T-7"]);
    let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
    assert!(says(&shown["entries"], "evidence T-7, 1 Exported"), "{shown}");

    let (north_words, south_words) = (words(&north), words(&south));
    let said = holds(&bundle, &["--root", &north_words, "--root", &south_words]);
    assert_eq!(said["roots"], "expected");
    assert_eq!(value(section(&said, "This bundle", ""), "statements"), "3");
    let confirm = section(&said, "Statement ", ": confirm");
    assert_eq!(value(confirm, "purpose"), PURPOSE);
    let disclosure = section(&said, "Statement ", ": disclosure");
    assert_eq!(value(disclosure, "record: title"), "Refused: valves");
    for words in
        ["behind the confirmed tag", "an agreement was in force", "committed to the queries"]
    {
        assert!(says(&said["proved"], words), "{words}: {}", said["proved"]);
    }
    assert!(says(&said["not_proved"], "That a record is true"));
    assert!(says(&said["not_proved"], "That nobody else was told"));
    assert!(says(&built["left_out"], "what a query asked about"), "{built}");
    let log = section(&said, "The maker's log", "");
    let agreement = value(section(&said, "Agreement ", ""), "digest");
    assert!(value(log, "agreement").ends_with(agreement), "that it was accepted is in the log");

    // Nothing of the other case, and nothing of what is only north's: not even as bytes.
    let bytes = std::fs::read(&bundle).unwrap();
    for absent in ["KX1002002", "T-8", "Quill", "Ada Vexley", "N-1"] {
        assert_eq!(find(&bytes, absent.as_bytes()), None, "{absent}");
        assert!(!said.to_string().contains(absent), "{absent}");
    }

    // The other side has no hit; it names the statement, and shows the same three.
    let hash = value(confirm, "hash");
    let what = ["--statement", &hash[..16]];
    let (theirs, _) = build(&south, folder.path(), "south", &what);
    let their_said = holds(&theirs, &["--root", &south_words, "--root", &north_words]);
    for kind in [": confirm", ": disclosure", ": receipt"] {
        let hashes = [&said, &their_said]
            .map(|said| value(section(said, "Statement ", kind), "hash").to_owned());
        assert_eq!(hashes[0], hashes[1], "{kind}");
    }
    assert!(says(&their_said["proved"], "Receipts by the partner: 1."));
    assert!(value(section(&their_said, "The maker's log", ""), "policy").contains("accepted"));
    let bytes = std::fs::read(&theirs).unwrap();
    for absent in ["KX1002002", "T-8", "T-7", "Quill"] {
        assert_eq!(find(&bytes, absent.as_bytes()), None, "{absent}");
    }
    for tag in [&hit, &other] {
        assert_eq!(
            find(&bytes, &digits(&tag.replace('-', ""))),
            None,
            "north's names stay north's"
        );
    }
}

#[test]
fn the_verifier_refuses_with_its_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = world(folder.path());
    let hit = ask(&north, "T-7", &["KX1002001"]).remove(0);
    let output = folder.path().join("early").display().to_string();
    let early = ["evidence", "build", "--hit", &hit, "--reason", "r", "--output", &output];
    assert_eq!(north.command(&early).status.code(), Some(REFUSED), "nothing was signed yet");
    confirm(&north, &hit, "T-7");
    let (bundle, _) = build(&north, folder.path(), "one", &["--hit", &hit]);
    let good = std::fs::read(&bundle).unwrap();

    // The same name again: refused before anything is asked, and the file stays.
    let output = bundle.display().to_string();
    let again = ["evidence", "build", "--hit", &hit, "--reason", "r", "--output", &output];
    assert_eq!(north.command(&again).status.code(), Some(INVALID));
    assert_eq!(std::fs::read(&bundle).unwrap(), good);
    let absent = folder.path().join("absent").display().to_string();
    let nothing = ["evidence", "build", "--case", "T-0", "--reason", "r", "--output", &absent];
    assert_eq!(north.command(&nothing).status.code(), Some(NOT_FOUND));
    let unreasoned = ["evidence", "build", "--hit", &hit, "--reason", "", "--output", &absent];
    assert_eq!(north.command(&unreasoned).status.code(), Some(INVALID));
    let two =
        ["evidence", "build", "--hit", &hit, "--case", "T-7", "--reason", "r", "--output", &absent];
    assert_eq!(north.command(&two).status.code(), Some(INVALID));

    // The index beside it is the one inside, and is written only where nothing is.
    let page = std::fs::read_to_string(bundle.with_extension("html")).unwrap();
    assert!(page.contains("Refused: valves") && !page.contains("<script"), "{page}");
    let copy = folder.path().join("copy.html").display().to_string();
    let written = verify(&bundle, &["--html", &copy]);
    let text = String::from_utf8_lossy(&written.stdout);
    assert!(written.status.success() && text.contains("HOLDS, if the words above"), "{text}");
    assert!(text.contains(&words(&north)) && text.contains(&words(&south)), "{text}");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), page);
    assert_eq!(verify(&bundle, &["--html", &copy]).status.code(), Some(INVALID));

    let north_words = words(&north);
    assert_eq!(verify(&bundle, &["--root", &north_words]).status.code(), Some(OTHER_ROOT));
    assert_eq!(verify(&bundle, &["--root", "zoo zoo"]).status.code(), Some(INVALID));
    assert_eq!(verify(Path::new("/nonexistent"), &[]).status.code(), Some(INVALID));
    let mut bad = good.clone();
    let middle = bad.len() / 3;
    *bad.get_mut(middle).unwrap() ^= 1;
    let cases: [(&[u8], i32); 3] =
        [(&bad, CHECK_FAILED), (&good[..good.len() - 1], FORM), (b"not a bundle", FORM)];
    for (bytes, code) in cases {
        std::fs::write(&bundle, bytes).unwrap();
        let said = verify(&bundle, &["--json"]);
        assert_eq!(said.status.code(), Some(code));
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(said["holds"], false, "{said}");
    }
}

#[test]
fn what_queries_asked_is_shown_on_demand_and_never_with_other_matters() {
    let folder = tempfile::tempdir().unwrap();
    let (north, _south) = world(folder.path());
    let alone = ask(&north, "T-7", &["KX1002001"]).remove(0);
    confirm(&north, &alone, "T-7");
    let (bundle, _) = build(&north, folder.path(), "t-7", &["--hit", &alone, "--query-contents"]);
    let said = holds(&bundle, &[]);
    assert!(value(section(&said, "Query, leaf ", ""), "asked about").contains("KX1002001"));
    assert_eq!(value(section(&said, "Query, leaf ", ""), "case"), "T-7");
    assert!(says(&said["not_proved"], "symbolon audit open"));
    let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
    assert!(says(&shown["entries"], &format!("query {alone}, 1 Exported")));

    // One batch about both people: none of it is shown, because it cannot be shown in part.
    let mixed = json!({ "identifiers": [
        { "kind": "passport", "text": "KX1002002" }, { "kind": "passport", "text": "KX7007007" },
    ], "reason": reason("T-9") });
    let asked = north.call("query/ask", &mixed);
    let both = asked["identifiers"][0]["answers"][0]["hit"].as_str().unwrap();
    confirm(&north, both, "T-9");
    let what = ["--case", "T-9", "--query-contents"];
    let (bundle, built) = build(&north, folder.path(), "t-9", &what);
    let words = "the query also asked about identifiers of other cases";
    assert!(says(&built["left_out"], words), "{built}");
    let bytes = std::fs::read(&bundle).unwrap();
    assert_eq!(find(&bytes, b"KX7007007"), None);
    holds(&bundle, &[]);
}

#[test]
fn a_cosigned_checkpoint_is_the_one_that_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (north, _south) = world(folder.path());
    let hit = ask(&north, "T-7", &["KX1002001"]).remove(0);
    confirm(&north, &hit, "T-7");
    let cosigned = north.call("audit/cosign", &json!({}));
    assert!(cosigned["partners"][0]["size"].is_u64(), "{cosigned}");
    let (bundle, built) = build(&north, folder.path(), "t-7", &["--hit", &hit]);
    assert_eq!(built["cosigned_by"], json!(["south"]), "{built}");
    assert!(says(&holds(&bundle, &[])["proved"], "Node south cosigned that checkpoint"));
}

#[test]
fn a_case_with_two_partners_is_one_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = world(folder.path());
    let mut east = Node::new(folder.path(), "east", "AUT");
    east.start();
    introduce(&north, &east, &json!({ "document": 1_000 }));
    let theirs = columns() + &row("E-1", "green", "Adda Vexley", "passport", "KX1002001");
    assert!(east.import(&theirs).unwrap().result.is_some());
    let _sets = east.call("exchange/publish", &json!({}));
    let _asked = ask(&north, "T-7", &["KX1002001"]);
    let listed = north.call("hit/list", &json!({}))["hits"].as_array().unwrap().clone();
    let hit_with = |name: &str| {
        let hit = listed.iter().find(|hit| hit["partner"] == name).unwrap();
        hit["id"].as_str().unwrap().to_owned()
    };
    // East has a hit too, and nothing was signed with it: it has no part in the bundle but as a
    // witness of the log.
    confirm(&north, &hit_with("south"), "T-7");
    let cosigned = north.call("audit/cosign", &json!({}));
    assert_eq!(cosigned["partners"].as_array().unwrap().len(), 2);
    let (bundle, built) = build(&north, folder.path(), "one", &["--case", "T-7"]);
    assert_eq!((&built["statements"], built["nodes"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(built["cosigned_by"].as_array().unwrap().len(), 2, "{built}");
    let [north_words, south_words, east_words] = [&north, &south, &east].map(words);
    holds(&bundle, &["--root", &north_words, "--root", &south_words]);

    confirm(&north, &hit_with("east"), "T-7");
    let (bundle, built) = build(&north, folder.path(), "both", &["--case", "T-7"]);
    assert_eq!((&built["statements"], built["nodes"].as_array().unwrap().len()), (&json!(6), 3));
    let two = ["--root", &north_words, "--root", &south_words];
    assert_eq!(verify(&bundle, &two).status.code(), Some(OTHER_ROOT));
    holds(&bundle, &[&two[..], &["--root", &east_words]].concat());
}

/// A statement of last week was made under a card that has been replaced since.
#[test]
fn an_old_statement_is_checked_against_the_card_of_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = world(folder.path());
    let hit = ask(&north, "T-7", &["KX1002001"]).remove(0);
    confirm(&north, &hit, "T-7");
    south.stop();
    north.stop();
    north.start_ahead("+10d");
    wait_for("the card is renewed", 90, || {
        let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
        says(&shown["entries"], "card 2 Replaced").then_some(())
    });
    let (bundle, _) = build(&north, folder.path(), "later", &["--hit", &hit]);
    let said = holds(&bundle, &[]);
    let node = section(&said, "Node north", "");
    assert!(value(node, "card 1").contains("NOR") && value(node, "card 2").contains("NOR"));
}

fn alert(what: &str) -> Value {
    json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": "flash", "tlp": "green",
    })
}

/// Sends an alert that goes out at once; its id, once everybody has it.
fn alert_sent(node: &Node, form: &Value) -> String {
    let sent = node.call("alert/send", &json!({ "form": form }));
    let id = sent["id"].as_str().unwrap().to_owned();
    alert_at(node, &id, "delivered");
    id
}

/// Waits until every recipient has come so far with an alert.
fn alert_at(node: &Node, id: &str, state: &str) {
    wait_for(&format!("every recipient has {state}"), 30, || {
        let acks = node.call("alert/acks", &json!({ "id": id }));
        let rows = acks["recipients"].as_array()?;
        (!rows.is_empty() && rows.iter().all(|row| row["state"] == state)).then_some(())
    });
}

fn rows<'a>(said: &'a Value, begins: &str) -> Vec<&'a str> {
    let rows = section(said, begins, "")["rows"].as_array().unwrap();
    rows.iter().map(|row| row[1].as_str().unwrap()).collect()
}

#[test]
fn both_sides_show_an_alert_and_that_it_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let id = alert_sent(&north, &alert("Portal alarm"));
    let other = alert_sent(&north, &alert("Another matter"));
    let _read = south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    alert_at(&north, &id, "read");
    let (north_words, south_words) = (words(&north), words(&south));
    let roots = ["--root", &north_words, "--root", &south_words];

    // While it is in force: what it says, and how far it came.
    let (bundle, built) = build(&north, folder.path(), "in-force", &["--alert", &id]);
    let said = holds(&bundle, &roots);
    assert_eq!((&said["mode"], &built["exercise"]), (&json!("live"), &json!(false)));
    assert_eq!(value(section(&said, "This bundle", ""), "about"), format!("alert {id}"));
    let its = section(&said, "Statement ", ": alert");
    assert_eq!(value(its, "alert: title"), "Portal alarm");
    assert!(says(&said["proved"], "delivered 1, read 1, acted 0, deleted 0"), "{said}");
    assert!(says(&said["proved"], "an agreement was in force"));
    assert!(says(&built["left_out"], "became of the alert: 1"), "{built}");
    let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
    assert!(says(&shown["entries"], &format!("evidence {id}@south, 1 Exported")), "{shown}");
    let (theirs, _) = build(&south, folder.path(), "received", &["--alert", &id]);
    let their_said = holds(&theirs, &roots);
    let their = section(&their_said, "Statement ", ": alert");
    assert_eq!(value(its, "hash"), value(their, "hash"));
    assert!(rows(&their_said, "Alert ").iter().any(|row| row.contains(": read, version")));

    // What the log says of it tells how many have it: shown on demand, which is logged.
    let what = ["--alert", &id, "--alert-entries"];
    let said = holds(&build(&north, folder.path(), "entries", &what).0, &roots);
    assert!(rows(&said, "Alert ").iter().any(|row| row.ends_with("nodes 1")), "{said}");
    let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
    assert!(says(&shown["entries"], &format!("alert {id}@south, 1 Exported")), "{shown}");

    // Taken back: what it said is in no bundle any more, and that it was deleted is in both.
    let _withdrawn = north.call("alert/withdraw", &json!({ "id": id, "reason": "error" }));
    alert_at(&north, &id, "deleted");
    wait_for("south proves it", 60, || {
        let acks = north.call("alert/acks", &json!({ "id": id }));
        acks["recipients"][0]["deletion_proved"].is_object().then_some(())
    });
    let (bundle, built) = build(&north, folder.path(), "deleted", &["--alert", &id]);
    let (theirs, _) = build(&south, folder.path(), "their-deleted", &["--alert", &id]);
    let (said, their_said) = (holds(&bundle, &roots), holds(&theirs, &roots));
    assert!(says(&said["proved"], "deleted 1, refused 0"), "{said}");
    assert!(says(&said["proved"], "Deletions in the partner's log: 1."), "{said}");
    assert!(says(&said["not_proved"], "What stands at the other leaves"), "{said}");
    assert!(says(&built["left_out"], "it was erased when its time was over"), "{built}");
    for said in [&said, &their_said] {
        let word = section(said, "Statement ", ": word");
        assert_eq!(value(word, "says"), "withdrawn: it was wrong");
        assert!(says(&said["not_proved"], "statements that are not here: 1."), "{said}");
        assert!(rows(said, "Alert ").iter().any(|row| row.contains(value(its, "hash"))));
        assert!(!said.to_string().contains(&other), "nothing of the other alert");
    }
    for bundle in [&bundle, &theirs] {
        let bytes = std::fs::read(bundle).unwrap();
        for absent in ["Portal alarm", "Another matter"] {
            assert_eq!(find(&bytes, absent.as_bytes()), None, "{absent}");
        }
        assert_eq!(find(&bytes, &digits(&other.replace('-', ""))), None, "the other alert");
        // One bit of what was acknowledged, and it holds no longer.
        let hash = digits(value(its, "hash"));
        let mut bad = bytes.clone();
        bad[find(&bytes, &hash).unwrap() + 7] ^= 2;
        let altered = folder.path().join("altered.evidence");
        std::fs::write(&altered, bad).unwrap();
        assert_eq!(verify(&altered, &[]).status.code(), Some(CHECK_FAILED));
    }
    // By its hash, the word is not shown without its alert.
    let hash = value(section(&said, "Statement ", ": word"), "hash").to_owned();
    let output = folder.path().join("word").display().to_string();
    let by_hash = ["evidence", "build", "--statement", &hash, "--reason", "r", "--output", &output];
    assert_eq!(south.command(&by_hash).status.code(), Some(REFUSED));
}

#[test]
fn an_acknowledgement_of_several_alerts_is_shown_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let (north, mut south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    // What waited is pushed at once, and acknowledged in one signature.
    south.stop();
    let ids = ["One", "Two"].map(|what| {
        let sent = north.call("alert/send", &json!({ "form": alert(what) }));
        sent["id"].as_str().unwrap().to_owned()
    });
    south.start();
    ids.iter().for_each(|id| alert_at(&north, id, "delivered"));
    let (bundle, built) = build(&north, folder.path(), "one", &["--alert", &ids[0]]);
    let said = holds(&bundle, &[]);
    assert!(!says(&said["proved"], "Acknowledgements by the partner"), "{said}");
    assert!(says(&built["left_out"], ": delivered\""), "{built}");
    assert!(says(&built["left_out"], "the only one also speaks of other alerts"), "{built}");
    let what = ["--alert", &ids[0], "--shared-acknowledgements"];
    let (bundle, _) = build(&north, folder.path(), "shared", &what);
    let said = holds(&bundle, &[]);
    assert!(says(&said["proved"], "delivered 1, read 0"), "{said}");
    let its = section(&said, "Statement ", ": acknowledgement");
    assert_eq!(value(its, "said of other statements"), "1");
    let shown = north.call("audit/show", &json!({ "from": 0, "limit": 500 }));
    let entry = format!("acknowledgement {}@south, 1 Exported", ids[0]);
    assert!(says(&shown["entries"], &entry), "{shown}");
}

#[test]
fn every_version_that_is_kept_is_shown_and_the_others_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let id = alert_sent(&north, &alert("Portal alarm"));
    let update = json!({ "id": id, "form": alert("Portal alarm, false") });
    let _updated = north.call("alert/update", &update);
    wait_for("the new version comes in", 30, || {
        let page = south.call("alert/list", &json!({ "direction": "received" }));
        (page["alerts"][0]["title"] == "Portal alarm, false").then_some(())
    });
    alert_at(&north, &id, "delivered");
    let (bundle, _) = build(&north, folder.path(), "both", &["--alert", &id]);
    let said = holds(&bundle, &[]);
    let versions = said["sections"].as_array().unwrap().iter();
    let versions = versions.filter(|one| one["title"].as_str().unwrap().ends_with(": alert"));
    let titles: Vec<_> = versions.map(|one| value(one, "alert: title")).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.contains(&"Portal alarm") && titles.contains(&"Portal alarm, false"));
    assert!(says(&said["proved"], "delivered 2, read 0"), "{said}");
    let (_, built) = build(&south, folder.path(), "newest", &["--alert", &id]);
    assert_eq!(built["statements"], 2, "the newest and its acknowledgement: {built}");
    assert!(says(&built["left_out"], "an earlier version of the alert"), "{built}");
}

#[test]
fn a_bundle_of_one_recipient_does_not_show_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    let mut east = Node::new(folder.path(), "east", "AUT");
    east.start();
    introduce(&north, &east, &json!({ "document": 1_000 }));
    let id = alert_sent(&north, &alert("Portal alarm"));
    let output = folder.path().join("nobody").display().to_string();
    let unnamed = ["evidence", "build", "--alert", &id, "--reason", "r", "--output", &output];
    assert_eq!(north.command(&unnamed).status.code(), Some(INVALID), "it went to two");
    // East has a part in the bundle as a witness of the log, as every partner has.
    let cosigned = north.call("audit/cosign", &json!({}));
    assert_eq!(cosigned["partners"].as_array().unwrap().len(), 2);
    let what = ["--alert", &id, "--partner", "south"];
    let (bundle, built) = build(&north, folder.path(), "south", &what);
    assert_eq!(built["nodes"].as_array().unwrap().len(), 2, "{built}");
    let said = holds(&bundle, &["--root", &words(&north), "--root", &words(&south)]);
    for section in said["sections"].as_array().unwrap() {
        let is_witness = section["title"].as_str().unwrap().starts_with("Node east")
            || section["title"] == "The maker's log"
            || section["title"] == "Proved";
        assert!(is_witness || !section.to_string().contains("east ("), "{section}");
    }
    let bytes = std::fs::read(&bundle).unwrap();
    let card = east.call("partner/card", &json!({}));
    let fingerprint = digits(card["fingerprint"].as_str().unwrap());
    assert_eq!(find(&bytes, &fingerprint), None, "no word of the other recipient");
    let (theirs, _) = build(&south, folder.path(), "theirs", &["--alert", &id]);
    assert_eq!(find(&std::fs::read(theirs).unwrap(), &fingerprint), None);
}

#[test]
fn a_bundle_about_a_drill_says_so_first() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &json!({ "document": 1_000 }));
    agree_on_drills(&north, &south, &json!({ "document": 1_000 }));
    let mut drill = alert("Drill");
    drill["exercise"] = json!(true);
    let id = alert_sent(&north, &drill);
    let _contested = south.call("alert/contest", &json!({ "id": id, "reason": "wrong_facts" }));
    wait_for("the origin learns of the contest", 30, || {
        let items = north.call("inbox/list", &json!({}))["items"].clone();
        items.as_array()?.iter().any(|item| item["kind"] == "contested").then_some(())
    });
    let output = folder.path().join("people").display().to_string();
    let build_it = ["evidence", "build", "--alert", &id, "--reason", "r", "--output", &output];
    let text = north.command(&build_it).stdout;
    assert!(text.starts_with(b"EXERCISE"), "{}", String::from_utf8_lossy(&text));
    for (node, name) in [(&north, "north"), (&south, "south")] {
        let (bundle, built) = build(node, folder.path(), name, &["--alert", &id]);
        let said = holds(&bundle, &[]);
        assert_eq!((&said["mode"], &built["exercise"]), (&json!("exercise"), &json!(true)));
        assert_eq!(said["sections"][0]["rows"][0][0], "EXERCISE");
        let word = section(&said, "EXERCISE Statement ", ": word");
        assert_eq!(value(word, "says"), "contested: what it says did not happen so");
        assert_eq!(value(section(&said, "Agreement ", ""), "data"), "exercise");
        let text = verify(&bundle, &[]).stdout;
        assert!(text.starts_with(b"EXERCISE"));
    }
}
