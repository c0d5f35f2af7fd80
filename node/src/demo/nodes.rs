//! Three nodes as child processes in a temporary folder; none outlives this program.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::{Nothing, Status};
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, timeout};

use crate::cli::{Init, Output, Unlock};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::init;

/// How long a node may take to answer its first call.
const START_SECONDS_MAX: u64 = 20;
/// How long a node may take to stop.
const STOP_SECONDS_MAX: u64 = 6;

/// Name and country of each node. The countries decide what the sample policy lets them see.
const WHO: [(&str, &str); 3] = [("north", "NOR"), ("south", "PRT"), ("east", "EST")];

/// The nodes of the demo.
pub(super) struct Nodes {
    folder: tempfile::TempDir,
    nodes: Vec<Node>,
}

/// One of them.
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) directory: PathBuf,
    client: Client,
    child: Option<Child>,
}

impl Nodes {
    /// Makes and starts all three.
    pub(super) async fn start(out: Output) -> Result<Nodes, Failure> {
        let folder = tempfile::Builder::new().prefix("symbolon-demo-").tempdir().map_err(|_| {
            Failure::invalid("no temporary folder can be made", "free some space in it")
        })?;
        let mut nodes = Nodes { folder, nodes: Vec::new() };
        out.note(
            "Three nodes, each a process of its own with its own keys, database and policy:\n",
        );
        for (name, country) in WHO {
            let directory = nodes.folder.path().join(name);
            let address = free_address()?;
            let command = Init {
                name: name.to_owned(),
                country: country.to_owned(),
                listen: address,
                addresses: vec![address.to_string()],
                unlock: Unlock {
                    passphrase_file: None,
                    key_file: Some(nodes.folder.path().join(format!("{name}.key"))),
                },
            };
            init::init(&directory, &command, symbolon_policy::SAMPLE)?;
            let client = Client::new(&directory, "demo-officer");
            let mut node = Node { name, directory, client, child: None };
            node.start().await?;
            out.note(&format!("  {name:6} {country}  {address}"));
            nodes.nodes.push(node);
        }
        Ok(nodes)
    }

    pub(super) fn node(&self, name: &str) -> Result<&Node, Failure> {
        let found = self.nodes.iter().find(|node| node.name == name);
        found.ok_or_else(|| Failure::new(Exit::Internal, "there is no such node", ""))
    }

    pub(super) fn all(&self) -> &[Node] {
        &self.nodes
    }

    /// Stops one node, as a failure would.
    pub(super) async fn kill(&mut self, name: &str) {
        for node in self.nodes.iter_mut().filter(|node| node.name == name) {
            if let Some(mut child) = node.child.take() {
                let _ = child.kill().await;
            }
        }
    }

    /// Starts a node again that was stopped.
    pub(super) async fn restart(&mut self, name: &str) -> Result<(), Failure> {
        for node in self.nodes.iter_mut().filter(|node| node.name == name) {
            node.start().await?;
        }
        Ok(())
    }

    /// What to type to talk to the nodes.
    pub(super) fn show_commands(&self, out: Output) {
        out.note("\nThe nodes go on running. In another terminal:\n");
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("symbolon"));
        for node in &self.nodes {
            let (program, data) = (program.display(), node.directory.display());
            out.note(&format!("  {program} --data {data} status"));
        }
        out.note(
            "\nTry 'hit list', 'audit show', 'policy explain RECORD PARTNER --purpose nonproliferation', \
             'doctor'.\nCtrl-C here stops the nodes and removes the folder.",
        );
    }

    /// Stops all nodes and waits for them.
    pub(super) async fn stop(mut self, _out: Output) {
        for node in &mut self.nodes {
            let Some(mut child) = node.child.take() else {
                continue;
            };
            let pid = child.id().and_then(|id| i32::try_from(id).ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            if timeout(Duration::from_secs(STOP_SECONDS_MAX), child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }
}

impl Node {
    async fn start(&mut self) -> Result<(), Failure> {
        let internal = |error: std::io::Error| Failure::new(Exit::Internal, error.to_string(), "");
        let program = std::env::current_exe().map_err(internal)?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.join("node.log"))
            .map_err(internal)?;
        let child = Command::new(program)
            .arg("--data")
            .arg(&self.directory)
            .arg("run")
            .env(crate::daemon::WITH_PARENT, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(internal)?;
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        let mut tick = interval(Duration::from_millis(25));
        loop {
            tick.tick().await;
            match self.call::<Status>("node/status", &Nothing {}).await {
                Ok(_) => return Ok(()),
                Err(_) if Instant::now() < deadline => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// One call of the node's API.
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
    ) -> Result<R, Failure> {
        self.client.call(&format!("/v1/{call}"), request, &mut |_| {}).await
    }

    /// One import.
    pub(super) async fn import<R: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        data: &'static [u8],
    ) -> Result<R, Failure> {
        self.client.upload("/v1/record/import", request, data, &mut |_| {}).await
    }
}

/// A loopback port that is free now.
fn free_address() -> Result<SocketAddr, Failure> {
    let bound = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    bound.map_err(|error| Failure::new(Exit::Unavailable, error.to_string(), "is there a network?"))
}
