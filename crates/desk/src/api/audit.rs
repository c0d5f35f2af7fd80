//! The log and the node's health, as people see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use symbolon_ident::KeyParts;

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
    /// Leaves whose entry was erased, as the log says.
    #[serde(default)]
    pub erased: u64,
    /// Leaves whose entry is gone although no erasure covers it; a hundred at most.
    #[serde(default)]
    pub missing: Vec<u64>,
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
    /// When; 0 where the entry is gone.
    pub at: u64,
    /// What; `gone` where the entry is erased or missing, which the summary tells.
    pub kind: String,
    /// Partner, where there is one.
    pub partner: Option<String>,
    /// Counts, classes and digests, in words.
    pub summary: String,
}

/// Asks for leaves of the log: salted commitments, nothing else.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLeaves {
    /// First leaf.
    #[serde(default)]
    pub from: u64,
    /// Leaves, 4,096 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// The export that this page belongs to, as its first page named it; without it a new one
    /// begins, and is logged.
    #[serde(default)]
    pub export: Option<u64>,
    /// Why; goes into the log.
    #[serde(default)]
    pub reason: String,
}

/// Leaves of the log, and what they are checked against.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeavesPage {
    /// Leaf data in hexadecimal, 32 bytes each, from the first asked for.
    pub leaves: Vec<String>,
    /// The export: leaf of the log that records it.
    pub export: u64,
    /// A signed checkpoint that covers them.
    pub checkpoint: String,
    /// The keys that signed it, as signed-note verifier keys.
    pub vkeys: Vec<String>,
}

/// Names a query or an exchange that an auditor wants opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditOpen {
    /// Id of the query or exchange, or of one batch of it.
    pub query: String,
    /// Why it is opened: goes into the log.
    pub reason: String,
}

/// What was asked, recomputed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditOpened {
    /// True when every batch gives the commitment in the log.
    pub holds: bool,
    /// The batches, the oldest first.
    pub queries: Vec<OpenedQuery>,
}

/// One batch put to one partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenedQuery {
    /// Id of the batch.
    pub id: String,
    /// Of whom.
    pub partner: String,
    /// Class asked about.
    pub class: String,
    /// Epoch of the key.
    pub epoch: u64,
    /// By whom.
    pub officer: String,
    /// What for.
    pub purpose: String,
    /// Under which law.
    pub legal_basis: String,
    /// In which case.
    pub case: String,
    /// When.
    pub asked_at: u64,
    /// `committed`, `answered`, `not_asked` or `out_of_budget`.
    pub state: String,
    /// Leaf of its commitment.
    pub leaf_index: Option<u64>,
    /// Blinded elements, padding included.
    pub elements: u64,
    /// What was asked about.
    pub keys: Vec<OpenedKey>,
    /// True where it was erased with its entry in the log: nothing of it is left to show.
    #[serde(default)]
    pub erased: bool,
    /// What does not hold; nothing else of the batch is shown then.
    pub problem: Option<String>,
}

/// One match key that was asked about.
#[derive(Clone, Serialize, Deserialize)]
pub struct OpenedKey {
    /// Kind in the key.
    pub kind: String,
    /// Which parts of the identifier it is made of.
    pub form: String,
    /// Issuer, if the form has one.
    pub issuer: Option<String>,
    /// Canonical value; absent where only its hash is in the key.
    pub value: Option<String>,
}

impl OpenedKey {
    pub(crate) fn new(parts: Option<KeyParts<'_>>) -> OpenedKey {
        let Some(parts) = parts else {
            let unknown = || "of another profile".to_owned();
            return OpenedKey { kind: unknown(), form: unknown(), issuer: None, value: None };
        };
        let issuer = Some(parts.expose_issuer()).filter(|issuer| !issuer.is_empty());
        OpenedKey {
            kind: parts.kind().to_string(),
            form: parts.form().to_string(),
            issuer: issuer.map(str::to_owned),
            value: parts.expose_value().map(str::to_owned),
        }
    }
}

impl std::fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedKey({}, {}, [redacted])", self.kind, self.form)
    }
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
