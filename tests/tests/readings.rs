//! Every call of the API, made once: it leaves in the log what spec/api.md says, or nothing.
//!
//! Holds the program to spec/accountability.md#readings, and finds whoever forgets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use symbolon_tests::{
    HotlineClient, MAPPING, Node, PURPOSE, columns, neighbours, root, row, wait_for,
};

const PASSPORT: &str = "KX1002001";
const NARRATIVE_OF: &str = "Ada Vexley";
const OFFICER: &str = " by test-officer";

/// By call: the kinds of entry in its last column, none where it leaves nothing.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let spec = std::fs::read_to_string(root().join("spec/api.md")).unwrap();
    let (_, table) = spec.split_once("| call | does | who | logged as |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    let quoted = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [call, _does, who, logged] = cells[..] else { panic!("{line}") };
        let doors = ["officers", "both", "hotlines", "all"];
        assert!(doors.contains(&who), "{line}");
        let kinds = quoted(logged);
        assert!(!kinds.is_empty() || logged.starts_with("nothing: "), "{line}");
        (quoted(call).into_iter().next().unwrap(), kinds)
    })
    .collect()
}

/// The entries from `from` on: kind and words.
fn entries(node: &Node, from: u64) -> Vec<(String, String)> {
    let page = node.call("audit/show", &json!({ "from": from, "limit": 1_000 }));
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let entries = page["entries"].as_array().unwrap().iter();
    entries.map(|entry| (text(entry, "kind"), text(entry, "summary"))).collect()
}

/// A world in which every call has something to do.
struct World {
    north: Node,
    south: Node,
    east: Node,
}

impl World {
    fn new(folder: &std::path::Path) -> World {
        let (mut north, south) = neighbours(folder, &json!({ "document": 1_000 }));
        north.stop();
        let _door = HotlineClient::door(&north);
        north.start();
        let mut east = Node::new(folder, "east", "FIN");
        east.start();
        let own = columns() + &row("N-1", "green", NARRATIVE_OF, "passport", PASSPORT);
        assert!(north.import(&own).unwrap().result.is_some());
        let theirs = columns() + &row("S-1", "green", "A. Vexley", "passport", PASSPORT);
        assert!(south.import(&theirs).unwrap().result.is_some());
        let _sets = south.call("exchange/publish", &json!({}));
        let run = json!({ "partner": "south", "reason": reason() });
        let _found = north.call("exchange/run", &run);
        World { north, south, east }
    }

    fn proposal(&self) -> Value {
        self.south.call("partner/agree", &agreement("north"))
    }

    /// Sends an alert as another officer; its id.
    fn sent(&self, form: &Value, officer: &str) -> Value {
        let file = self.north.directory.join("form.json");
        std::fs::write(&file, form.to_string()).unwrap();
        let file = file.display().to_string();
        let sent =
            self.north.command(&["--officer", officer, "--json", "alert", "send", "--form", &file]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        serde_json::from_slice::<Value>(&sent.stdout).unwrap()["id"].clone()
    }

    /// A courier file under way, of which all pieces are taken.
    fn parcel(&self, from: &Node, to: &str) -> Value {
        let parcel = from.call("courier/begin", &json!({ "partner": to }));
        let name = json!({ "parcel": parcel["parcel"] });
        while from.call("courier/piece", &name)["envelopes"] != json!([]) {}
        parcel
    }

    /// A valid request of a call, all of them to north.
    fn request(&self, call: &str) -> Value {
        let record = || self.north.call("record/list", &json!({}))["records"][0]["id"].clone();
        let hit = || self.north.call("hit/list", &json!({}))["hits"][0]["id"].clone();
        let asked = || ask(&self.north)["id"].clone();
        let change = json!({ "partner": "south", "reason": "test" });
        match call {
            "partner/add" => {
                let card = self.east.call("partner/card", &json!({}));
                let (card, confirmed) = (&card["armored"], &card["fingerprint"]);
                json!({ "card": card, "confirmed_fingerprint": confirmed })
            }
            "partner/agree" => agreement("south"),
            "partner/accept" => {
                let file = self.proposal();
                json!({ "armored": file["armored"], "confirmed_digest": file["terms"]["digest"] })
            }
            "partner/route" => json!({ "partner": "south", "route": "direct" }),
            "courier/begin" => json!({ "partner": "south" }),
            "courier/piece" | "courier/close" => {
                json!({ "parcel": self.parcel(&self.north, "south")["parcel"] })
            }
            "courier/open" => {
                let parcel = self.parcel(&self.south, "north");
                let name = json!({ "parcel": parcel["parcel"] });
                json!({ "manifest": self.south.call("courier/close", &name)["manifest"] })
            }
            "courier/take" => {
                let opened = self.north.call("courier/open", &self.request("courier/open"));
                json!({ "parcel": opened["parcel"], "index": 0, "envelopes": [] })
            }
            "partner/suspend" | "partner/resume" => change,
            "record/show" => json!({ "id": record(), "reason": "test" }),
            "query/ask" => question(),
            "exchange/publish" => json!({ "partners": ["south"] }),
            "exchange/run" => {
                let new = json!({ "purpose": PURPOSE, "case": "T-2" });
                json!({ "partner": "south", "reason": new })
            }
            "hit/show" => json!({ "id": hit() }),
            "hit/confirm" => json!({ "id": hit(), "reason": reason() }),
            "policy/preview" => {
                json!({ "record": record(), "partner": "south", "purpose": PURPOSE })
            }
            "alert/send" | "alert/preview" => json!({ "form": alarm() }),
            "alert/state" | "alert/show" | "alert/acks" => {
                json!({ "id": self.sent(&alarm(), "ada") })
            }
            "alert/approve" | "alert/decline" => {
                let mut waits = alarm();
                waits["urgency"] = json!("routine");
                json!({ "id": self.sent(&waits, "ada") })
            }
            "alert/update" => {
                let id = self.sent(&alarm(), "ada");
                let mut changed = alarm();
                changed["what"] = json!("Portal alarm, false");
                json!({ "id": id, "form": changed })
            }
            "alert/withdraw" => json!({ "id": self.sent(&alarm(), "ada"), "reason": "error" }),
            "alert/narrow" => json!({ "id": self.sent(&alarm(), "ada"), "keep": ["south"] }),
            "alert/contest" => json!({ "id": self.sent(&alarm(), "ada"), "reason": "duplicate" }),
            "alert/ack" => {
                let sent = self.south.call("alert/send", &json!({ "form": alarm() }));
                wait_for("the alert comes in", 20, || {
                    self.north.post("alert/state", &json!({ "id": sent["id"] }))?.result
                });
                json!({ "id": sent["id"], "stage": "acted" })
            }
            "watch/preview" => json!({ "form": watch() }),
            "watch/save" => json!({ "form": watch(), "fits": 0 }),
            "watch/remove" => {
                let saved = self.north.call("watch/save", &json!({ "form": watch(), "fits": 0 }));
                json!({ "id": saved["id"] })
            }
            "watch/digest" => json!({ "since": 0 }),
            "audit/open" => json!({ "query": asked(), "reason": "test" }),
            "audit/grant" => json!({ "query": asked(), "to": "ada", "reason": "test" }),
            "audit/revoke" => {
                let query = asked();
                let grant = json!({ "query": query, "to": "ada", "reason": "test" });
                let _opened = self.north.call("audit/grant", &grant);
                json!({ "query": query, "from": "ada", "reason": "test" })
            }
            "hotline/add" => hotline("harbour"),
            "hotline/suspend" | "hotline/resume" | "hotline/renew" => {
                // The name may be taken: then it is there already.
                let _there = self.north.post("hotline/add", &hotline("quay"));
                json!({ "name": "quay", "reason": "test" })
            }
            "door/next" => json!({ "reason": "test" }),
            "door/switch" => {
                // There may be a next key already.
                let _next = self.north.post("door/next", &json!({ "reason": "test" }));
                json!({ "reason": "test", "confirmed": true })
            }
            "audit/reconcile" => json!({ "partner": "south" }),
            "evidence/build" => json!({ "hit": hit(), "reason": "test" }),
            // Nothing is that old, so only the unconfirmed form has nothing to leave.
            "audit/erase" => json!({ "before": 1, "reason": "test", "confirmed": true }),
            _ => json!({}),
        }
    }
}

/// A flash that policy lets out at once.
fn alarm() -> Value {
    json!({
        "kind": "material_out_of_control", "what": "Portal alarm", "where": "unknown",
        "when": "unknown", "urgency": "flash",
    })
}

/// What no alert of this test meets.
fn watch() -> Value {
    json!({ "name": "ports", "countries": ["FRA"], "identifiers": [PASSPORT] })
}

fn hotline(name: &str) -> Value {
    json!({ "name": name, "quota_per_hour": 60, "burst": 20 })
}

fn reason() -> Value {
    json!({ "purpose": PURPOSE, "case": "T-1" })
}

fn question() -> Value {
    let identifier = json!({ "kind": "passport", "text": PASSPORT });
    json!({ "identifiers": [identifier], "reason": reason() })
}

fn ask(node: &Node) -> Value {
    node.call("query/ask", &question())
}

fn agreement(partner: &str) -> Value {
    json!({
        "partner": partner, "purposes": [PURPOSE], "budgets": { "document": 900 },
        "epoch_seconds": 7 * 86_400, "retention_days": 365, "days": 300,
    })
}

#[test]
fn every_call_leaves_the_entry_that_the_specification_says() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let documented = documented();
    // What ends the work with a partner comes last, and is taken back.
    let late =
        ["evidence/build", "partner/suspend", "partner/resume", "partner/accept", "partner/agree"];
    let mut order: Vec<&String> = documented.keys().collect();
    order.sort_by_key(|call| late.iter().position(|one| one == call).map_or(0, |at| at + 1));
    assert!(order.len() >= 30, "{order:?}");
    for call in order {
        // An erasure needs entries that are a month old: tests/tests/retention.rs makes it.
        // An alarm needs a partner that cheats: tests/tests/witness.rs closes one.
        if ["audit/erase", "audit/close"].contains(&call.as_str()) {
            continue;
        }
        let request = world.request(call);
        let before = world.north.log_holds();
        match call.as_str() {
            "record/import" => {
                let table = columns() + &row("N-2", "green", "Bo Quill", "passport", "KX1002002");
                assert!(world.north.import(&table).unwrap().result.is_some());
            }
            _ => drop(world.north.call(call, &request)),
        }
        let left = entries(&world.north, before);
        let own: BTreeSet<String> = left
            .iter()
            .filter(|(_, words)| words.ends_with(OFFICER))
            .map(|(kind, _)| kind.clone())
            .collect();
        let expected = &documented[call];
        if call == "exchange/publish" {
            let kinds: BTreeSet<String> = left.iter().map(|(kind, _)| kind.clone()).collect();
            assert!(kinds.is_superset(expected), "{call}: {left:?}");
        } else {
            assert_eq!(&own, expected, "{call}: {left:?}");
        }
        for (_, words) in left {
            assert!(!words.contains(PASSPORT) && !words.contains(NARRATIVE_OF), "{call}: {words}");
        }
    }
}

#[test]
fn an_entry_of_a_reading_says_who_what_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let record = world.request("record/show")["id"].as_str().unwrap().to_owned();
    let hit = world.request("hit/show")["id"].as_str().unwrap().to_owned();
    let confirm = json!({ "id": hit, "reason": reason() });
    let confirmed = world.north.call("hit/confirm", &confirm);
    assert_eq!(confirmed["outcome"], "released", "{confirmed}");
    let query = ask(&world.north)["id"].as_str().unwrap().to_owned();
    let before = world.north.log_holds();
    let done = |arguments: &[&str]| {
        let done = world.north.command(&[&["--officer", "ada"], arguments].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    done(&["record", "show", &record, "--reason", "case T-9"]);
    done(&["record", "list"]);
    done(&["hit", "list"]);
    done(&["hit", "show", &hit]);
    done(&["hit", "show", &hit, "--reason", "report"]);
    done(&["policy", "explain", &record, "south", "--purpose", PURPOSE]);
    done(&["audit", "open", &query, "--reason", "sampling"]);
    let place = folder.path().join("log").display().to_string();
    done(&["audit", "export", &place, "--reason", "court"]);
    let left: Vec<String> =
        entries(&world.north, before).into_iter().map(|(_, words)| words).collect();
    let size = before + 7;
    let expected = [
        format!("record {record}, 1 Shown, because: case T-9 by ada"),
        "records, 1 Shown by ada".to_owned(),
        "hits, 1 Shown by ada".to_owned(),
        format!("released {hit}, 1 Shown, because: T-1 by ada"),
        format!("released {hit}, 1 Shown, because: report by ada"),
        format!("record {record}, 1 Shown, because: preview of what south would get by ada"),
        format!("query {query}, 1 Shown, because: sampling by ada"),
        format!("log, {size} Exported, because: court by ada"),
    ];
    assert_eq!(left, expected);
    // A confirm that cannot be sent shows the hit all the same.
    let change = json!({ "partner": "south", "reason": "test" });
    let _suspended = world.north.call("partner/suspend", &change);
    let before = world.north.log_holds();
    let unsent = world.north.call("hit/confirm", &confirm);
    assert_eq!(unsent["outcome"], "not_asked", "{unsent}");
    let left = entries(&world.north, before);
    let words = format!("hit {hit}, 1 Shown, because: T-1 by test-officer");
    assert_eq!(left, [("read".to_owned(), words)]);
    for wrong in [
        vec!["record", "show", &record],
        vec!["record", "show", &record, "--reason", ""],
        vec!["audit", "open", &query],
    ] {
        assert_eq!(world.north.command(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(world.north.log_holds(), before + 1, "what is refused is not shown");
}

#[test]
fn an_export_of_many_pages_is_one_entry_and_no_page_goes_without() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = Node::new(folder.path(), "north", "NOR");
    north.start();
    let head = json!({ "mapping": MAPPING, "name": "table" }).to_string();
    let _imported = north.post_bytes("record/import", format!("{head}\n{}", columns()).as_bytes());
    let before = north.log_holds();
    let first = north.call("audit/leaves", &json!({ "limit": 1 }));
    let export = first["export"].as_u64().unwrap();
    assert_eq!((export, north.log_holds()), (before, before + 1));
    let next = json!({ "from": 1, "limit": 1, "export": export });
    assert_eq!(north.call("audit/leaves", &next)["export"], export);
    assert_eq!(north.log_holds(), before + 1, "the same export");
    for named in [0, export + 1] {
        let refused = json!({ "from": 1, "export": named });
        let refused = north.post("audit/leaves", &refused).unwrap();
        assert_eq!(refused.error.unwrap()["code"], "invalid");
    }
    let _again = north.call("audit/leaves", &json!({ "from": 1 }));
    assert_eq!(north.log_holds(), before + 2, "whoever begins in the middle begins an export");
}
