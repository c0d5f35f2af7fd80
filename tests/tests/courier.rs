//! Alerts over an air gap: files both ways, some of them lost, and files that somebody changed.
//!
//! Holds the program to spec/relay.md#courier.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_tests::{Node, free_address, introduce};

const MAGIC: &[u8] = b"symbolon/1 courier\n";

/// Nodes of whom nobody can reach another.
fn apart(folder: &Path, name: &str, country: &str) -> Node {
    let key = folder.join(format!("{name}.key")).display().to_string();
    let addresses = (free_address(), free_address());
    let unlock = ["--key-file".to_owned(), key];
    let mut node = Node::reached_at(folder, name, country, addresses, unlock);
    node.start();
    node
}

fn pair(folder: &Path) -> (Node, Node) {
    let (north, south) = (apart(folder, "north", "NOR"), apart(folder, "south", "PRT"));
    introduce(&north, &south, &json!({ "document": 1_000 }));
    for (node, other) in [(&north, "south"), (&south, "north")] {
        let route = json!({ "partner": other, "route": "courier" });
        assert_eq!(node.call("partner/route", &route)["route"], "courier");
    }
    (north, south)
}

fn form(what: &str) -> Value {
    json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": "flash", "tlp": "green",
    })
}

fn send(node: &Node, what: &str) -> String {
    let sent = node.call("alert/send", &json!({ "form": form(what) }));
    sent["id"].as_str().unwrap().to_owned()
}

/// What it has received: in the order of the titles, since ids of one millisecond have none.
fn titles(node: &Node) -> Vec<String> {
    let page = node.call("alert/list", &json!({ "direction": "received", "limit": 1_000 }));
    let alerts = page["alerts"].as_array().unwrap().iter();
    let mut titles: Vec<String> =
        alerts.map(|alert| alert["title"].as_str().unwrap().to_owned()).collect();
    titles.sort_unstable();
    titles
}

fn state(node: &Node, id: &str) -> Value {
    node.call("alert/acks", &json!({ "id": id }))["recipients"][0]["state"].clone()
}

/// Writes a file for the other node.
fn write(from: &Node, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let partner = if from.name == "north" { "south" } else { "north" };
    let out = path.display().to_string();
    let output = from.command(&["--json", "courier", "write", partner, "--out", &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(written["bytes"], std::fs::metadata(&path).unwrap().len());
    path
}

/// Reads a file: what it said, what went wrong, and the exit code.
fn read(node: &Node, path: &Path) -> (Value, String, i32) {
    let output = node.command(&["--json", "courier", "read", &path.display().to_string()]);
    let shown = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (shown, said, output.status.code().unwrap())
}

fn read_whole(node: &Node, path: &Path) -> Value {
    let (shown, said, code) = read(node, path);
    assert_eq!((code, &shown["missing"]), (0, &json!(0)), "{shown} {said}");
    shown
}

fn received(node: &Node) -> usize {
    let page = node.call("audit/show", &json!({ "from": 0, "limit": 1_000 }));
    let entries = page["entries"].as_array().unwrap().iter();
    entries.filter(|entry| is_received_alert(entry)).count()
}

fn is_received_alert(entry: &Value) -> bool {
    entry["kind"] == "received" && entry["summary"].as_str().unwrap().starts_with("kind 7,")
}

#[test]
fn alerts_and_acknowledgements_cross_an_air_gap_though_files_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = pair(folder.path());
    let ids: Vec<String> = (0..3).map(|number| send(&north, &format!("Alarm {number}"))).collect();
    let lost = write(&north, folder.path(), "1.lost");
    let fourth = send(&north, "Alarm 3");
    north.kill();
    north.start();
    let second = write(&north, folder.path(), "2.courier");
    let shown = read_whole(&south, &second);
    assert_eq!((&shown["applied"], &shown["repeated"]), (&json!(4), &json!(0)), "{shown}");
    let expected = ["Alarm 0", "Alarm 1", "Alarm 2", "Alarm 3"];
    assert_eq!(titles(&south), expected);
    // The same again, and the one that turns up late, change nothing.
    let again = read_whole(&south, &second);
    assert_eq!((&again["applied"], &again["repeated"]), (&json!(0), &json!(4)), "{again}");
    assert_eq!(read_whole(&south, &lost)["repeated"], 3);
    assert_eq!((titles(&south).len(), received(&south)), (4, 4));
    let twice = north.command(&["courier", "write", "south", "--out", second.to_str().unwrap()]);
    assert_eq!(twice.status.code(), Some(2), "nothing is overwritten");

    // The way back: the first file is lost, the second has all that the first had.
    let _lost = write(&south, folder.path(), "3.lost");
    let _read = south.call("alert/ack", &json!({ "id": ids[0], "stage": "read" }));
    south.kill();
    south.start();
    let back = write(&south, folder.path(), "4.courier");
    assert_eq!(state(&north, &ids[0]), "sent");
    let _taken = read_whole(&north, &back);
    assert_eq!(
        (state(&north, &ids[0]), state(&north, &fourth)),
        ("read".into(), "delivered".into())
    );
    let _taken_again = read_whole(&north, &back);

    // What is acknowledged goes no more; what is taken back is proved to be gone.
    let withdraw = json!({ "id": ids[0], "reason": "resolved" });
    let _withdrawn = north.call("alert/withdraw", &withdraw);
    let third = write(&north, folder.path(), "5.courier");
    let shown = read_whole(&south, &third);
    assert_eq!((&shown["envelopes"], &shown["applied"]), (&json!(1), &json!(1)), "{shown}");
    assert_eq!((&shown["first"], &shown["awaited"]), (&json!(5), &json!(6)), "{shown}");
    let _lost = write(&south, folder.path(), "6.lost");
    let back = write(&south, folder.path(), "7.courier");
    let _taken = read_whole(&north, &back);
    assert_eq!(state(&north, &ids[0]), "deleted");
    let empty = write(&north, folder.path(), "8.courier");
    let shown = read_whole(&south, &empty);
    assert_eq!(shown["envelopes"], 0, "nothing waits any more: {shown}");
    north.log_holds();
    south.log_holds();
}

/// The frames of a file, without their lengths; the first is the manifest.
fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = file.strip_prefix(MAGIC).unwrap();
    let mut frames = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (frame, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        frames.push(frame.to_vec());
        rest = behind;
    }
    frames
}

fn file(frames: &[Vec<u8>]) -> Vec<u8> {
    let framed = frames
        .iter()
        .flat_map(|frame| [(frame.len() as u32).to_be_bytes().as_slice(), frame].concat());
    MAGIC.iter().copied().chain(framed).collect()
}

#[test]
fn files_that_somebody_changed_end_safely() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = pair(folder.path());
    let mut west = apart(folder.path(), "west", "ISL");
    introduce(&north, &west, &json!({ "document": 1_000 }));
    let route = json!({ "partner": "west", "route": "courier" });
    let _routed = north.call("partner/route", &route);
    let expected: Vec<String> = (0..5).map(|number| format!("Alarm {number}")).collect();
    expected.iter().for_each(|what| drop(send(&north, what)));
    let whole = std::fs::read(write(&north, folder.path(), "whole")).unwrap();
    let other = std::fs::read(write(&north, folder.path(), "other")).unwrap();
    let for_west = folder.path().join("for-west");
    let out = for_west.display().to_string();
    assert!(north.command(&["courier", "write", "west", "--out", &out]).status.success());
    let for_west = std::fs::read(for_west).unwrap();

    let (good, second) = (frames(&whole), frames(&other));
    assert_eq!((good.len(), file(&good) == whole), (6, true));
    let changed = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut frames = good.clone();
        change(&mut frames);
        file(&frames)
    };
    // What is wrong with each, its bytes, what is said, and how much of it is taken.
    let cases: Vec<(&str, Vec<u8>, &str, u64)> = vec![
        ("empty", Vec::new(), "no courier file", 0),
        ("only a line", MAGIC.to_vec(), "no courier file", 0),
        ("another format", [b"symbolon/2", &whole[10..]].concat(), "no courier file", 0),
        ("cut in the manifest", whole[..200].to_vec(), "no courier file", 0),
        ("for another node", for_west, "cannot be opened", 0),
        ("a manifest with a flipped byte", changed(&|it| it[0][700] ^= 1), "cannot be opened", 0),
        ("no manifest", changed(&|it| drop(it.remove(0))), "begin with a manifest", 0),
        (
            "a length beyond all bounds",
            [&whole[..MAGIC.len()], &[255; 4]].concat(),
            "no courier",
            0,
        ),
        (
            "all of another file",
            changed(&|it| it[1..].clone_from_slice(&second[1..])),
            "envelope 1",
            0,
        ),
        ("reordered", changed(&|it| it.swap(2, 3)), "envelope 2 is not", 1),
        ("one left out", changed(&|it| drop(it.remove(3))), "envelope 3 is not", 2),
        ("one repeated", changed(&|it| it.insert(3, it[2].clone())), "envelope 3 is not", 2),
        ("one of another file", changed(&|it| it[4] = second[4].clone()), "envelope 4 is not", 3),
        ("a flipped byte", changed(&|it| it[5][3000] ^= 128), "envelope 5 is not", 4),
        ("cut in an envelope", whole[..whole.len() - 1].to_vec(), "ends before its last", 4),
        ("cut between two", changed(&|it| drop(it.pop())), "ends before its last", 4),
        ("one more", changed(&|it| it.push(it[5].clone())), "goes on behind", 5),
        ("a byte more", [whole.as_slice(), &[0]].concat(), "goes on behind", 5),
    ];
    let mut there = 0;
    for (name, bytes, words, taken) in cases {
        let path = folder.path().join("changed");
        std::fs::write(&path, bytes).unwrap();
        let (shown, said, code) = read(&south, &path);
        assert!(said.contains(words), "{name}: {said}");
        assert!(matches!(code, 2 | 6), "{name}: {code}");
        assert_eq!(shown.is_null(), taken == 0 && code == 2, "{name}: {shown}");
        there = taken.max(there);
        assert_eq!(titles(&south), expected[..there as usize], "{name}");
        if code == 6 {
            assert_eq!(shown["missing"], 5 - taken, "{name}: {shown}");
            let awaited = shown["awaited"].as_u64().unwrap();
            assert_eq!((awaited, shown["ask_for"].is_null()), (there + 1, taken == 5), "{name}");
        }
    }
    // The file as it was is taken to its end, and each alert was applied once.
    let _whole = read_whole(&south, &folder.path().join("whole"));
    assert_eq!((titles(&south), received(&south)), (expected, 5));
    // Nobody else can read it, and a stranger's file is nobody's.
    let (_, said, code) = read(&west, &folder.path().join("whole"));
    assert_eq!((code, said.contains("cannot be opened")), (2, true), "{said}");
    let suspend = json!({ "partner": "north", "reason": "test" });
    let _suspended = south.call("partner/suspend", &suspend);
    assert_eq!(read(&south, &folder.path().join("whole")).2, 2);
    west.stop();
    south.log_holds();
}
