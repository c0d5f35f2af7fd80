//! Notices leave the node: to webhooks, the system's log, a file of JSON lines. Decides nothing.
//!
//! Implements spec/watch.md#notices.
//!
//! Invariants: nothing of an alert's content is known here; whatever answers slowly or not at all
//! holds one of [`UNDER_WAY_MAX`] places for [`DEADLINE`] at most.

#[cfg(test)]
mod tests;
mod webhook;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use symbolon_desk::{Desk, DeskError, NoticeDue, NoticeLine, Target};
use tokio::net::UnixDatagram;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{interval, timeout};

use crate::config::Config;
use crate::exit::Failure;
use webhook::Webhooks;

/// How often it is looked for notices that are due.
const LOOK: Duration = Duration::from_secs(1);
/// What one notice may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Notices that are being sent at the same time.
const UNDER_WAY_MAX: usize = 8;
/// RFC 5424 §6.2.1: facility 16 (local0) times eight, and the severity.
const ALERT: u8 = 16 * 8 + 1;
const NOTICE: u8 = 16 * 8 + 5;

/// Why a notice did not leave. Never holds an address: an officer may have put a secret there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotifyError {
    /// The configuration says nothing of this kind of target.
    #[error("the configuration names no place for such notices: set {0}")]
    Unset(&'static str),
    /// The rule was kept when the configuration still named its host.
    #[error("the configuration does not name the webhook's host in notice_hosts")]
    Unnamed,
    /// There is no such host, or it did not answer.
    #[error("the webhook could not be reached")]
    Unreachable,
    /// Without TLS a notice stays on this machine.
    #[error("the webhook has no TLS and is not this machine")]
    NotHere,
    /// The certificate does not lead to a trusted root, or is for another name.
    #[error("the webhook's TLS certificate was refused, or its handshake failed")]
    Tls,
    /// It answered something else than yes.
    #[error("the webhook answered with status {0}")]
    Status(u16),
    /// It took too long.
    #[error("it took longer than {} seconds", DEADLINE.as_secs())]
    Late,
    /// The operating system refused.
    #[error("could not {0}")]
    Io(&'static str, #[source] std::io::Error),
}

/// Where notices go.
pub(crate) struct Notifier {
    webhooks: Webhooks,
    hosts: Vec<String>,
    syslog: Option<PathBuf>,
    lines: Option<PathBuf>,
}

impl Notifier {
    /// Reads what the configuration names; relative places are in `directory`.
    pub(crate) fn new(directory: &Path, config: &Config) -> Result<Notifier, Failure> {
        let place = |path: &Option<PathBuf>| path.as_ref().map(|path| directory.join(path));
        Ok(Notifier {
            webhooks: Webhooks::new(place(&config.notice_roots_file).as_deref())?,
            hosts: config.notice_hosts.clone(),
            syslog: place(&config.notice_syslog_socket),
            lines: place(&config.notice_lines_file),
        })
    }

    async fn send(&self, due: &NoticeDue) -> Result<(), NotifyError> {
        let body = body(&due.line);
        let sent = async {
            match &due.target {
                Target::Inbox => Ok(()),
                Target::Webhook(_) if !due.target.is_at(&self.hosts) => Err(NotifyError::Unnamed),
                Target::Webhook(address) => self.webhooks.post(address, body).await,
                Target::Syslog => {
                    let unset = NotifyError::Unset("notice_syslog_socket");
                    let socket = self.syslog.as_deref().ok_or(unset)?;
                    datagram(socket, &syslog_line(&due.line, &body)).await
                }
                Target::Lines => {
                    let unset = NotifyError::Unset("notice_lines_file");
                    let path = self.lines.clone().ok_or(unset)?;
                    let appended = spawn_blocking(move || append(&path, &body)).await;
                    let ended =
                        |_| NotifyError::Io("append a line", std::io::Error::other("ended"));
                    appended.map_err(ended)?
                }
            }
        };
        timeout(DEADLINE, sent).await.unwrap_or(Err(NotifyError::Late))
    }
}

/// Sends what is due, until the task is aborted. A notice that was under way then is sent again.
pub(crate) async fn notify(desk: Arc<Desk>, notifier: Notifier) {
    let notifier = Arc::new(notifier);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let asked = Arc::clone(&desk);
        match spawn_blocking(move || asked.notices_due()).await {
            Ok(Ok(due)) => round(&desk, &notifier, due).await,
            Ok(Err(error)) => tracing::error!(%error, "notices cannot be read"),
            Err(_) => tracing::error!("reading notices ended unexpectedly"),
        }
    }
}

/// One round: what stays on this machine first, so that it never waits for a network.
async fn round(desk: &Arc<Desk>, notifier: &Arc<Notifier>, mut due: Vec<NoticeDue>) {
    due.sort_by_key(|due| matches!(due.target, Target::Webhook(_)));
    let mut under_way = JoinSet::new();
    for due in due {
        if under_way.len() == UNDER_WAY_MAX {
            let _ = under_way.join_next().await;
        }
        let (desk, notifier) = (Arc::clone(desk), Arc::clone(notifier));
        under_way.spawn(async move {
            let sent = notifier.send(&due).await;
            if let Err(error) = &sent {
                let cause = crate::wiring::chain(error);
                tracing::warn!(notice = %due.id, %cause, "a notice could not be sent");
            }
            let kept = move || match sent {
                Ok(()) => desk.notice_sent(due.id),
                Err(_) => desk.notice_failed(due.id),
            };
            let kept: Result<Result<(), DeskError>, _> = spawn_blocking(kept).await;
            if !matches!(kept, Ok(Ok(()))) {
                tracing::error!("what became of a notice could not be kept");
            }
        });
    }
    while under_way.join_next().await.is_some() {}
}

/// The notice as JSON: five facts and no content.
fn body(line: &NoticeLine) -> String {
    json!({
        "rule": line.rule,
        "alert": line.alert,
        "class": line.class,
        "exercise": line.exercise,
        "time": utc(line.at),
    })
    .to_string()
}

/// RFC 5424 §6: header, no structured data, the notice as JSON.
fn syslog_line(line: &NoticeLine, body: &str) -> String {
    let priority = if line.class == "flash" && !line.exercise { ALERT } else { NOTICE };
    let process = std::process::id();
    format!("<{priority}>1 {} - symbolon {process} notice - {body}", utc(line.at))
}

fn utc(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.unwrap_or_default().to_string()
}

async fn datagram(socket: &Path, line: &str) -> Result<(), NotifyError> {
    let io = |error| NotifyError::Io("write to the syslog socket", error);
    let own = UnixDatagram::unbound().map_err(io)?;
    own.send_to(line.as_bytes(), socket).await.map_err(io)?;
    Ok(())
}

fn append(path: &Path, body: &str) -> Result<(), NotifyError> {
    let io = |error| NotifyError::Io("append to the file of notices", error);
    let opened = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let mut file = opened.map_err(io)?;
    // One write, so that two lines never mix.
    file.write_all(format!("{body}\n").as_bytes()).map_err(io)?;
    file.sync_data().map_err(io)
}
