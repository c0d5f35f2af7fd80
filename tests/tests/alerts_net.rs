//! Alerts both ways over a long way that loses datagrams and is cut for a while: nothing is lost,
//! nothing comes twice, and each sender's order is kept.
//!
//! Holds the program to spec/alerts.md#delivery. The nodes stand in network namespaces of their
//! own, so nothing passes but by the way between them. Delay and loss are made by a relay in user
//! space, which is the same with every kernel.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::json;
use symbolon_tests::{LongWay, Node, Weather, introduce, wait_for};

const WEATHER: Weather = Weather { delay_ms: 200, lost_of_thousand: 50 };
/// For how long the way is cut, in seconds, where `SYMBOLON_PARTITION_SECONDS` does not say.
/// A partner that owes an answer is given up after 20 silent seconds: any longer cut is the same to
/// a node, but for the wait between two attempts, which virtual time tries in the desk's own tests.
const PARTITION_SECONDS: u64 = 22;
const PATIENCE_SECONDS: u64 = 150;
const ALARMS: usize = 6;

/// Ways to a network of one's own: as anybody, then as root where nobody else may.
const SURROUNDINGS: [&[&str]; 2] =
    [&["--user", "--map-root-user", "--net", "--mount"], &["--net", "--mount"]];
const NEEDS: &str = "this test needs network namespaces: allow user namespaces \
    (sysctl user.max_user_namespaces > 0, kernel.unprivileged_userns_clone = 1 and \
    kernel.apparmor_restrict_unprivileged_userns = 0 where they exist; in a container a seccomp \
    profile that permits unshare) or run it as root with CAP_SYS_ADMIN and CAP_NET_ADMIN; it needs \
    'unshare' and 'nsenter' (util-linux), 'ip' (iproute2) and the kernel's veth";

#[test]
fn a_long_way_that_is_cut_loses_nothing() {
    let is_given = |flags: &&&[&str]| {
        let tried = Command::new("unshare").args(**flags).args(["ip", "link"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let flags = SURROUNDINGS.iter().find(is_given);
    let flags = flags.unwrap_or_else(|| panic!("{NEEDS}"));
    let this = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(*flags)
        .arg(this)
        .args(["--exact", "with_a_network_of_its_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{error}");
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; {NEEDS}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}; {NEEDS}");
}

/// A network namespace that ends with the test, and a cable from here to it.
struct Land {
    holder: Child,
    cable: String,
}

impl Land {
    /// Its end of the cable is `10.77.number.2`, the end here `10.77.number.1`.
    fn new(number: u8) -> Land {
        // It ends when its input does.
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let id = holder.id().to_string();
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        wait_for("a namespace is there", 10, || {
            let its = std::fs::read_link(format!("/proc/{id}/ns/net")).ok()?;
            (its != own).then_some(())
        });
        let (cable, far) = (format!("here{number}"), format!("there{number}"));
        run("ip", &["link", "add", &cable, "type", "veth", "peer", "name", &far]);
        run("ip", &["link", "set", &far, "netns", &id]);
        run("ip", &["addr", "add", &format!("10.77.{number}.1/24"), "dev", &cable]);
        run("ip", &["link", "set", &cable, "up"]);
        let land = Land { holder, cable };
        for arguments in [
            ["addr", "add", &format!("10.77.{number}.2/24"), "dev", &far].as_slice(),
            &["link", "set", &far, "up"],
        ] {
            run("nsenter", &[&[land.name().as_str(), "ip"], arguments].concat());
        }
        land
    }

    fn name(&self) -> String {
        format!("--net=/proc/{}/ns/net", self.holder.id())
    }

    fn start(&self, node: &mut Node) {
        node.start_under(&["nsenter", &self.name()]);
    }

    fn cut(&self) {
        run("ip", &["link", "set", &self.cable, "down"]);
    }

    fn mend(&self) {
        run("ip", &["link", "set", &self.cable, "up"]);
    }
}

impl Drop for Land {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn node(folder: &Path, name: &str, country: &str, listen: &str, card: &str) -> Node {
    let key = folder.join(format!("{name}.key")).display().to_string();
    let unlock = ["--key-file".to_owned(), key];
    Node::reached_at(folder, name, country, (address(listen), address(card)), unlock)
}

/// Accepts some alarms; their ids, in order.
fn alarms(node: &Node, from: usize) -> Vec<String> {
    let send = |number| {
        let form = json!({
            "kind": "material_out_of_control", "what": format!("{} {number}", node.name),
            "where": "NO", "when": "2026-11-20", "urgency": "flash", "tlp": "green",
        });
        let sent = node.call("alert/send", &json!({ "form": form }));
        sent["id"].as_str().unwrap().to_owned()
    };
    (from..from + ALARMS).map(send).collect()
}

/// The leaf of the recipient's log that says that an alert came in.
fn leaf_there(origin: &Node, id: &str) -> u64 {
    wait_for("an alert is delivered", PATIENCE_SECONDS, || {
        let acks = origin.call("alert/acks", &json!({ "id": id }));
        let row = acks["recipients"][0].clone();
        (row["state"] == "delivered").then(|| row["their_index"].as_u64().unwrap())
    })
}

#[test]
#[ignore = "runs inside a_long_way_that_is_cut_loses_nothing"]
fn with_a_network_of_its_own() {
    let seconds = std::env::var("SYMBOLON_PARTITION_SECONDS");
    let seconds = seconds.map_or(PARTITION_SECONDS, |text| text.parse().unwrap());
    let (north_land, south_land) = (Land::new(1), Land::new(2));
    let folder = tempfile::tempdir().unwrap();
    // Each card names the near end of the way to its node.
    let mut north = node(folder.path(), "north", "NOR", "10.77.1.2:4433", "10.77.2.1:4433");
    let mut south = node(folder.path(), "south", "PRT", "10.77.2.2:4433", "10.77.1.1:4433");
    let way = |front: &str, back: &str, target: &str| {
        LongWay::start(address(front), back.parse().unwrap(), address(target), WEATHER)
    };
    let _ways = [
        way("10.77.1.1:4433", "10.77.2.1", "10.77.2.2:4433"),
        way("10.77.2.1:4433", "10.77.1.1", "10.77.1.2:4433"),
    ];
    north_land.start(&mut north);
    south_land.start(&mut south);
    introduce(&north, &south, &json!({ "document": 1_000 }));

    let mut sent = [alarms(&north, 0), alarms(&south, 0)];
    leaf_there(&north, sent[0].last().unwrap());
    leaf_there(&south, sent[1].last().unwrap());
    // Some are on their way when the cut comes, some come into being during it.
    for (node, sent) in [&north, &south].into_iter().zip(&mut sent) {
        sent.extend(alarms(node, ALARMS));
    }
    south_land.cut();
    for (node, sent) in [&north, &south].into_iter().zip(&mut sent) {
        sent.extend(alarms(node, 2 * ALARMS));
    }
    // Nobody sends: the cut lasts for the time-out.
    let (_held, never) = channel::<()>();
    assert_eq!(never.recv_timeout(Duration::from_secs(seconds)), Err(RecvTimeoutError::Timeout));
    south_land.mend();
    for (node, sent) in [&north, &south].into_iter().zip(&mut sent) {
        sent.extend(alarms(node, 3 * ALARMS));
    }

    for ((origin, other), sent) in [(&north, &south), (&south, &north)].into_iter().zip(&sent) {
        let leaves: Vec<u64> = sent.iter().map(|id| leaf_there(origin, id)).collect();
        assert!(leaves.is_sorted_by(|one, next| one < next), "in order: {leaves:?}");
        let page = other.call("alert/list", &json!({ "direction": "received", "limit": 1000 }));
        let rows = page["alerts"].as_array().unwrap();
        let mut came: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        let mut sent: Vec<_> = sent.iter().map(String::as_str).collect();
        came.sort_unstable();
        sent.sort_unstable();
        assert_eq!(came, sent, "each once");
        origin.log_holds();
    }
}
