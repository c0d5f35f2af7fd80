//! From what waits in the outbox to statements: in order, each decided, sealed and logged once, in
//! the commit that gives it its place.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: a place in the stream is given once, to one statement; a statement counts only where
//! the acceptance of its alert does.

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_audit::{Entry, Receipt};
use symbolon_disclosure::limits::LIFETIME_SECONDS_MAX;
use symbolon_disclosure::{
    AlertTerms, Recipient, Say, Sealed, StatementKind, Terms, Word, seal_alert, seal_word,
};
use symbolon_protocol::Disclose;
use symbolon_record::{Record, RecordId, RecordVersion};
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DeliveryState, Intent, Line, Route, Sent, Slot,
    StoreError, StreamSide, Write,
};
use symbolon_trust::{Mode, NodeId};

use super::audience::Grants;
use super::barred::Overlay;
use super::class_of;
use super::coming::Accepting;
use super::deliver::{MODES, damaged};
use super::ready::For;
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::PUSH_STATEMENTS_MAX;
use crate::{Desk, DeskError, Officer, spread};

/// Whether alerts are sealed whose acceptance is not durable yet.
#[derive(Clone, Copy)]
enum Early {
    Too,
    Not,
}

/// What waits for a partner at a position of its outbox.
struct Waiting {
    line: Line,
    position: u64,
    alert: RecordId,
    what: What,
}

enum What {
    /// An own alert, as it is now.
    Alert,
    /// An own alert whose acceptance is on its way to the disk.
    Coming(Arc<Accepting>),
    Word(Word, Mode),
}

/// A statement that is decided, in its place, and is not sealed yet.
struct Due {
    alert: RecordId,
    version: RecordVersion,
    mode: Mode,
    sequence: u64,
    seed: [u8; 32],
    says: Says,
}

enum Says {
    Alert(Box<(Grants, Record, AlertTerms)>),
    Word(Word),
}

impl Waiting {
    fn queued(position: u64, intent: &Intent) -> Result<Self, DeskError> {
        let (alert, what) = match *intent {
            Intent::Alert { alert, .. } => (alert, What::Alert),
            Intent::Word { alert, version, say, mode } => {
                let say = Say::from_codes(say).ok_or_else(damaged)?;
                (alert, What::Word(Word { alert, version, say }, mode))
            }
            Intent::Acknowledge { .. } => return Err(damaged()),
        };
        Ok(Self { line: intent.line(), position, alert, what })
    }

    fn coming(position: u64, coming: Arc<Accepting>) -> Self {
        let line = Line::Statements(coming.alert.mode);
        Self { line, position, alert: coming.alert.key.id, what: What::Coming(coming) }
    }
}

impl Desk {
    /// How many more statements a stream takes now; none where the partner's card has no key.
    fn room(&self, partner: &Known, mode: Mode, window: u64) -> Result<usize, DeskError> {
        if !self.is_sealable(partner, mode) {
            return Ok(0);
        }
        let room = window.saturating_sub(self.under_way_count(&partner.node(), mode)?);
        Ok(usize::try_from(room).unwrap_or(usize::MAX).min(PUSH_STATEMENTS_MAX))
    }

    /// Seals the first statements that wait, so that at most `window` of a stream are under way,
    /// and keeps them as such, in one write. Gives how many it dealt with.
    pub(super) fn outbox_seal(&self, partner: &Known, window: u64) -> Result<usize, DeskError> {
        let turn = self.alerts.sealing.of(&partner.node());
        let _one_at_a_time = lock(&turn);
        match self.sealed_together(partner, window, Early::Too)? {
            Some(dealt) => Ok(dealt),
            // An acceptance was refused. What was accepted with it is in the store by now.
            None => self.sealed_together(partner, window, Early::Not)?.ok_or_else(|| {
                let remedy = "it stays queued and is sealed again";
                DeskError::unavailable("what waits for the partner has changed meanwhile", remedy)
            }),
        }
    }

    /// The same, in one attempt: nothing where the write was refused, which changes nothing. Call
    /// it with the partner's turn.
    fn sealed_together(
        &self,
        partner: &Known,
        window: u64,
        early: Early,
    ) -> Result<Option<usize>, DeskError> {
        let (node, mut waiting) = (partner.node(), Vec::new());
        for mode in MODES {
            let room = self.room(partner, mode, window)?;
            waiting.extend(self.first_waiting(&node, mode, room, early)?);
        }
        let alerts = waiting.iter().map(|one| one.alert).collect();
        let _noted = self.alerts.noting.hold(&node, &alerts);
        let (mut overlay, mut fresh, dealt) = (Overlay::default(), Vec::new(), waiting.len());
        let mut write = Write::new();
        let mut all_due = Vec::with_capacity(dealt);
        for Waiting { line, position, alert, what } in waiting {
            let due = match what {
                // One that is durable by now may have been changed since.
                What::Coming(coming) if self.store.alert_fetch(&coming.alert.key)?.is_none() => {
                    write = write.behind(&coming.secrets);
                    let record = coming.record.clone();
                    self.said_due(partner, &coming.alert, record, &mut overlay)?
                }
                What::Alert | What::Coming(_) => self.alert_due(partner, alert, &mut overlay)?,
                What::Word(word, mode) => self.word_due(partner, word, mode, &mut overlay)?,
            };
            write = write.outbox_delete(&node, line, position);
            all_due.extend(due);
        }
        let seal = |due: Due| {
            let (alert, version) = (due.alert, due.version);
            self.due_sealed(partner, due).map(|sealed| (alert, version, sealed))
        };
        for sealed in spread::each(all_due, self.workers, seal) {
            let (alert, version, sealed) = sealed?;
            overlay.sealed(alert, &sealed);
            let entry = write.entries();
            write = self.sent_noted(write, &sealed, alert, version)?;
            fresh.push((entry, sealed));
        }
        for (mode, (old, next)) in &overlay.next {
            write = write.stream(StreamSide::Out, &node, *mode, *old, *next);
        }
        write = self.beside(write, &node, overlay);
        if write.is_empty() {
            return Ok(Some(dealt));
        }
        match self.store.commit(write) {
            Ok(done) => self.ready_put(partner, fresh, done.receipts()).map(|()| Some(dealt)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first `limit` statements of a mode that wait for a partner, in their order. Those that
    /// are coming are taken: whatever becomes of this attempt, the store shows them afterwards.
    fn first_waiting(
        &self,
        node: &NodeId,
        mode: Mode,
        limit: usize,
        early: Early,
    ) -> Result<Vec<Waiting>, DeskError> {
        // Before the store is read: what becomes durable in between is seen twice, not never.
        let coming = match early {
            Early::Too => self.alerts.coming.of(node, mode),
            Early::Not => BTreeMap::new(),
        };
        let queued = self.store.outbox_scan(node, Line::Statements(mode), 0, limit)?;
        let mut all = BTreeMap::new();
        for (position, intent) in &queued {
            all.insert(*position, Waiting::queued(*position, intent)?);
        }
        for (position, coming) in coming {
            all.entry(position).or_insert_with(|| Waiting::coming(position, coming));
        }
        let waiting: Vec<_> = all.into_values().take(limit).collect();
        for one in &waiting {
            self.alerts.coming.take(node, one.position);
        }
        Ok(waiting)
    }

    /// Keeps sealed envelopes for the next push; each comes with the number of its entry in the
    /// write that `receipts` are of. A file takes too many of them.
    fn ready_put(
        &self,
        partner: &Known,
        fresh: Vec<(usize, Sealed)>,
        receipts: &[Receipt],
    ) -> Result<(), DeskError> {
        if partner.row.route == Route::Courier {
            return Ok(());
        }
        for (entry, sealed) in fresh {
            let receipt = receipts.get(entry).copied();
            let (Some(receipt), Some(sequence)) = (receipt, sealed.sequence()) else { continue };
            let mode = sealed.mode();
            let kid = Recipient::new(&partner.card, self.now(), mode)?.key.kid;
            let about = For { statement_hash: sealed.statement_hash(), kid };
            let envelope = Disclose::new(sealed, receipt)?;
            self.alerts.ready.put(&partner.node(), (mode, sequence), about, envelope);
        }
        Ok(())
    }

    /// Keeps a sealed statement as under way, and logs it.
    pub(super) fn sent_noted(
        &self,
        write: Write,
        sealed: &Sealed,
        alert: RecordId,
        version: RecordVersion,
    ) -> Result<Write, DeskError> {
        let sequence = sealed.sequence();
        let sequence = sequence
            .ok_or_else(|| DeskError::internal("a statement has no place in its stream"))?;
        let (node, mode) = (sealed.to(), sealed.mode());
        let key = AlertKey { origin: self.identity().node(), id: alert };
        // Only an alert holds content, which must go when the alert goes.
        let holds = sealed.kind() == StatementKind::Alert;
        let (hash, now) = (sealed.statement_hash(), self.now());
        let sent = Sent {
            statement_hash: hash,
            alert,
            version,
            signed: Some(sealed.signed().to_vec()),
            sent_at: now,
        };
        Ok(write
            .sent(&node, mode, sequence, &sent, holds.then_some(&key))
            .delivery_statement(&node, &hash, alert)
            .log_named(Entry::disclosed(self.who(&Officer::node()), sealed), hash))
    }

    /// The next place in the stream to a partner.
    fn place(&self, node: &NodeId, mode: Mode, overlay: &mut Overlay) -> Result<u64, DeskError> {
        let next = match overlay.next.get(&mode) {
            Some(next) => *next,
            None => {
                let next = self.store.stream_next(StreamSide::Out, node, mode)?;
                (next, next)
            }
        };
        overlay.next.insert(mode, (next.0, next.1 + 1));
        Ok(next.1)
    }

    pub(super) fn delivery_of(
        &self,
        alert: RecordId,
        node: &NodeId,
        overlay: &Overlay,
    ) -> Result<AlertDelivery, DeskError> {
        if let Some(known) = overlay.deliveries.get(&alert) {
            return Ok(known.clone());
        }
        let known = self.store.delivery_fetch(&alert, node)?;
        Ok(known.unwrap_or_else(|| AlertDelivery::queued(alert, *node)))
    }

    /// Seals an alert as it is now; nothing where it is gone, where the partner has this version,
    /// or where policy no longer lets it have it.
    pub(super) fn alert_sealed(
        &self,
        partner: &Known,
        id: RecordId,
        overlay: &mut Overlay,
    ) -> Result<Option<(RecordVersion, Sealed)>, DeskError> {
        let Some(due) = self.alert_due(partner, id, overlay)? else { return Ok(None) };
        let version = due.version;
        let sealed = self.due_sealed(partner, due)?;
        overlay.sealed(id, &sealed);
        Ok(Some((version, sealed)))
    }

    /// What is to be sealed of an alert, under the same conditions, in the place that it gets.
    fn alert_due(
        &self,
        partner: &Known,
        id: RecordId,
        overlay: &mut Overlay,
    ) -> Result<Option<Due>, DeskError> {
        let key = AlertKey { origin: self.identity().node(), id };
        let Some(alert) = self.store.alert_fetch(&key)? else { return Ok(None) };
        let Some(record) = self.alert_record(&key, Slot::Current)? else { return Ok(None) };
        self.said_due(partner, &alert, record, overlay)
    }

    /// The same, of an alert that says this.
    fn said_due(
        &self,
        partner: &Known,
        alert: &Alert,
        record: Record,
        overlay: &mut Overlay,
    ) -> Result<Option<Due>, DeskError> {
        let (node, now) = (partner.node(), self.now());
        let is_open = matches!(alert.state, AlertState::Active | AlertState::Waiting);
        if !is_open || alert.expires_on <= now {
            return Ok(None);
        }
        let mut delivery = self.delivery_of(alert.key.id, &node, overlay)?;
        if delivery.version == Some(record.version()) {
            return Ok(None);
        }
        // Taken out since it was queued: the word of that follows where anything has gone out.
        if !alert.audience.contains(&node) {
            overlay.never_sent(delivery);
            return Ok(None);
        }
        let grants = match self.may_have(partner, &record, class_of(alert)?) {
            Ok(grants) => grants,
            Err(barred) => {
                self.barred(delivery, alert, &barred, overlay);
                return Ok(None);
            }
        };
        let terms = AlertTerms {
            class: class_of(alert)?,
            previous: delivery.version,
            read_by: alert.read_by,
            act_by: alert.act_by,
            expires_on: alert.expires_on,
        };
        let sequence = self.place(&node, alert.mode, overlay)?;
        let (id, version) = (alert.key.id, record.version());
        delivery.state = DeliveryState::Sent;
        (delivery.version, delivery.sent_at) = (Some(version), Some(now));
        (delivery.delivered_at, delivery.read_at) = (None, None);
        (delivery.acted_at, delivery.deleted_at) = (None, None);
        overlay.deliveries.insert(id, delivery);
        let says = Says::Alert(Box::new((grants, record, terms)));
        let seed = self.surroundings.seed();
        Ok(Some(Due { alert: id, version, mode: alert.mode, sequence, seed, says }))
    }

    /// A word, where the partner has something that it is about.
    fn word_due(
        &self,
        partner: &Known,
        word: Word,
        mode: Mode,
        overlay: &mut Overlay,
    ) -> Result<Option<Due>, DeskError> {
        let (node, Word { alert, version, say }) = (partner.node(), word);
        let own = AlertKey { origin: self.identity().node(), id: alert };
        let is_own = self.store.alert_fetch(&own)?.is_some();
        if is_own {
            let mut delivery = self.delivery_of(alert, &node, overlay)?;
            if delivery.version.is_none() {
                return Ok(None);
            }
            if matches!(say, Say::Withdrawn(_)) {
                delivery.state = DeliveryState::Withdrawing;
                overlay.deliveries.insert(alert, delivery);
            }
        }
        let sequence = self.place(&node, mode, overlay)?;
        let (seed, says) = (self.surroundings.seed(), Says::Word(word));
        Ok(Some(Due { alert, version, mode, sequence, seed, says }))
    }

    pub(super) fn word_sealed(
        &self,
        partner: &Known,
        word: Word,
        mode: Mode,
        sequence: u64,
    ) -> Result<Sealed, DeskError> {
        let (alert, version, seed) = (word.alert, word.version, self.surroundings.seed());
        let says = Says::Word(word);
        self.due_sealed(partner, Due { alert, version, mode, sequence, seed, says })
    }

    /// Signs and seals it: what takes most of the time, and touches nothing else.
    fn due_sealed(&self, partner: &Known, due: Due) -> Result<Sealed, DeskError> {
        let Due { mode, sequence, seed, says, .. } = due;
        let (now, identity) = (self.now(), self.identity());
        let to = Recipient::new(&partner.card, now, mode)?;
        let terms = Terms { created: now, expires: now + LIFETIME_SECONDS_MAX, in_reply_to: None };
        let author = identity.author();
        let sealed = match says {
            Says::Alert(alert) => {
                let (Grants { push, fields }, record, said) = *alert;
                seal_alert(push, fields, &record, &said, sequence, &to, &author, &terms, seed)
            }
            Says::Word(word) => seal_word(word, sequence, &to, &author, &terms, seed),
        };
        Ok(sealed?)
    }
}
