//! Policy checks and previews, as people see them.

use serde::{Deserialize, Serialize};

use super::FieldShown;

/// Checks a policy text; without one, the policy in force.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCheck {
    /// Policy text.
    #[serde(default)]
    pub text: Option<String>,
}

/// A policy that was read without error.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Digest.
    pub digest: String,
    /// Names of the rules.
    pub rules: Vec<String>,
    /// True when it is the policy in force.
    pub in_force: bool,
}

/// Renders exactly what a partner would get for a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyPreview {
    /// Id of the record.
    pub record: String,
    /// Partner.
    pub partner: String,
    /// Purpose.
    pub purpose: String,
    /// Why it is read; goes into the log.
    #[serde(default)]
    pub reason: String,
}

/// What a partner would get, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreviewShown {
    /// May the record be matched?
    pub matched: Decided,
    /// May a hit on it be acknowledged?
    pub confirmed: Decided,
    /// May anything of it be released?
    pub disclosed: Decided,
    /// For every field: granted or withheld, and the rules that decided.
    pub fields: Vec<FieldDecision>,
    /// The fields as the partner would read them.
    pub released: Vec<FieldShown>,
    /// The payload that would be sealed, hexadecimal.
    pub payload: String,
}

/// A decision with its reasons.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decided {
    /// True for allow.
    pub allowed: bool,
    /// The rules that decided, or the bound that forbade.
    pub reasons: Vec<String>,
}

/// The decision on one field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FieldDecision {
    /// Field.
    pub field: String,
    /// True when it is released.
    pub granted: bool,
    /// How it is reduced, where it is.
    pub transforms: Vec<String>,
    /// The rules that decided.
    pub rules: Vec<String>,
}
