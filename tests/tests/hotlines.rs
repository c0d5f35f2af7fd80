//! Hotlines at a real door: credentials, quota, floods, and what an ordinary client meets.
//!
//! Holds the program to spec/hotlines.md.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs::kx_group;
use serde_json::{Value, json};
use symbolon_tests::{HotlineClient, Https, Node, find, wait_for};

const INVALID: i32 = 2;
const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;

fn started(folder: &std::path::Path) -> (Node, SocketAddr) {
    let mut node = Node::new(folder, "north", "NOR");
    let door = HotlineClient::door(&node);
    node.start();
    (node, door)
}

fn ended(output: &Output, code: i32, cause: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(cause), "{cause:?} is not in {said}");
}

fn works(client: &HotlineClient) {
    let output = client.run(&["hotline", "test"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_hotline_is_known_by_its_token_until_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let from = node.log_holds();
    let client = HotlineClient::enrol(&node, door, "harbour", &[]);
    let mode = std::fs::metadata(&client.enrolment).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let hello = client.run(&["--json", "hotline", "test"]);
    let hello: Value = serde_json::from_slice(&hello.stdout).unwrap();
    assert_eq!((&hello["node"], &hello["hotline"]), (&json!("north"), &json!("harbour")));
    assert!(hello["time"].as_str().unwrap().ends_with('Z'), "{hello}");

    let token = client.file()["token"].as_str().unwrap().to_owned();
    let (_, secret) = token.split_once('.').unwrap();
    let with = |token: String| client.changed("other", |file| file["token"] = json!(token));
    for wrong in [
        format!("harbour.{}", "00".repeat(32)),
        format!("harbor.{secret}"),
        secret.to_owned(),
        String::new(),
        format!("{token}0"),
    ] {
        ended(&with(wrong).run(&["hotline", "test"]), REFUSED, "credentials are not those");
    }
    let other_node = client.changed("pin", |file| file["pins"] = json!(["00".repeat(32)]));
    ended(&other_node.run(&["hotline", "test"]), REFUSED, "nothing was sent");
    let second = client.changed("two", |file| {
        let own = file["pins"][0].clone();
        file["pins"] = json!(["00".repeat(32), own]);
        file["urls"] = json!(["https://127.0.0.1:9", file["urls"][0]]);
    });
    works(&second);

    let change =
        |verb: &str| node.command(&["hotline", verb, "harbour", "--reason", "lost laptop"]);
    assert!(change("suspend").status.success());
    ended(&client.run(&["hotline", "test"]), REFUSED, "suspended");
    assert!(change("resume").status.success());
    works(&client);
    let renewed = client.enrolment.with_file_name("renewed");
    let place = renewed.display().to_string();
    let renew = ["hotline", "renew", "harbour", "--reason", "lost laptop", "--output", &place];
    assert!(node.command(&renew).status.success());
    ended(&client.run(&["hotline", "test"]), REFUSED, "credentials are not those");
    works(&HotlineClient { enrolment: renewed, door });
    ended(&node.command(&renew), INVALID, "exists already");

    let page = node.call("audit/show", &json!({ "from": from, "limit": 100 }));
    let entries = page["entries"].as_array().unwrap().iter();
    let said: Vec<&str> = entries.map(|entry| entry["summary"].as_str().unwrap()).collect();
    for act in ["harbour enrolled", "harbour suspended", "harbour active", "harbour renewed"] {
        let found = said.iter().filter(|words| words.contains(act)).count();
        assert_eq!(found, 1, "{act}: {said:?}");
    }
    for path in std::fs::read_dir(&node.directory).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let raw = hex::decode(secret).unwrap();
        for needle in [secret.as_bytes(), &raw, b"harbour"] {
            assert_eq!(find(&bytes, needle), None, "{}", path.display());
        }
    }
    node.log_holds();
}

#[test]
fn a_hotline_can_prove_itself_by_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let key = |name: &str| {
        let path = folder.path().join(format!("{name}.pem"));
        let place = path.display().to_string();
        assert!(node.command(&["hotline", "key", "--output", &place]).status.success());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        let certificate = text.find("-----BEGIN CERTIFICATE").unwrap();
        std::fs::write(folder.path().join(format!("{name}.crt")), &text[certificate..]).unwrap();
        place
    };
    let (own, other) = (key("own"), key("other"));
    let certificate = folder.path().join("own.crt").display().to_string();
    let alone = ["--certificate", &certificate, "--no-token"];
    let portal = HotlineClient::enrol(&node, door, "portal", &alone);
    assert_eq!(portal.file()["token"], Value::Null);
    ended(&portal.run(&["hotline", "test"]), REFUSED, "credentials are not those");
    let with =
        |client: &HotlineClient, key: &str| client.run(&["hotline", "test", "--client-key", key]);
    ended(&with(&portal, &other), REFUSED, "no hotline with this client key");
    ended(&with(&portal, &certificate), INVALID, "no private key");
    assert!(with(&portal, &own).status.success());

    let third = key("third");
    let shared = ["hotline", "add", "twin", "--output", &format!("{third}.x"), "--certificate"];
    let shared = node.command(&[shared.as_slice(), &[certificate.as_str()]].concat());
    ended(&shared, REFUSED, "another hotline has");
    let certificate = folder.path().join("third.crt").display().to_string();
    let both = HotlineClient::enrol(&node, door, "both", &["--certificate", &certificate]);
    ended(&both.run(&["hotline", "test"]), REFUSED, "credentials are not those");
    assert!(with(&both, &third).status.success());
    let without = both.changed("tokenless", |file| file["token"] = Value::Null);
    ended(&with(&without, &third), REFUSED, "credentials are not those");

    let certificate = folder.path().join("other.crt").display().to_string();
    let place = folder.path().join("anew").display().to_string();
    let renew = ["hotline", "renew", "portal", "--reason", "new key", "--output", &place];
    let renew = [renew.as_slice(), &["--certificate", &certificate]].concat();
    assert!(node.command(&renew).status.success());
    assert!(with(&portal, &other).status.success(), "the pin is the node's to keep");
}

#[test]
fn an_ordinary_client_meets_only_its_own_calls_and_clear_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let client = HotlineClient::enrol(&node, door, "harbour", &[]);
    let https = client.https();
    let said = https.post("node/hello", b"{}").unwrap();
    assert_eq!((said.status, &said.body["result"]["hotline"]), (200, &json!("harbour")));
    for (call, body, status, code) in [
        ("record/list", &b"{}"[..], 409, "refused"),
        ("hotline/list", b"{}", 409, "refused"),
        ("audit/erase", b"{}", 409, "refused"),
        ("node/nothing", b"{}", 404, "not_found"),
        ("node/hello", b"{", 400, "invalid"),
        ("node/hello", b"{\"x\":1}", 400, "invalid"),
        ("node/hello", &[b' '; 65 * 1024], 413, "invalid"),
    ] {
        let said = https.post(call, body).unwrap();
        let error = &said.body["error"];
        assert_eq!((said.status, &error["code"]), (status, &json!(code)), "{call}: {said:?}");
    }
    let mut nobody = https.clone();
    nobody.token = None;
    let said = nobody.post("node/hello", b"{}").unwrap();
    assert_eq!((said.status, &said.body["error"]["code"]), (401, &json!("credentials")));
    assert!(said.head.contains("www-authenticate: bearer"), "{}", said.head);
    let groups = vec![kx_group::SECP256R1, kx_group::SECP384R1];
    let pin = hex::decode(client.file()["pins"][0].as_str().unwrap()).unwrap();
    let other = Https::new(door, pin.try_into().unwrap(), https.token.clone(), groups);
    assert!(other.post("node/hello", b"{}").is_none(), "other exchanges are not spoken");
    // What comes through the officers' socket and names itself a hotline is none.
    let socket = node.call("node/hello", &json!({}));
    assert_eq!(socket["hotline"], Value::Null);
}

#[test]
fn a_flood_is_held_to_its_quota_and_slows_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let quota = ["--quota", "3600", "--burst", "5"];
    let flooding = HotlineClient::enrol(&node, door, "flood", &quota).https();
    let calm = HotlineClient::enrol(&node, door, "calm", &[]).https();
    let (over, passed, held) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let Some(said) = flooding.post("alert/send", b"{}") else { continue };
                    if said.status == 429 {
                        let error = &said.body["error"];
                        let seconds = error["retry_seconds"].as_u64().unwrap();
                        assert_eq!(error["code"], "busy");
                        assert!(said.head.contains(&format!("retry-after: {seconds}\r\n")));
                        held.fetch_add(1, Ordering::Relaxed);
                    } else {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for _ in 0..40 {
            let begun = Instant::now();
            assert_eq!(calm.post("node/hello", b"{}").unwrap().status, 200);
            slowest = slowest.max(begun.elapsed());
        }
        let flooded = || (held.load(Ordering::Relaxed) >= 200).then_some(());
        wait_for("the flood", 60, flooded);
        over.store(true, Ordering::Relaxed);
    });
    let seconds = began.elapsed().as_secs() as usize;
    let passed = passed.into_inner();
    assert!((5..=5 + seconds + 1).contains(&passed), "{passed} in {seconds} s");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let listed = node.call("hotline/list", &json!({}));
    assert_eq!((&listed[0]["name"], &listed[0]["refused"]), (&json!("calm"), &json!(0)));
    assert!(listed[1]["refused"].as_u64().unwrap() >= 200, "{listed}");
}

#[test]
fn kills_give_a_hotline_nothing_beyond_its_hour() {
    let folder = tempfile::tempdir().unwrap();
    let (mut node, door) = started(folder.path());
    let quota = ["--quota", "10", "--burst", "5"];
    let client = HotlineClient::enrol(&node, door, "harbour", &quota).https();
    let hour = |node: &Node| node.call("node/hello", &json!({}))["now"].as_u64().unwrap() / 3_600;
    let (begun, mut passed) = (hour(&node), 0);
    for _ in 0..5 {
        for _ in 0..8 {
            let said = client.post("alert/send", b"{}").unwrap();
            passed += usize::from(said.status != 429);
        }
        node.kill();
        node.start();
    }
    let hours = usize::try_from(hour(&node) - begun).unwrap() + 1;
    assert!((10..=15 * hours).contains(&passed), "{passed} in {hours} hours");
}

#[test]
fn silent_connections_from_one_address_keep_no_other_out() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let client = HotlineClient::enrol(&node, door, "harbour", &[]);
    // As many as one address may have, and more; each says nothing.
    let silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(door).unwrap()).collect();
    let closed = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        matches!(stream.peek(&mut [0]), Ok(0) | Err(_))
            && !stream
                .peek(&mut [0])
                .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let shut = || {
        let shut = silent.iter().filter(|stream| closed(stream)).count();
        (shut >= 40 - 16).then_some(shut)
    };
    assert_eq!(wait_for("the door shuts those beyond its bound", 10, shut), 24);
    drop(silent);
    let again = || client.https().post("node/hello", b"{}").filter(|said| said.status == 200);
    wait_for("the address has room again", 10, again);
}

#[test]
fn without_a_door_nobody_is_enrolled_and_the_configuration_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), "north", "NOR");
    node.start();
    let place = folder.path().join("file").display().to_string();
    let add = ["hotline", "add", "harbour", "--output", &place];
    ended(&node.command(&add), REFUSED, "hotline_listen");
    node.stop();
    node.configure("hotline_listen = \"0.0.0.0:0\"");
    ended(&node.command(&["run"]), INVALID, "hotline_urls");
    node.configure("hotline_urls = [\"http://node.example\"]");
    ended(&node.command(&["run"]), INVALID, "https://host:port");
    let missing = folder.path().join("none").display().to_string();
    ended(&node.command(&["hotline", "test", "--enrolment", &missing]), INVALID, "cannot be");
    std::fs::write(folder.path().join("none"), "Dear colleague").unwrap();
    ended(&node.command(&["hotline", "test", "--enrolment", &missing]), INVALID, "hotline renew");
}

#[test]
fn an_alert_is_on_the_disk_where_no_node_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (mut node, door) = started(folder.path());
    let client = HotlineClient::enrol(&node, door, "harbour", &[]);
    node.stop();
    let flags = HotlineClient::flags("portal alarm");
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(["--wait", "1"]).collect();
    for count in 1..=2 {
        ended(&client.run(&flags), UNAVAILABLE, "spooled as");
        assert_eq!(client.spooled("alert").len(), count);
    }
    let file = std::fs::metadata(&client.spooled("alert")[0]).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let listed = client.run(&["--json", "alert", "spool", "list"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("waiting"), &json!("waiting")));
    let key = listed[0]["key"].as_str().unwrap();
    assert!(client.run(&["alert", "spool", "drop", &key[..12]]).status.success());
    assert_eq!(client.spooled("alert").len(), 1);
    ended(&client.run(&["alert", "spool", "drop", key]), 3, "no such alert");
    ended(
        &client.run(&["alert", "spool", "flush", "--wait", "1"]),
        UNAVAILABLE,
        "cannot be reached",
    );
    // What is missing is said before anything is kept.
    ended(&client.run(&["alert", "send", "--kind", "diversion"]), INVALID, "no 'what'");
    assert_eq!(client.spooled("alert").len(), 1);
}

#[test]
fn a_kind_that_it_is_not_enrolled_for_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let kinds = ["--kind", "diversion", "--kind", "interdiction"];
    let client = HotlineClient::enrol(&node, door, "harbour", &kinds);
    let from = node.log_holds();
    let flags = HotlineClient::flags("portal alarm");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    ended(&client.run(&flags), REFUSED, "may not hand in this kind");
    assert_eq!((client.spooled("refused").len(), client.spooled("alert").len()), (1, 0));
    // Nor in place of a kind that it may hand in.
    let mut form = HotlineClient::form("portal alarm");
    form["kind"] = json!("diversion");
    let https = client.https();
    let sent = https.post("alert/send", json!({ "form": form }).to_string().as_bytes()).unwrap();
    assert_eq!(sent.status, 200, "{sent:?}");
    let id = &sent.body["result"]["id"];
    form["kind"] = json!("material_out_of_control");
    for (call, body) in [
        ("alert/send", json!({ "form": form })),
        ("alert/send", json!({ "form": form, "idempotency_key": "0123456789abcdef" })),
        ("alert/update", json!({ "id": id, "form": form })),
    ] {
        let said = https.post(call, body.to_string().as_bytes()).unwrap();
        let error = &said.body["error"];
        assert_eq!((said.status, &error["code"]), (409, &json!("refused")), "{call}: {said:?}");
        assert!(error["remedy"].as_str().unwrap().contains("enrolled for"), "{said:?}");
    }
    let page = node.call("alert/list", &json!({}));
    assert_eq!(page["alerts"].as_array().unwrap().len(), 1, "{page}");
    let page = node.call("audit/show", &json!({ "from": from, "limit": 100 }));
    let entries = page["entries"].as_array().unwrap().iter();
    let own = entries.filter(|entry| entry["summary"].as_str().unwrap().contains("by hotline/"));
    assert_eq!(own.count(), 1, "one acceptance and nothing else: {page}");
}

#[test]
fn the_key_of_the_door_changes_and_who_greeted_in_between_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut node, door) = started(folder.path());
    let from = node.log_holds();
    let enrol = |node: &Node, name: &str| HotlineClient::enrol(node, door, name, &[]);
    let (knows, late) = (enrol(&node, "knows"), enrol(&node, "late"));
    works(&knows);
    works(&late);
    let change = |node: &Node, more: &[&str]| {
        node.command(&[&["hotline", "door-key"], more, &["--reason", "yearly"]].concat())
    };
    let unlearned = |node: &Node| node.call("door/show", &json!({}))["unlearned"].clone();
    ended(&change(&node, &["switch", "--yes"]), REFUSED, "no next key");
    assert!(change(&node, &["next"]).status.success());
    ended(&change(&node, &["next"]), REFUSED, "a next key already");
    assert_eq!(unlearned(&node), json!(["knows", "late"]));
    works(&knows);
    assert_eq!(unlearned(&node), json!(["late"]));
    let fresh = enrol(&node, "fresh");
    assert_eq!(fresh.file()["pins"].as_array().unwrap().len(), 2, "it names both");
    assert_eq!(unlearned(&node), json!(["late"]));
    ended(&change(&node, &["switch"]), INVALID, "1 of 3 hotlines");
    // All of it outlives a kill.
    node.kill();
    node.start();
    assert_eq!(unlearned(&node), json!(["late"]));
    let old = node.call("door/show", &json!({}))["pin"].clone();
    assert!(change(&node, &["switch", "--yes"]).status.success());
    let shown = node.call("door/show", &json!({}));
    assert_eq!((&shown["next"], &shown["unlearned"]), (&Value::Null, &json!([])));
    assert_ne!(shown["pin"], old);

    // The old enrolment file goes on working where its machine greeted in between.
    assert_eq!(knows.file()["pins"], json!([old]));
    works(&knows);
    works(&fresh);
    let kept = std::fs::read(knows.spool().join("pins")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["pins"], json!([shown["pin"]]), "the old key is accepted no more");
    ended(&late.run(&["hotline", "test"]), REFUSED, "nothing was sent");
    let flags = HotlineClient::flags("portal alarm");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    assert!(knows.run(&flags).status.success());
    ended(&late.run(&flags), REFUSED, "hotline renew");
    assert_eq!(late.spooled("alert").len(), 1, "it is kept");
    // A new enrolment file in the place of the old one, and what was kept goes.
    let renewed = folder.path().join("renewed").display().to_string();
    let renew = ["hotline", "renew", "late", "--reason", "key", "--output", &renewed];
    assert!(node.command(&renew).status.success());
    std::fs::rename(&renewed, &late.enrolment).unwrap();
    assert!(late.run(&["alert", "spool", "flush"]).status.success());
    node.stop();
    node.start();
    works(&knows);
    works(&late);
    let page = node.call("audit/show", &json!({ "from": from, "limit": 100 }));
    let entries = page["entries"].as_array().unwrap().iter();
    let said: Vec<&str> = entries.map(|entry| entry["summary"].as_str().unwrap()).collect();
    for act in ["next key of the hotlines' door made", "key of the hotlines' door changed"] {
        assert_eq!(said.iter().filter(|words| words.contains(act)).count(), 1, "{act}: {said:?}");
    }
    node.log_holds();
}

#[test]
fn what_an_officer_corrects_stays_the_hotlines_own_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let (node, door) = started(folder.path());
    let own = HotlineClient::enrol(&node, door, "harbour", &[]).https();
    let other = HotlineClient::enrol(&node, door, "quay", &[]).https();
    let post = |https: &Https, call: &str, body: Value| {
        https.post(call, body.to_string().as_bytes()).unwrap()
    };
    let form = HotlineClient::form("portal alarm");
    let id = post(&own, "alert/send", json!({ "form": form })).body["result"]["id"].clone();
    let corrected = HotlineClient::form("false alarm");
    let _updated = node.call("alert/update", &json!({ "id": id, "form": corrected }));
    let state = post(&own, "alert/state", json!({ "id": id }));
    assert_eq!(state.body["result"]["title"], "false alarm", "{state:?}");
    for (call, body) in [
        ("alert/state", json!({ "id": id })),
        ("alert/update", json!({ "id": id, "form": form })),
        ("alert/withdraw", json!({ "id": id, "reason": "error" })),
    ] {
        let said = post(&other, call, body);
        assert_eq!(
            (said.status, &said.body["error"]["code"]),
            (404, &json!("not_found")),
            "{call}"
        );
    }
    let withdrawn = post(&own, "alert/withdraw", json!({ "id": id, "reason": "error" }));
    assert_eq!(withdrawn.body["result"]["state"], "withdrawn", "{withdrawn:?}");
    node.log_holds();
}
