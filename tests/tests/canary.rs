//! Marked data goes through two nodes; then every byte that a stranger may see is searched for it.
//!
//! Breaks spec/architecture.md#invariants 2 and 9 on purpose, and must fail to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_tests::{
    Answer, MAPPING, Node, PURPOSE, Relay, columns, find, free_address, introduce,
};

const PASSPHRASE: &str = "zwirbel lantern oktett quorum";
const PASSPORT: &str = "ZQ9317460";
const PASSPORT_AS_TYPED: &str = "zq 931-7460";
const EMAIL: &str = "zimtstern.canary@example.org";
const NARRATIVE: &str = "zinkweiss crates under the dairy lorry";
const TITLE: &str = "zitterpappel consignment";
const SOURCE: &str = "zuckerwatte informant at the quay";
const NAME: &str = "Zebulon Wirrgarten";
const CASE: &str = "ZK-CASE-88231";
const WRONG: &str = "zaunkoenig-wrong-5521";

/// Everything that must not be seen, as text.
const MARKERS: [&str; 10] =
    [PASSPHRASE, PASSPORT, PASSPORT_AS_TYPED, EMAIL, NARRATIVE, TITLE, SOURCE, NAME, CASE, WRONG];

fn row(reference: &str, id_type: &str, id_value: &str) -> String {
    format!(
        "{reference},licence_denial,{TITLE},{NARRATIVE},green,{SOURCE},{NAME},\
         {id_type},{id_value}\n"
    )
}

/// The markers as bytes, each also in hexadecimal, and the bytes of the key file.
fn needles(key_file: &Path) -> Vec<Vec<u8>> {
    let key = std::fs::read(key_file).unwrap();
    assert!(key.len() >= 32);
    let plain = MARKERS.iter().map(|marker| marker.as_bytes().to_vec()).chain([key]);
    let folded = MARKERS.iter().map(|marker| {
        let letters = marker.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().into_bytes()
    });
    let plain: Vec<Vec<u8>> = plain.chain(folded).collect();
    let hexadecimal = plain.iter().map(|needle| hex::encode(needle).into_bytes());
    hexadecimal.collect::<Vec<_>>().into_iter().chain(plain).collect()
}

fn search(what: &str, bytes: &[u8], needles: &[Vec<u8>]) {
    for needle in needles {
        if let Some(at) = find(bytes, needle) {
            panic!("{what}: {:?} at byte {at}", String::from_utf8_lossy(needle));
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Searches all files but the socket, which holds no bytes.
fn search_files(node: &Node, needles: &[Vec<u8>]) {
    let mut names = Vec::new();
    for path in files(&node.directory) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name != "api.sock" {
            search(&path.display().to_string(), &std::fs::read(&path).unwrap(), needles);
            names.push(name);
        }
    }
    for part in ["node.log", "symbolon.toml", "keys"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part} is not in {names:?}");
    }
}

fn log_everything(node: &Node) {
    let path = node.directory.join("symbolon.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("log_level = \"info\"", "log_level = \"debug\"");
    assert!(text.contains("\"debug\""));
    std::fs::write(&path, text).unwrap();
}

/// Requests that are wrong in every way, each with a marker inside; what is said to each.
fn bad_requests(node: &Node) -> Vec<Answer> {
    let reason = json!({ "purpose": PURPOSE, "case": CASE });
    let whole = |call: &str, request: Value| node.post(call, &request).unwrap();
    let broken = |call: &str, body: &str| node.post_bytes(call, body.as_bytes()).unwrap();
    let import = |mapping: &str, table: &str| {
        let head = json!({ "mapping": mapping, "name": WRONG });
        broken("record/import", &format!("{head}\n{table}"))
    };
    vec![
        broken("query/ask", &format!("{{\"identifiers\": [\"{PASSPORT}\" {EMAIL}")),
        broken("query/ask", &format!("{{\"{PASSPORT}\": \"{EMAIL}\"}}")),
        broken("record/import", &format!("{PASSPORT}\n{EMAIL}")),
        broken(&format!("record/{WRONG}"), "{}"),
        whole("query/ask", json!({ "identifiers": PASSPORT, "reason": reason })),
        whole("query/ask", json!({ "identifiers": [], "reason": reason, WRONG: NAME })),
        whole(
            "query/ask",
            json!({
                "identifiers": [{ "kind": "passport", "text": PASSPORT }],
                "partners": [WRONG],
                "reason": reason,
            }),
        ),
        whole("record/show", json!({ "id": WRONG, "reason": CASE })),
        whole("hit/show", json!({ "id": WRONG })),
        whole("hit/confirm", json!({ "id": WRONG, "reason": reason })),
        whole("partner/add", json!({ "card": WRONG })),
        whole("partner/accept", json!({ "armored": WRONG })),
        whole("partner/suspend", json!({ "partner": WRONG, "reason": CASE })),
        whole("exchange/run", json!({ "partner": WRONG, "reason": reason })),
        whole("policy/preview", json!({ "record": WRONG, "partner": WRONG, "purpose": WRONG })),
        import(MAPPING, &format!("{WRONG}\n{PASSPORT}\n")),
        import(&format!("format = \"{PASSPORT}\""), "a\n"),
        whole("hit/list", json!({ "state": WRONG })),
        import(MAPPING, &(columns() + &row(CASE, WRONG, PASSPORT))),
        import(MAPPING, &(columns() + &row(CASE, "imo_ship", WRONG))),
        import(MAPPING, &format!("{}\"{PASSPORT},{EMAIL}\n", columns())),
        import(MAPPING, &(columns() + &row(CASE, "email", WRONG).replace("green", WRONG))),
    ]
}

#[test]
fn no_marker_is_in_a_log_line_an_error_a_file_or_a_datagram() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = folder.path().join("passphrase");
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    let passphrase = passphrase.display().to_string();
    let listens = [free_address(), free_address()];
    let relays = listens.map(Relay::start);
    let key = folder.path().join("north.key");
    let unlock = ["--key-file".to_owned(), key.display().to_string()];
    let addresses = (listens[0], relays[0].address);
    let mut north = Node::reached_at(folder.path(), "north", "NOR", addresses, unlock);
    let unlock = ["--passphrase-file".to_owned(), passphrase];
    let addresses = (listens[1], relays[1].address);
    let mut south = Node::reached_at(folder.path(), "south", "PRT", addresses, unlock);
    let needles = needles(&key);
    for node in [&mut north, &mut south] {
        log_everything(node);
        node.start();
    }
    introduce(&north, &south, &json!({ "document": 100_000, "contact": 100_000 }));
    for node in [&north, &south] {
        let table =
            columns() + &row(CASE, "passport", PASSPORT_AS_TYPED) + &row(CASE, "email", EMAIL);
        let report = node.import(&table).unwrap();
        assert_eq!(report.result.as_ref().unwrap()["records_new"], 1);
        search("an import report", &report.raw, &needles);
        let _sets = node.call("exchange/publish", &json!({}));
    }
    let reason = json!({ "purpose": PURPOSE, "case": CASE });
    let exchange = json!({ "partner": "south", "reason": reason });
    let found = north.call("exchange/run", &exchange);
    assert_eq!(found["hits_by_kind"]["email"], 1, "{found}");
    search("an exchange report", found.to_string().as_bytes(), &needles);
    let answer = north.ask("passport", PASSPORT);
    assert_eq!(answer["outcome"], "hit", "{answer}");
    let confirm = json!({ "id": answer["hit"], "reason": reason });
    let done = north.call("hit/confirm", &confirm);
    assert_eq!(done["outcome"], "released", "{done}");
    assert!(done.to_string().contains(TITLE), "the officer sees what was released");
    let refused = bad_requests(&north);
    for (number, answer) in refused.iter().enumerate() {
        search(&format!("bad request {number}"), &answer.raw, &needles);
        let failed = answer.error.is_some() || !answer.rows.is_empty();
        assert!(failed, "{number}: {}", String::from_utf8_lossy(&answer.raw));
    }
    for arguments in [
        ["record", "show", WRONG, "--reason", CASE],
        ["partner", "suspend", WRONG, "--reason", CASE],
    ] {
        let output = north.command(&arguments);
        assert!(!output.status.success());
        search("a command's error", &output.stderr, &needles);
    }
    south.kill();
    let down = north.ask("email", EMAIL);
    assert_eq!(down["outcome"], "not_asked");
    search("an answer", down.to_string().as_bytes(), &needles);
    south.start();
    for node in [&mut north, &mut south] {
        search_files(node, &needles);
        node.log_holds();
        node.stop();
        search_files(node, &needles);
    }
    let datagrams: Vec<Vec<u8>> = relays.iter().flat_map(Relay::seen).collect();
    assert!(datagrams.len() > 20, "{} datagrams went through the relays", datagrams.len());
    for datagram in &datagrams {
        search("a datagram", datagram, &needles);
    }
}

/// The search would find what is there.
#[test]
fn the_search_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, [7; 32]).unwrap();
    for needle in needles(&key) {
        let mut hay = vec![0; 5000];
        hay.extend_from_slice(&needle.to_ascii_uppercase());
        hay.push(0);
        assert_eq!(find(&hay, &needle), Some(5000));
    }
}
