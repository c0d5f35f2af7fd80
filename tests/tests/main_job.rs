//! The main job with two real nodes: import, publish, match, ask, confirm, and what each is told.
//!
//! Breaks spec/architecture.md#invariants 1, 2, 3, 6, 7 and 8 on purpose, and must fail to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon_disclosure::{Disclosed, Kept, Payload};
use symbolon_store::{Store, Unlock, Way};
use symbolon_tests::{Node, PURPOSE, columns, introduce, row};

/// One match key of a passport with and one without issuer, padded to eight elements a query: room
/// for one exchange and one query.
const DOCUMENT_BUDGET: u64 = 16;
const NO_CONFIRM_OF_AMBER: &str = "\n@id(\"no-confirm-of-amber\")\n\
    forbid (principal, action in [Action::\"confirm\", Action::\"disclose\"], resource)\n\
    when { resource.tlp == Tlp::\"amber\" };\n";

fn table(rows: &[String]) -> String {
    columns() + &rows.concat()
}

fn reason() -> Value {
    json!({ "purpose": PURPOSE, "case": "T-1" })
}

fn confirm(node: &Node, hit: &Value) -> Value {
    node.call("hit/confirm", &json!({ "id": hit, "reason": reason() }))
}

#[test]
fn two_nodes_find_what_both_hold_and_release_what_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    let mut south = Node::new(folder.path(), "south", "PRT");
    let policy = south.directory.join("policy.cedar");
    let text = std::fs::read_to_string(&policy).unwrap() + NO_CONFIRM_OF_AMBER;
    std::fs::write(&policy, text).unwrap();
    north.start();
    south.start();
    introduce(&north, &south, &json!({ "document": DOCUMENT_BUDGET, "contact": 10_000 }));
    import(&north, &south);
    let _sets = south.call("exchange/publish", &json!({}));
    exchange(&north);
    let asked = ask(&north);
    release(&north, &south, &asked);
    let statement = north.call("hit/show", &json!({ "id": asked }))["released"][0].clone();
    let preview = preview(&south);
    assert_eq!(statement["fields"], preview["released"], "what is shown is what was previewed");
    not_asked(&north, &mut south);
    north.log_holds();
    south.start();
    south.log_holds();
    north.stop();
    south.stop();
    kept_is_previewed(&north, &south, &statement, &preview);
}

fn import(north: &Node, south: &Node) {
    let own = table(&[
        row("N-1", "green", "Ada Vexley", "passport", "KX-100 2001"),
        row("N-1", "green", "Ada Vexley", "email", "Ada.Vexley@example.org"),
        row("N-2", "green", "Bo Quill", "passport", "KX1002002"),
        row("N-3", "green", "Cy Rowe", "email", "amber@example.org"),
        row("N-4", "green", "Di Sorn", "email", "red@example.org"),
        row("N-5", "green", "Ed Tarn", "email", "only-north@example.org"),
        row("N-6", "green", "Fi Umber", "imo_ship", "not a number"),
    ]);
    let first = north.import(&own).unwrap();
    let done = first.result.unwrap();
    assert_eq!((&done["rows"], &done["rows_refused"]), (&json!(7), &json!(1)));
    let refused: Vec<_> = first.rows.iter().filter(|row| row["severity"] == "refused").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!((&refused[0]["row"], &refused[0]["column"]), (&json!(8), &json!("id_value")));
    let rule = refused[0]["rule"].as_str().unwrap();
    assert!(!rule.is_empty() && !rule.contains("not a number"), "{rule}");
    let again = north.import(&own).unwrap().result.unwrap();
    let count = |key: &str| again[key].as_u64().unwrap();
    assert_eq!((count("records_new"), count("records_changed")), (0, 0), "{again}");
    assert_eq!(count("records_same"), done["records_new"].as_u64().unwrap());
    let theirs = table(&[
        row("S-1", "green", "A. Vexley", "passport", "kx1002001"),
        row("S-1", "green", "A. Vexley", "email", "ada.vexley@EXAMPLE.org"),
        row("S-2", "amber", "C. Rowe", "email", "amber@example.org"),
        row("S-3", "red", "D. Sorn", "email", "red@example.org"),
        row("S-4", "green", "G. Vane", "passport", "KX1002009"),
        row("S-5", "green", "H. Wick", "email", "only-south@example.org"),
    ]);
    let taken = south.import(&theirs).unwrap().result.unwrap();
    assert_eq!(taken["records_new"], 5);
}

fn exchange(north: &Node) {
    let found = north.call("exchange/run", &json!({ "partner": "south", "reason": reason() }));
    for class in found["classes"].as_array().unwrap() {
        assert_eq!(class["not_asked"], Value::Null, "{class}");
    }
    let hits = north.call("hit/list", &json!({}));
    let records = north.call("record/list", &json!({}));
    let of = |id: &Value| {
        let show = json!({ "id": id, "reason": "test" });
        let shown = north.call("record/show", &show);
        let fields = shown["fields"].as_array().unwrap().clone();
        let case = fields.into_iter().find(|field| field["field"] == "case_reference");
        case.unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(records["records"].as_array().unwrap().len(), 5, "the refused one is not there");
    let met: BTreeSet<(String, String)> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| (of(&hit["record"]), hit["kind"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("N-1", "email"), ("N-1", "passport"), ("N-3", "email")];
    let expected = expected.map(|(case, kind)| (case.to_owned(), kind.to_owned()));
    assert_eq!(met, BTreeSet::from(expected), "what both hold, and nothing else");
}

/// A question as an officer asks it; gives its hit. Then the budget is used up.
fn ask(north: &Node) -> Value {
    let answer = north.ask("passport", "KX 1002001");
    assert_eq!(answer["outcome"], "hit", "{answer}");
    let spent = north.ask("passport", "KX1002009");
    assert_eq!((&spent["outcome"], &spent["hit"]), (&json!("not_asked"), &Value::Null));
    let cause = spent["cause"].as_str().unwrap();
    assert!(cause.contains("budget"), "{cause}");
    // Held and not for this partner, or held by nobody: one answer.
    let mut neither =
        ["red@example.org", "nobody@example.org"].map(|text| north.ask("email", text));
    for answer in &mut neither {
        assert!(answer["log_index"].is_u64());
        answer["log_index"] = Value::Null;
    }
    assert_eq!(neither[0], neither[1]);
    assert_eq!(neither[0]["outcome"], "no_hit");
    answer["hit"].clone()
}

fn release(north: &Node, south: &Node, hit: &Value) {
    let done = confirm(north, hit);
    assert_eq!(done["outcome"], "released", "{done}");
    assert_eq!(done["released"].as_array().unwrap().len(), 1);
    let withheld = ["source_description", "source_reference", "case_reference"];
    for field in done["released"][0]["fields"].as_array().unwrap() {
        assert!(!withheld.contains(&field["field"].as_str().unwrap()), "{field}");
    }
    compared(&done["released"][0]["compared"]);
    let amber = north.ask("email", "amber@example.org");
    assert_eq!(amber["outcome"], "hit");
    let neutral = confirm(north, &amber["hit"]);
    assert_eq!((&neutral["outcome"], &neutral["cause"]), (&json!("nothing"), &Value::Null));
    assert_eq!(neutral["released"], json!([]));
    let entries = south.call("audit/show", &json!({}));
    let kinds: Vec<&str> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    for kind in ["evaluation", "confirm_received", "disclosed", "refused"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
}

/// Field by field, without a value: Ada Vexley here, A. Vexley there.
fn compared(findings: &Value) {
    let told = |field: &str| {
        let mut findings = findings.as_array().unwrap().iter();
        let found = findings.find(|finding| finding["field"] == field);
        found.map(|found| found["standing"].as_str().unwrap().to_owned())
    };
    assert_eq!(told("passport").as_deref(), Some("agrees"), "{findings}");
    assert_eq!(told("email").as_deref(), Some("agrees"), "{findings}");
    assert!(told("names").is_some(), "{findings}");
    let text = findings.to_string();
    assert!(!text.contains("Vexley") && !text.contains("1002001"), "{text}");
}

fn preview(south: &Node) -> Value {
    let records = south.call("record/list", &json!({}));
    let ids = records["records"].as_array().unwrap().iter().map(|record| &record["id"]);
    let previews = ids.map(|id| {
        let request = json!({ "record": id, "partner": "north", "purpose": PURPOSE });
        south.call("policy/preview", &request)
    });
    let of_the_confirmed = |preview: &Value| preview.to_string().contains("A. Vexley");
    previews.into_iter().find(of_the_confirmed).unwrap()
}

/// The bytes that both nodes keep are the bytes of the preview, but for the two parts that only a
/// question gives: which it answers, and the opening of its tag.
fn kept_is_previewed(north: &Node, south: &Node, statement: &Value, preview: &Value) {
    let hash = hex::decode(statement["statement"].as_str().unwrap()).unwrap();
    let kept = [(north, Way::Received), (south, Way::Sent)].map(|(node, way)| {
        let key = std::fs::read(node.directory.with_extension("key")).unwrap();
        let unlock = Unlock::key_file(key).unwrap();
        let store = Store::open(&node.directory, &unlock, [1; 32]).unwrap();
        let evidence = store.evidence_fetch(&hash.clone().try_into().unwrap()).unwrap().unwrap();
        assert_eq!(evidence.way, way);
        evidence.signed
    });
    assert_eq!(kept[0], kept[1], "both keep the same signed bytes");
    let kept = Kept::decode(&kept[0]).unwrap();
    let Payload::Disclosure(sent) = kept.payload() else { panic!("not a disclosure") };
    let shown = hex::decode(preview["payload"].as_str().unwrap()).unwrap();
    let mut shown: Disclosed = symbolon_codec::decode(&shown, shown.len()).unwrap();
    assert!(sent.opening.is_some() && sent.in_reply_to.is_some());
    assert_eq!((&shown.in_reply_to, &shown.opening), (&None, &None));
    shown.in_reply_to = sent.in_reply_to;
    shown.opening.clone_from(&sent.opening);
    assert_eq!(symbolon_codec::encode(&shown), kept.payload_bytes());
}

/// Suspended here, suspended there, down: never "no hit".
fn not_asked(north: &Node, south: &mut Node) {
    let change = |node: &Node, verb: &str, partner: &str| {
        let request = json!({ "partner": partner, "reason": "test" });
        let _shown = node.call(&format!("partner/{verb}"), &request);
    };
    let ask = |why: &str| {
        let answer = north.ask("email", "only-south@example.org");
        assert_eq!(answer["outcome"], "not_asked", "{why}: {answer}");
        assert!(!answer["cause"].as_str().unwrap().is_empty());
    };
    change(north, "suspend", "south");
    ask("suspended here");
    change(north, "resume", "south");
    change(south, "suspend", "north");
    ask("suspended there");
    change(south, "resume", "north");
    south.kill();
    ask("down");
}
