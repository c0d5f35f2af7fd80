//! Real nodes as child processes, made, started, killed and called. Nothing of the product inside.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::clock;
use crate::http::{Answer, post, post_until};
use crate::wait_for;

/// The purpose of every agreement here.
pub const PURPOSE: &str = "nonproliferation";

/// How the tables of these tests become records.
pub const MAPPING: &str = r#"
format = "csv"
dataset = "tests"
group = "ref"

[record]
kind = { column = "kind" }
title = { column = "title" }
narrative = { column = "narrative" }
reliability = { value = "B" }
credibility = { value = "2" }
tlp = { column = "tlp" }
source_kind = { value = "authority" }
source_description = { column = "source" }
source_reference = { column = "source" }
legal_basis = { value = "export control act" }
case_reference = { column = "ref" }
review_days = 180
expires_days = 1095

[subject]
kind = { value = "person" }
name = { column = "name" }

[identifier]
kind = { column = "id_type" }
text = { column = "id_value" }

[identifier.kinds]
passport = { kind = "passport" }
email = { kind = "email" }
imo_ship = { kind = "imo_ship" }
"#;

/// The header of a table for [`MAPPING`].
#[must_use]
pub fn columns() -> String {
    "ref,kind,title,narrative,tlp,source,name,id_type,id_value\n".to_owned()
}

/// A row of a table for [`MAPPING`]: an invented licence denial with one identifier.
#[must_use]
pub fn row(reference: &str, tlp: &str, name: &str, id_type: &str, id_value: &str) -> String {
    format!(
        "{reference},licence_denial,Refused: valves,The end user is a dairy.,{tlp},customs officer,\
         {name},{id_type},{id_value}\n"
    )
}

/// The program under test, built once; or the one that `SYMBOLON_PROGRAM` names.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(named) = std::env::var_os("SYMBOLON_PROGRAM") {
            return PathBuf::from(named);
        }
        let built = Command::new(env!("CARGO"))
            .args(["build", "-p", "symbolon", "--offline", "--quiet"])
            .current_dir(crate::root())
            .status()
            .unwrap();
        assert!(built.success(), "the program does not build");
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => PathBuf::from(target),
            None => PathBuf::from(crate::metadata()["target_directory"].as_str().unwrap()),
        };
        target.join("debug/symbolon")
    })
}

/// A loopback port that is free now.
#[must_use]
pub fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap()
}

/// One node; dies with its test.
#[derive(Debug)]
pub struct Node {
    /// Name on its card.
    pub name: String,
    /// Its folder.
    pub directory: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    unlock: [String; 2],
    child: Option<Child>,
}

impl Node {
    /// Makes a node in `folder` that opens with a key file beside its own folder.
    #[must_use]
    pub fn new(folder: &Path, name: &str, country: &str) -> Node {
        let listen = free_address();
        let key = folder.join(format!("{name}.key")).display().to_string();
        Node::reached_at(folder, name, country, (listen, listen), ["--key-file".to_owned(), key])
    }

    /// Makes a node that listens at one address and whose card names another.
    #[must_use]
    pub fn reached_at(
        folder: &Path,
        name: &str,
        country: &str,
        (listen, card): (SocketAddr, SocketAddr),
        unlock: [String; 2],
    ) -> Node {
        let directory = folder.join(name);
        let made = Command::new(program())
            .arg("--data")
            .arg(&directory)
            .args(["init", "--name", name, "--country", country])
            .args(["--listen", &listen.to_string(), "--address", &card.to_string()])
            .args(&unlock)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Node { name: name.to_owned(), directory, listen, unlock, child: None }
    }

    /// Starts it and waits until it answers.
    pub fn start(&mut self) {
        self.start_under(&[]);
    }

    /// As [`Node::start`], behind a program that changes its surroundings, such as `nsenter`.
    pub fn start_under(&mut self, wrapper: &[&str]) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.join("node.log"))
            .unwrap();
        let mut command = match wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(program());
                command
            }
            None => Command::new(program()),
        };
        let child = command
            .arg("--data")
            .arg(&self.directory)
            .arg("run")
            .args(&self.unlock)
            .env("SYMBOLON_WITH_PARENT", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let what = format!("{} starts", self.name);
        wait_for(&what, 30, || self.post("node/status", &json!({}))?.result);
    }

    /// As [`Node::start`], with a clock that is so many days ahead.
    pub fn start_later(&mut self, days: u32) {
        self.start_ahead(&format!("+{days}d"));
    }

    /// As [`Node::start`], with a clock that is ahead by so much, such as `+7m`.
    pub fn start_ahead(&mut self, shift: &str) {
        let set = clock::ahead(shift);
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        self.start_under(&[&["env"], set.as_slice()].concat());
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
            clock::sweep();
        }
    }

    /// Sends the kill and does not wait: for a moment that another thread's call is under way.
    pub fn kill_now(&self) {
        if let Some(child) = &self.child {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
        }
    }

    /// Sends the signal that asks it to stop, and does not wait.
    pub fn terminate(&self) {
        if let Some(child) = &self.child {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        }
    }

    /// Asks it to stop, and waits for it: it drains and ends well within five seconds.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            Command::new("kill").args(["-TERM", &id]).status().unwrap();
            let status = wait_for("the node stops", 5, || child.try_wait().unwrap());
            assert!(status.success(), "{}: {status}", self.name);
        }
    }

    /// One call; `None` where the node does not answer to the end.
    #[must_use]
    pub fn post(&self, call: &str, request: &Value) -> Option<Answer> {
        self.post_bytes(call, request.to_string().as_bytes())
    }

    /// Begins a call and kills the node as soon as its answer has `mark` in it: whether it had.
    #[must_use]
    pub fn kill_at(&mut self, call: &str, request: &Value, mark: &str) -> bool {
        let socket = self.directory.join("api.sock");
        let is_met = post_until(&socket, call, request.to_string().as_bytes(), mark);
        self.kill();
        is_met
    }

    /// One call with any bytes.
    #[must_use]
    pub fn post_bytes(&self, call: &str, body: &[u8]) -> Option<Answer> {
        post(&self.directory.join("api.sock"), call, body)
    }

    /// One call through another socket than the officers'.
    #[must_use]
    pub fn post_at(&self, socket: &Path, call: &str, request: &Value) -> Option<Answer> {
        post(socket, call, request.to_string().as_bytes())
    }

    /// Adds a line to the node's configuration, in place of what it says under this key; it counts
    /// from the next start on.
    pub fn configure(&self, line: &str) {
        let path = self.directory.join("symbolon.toml");
        let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let others = text.lines().filter(|one| key(one) != key(line));
        let text: String = others.map(|one| format!("{one}\n")).collect();
        std::fs::write(&path, format!("{text}{line}\n")).unwrap();
    }

    /// One call that must succeed.
    #[must_use]
    pub fn call(&self, call: &str, request: &Value) -> Value {
        let answer = self.post(call, request).unwrap();
        match answer.result {
            Some(result) => result,
            None => panic!("{call}: {}", String::from_utf8_lossy(&answer.raw)),
        }
    }

    /// One import; `None` where the node died in it.
    #[must_use]
    pub fn import(&self, table: &str) -> Option<Answer> {
        let head = json!({ "mapping": MAPPING, "name": "table" }).to_string();
        self.post_bytes("record/import", format!("{head}\n{table}").as_bytes())
    }

    /// One command of the program against this node.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.arg("--data").arg(&self.directory).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// One command at a terminal, which `script` provides, with an answer to what it asks: what it
    /// said, and its exit code. The arguments go through a shell.
    #[must_use]
    pub fn at_terminal(&self, arguments: &[&str], answer: &str) -> (String, Option<i32>) {
        let (program, data) = (program().display(), self.directory.display());
        let command = format!("{program} --data {data} {}", arguments.join(" "));
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }

    /// Asks all partners about one identifier; the first answer.
    #[must_use]
    pub fn ask(&self, kind: &str, text: &str) -> Value {
        let report = self.call(
            "query/ask",
            &json!({
                "identifiers": [{ "kind": kind, "text": text }],
                "reason": { "purpose": PURPOSE, "case": "T-1" },
            }),
        );
        report["identifiers"][0]["answers"][0].clone()
    }

    /// The log checked from end to end; its size.
    pub fn log_holds(&self) -> u64 {
        let report = self.call("audit/verify", &json!({}));
        assert_eq!(report["holds"], true, "{}: {}", self.name, report["problems"]);
        report["size"].as_u64().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            clock::sweep();
        }
    }
}

/// Two nodes that run, north and south, and have agreed on these budgets.
#[must_use]
pub fn neighbours(folder: &Path, budgets: &Value) -> (Node, Node) {
    let mut north = Node::new(folder, "north", "NOR");
    let mut south = Node::new(folder, "south", "PRT");
    north.start();
    south.start();
    introduce(&north, &south, budgets);
    (north, south)
}

/// An agreement on drills between two that are introduced.
pub fn agree_on_drills(one: &Node, other: &Node, budgets: &Value) {
    let propose = json!({
        "partner": other.name, "purposes": [PURPOSE], "budgets": budgets,
        "epoch_seconds": 7 * 86_400, "retention_days": 365, "days": 365, "exercise": true,
    });
    agree(one, other, &propose);
}

/// Cards both ways, and an agreement that both sign, with these budgets.
pub fn introduce(one: &Node, other: &Node, budgets: &Value) {
    for (from, to) in [(one, other), (other, one)] {
        let card = from.call("partner/card", &json!({}));
        let add = json!({ "card": card["armored"], "confirmed_fingerprint": card["fingerprint"] });
        let _shown = to.call("partner/add", &add);
    }
    let propose = json!({
        "partner": other.name, "purposes": [PURPOSE], "budgets": budgets,
        "epoch_seconds": 7 * 86_400, "retention_days": 365, "days": 365,
    });
    agree(one, other, &propose);
}

fn agree(one: &Node, other: &Node, propose: &Value) {
    let mut file = one.call("partner/agree", propose);
    for node in [other, one] {
        let accept =
            json!({ "armored": file["armored"], "confirmed_digest": file["terms"]["digest"] });
        file = node.call("partner/accept", &accept);
    }
}
