//! A hotline's machine: its files, its program, and a gate on its way to the node. Nothing of the
//! product inside.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_trust::armor;

use crate::{Https, Node, program};

const ARMOR: &str = "enrolment";

/// The machine of one hotline.
#[derive(Debug)]
pub struct HotlineClient {
    /// Its enrolment file.
    pub enrolment: PathBuf,
    /// Where the node's door is.
    pub door: SocketAddr,
}

impl HotlineClient {
    /// Gives `node`, which does not run yet, a door for hotlines.
    pub fn door(node: &Node) -> SocketAddr {
        let door = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        node.configure(&format!("hotline_listen = \"{door}\""));
        door
    }

    /// Enrols a hotline at a node that runs, with further arguments of `hotline add`.
    #[must_use]
    pub fn enrol(node: &Node, door: SocketAddr, name: &str, more: &[&str]) -> HotlineClient {
        let enrolment = node.directory.with_file_name(format!("{name}.enrolment"));
        let place = enrolment.display().to_string();
        let added = node.command(&[&["hotline", "add", name, "--output", &place], more].concat());
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        HotlineClient { enrolment, door }
    }

    /// What the enrolment file says.
    #[must_use]
    pub fn file(&self) -> Value {
        let text = std::fs::read_to_string(&self.enrolment).unwrap();
        serde_json::from_slice(&armor::unwrap(ARMOR, &text).unwrap()).unwrap()
    }

    /// A second machine whose file says something else.
    #[must_use]
    pub fn changed(&self, name: &str, change: impl FnOnce(&mut Value)) -> HotlineClient {
        let mut file = self.file();
        change(&mut file);
        let enrolment = self.enrolment.with_file_name(format!("{name}.changed"));
        std::fs::write(&enrolment, armor::wrap(ARMOR, file.to_string().as_bytes())).unwrap();
        HotlineClient { enrolment, door: self.door }
    }

    /// Another program than the product's for the same hotline.
    #[must_use]
    pub fn https(&self) -> Https {
        let file = self.file();
        let pin = hex::decode(file["pins"][0].as_str().unwrap()).unwrap();
        let token = file["token"].as_str().map(str::to_owned);
        Https::classical(self.door, pin.try_into().unwrap(), token)
    }

    /// The program with this enrolment, ready to run. It has no node's folder.
    #[must_use]
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        let nowhere = self.enrolment.with_file_name("no-node");
        command.arg("--data").arg(nowhere).args(arguments).arg("--enrolment").arg(&self.enrolment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// The folder of its spool.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        let mut name = self.enrolment.clone().into_os_string();
        name.push(".spool");
        PathBuf::from(name)
    }

    /// Files of the spool with this ending, in order of their names.
    #[must_use]
    pub fn spooled(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.spool()).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        let is_one = |path: &PathBuf| {
            let is_hidden = path.file_name().unwrap().to_string_lossy().starts_with('.');
            !is_hidden && path.extension().is_some_and(|found| found == ending)
        };
        let mut paths: Vec<PathBuf> = paths.filter(is_one).collect();
        paths.sort();
        paths
    }

    /// A form with the five fields.
    #[must_use]
    pub fn form(what: &str) -> Value {
        json!({
            "kind": "material_out_of_control", "what": what, "where": "unknown",
            "when": "2026-11-22", "urgency": "urgent",
        })
    }

    /// The flags of `alert send` for such a form.
    #[must_use]
    pub fn flags(what: &str) -> Vec<String> {
        let form = HotlineClient::form(what);
        let mut flags = vec!["alert".to_owned(), "send".to_owned()];
        for (field, value) in form.as_object().unwrap() {
            flags.extend([format!("--{field}"), value.as_str().unwrap().to_owned()]);
        }
        flags
    }
}

/// Where a gate stops what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Hold {
    /// Nowhere.
    Nothing = 0,
    /// Connections are taken and nothing is passed on.
    Everything = 1,
    /// The client's bytes pass; of the node's, those of the handshake, and no answer.
    Answers = 2,
}

/// A relay of TCP before a door, which the test opens and shuts.
#[derive(Debug)]
pub struct Gate {
    /// Where to call.
    pub address: SocketAddr,
    hold: Arc<AtomicU8>,
    asked: Arc<(Mutex<usize>, Condvar)>,
}

/// TLS records of application data that a node sends before its first answer: those of its
/// handshake, encrypted, which are all in its first flight.
const RECORD_APPLICATION_DATA: u8 = 23;

impl Gate {
    /// Passes on to `door`.
    #[must_use]
    pub fn start(door: SocketAddr) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let hold = Arc::new(AtomicU8::new(Hold::Nothing as u8));
        let asked = Arc::new((Mutex::new(0), Condvar::new()));
        let (held, counted) = (Arc::clone(&hold), Arc::clone(&asked));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(node)) = (client, TcpStream::connect(door)) else { continue };
                let (held, counted) = (Arc::clone(&held), Arc::clone(&counted));
                std::thread::spawn(move || pass(client, node, &held, &counted));
            }
        });
        Gate { address, hold, asked }
    }

    /// Holds from now on.
    pub fn hold(&self, hold: Hold) {
        self.hold.store(hold as u8, Ordering::SeqCst);
    }

    /// How many calls the node has answered so far, passed on or not.
    #[must_use]
    pub fn answers(&self) -> usize {
        *self.asked.0.lock().unwrap()
    }

    /// Waits until the node has answered `count` calls, passed on or not.
    pub fn answered(&self, count: usize) {
        let (asked, changed) = &*self.asked;
        let mut asked = asked.lock().unwrap();
        while *asked < count {
            let (now, timed_out) = changed.wait_timeout(asked, Duration::from_secs(30)).unwrap();
            asked = now;
            assert!(!timed_out.timed_out(), "{} of {count} answers", *asked);
        }
    }
}

/// A client's first flight ends with its request, so what a node sends after the client's second
/// write is an answer.
fn pass(
    client: TcpStream,
    node: TcpStream,
    hold: &Arc<AtomicU8>,
    asked: &Arc<(Mutex<usize>, Condvar)>,
) {
    let is = |what: Hold| hold.load(Ordering::SeqCst) == what as u8;
    if is(Hold::Everything) {
        // Until the client gives up or dies.
        let _ = (&client).read_to_end(&mut Vec::new());
        return;
    }
    let (mut from_client, mut to_node) = (client.try_clone().unwrap(), node.try_clone().unwrap());
    let inward = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_node);
        let _ = to_node.shutdown(Shutdown::Both);
    });
    let (mut from_node, mut to_client) = (node, client);
    let mut buffer = vec![0; 64 * 1024];
    let mut flights = 0;
    while let Ok(count) = from_node.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        flights += 1;
        // The handshake is one flight of the node; it ends before the client asks.
        let is_answer = flights > 1 && bytes.first() == Some(&RECORD_APPLICATION_DATA);
        if is_answer {
            *asked.0.lock().unwrap() += 1;
            asked.1.notify_all();
        }
        if !(is_answer && is(Hold::Answers)) && to_client.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = inward.join();
}
