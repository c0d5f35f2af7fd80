//! The auditors' door: what an auditor can do there, what not, and what it leaves in the log.
//!
//! Breaks spec/accountability.md#roles on purpose, and must fail to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_tests::{Node, PURPOSE, columns, introduce, root, row};

const REFUSED: i32 = 4;
const PASSPORT: &str = "KX1002001";
const OTHER: &str = "KX1002007";

struct World {
    north: Node,
    south: Node,
    socket: PathBuf,
}

impl World {
    fn new(folder: &std::path::Path) -> World {
        let doors = folder.join("doors");
        std::fs::create_dir(&doors).unwrap();
        std::fs::set_permissions(&doors, std::fs::Permissions::from_mode(0o2750)).unwrap();
        let socket = doors.join("audit.sock");
        let mut north = Node::new(folder, "north", "NOR");
        let mut south = Node::new(folder, "south", "PRT");
        north.configure(&format!("auditor_socket = \"{}\"", socket.display()));
        north.start();
        south.start();
        introduce(&north, &south, &json!({ "document": 1_000 }));
        let own = columns() + &row("N-1", "green", "Ada Vexley", "passport", PASSPORT);
        assert!(north.import(&own).unwrap().result.is_some());
        let _sets = south.call("exchange/publish", &json!({}));
        World { north, south, socket }
    }

    fn ask(&self, text: &str) -> String {
        let identifier = json!({ "kind": "passport", "text": text, "issuer": "RUS" });
        let reason = json!({ "purpose": PURPOSE, "case": "T-7", "legal_basis": "act 1" });
        let ask = json!({ "identifiers": [identifier], "reason": reason });
        self.north.call("query/ask", &ask)["id"].as_str().unwrap().to_owned()
    }

    /// A command through the auditors' socket: its exit code, and all it said.
    fn auditor(&self, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let socket = self.socket.display().to_string();
        let through = ["--auditor-socket", &socket, "--officer", name];
        let done = self.north.command(&[&through, arguments].concat());
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn open(&self, name: &str, query: &str) -> (Option<i32>, String) {
        self.auditor(name, &["audit", "open", query, "--reason", "sampling"])
    }

    fn officer(&self, arguments: &[&str]) -> String {
        let done = self.north.command(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn newest(&self) -> (String, String) {
        let from = self.north.log_holds() - 1;
        let entry = self.north.call("audit/show", &json!({ "from": from }))["entries"][0].clone();
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        (text("kind"), text("summary"))
    }
}

/// By call: whether an auditor may make it, as spec/api.md says.
fn documented() -> Vec<(String, bool)> {
    let spec = std::fs::read_to_string(root().join("spec/api.md")).unwrap();
    let (_, table) = spec.split_once("| call | does | who | logged as |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        (cells[0].split('`').nth(1).unwrap().to_owned(), ["both", "all"].contains(&cells[2]))
    })
    .collect()
}

#[test]
fn an_auditor_has_the_calls_of_the_table_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let mode = std::fs::symlink_metadata(&world.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let before = world.north.log_holds();
    let (mut open, mut closed) = (0, 0);
    for (call, is_for_auditors) in documented() {
        let answer = world.north.post_at(&world.socket, &call, &json!({})).unwrap();
        let said = String::from_utf8_lossy(&answer.raw).into_owned();
        if is_for_auditors {
            assert!(!said.contains("through this door"), "{call}: {said}");
            open += 1;
        } else {
            assert!(said.contains("cannot be made through this door"), "{call}: {said}");
            assert!(answer.result.is_none() && !said.contains(PASSPORT), "{call}: {said}");
            closed += 1;
        }
    }
    assert!(open >= 8 && closed > 20, "{open} open, {closed} closed");
    // Of all these only the export of leaves was anything to log.
    assert_eq!(world.north.log_holds(), before + 1);
    assert!(world.newest().1.ends_with(" by auditor/test-officer"), "{:?}", world.newest());
    let nowhere = world.north.post_at(&world.socket, "audit/everything", &json!({})).unwrap();
    assert_eq!(nowhere.error.unwrap()["code"], "not_found");
}

#[test]
fn an_auditor_sees_metadata_and_only_what_was_opened_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let (query, other) = (world.ask(PASSPORT), world.ask(OTHER));
    for command in [
        vec!["status"],
        vec!["doctor"],
        vec!["audit", "verify"],
        vec!["audit", "show", "--limit", "1000"],
        vec!["audit", "counts"],
        vec!["audit", "grants"],
    ] {
        let (code, said) = world.auditor("ada", &command);
        assert_eq!(code, Some(0), "{command:?}: {said}");
        for hidden in [PASSPORT, OTHER, "Vexley", "T-7", "act 1"] {
            assert!(!said.contains(hidden), "{command:?} shows {hidden}: {said}");
        }
    }
    let (code, said) = world.open("ada", &query);
    assert!(code == Some(REFUSED) && said.contains("audit grant QUERY --to ada"), "{said}");
    let granted = ["audit", "grant", &query, "--to", "ada", "--reason", "yearly sample"];
    assert!(world.officer(&granted).contains("auditor/ada"));
    let (kind, words) = world.newest();
    assert_eq!(kind, "opening");
    let because = format!("query {query} to auditor/ada Made, because: yearly sample by ");
    assert!(words.starts_with(&because), "{words}");

    let before = world.north.log_holds();
    let (code, said) = world.open("ada", &query);
    assert!(code == Some(0) && said.contains(PASSPORT) && said.contains("T-7"), "{said}");
    assert_eq!(world.north.log_holds(), before + 1);
    let read = format!("query {query}, 1 Shown, because: sampling by auditor/ada");
    assert_eq!(world.newest(), ("read".to_owned(), read));
    // Not another query, not another auditor, not without a reason, and not what officers do.
    assert_eq!(world.open("ada", &other).0, Some(REFUSED));
    assert_eq!(world.open("bo", &query).0, Some(REFUSED));
    assert_eq!(world.auditor("ada", &["audit", "open", &query, "--reason", ""]).0, Some(2));
    let own = ["audit", "grant", &other, "--to", "ada", "--reason", "curious"];
    assert_eq!(world.auditor("ada", &own).0, Some(REFUSED));
    assert_eq!(world.auditor("ada", &["record", "list"]).0, Some(REFUSED));
    // An officer of the auditor's name is no auditor, and cannot take the auditor's name.
    let (code, _) = world.auditor("auditor/ada", &["status"]);
    assert_eq!(code, Some(2));
    assert_eq!(world.north.command(&["--officer", "auditor/ada", "status"]).status.code(), Some(2));
    let (_, shown) = world.auditor("ada", &["audit", "grants"]);
    assert!(shown.contains(&query) && shown.contains("yearly sample"), "{shown}");
    assert!(!world.auditor("bo", &["audit", "grants"]).1.contains(&query));

    let revoke = ["audit", "revoke", &query, "--from", "ada", "--reason", "done"];
    assert!(world.officer(&revoke).contains("no longer"));
    assert_eq!(world.newest().0, "opening");
    assert_eq!(world.open("ada", &query).0, Some(REFUSED));
    assert_eq!(world.north.command(&revoke).status.code(), Some(3), "it is over");
    // The officer opens what it likes, as before.
    assert!(world.officer(&["audit", "open", &query, "--reason", "check"]).contains(PASSPORT));
    let counts = world.auditor("ada", &["--json", "audit", "counts"]).1;
    let counts: Value = serde_json::from_str(&counts).unwrap();
    let of = |partner: Value, what: &str| {
        let rows = counts["entries"].as_array().unwrap().iter();
        let found = rows.filter(|row| row["partner"] == partner && row["what"] == what);
        found.map(|row| row["count"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((of(json!("south"), "query"), of(Value::Null, "opening")), (2, 2), "{counts}");
    assert_eq!(counts["records"], 1);
    let none = world.auditor("ada", &["--json", "audit", "counts", "--to", "2020-01-01"]).1;
    let none: Value = serde_json::from_str(&none).unwrap();
    assert_eq!((&none["entries"], &none["records"]), (&json!([]), &json!(1)));
    drop(world.south);
}

#[test]
fn an_opening_ends_with_its_days_and_an_opened_batch_opens_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    let query = world.ask(PASSPORT);
    let opened = world.north.call("audit/open", &json!({ "query": query, "reason": "look" }));
    let batch = opened["queries"][0]["id"].as_str().unwrap().to_owned();
    let grant = |world: &World, query: &str, to: &str, days: &str| {
        let grant = ["audit", "grant", query, "--to", to, "--reason", "sample", "--days", days];
        world.north.command(&grant).status.code()
    };
    assert_eq!(grant(&world, &query, "ada", "0"), Some(2));
    assert_eq!(grant(&world, &query, "ada", "366"), Some(2));
    assert_eq!(grant(&world, "00ff", "ada", "2"), Some(3));
    assert_eq!(grant(&world, &query, "ada", "2"), Some(0));
    assert_eq!(grant(&world, &batch, "bo", "30"), Some(0));
    assert_eq!(world.open("ada", &query).0, Some(0));
    assert_eq!(world.open("ada", &batch).0, Some(0), "a part of what is opened");
    assert_eq!(world.open("bo", &batch).0, Some(0));
    assert_eq!(world.open("bo", &query).0, Some(REFUSED), "the whole is more than the part");
    world.north.stop();
    assert!(!world.socket.exists(), "the door is taken away");
    world.north.start_later(3);
    assert_eq!(world.open("ada", &query).0, Some(REFUSED), "it is over");
    assert_eq!(world.open("bo", &batch).0, Some(0), "and this is not");
    world.north.log_holds();
}

#[test]
fn a_door_in_a_folder_of_everybody_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let north = Node::new(folder.path(), "north", "NOR");
    let doors = folder.path().join("doors");
    std::fs::create_dir(&doors).unwrap();
    std::fs::set_permissions(&doors, std::fs::Permissions::from_mode(0o777)).unwrap();
    north.configure(&format!("auditor_socket = \"{}/audit.sock\"", doors.display()));
    let key = north.directory.with_extension("key").display().to_string();
    let done = north.command(&["run", "--key-file", &key]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(2) && said.contains("others can write"), "{said}");
}
