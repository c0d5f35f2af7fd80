//! A whole node as a child process on loopback, for demo and bench. None outlives this program.
//!
//! Implements spec/node.md#demo.

use std::fs::OpenOptions;
use std::io::Read;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::{Nothing, Status};
use symbolon_web::Line;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, timeout};

use crate::cli::{Init, Unlock};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::init;

/// How long a node may take to answer its first call: as long as a large store may need.
const START_SECONDS_MAX: u64 = 60;
/// How long a node may take to stop.
const STOP_SECONDS_MAX: u64 = 6;
/// Between two looks at a node that starts.
const LOOK_MS: u64 = 5;

/// One node: a data directory, a client of its API, and a process while it runs.
pub(crate) struct LoopbackNode {
    name: &'static str,
    directory: PathBuf,
    client: Client,
    child: Option<Child>,
}

impl LoopbackNode {
    /// Makes a node below `folder` on a free port, with a key file beside it, and starts it.
    /// `officer` makes the calls.
    pub(crate) async fn create(
        folder: &Path,
        name: &'static str,
        country: &str,
        officer: &str,
    ) -> Result<LoopbackNode, Failure> {
        let directory = folder.join(name);
        let bound = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = bound.map_err(|error| {
            Failure::new(Exit::Unavailable, error.to_string(), "is there a network?")
        })?;
        let unlock =
            Unlock { passphrase_file: None, key_file: Some(folder.join(format!("{name}.key"))) };
        let command = Init {
            name: name.to_owned(),
            country: country.to_owned(),
            listen: address,
            addresses: vec![address.to_string()],
            unlock,
        };
        init::init(&directory, &command, symbolon_policy::SAMPLE)?;
        let client = Client::new(&directory, officer);
        let mut node = LoopbackNode { name, directory, client, child: None };
        node.start().await?;
        Ok(node)
    }

    /// Starts the process; gives the time until its API answered.
    pub(crate) async fn start(&mut self) -> Result<Duration, Failure> {
        let internal = |error: std::io::Error| Failure::new(Exit::Internal, error.to_string(), "");
        let program = std::env::current_exe().map_err(internal)?;
        let log = self.directory.join("node.log");
        let log = OpenOptions::new().create(true).append(true).open(log).map_err(internal)?;
        let begun = Instant::now();
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
        let mut tick = interval(Duration::from_millis(LOOK_MS));
        loop {
            tick.tick().await;
            match self.call::<Status>("node/status", &Nothing {}).await {
                Ok(_) => return Ok(begun.elapsed()),
                Err(_) if begun.elapsed() < Duration::from_secs(START_SECONDS_MAX) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Ends the process at once, as a failure would.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill().await;
        }
    }

    /// Stops the process as an operator would.
    pub(crate) async fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if timeout(Duration::from_secs(STOP_SECONDS_MAX), child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Number of the process; 0 where it does not run.
    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).unwrap_or_default()
    }

    /// One call of the node's API.
    pub(crate) async fn call<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
    ) -> Result<R, Failure> {
        self.watched(call, request, &mut |_| {}).await
    }

    /// One call of the node's API, with its progress.
    pub(crate) async fn watched<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        self.client.call(&format!("/v1/{call}"), request, line).await
    }

    /// One import.
    pub(crate) async fn import<R: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        data: impl Read + Send + 'static,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        self.client.upload("/v1/record/import", request, data, line).await
    }
}
