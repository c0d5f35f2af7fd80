//! Confirming a hit: the asker's side, from the officer's yes to the kept disclosure.
//!
//! Implements spec/matching.md#confirm.
//!
//! Invariant: nothing is sent before its log entry and evidence are durable; what comes back is
//! kept before it is acknowledged.

use symbolon_audit::{Act, ConfirmEvent, Entry, Receipt as LogReceipt, ReceiptEvent};
use symbolon_codec::Framed;
use symbolon_disclosure::{
    ConfirmRequest, Opened, Payload, Receipt, Recipient, Sealed, Terms, open, seal_confirm,
    seal_receipt,
};
use symbolon_policy::{Action, Decision, Request};
use symbolon_protocol::limits::EPOCH_CARD_BYTES_MAX;
use symbolon_protocol::{Disclose, EpochCard};
use symbolon_store::{Admitted, Evidence, Hit, HitState, SetKey, SetSide, Way, Write};
use symbolon_trust::{Mode, VerifiedAgreement};

use crate::account::owed_for;
use crate::api::{ConfirmReport, HitConfirm, Reason, Report};
use crate::ask::check_reason;
use crate::desk::Known;
use crate::hit::{Support, state_name};
use crate::limits::STATEMENT_SECONDS;
use crate::read::Shown;
use crate::surroundings::LinkError;
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Confirms a hit to the partner and keeps what it releases.
    ///
    /// # Errors
    /// [`DeskError`] where the own policy or the agreement forbids it. A partner that cannot be
    /// reached is no error: the report says `not_asked`, and the hit stays as it was.
    pub fn hit_confirm(
        &self,
        officer: &Officer,
        request: HitConfirm,
        _report: &mut dyn Report,
    ) -> Result<ConfirmReport, DeskError> {
        let sight = officer.sight()?;
        check_reason(&request.reason)?;
        let mut hit = self.hit_named(&request.id)?;
        let partner = self.partner(&hit.partner).ok_or_else(|| {
            DeskError::refused("the hit's partner is no longer known", "add the partner again")
        })?;
        let agreement = match self.ready(&partner, hit.class, &request.reason) {
            Ok(agreement) => agreement,
            Err(cause) => {
                // Nothing goes out, so nothing else would say that the hit was shown.
                let (object, id, reason) =
                    ("hit", hit.id.to_string(), request.reason.case.as_str());
                self.note_shown(&sight, Shown { object, id, count: 1, reason })?;
                return self.not_asked(&hit, cause);
            }
        };
        self.own_policy_allows(officer, &mut hit, &partner, &agreement, &request.reason)?;
        let (sealed, receipt) = self.confirm_seal(officer, &mut hit, &partner, &request.reason)?;
        let mut log = vec![receipt.leaf_index];
        let question = sealed.id();
        let envelope = Disclose::new(sealed, receipt)?;
        let delivered = match self.link()?.deliver(&partner.node(), &envelope) {
            Ok(delivered) => delivered,
            Err(error) => {
                // Only what certainly did not arrive goes back to "found".
                if matches!(error, LinkError::Unreachable { .. }) {
                    hit.state = HitState::Found;
                    let owed = hit.confirm_hash.take().unwrap_or_default();
                    let write = Write::new().hit(&hit).owed_withdraw(&partner.node(), &owed);
                    self.store.commit(write)?;
                }
                return self.not_asked(&hit, error.to_string());
            }
        };
        let Some(answer) = delivered.envelope() else {
            return self.not_asked(&hit, "the partner has it and answers later".to_owned());
        };
        let opened = self.open_envelope(answer, &partner)?;
        let is_reply = match opened.payload() {
            Payload::Disclosure(disclosed) => disclosed.in_reply_to == Some(question),
            Payload::Refusal(refusal) => refusal.in_reply_to == question,
            _ => false,
        };
        if !is_reply {
            return self.not_asked(&hit, "the partner's answer is to another question".to_owned());
        }
        self.check_opening(&hit, &opened)?;
        hit.state = match opened.payload() {
            Payload::Disclosure(_) => HitState::Released,
            _ => HitState::Neutral,
        };
        hit.answer_hash = Some(opened.statement_hash());
        hit.changed_at = self.now();
        let received = self.keep_received(&opened, Write::new().hit(&hit))?;
        log.push(received.leaf_index);
        log.extend(self.acknowledge(&partner, &opened, &received)?);
        Ok(ConfirmReport {
            hit: self.hit_row(&hit, &Support::new(&self.hits()?)),
            outcome: state_name(hit.state).to_owned(),
            cause: None,
            released: self.released(&hit)?,
            log_indexes: log,
        })
    }

    fn not_asked(&self, hit: &Hit, cause: String) -> Result<ConfirmReport, DeskError> {
        Ok(ConfirmReport {
            hit: self.hit_row(hit, &Support::new(&self.hits()?)),
            outcome: "not_asked".to_owned(),
            cause: Some(cause),
            released: Vec::new(),
            log_indexes: Vec::new(),
        })
    }

    /// Confirming tells the partner that this node holds the identifier: the own policy decides.
    /// An identifier that an officer typed is no record's, and its confirming is the officer's act.
    fn own_policy_allows(
        &self,
        officer: &Officer,
        hit: &mut Hit,
        partner: &Known,
        agreement: &VerifiedAgreement,
        reason: &Reason,
    ) -> Result<(), DeskError> {
        let Some(id) = hit.record else { return Ok(()) };
        let Some(record) = self.store.record_fetch(id)? else {
            return Ok(());
        };
        let context = partner.context(agreement);
        let request = Request {
            action: Action::Confirm,
            partner: &context,
            record: &record,
            purpose: &reason.purpose,
            class: Some(hit.class),
            urgency: None,
            now: self.now(),
        };
        match self.policy().decide(&request) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denial) => {
                hit.state = HitState::Refused;
                hit.changed_at = self.now();
                let entry = Entry::refused(self.who(officer), &denial);
                self.store.commit(Write::new().hit(hit).log(entry))?;
                Err(DeskError::refused(
                    "this node's policy does not let this record be confirmed to the partner",
                    "'symbolon policy explain' names the rule",
                ))
            }
        }
    }

    fn confirm_seal(
        &self,
        officer: &Officer,
        hit: &mut Hit,
        partner: &Known,
        reason: &Reason,
    ) -> Result<(Sealed, LogReceipt), DeskError> {
        let (identity, now) = (self.identity(), self.now());
        let salt = self.surroundings.seed();
        let case = Framed::new().part(salt).part(&reason.case).part(&reason.legal_basis);
        let confirm = ConfirmRequest {
            class: hit.class,
            epoch: hit.epoch,
            serial: hit.serial,
            tag: hit.tag,
            confirm: hit.confirm.clone(),
            purpose: reason.purpose.clone(),
            case_hash: symbolon_codec::sha256("symbolon/1 case", &[case.as_bytes()]),
        };
        let terms = Terms { created: now, expires: now + STATEMENT_SECONDS, in_reply_to: None };
        let to = Recipient::new(&partner.card, now, Mode::Live)?;
        let sealed =
            seal_confirm(confirm, &to, &identity.author(), &terms, self.surroundings.seed())?;
        let event = ConfirmEvent {
            partner: partner.node(),
            class: hit.class,
            epoch: hit.epoch,
            statement_id: *sealed.id().as_bytes(),
            statement_hash: sealed.statement_hash(),
            purpose: reason.purpose.clone(),
        };
        hit.state = HitState::Confirmed;
        hit.changed_at = now;
        hit.case.clone_from(&reason.case);
        hit.purpose.clone_from(&reason.purpose);
        hit.confirm_hash = Some(sealed.statement_hash());
        let write = Write::new()
            .hit(hit)
            .evidence(&evidence_sent(&sealed, now))
            .owed(&owed_for(&sealed, now))
            .log(Entry::confirm_sent(self.who(officer), event));
        let receipt = self.logged(write)?;
        Ok((sealed, receipt))
    }

    /// Commits a write that logs, and gives the receipt of its last entry.
    pub(crate) fn logged(&self, write: Write) -> Result<LogReceipt, DeskError> {
        let receipt = self.store.commit(write)?.last();
        receipt.ok_or_else(|| DeskError::internal("a logged write has a receipt"))
    }

    /// Opens an envelope that came from `partner`, and from nobody else.
    pub(crate) fn open_envelope(&self, bytes: &[u8], partner: &Known) -> Result<Opened, DeskError> {
        let identity = self.identity();
        let sender = |node: &symbolon_trust::NodeId| {
            (*node == partner.node()).then(|| partner.card.card().signing.clone())
        };
        Ok(open(bytes, &identity.recipients, &sender, &identity.node(), self.now())?)
    }

    /// The opening shows that the record stood behind the tag before this node asked.
    fn check_opening(&self, hit: &Hit, opened: &Opened) -> Result<(), DeskError> {
        let Payload::Disclosure(disclosed) = opened.payload() else {
            return Ok(());
        };
        let set = SetKey {
            side: SetSide::Received,
            partner: hit.partner,
            class: hit.class,
            epoch: hit.epoch,
            serial: hit.serial,
        };
        // The set may be gone, replaced by a newer one; then there is nothing to compare with.
        let Some(card) = self.store.tag_set_about(&set)? else {
            return Ok(());
        };
        let card: EpochCard = symbolon_codec::decode(&card, EPOCH_CARD_BYTES_MAX)
            .map_err(|_| DeskError::internal("a kept epoch card is damaged"))?;
        let broken = "the partner's answer does not open the commitment of its tag set";
        let remedy = "tell the partner's operators; nothing was kept";
        let opening = disclosed.opening.as_ref();
        let opening = opening.ok_or_else(|| DeskError::refused(broken, remedy))?;
        let (count, root) = (card.count, card.set_root);
        match opening.verify(&hit.tag, count, &root) {
            Ok(_) => Ok(()),
            Err(_) => Err(DeskError::refused(broken, remedy)),
        }
    }

    /// Admits what came in, keeps it as evidence and logs it, all at once with `write`.
    pub(crate) fn keep_received(
        &self,
        opened: &Opened,
        write: Write,
    ) -> Result<LogReceipt, DeskError> {
        let entry = Entry::received(self.who(&Officer::node()), opened);
        let write = write.evidence(&evidence_received(opened, self.now())).log(entry);
        let id = *opened.id().as_bytes();
        match self.store.envelope_admit(id, opened.expires(), Vec::new(), write)? {
            Admitted::New(committed) => {
                committed.last().ok_or_else(|| DeskError::internal("a logged write has a receipt"))
            }
            Admitted::Repeat(_) => Err(DeskError::refused(
                "this statement came before and was applied then",
                "nothing is to be done",
            )),
        }
    }

    /// Tells the partner that its statement is kept here. One that does not arrive is no loss: the
    /// partner lists it as overdue.
    fn acknowledge(
        &self,
        partner: &Known,
        opened: &Opened,
        received: &LogReceipt,
    ) -> Result<Option<u64>, DeskError> {
        let (identity, now) = (self.identity(), self.now());
        let (_, checkpoint) = self.checkpoint()?;
        let receipt = Receipt {
            statement_hash: opened.statement_hash(),
            at: now,
            log_index: received.leaf_index,
            checkpoint,
        };
        let terms = Terms {
            created: now,
            expires: now + STATEMENT_SECONDS,
            in_reply_to: Some(opened.id()),
        };
        let to = Recipient::new(&partner.card, now, Mode::Live)?;
        let seed = self.surroundings.seed();
        let sealed = seal_receipt(receipt, &to, &identity.author(), &terms, seed)?;
        let event = ReceiptEvent {
            partner: partner.node(),
            statement_hash: opened.statement_hash(),
            receipt_hash: sealed.statement_hash(),
            act: Act::Sent,
        };
        let write = Write::new()
            .evidence(&evidence_sent(&sealed, now))
            .log(Entry::receipt(self.who(&Officer::node()), event));
        let logged = self.logged(write)?;
        let _ = self.link()?.deliver(&partner.node(), &Disclose::new(sealed, logged)?);
        Ok(Some(logged.leaf_index))
    }
}

pub(crate) fn evidence_sent(sealed: &Sealed, at: u64) -> Evidence {
    Evidence {
        statement_hash: sealed.statement_hash(),
        way: Way::Sent,
        partner: sealed.to(),
        kind: sealed.kind().code(),
        at,
        signed: sealed.signed().to_vec(),
    }
}

pub(crate) fn evidence_received(opened: &Opened, at: u64) -> Evidence {
    Evidence {
        statement_hash: opened.statement_hash(),
        way: Way::Received,
        partner: opened.from(),
        kind: opened.kind().code(),
        at,
        signed: opened.signed().to_vec(),
    }
}
