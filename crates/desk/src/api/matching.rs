//! Queries, exchanges and hits, as people see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FieldShown;

/// Why something is asked: goes into the committed query and the log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Purpose, one that the agreement names.
    pub purpose: String,
    /// Case reference of the asking agency.
    pub case: String,
    /// Legal basis.
    #[serde(default)]
    pub legal_basis: String,
}

/// An identifier as an officer typed it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifierText {
    /// Kind.
    pub kind: String,
    /// Text.
    pub text: String,
    /// Issuer, where the kind has one.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Date, where the kind has one.
    #[serde(default)]
    pub date: Option<String>,
}

/// Asks partners about identifiers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryAsk {
    /// What is asked.
    pub identifiers: Vec<IdentifierText>,
    /// Partners by name; empty for all.
    #[serde(default)]
    pub partners: Vec<String>,
    /// Why.
    pub reason: Reason,
}

/// The answers to a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueryReport {
    /// Id of the query, under which the log keeps it.
    pub id: String,
    /// One row for each identifier, in the order asked.
    pub identifiers: Vec<IdentifierAnswer>,
    /// What it cost, by partner: elements charged to the budget, padding included.
    pub cost: BTreeMap<String, u64>,
}

/// The answers about one identifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentifierAnswer {
    /// Kind.
    pub kind: String,
    /// Class.
    pub class: String,
    /// `valid`, `invalid` or `not_checkable`; or why it could not be asked.
    pub check: String,
    /// False when the text is no identifier of this kind, and no partner was asked.
    pub accepted: bool,
    /// One answer for each partner.
    pub answers: Vec<PartnerAnswer>,
}

/// What one partner's list says about one identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerAnswer {
    /// Partner.
    pub partner: String,
    /// Outcome.
    pub outcome: Outcome,
    /// For `not_asked`: why.
    pub cause: Option<String>,
    /// For `hit`: the strongest key that met.
    pub strength: Option<String>,
    /// For `hit`: under which it is confirmed.
    pub hit: Option<String>,
    /// Leaf of this node's log that holds the commitment.
    pub log_index: Option<u64>,
}

/// The three outcomes, which are never mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both hold the identifier.
    Hit,
    /// The partner was asked and holds nothing for us.
    NoHit,
    /// The partner was not asked.
    NotAsked,
}

/// Builds and publishes tag sets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagSetPublish {
    /// Partners by name; empty for all.
    #[serde(default)]
    pub partners: Vec<String>,
}

/// The tag sets published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagSetReport {
    /// One row for each.
    pub sets: Vec<TagSetRow>,
}

/// A tag set in one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagSetRow {
    /// Partner.
    pub partner: String,
    /// Class.
    pub class: String,
    /// Epoch.
    pub epoch: u64,
    /// Serial within the epoch.
    pub serial: u64,
    /// Match keys that policy admits.
    pub tags: u64,
    /// Tags with padding.
    pub padded: u64,
    /// Records that policy keeps out.
    pub records_kept_out: u64,
}

/// Matches all own identifiers against a partner's tag sets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRun {
    /// Partner.
    pub partner: String,
    /// Classes; empty for all that the agreement names.
    #[serde(default)]
    pub classes: Vec<String>,
    /// `auto`, `oprf` or `psi`; what costs less if absent.
    #[serde(default)]
    pub engine: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// What an exchange found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExchangeReport {
    /// Id of the exchange.
    pub id: String,
    /// Partner.
    pub partner: String,
    /// One row for each class.
    pub classes: Vec<ExchangeClass>,
    /// Distinct identifiers that met, by kind.
    pub hits_by_kind: BTreeMap<String, u64>,
    /// The same, by kind and strength of the strongest key that met.
    #[serde(default)]
    pub hits_by_strength: BTreeMap<String, BTreeMap<String, u64>>,
    /// Hits stored, one for each own record and identifier.
    pub hits_new: u64,
}

/// One class of an exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExchangeClass {
    /// Class.
    pub class: String,
    /// Own match keys in this class.
    pub keys: u64,
    /// Keys asked.
    pub asked: u64,
    /// Keys that met.
    pub met: u64,
    /// Why keys were not asked, where some were not.
    pub not_asked: Option<String>,
}

/// Asks for hits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitList {
    /// Only those of this partner.
    #[serde(default)]
    pub partner: Option<String>,
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<String>,
    /// Only those of this strength or stronger.
    #[serde(default)]
    pub strength: Option<String>,
    /// The id behind which the page begins.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A page of hits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HitPage {
    /// The rows.
    pub hits: Vec<HitRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A hit in one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HitRow {
    /// Id.
    pub id: String,
    /// Partner.
    pub partner: String,
    /// Kind of the identifier.
    pub kind: String,
    /// Strength of the key that met.
    pub strength: String,
    /// Form of the key that met.
    pub form: String,
    /// `found`, `released` or `nothing`.
    pub state: String,
    /// The own record, where the identifier came from one.
    pub record: Option<String>,
    /// True when a weak key stands alone: not to be acted on.
    pub needs_support: bool,
    /// When it was found.
    pub found_at: u64,
    /// Case under which it was found.
    pub case: String,
}

/// Names one hit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitShow {
    /// Id.
    pub id: String,
    /// Why it is read; the hit's case if nothing is said. Goes into the log.
    #[serde(default)]
    pub reason: String,
}

/// A hit with what was released.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HitShown {
    /// The line.
    pub hit: HitRow,
    /// What the partner released, statement by statement.
    pub released: Vec<ReleasedShown>,
}

/// What a partner released in one statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedShown {
    /// Hash of the signed statement.
    pub statement: String,
    /// When it was made.
    pub created: u64,
    /// Until when it may be kept.
    pub expires: u64,
    /// The fields that came.
    pub fields: Vec<FieldShown>,
    /// The own subject beside theirs, field by field; empty where the identifier was typed.
    pub compared: Vec<ComparedShown>,
}

/// How one field stands on both sides. A field that was not released counts as missing there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedShown {
    /// Which field, or which kind of identifier.
    pub field: String,
    /// `agrees`, `conflicts`, `missing_here` or `missing_there`.
    pub standing: String,
    /// The same in words, without any value.
    pub words: String,
}

/// Confirms a hit to the partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitConfirm {
    /// Id of the hit.
    pub id: String,
    /// Why.
    pub reason: Reason,
}

/// What came of a confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfirmReport {
    /// The hit as it is now.
    pub hit: HitRow,
    /// `released`, `nothing` or `not_asked`.
    pub outcome: String,
    /// For `not_asked`: why.
    pub cause: Option<String>,
    /// What came.
    pub released: Vec<ReleasedShown>,
    /// Leaves of this node's log: the confirm, what was received, the receipt.
    pub log_indexes: Vec<u64>,
}
