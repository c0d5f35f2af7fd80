//! Alerts between nodes that cannot reach each other, by way of a third: once, in order, and
//! whatever that third does.
//!
//! Holds the program to spec/relay.md.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::path::Path;

use serde_json::{Value, json};
use symbolon_store::{
    RelayEntry, RelayParcel, RelayRoom, RelaySide, RelayUsage, Store, Unlock, Write,
};
use symbolon_tests::{Node, free_address, introduce, wait_for};
use symbolon_trust::NodeId;

/// North and south, whose cards name addresses at which nobody is, and east, which both reach.
struct World {
    north: Node,
    south: Node,
    east: Node,
}

impl World {
    fn new(folder: &Path, of_east: &[&str]) -> World {
        let mut north = hidden(folder, "north", "NOR");
        let mut south = hidden(folder, "south", "PRT");
        let mut east = Node::new(folder, "east", "FIN");
        east.configure("relay_for = [\"north\", \"south\"]");
        of_east.iter().for_each(|line| east.configure(line));
        for node in [&mut north, &mut south] {
            node.configure("relay_collect_seconds = 1");
            node.configure("relay_again_seconds = 2");
            node.start();
        }
        east.start();
        introduce(&north, &south, &json!({ "document": 1_000 }));
        for (node, other) in [(&north, "south"), (&south, "north")] {
            for (from, to) in [(node, &east), (&east, node)] {
                let card = from.call("partner/card", &json!({}));
                let (card, confirmed) = (&card["armored"], &card["fingerprint"]);
                let add = json!({ "card": card, "confirmed_fingerprint": confirmed });
                let _added = to.call("partner/add", &add);
            }
            let route = node.command(&["partner", "route", other, "relay:east"]);
            assert!(route.status.success(), "{}", String::from_utf8_lossy(&route.stderr));
        }
        World { north, south, east }
    }

    /// Waits until so many envelopes at least lie at east; some may be left more than once.
    fn lying(&self, count: u64) {
        wait_for(&format!("{count} envelopes lie at the relay"), 30, || {
            let status = self.east.call("node/status", &json!({}));
            (status["relayed"].as_u64()? >= count).then_some(())
        });
    }

    /// Waits until nothing lies there any more.
    fn empty(&self) {
        wait_for("nothing lies at the relay", 30, || {
            let status = self.east.call("node/status", &json!({}));
            (status["relayed"] == 0).then_some(())
        });
    }
}

/// A node whose card names an address at which nobody is.
fn hidden(folder: &Path, name: &str, country: &str) -> Node {
    let key = folder.join(format!("{name}.key")).display().to_string();
    let addresses = (free_address(), free_address());
    Node::reached_at(folder, name, country, addresses, ["--key-file".to_owned(), key])
}

/// A flash on loose material goes out at once.
fn form(what: &str) -> Value {
    json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": "flash", "tlp": "green",
    })
}

fn send(node: &Node, what: &str) -> String {
    let sent = node.call("alert/send", &json!({ "form": form(what) }));
    assert_eq!(sent["recipients"], json!(["south"]), "{sent}");
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

fn wait_titles(node: &Node, expected: &[String]) {
    wait_for("all alerts come in", 60, || (titles(node) == expected).then_some(()));
}

fn wait_state(node: &Node, id: &str, state: &str) -> Value {
    wait_for(&format!("the recipient has {state}"), 60, || {
        let acks = node.call("alert/acks", &json!({ "id": id }));
        let row = acks["recipients"].as_array()?.first()?.clone();
        (row["state"] == state).then_some(row)
    })
}

/// How many alerts a node's log says that it received.
fn received(node: &Node) -> usize {
    let page = node.call("audit/show", &json!({ "from": 0, "limit": 1_000 }));
    let is_alert = |entry: &&Value| {
        entry["kind"] == "received" && entry["summary"].as_str().unwrap().starts_with("kind 7,")
    };
    page["entries"].as_array().unwrap().iter().filter(is_alert).count()
}

#[test]
fn an_alert_lives_its_whole_life_by_way_of_a_relay_that_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path(), &[]);
    let id = send(&world.north, "Portal alarm");
    let delivered = wait_state(&world.north, &id, "delivered");
    assert!(delivered["their_index"].is_u64());
    assert_eq!(titles(&world.south), ["Portal alarm"]);

    // What was left is there after the relay's death, and what was not is left when it is back.
    world.south.stop();
    let mut changed = form("Portal alarm, false");
    changed["urgency"] = json!("flash");
    let update = json!({ "id": id, "form": changed });
    let _updated = world.north.call("alert/update", &update);
    world.lying(1);
    world.east.kill();
    let second = send(&world.north, "Second alarm");
    world.east.start();
    world.lying(2);
    world.south.start();
    wait_titles(&world.south, &["Portal alarm, false".to_owned(), "Second alarm".to_owned()]);

    let _read = world.south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    world.east.kill();
    world.east.start();
    wait_state(&world.north, &id, "read");
    wait_state(&world.north, &second, "delivered");

    let withdraw = json!({ "id": id, "reason": "resolved" });
    let _withdrawn = world.north.call("alert/withdraw", &withdraw);
    let deleted = wait_state(&world.north, &id, "deleted");
    assert!(deleted["deleted_at"].is_u64() && deleted["their_index"].is_u64());
    assert_eq!(titles(&world.south), ["", "Second alarm"]);
    world.empty();
    world.north.log_holds();
    world.south.log_holds();
    world.east.log_holds();
}

#[test]
fn a_full_relay_takes_the_rest_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path(), &["relay_envelopes_max = [3, 4]"]);
    world.south.stop();
    let expected: Vec<String> = (0..8).map(|number| format!("Alarm {number}")).collect();
    for what in &expected {
        send(&world.north, what);
    }
    world.lying(3);
    world.south.start();
    wait_titles(&world.south, &expected);
    world.south.log_holds();
}

/// What east does to all that lies there for south: as its operator could, with its key.
fn tampered(east: &mut Node, change: impl FnOnce(Vec<RelayEntry>) -> Vec<RelayEntry>) {
    const ROOM: RelayUsage = RelayUsage { count: 1_000, bytes: 1 << 30 };
    east.kill();
    let key = std::fs::read(east.directory.with_extension("key")).unwrap();
    let store = Store::open(&east.directory, &Unlock::key_file(key).unwrap(), [1; 32]).unwrap();
    let partners = store.partner_list().unwrap();
    let south: NodeId = partners.iter().find(|one| one.name == "south").unwrap().node;
    let held = store.relay_scan(&south, 0, 1 << 30, 1_000).unwrap();
    store.commit(Write::new().relay_delete_until(&south, u64::MAX)).unwrap();
    for entry in change(held) {
        let envelopes = vec![(entry.expires, entry.envelope)];
        let (sender, left_at) = (entry.sender, entry.left_at);
        let parcel = RelayParcel { recipient: south, sender, left_at, envelopes };
        let room = RelayRoom { recipient: ROOM, sender: ROOM };
        store.commit(Write::new().relay_put(parcel, room)).unwrap();
    }
    assert!(store.relay_usage(RelaySide::Recipient, &south).unwrap().bytes < 1 << 30);
    drop(store);
    east.start();
}

#[test]
fn a_relay_that_reorders_drops_repeats_and_forges_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path(), &[]);
    let mut expected = Vec::new();
    let mut kept = Vec::new();
    for round in 0..3 {
        world.south.stop();
        for number in 0..5 {
            let what = format!("Alarm {round}.{number}");
            send(&world.north, &what);
            expected.push(what);
        }
        // North is away meanwhile, so that nothing is left again.
        world.lying(5);
        world.north.stop();
        tampered(&mut world.east, |mut held| {
            let old = kept.clone();
            kept.extend(held.iter().cloned());
            match round {
                // Backwards, one twice, one of them gone.
                0 => {
                    held.reverse();
                    held.remove(2);
                    let again = held.first().unwrap().clone();
                    held.push(again);
                }
                // Everything of the past once more, before and after; these changed, one each.
                1 => {
                    for (at, entry) in held.iter_mut().enumerate() {
                        let place = entry.envelope.len() * at / 5;
                        entry.envelope[place] ^= 1;
                    }
                    held = [old.clone(), held, old].concat();
                }
                // Nothing is left of it.
                _ => held.clear(),
            }
            held
        });
        // What was tampered with lies before whatever north leaves again.
        world.south.start();
        world.north.start();
        wait_for("all alerts come in", 60, || {
            let there = titles(&world.south);
            assert!(expected.starts_with(&there), "always a beginning, in its order: {there:?}");
            (there == expected).then_some(())
        });
    }
    assert_eq!(received(&world.south), expected.len(), "each was applied once");
    world.north.log_holds();
    world.south.log_holds();
}

#[test]
fn who_is_not_named_neither_leaves_nor_collects() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path(), &[]);
    world.south.stop();
    send(&world.north, "Portal alarm");
    world.lying(1);
    // South is no longer served: what lies there stays, and nothing is added.
    world.east.stop();
    world.east.configure("relay_for = [\"north\"]");
    world.east.start();
    world.south.start();
    let refused = |node: &Node, by: &str| {
        wait_for(&format!("{by} is refused"), 60, || {
            let log = std::fs::read_to_string(node.directory.join("node.log")).unwrap();
            log.contains("There is nothing here for this partner").then_some(())
        });
    };
    for node in [&mut world.north, &mut world.south] {
        node.stop();
        node.configure("log_level = \"debug\"");
        node.start();
    }
    send(&world.north, "Second alarm");
    refused(&world.north, "north's leaving for south");
    refused(&world.south, "south's collecting");
    assert!(world.east.call("node/status", &json!({}))["relayed"].as_u64().unwrap() > 0);
    assert_eq!(titles(&world.south), [""; 0]);
}
