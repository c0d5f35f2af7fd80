//! `symbolon.toml`: one structure that refuses unknown keys; holds no secret.
//!
//! Implements spec/node.md#configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use symbolon_desk::limits::{AGAIN_SECONDS, RELAY_RECIPIENT_ROOM, RELAY_SENDER_ROOM};
use symbolon_desk::{AlertClocks, RelayTerms};

/// Name of the file in the data directory.
pub(crate) const FILE_NAME: &str = "symbolon.toml";

/// The configuration of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where partners reach this node: UDP.
    pub(crate) listen: SocketAddr,
    /// File with the key that opens the data directory; without it a passphrase is asked for.
    pub(crate) key_file: Option<PathBuf>,
    /// The policy, relative to the data directory.
    pub(crate) policy_file: PathBuf,
    /// How often new match keys are published to partners, in seconds.
    pub(crate) publish_interval_seconds: u64,
    /// How often the log gets heartbeat leaves and a checkpoint that partners cosign, in seconds.
    #[serde(default = "checkpoint_interval_seconds")]
    pub(crate) checkpoint_interval_seconds: u64,
    /// Threads for elliptic-curve work; 0 for one per core.
    pub(crate) workers: usize,
    /// Items of one partition of a bulk match, padding included; less takes less memory and more
    /// time. Absent, as many as a partition may have.
    pub(crate) bulk_partition_items: Option<u64>,
    /// Where auditors reach this node: a socket in a folder whose group may open it. Absent, there
    /// is no such door.
    pub(crate) auditor_socket: Option<PathBuf>,
    /// Where hotlines reach this node: TCP, HTTPS. Absent, there is no such door.
    pub(crate) hotline_listen: Option<SocketAddr>,
    /// What enrolment files say about where that is, `https://host:port`; `hotline_listen` itself
    /// where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hotline_urls: Vec<String>,
    /// Days for which entries of the log are kept; absent, nothing is erased by itself.
    pub(crate) log_retention_days: Option<u32>,
    /// By when a recipient must have read an alert, in seconds: flash, urgent, routine.
    #[serde(default = "alert_read_seconds")]
    pub(crate) alert_read_seconds: [u64; 3],
    /// By when it must have acted on it, in seconds: flash, urgent, routine.
    #[serde(default = "alert_act_seconds")]
    pub(crate) alert_act_seconds: [u64; 3],
    /// Names of partners for whom this node is a relay; none, and it is none.
    #[serde(default)]
    pub(crate) relay_for: Vec<String>,
    /// Envelopes that may lie here: of one sender, for one recipient.
    #[serde(default = "relay_envelopes_max")]
    pub(crate) relay_envelopes_max: [u64; 2],
    /// Bytes that may lie here: of one sender, for one recipient.
    #[serde(default = "relay_bytes_max")]
    pub(crate) relay_bytes_max: [u64; 2],
    /// Names of relays that are asked for envelopes, beside those that routes name.
    #[serde(default)]
    pub(crate) relays: Vec<String>,
    /// How often a relay is asked, in seconds.
    #[serde(default = "relay_collect_seconds")]
    pub(crate) relay_collect_seconds: u64,
    /// After so many seconds without an acknowledgement what was left at a relay is left again.
    #[serde(default = "relay_again_seconds")]
    pub(crate) relay_again_seconds: u64,
    /// Where notices of watch rules are appended as JSON lines.
    pub(crate) notice_lines_file: Option<PathBuf>,
    /// The socket of the system's log that notices go to, such as `/dev/log`.
    pub(crate) notice_syslog_socket: Option<PathBuf>,
    /// Hosts that webhooks may be at, as they stand in their addresses: `host` or `host:port`; with
    /// none there are no webhooks.
    #[serde(default)]
    pub(crate) notice_hosts: Vec<String>,
    /// Roots (PEM) that the certificates of webhooks must lead to; absent, those of the system.
    pub(crate) notice_roots_file: Option<PathBuf>,
    /// What is written to standard error: `error`, `warn`, `info` or `debug`.
    pub(crate) log_level: LogLevel,
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Only what failed.
    Error,
    /// What may fail soon, too.
    Warn,
    /// Starts, stops and connections, too.
    Info,
    /// Every request, too.
    Debug,
}

/// Why the configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// There is no such file.
    #[error("there is no node in {0}: run 'symbolon init' first, or name its folder with --data")]
    Missing(PathBuf),
    /// It could not be read or written.
    #[error("{0} cannot be read or written")]
    File(PathBuf, #[source] std::io::Error),
    /// It is not what it should be.
    #[error("{0}: {1}; correct the file and start again")]
    Parse(PathBuf, String),
}

impl Config {
    /// What `init` writes.
    pub(crate) fn new(listen: SocketAddr, key_file: Option<PathBuf>) -> Config {
        Config {
            listen,
            key_file,
            policy_file: PathBuf::from("policy.cedar"),
            publish_interval_seconds: 3600,
            checkpoint_interval_seconds: checkpoint_interval_seconds(),
            workers: 0,
            bulk_partition_items: None,
            auditor_socket: None,
            hotline_listen: None,
            hotline_urls: Vec::new(),
            log_retention_days: None,
            alert_read_seconds: alert_read_seconds(),
            alert_act_seconds: alert_act_seconds(),
            relay_for: Vec::new(),
            relay_envelopes_max: relay_envelopes_max(),
            relay_bytes_max: relay_bytes_max(),
            relays: Vec::new(),
            relay_collect_seconds: relay_collect_seconds(),
            relay_again_seconds: relay_again_seconds(),
            notice_lines_file: None,
            notice_syslog_socket: None,
            notice_hosts: Vec::new(),
            notice_roots_file: None,
            log_level: LogLevel::Info,
        }
    }

    /// Reads the file in `directory`.
    pub(crate) fn load(directory: &Path) -> Result<Config, ConfigError> {
        let path = directory.join(FILE_NAME);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing(directory.to_path_buf()),
            _ => ConfigError::File(path.clone(), error),
        })?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text.get(..span.start).map_or(0, lines));
            ConfigError::Parse(path, format!("line {}: {}", line + 1, error.message()))
        })
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!(
            "# Configuration of a Symbolon node. Unknown keys are refused. No secrets here.\n{body}"
        )
    }

    /// The clocks of alerts.
    pub(crate) fn alert_clocks(&self) -> AlertClocks {
        AlertClocks { read_seconds: self.alert_read_seconds, act_seconds: self.alert_act_seconds }
    }

    /// For whom this node is a relay, where it is one.
    pub(crate) fn relay_terms(&self) -> Option<RelayTerms> {
        let ([of_count, for_count], [of_bytes, for_bytes]) =
            (self.relay_envelopes_max, self.relay_bytes_max);
        (!self.relay_for.is_empty()).then(|| RelayTerms {
            names: self.relay_for.clone(),
            sender: [of_count, of_bytes],
            recipient: [for_count, for_bytes],
        })
    }

    /// Threads for elliptic-curve work.
    pub(crate) fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }
}

/// What a file from before this key means.
const fn checkpoint_interval_seconds() -> u64 {
    300
}

const fn relay_envelopes_max() -> [u64; 2] {
    let ([of, _], [to, _]) = (RELAY_SENDER_ROOM, RELAY_RECIPIENT_ROOM);
    [of, to]
}

const fn relay_bytes_max() -> [u64; 2] {
    let ([_, of], [_, to]) = (RELAY_SENDER_ROOM, RELAY_RECIPIENT_ROOM);
    [of, to]
}

const fn relay_collect_seconds() -> u64 {
    10
}

const fn relay_again_seconds() -> u64 {
    AGAIN_SECONDS
}

fn alert_read_seconds() -> [u64; 3] {
    AlertClocks::default().read_seconds
}

fn alert_act_seconds() -> [u64; 3] {
    AlertClocks::default().act_seconds
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_unknown_keys() {
        let config = Config::new("127.0.0.1:4433".parse().unwrap(), None);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        std::fs::write(&path, config.to_text()).unwrap();
        assert_eq!(Config::load(directory.path()).unwrap(), config);

        std::fs::write(&path, config.to_text() + "\npasword = \"x\"\n").unwrap();
        let error = Config::load(directory.path()).unwrap_err().to_string();
        assert!(error.contains("unknown field `pasword`") && error.contains("line "), "{error}");
        assert!(matches!(
            Config::load(&directory.path().join("none")),
            Err(ConfigError::Missing(_))
        ));
    }
}
