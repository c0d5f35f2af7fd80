//! Marked data goes through two nodes; then every byte that a stranger may see is searched for it.
//!
//! Breaks spec/architecture.md#invariants 2 and 9 on purpose, and must fail to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_tests::{
    Answer, HotlineClient, MAPPING, Node, PURPOSE, Relay, columns, find, free_address, introduce,
    wait_for,
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

const WHAT: &str = "zimbelkraut flasks behind the chandlery";
const PLACE: &str = "Zwillingshafen";
const WHEN: &str = "1987-03-14";
const PAPER: &str = "ZS4418822";
const PERSON: &str = "Zacharias Wolkenbruch";
const TOLD: &str = "zeppelin wharf, as told by the night porter";
const HOTLINE_WHAT: &str = "zirkon barrels at the weighbridge";
const HOTLINE_PLACE: &str = "Zusmarshausen";
const HOTLINE_PAPER: &str = "ZT5527733";
const WATCHED_PLACE: &str = "Zandvoort";
const WATCHED_PAPER: &str = "ZU6636644";

/// What stands in alerts, in every field that holds text, and in a watch rule.
const ALERTS: [&str; 12] = [
    WHAT,
    PLACE,
    WHEN,
    PAPER,
    PERSON,
    TOLD,
    HOTLINE_WHAT,
    HOTLINE_PLACE,
    HOTLINE_PAPER,
    WATCHED_PLACE,
    WATCHED_PAPER,
    WRONG,
];

fn row(reference: &str, id_type: &str, id_value: &str) -> String {
    format!(
        "{reference},licence_denial,{TITLE},{NARRATIVE},green,{SOURCE},{NAME},\
         {id_type},{id_value}\n"
    )
}

/// The markers as bytes, each also in hexadecimal, and the bytes of the key file.
fn needles(markers: &[&str], key_file: &Path) -> Vec<Vec<u8>> {
    let key = std::fs::read(key_file).unwrap();
    assert!(key.len() >= 32);
    let plain = markers.iter().map(|marker| marker.as_bytes().to_vec()).chain([key]);
    let folded = markers.iter().map(|marker| {
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

/// Searches what is left when all is over: the files of both nodes while they run and when they
/// have stopped, and every datagram between them.
fn search_remains(nodes: [&mut Node; 2], relays: &[Relay], needles: &[Vec<u8>]) {
    for node in nodes {
        search_files(node, needles);
        node.log_holds();
        node.stop();
        search_files(node, needles);
    }
    let datagrams: Vec<Vec<u8>> = relays.iter().flat_map(Relay::seen).collect();
    assert!(datagrams.len() > 20, "{} datagrams went through the relays", datagrams.len());
    for datagram in &datagrams {
        search("a datagram", datagram, needles);
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
        whole("audit/open", json!({ "query": WRONG, "reason": CASE })),
        whole("audit/open", json!({ "query": PASSPORT, "reason": "" })),
        whole("evidence/build", json!({ "hit": WRONG, "reason": CASE })),
        whole("evidence/build", json!({ "case": WRONG, "reason": CASE })),
        whole("evidence/build", json!({ "statement": PASSPORT, "reason": CASE })),
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
    let needles = needles(&MARKERS, &key);
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
    let asked = north.call(
        "query/ask",
        &json!({
            "identifiers": [{ "kind": "passport", "text": PASSPORT }], "reason": reason,
        }),
    );
    let opened = north.call("audit/open", &json!({ "query": asked["id"], "reason": CASE }));
    assert!(opened["holds"] == true && opened.to_string().contains(PASSPORT), "{opened}");
    let bundle = json!({ "hit": answer["hit"], "reason": CASE });
    assert!(north.call("evidence/build", &bundle).is_object());
    let identified = north.command(&["identify", PASSPORT]);
    search("what identify says beside its answer", &identified.stderr, &needles);
    let refused = bad_requests(&north);
    for (number, answer) in refused.iter().enumerate() {
        search(&format!("bad request {number}"), &answer.raw, &needles);
        let failed = answer.error.is_some() || !answer.rows.is_empty();
        assert!(failed, "{number}: {}", String::from_utf8_lossy(&answer.raw));
    }
    for arguments in [
        ["record", "show", WRONG, "--reason", CASE].as_slice(),
        &["partner", "suspend", WRONG, "--reason", CASE],
        &["audit", "open", WRONG, "--reason", CASE],
    ] {
        let output = north.command(arguments);
        assert!(!output.status.success());
        search("a command's error", &output.stderr, &needles);
    }
    south.kill();
    let down = north.ask("email", EMAIL);
    assert_eq!(down["outcome"], "not_asked");
    search("an answer", down.to_string().as_bytes(), &needles);
    south.start();
    search_remains([&mut north, &mut south], &relays, &needles);
}

/// Takes webhooks, as somebody else's program would; gives what each said.
fn webhook() -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut all, mut part) = (stream.unwrap(), Vec::new(), [0; 4_096]);
            while !all.ends_with(b"}") {
                match stream.read(&mut part) {
                    Ok(count) if count > 0 => all.extend_from_slice(part.get(..count).unwrap()),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            let _ = told.send(all);
        }
    });
    (port, heard)
}

fn alert() -> Value {
    json!({
        "kind": "material_out_of_control", "what": WHAT, "urgency": "flash", "when": WHEN,
        "where": { "name": PLACE, "country": "NO" },
        "subjects": [{ "kind": "person", "names": [PERSON] }],
        "identifiers": [{ "kind": "passport", "text": PAPER, "issuer": "DEU" }],
        "source": { "kind": "authority", "description": TOLD },
    })
}

fn submission() -> Value {
    json!({
        "kind": "material_out_of_control", "what": HOTLINE_WHAT, "urgency": "flash", "when": WHEN,
        "where": HOTLINE_PLACE,
        "identifiers": [{ "kind": "passport", "text": HOTLINE_PAPER, "issuer": "DEU" }],
    })
}

/// Forms that cannot be read, each with markers in what is wrong and in what is not.
fn bad_forms(whole: &Value) -> Vec<Value> {
    let with = |field: &str, value: Value| {
        let mut form = whole.as_object().unwrap().clone();
        form.insert(field.to_owned(), value);
        Value::from(form)
    };
    vec![
        with("kind", json!(WRONG)),
        with("urgency", json!(PAPER)),
        with("when", json!(PLACE)),
        with("where", json!({ "country": PLACE })),
        with("what", json!("")),
        with("tlp", json!(WRONG)),
        with("identifiers", json!([{ "kind": "lei", "text": PAPER }])),
        with("identifiers", json!([{ "kind": WRONG, "text": PAPER }])),
        with("only", json!([PERSON])),
        with(WRONG, json!(PAPER)),
        json!(PAPER),
    ]
}

/// Everything that is wrong with alerts, rules and files: none of it is repeated.
fn bad_alerts(node: &Node, hotline: &symbolon_tests::Https, needles: &[Vec<u8>]) {
    let refused = |call: &str, request: &Value| {
        let answer = node.post(call, request).unwrap();
        assert!(answer.error.is_some(), "{call}: {request}");
        search(call, &answer.raw, needles);
    };
    for form in bad_forms(&alert()) {
        refused("alert/send", &json!({ "form": form }));
        refused("alert/preview", &json!({ "form": form }));
    }
    for form in bad_forms(&submission()) {
        let body = json!({ "form": form, "idempotency_key": WRONG }).to_string();
        let said = hotline.post("alert/send", body.as_bytes()).unwrap();
        assert!(said.status >= 400, "{}", said.head);
        search("a hotline's answer", said.head.as_bytes(), needles);
        search("a hotline's answer", said.body.to_string().as_bytes(), needles);
    }
    for call in ["alert/show", "alert/acks", "alert/withdraw", "alert/ack", "alert/contest"] {
        refused(call, &json!({ "id": WRONG, "reason": PAPER, "stage": PAPER }));
    }
    let rule = |field: &str, value: Value| json!({ "form": { "name": "x", field: value } });
    refused("watch/preview", &rule("identifiers", json!([{ "kind": "lei", "text": WRONG }])));
    refused("watch/preview", &rule("routes", json!([{ "country": WATCHED_PLACE }])));
    refused("watch/preview", &rule("targets", json!([format!("https://{WRONG}/x")])));
    refused("courier/open", &json!({ "manifest": WRONG }));
    let path = node.directory.with_file_name("bad.courier");
    std::fs::write(&path, format!("symbolon/1 courier\n{PAPER} {WHAT}")).unwrap();
    let output = node.command(&["courier", "read", &path.display().to_string()]);
    assert!(!output.status.success());
    search("a refused file", &[output.stdout, output.stderr].concat(), needles);
}

#[test]
fn no_marker_of_an_alert_leaves_but_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let listens = [free_address(), free_address()];
    let relays = listens.map(Relay::start);
    let key = folder.path().join("north.key");
    let mut nodes = [("north", "NOR"), ("south", "PRT")].into_iter().zip(listens).zip(&relays).map(
        |(((name, country), listen), relay)| {
            let key = folder.path().join(format!("{name}.key")).display().to_string();
            let unlock = ["--key-file".to_owned(), key];
            Node::reached_at(folder.path(), name, country, (listen, relay.address), unlock)
        },
    );
    let (mut north, mut south) = (nodes.next().unwrap(), nodes.next().unwrap());
    drop(nodes);
    let (port, heard) = webhook();
    let syslog = UnixDatagram::bind(folder.path().join("log")).unwrap();
    syslog.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let door = HotlineClient::door(&north);
    south.configure("notice_lines_file = \"notices.jsonl\"");
    south.configure(&format!("notice_syslog_socket = \"{}/log\"", folder.path().display()));
    south.configure(&format!("notice_hosts = [\"127.0.0.1:{port}\"]"));
    for node in [&mut north, &mut south] {
        log_everything(node);
        node.start();
    }
    introduce(&north, &south, &json!({ "document": 1_000 }));
    let client = HotlineClient::enrol(&north, door, "harbour", &[]);
    let (token, https) = (client.file()["token"].as_str().unwrap().to_owned(), client.https());
    let (_, secret) = token.split_once('.').unwrap();
    let needles = needles(&[ALERTS.as_slice(), &[secret]].concat(), &key);

    let rule = json!({
        "name": "all papers", "delivery": "ring", "classes": ["flash"],
        "targets": ["inbox", "lines", "syslog", format!("http://127.0.0.1:{port}/in")],
    });
    let saved = south.call("watch/save", &json!({ "form": rule, "fits": 0 }));
    let named = json!({
        "name": "a person", "routes": [{ "name": WATCHED_PLACE }],
        "identifiers": [{ "kind": "passport", "text": WATCHED_PAPER, "issuer": "DEU" }],
    });
    let _named = south.call("watch/save", &json!({ "form": named, "fits": 0 }));
    search("a rule as it is shown", saved.to_string().as_bytes(), &needles);

    let sent = north.call("alert/send", &json!({ "form": alert() }));
    assert_eq!(sent["recipients"], json!(["south"]), "{sent}");
    let body = json!({ "form": submission(), "idempotency_key": "0123456789abcdef" }).to_string();
    let said = https.post("alert/send", body.as_bytes()).unwrap();
    assert_eq!(said.status, 200, "{}", said.body);
    for answer in [&sent, &said.body] {
        search("an acceptance", answer.to_string().as_bytes(), &needles);
    }
    let ids = [sent["id"].clone(), said.body["result"]["id"].clone()];
    wait_for("both alerts come in", 30, || {
        let page = south.call("alert/list", &json!({ "direction": "received" }));
        (page["alerts"].as_array().unwrap().len() == 2).then_some(())
    });
    let shown = south.call("alert/show", &json!({ "id": ids[0], "reason": "on duty" }));
    assert!(shown.to_string().contains(WHAT), "the officer sees it: {shown}");

    // What is told to others, by every way.
    for _ in 0..2 {
        let hook = heard.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(find(&hook, b"all papers").is_some());
        search("a webhook", &hook, &needles);
        let mut line = vec![0; 4_096];
        let count = syslog.recv(&mut line).unwrap();
        search("the system's log", line.get(..count).unwrap(), &needles);
    }

    // The same by courier, and back.
    let _routed = north.call("partner/route", &json!({ "partner": "south", "route": "courier" }));
    let _third = north.call("alert/send", &json!({ "form": alert() }));
    let path = folder.path().join("file").display().to_string();
    for output in [
        north.command(&["courier", "write", "south", "--out", &path]),
        south.command(&["courier", "read", &path]),
    ] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        search("a carrier's words", &[output.stdout, output.stderr].concat(), &needles);
    }
    search("a courier file", &std::fs::read(&path).unwrap(), &needles);

    bad_alerts(&north, &https, &needles);
    let flags = HotlineClient::flags("x");
    let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
    arguments.extend(["--identifier", WRONG, "--where", HOTLINE_PLACE]);
    let output = client.run(&arguments);
    search("a hotline's program", &[output.stdout, output.stderr].concat(), &needles);
    let withdraw = json!({ "id": ids[0], "reason": "error" });
    let _withdrawn = north.call("alert/withdraw", &withdraw);
    search_remains([&mut north, &mut south], &relays, &needles);
}

/// The search would find what is there.
#[test]
fn the_search_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, [7; 32]).unwrap();
    for needle in needles(&[MARKERS.as_slice(), &ALERTS].concat(), &key) {
        let mut hay = vec![0; 5000];
        hay.extend_from_slice(&needle.to_ascii_uppercase());
        hay.push(0);
        assert_eq!(find(&hay, &needle), Some(5000));
    }
}
