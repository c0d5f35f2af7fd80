//! Bad input ends in one line with cause and remedy, the right exit code, and nothing half done.
//!
//! Holds the program to spec/node.md#exit-codes.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use symbolon_disclosure::RecipientSecret;
use symbolon_ident::{Class, Country};
use symbolon_record::RecordKind;
use symbolon_tests::{MAPPING, Node, PURPOSE, columns, program, row};
use symbolon_trust::{
    Agreement, ClassTerms, IdentityKey, Mode, NodeCard, NodeId, NodeName, SignedAgreement,
    SignedCard, TlsPin,
};

const INVALID: i32 = 2;
const NOT_FOUND: i32 = 3;
const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;
const CHECK_FAILED: i32 = 6;
const DAY: u64 = 86_400;

/// One line on standard error that names the cause and, after a colon or comma, the remedy.
fn refused(output: &Output, code: i32, cause: &str, remedy: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.contains(cause), "{cause:?} is not in {said}");
    assert!(said.contains(remedy), "{remedy:?} is not in {said}");
}

/// Every file of a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let files = entries.map(|entry| entry.unwrap()).filter(|e| e.path().is_file());
    files
        .map(|file| {
            (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap())
        })
        .collect()
}

#[test]
fn what_keeps_a_node_from_starting_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::new(folder.path(), "north", "NOR");
    let config = node.directory.join("symbolon.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let before = contents(&node.directory);
    std::fs::write(&config, whole.clone() + "pasword = \"x\"\n").unwrap();
    refused(&node.command(&["run"]), INVALID, "unknown field `pasword`", "correct the file");
    std::fs::write(&config, whole.replace("\"info\"", "\"loud\"")).unwrap();
    refused(&node.command(&["run"]), INVALID, "loud", "correct the file");
    std::fs::write(&config, &whole).unwrap();

    let other = folder.path().join("other.key");
    std::fs::write(&other, [9; 32]).unwrap();
    let run = |key: &Path| node.command(&["run", "--key-file", &key.display().to_string()]);
    refused(&run(&other), INVALID, "", "give the passphrase or key file of this node");
    refused(&run(&folder.path().join("none.key")), INVALID, "cannot be read", "name and rights");
    std::fs::write(&other, [9; 7]).unwrap();
    refused(&run(&other), INVALID, "key file", "32 to 4,096 random bytes");
    let passphrase = folder.path().join("passphrase");
    std::fs::write(&passphrase, "a passphrase of other people").unwrap();
    let passphrase = passphrase.display().to_string();
    let output = node.command(&["run", "--passphrase-file", &passphrase]);
    refused(&output, INVALID, "", "give the passphrase or key file of this node");
    assert_eq!(contents(&node.directory), before, "nothing was changed");

    let policy = node.directory.join("policy.cedar");
    let sample = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, "permit (principal, action, resource").unwrap();
    refused(&node.command(&["run"]), INVALID, "policy.cedar", "correct the policy");
    std::fs::write(&policy, sample).unwrap();
    refused(&node.command(&["status"]), UNAVAILABLE, "no node answers", "symbolon run");
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), "north", "NOR");
    node.start();
    refused(&node.command(&["run"]), REFUSED, "", "stop");
    assert_eq!(node.call("node/status", &json!({}))["name"], "north");
}

#[test]
fn a_node_is_made_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("node");
    let key = folder.path().join("node.key");
    let init = |name: &str, country: &str, address: &str| {
        Command::new(program())
            .arg("--data")
            .arg(&place)
            .args(["init", "--name", name, "--country", country])
            .args(["--address", address, "--key-file"])
            .arg(&key)
            .output()
            .unwrap()
    };
    let address = "127.0.0.1:4433";
    for (name, country, address, remedy) in [
        ("Not A Name", "NOR", address, "lower-case letters"),
        ("north", "Nowhereland", address, "ISO 3166-1"),
        ("north", "NOR", "no port", "host:port"),
    ] {
        refused(&init(name, country, address), INVALID, "", remedy);
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "a refused node leaves nothing, not even its key: {left:?}");
    }
    assert!(init("north", "NOR", address).status.success());
    let before = contents(&place);
    refused(&init("north", "NOR", address), REFUSED, "holds a node already", "another folder");
    assert_eq!(contents(&place), before);
}

#[test]
fn commands_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), "north", "NOR");
    node.start();
    let why = ["--purpose", PURPOSE, "--case", "T-1"];
    let show = ["record", "show", "00000000-0000-7000-8000-000000000000", "--reason", "test"];
    refused(&node.command(&show), NOT_FOUND, "no such record", "");
    let ask = [&["query", "passport", "KX1002001"][..], &why].concat();
    refused(&node.command(&ask), REFUSED, "no partners", "add a partner");

    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("table.csv"), columns() + &row("R-1", "green", "Al", "email", "a@b.org"))
        .unwrap();
    std::fs::write(path("good.toml"), MAPPING).unwrap();
    std::fs::write(path("bad.toml"), MAPPING.to_owned() + "[nonsense]\n").unwrap();
    let import = |table: &str, mapping: &str| {
        node.command(&["record", "import", &path(table), "--mapping", &path(mapping)])
    };
    refused(&import("none.csv", "good.toml"), INVALID, "none.csv", "");
    refused(&import("table.csv", "none.toml"), INVALID, "none.toml", "");
    refused(&import("table.csv", "bad.toml"), INVALID, "", "correct the mapping");
    assert_eq!(node.call("node/status", &json!({}))["records"], 0);
    assert!(import("table.csv", "good.toml").status.success());
    node.log_holds();
}

/// A stranger's node: root, signing and envelope keys from one seed.
struct Stranger {
    root: IdentityKey,
    card: SignedCard,
}

impl Stranger {
    fn new(name: &str, (not_before, not_after): (u64, u64)) -> Stranger {
        let root = IdentityKey::generate([31; 32]).unwrap();
        let signing = IdentityKey::generate([32; 32]).unwrap();
        let secret = RecipientSecret::generate([33; 32], Mode::Live);
        let card = NodeCard {
            version: 1,
            root: root.public().clone(),
            name: NodeName::parse(name).unwrap(),
            country: Country::parse("FRA").unwrap(),
            sequence: 1,
            not_before,
            not_after,
            signing: signing.public().clone(),
            envelope_keys: vec![secret.envelope_key(not_before, not_after)],
            tls_pins: vec![TlsPin([4; 32])],
            addresses: vec!["127.0.0.1:9".into()],
            log: vec!["agency+12345678+AQIDBA==".into()],
            profile: [5; 32],
        };
        let card = SignedCard::sign(card, &root).unwrap();
        Stranger { root, card }
    }
}

#[test]
fn what_has_expired_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), "north", "NOR");
    node.start();
    let own = node.call("partner/card", &json!({}));
    // A card is valid for 365 days from when it is made: that is the time here.
    let now = own["not_after"].as_u64().unwrap() - 365 * DAY;
    let stranger = |begin: u64, end: u64| Stranger::new("stranger", (begin, end));
    let add = |card: &SignedCard, fingerprint: &Value| {
        let request = json!({ "card": card.armor(), "confirmed_fingerprint": fingerprint });
        node.post("partner/add", &request).unwrap()
    };
    let late = stranger(now - 40 * DAY, now - 10 * DAY);
    let error = add(&late.card, &Value::Null).error.unwrap();
    assert_eq!(error["code"], "invalid", "{error}");
    assert!(error["message"].as_str().unwrap().contains("expired"), "{error}");
    assert!(!error["remedy"].as_str().unwrap().is_empty());
    let file = folder.path().join("late.card");
    std::fs::write(&file, late.card.armor()).unwrap();
    let output = node.command(&["partner", "add", &file.display().to_string()]);
    refused(&output, INVALID, "expired", "get the file again");
    assert_eq!(node.call("partner/list", &json!({})), json!([]));

    let good = stranger(now - DAY, now + 10 * DAY);
    let shown = add(&good.card, &Value::Null).result.unwrap();
    let partner = add(&good.card, &shown["fingerprint"]).result.unwrap();
    assert_eq!(partner["state"], "pending");
    // The stranger's card names another profile: nothing can be matched, and doctor says so.
    let ill = node.command(&["doctor"]);
    let said = String::from_utf8_lossy(&ill.stdout);
    assert_eq!(ill.status.code(), Some(CHECK_FAILED), "{said}");
    assert!(said.contains("rules for identifiers differ") && said.contains("both:"), "{said}");
    let mine = hex::decode(own["fingerprint"].as_str().unwrap()).unwrap();
    let me = NodeId::from_bytes(mine.try_into().unwrap());
    let mut parties = [me, good.root.public().fingerprint()];
    parties.sort_unstable();
    let agreement = Agreement {
        version: 1,
        id: [8; 16],
        parties,
        mode: Mode::Live,
        purposes: vec![PURPOSE.into()],
        kinds: vec![RecordKind::Listing.as_str().to_owned()],
        classes: vec![ClassTerms { class: Class::Document, budget_per_epoch: 100 }],
        epoch_length_seconds: 7 * DAY,
        retention_days: 365,
        not_before: now - 40 * DAY,
        not_after: now - 10 * DAY,
    };
    let signed = SignedAgreement::propose(agreement, &good.root).unwrap();
    let looked = node.call("partner/accept", &json!({ "armored": signed.armor() }));
    let confirmed =
        json!({ "armored": signed.armor(), "confirmed_digest": looked["terms"]["digest"] });
    let error = node.post("partner/accept", &confirmed).unwrap().error.unwrap();
    assert!(error["message"].as_str().unwrap().contains("expired"), "{error}");
    let listed = node.call("partner/list", &json!({}));
    assert_eq!((&listed[0]["state"], &listed[0]["agreement"]), (&json!("pending"), &Value::Null));
    node.log_holds();
}

#[test]
fn a_pasted_text_is_identified_without_a_node() {
    let identify = |text: &str| {
        let output = Command::new(program()).args(["--json", "identify", text]).output().unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output, shown)
    };
    // ICAO Doc 9303-4's specimen.
    let zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let (_, shown) = identify(zone);
    let checks = shown["checks"].as_array().unwrap();
    assert!(checks.len() == 5 && checks.iter().all(|one| one["check"] == "valid"), "{shown}");
    let kinds: Vec<&str> = shown["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.first(), Some(&"passport"), "{shown}");
    assert!(kinds.contains(&"person_name_birth_date"), "{shown}");
    let (_, shown) = identify("GB82 WEST 1234 5698 7654 32");
    assert_eq!(
        (&shown["proposals"][0]["kind"], &shown["proposals"][0]["check"]),
        (&json!("iban"), &json!("valid"))
    );
    // Ship or company: both schemes are shown where both hold, and nothing is chosen.
    let (_, shown) = identify("IMO 9074729");
    assert_eq!(shown["proposals"][0]["kind"], "imo_ship", "{shown}");
    let (output, _) = identify("!!");
    refused(&output, NOT_FOUND, "no identifier", "symbolon query");
}
