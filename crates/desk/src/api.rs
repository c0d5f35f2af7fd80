//! What the desk takes and gives, as the JSON API and the command line show it. No decisions here.
//!
//! Requests refuse unknown fields. Times are Unix seconds (UTC); digests and ids are hexadecimal
//! or UUID text. Values that identify a person stand only where an officer asked for them.

mod alert;
mod audit;
mod courier;
mod evidence;
mod hotline;
mod matching;
mod oversight;
mod partner;
mod policy;
mod record;
mod watch;
mod witness;

pub use alert::*;
pub use audit::*;
pub use courier::*;
pub use evidence::*;
pub use hotline::*;
pub use matching::*;
pub use oversight::*;
pub use partner::*;
pub use policy::*;
pub use record::*;
pub use watch::*;
pub use witness::*;

use serde::{Deserialize, Serialize};

/// An empty request.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// One step of a long piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in a few words.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in all, where known.
    pub total: Option<u64>,
}

/// Receives progress; called often, so cheap.
pub trait Report {
    /// Work has advanced.
    fn progress(&mut self, stage: &str, done: u64, total: Option<u64>);
    /// One row of input was refused or taken with a warning.
    fn row(&mut self, problem: RowProblem);
}

/// Drops every report.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Report for Quiet {
    fn progress(&mut self, _stage: &str, _done: u64, _total: Option<u64>) {}
    fn row(&mut self, _problem: RowProblem) {}
}

/// The node in a few lines.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Name on the node's card.
    pub name: String,
    /// Country on the node's card.
    pub country: String,
    /// Root fingerprint.
    pub fingerprint: String,
    /// Records held.
    pub records: u64,
    /// Partners known.
    pub partners: u64,
    /// Envelopes that lie here for partners that others cannot reach.
    #[serde(default)]
    pub relayed: u64,
    /// Leaves in the log.
    pub log_size: u64,
    /// Digest of the policy in force.
    pub policy_digest: String,
    /// Canonicalisation profile.
    pub profile: String,
    /// Version of the software.
    pub version: String,
}
