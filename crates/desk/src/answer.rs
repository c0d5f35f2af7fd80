//! What a partner's request becomes here. Everything about a record that leaves this node passes
//! [`Desk::release`].
//!
//! Implements spec/architecture.md#flow.
//!
//! Invariants: no evaluation before its commitment is verified and its spend is durable; no
//! disclosure without a grant; every refusal that could tell whether a thing exists looks the same.

use symbolon_audit::{
    AuditError, CommittedQuery, ConfirmEvent, Entry, LogSeen, QueryEvidence, Receipt, verify_query,
};
use symbolon_disclosure::{
    ConfirmRequest, Opened, Payload, Recipient, Refusal as Nothing, RefusalCode, Sealed, Terms,
    seal, seal_refusal,
};
use symbolon_oprf::{CommitmentOpening, KeyNames, Sender, SetSalt};
use symbolon_policy::{Action, Decision, Denial, Grant, Request};
use symbolon_protocol::{
    Acknowledge, Asked, Card, Delivery, Disclose, Epochs, EpochsRequest, Established, Evaluate,
    Evaluation, Incoming, Refusal, Reply, SignedEpochCard, TagSetRequest, TagSetUpload,
};
use symbolon_record::{Record, RecordId};
use symbolon_store::{BudgetKey, Direction, SetKey, SetSide, SetState, StoreError, Write};
use symbolon_tlog::CheckpointVerifier;
use symbolon_trust::{Mode, VerifiedAgreement};

use crate::account::owed_for;
use crate::confirm::evidence_sent;
use crate::desk::Known;
use crate::limits::STATEMENT_SECONDS;
use crate::publish::About;
use crate::{Desk, DeskError, Officer};

/// An answer on its way to the transport.
pub enum Answered {
    /// The last bytes of the stream.
    Reply(Reply),
    /// A header, then chunks as [`Desk::upload_chunk`] gives them.
    Upload {
        /// The header.
        header: Vec<u8>,
        /// Which chunk is due.
        upload: TagSetUpload,
        /// The set.
        set: SetKey,
    },
}

impl Desk {
    /// Answers one request of a partner whose hello was verified.
    #[must_use]
    pub fn answer(&self, session: &Established, incoming: Incoming) -> Answered {
        let Some(known) = self.partner(&session.partner()) else {
            return Answered::Reply(refuse(incoming, Refusal::Suspended));
        };
        match incoming {
            Incoming::Card(asked) => {
                let card = Card::new(&self.identity().signed_card);
                Answered::Reply(asked.answer(&card))
            }
            Incoming::Epochs(asked) => Answered::Reply(self.answer_epochs(&known, asked)),
            Incoming::TagSet(asked) => self.answer_tag_set(&known, asked),
            Incoming::Evaluate(asked) => Answered::Reply(self.answer_evaluate(&known, asked)),
            Incoming::Deliver(asked) => {
                Answered::Reply(self.answer_delivery(session, &known, asked))
            }
            Incoming::Cosign(asked) => Answered::Reply(self.answer_cosign(&known, asked)),
            Incoming::BulkBegin(asked) => Answered::Reply(self.answer_bulk_begin(&known, asked)),
            Incoming::BulkWait(asked) => Answered::Reply(self.answer_bulk_wait(&known, asked)),
            Incoming::BulkCarry(asked) => Answered::Reply(self.answer_bulk_carry(&known, asked)),
            Incoming::Account(asked) => {
                Answered::Reply(self.answer_account(session, &known, asked))
            }
            Incoming::Push(asked) => Answered::Reply(self.answer_push(session, &known, asked)),
            Incoming::Leave(asked) => Answered::Reply(self.answer_leave(&known, asked)),
            Incoming::Collect(asked) => Answered::Reply(self.answer_collect(&known, asked)),
            Incoming::Prove(asked) => Answered::Reply(self.answer_prove(&known, asked)),
        }
    }

    fn answer_epochs(&self, partner: &Known, asked: Asked<EpochsRequest>) -> Reply {
        match self.epochs_for(partner) {
            Ok(epochs) => asked.answer(&epochs),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn epochs_for(&self, partner: &Known) -> Result<Epochs, Refusal> {
        let agreement = self.agreement_for(partner)?;
        let epoch = agreement.epoch_at(self.now()).map_err(|_| Refusal::NoAgreement)?;
        let mut cards = Vec::new();
        for terms in &agreement.agreement().classes {
            if let Some((_, about)) =
                self.own_set(partner, terms.class, epoch.number).map_err(here)?
            {
                cards.push(SignedEpochCard::decode(&about.card).map_err(here)?);
            }
        }
        Epochs::new(&cards).map_err(here)
    }

    pub(crate) fn agreement_for<'a>(
        &self,
        partner: &'a Known,
    ) -> Result<&'a VerifiedAgreement, Refusal> {
        if !partner.is_welcome() {
            return Err(Refusal::Suspended);
        }
        partner.in_force(self.now()).map(|agreement| &**agreement).map_err(|_| Refusal::NoAgreement)
    }

    fn answer_tag_set(&self, partner: &Known, asked: Asked<TagSetRequest>) -> Answered {
        let request = *asked.request();
        let set = SetKey {
            side: SetSide::Own,
            partner: partner.node(),
            class: request.class,
            epoch: request.epoch,
            serial: request.serial,
        };
        let head = self.agreement_for(partner).and_then(|_| {
            let head = self.store.tag_set_fetch(&set).map_err(here)?;
            let complete = head.filter(|head| head.state == SetState::Complete);
            complete.ok_or(Refusal::EpochUnknown)
        });
        match head {
            Err(refusal) => Answered::Reply(asked.refuse(refusal)),
            Ok(head) => match asked.stream(head.tags) {
                Ok((header, upload)) => Answered::Upload { header, upload, set },
                Err((asked, refusal)) => Answered::Reply(asked.refuse(refusal)),
            },
        }
    }

    /// The tags of one chunk that is due.
    ///
    /// # Errors
    /// [`DeskError`] where it is gone: the stream is reset then.
    pub fn upload_chunk(&self, set: &SetKey, number: u64) -> Result<Vec<u8>, DeskError> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let tags = self.store.tag_set_tags(set, number)?;
        tags.map(|tags| tags.to_vec())
            .ok_or_else(|| DeskError::internal("a chunk of a tag set is missing"))
    }

    fn answer_evaluate(&self, partner: &Known, asked: Asked<Evaluate>) -> Reply {
        match self.evaluate(partner, asked.request()) {
            Ok(evaluation) => asked.answer(&evaluation),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    /// Commitment, spend and log entry first; then the evaluation.
    fn evaluate(&self, partner: &Known, request: &Evaluate) -> Result<Evaluation, Refusal> {
        let agreement = self.agreement_for(partner)?;
        let terms = agreement.terms(request.class()).ok_or(Refusal::NoAgreement)?;
        let epoch = agreement.epoch_at(self.now()).map_err(|_| Refusal::NoAgreement)?;
        let published =
            self.store.tag_set_newest(SetSide::Own, &partner.node(), request.class(), epoch.number);
        if request.epoch() != epoch.number || published.map_err(here)?.is_none() {
            return Err(Refusal::EpochUnknown);
        }
        let blinded = request.blinded().map_err(|_| Refusal::ElementRefused)?;
        let seen = self.store.partner_seen(&partner.node()).map_err(here)?;
        let verifier = CheckpointVerifier::parse(&partner.card.card().log).map_err(here)?;
        let committed = verify_query(request.evidence(), &blinded, &verifier, seen.as_ref());
        let committed =
            committed.map_err(|error| self.uncommitted(partner, request.evidence(), &error))?;
        let (own, asker) = (self.identity().node(), partner.node());
        let names = KeyNames {
            holder: own.as_bytes(),
            asker: asker.as_bytes(),
            class: request.class(),
            epoch: epoch.number,
        };
        let seed = self.epoch_seed(partner, agreement).map_err(here)?;
        let sender = Sender::derive(&seed, &names).map_err(here)?.with_workers(self.workers);
        let budget = BudgetKey {
            partner: partner.node(),
            class: request.class(),
            epoch: epoch.number,
            direction: Direction::Answered,
        };
        let limit = terms.budget_per_epoch;
        let receipt = self.committed_spend(budget, limit, seen, &committed, request.evidence())?;
        let evaluated = sender.blind_evaluate(&blinded, self.surroundings.seed());
        let evaluated = evaluated.map_err(|_| Refusal::ElementRefused)?;
        Evaluation::new(request, &blinded, &committed, receipt, &evaluated).map_err(here)
    }

    /// Spends what a committed query costs, keeps what it showed of the asker's log, and logs that
    /// it is about to be answered: all durable when this returns.
    pub(crate) fn committed_spend(
        &self,
        budget: BudgetKey,
        limit: u64,
        seen: Option<LogSeen>,
        committed: &CommittedQuery,
        evidence: &QueryEvidence,
    ) -> Result<Receipt, Refusal> {
        let BudgetKey { partner, class, epoch, .. } = budget;
        let node = Officer::node();
        let entry = Entry::evaluation(self.who(&node), partner, class, epoch, committed);
        let write = Write::new()
            .spend(budget, u64::from(committed.elements()), limit)
            .partner_seen(partner, seen, committed.seen(), &evidence.checkpoint)
            .log(entry);
        match self.store.commit(write) {
            Ok(done) => done.last().ok_or(Refusal::Internal),
            Err(StoreError::Exhausted { remaining }) => Err(Refusal::BudgetExhausted { remaining }),
            // Two queries of one partner crossed: it asks again with a newer checkpoint.
            Err(StoreError::Conflict | StoreError::WentBack) => {
                Err(Refusal::Busy { retry_seconds: 1 })
            }
            Err(error) => Err(here(error)),
        }
    }

    /// Why evidence is refused; where it shows a second history, that is kept.
    pub(crate) fn uncommitted(
        &self,
        partner: &Known,
        evidence: &QueryEvidence,
        error: &AuditError,
    ) -> Refusal {
        if matches!(error, AuditError::NotConsistent(_)) {
            self.contradicted_by_query(partner, evidence);
        }
        Refusal::from(error)
    }

    fn answer_delivery(
        &self,
        session: &Established,
        partner: &Known,
        asked: Asked<Delivery>,
    ) -> Reply {
        match self.deliver(session, partner, asked.request()) {
            Ok(acknowledge) => asked.answer(&acknowledge),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn deliver(
        &self,
        session: &Established,
        partner: &Known,
        delivery: &Delivery,
    ) -> Result<Acknowledge, Refusal> {
        if !partner.is_welcome() {
            return Err(Refusal::Suspended);
        }
        let opened = self.open_envelope(delivery.envelope(), partner);
        let opened = opened.map_err(|_| Refusal::EnvelopeRefused)?;
        if self.store.envelope_fetch(opened.id().as_bytes()).map_err(here)?.is_some() {
            // Acknowledged again, applied once.
            return Ok(Acknowledge::taken());
        }
        match opened.payload() {
            Payload::Confirm(confirm) => {
                let confirm = confirm.clone();
                let answer = self.confirmed(partner, &opened, &confirm)?;
                Acknowledge::with(answer, session).map_err(here)
            }
            Payload::Receipt(receipt) => {
                let write = self.receipt_settles(partner, receipt, opened.statement_hash());
                let write = write.map_err(|_| Refusal::EnvelopeRefused)?;
                self.keep_received(&opened, write).map_err(|_| Refusal::Internal)?;
                Ok(Acknowledge::taken())
            }
            // Answers come on the stream of their question, never by themselves.
            Payload::Disclosure(_) | Payload::Refusal(_) | Payload::Account(_) => {
                Err(Refusal::EnvelopeRefused)
            }
            // What belongs to a stream comes by a push, which keeps its order.
            Payload::Alert(_)
            | Payload::Word(_)
            | Payload::Acknowledgement(_)
            | Payload::Manifest(_) => Err(Refusal::EnvelopeRefused),
        }
    }

    /// A partner proves that it holds an identifier: policy decides what it gets for that.
    fn confirmed(
        &self,
        partner: &Known,
        opened: &Opened,
        confirm: &ConfirmRequest,
    ) -> Result<Disclose, Refusal> {
        let agreement = self.agreement_for(partner)?;
        let event = ConfirmEvent {
            partner: partner.node(),
            class: confirm.class,
            epoch: confirm.epoch,
            statement_id: *opened.id().as_bytes(),
            statement_hash: opened.statement_hash(),
            purpose: confirm.purpose.clone(),
        };
        let node = Officer::node();
        let entry = Entry::confirm_received(self.who(&node), event);
        let write = Write::new().log(entry);
        let write = self.epoch_card_confirmed(partner, confirm, write).map_err(here)?;
        let decision = self.decide(partner, agreement, confirm).map_err(here)?;
        self.release(partner, opened, decision, write).map_err(here)
    }

    /// The one way out for anything about a record: grant, seal, log, wire.
    fn release(
        &self,
        partner: &Known,
        opened: &Opened,
        decided: Decided,
        mut write: Write,
    ) -> Result<Disclose, DeskError> {
        let (identity, now) = (self.identity(), self.now());
        let to = Recipient::new(&partner.card, now, Mode::Live)?;
        let terms = Terms {
            created: now,
            expires: now + STATEMENT_SECONDS,
            in_reply_to: Some(opened.id()),
        };
        let node = Officer::node();
        let seed = self.surroundings.seed();
        let sealed: Sealed = match decided {
            Decided::Granted { grant, record, opening } => {
                let sealed =
                    seal(grant, &record, Some(opening), &to, &identity.author(), &terms, seed)?;
                write = write.log(Entry::disclosed(self.who(&node), &sealed));
                sealed
            }
            Decided::Withheld(denial) => {
                if let Some(denial) = denial {
                    write = write.log(Entry::refused(self.who(&node), &denial));
                }
                let code = RefusalCode::Neutral;
                let refusal = Nothing { code, in_reply_to: opened.id() };
                let sealed = seal_refusal(refusal, &to, &identity.author(), &terms, seed)?;
                write = write.log(Entry::disclosed(self.who(&node), &sealed));
                sealed
            }
        };
        let write = write.evidence(&evidence_sent(&sealed, now)).owed(&owed_for(&sealed, now));
        let receipt = self.keep_received(opened, write)?;
        Ok(Disclose::new(sealed, receipt)?)
    }

    /// Whether there is something behind the tag, and what policy says of it.
    fn decide(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        confirm: &ConfirmRequest,
    ) -> Result<Decided, DeskError> {
        let Some(behind) = self.behind(partner, agreement, confirm)? else {
            return Ok(Decided::Withheld(None));
        };
        let (policy, context, now) = (self.policy(), partner.context(agreement), self.now());
        let mut last = None;
        // The newest record that policy releases; others stay for later questions.
        for record in behind.records.iter().rev() {
            let request = |action| Request {
                action,
                partner: &context,
                record,
                purpose: &confirm.purpose,
                class: Some(confirm.class),
                urgency: None,
                now,
            };
            let denial = match policy.decide(&request(Action::Confirm)) {
                Decision::Deny(denial) => denial,
                Decision::Allow(_) => match policy.decide(&request(Action::Disclose)) {
                    Decision::Allow(grant) => {
                        let (record, opening) = (Box::new(record.clone()), behind.opening);
                        return Ok(Decided::Granted { grant, record, opening });
                    }
                    Decision::Deny(denial) => denial,
                },
            };
            last = Some(denial);
        }
        Ok(Decided::Withheld(last))
    }

    /// The records behind a tag, if the partner really evaluated the identifier.
    fn behind(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        confirm: &ConfirmRequest,
    ) -> Result<Option<Behind>, DeskError> {
        let set = SetKey {
            side: SetSide::Own,
            partner: partner.node(),
            class: confirm.class,
            epoch: confirm.epoch,
            serial: confirm.serial,
        };
        let Some(about) = self.store.tag_set_about(&set)? else {
            return Ok(None);
        };
        let Ok(about) = About::decode(&about) else {
            return Ok(None);
        };
        let place = self.store.tag_set_find(&set, &[confirm.tag])?;
        let Some(place) = place.first().copied().flatten() else {
            return Ok(None);
        };
        let chunk = self.own_chunk(&set, place.chunk)?;
        let Some((position, entry)) = chunk.find(&confirm.tag) else {
            return Ok(None);
        };
        let (own, asker) = (self.identity().node(), partner.node());
        let names = KeyNames {
            holder: own.as_bytes(),
            asker: asker.as_bytes(),
            class: confirm.class,
            epoch: confirm.epoch,
        };
        let seed = self.epoch_seed(partner, agreement)?;
        let sender = Sender::derive(&seed, &names)?;
        let mut records = Vec::new();
        let mut is_proved = false;
        for row in &entry.records {
            let Ok(id) = RecordId::decode(row.id) else {
                continue;
            };
            let Some(record) = self.store.record_fetch(id)? else {
                continue;
            };
            // A record that changed since the set was built waits for the next one.
            if *record.version().as_bytes() != row.version || record.is_expired(self.now()) {
                continue;
            }
            is_proved = is_proved || proves(&sender, &record, confirm)?;
            records.push(record);
        }
        if !is_proved {
            return Ok(None);
        }
        let salt = SetSalt::derive(&seed, &names, confirm.serial);
        let opening = chunk.open_commitment(position, &about.level8, &salt)?;
        Ok(Some(Behind { records, opening }))
    }
}

/// What stands behind a confirmed tag.
struct Behind {
    records: Vec<Record>,
    opening: CommitmentOpening,
}

/// What policy decided on a confirm.
enum Decided {
    Granted { grant: Grant, record: Box<Record>, opening: CommitmentOpening },
    Withheld(Option<Denial>),
}

/// Whether the code is that of one of the record's own identifiers, compared in constant time.
fn proves(sender: &Sender, record: &Record, confirm: &ConfirmRequest) -> Result<bool, DeskError> {
    let identifiers = record.content().subjects.iter().flat_map(|subject| &subject.identifiers);
    for canonical in identifiers.filter_map(|identifier| identifier.canonical().ok()) {
        for key in canonical.keys().iter().filter(|key| key.class() == confirm.class) {
            let output = sender.evaluate(key)?;
            if output.tag() == confirm.tag {
                return Ok(output.verify_confirm(&confirm.confirm).is_ok());
            }
        }
    }
    Ok(false)
}

/// Something here failed: the partner learns no more than that.
fn here<E>(_: E) -> Refusal {
    Refusal::Internal
}

fn refuse(incoming: Incoming, refusal: Refusal) -> Reply {
    match incoming {
        Incoming::Card(asked) => asked.refuse(refusal),
        Incoming::Epochs(asked) => asked.refuse(refusal),
        Incoming::TagSet(asked) => asked.refuse(refusal),
        Incoming::Evaluate(asked) => asked.refuse(refusal),
        Incoming::Deliver(asked) => asked.refuse(refusal),
        Incoming::Cosign(asked) => asked.refuse(refusal),
        Incoming::Account(asked) => asked.refuse(refusal),
        Incoming::BulkBegin(asked) => asked.refuse(refusal),
        Incoming::BulkWait(asked) => asked.refuse(refusal),
        Incoming::BulkCarry(asked) => asked.refuse(refusal),
        Incoming::Push(asked) => asked.refuse(refusal),
        Incoming::Leave(asked) => asked.refuse(refusal),
        Incoming::Collect(asked) => asked.refuse(refusal),
        Incoming::Prove(asked) => asked.refuse(refusal),
    }
}
