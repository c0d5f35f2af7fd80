//! From statements to envelopes: each in fresh ones until it is acknowledged, and what this node
//! acknowledges beside them.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: what is sent again is the same statement in a fresh envelope; nothing leaves before
//! its log entry is durable.

use std::collections::{BTreeMap, HashMap, HashSet};

use symbolon_audit::Entry;
use symbolon_disclosure::limits::LIFETIME_SECONDS_MAX;
use symbolon_disclosure::{
    AckItem, Acknowledgement, Kept, Opened, Payload, Recipient, Say, Sealed, Stage, Terms,
    WithdrawReason, Word, reseal, seal_acknowledgement,
};
use symbolon_protocol::Disclose;
use symbolon_record::RecordId;
use symbolon_store::{
    AlertDelivery, Committed, DeliveryState, Intent, Line, Sent, StreamSide, Write,
};
use symbolon_trust::{Mode, NodeId};

use super::barred::Overlay;
use super::carry::{Batch, Hold, Room};
use super::flight::Behind;
use super::noting::Noted;
use super::ready::For;
use crate::confirm::{evidence_received, evidence_sent};
use crate::desk::Known;
use crate::limits::PUSH_STATEMENTS_MAX;
use crate::{Desk, DeskError, Officer};

pub(crate) const MODES: [Mode; 2] = [Mode::Live, Mode::Exercise];

/// What a partner has acknowledged, on its way into the store: nobody else changes how far it is
/// with those alerts meanwhile.
#[must_use]
pub(crate) struct Acknowledged<'a> {
    desk: &'a Desk,
    partner: NodeId,
    /// Whether the partner says of something that it is deleted.
    is_deleted: bool,
    noted: Noted<'a>,
}

impl Acknowledged<'_> {
    /// It is durable: what the partner says that it deleted can be proved. Whoever looked before
    /// would find nothing.
    pub(super) fn durable(self, _: &Committed) {
        let Self { desk, partner, is_deleted, noted } = self;
        drop(noted);
        if is_deleted {
            desk.deletions_said(&partner);
        }
    }
}

impl Desk {
    /// Puts together what was sealed and is not acknowledged, and what this node acknowledges,
    /// behind what is on its way already. Call it with the partner's turn.
    pub(crate) fn batch(&self, partner: &Known, behind: &Behind) -> Result<Batch, DeskError> {
        let _key = Recipient::new(&partner.card, self.now(), Mode::Live)?;
        let mut batch = Batch::new(self.push_bytes(&partner.node()));
        let place = |of: &BTreeMap<Mode, u64>, mode| of.get(&mode).copied().unwrap_or_default();
        let sealable = MODES.into_iter().filter(|mode| self.is_sealable(partner, *mode));
        // First, so that no stream that stands still keeps them back.
        for mode in sealable.clone() {
            let (positions, items): (_, Vec<_>) = self
                .owed(&partner.node(), mode, place(&behind.unplaced, mode))?
                .into_iter()
                .unzip();
            if items.is_empty() {
                continue;
            }
            let envelope = self.acknowledgement(partner, mode, items)?;
            if batch.add(envelope, Hold::Unplaced(mode, positions)) == Room::Full {
                break;
            }
        }
        for mode in sealable {
            let behind = place(&behind.placed, mode);
            let rows = self.under_way(&partner.node(), mode, behind, PUSH_STATEMENTS_MAX)?;
            for (sequence, sent) in rows {
                let envelope = match self.first(partner, mode, sequence, &sent)? {
                    Some(envelope) => envelope,
                    None => self.again(partner, mode, sequence, sent)?,
                };
                if batch.add(envelope, Hold::Placed(mode, sequence)) == Room::Full {
                    break;
                }
            }
        }
        Ok(batch)
    }

    /// What was sealed and is not acknowledged, behind a place.
    pub(super) fn under_way(
        &self,
        node: &NodeId,
        mode: Mode,
        behind: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Sent)>, DeskError> {
        let settled = self.store.stream_next(StreamSide::Settled, node, mode)? - 1;
        Ok(self.store.sent_scan(node, mode, settled.max(behind), limit)?)
    }

    /// How many statements of a mode are under way.
    pub(super) fn under_way_count(&self, node: &NodeId, mode: Mode) -> Result<u64, DeskError> {
        let next = self.store.stream_next(StreamSide::Out, node, mode)?;
        let settled = self.store.stream_next(StreamSide::Settled, node, mode)?;
        Ok(next.saturating_sub(settled))
    }

    /// The envelope that a statement was sealed in, where it has not left and still can.
    fn first(
        &self,
        partner: &Known,
        mode: Mode,
        sequence: u64,
        sent: &Sent,
    ) -> Result<Option<Disclose>, DeskError> {
        let now = self.now();
        let kid = Recipient::new(&partner.card, now, mode)?.key.kid;
        let about = For { statement_hash: sent.statement_hash, kid };
        let envelope = self.alerts.ready.take(&partner.node(), (mode, sequence), about);
        // What was erased, taken back or has grown old since does not leave.
        let stays = envelope.is_some() && self.is_taken_back(&partner.node(), sent)?;
        Ok(envelope.filter(|_| is_sendable(sent, now) && !stays))
    }

    /// The same statement in a fresh envelope: the partner's key may have changed meanwhile. Where
    /// the content was erased since, its place is filled by the word that it is withdrawn.
    pub(super) fn again(
        &self,
        partner: &Known,
        mode: Mode,
        sequence: u64,
        sent: Sent,
    ) -> Result<Disclose, DeskError> {
        let now = self.now();
        let signed = sent.signed.as_ref().filter(|_| is_sendable(&sent, now));
        let (Some(signed), false) = (signed, self.is_taken_back(&partner.node(), &sent)?) else {
            return self.fill(partner, mode, sequence, &sent);
        };
        let to = Recipient::new(&partner.card, now, mode)?;
        let receipt = self.store.log_receipt(&sent.statement_hash)?;
        let receipt =
            receipt.ok_or_else(|| DeskError::internal("a sent statement is not logged"))?;
        let envelope = reseal(signed, &to, &self.identity().author(), self.surroundings.seed())?;
        Ok(Disclose::resealed(envelope, receipt)?)
    }

    /// Takes the place of a statement that can no longer be sent: with the same word, with the
    /// alert as it is now, or with the word that it is withdrawn.
    fn fill(
        &self,
        partner: &Known,
        mode: Mode,
        sequence: u64,
        sent: &Sent,
    ) -> Result<Disclose, DeskError> {
        let _noted = self.alerts.noting.hold(&partner.node(), &HashSet::from([sent.alert]));
        let mut overlay = Overlay::default();
        let (alert, version) = (sent.alert, sent.version);
        let sealed = match word_in(sent)? {
            Some(word) => self.word_sealed(partner, word, mode, sequence)?,
            None => self.alert_again(partner, mode, sequence, sent, &mut overlay)?,
        };
        let write = self.beside(Write::new(), &partner.node(), overlay);
        let receipt = self.logged(self.sent_noted(write, &sealed, alert, version)?)?;
        Ok(Disclose::new(sealed, receipt)?)
    }

    /// The alert as it is now, in the place of an older statement, or the word of its
    /// withdrawal.
    fn alert_again(
        &self,
        partner: &Known,
        mode: Mode,
        sequence: u64,
        sent: &Sent,
        overlay: &mut Overlay,
    ) -> Result<Sealed, DeskError> {
        let (alert, version) = (sent.alert, sent.version);
        let before = self.delivery_of(alert, &partner.node(), overlay)?;
        overlay.next.insert(mode, (sequence, sequence));
        overlay.deliveries.insert(alert, AlertDelivery { version: None, ..before.clone() });
        let sealed = match before.state {
            DeliveryState::Withdrawing => None,
            _ => self.alert_sealed(partner, alert, overlay)?,
        };
        // The recipient may have applied another statement in this place: a version that has a
        // place of its own, or waits for one, still takes that.
        let is_newest = before.version == Some(version)
            && sealed.as_ref().is_some_and(|(now, _)| *now == version);
        if !is_newest {
            overlay.deliveries.insert(alert, before);
        }
        match sealed {
            Some((_, sealed)) => Ok(sealed),
            None => {
                let say = Say::Withdrawn(WithdrawReason::NoLongerShared);
                self.word_sealed(partner, Word { alert, version, say }, mode, sequence)
            }
        }
    }

    pub(super) fn is_sealable(&self, partner: &Known, mode: Mode) -> bool {
        Recipient::new(&partner.card, self.now(), mode).is_ok()
    }

    /// The first acknowledgements that wait for a partner behind a position, each with its own.
    pub(super) fn owed(
        &self,
        node: &NodeId,
        mode: Mode,
        behind: u64,
    ) -> Result<Vec<(u64, AckItem)>, DeskError> {
        let line = Line::Acknowledgements(mode);
        let rows = self.store.outbox_scan(node, line, behind, PUSH_STATEMENTS_MAX)?;
        rows.into_iter()
            .map(|(position, intent)| {
                let Intent::Acknowledge { statement_hash, stage, at, log_index, .. } = intent
                else {
                    return Err(damaged());
                };
                let stage = Stage::from_code(stage).ok_or_else(damaged)?;
                Ok((position, AckItem { statement_hash, stage, at, log_index }))
            })
            .collect()
    }

    /// One signature over many acknowledgements, logged and ready to leave.
    pub(crate) fn acknowledgement(
        &self,
        partner: &Known,
        mode: Mode,
        items: Vec<AckItem>,
    ) -> Result<Disclose, DeskError> {
        let (_, checkpoint) = self.checkpoint()?;
        let (sealed, write) = self.acknowledgement_under(partner, mode, items, checkpoint)?;
        let receipt = self.logged(write)?;
        Ok(Disclose::new(sealed, receipt)?)
    }

    /// One signature over many acknowledgements under a checkpoint, and the write that keeps and
    /// logs it.
    pub(super) fn acknowledgement_under(
        &self,
        partner: &Known,
        mode: Mode,
        mut items: Vec<AckItem>,
        checkpoint: String,
    ) -> Result<(Sealed, Write), DeskError> {
        items.sort_by_key(|item| (item.statement_hash, item.stage));
        items.dedup_by_key(|item| (item.statement_hash, item.stage));
        let (now, identity) = (self.now(), self.identity());
        let to = Recipient::new(&partner.card, now, mode)?;
        let terms = Terms { created: now, expires: now + LIFETIME_SECONDS_MAX, in_reply_to: None };
        let (author, seed) = (identity.author(), self.surroundings.seed());
        let payload = Acknowledgement { items, checkpoint };
        let sealed = seal_acknowledgement(payload, &to, &author, &terms, seed)?;
        let write = Write::new()
            .evidence(&evidence_sent(&sealed, now))
            .log(Entry::disclosed(self.who(&Officer::node()), &sealed));
        Ok((sealed, write))
    }

    /// Notes the acknowledgements of a partner, and keeps them as evidence: commit the write while
    /// what comes with it is held.
    pub(crate) fn acknowledged(
        &self,
        partner: &Known,
        opened: &Opened,
        mut write: Write,
    ) -> Result<(Acknowledged<'_>, Write), DeskError> {
        let Payload::Acknowledgement(given) = opened.payload() else {
            let remedy = "tell the partner's operators";
            return Err(DeskError::refused("the partner's answer is no acknowledgement", remedy));
        };
        let checkpoint = self.their_checkpoint(partner, &given.checkpoint)?;
        if given.items.iter().any(|item| item.log_index >= checkpoint.size()) {
            return Err(DeskError::refused(
                "the checkpoint of an acknowledgement does not cover its leaves",
                "tell the partner's operators; nothing was kept",
            ));
        }
        let node = partner.node();
        let mut about = Vec::with_capacity(given.items.len());
        for item in &given.items {
            let alert = self.store.delivery_by_statement(&node, &item.statement_hash)?;
            about.extend(alert.map(|alert| (alert, item)));
        }
        let alerts = about.iter().map(|(alert, _)| *alert).collect();
        let noted = self.alerts.noting.hold(&node, &alerts);
        let mut changed: HashMap<RecordId, AlertDelivery> = HashMap::new();
        for (alert, item) in about {
            let known = match changed.remove(&alert) {
                Some(known) => Some(known),
                None => self.store.delivery_fetch(&alert, &node)?,
            };
            if let Some(mut delivery) = known {
                advance(&mut delivery, item);
                if item.stage == Stage::Deleted {
                    let said = (opened.statement_hash(), checkpoint.size());
                    write = self.deletion_noted(write, node, alert, item, said)?;
                }
                changed.insert(alert, delivery);
            }
        }
        for delivery in changed.values() {
            write = write.delivery(delivery);
        }
        let entry = Entry::received(self.who(&Officer::node()), opened);
        let is_deleted = given.items.iter().any(|item| item.stage == Stage::Deleted);
        let held = Acknowledged { desk: self, partner: node, is_deleted, noted };
        Ok((held, write.evidence(&evidence_received(opened, self.now())).log(entry)))
    }
}

/// Whether a statement is held whole, and lives long enough to arrive.
fn is_sendable(sent: &Sent, now: u64) -> bool {
    sent.signed.is_some() && now < sent.sent_at.saturating_add(LIFETIME_SECONDS_MAX - 3_600)
}

/// The word that a statement under way is, where it is one.
pub(super) fn word_in(sent: &Sent) -> Result<Option<Word>, DeskError> {
    let kept = sent.signed.as_ref().map(|signed| Kept::decode(signed)).transpose()?;
    Ok(kept.and_then(|kept| match kept.payload() {
        Payload::Word(word) => Some(*word),
        _ => None,
    }))
}

pub(super) fn damaged() -> DeskError {
    DeskError::internal("an outbox row is damaged")
}

/// A recipient only ever goes forward.
fn advance(delivery: &mut AlertDelivery, item: &AckItem) {
    let (state, at) = match item.stage {
        Stage::Delivered => (DeliveryState::Delivered, &mut delivery.delivered_at),
        Stage::Read => (DeliveryState::Read, &mut delivery.read_at),
        Stage::Acted => (DeliveryState::Acted, &mut delivery.acted_at),
        Stage::Deleted => (DeliveryState::Deleted, &mut delivery.deleted_at),
        Stage::Refused => (DeliveryState::Refused, &mut delivery.delivered_at),
    };
    // What is said of an earlier version, or of a word, says nothing of the newest version.
    let is_newest = delivery.statement_hash == Some(item.statement_hash);
    if !is_newest && item.stage != Stage::Deleted {
        return;
    }
    at.get_or_insert(item.at);
    delivery.their_index = Some(item.log_index);
    let is_withdrawing = delivery.state == DeliveryState::Withdrawing;
    if delivery.state.rank() < state.rank() && (!is_withdrawing || item.stage == Stage::Deleted) {
        delivery.state = state;
    }
}
