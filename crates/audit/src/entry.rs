//! One thing that happened, as the log keeps it; holds counts, names and digests, never an
//! identifier or a narrative.
//!
//! Implements spec/accountability.md#entries.
//!
//! Invariant: entries come only from the constructors here, one for each kind of event.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_disclosure::{Opened, Sealed};
use symbolon_ident::Class;
use symbolon_policy::Denial;
use symbolon_trust::{Mode, NodeId};

use crate::AuditError;
use crate::alert::{AlertEvent, DeletedEvent};
use crate::event::{
    AdminEvent, AgreementEvent, BudgetEvent, CardEvent, ConfirmEvent, DisclosedEvent,
    EpochCardEvent, ErasedEvent, EvaluationEvent, Event, ImportEvent, OpeningEvent, PolicyEvent,
    QueryEvent, ReadEvent, ReceiptEvent, ReceivedEvent, RefusedEvent,
};
use crate::limits::{ID_BYTES_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use crate::query::{Commitment, CommittedQuery};

/// Version of the entry's form.
const VERSION: u8 = 1;

/// When it happened (Unix seconds) and who did it: an officer's name, or the node itself.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// Unix seconds.
    pub now: u64,
    /// Officer, or `node`.
    pub actor: &'a str,
}

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Entry {
    version: u8,
    at: u64,
    actor: String,
    event: Event,
}

impl Entry {
    fn new(who: Who<'_>, event: Event) -> Self {
        Self { version: VERSION, at: who.now, actor: bounded(who.actor), event }
    }

    /// A node card, one's own or a partner's, was made, taken, replaced or refused.
    #[must_use]
    pub fn card(who: Who<'_>, event: CardEvent) -> Self {
        Self::new(who, Event::Card(event))
    }

    /// An agreement changed its state.
    #[must_use]
    pub fn agreement(who: Who<'_>, event: AgreementEvent) -> Self {
        Self::new(who, Event::Agreement(event))
    }

    /// A policy came into force.
    #[must_use]
    pub fn policy(who: Who<'_>, event: PolicyEvent) -> Self {
        Self::new(who, Event::Policy(event))
    }

    /// An epoch card was issued, received or its tag set destroyed.
    #[must_use]
    pub fn epoch_card(who: Who<'_>, event: EpochCardEvent) -> Self {
        Self::new(who, Event::EpochCard(event))
    }

    /// A query is about to be asked. The leaf of this entry is the commitment itself.
    #[must_use]
    pub fn query(who: Who<'_>, commitment: &Commitment) -> Self {
        Self::new(
            who,
            Event::Query(QueryEvent {
                partner: commitment.partner(),
                class: commitment.class(),
                epoch: commitment.epoch(),
                elements: commitment.elements(),
                salt: *commitment.salt(),
                batch_digest: *commitment.batch_digest(),
                private_digest: *commitment.private_digest(),
            }),
        )
    }

    /// A partner's committed query is about to be evaluated.
    #[must_use]
    pub fn evaluation(
        who: Who<'_>,
        partner: NodeId,
        class: Class,
        epoch: u64,
        query: &CommittedQuery,
    ) -> Self {
        Self::new(
            who,
            Event::Evaluation(EvaluationEvent {
                partner,
                class,
                epoch,
                elements: query.elements(),
                leaf: *query.leaf().as_bytes(),
                leaf_index: query.leaf_index(),
                log_size: query.seen().size,
            }),
        )
    }

    /// A confirm goes out.
    #[must_use]
    pub fn confirm_sent(who: Who<'_>, event: ConfirmEvent) -> Self {
        Self::new(who, Event::ConfirmSent(event))
    }

    /// A confirm came in.
    #[must_use]
    pub fn confirm_received(who: Who<'_>, event: ConfirmEvent) -> Self {
        Self::new(who, Event::ConfirmReceived(event))
    }

    /// A sealed statement is about to leave, of whatever kind.
    #[must_use]
    pub fn disclosed(who: Who<'_>, sealed: &Sealed) -> Self {
        let (record, version) = sealed.record().unzip();
        Self::new(
            who,
            Event::Disclosed(DisclosedEvent {
                partner: sealed.to(),
                kind: sealed.kind().code(),
                statement_id: *sealed.id().as_bytes(),
                statement_hash: sealed.statement_hash(),
                record,
                version,
                policy_digest: sealed.policy_digest(),
                fields: sealed.fields().to_vec(),
            }),
        )
    }

    /// Policy denied something.
    #[must_use]
    pub fn refused(who: Who<'_>, denial: &Denial) -> Self {
        let reasons = denial.explain().iter().take(LIST_ITEMS_MAX);
        Self::new(
            who,
            Event::Refused(RefusedEvent {
                partner: denial.partner(),
                action: denial.action().as_str().to_owned(),
                code: denial.code().as_str().to_owned(),
                record: Some(denial.record()),
                policy_digest: denial.policy_digest(),
                reasons: reasons.map(|reason| bounded(&reason.to_string())).collect(),
            }),
        )
    }

    /// A statement came in, verified.
    #[must_use]
    pub fn received(who: Who<'_>, opened: &Opened) -> Self {
        Self::new(
            who,
            Event::Received(ReceivedEvent {
                partner: opened.from(),
                kind: opened.kind().code(),
                statement_id: *opened.id().as_bytes(),
                statement_hash: opened.statement_hash(),
            }),
        )
    }

    /// A receipt was given or got.
    #[must_use]
    pub fn receipt(who: Who<'_>, event: ReceiptEvent) -> Self {
        Self::new(who, Event::Receipt(event))
    }

    /// Records were imported.
    #[must_use]
    pub fn import(who: Who<'_>, event: ImportEvent) -> Self {
        Self::new(who, Event::Import(event))
    }

    /// Something was shown to somebody, or taken out.
    #[must_use]
    pub fn read(who: Who<'_>, event: ReadEvent) -> Self {
        let ReadEvent { object, mut id, count, reason, act } = event;
        // Ids are this node's own and short; one that is not is none.
        if id.len() > ID_BYTES_MAX {
            id.clear();
        }
        let (object, reason) = (bounded(&object), bounded(&reason));
        Self::new(who, Event::Read(ReadEvent { object, id, count, reason, act }))
    }

    /// A query was opened to an auditor, or closed again.
    #[must_use]
    pub fn opening(who: Who<'_>, event: OpeningEvent) -> Self {
        let OpeningEvent { query, auditor, until, reason, act } = event;
        let (query, auditor, reason) = (bounded(&query), bounded(&auditor), bounded(&reason));
        Self::new(who, Event::Opening(OpeningEvent { query, auditor, until, reason, act }))
    }

    /// Older entries lose their salt and body in the write that holds this one.
    #[must_use]
    pub fn erased(who: Who<'_>, event: ErasedEvent) -> Self {
        let reason = bounded(&event.reason);
        Self::new(who, Event::Erased(ErasedEvent { reason, ..event }))
    }

    /// A budget was set, or refused a partner.
    #[must_use]
    pub fn budget(who: Who<'_>, event: BudgetEvent) -> Self {
        Self::new(who, Event::Budget(event))
    }

    /// An act of administration, by its name and a digest of what it changed.
    #[must_use]
    pub fn admin(who: Who<'_>, act: &str, digest: [u8; 32]) -> Self {
        Self::new(who, Event::Admin(AdminEvent { act: bounded(act), digest }))
    }

    /// Something became of an alert, one's own or a partner's.
    #[must_use]
    pub fn alert(who: Who<'_>, event: AlertEvent) -> Self {
        let event = match event.mode {
            Mode::Live => Event::Alert(event),
            Mode::Exercise => Event::Exercise(event),
        };
        Self::new(who, event)
    }

    /// The content of an alert was erased here for good.
    #[must_use]
    pub fn deleted(who: Who<'_>, event: DeletedEvent) -> Self {
        Self::new(who, Event::Deleted(event))
    }

    /// Nothing happened: keeps the log's growth free of bursts.
    #[must_use]
    pub fn heartbeat(who: Who<'_>) -> Self {
        Self::new(who, Event::Heartbeat)
    }

    /// Unix seconds.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Officer, or `node`.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// What happened.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// The salt that a query's commitment has fixed already.
    pub(crate) fn committed_salt(&self) -> Option<[u8; 32]> {
        match &self.event {
            Event::Query(event) => Some(event.salt),
            _ => None,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        if self.actor.len() > TEXT_BYTES_MAX {
            return Err(AuditError::TooLong { field: "actor" });
        }
        self.event.validate()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.event.name())
    }
}

/// A name that is too long is cut rather than refused: what happened must be logged.
pub(crate) fn bounded(text: &str) -> String {
    let end = (0..=text.len().min(TEXT_BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
}
