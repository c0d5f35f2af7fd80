//! Evidence bundles of two real nodes: the verifier as a process, and the vectors of
//! spec/vectors/evidence.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_bytes::{ByteArray, ByteBuf};
use serde_json::{Value, json};
use symbolon_codec::decode;

use crate::{Node, PURPOSE, agree_on_drills, columns, find, neighbours, row, wait_for};

/// The names of the two bundles about a hit.
pub const BUNDLES: [&str; 2] = ["asker", "holder"];
/// The names of the bundles about an alert: of its origin while it is in force, of its recipient
/// when it is deleted, of the origin of a drill, and of the origin when the deletion is proved.
pub const ALERT_BUNDLES: [&str; 4] =
    ["alert-origin", "alert-recipient", "alert-drill", "alert-proved"];

/// The verifier beside the program under test, built where it is not there.
fn verifier() -> &'static Path {
    static VERIFIER: OnceLock<PathBuf> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let beside = crate::program().with_file_name("symbolon-verify");
        if !beside.exists() {
            let built = Command::new(env!("CARGO"))
                .args(["build", "-p", "symbolon-verify", "--offline", "--quiet"])
                .current_dir(crate::root())
                .status()
                .unwrap();
            assert!(built.success(), "the verifier does not build");
        }
        beside
    })
}

/// What the verifier says of a file: on a machine that has nothing else.
#[must_use]
pub fn verify(bundle: &Path, arguments: &[&str]) -> Output {
    Command::new(verifier()).arg(bundle).args(arguments).env_clear().output().unwrap()
}

/// Whether bundles of a folder are there and verify.
#[must_use]
pub fn vectors_hold(folder: &Path, bundles: &[&str]) -> bool {
    bundles.iter().all(|name| {
        let bytes = std::fs::read(folder.join(format!("{name}.evidence")));
        bytes.is_ok_and(|bytes| symbolon_verify::verify(&bytes).is_ok())
    })
}

/// A folder for nodes that make vectors.
fn work(name: &str) -> PathBuf {
    let name = format!("symbolon-vectors-{name}-{}", std::process::id());
    let work = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&work).unwrap();
    work
}

/// Fingerprint and words of a node.
fn root_of(node: &Node) -> Value {
    let card = node.call("partner/card", &json!({}));
    json!({ "name": card["name"], "fingerprint": card["fingerprint"], "words": card["words"] })
}

/// Makes the vectors about an alert anew: two nodes, a real alert that is taken back, a drill.
pub fn alert_vectors_write(folder: &Path) {
    let work = work("alert");
    std::fs::create_dir_all(folder).unwrap();
    let (north, south) = neighbours(&work, &json!({ "document": 1_000 }));
    agree_on_drills(&north, &south, &json!({ "document": 1_000 }));
    let at = |id: &Value, state: &str| {
        wait_for(state, 30, || {
            let acks = north.call("alert/acks", &json!({ "id": id }));
            (acks["recipients"][0]["state"] == state).then_some(())
        });
    };
    let send = |what: &str, is_drill: bool| {
        let form = json!({
            "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
            "urgency": "flash", "tlp": "green", "exercise": is_drill,
        });
        let id = north.call("alert/send", &json!({ "form": form }))["id"].clone();
        at(&id, "delivered");
        id
    };
    let built =
        |node: &Node, id: &Value| bundle(node, &json!({ "alert": id, "reason": "inquiry" }));
    let id = send("Portal alarm: one lead container is missing", false);
    let _read = south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    at(&id, "read");
    let origin = built(&north, &id);
    let _withdrawn = north.call("alert/withdraw", &json!({ "id": id, "reason": "resolved" }));
    at(&id, "deleted");
    let recipient = built(&south, &id);
    wait_for("the deletion is proved", 30, || {
        let acks = north.call("alert/acks", &json!({ "id": id }));
        acks["recipients"][0]["deletion_proved"].is_object().then_some(())
    });
    let proved = built(&north, &id);
    let drill = built(&north, &send("A drill", true));
    let mut expected = json!({ "roots": [root_of(&north), root_of(&south)] });
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    for (name, bytes) in ALERT_BUNDLES.iter().zip([&origin, &recipient, &drill, &proved]) {
        expected[*name] = report(bytes);
        write(&format!("{name}.evidence"), bytes);
    }
    write("alert-expected.json", format!("{expected:#}\n").as_bytes());
    write("alert-refused.json", format!("{:#}\n", refused(&origin)).as_bytes());
    drop((north, south));
    let _ = std::fs::remove_dir_all(&work);
}

/// Makes the vectors anew: two nodes, one matter between them, a bundle of each side.
pub fn vectors_write(folder: &Path) {
    let work = work("hit");
    std::fs::create_dir_all(folder).unwrap();
    let (north, south) = neighbours(&work, &json!({ "document": 1_000 }));
    let own = columns() + &row("N-1", "green", "Ada Vexley", "passport", "KX1002001");
    assert!(north.import(&own).unwrap().result.is_some());
    let theirs = columns() + &row("S-1", "green", "A. Vexley", "passport", "kx1002001");
    assert!(south.import(&theirs).unwrap().result.is_some());
    let _sets = south.call("exchange/publish", &json!({}));
    let reason = json!({ "purpose": PURPOSE, "case": "T-7", "legal_basis": "act 1" });
    let identifiers = json!([{ "kind": "passport", "text": "KX 100 2001" }]);
    let ask = json!({ "identifiers": identifiers, "reason": reason });
    let asked = north.call("query/ask", &ask);
    let hit = &asked["identifiers"][0]["answers"][0]["hit"];
    let _released = north.call("hit/confirm", &json!({ "id": hit, "reason": reason }));
    let built = json!({ "case": "T-7", "reason": "court order 12", "query_contents": true });
    let asker = bundle(&north, &built);
    let hash = statement(&asker);
    let built = json!({ "statement": hash, "reason": "answer to court order 12" });
    let holder = bundle(&south, &built);
    let expected = json!({
        "roots": [root_of(&north), root_of(&south)],
        "asker": report(&asker),
        "holder": report(&holder),
    });
    let page = symbolon_verify::verify(&asker).unwrap().page().to_owned();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("asker.evidence", &asker);
    write("holder.evidence", &holder);
    write("asker.html", page.as_bytes());
    write("expected.json", format!("{expected:#}\n").as_bytes());
    write("refused.json", format!("{:#}\n", refused(&asker)).as_bytes());
    drop((north, south));
    let _ = std::fs::remove_dir_all(&work);
}

/// A bundle of a node, with its checkpoint cosigned.
fn bundle(node: &Node, request: &Value) -> Vec<u8> {
    let cosigned = node.call("audit/cosign", &json!({}));
    assert!(cosigned["partners"][0]["size"].is_u64(), "{cosigned}");
    let built = node.call("evidence/build", request);
    hex::decode(built["bundle"].as_str().unwrap()).unwrap()
}

/// The hash of the confirm in a bundle.
fn statement(bundle: &[u8]) -> String {
    let verified = symbolon_verify::verify(bundle).unwrap();
    let mut sections = verified.report().sections.iter();
    let confirm = sections.find(|section| section.title.ends_with(": confirm")).unwrap();
    confirm.rows.iter().find(|(label, _)| label == "hash").unwrap().1.clone()
}

/// What the verifier says of a bundle.
#[must_use]
pub fn report(bundle: &[u8]) -> Value {
    match symbolon_verify::verify(bundle) {
        Ok(verified) => serde_json::to_value(verified.report()).unwrap(),
        Err(refused) => json!({ "reason": refused.reason().code() }),
    }
}

/// Changes to a bundle that anybody can make, each with the reason that refuses it.
fn refused(bundle: &[u8]) -> Value {
    let wire: (u8, ByteBuf, ByteArray<64>, ByteBuf, Vec<(u8, ByteBuf)>, String) =
        decode(bundle, bundle.len()).unwrap();
    let middle = |part: &[u8]| find(bundle, part).unwrap() + part.len() / 2;
    let mut changes = vec![
        json!({ "name": "version", "flip": 1, "reason": "version" }),
        json!({ "name": "truncated", "keep": bundle.len() - 1, "reason": "truncated" }),
        json!({ "name": "followed by a zero", "append": 1, "reason": "trailing" }),
        json!({ "name": "first signature", "flip": middle(&*wire.2), "reason": "manifest_signature" }),
        json!({ "name": "second signature", "flip": middle(&wire.3), "reason": "manifest_signature" }),
        json!({ "name": "index", "flip": bundle.len() - 3, "reason": "index_altered" }),
    ];
    for (number, (kind, bytes)) in (1..).zip(&wire.4) {
        let (name, flip) = (format!("item {number}, kind {kind}"), middle(bytes));
        changes.push(json!({ "name": name, "flip": flip, "reason": "item_altered" }));
    }
    Value::Array(changes)
}

/// A bundle after one of the changes of `refused.json`; a flip is of the bit 0x02 at an offset.
#[must_use]
pub fn changed(bundle: &[u8], change: &Value) -> Vec<u8> {
    let mut bytes = bundle.to_vec();
    let number = |name: &str| change[name].as_u64().and_then(|n| usize::try_from(n).ok());
    if let Some(offset) = number("flip") {
        bytes[offset] ^= 0x02;
    }
    if let Some(length) = number("keep") {
        bytes.truncate(length);
    }
    if let Some(zeros) = number("append") {
        bytes.extend(std::iter::repeat_n(0, zeros));
    }
    bytes
}
