//! Alerts: what is sent, who gets it, and what became of it.

use serde::{Deserialize, Serialize};

use super::{ComparedShown, FieldShown};

/// An alert as a person or a program fills it in. Five fields are required: `kind`, `what`,
/// `where`, `when` and `urgency`; of these `where` and `when` may be `"unknown"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertForm {
    /// Kind of record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What happened, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Where: a place, or `unknown`.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceForm>,
    /// When: a date or a time in UTC, as precisely as known, or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// `flash`, `urgent` or `routine`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// What happened, at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrative: Option<String>,
    /// Identifiers whose subject is plain from their kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<IdentifierForm>,
    /// Persons, bodies, conveyances and goods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectForm>,
    /// Goods by control code or in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemForm>,
    /// Places passed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<PlaceForm>,
    /// Grade of source and information, such as `B2`; `F6` where nobody can judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// Where it comes from; protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceForm>,
    /// Traffic light; `amber` where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// Countries that it may go to; all where none is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releasable_to: Vec<String>,
    /// What for; a purpose of the agreement. The first one agreed where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The law that permits holding it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// The sender's own file number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_reference: Option<String>,
    /// After how many days everybody deletes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_days: Option<u32>,
    /// A drill: never mixed with real alerts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// Only these partners, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Not these partners, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

/// A place: a name, or a name and a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlaceForm {
    /// `"Rotterdam"`, `"NL"` or `"unknown"`.
    Text(String),
    /// Both.
    Parts {
        /// Port, town, address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Country, as a code of two or three letters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<String>,
    },
}

/// An identifier: text alone, whose kind is then detected, or with its kind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IdentifierForm {
    /// As it was pasted.
    Text(String),
    /// With what is known about it.
    Parts {
        /// Kind; detected where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// As written.
        text: String,
        /// Issuing country, authority or maker.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// Date of birth or registration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date: Option<String>,
    },
}

impl std::fmt::Debug for IdentifierForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentifierForm([redacted])")
    }
}

/// A subject.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubjectForm {
    /// What it is: `person`, `organisation`, `vessel` and so on.
    pub kind: String,
    /// Names, the main one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Dates of birth, foundation or building.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// Nationality, seat or flag.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Identifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<IdentifierForm>,
}

impl std::fmt::Debug for SubjectForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectForm([redacted])")
    }
}

/// Goods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ItemForm {
    /// List of the code: `eu_dual_use`, `eccn`, `nsg` or `hs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Code of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How much: digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Of what unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceForm {
    /// What kind of source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its file number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Sends an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSend {
    /// What it says.
    pub form: AlertForm,
    /// Chosen by the sender before its first attempt, 16 to 64 letters and digits: the same key
    /// with the same form is the same alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Shows what sending a form would do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertPreview {
    /// What it says.
    pub form: AlertForm,
}

/// What would be sent, and to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertPreviewed {
    /// Whether it is a drill.
    pub exercise: bool,
    /// Its class.
    pub class: String,
    /// Identifiers as they were read: kind, strength, and what their check said.
    pub identifiers: Vec<IdentifierRead>,
    /// Each partner that would get it, with what it would see.
    pub recipients: Vec<RecipientPreview>,
    /// Partners that would not get it, and why.
    pub withheld: Vec<WithheldFrom>,
}

/// How an identifier was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentifierRead {
    /// Field of the form.
    pub field: String,
    /// Kind.
    pub kind: String,
    /// Canonical form.
    pub canonical: String,
    /// What its check digit said.
    pub check: String,
    /// How much a match on it says.
    pub strength: String,
}

/// A partner that would get an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecipientPreview {
    /// Name.
    pub partner: String,
    /// `automatic`, or `after_yes` of a duty officer.
    pub release: String,
    /// What it would see.
    pub fields: Vec<FieldShown>,
    /// The payload, byte for byte, in hexadecimal.
    pub payload: String,
}

/// A partner that gets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldFrom {
    /// Name.
    pub partner: String,
    /// Why.
    pub reasons: Vec<String>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSent {
    /// Names the alert for life.
    pub id: String,
    /// Content hash.
    pub version: String,
    /// `waiting` for a yes, or `active`.
    pub state: String,
    /// Class.
    pub class: String,
    /// Whether it is a drill.
    pub exercise: bool,
    /// Whether this very submission was accepted before.
    pub repeated: bool,
    /// Names of the partners that it goes to at once. Hotlines are told how many only.
    pub recipients: Vec<String>,
    /// How many partners it goes to once a duty officer has said yes.
    pub awaiting: usize,
    /// When it was accepted, in Unix seconds.
    pub accepted_at: u64,
    /// When everybody deletes it, in Unix seconds.
    pub expires_on: u64,
    /// Its leaf in the node's log.
    pub log_index: u64,
    /// Hash of that leaf, so that the next checkpoint proves the acceptance.
    pub leaf_hash: String,
}

/// Names an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertName {
    /// Id.
    pub id: String,
}

/// Shows an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertShow {
    /// Id.
    pub id: String,
    /// Why it is read; goes into the log.
    #[serde(default)]
    pub reason: String,
}

/// Changes what an alert says; the new version goes to everyone who has the old one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertUpdate {
    /// Id.
    pub id: String,
    /// What it says now, whole.
    pub form: AlertForm,
    /// As in [`AlertSend`]: the same key with the same change is one change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Takes an alert back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertWithdraw {
    /// Id.
    pub id: String,
    /// `error`, `resolved`, `superseded`, `no_longer_shared` or `ordered`.
    pub reason: String,
    /// As in [`AlertSend`]: a repeat is answered as the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Narrows the audience.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertNarrow {
    /// Id.
    pub id: String,
    /// Partners that keep it, by name.
    pub keep: Vec<String>,
}

/// Contests an alert: a received one towards its origin, an own one towards everybody who has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertContest {
    /// Id.
    pub id: String,
    /// `wrong_identity`, `wrong_facts`, `unlawful`, `duplicate` or `other`.
    pub reason: String,
}

/// Acknowledges a received alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertAck {
    /// Id.
    pub id: String,
    /// `read` or `acted`.
    pub stage: String,
    /// What came of it; stays in this node.
    #[serde(default)]
    pub outcome: String,
}

/// Asks for a page of alerts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertList {
    /// `sent`, `received` or, where absent, both.
    #[serde(default)]
    pub direction: Option<String>,
    /// Where the page begins: `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A page of alerts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertPage {
    /// The rows.
    pub alerts: Vec<AlertRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// An alert in one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertRow {
    /// Id.
    pub id: String,
    /// `sent` or `received`.
    pub direction: String,
    /// The partner that made it, of a received one.
    pub origin: Option<String>,
    /// Whether it is a drill.
    pub exercise: bool,
    /// Class.
    pub class: String,
    /// State.
    pub state: String,
    /// What it says in one line; empty where that was not granted or it is deleted.
    pub title: String,
    /// Whether it is contested.
    pub contested: bool,
    /// When it came in, in Unix seconds.
    pub accepted_at: u64,
    /// When it should have been acted on, in Unix seconds.
    pub act_by: u64,
    /// When it is deleted, in Unix seconds.
    pub expires_on: u64,
    /// Own records that it meets.
    pub matches: usize,
    /// Whether a match rings: a weak key alone does not.
    pub rings: bool,
}

/// An alert, field by field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertShown {
    /// The line.
    pub alert: AlertRow,
    /// Content hash.
    pub version: String,
    /// Field and value.
    pub fields: Vec<FieldShown>,
    /// Own records that it meets, with the fields that agree.
    pub matches: Vec<MatchShown>,
    /// When it was read here, in Unix seconds.
    pub read_at: Option<u64>,
    /// When it was acted on here, in Unix seconds.
    pub acted_at: Option<u64>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Leaf of the log that records the reading.
    pub log_index: u64,
}

/// An own record that an alert meets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MatchShown {
    /// The record.
    pub record: String,
    /// The fields beside each other.
    pub compared: Vec<ComparedShown>,
}

/// Who has an alert, and how far each is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertAcks {
    /// Id.
    pub id: String,
    /// State of the alert here.
    pub state: String,
    /// One line for each recipient.
    pub recipients: Vec<AckRow>,
}

/// How far a recipient is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckRow {
    /// Name.
    pub partner: String,
    /// `queued`, `sent`, `delivered`, `read`, `acted`, `withdrawing`, `deleted`, `dropped` or
    /// `refused`.
    pub state: String,
    /// Whether it stands in the overdue list.
    pub overdue: bool,
    /// Times of each step, in Unix seconds, by the clock of who took it.
    pub sent_at: Option<u64>,
    /// Delivered.
    pub delivered_at: Option<u64>,
    /// Read.
    pub read_at: Option<u64>,
    /// Acted on.
    pub acted_at: Option<u64>,
    /// Deleted.
    pub deleted_at: Option<u64>,
    /// Leaf of the partner's log behind its last word.
    pub their_index: Option<u64>,
    /// Where the partner has proved that its log says so.
    pub deletion_proved: Option<DeletionProved>,
}

/// A proof that stands in the log of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionProved {
    /// The leaf.
    pub position: u64,
    /// Leaves in the checkpoint under which it was proved.
    pub size: u64,
}

/// Asks for the inbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxList {
    /// Rows, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What waits for somebody, the nearest deadline first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InboxPage {
    /// The rows.
    pub items: Vec<InboxRow>,
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InboxRow {
    /// `alert`, `approve`, `contested`, `unacknowledged` or `withdrawn`.
    pub kind: String,
    /// By when, in Unix seconds.
    pub deadline: u64,
    /// Whether that is over.
    pub overdue: bool,
    /// The alert.
    pub alert: AlertRow,
    /// What to do.
    pub remedy: String,
}

/// What a form asks for, by kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertTemplates {
    /// One for each kind.
    pub templates: Vec<AlertTemplate>,
}

/// What a form asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertTemplate {
    /// Kind.
    pub kind: String,
    /// In words.
    pub about: String,
    /// What to write under `what`.
    pub what: String,
    /// What to write under `where`.
    #[serde(rename = "where")]
    pub place: String,
    /// What to write under `when`.
    pub when: String,
    /// Urgency that fits most.
    pub urgency: String,
    /// Kinds of identifier worth asking for.
    pub identifiers: Vec<String>,
}
