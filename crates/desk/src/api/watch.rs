//! Watch rules, as people see them.

use serde::{Deserialize, Serialize};

use super::{IdentifierForm, PlaceForm};

/// A watch rule as a person fills it in. It fits the received alerts that meet every list that is
/// not empty, each in one place at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchForm {
    /// Its name for people.
    pub name: String,
    /// Drills instead of real alerts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// `flash`, `urgent`, `routine`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Record kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Control codes by their beginning, such as `2B` or `nsg:3.A`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// Countries of subjects, events and routes, by code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Places where something happened or that were passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<PlaceForm>,
    /// Identifiers; kept as keyed marks, and never shown again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<IdentifierForm>,
    /// `digest`, or `ring`: at once for what is flash. `digest` where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// `inbox`, `syslog`, `lines` or an `https` address; the inbox where none is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// Shows what a rule would have fitted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchPreview {
    /// The rule.
    pub form: WatchForm,
}

/// What a rule would have fitted in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchPreviewed {
    /// Days looked back.
    pub days: u64,
    /// Alerts looked at.
    pub alerts: u64,
    /// Alerts of that time whose content is deleted: nobody can tell whether they would have
    /// fitted.
    pub deleted: u64,
    /// Alerts that fit; saving the rule asks for this number.
    pub fits: u64,
    /// Those among them that would have called at once.
    pub rings: u64,
    /// The newest of them.
    pub newest: Vec<WatchFitShown>,
}

/// An alert that fits a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFitShown {
    /// Id of the alert.
    pub alert: String,
    /// The partner that made it.
    pub origin: String,
    /// Class.
    pub class: String,
    /// State.
    pub state: String,
    /// When it came in or fitted, in Unix seconds.
    pub at: u64,
    /// Whether it called at once.
    pub rings: bool,
    /// What of the rule it meets; in a preview only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// Keeps a rule that was previewed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSave {
    /// The rule that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The rule.
    pub form: WatchForm,
    /// `fits` of its preview.
    pub fits: u64,
}

/// Names a rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchName {
    /// Id.
    pub id: String,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchShown {
    /// Id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Who made it.
    pub made_by: String,
    /// When it last changed, in Unix seconds.
    pub changed_at: u64,
    /// Whether it is for drills.
    pub exercise: bool,
    /// What it asks for, in words; identifiers by kind only.
    pub asks: Vec<String>,
    /// `digest` or `ring`.
    pub delivery: String,
    /// Where it speaks.
    pub targets: Vec<String>,
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watches {
    /// The rules, the oldest first.
    pub watches: Vec<WatchShown>,
}

/// Asks what fitted the rules.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchDigest {
    /// Since when, in Unix seconds.
    pub since: u64,
    /// One rule only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What fitted the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchDigested {
    /// Until when, in Unix seconds: `since` of the next digest.
    pub until: u64,
    /// By rule.
    pub rules: Vec<WatchGathered>,
}

/// What fitted one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchGathered {
    /// Id of the rule.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is for drills.
    pub exercise: bool,
    /// The alerts, the earliest first; what rang is marked.
    pub alerts: Vec<WatchFitShown>,
    /// Whether there are more than are shown.
    pub more: bool,
}
