//! Cosigning, alarms, receipts and reconciling, as people see them.

use serde::{Deserialize, Serialize};

/// Asks for alarms.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmsShow {
    /// The closed ones as well.
    #[serde(default)]
    pub closed: bool,
}

/// Closes an alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmClose {
    /// Id.
    pub id: String,
    /// Why: goes into the log.
    pub reason: String,
}

/// Alarms, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alarms {
    /// The alarms.
    pub alarms: Vec<AlarmShown>,
}

/// One alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmShown {
    /// Id.
    pub id: String,
    /// `split_view` or `own_log_refused`.
    pub kind: String,
    /// Partner that it is about.
    pub partner: Option<String>,
    /// When it was raised.
    pub raised_at: u64,
    /// What happened.
    pub words: String,
    /// What to do.
    pub remedy: String,
    /// What proves it to others (spec/log.md#split-views).
    pub proof: Option<String>,
    /// When it was closed.
    pub closed_at: Option<u64>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Why.
    pub closed_because: Option<String>,
}

/// Asks partners to cosign the own log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignRequest {
    /// Partners; all if none is named.
    #[serde(default)]
    pub partners: Vec<String>,
}

/// The newest checkpoint, and who cosigned it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CosignReport {
    /// Leaves.
    pub size: u64,
    /// The signed checkpoint with its cosignatures.
    pub checkpoint: String,
    /// What each partner answered.
    pub partners: Vec<CosignAnswer>,
}

/// What one partner answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CosignAnswer {
    /// Partner.
    pub partner: String,
    /// Leaves of the checkpoint that it cosigned.
    pub size: Option<u64>,
    /// Why it did not.
    pub cause: Option<String>,
}

/// Asks for receipts that are overdue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverdueShow {
    /// Partner; all if none is named.
    #[serde(default)]
    pub partner: Option<String>,
    /// Owed for at least this long, in seconds; a day if absent.
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// Receipts that are overdue, the oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Overdue {
    /// Owed for at least this long, in seconds.
    pub seconds: u64,
    /// What they are owed for.
    pub items: Vec<OverdueItem>,
}

/// One receipt that is overdue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OverdueItem {
    /// Who owes it.
    pub partner: String,
    /// `query`, `confirm`, `disclosure` or `refusal`.
    pub what: String,
    /// The commitment of the query, or the hash of the statement.
    pub name: String,
    /// Since when.
    pub since: u64,
}

/// Asks to reconcile with a partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Partner.
    pub partner: String,
}

/// What both logs say passed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reconciled {
    /// Partner.
    pub partner: String,
    /// True when no difference is serious.
    pub agrees: bool,
    /// Leaves of the own log that were looked at.
    pub leaves_here: u64,
    /// Things that passed, by the own log.
    pub things: u64,
    /// The counts.
    pub tallies: Vec<Tally>,
    /// Every difference.
    pub differences: Vec<Difference>,
}

/// How often something passed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tally {
    /// What, as seen from here.
    pub what: String,
    /// By the own log.
    pub here: u64,
    /// The same by the partner's log.
    pub there: u64,
    /// Elements of queries, by the own log.
    pub elements_here: u64,
    /// The same by the partner's log.
    pub elements_there: u64,
}

/// Something that one log has and the other has not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Difference {
    /// The commitment of a query, or the hash of a statement.
    pub name: String,
    /// Leaf in the own log.
    pub leaf_here: Option<u64>,
    /// Leaf in the partner's log.
    pub leaf_there: Option<u64>,
    /// False for what was sent and did not arrive; true for what one side has no business to miss.
    pub is_serious: bool,
    /// What differs.
    pub words: String,
}
