//! Two nodes as child processes: one that holds the large store, one that asks. None outlives this
//! program.

use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::{
    AgreementAccept, AgreementFile, AgreementPropose, CardShown, Nothing, PartnerAdd, PartnerShown,
    Status,
};
use symbolon_web::Line;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use super::meter::{self, Memory, Watch};
use crate::cli::{Init, Output, Unlock};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::init;

/// How long a node may take to answer its first call.
const START_SECONDS_MAX: u64 = 60;
/// How long a node may take to stop.
const STOP_SECONDS_MAX: u64 = 6;
/// Elements that one may ask the other in an epoch.
const BUDGET: u64 = 1_000_000;

pub(super) const PURPOSE: &str = "nonproliferation";

/// Tells a person what is being done.
pub(super) fn say(out: Output, text: &str) {
    if !out.is_json() {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// The holder of the large store, and the one that asks it.
pub(super) struct Pair {
    pub(super) holder: Node,
    pub(super) asker: Node,
}

/// A node of the measurement.
pub(super) struct Node {
    name: &'static str,
    directory: PathBuf,
    client: Client,
    child: Option<Child>,
}

impl Pair {
    pub(super) async fn start(folder: &Path) -> Result<Pair, Failure> {
        Ok(Pair {
            holder: Node::create(folder, "holder", "NOR").await?,
            asker: Node::create(folder, "asker", "PRT").await?,
        })
    }

    /// Cards both ways, and an agreement on documents.
    pub(super) async fn introduce(&self) -> Result<(), Failure> {
        for (from, to) in [(&self.holder, &self.asker), (&self.asker, &self.holder)] {
            let card: CardShown = from.call("partner/card", &Nothing {}).await?;
            let add =
                PartnerAdd { card: card.armored, confirmed_fingerprint: Some(card.fingerprint) };
            let _: PartnerShown = to.call("partner/add", &add).await?;
        }
        let propose = AgreementPropose {
            partner: self.holder.name.to_owned(),
            purposes: vec![PURPOSE.to_owned()],
            kinds: Vec::new(),
            budgets: [("document".to_owned(), BUDGET)].into_iter().collect(),
            epoch_seconds: 7 * 86_400,
            retention_days: 365,
            days: 365,
        };
        let mut file: AgreementFile = self.asker.call("partner/agree", &propose).await?;
        for node in [&self.holder, &self.asker] {
            let confirmed_digest = Some(file.terms.digest);
            let accept = AgreementAccept { armored: file.armored, confirmed_digest };
            file = node.call("partner/accept", &accept).await?;
        }
        Ok(())
    }

    /// Stops both and waits for them.
    pub(super) async fn stop(mut self) {
        self.asker.stop().await;
        self.holder.stop().await;
    }
}

impl Node {
    async fn create(folder: &Path, name: &'static str, country: &str) -> Result<Node, Failure> {
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
        let client = Client::new(&directory, "bench");
        let mut node = Node { name, directory, client, child: None };
        node.start().await?;
        Ok(node)
    }

    /// Starts the process; gives the milliseconds until its API answered.
    pub(super) async fn start(&mut self) -> Result<f64, Failure> {
        let internal = |error: std::io::Error| Failure::new(Exit::Internal, error.to_string(), "");
        let program = std::env::current_exe().map_err(internal)?;
        let log = std::fs::File::create(self.directory.join("node.log")).map_err(internal)?;
        let watch = Watch::start();
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
        let mut tick = interval(Duration::from_millis(5));
        loop {
            tick.tick().await;
            match self.call::<Status>("node/status", &Nothing {}).await {
                Ok(_) => return Ok(watch.ms()),
                Err(_) if watch.elapsed() < Duration::from_secs(START_SECONDS_MAX) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Stops the process as an operator would.
    pub(super) async fn stop(&mut self) {
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

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Number of the process; 0 where it does not run.
    pub(super) fn process(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).unwrap_or_default()
    }

    pub(super) fn memory(&self) -> Memory {
        meter::memory(self.process())
    }

    /// One call of the node's API.
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
    ) -> Result<R, Failure> {
        self.watched(call, request, &mut |_| {}).await
    }

    /// One call of the node's API, with its progress.
    pub(super) async fn watched<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        self.client.call(&format!("/v1/{call}"), request, line).await
    }

    /// One import.
    pub(super) async fn import<R: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        data: impl std::io::Read + Send + 'static,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        self.client.upload("/v1/record/import", request, data, line).await
    }
}
