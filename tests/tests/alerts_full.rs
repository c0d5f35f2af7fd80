//! A full disk on either side of a delivery: refused in plain words, nothing lost, nothing twice,
//! and it goes on as soon as there is room.
//!
//! Holds the program to spec/alerts.md#delivery.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use symbolon_tests::{Answer, Node, introduce, wait_for};

const PATIENCE_SECONDS: u64 = 60;
/// More than fit into what is left of a full disk.
const ALARMS_MAX: usize = 400;

/// In a mount namespace of its own, where a file system of a few megabytes can be made.
#[test]
fn a_full_disk_on_either_side_loses_no_alert() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(this)
        .args(["--exact", "with_disks_of_their_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "a mount namespace is needed for this test: {said}{error}"
    );
}

/// A small file system, and the file that takes what is free of it.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    fn new(folder: &Path, name: &str) -> Disk {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder);
        assert!(mount.status().unwrap().success());
        Disk { folder }
    }

    fn fill(&self) {
        let mut file = File::create(self.folder.join("ballast")).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

fn send(node: &Node, number: usize, only: &[&str]) -> Answer {
    let mut form = json!({
        "kind": "material_out_of_control", "what": format!("{} {number}", node.name),
        "where": "NO", "when": "2026-11-20", "urgency": "flash", "tlp": "green",
        "narrative": "A long story. ".repeat(100),
        "only": only,
    });
    if only.is_empty() {
        form["except"] = json!([if node.name == "north" { "south" } else { "north" }]);
    }
    let key = format!("alarm-of-{}-{number:06}", node.name);
    node.post("alert/send", &json!({ "form": form, "idempotency_key": key })).unwrap()
}

fn id(accepted: &Value) -> String {
    accepted["id"].as_str().unwrap().to_owned()
}

/// Sends until the disk is full; what was accepted, and the number that was refused.
fn until_full(node: &Node, only: &[&str]) -> (Vec<String>, usize) {
    let mut accepted = Vec::new();
    for number in 0..ALARMS_MAX {
        let answer = send(node, number, only);
        match (answer.result, answer.error) {
            (Some(sent), _) => accepted.push(id(&sent)),
            (None, Some(error)) => {
                assert_eq!(error["code"], "unavailable", "{error}");
                assert!(error["message"].as_str().unwrap().contains("full"), "{error}");
                assert!(error["remedy"].as_str().unwrap().contains("free space"), "{error}");
                return (accepted, number);
            }
            (None, None) => panic!("no answer"),
        }
    }
    panic!("the disk does not fill");
}

fn state(node: &Node, id: &str) -> Value {
    node.call("alert/acks", &json!({ "id": id }))["recipients"][0]["state"].clone()
}

fn delivered(node: &Node, ids: &[String]) {
    for id in ids {
        wait_for("an alert is delivered", PATIENCE_SECONDS, || {
            (state(node, id) == "delivered").then_some(())
        });
    }
}

fn received(node: &Node) -> Vec<String> {
    let page = node.call("alert/list", &json!({ "direction": "received", "limit": 1000 }));
    let mut ids: Vec<_> = page["alerts"].as_array().unwrap().iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids
}

#[test]
#[ignore = "runs inside a_full_disk_on_either_side_loses_no_alert"]
fn with_disks_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let disks = ["one", "other"].map(|name| Disk::new(folder.path(), name));
    let mut north = Node::new(&disks[0].folder, "north", "NOR");
    let mut south = Node::new(&disks[1].folder, "south", "PRT");
    north.start();
    south.start();
    introduce(&north, &south, &json!({ "document": 1_000 }));

    // The recipient's disk is full: the sender accepts, and keeps what is refused there.
    disks[1].fill();
    let (kept, _) = until_full(&south, &[]);
    let sent: Vec<_> =
        (0..30).map(|number| id(&send(&north, number, &["south"]).result.unwrap())).collect();
    wait_for("the last one is tried", PATIENCE_SECONDS, || {
        (state(&north, sent.last().unwrap()) == "sent").then_some(())
    });
    assert!(south.post("node/status", &json!({})).is_some(), "it still answers");
    disks[1].free();
    delivered(&north, &sent);
    assert_eq!(received(&south), sorted(sent.clone()), "each once");
    for id in &kept {
        let shown = south.call("alert/state", &json!({ "id": id }));
        assert_eq!(shown["state"], "active", "what was accepted is there");
    }

    // The sender's disk is full: it refuses, and takes the same submission when there is room.
    disks[0].fill();
    let before = sent.len();
    let mut all = sent;
    let refused = {
        let answer = (before..ALARMS_MAX).find_map(|number| {
            let answer = send(&north, number, &["south"]);
            match answer.result {
                Some(sent) => {
                    all.push(id(&sent));
                    None
                }
                None => Some((number, answer.error.unwrap())),
            }
        });
        let (number, error) = answer.unwrap();
        assert_eq!(error["code"], "unavailable", "{error}");
        number
    };
    disks[0].free();
    all.push(id(&send(&north, refused, &["south"]).result.unwrap()));
    delivered(&north, &all);
    assert_eq!(received(&south), sorted(all.clone()), "each once");
    for node in [&mut north, &mut south] {
        node.log_holds();
        node.stop();
        node.start();
        node.log_holds();
    }
    assert_eq!(received(&south), sorted(all));
}
