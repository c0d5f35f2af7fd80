//! The log and the node's health, as people see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The result of checking the whole log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditReport {
    /// True when everything holds.
    pub holds: bool,
    /// Leaves.
    pub size: u64,
    /// Root hash, recomputed from the entries.
    pub root: String,
    /// Entries by kind.
    pub entries: BTreeMap<String, u64>,
    /// The signed checkpoint over this size.
    pub checkpoint: String,
    /// What does not hold.
    pub problems: Vec<String>,
    /// By partner: size of its log that this node last verified.
    pub partners_seen: BTreeMap<String, u64>,
}

/// Asks for entries of the log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditShow {
    /// First leaf.
    #[serde(default)]
    pub from: u64,
    /// Entries, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Entries of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Leaves in all.
    pub size: u64,
}

/// One entry of the log, without contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Leaf index.
    pub index: u64,
    /// When.
    pub at: u64,
    /// What.
    pub kind: String,
    /// Partner, where there is one.
    pub partner: Option<String>,
    /// Counts, classes and digests, in words.
    pub summary: String,
}

/// The node's health.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DoctorReport {
    /// The worst of all findings.
    pub state: Health,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Well,
    /// Works, and will not for ever.
    Warning,
    /// Does not work.
    Failing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// What: `log`, `card`, `agreement`, `clock`, `partner`, ...
    pub area: String,
    /// Partner, where it is about one.
    pub partner: Option<String>,
    /// How it is.
    pub state: Health,
    /// What was found, in one line.
    pub cause: String,
    /// Whose turn it is, and to do what.
    pub remedy: Option<String>,
}
