//! What belongs to a matter: its statements and the entries that record them, found in the log.
//! Opens nothing of other matters.
//!
//! Implements spec/evidence.md#making.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_audit::{Act, Event, MatchStatement};
use symbolon_disclosure::{Kept, Payload, StatementKind};
use symbolon_record::RecordId;
use symbolon_store::{Evidence, Way};
use symbolon_trust::NodeId;

use crate::api::Report;
use crate::limits::SCAN_ENTRIES;
use crate::{Desk, DeskError};

/// An entry that records a statement, without its contents.
#[derive(Clone, Copy)]
struct Recorded {
    index: u64,
    hash: [u8; 32],
    /// Id of the statement; a receipt that was sent is recorded without.
    id: Option<[u8; 16]>,
    kind: u8,
    /// For a receipt that was sent: the statement that it is for.
    about: Option<[u8; 32]>,
    way: Way,
    /// Whether it held the alert that is looked for.
    is_of_alert: bool,
}

/// An entry about another document: by its digest.
#[derive(Clone, Copy)]
struct Noted {
    index: u64,
    digest: [u8; 32],
    is_policy: bool,
}

/// An entry that the content of the alert was deleted, as its statement's hash.
struct Deletion {
    index: u64,
    origin: NodeId,
    hash: [u8; 32],
}

/// The log as far as it concerns some partners, and an alert where one is looked for.
#[derive(Default)]
pub(crate) struct Recalled {
    alert: Option<RecordId>,
    recorded: Vec<Recorded>,
    noted: Vec<Noted>,
    /// Where it says what became of the alert.
    became: Vec<u64>,
    deletions: Vec<Deletion>,
}

/// One statement of a matter.
pub(crate) struct Found {
    pub(crate) evidence: Evidence,
    pub(crate) kept: Kept,
}

impl Found {
    pub(crate) fn new(evidence: Evidence) -> Result<Found, DeskError> {
        let kept = Kept::decode(&evidence.signed)?;
        Ok(Found { evidence, kept })
    }

    /// The id of the question that an answer is to.
    pub(crate) fn in_reply_to(&self) -> Option<[u8; 16]> {
        match self.kept.payload() {
            Payload::Disclosure(disclosed) => disclosed.in_reply_to.map(|id| *id.as_bytes()),
            Payload::Refusal(refusal) => Some(*refusal.in_reply_to.as_bytes()),
            _ => None,
        }
    }

    /// The hash of the statement that a receipt is for.
    pub(crate) fn receipt_for(&self) -> Option<[u8; 32]> {
        match self.kept.payload() {
            Payload::Receipt(receipt) => Some(receipt.statement_hash),
            _ => None,
        }
    }

    /// Whether it only says how far others came.
    pub(crate) fn is_confirmation(&self) -> bool {
        matches!(self.kept.payload(), Payload::Receipt(_) | Payload::Acknowledgement(_))
    }
}

impl Recalled {
    /// Every entry that records the statement of this hash.
    pub(crate) fn entries_of(&self, hash: &[u8; 32]) -> impl Iterator<Item = u64> {
        self.recorded.iter().filter(move |one| one.hash == *hash).map(|one| one.index)
    }

    /// Every entry about a document of one of these digests; of a policy the last before `index`.
    pub(crate) fn notes_on(&self, digests: &BTreeSet<[u8; 32]>) -> Vec<u64> {
        let others =
            self.noted.iter().filter(|one| !one.is_policy && digests.contains(&one.digest));
        others.map(|one| one.index).collect()
    }

    /// The last entry before `index` that a policy of this digest came into force.
    pub(crate) fn policy_before(&self, digest: &[u8; 32], index: u64) -> Option<u64> {
        let mut policies = self.noted.iter().rev().filter(|one| one.is_policy);
        policies.find(|one| one.digest == *digest && one.index < index).map(|one| one.index)
    }

    /// Statements of a kind that came in.
    pub(crate) fn received_of(&self, kind: u8) -> impl Iterator<Item = [u8; 32]> {
        let of_kind = move |one: &&Recorded| one.kind == kind && one.way == Way::Received;
        self.recorded.iter().filter(of_kind).map(|one| one.hash)
    }

    /// Statements of a kind that came in or were sent.
    pub(crate) fn all_of(&self, kind: u8) -> impl Iterator<Item = [u8; 32]> {
        self.recorded.iter().filter(move |one| one.kind == kind).map(|one| one.hash)
    }

    /// Statements that were sent and held the alert.
    pub(crate) fn sent_of_alert(&self) -> impl Iterator<Item = [u8; 32]> {
        self.recorded.iter().filter(|one| one.is_of_alert).map(|one| one.hash)
    }

    /// Statements of an origin's alert that the log says were deleted.
    pub(crate) fn deleted_of(&self, origin: &NodeId) -> impl Iterator<Item = [u8; 32]> {
        let origin = *origin;
        self.deletions.iter().filter(move |one| one.origin == origin).map(|one| one.hash)
    }

    /// Where the log says so.
    pub(crate) fn deletions(&self, origin: &NodeId) -> impl Iterator<Item = u64> {
        let origin = *origin;
        self.deletions.iter().filter(move |one| one.origin == origin).map(|one| one.index)
    }

    /// Where the log says what became of the alert.
    pub(crate) fn became(&self) -> impl Iterator<Item = u64> {
        self.became.iter().copied()
    }

    fn note(&mut self, index: u64, event: &Event) {
        let alert = self.alert;
        let is_it = |id: RecordId| alert == Some(id);
        let is_of_alert = matches!(event, Event::Disclosed(event)
            if event.kind == StatementKind::Alert.code() && event.record.is_some_and(is_it));
        let way = match event {
            Event::ConfirmReceived(_) | Event::Received(_) => Way::Received,
            _ => Way::Sent,
        };
        let mut record = |hash, id, kind, about| {
            self.recorded.push(Recorded { index, hash, id, kind, about, way, is_of_alert });
        };
        let noted = |digest, is_policy| Noted { index, digest, is_policy };
        match event {
            Event::ConfirmSent(event) | Event::ConfirmReceived(event) => {
                record(event.statement_hash, Some(event.statement_id), 1, None);
            }
            Event::Disclosed(event) => {
                record(event.statement_hash, Some(event.statement_id), event.kind, None);
            }
            // The transcript of a match is no part of an exchange of envelopes.
            Event::Received(event) if event.kind != MatchStatement::KIND => {
                record(event.statement_hash, Some(event.statement_id), event.kind, None);
            }
            Event::Receipt(event) => {
                let kind = StatementKind::Receipt.code();
                record(event.receipt_hash, None, kind, Some(event.statement_hash));
            }
            Event::Card(event) => self.noted.push(noted(event.digest, false)),
            Event::Agreement(event) if event.act == Act::Accepted => {
                self.noted.push(noted(event.digest, false));
            }
            Event::EpochCard(event) => self.noted.push(noted(event.statement_hash, false)),
            Event::Policy(event) => self.noted.push(noted(event.digest, true)),
            Event::Alert(event) | Event::Exercise(event) if is_it(event.alert) => {
                self.became.push(index);
            }
            Event::Deleted(event) if is_it(event.alert) => {
                let (origin, hash) = (event.origin, event.statement_hash);
                self.deletions.push(Deletion { index, origin, hash });
            }
            _ => {}
        }
    }
}

impl Desk {
    /// Reads the log once, for what concerns these partners or nobody, and an alert.
    pub(crate) fn recall(
        &self,
        partners: &BTreeSet<NodeId>,
        alert: Option<RecordId>,
        size: u64,
        report: &mut dyn Report,
    ) -> Result<Recalled, DeskError> {
        let mut recalled = Recalled { alert, ..Recalled::default() };
        let mut from = 0;
        while from < size {
            let page = self.store.log_scan(from, SCAN_ENTRIES)?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            for (index, logged) in page.iter().filter(|(index, _)| *index < size) {
                let event = logged.entry().event();
                let own = self.identity().node();
                let concerns = |node: NodeId| node == own || partners.contains(&node);
                if event.partner().is_none_or(concerns) {
                    recalled.note(*index, event);
                }
            }
            report.progress("reading the log", from.min(size), Some(size));
        }
        Ok(recalled)
    }

    /// The statements of the matter of `seeds`: questions, their answers, and receipts for both.
    pub(crate) fn matter(
        &self,
        seeds: &BTreeSet<[u8; 32]>,
        recalled: &Recalled,
    ) -> Result<Vec<Found>, DeskError> {
        let mut found: BTreeMap<[u8; 32], Found> = BTreeMap::new();
        for hash in seeds {
            for one in self.origins(hash, recalled)? {
                found.insert(one.evidence.statement_hash, one);
            }
        }
        let questions: BTreeSet<[u8; 16]> =
            found.values().map(|one| *one.kept.id().as_bytes()).collect();
        let mut receipts = Vec::new();
        let mut seen = BTreeSet::new();
        for recorded in recalled.recorded.iter().filter(|recorded| recorded.kind > 1) {
            if found.contains_key(&recorded.hash) || !seen.insert(recorded.hash) {
                continue;
            }
            if recorded.about.is_some() {
                receipts.push(recorded);
                continue;
            }
            let Some(one) = self.statement_kept(&recorded.hash)? else { continue };
            if one.in_reply_to().is_some_and(|id| questions.contains(&id)) {
                found.insert(recorded.hash, one);
            } else if one.receipt_for().is_some() {
                receipts.push(recorded);
            }
        }
        for recorded in receipts {
            let Some(one) = self.statement_kept(&recorded.hash)? else { continue };
            if one.receipt_for().is_some_and(|about| found.contains_key(&about)) {
                found.insert(recorded.hash, one);
            }
        }
        Ok(found.into_values().collect())
    }

    /// A statement and the question behind it, however far back.
    fn origins(&self, hash: &[u8; 32], recalled: &Recalled) -> Result<Vec<Found>, DeskError> {
        let mut origins = Vec::new();
        let mut next = Some(*hash);
        while let Some(hash) = next.take() {
            let Some(one) = self.statement_kept(&hash)? else { break };
            let by_id = |id: [u8; 16]| {
                let mut all = recalled.recorded.iter();
                all.find(|recorded| recorded.kind == 1 && recorded.id == Some(id))
            };
            next = one
                .receipt_for()
                .or_else(|| one.in_reply_to().and_then(by_id).map(|recorded| recorded.hash));
            // A receipt is found again from what it is for.
            if one.receipt_for().is_none() {
                origins.push(one);
            }
        }
        Ok(origins)
    }

    pub(crate) fn statement_kept(&self, hash: &[u8; 32]) -> Result<Option<Found>, DeskError> {
        self.store.evidence_fetch(hash)?.map(Found::new).transpose()
    }
}
