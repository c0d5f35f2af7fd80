//! The kinds of event, and what each leaves in the log; how they come about is not known here.
//!
//! Implements spec/accountability.md#entries.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::Class;
use symbolon_record::{Field, RecordId, RecordVersion};
use symbolon_trust::{Mode, NodeId};

use crate::AuditError;
use crate::alert::{AlertEvent, DeletedEvent};
use crate::limits::{ID_BYTES_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node card.
    Card(CardEvent),
    /// An agreement.
    Agreement(AgreementEvent),
    /// A policy.
    Policy(PolicyEvent),
    /// An epoch card and its tag set.
    EpochCard(EpochCardEvent),
    /// A query of one's own.
    Query(QueryEvent),
    /// An evaluation for a partner.
    Evaluation(EvaluationEvent),
    /// A confirm to a partner.
    ConfirmSent(ConfirmEvent),
    /// A confirm from a partner.
    ConfirmReceived(ConfirmEvent),
    /// A sealed statement to a partner.
    Disclosed(DisclosedEvent),
    /// A denial by policy.
    Refused(RefusedEvent),
    /// A statement from a partner.
    Received(ReceivedEvent),
    /// A receipt.
    Receipt(ReceiptEvent),
    /// An import.
    Import(ImportEvent),
    /// A reading or an export.
    Read(ReadEvent),
    /// A query opened to an auditor, or closed again.
    Opening(OpeningEvent),
    /// An erasure of older entries.
    Erased(ErasedEvent),
    /// A budget.
    Budget(BudgetEvent),
    /// An act of administration.
    Admin(AdminEvent),
    /// An alert and what became of it.
    Alert(AlertEvent),
    /// The same of a drill, which has a class of its own.
    Exercise(AlertEvent),
    /// The content of an alert is gone from here for good.
    Deleted(DeletedEvent),
    /// Nothing.
    Heartbeat,
}

/// What was done to the object of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Act {
    /// Made here.
    Made,
    /// Sent to the partner.
    Sent,
    /// Came from the partner.
    Received,
    /// Taken in force.
    Accepted,
    /// Put in place of an earlier one.
    Replaced,
    /// Refused.
    Refused,
    /// Put out of force for a time.
    Suspended,
    /// Put in force again.
    Resumed,
    /// Ended.
    Ended,
    /// Deleted.
    Destroyed,
    /// Shown to an officer.
    Shown,
    /// Written to a file for an officer.
    Exported,
    /// Changed.
    Changed,
}

/// A node card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct CardEvent {
    /// Whose card.
    pub node: NodeId,
    /// Its sequence.
    pub sequence: u64,
    /// SHA-256 of its bytes.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
    /// What was done with it.
    pub act: Act,
}

/// An agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AgreementEvent {
    /// The other party.
    pub partner: NodeId,
    /// Its digest.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
    /// What was done with it.
    pub act: Act,
}

/// A policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct PolicyEvent {
    /// Its digest.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
    /// What was done with it.
    pub act: Act,
}

/// An epoch card and its tag set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EpochCardEvent {
    /// The other node.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// The serial within the epoch.
    pub serial: u64,
    /// Hash of the signed statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// What was done with it.
    pub act: Act,
}

/// A query of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct QueryEvent {
    /// The node asked.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// Blinded elements, padding included.
    pub elements: u32,
    /// Salt of the commitment.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 32],
    /// Digest of the blinded elements.
    #[serde(with = "serde_bytes")]
    pub batch_digest: [u8; 32],
    /// Digest of the private part.
    #[serde(with = "serde_bytes")]
    pub private_digest: [u8; 32],
}

/// An evaluation for a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EvaluationEvent {
    /// The asker.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// Blinded elements, padding included: what the budget was charged.
    pub elements: u32,
    /// The asker's commitment.
    #[serde(with = "serde_bytes")]
    pub leaf: [u8; 32],
    /// Its index in the asker's log.
    pub leaf_index: u64,
    /// Size of the asker's log that it was shown in.
    pub log_size: u64,
}

/// A confirm, out or in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ConfirmEvent {
    /// The other node.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// Id of the statement.
    #[serde(with = "serde_bytes")]
    pub statement_id: [u8; 16],
    /// Hash of the signed statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// The purpose named in it.
    pub purpose: String,
}

/// A sealed statement to a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DisclosedEvent {
    /// To whom.
    pub partner: NodeId,
    /// Kind of the statement, as on the wire.
    pub kind: u8,
    /// Id of the statement.
    #[serde(with = "serde_bytes")]
    pub statement_id: [u8; 16],
    /// Hash of the signed statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// The record, where one was disclosed.
    pub record: Option<RecordId>,
    /// Its version.
    pub version: Option<RecordVersion>,
    /// Digest of the policy that granted it, where policy did.
    #[serde(with = "serde_bytes")]
    pub policy_digest: Option<[u8; 32]>,
    /// The fields that left.
    pub fields: Vec<Field>,
}

/// A denial by policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct RefusedEvent {
    /// Who does not get it.
    pub partner: NodeId,
    /// What was not done.
    pub action: String,
    /// The kind of refusal.
    pub code: String,
    /// The record.
    pub record: Option<RecordId>,
    /// Digest of the policy that denied it.
    #[serde(with = "serde_bytes")]
    pub policy_digest: [u8; 32],
    /// Rules and reasons that denied it.
    pub reasons: Vec<String>,
}

/// A statement from a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ReceivedEvent {
    /// From whom.
    pub partner: NodeId,
    /// Kind of the statement, as on the wire.
    pub kind: u8,
    /// Id of the statement.
    #[serde(with = "serde_bytes")]
    pub statement_id: [u8; 16],
    /// Hash of the signed statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
}

/// A receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ReceiptEvent {
    /// The other node.
    pub partner: NodeId,
    /// Hash of the statement that it acknowledges.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// Hash of the receipt itself.
    #[serde(with = "serde_bytes")]
    pub receipt_hash: [u8; 32],
    /// Sent or received.
    pub act: Act,
}

/// An import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ImportEvent {
    /// Number of the run.
    pub run: u64,
    /// SHA-256 of the mapping that was used.
    #[serde(with = "serde_bytes")]
    pub mapping_digest: [u8; 32],
    /// Rows read.
    pub rows: u64,
    /// Records that are new.
    pub created: u64,
    /// Records that changed.
    pub changed: u64,
    /// Records that were the same.
    pub unchanged: u64,
    /// Rows that stand in the error file.
    pub failed: u64,
}

/// What somebody read or took out, and why. Never what stood in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ReadEvent {
    /// The kind of thing: `record`, `records`, `hit`, `hits`, `released`, `query`, `log`.
    pub object: String,
    /// Its id; empty for a list.
    pub id: String,
    /// How many were shown.
    pub count: u64,
    /// Why; may be empty for a list.
    pub reason: String,
    /// Shown or exported.
    pub act: Act,
}

/// A query opened to an auditor, or closed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct OpeningEvent {
    /// Id of the query, of the exchange, or of one batch.
    pub query: String,
    /// The auditor.
    pub auditor: String,
    /// Until when, in Unix seconds.
    pub until: u64,
    /// Why.
    pub reason: String,
    /// Made or ended.
    pub act: Act,
}

/// Which entries lost their salt and body, and why. Their leaves stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ErasedEvent {
    /// The leaves, in order: exactly these lost their entries.
    pub ranges: Vec<LeafRange>,
    /// They are of entries from before this time, in Unix seconds.
    pub before: u64,
    /// Leaves in all ranges.
    pub count: u64,
    /// Why.
    pub reason: String,
}

/// Leaves that stand side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct LeafRange {
    /// The first.
    pub from: u64,
    /// The one behind the last.
    pub to: u64,
}

/// A budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct BudgetEvent {
    /// The other node.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// The limit in force.
    pub limit: u64,
    /// What was asked for or changed, in elements.
    pub amount: u64,
    /// Changed, or refused.
    pub act: Act,
}

/// An act of administration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AdminEvent {
    /// Its name.
    pub act: String,
    /// Digest of what it changed; zeros if it changed nothing.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
}

impl Event {
    /// The name of the kind, as in the encoding.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::Agreement(_) => "agreement",
            Self::Policy(_) => "policy",
            Self::EpochCard(_) => "epoch_card",
            Self::Query(_) => "query",
            Self::Evaluation(_) => "evaluation",
            Self::ConfirmSent(_) => "confirm_sent",
            Self::ConfirmReceived(_) => "confirm_received",
            Self::Disclosed(_) => "disclosed",
            Self::Refused(_) => "refused",
            Self::Received(_) => "received",
            Self::Receipt(_) => "receipt",
            Self::Import(_) => "import",
            Self::Read(_) => "read",
            Self::Opening(_) => "opening",
            Self::Erased(_) => "erased",
            Self::Budget(_) => "budget",
            Self::Admin(_) => "admin",
            Self::Alert(_) => "alert",
            Self::Exercise(_) => "exercise",
            Self::Deleted(_) => "deleted",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// The partner concerned, if there is one.
    #[must_use]
    pub const fn partner(&self) -> Option<NodeId> {
        match self {
            Self::Card(event) => Some(event.node),
            Self::Agreement(event) => Some(event.partner),
            Self::EpochCard(event) => Some(event.partner),
            Self::Query(event) => Some(event.partner),
            Self::Evaluation(event) => Some(event.partner),
            Self::ConfirmSent(event) | Self::ConfirmReceived(event) => Some(event.partner),
            Self::Disclosed(event) => Some(event.partner),
            Self::Refused(event) => Some(event.partner),
            Self::Received(event) => Some(event.partner),
            Self::Receipt(event) => Some(event.partner),
            Self::Budget(event) => Some(event.partner),
            Self::Deleted(event) => Some(event.origin),
            Self::Policy(_)
            | Self::Import(_)
            | Self::Read(_)
            | Self::Opening(_)
            | Self::Erased(_)
            | Self::Admin(_)
            | Self::Alert(_)
            | Self::Exercise(_)
            | Self::Heartbeat => None,
        }
    }

    /// Whether no erasure may touch it: what erasures, cards, policies and agreements there were
    /// must stay readable, or the rest could not be judged.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::Erased(_) | Self::Card(_) | Self::Policy(_) | Self::Agreement(_))
    }

    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        let (text, items) = match self {
            Self::ConfirmSent(event) | Self::ConfirmReceived(event) => (event.purpose.len(), 0),
            Self::Disclosed(event) => (0, event.fields.len()),
            Self::Refused(event) => {
                let longest = event.reasons.iter().map(String::len).max().unwrap_or_default();
                (longest.max(event.action.len()).max(event.code.len()), event.reasons.len())
            }
            Self::Read(event) => {
                if event.id.len() > ID_BYTES_MAX {
                    return Err(AuditError::TooLong { field: "id in an entry" });
                }
                (event.reason.len().max(event.object.len()), 0)
            }
            Self::Opening(event) => {
                (event.reason.len().max(event.query.len()).max(event.auditor.len()), 0)
            }
            Self::Erased(event) => {
                event.check()?;
                (event.reason.len(), event.ranges.len())
            }
            Self::Admin(event) => (event.act.len(), 0),
            Self::Alert(event) => return event.check(Mode::Live),
            Self::Exercise(event) => return event.check(Mode::Exercise),
            _ => (0, 0),
        };
        if text > TEXT_BYTES_MAX {
            return Err(AuditError::TooLong { field: "text of an entry" });
        }
        if items > LIST_ITEMS_MAX {
            return Err(AuditError::TooLong { field: "list of an entry" });
        }
        Ok(())
    }
}

impl ErasedEvent {
    /// Ranges in order, apart from each other, none of them empty, and counted right.
    fn check(&self) -> Result<(), AuditError> {
        let (mut end, mut count) = (None, 0u64);
        for range in &self.ranges {
            if range.from >= range.to || end.is_some_and(|end| range.from <= end) {
                return Err(AuditError::Ranges);
            }
            end = Some(range.to);
            count += range.to - range.from;
        }
        if count == self.count { Ok(()) } else { Err(AuditError::Ranges) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erasure_names_its_leaves_in_one_way_only() {
        let erased = |ranges: &[(u64, u64)], count| {
            let ranges = ranges.iter().map(|(from, to)| LeafRange { from: *from, to: *to });
            let (ranges, reason) = (ranges.collect(), "retention".to_owned());
            Event::Erased(ErasedEvent { ranges, before: 1, count, reason }).validate()
        };
        assert_eq!(erased(&[(3, 5), (6, 7)], 3), Ok(()));
        let wrong: [(&[(u64, u64)], u64); 6] = [
            (&[(3, 5)], 3),
            (&[(3, 3)], 0),
            (&[(5, 3)], 2),
            (&[(3, 5), (5, 7)], 4),
            (&[(6, 7), (3, 5)], 3),
            (&[(0, u64::MAX), (0, u64::MAX)], 2),
        ];
        for (ranges, count) in wrong {
            assert_eq!(erased(ranges, count), Err(AuditError::Ranges), "{ranges:?}");
        }
    }
}
