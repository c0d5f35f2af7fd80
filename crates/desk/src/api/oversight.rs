//! Openings for auditors, erasures and counts, as people see them.

use serde::{Deserialize, Serialize};

/// Opens a query to an auditor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditGrant {
    /// Id of the query or exchange, or of one batch of it.
    pub query: String,
    /// The auditor's name.
    pub to: String,
    /// Why; goes into the log.
    pub reason: String,
    /// For how many days; seven if not said.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Ends an opening.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRevoke {
    /// Id of the query, as it was opened.
    pub query: String,
    /// The auditor's name.
    pub from: String,
    /// Why; goes into the log.
    pub reason: String,
}

/// An opening.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantShown {
    /// Id of what is opened.
    pub query: String,
    /// To whom, as the log names it.
    pub auditor: String,
    /// Until when.
    pub until: u64,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// False once it is over.
    pub in_force: bool,
}

/// Erases the entries of the log from before a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditErase {
    /// Unix seconds.
    pub before: u64,
    /// Why; goes into the log.
    pub reason: String,
    /// Without it they are only counted.
    #[serde(default)]
    pub confirmed: bool,
}

/// What an erasure came to, or would come to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErasureShown {
    /// Entries that lose their salt and body.
    pub entries: u64,
    /// Queries that lost what they asked.
    pub queries: u64,
    /// Leaves of the log, which all stay.
    pub log_size: u64,
}

/// Asks for numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditCounts {
    /// From this time on.
    #[serde(default)]
    pub from: Option<u64>,
    /// Before this time.
    #[serde(default)]
    pub to: Option<u64>,
}

/// What happened, as numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CountsShown {
    /// Leaves of the log, of all times.
    pub log_size: u64,
    /// Leaves whose entry is erased, of all times: they are not among the entries.
    pub erased: u64,
    /// Entries of the log, by partner and kind.
    pub entries: Vec<CountRow>,
    /// Hits by partner and state, by the time they were found.
    pub hits: Vec<CountRow>,
    /// Signed statements by partner, sent and received.
    pub statements: Vec<CountRow>,
    /// Records held now.
    pub records: u64,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRow {
    /// Partner, where there is one.
    pub partner: Option<String>,
    /// Of what.
    pub what: String,
    /// How many.
    pub count: u64,
}
