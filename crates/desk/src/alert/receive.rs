//! What comes in: opened, applied once and in order, screened, durable, then acknowledged.
//!
//! Implements spec/alerts.md#receipt.
//!
//! Invariants: a statement behind its place is applied never again and acknowledged again; one
//! ahead of its place is left to be sent again; only the origin of an alert changes it.

use std::collections::{BTreeMap, HashSet};

use symbolon_audit::{AlertAct, DeletedEvent, Entry, Receipt};
use symbolon_disclosure::{AckItem, Alerted, Opened, Payload, Say, Stage, Word, open};
use symbolon_protocol::{Asked, Established, PushAnswer, Pushing, Refusal, Reply};
use symbolon_store::{
    Alert, AlertKey, AlertState, DueFor, InboxKind, Intent, Rings, Slot, StreamSide, Write,
};
use symbolon_trust::{Mode, NodeId};

use super::deliver::MODES;
use super::{alert_event, is_gone, reached};
use crate::asking::lock;
use crate::confirm::evidence_received;
use crate::desk::Known;
use crate::{Desk, DeskError};

/// What became of a parcel of envelopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Applied now.
    pub applied: usize,
    /// Applied before, and acknowledged again.
    pub repeated: usize,
    /// Ahead of their place: something before them is missing.
    pub ahead: usize,
    /// Not for this node, not from a partner, damaged or expired.
    pub refused: usize,
}

impl Taken {
    pub(super) fn add(&mut self, more: Self) {
        self.applied += more.applied;
        self.repeated += more.repeated;
        self.ahead += more.ahead;
        self.refused += more.refused;
    }
}

/// An acknowledgement whose leaf is known once the write is durable.
struct Owed {
    statement_hash: [u8; 32],
    stage: Stage,
    leaf: Leaf,
}

enum Leaf {
    /// The entry of this number in the write under way.
    Coming(usize),
    /// One that is there.
    At(u64, u64),
}

/// One sender's statements on their way into the store.
struct Taking<'a> {
    desk: &'a Desk,
    partner: &'a Known,
    write: Write,
    /// Alerts that the write under way touches: the store does not show them yet.
    touched: HashSet<AlertKey>,
    next: BTreeMap<Mode, (u64, u64)>,
    owed: Vec<(Mode, Owed)>,
    items: BTreeMap<Mode, Vec<AckItem>>,
    taken: Taken,
}

impl Desk {
    /// Answers a push: what was taken is durable by then.
    pub(crate) fn answer_push(
        &self,
        session: &Established,
        partner: &Known,
        asked: Asked<Pushing>,
    ) -> Reply {
        match self.push_taken(session, partner, asked.request()) {
            Ok(answer) => asked.answer(&answer),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn push_taken(
        &self,
        session: &Established,
        partner: &Known,
        push: &Pushing,
    ) -> Result<PushAnswer, Refusal> {
        let here = |_| Refusal::Internal;
        if !partner.is_welcome() {
            return Err(Refusal::Suspended);
        }
        let mut opened = Vec::new();
        for envelope in push.envelopes() {
            match self.open_envelope(envelope, partner) {
                Ok(one) => opened.push(one),
                // What came before a bad one is taken; the sender learns how far that was.
                Err(_) if !opened.is_empty() => break,
                Err(_) => return Err(Refusal::EnvelopeRefused),
            }
        }
        self.arrival_awaited(partner, &opened);
        let (_, items) = self.statements_taken(partner, opened).map_err(refusal)?;
        // One acknowledgement a push: that of the live stream first, the other comes by itself.
        let mut answer = None;
        for (mode, items) in items {
            if answer.is_none() && !items.is_empty() {
                answer = Some(self.acknowledgement(partner, mode, items).map_err(here)?);
            } else {
                self.acknowledge_later(&partner.node(), mode, &items).map_err(here)?;
            }
        }
        let mut next = [1; 2];
        for (next, mode) in next.iter_mut().zip(MODES) {
            let found = self.store.stream_next(StreamSide::In, &partner.node(), mode);
            *next = found.map_err(|_| Refusal::Internal)?;
        }
        PushAnswer::new(answer, next, session).map_err(|_| Refusal::Internal)
    }

    /// Takes envelopes that a relay or a courier brought; each may be of another partner. What is
    /// acknowledged goes back by the outbox.
    ///
    /// # Errors
    /// [`DeskError`] from the store; what was taken before stays taken.
    pub fn parcel_take(&self, envelopes: &[Vec<u8>]) -> Result<Taken, DeskError> {
        self.parcel_of(None, envelopes)
    }

    /// The same, all of it of one sender and mode where `of` names them: anything else is refused.
    pub(super) fn parcel_of(
        &self,
        of: Option<(NodeId, Mode)>,
        envelopes: &[Vec<u8>],
    ) -> Result<Taken, DeskError> {
        let (identity, partners, now) = (self.identity(), self.partners(), self.now());
        let sender = |node: &NodeId| {
            let known = partners.get(node).filter(|known| known.is_welcome());
            known.map(|known| known.card().card().signing.clone())
        };
        let mut taken = Taken::default();
        let mut by_sender: BTreeMap<NodeId, Vec<Opened>> = BTreeMap::new();
        for envelope in envelopes {
            match open(envelope, &identity.recipients, &sender, &identity.node(), now) {
                Ok(opened) if of.is_none_or(|of| of == (opened.from(), opened.mode())) => {
                    by_sender.entry(opened.from()).or_default().push(opened);
                }
                Ok(_) | Err(_) => taken.refused += 1,
            }
        }
        for (node, mut opened) in by_sender {
            let Some(partner) = partners.get(&node) else { continue };
            // A carrier may bring them in any order.
            opened.sort_by_key(|one| one.sequence());
            let (more, items) = self.statements_taken(partner, opened)?;
            for (mode, items) in items {
                self.acknowledge_later(&node, mode, &items)?;
            }
            taken.add(more);
        }
        Ok(taken)
    }

    pub(crate) fn acknowledge_later(
        &self,
        node: &NodeId,
        mode: Mode,
        items: &[AckItem],
    ) -> Result<(), DeskError> {
        let mut write = Write::new();
        for item in items {
            write = write.outbox(node, self.outbox_position(), &acknowledge(item, mode));
        }
        if !write.is_empty() {
            self.store.commit(write)?;
            self.tell_queued(&[*node]);
        }
        Ok(())
    }

    /// Applies what one partner sent, in its order; durable when this returns.
    fn statements_taken(
        &self,
        partner: &Known,
        opened: Vec<Opened>,
    ) -> Result<(Taken, BTreeMap<Mode, Vec<AckItem>>), DeskError> {
        let turn = self.alerts.receiving.of(&partner.node());
        let _one_at_a_time = lock(&turn);
        let mut taking = Taking {
            desk: self,
            partner,
            write: Write::new(),
            touched: HashSet::new(),
            next: BTreeMap::new(),
            owed: Vec::new(),
            items: BTreeMap::new(),
            taken: Taken::default(),
        };
        for one in &opened {
            taking.take(one)?;
        }
        let flushed = taking.flush();
        self.alerts.arrivals.tell();
        flushed?;
        Ok((taking.taken, taking.items))
    }
}

impl Taking<'_> {
    fn take(&mut self, opened: &Opened) -> Result<(), DeskError> {
        let mode = opened.mode();
        // Nothing of a mode for which no agreement stands.
        if self.partner.in_force_for(mode, self.desk.now()).is_err() {
            self.taken.refused += 1;
            return Ok(());
        }
        let Some(sequence) = opened.sequence() else {
            return self.take_unsequenced(opened);
        };
        let node = self.partner.node();
        let (old, next) = match self.next.get(&mode) {
            Some(next) => *next,
            None => {
                let next = self.desk.store.stream_next(StreamSide::In, &node, mode)?;
                (next, next)
            }
        };
        if sequence < next {
            return self.repeat(opened, mode);
        }
        if sequence > next {
            self.taken.ahead += 1;
            return Ok(());
        }
        let key = match opened.payload() {
            Payload::Alert(alerted) => AlertKey { origin: node, id: alerted.view.id },
            Payload::Word(word) => self.key_of(word)?,
            _ => return Ok(()),
        };
        if self.touched.contains(&key) {
            self.flush()?;
        }
        self.touched.insert(key);
        let old = self.next.get(&mode).map_or(old, |(old, _)| *old);
        self.next.insert(mode, (old, sequence + 1));
        let entry = Entry::received(self.who(), opened);
        let received = self.log(entry, opened.statement_hash());
        match opened.payload() {
            Payload::Alert(alerted) => self.alert(opened, &key, alerted, received)?,
            Payload::Word(word) => self.word(opened, &key, word, received)?,
            _ => {}
        }
        self.taken.applied += 1;
        Ok(())
    }

    fn who(&self) -> symbolon_audit::Who<'static> {
        symbolon_audit::Who { now: self.desk.now(), actor: "node" }
    }

    /// Adds an entry to the write, under the name of what it is about; gives its number.
    fn log(&mut self, entry: Entry, name: [u8; 32]) -> usize {
        let number = self.write.entries();
        self.put(|write| write.log_named(entry, name));
        number
    }

    fn put(&mut self, change: impl FnOnce(Write) -> Write) {
        self.write = change(std::mem::take(&mut self.write));
    }

    fn owe(&mut self, mode: Mode, statement_hash: [u8; 32], stage: Stage, leaf: Leaf) {
        self.owed.push((mode, Owed { statement_hash, stage, leaf }));
    }

    /// The alert that a word is about: of its sender, or of this node.
    fn key_of(&self, word: &Word) -> Result<AlertKey, DeskError> {
        let theirs = AlertKey { origin: self.partner.node(), id: word.alert };
        let own = AlertKey { origin: self.desk.identity().node(), id: word.alert };
        let is_own =
            matches!(word.say, Say::Contest(_)) && self.desk.store.alert_fetch(&own)?.is_some();
        Ok(if is_own { own } else { theirs })
    }

    fn alert(
        &mut self,
        opened: &Opened,
        key: &AlertKey,
        alerted: &Alerted,
        received: usize,
    ) -> Result<(), DeskError> {
        let (mode, now, hash) = (opened.mode(), self.desk.now(), opened.statement_hash());
        let known = self.desk.store.alert_fetch(key)?;
        let kind = alerted.view.kind;
        let agreement = self.partner.in_force_for(mode, now);
        let is_agreed = agreement
            .is_ok_and(|agreement| kind.is_none_or(|kind| agreement.permits_kind(kind.as_str())));
        let is_other =
            known.as_ref().is_some_and(|known| known.mode != mode || is_gone(known.state));
        if !is_agreed || is_other || alerted.expires_on <= now {
            // It keeps its place in the stream; nothing of it is kept.
            self.owe(mode, hash, Stage::Refused, Leaf::Coming(received));
            return Ok(());
        }
        let met = self.desk.screened(&alerted.view, mode)?;
        let mut alert = Alert {
            key: *key,
            mode,
            class: alerted.class.code(),
            state: AlertState::Active,
            version: alerted.view.version,
            submitter: String::new(),
            decided_by: None,
            accepted_at: now,
            changed_at: now,
            read_by: alerted.read_by,
            act_by: alerted.act_by,
            expires_on: alerted.expires_on,
            audience: Vec::new(),
            contested: None,
            statement_hash: Some(hash),
            read_at: None,
            acted_at: None,
            outcome: None,
            rings: met.rings(),
            matches: met.records,
            pending: None,
        };
        if let Some(known) = known {
            // A new version is read anew; the contest stays until the origin says otherwise.
            alert.accepted_at = known.accepted_at;
            alert.contested = known.contested;
            self.put(|write| {
                write.due_delete(known.expires_on, DueFor::Expire, key).inbox_delete(
                    known.act_by,
                    InboxKind::Alert,
                    key,
                )
            });
        }
        let watched = std::mem::take(&mut self.write);
        let (watched, calls) = self.desk.watch_applied(key, alerted, mode, watched)?;
        self.write = watched;
        if calls == Rings::Rings && alert.contested.is_none() {
            alert.rings = calls;
        }
        let signed = opened.signed().to_vec();
        self.put(|write| {
            write
                .alert(&alert)
                .alert_content(key, Slot::Current, &signed)
                .due(alert.expires_on, DueFor::Expire, key)
                .inbox(alert.act_by, InboxKind::Alert, key)
        });
        self.owe(mode, hash, Stage::Delivered, Leaf::Coming(received));
        Ok(())
    }

    fn word(
        &mut self,
        opened: &Opened,
        key: &AlertKey,
        word: &Word,
        received: usize,
    ) -> Result<(), DeskError> {
        let (mode, now, hash) = (opened.mode(), self.desk.now(), opened.statement_hash());
        self.put(|write| write.evidence(&evidence_received(opened, now)));
        self.owe(mode, hash, Stage::Delivered, Leaf::Coming(received));
        let is_theirs = key.origin == self.partner.node();
        let known = self.desk.store.alert_fetch(key)?;
        if known.is_none() && is_theirs && matches!(word.say, Say::Withdrawn(_)) {
            // Its origin learns that nothing of it is here, as if it had come before.
            let (alert, origin) = (word.alert, key.origin);
            let event = DeletedEvent { alert, origin, statement_hash: hash, mode };
            let entry = Entry::deleted(self.who(), event);
            let deleted = self.log(entry, stage_leaf(&hash, Stage::Deleted));
            self.owe(mode, hash, Stage::Deleted, Leaf::Coming(deleted));
        }
        let Some(mut alert) = known.filter(|known| known.mode == mode && !is_gone(known.state))
        else {
            return Ok(());
        };
        match word.say {
            Say::Withdrawn(_) if is_theirs => {
                alert.state = AlertState::Withdrawn;
                self.delete(alert)?;
            }
            Say::Withdrawn(_) => {}
            Say::Contest(reason) if is_theirs => {
                alert.contested = Some(reason.code());
                alert.rings = Rings::Silent;
                alert.changed_at = now;
                self.put(|write| write.alert(&alert));
            }
            Say::Contest(_) => {
                let delivery = self.desk.store.delivery_fetch(&key.id, &self.partner.node())?;
                if delivery.is_some_and(|delivery| reached(&delivery)) {
                    let event = alert_event(&alert, AlertAct::Contested, 0);
                    let entry = Entry::alert(self.who(), event);
                    self.put(|write| write.inbox(now, InboxKind::Contested, key).log(entry));
                }
            }
        }
        Ok(())
    }

    /// Erases what an alert says, and owes the proof of it to its origin.
    fn delete(&mut self, mut alert: Alert) -> Result<(), DeskError> {
        let (mode, key) = (alert.mode, alert.key);
        alert.changed_at = self.desk.now();
        let Some(hash) = alert.statement_hash else { return Ok(()) };
        let event = DeletedEvent { alert: key.id, origin: key.origin, statement_hash: hash, mode };
        let entry = Entry::deleted(self.who(), event);
        self.put(|write| {
            write
                .alert_erase(&key)
                .due_delete(alert.expires_on, DueFor::Expire, &key)
                .inbox_delete(alert.act_by, InboxKind::Alert, &key)
                .alert(&alert)
        });
        let deleted = self.log(entry, stage_leaf(&hash, Stage::Deleted));
        self.owe(mode, hash, Stage::Deleted, Leaf::Coming(deleted));
        Ok(())
    }

    /// What came before: acknowledged again, with everything that has become of it since.
    fn repeat(&mut self, opened: &Opened, mode: Mode) -> Result<(), DeskError> {
        self.taken.repeated += 1;
        let hash = opened.statement_hash();
        let (key, about) = match opened.payload() {
            Payload::Alert(alerted) => {
                (AlertKey { origin: self.partner.node(), id: alerted.view.id }, Some(hash))
            }
            Payload::Word(word) => (self.key_of(word)?, None),
            _ => return Ok(()),
        };
        if self.touched.contains(&key) {
            self.flush()?;
        }
        let alert = self.desk.store.alert_fetch(&key)?.filter(|alert| alert.mode == mode);
        let Some(at) = self.leaf(&hash)? else {
            return self.refilled(opened, mode, key, alert);
        };
        let is_refused = about.is_some() && alert.is_none();
        self.owe(mode, hash, if is_refused { Stage::Refused } else { Stage::Delivered }, at);
        // A word is acknowledged with what became of the alert that it is about, or of itself
        // where there never was one.
        let of_alert = alert.filter(|alert| alert.key.origin == self.partner.node());
        let about = about.or_else(|| of_alert.and_then(|alert| alert.statement_hash));
        let about = about.unwrap_or(hash);
        for stage in [Stage::Read, Stage::Acted, Stage::Deleted] {
            if let Some(at) = self.leaf(&stage_leaf(&about, stage))? {
                self.owe(mode, about, stage, at);
            }
        }
        Ok(())
    }

    /// Another statement in a place that is over: its sender could not send the first one again.
    /// The version that is held has another name now; any other version is not taken here.
    fn refilled(
        &mut self,
        opened: &Opened,
        mode: Mode,
        key: AlertKey,
        held: Option<Alert>,
    ) -> Result<(), DeskError> {
        let hash = opened.statement_hash();
        let received = self.log(Entry::received(self.who(), opened), hash);
        self.touched.insert(key);
        let stage = match (opened.payload(), held) {
            (Payload::Alert(alerted), Some(mut alert))
                if alert.version == alerted.view.version && !is_gone(alert.state) =>
            {
                alert.statement_hash = Some(hash);
                self.put(|write| write.alert(&alert));
                Stage::Delivered
            }
            (Payload::Alert(_), _) => Stage::Refused,
            _ => Stage::Delivered,
        };
        self.owe(mode, hash, stage, Leaf::Coming(received));
        Ok(())
    }

    fn leaf(&self, name: &[u8; 32]) -> Result<Option<Leaf>, DeskError> {
        let Some(receipt) = self.desk.store.log_receipt(name)? else {
            return Ok(None);
        };
        let logged = self.desk.store.log_entry_fetch(receipt.leaf_index)?;
        let at = logged.map_or(self.desk.now(), |logged| logged.entry().at());
        Ok(Some(Leaf::At(receipt.leaf_index, at)))
    }

    /// Acknowledgements have no place in the stream: they may come twice and say the same.
    fn take_unsequenced(&mut self, opened: &Opened) -> Result<(), DeskError> {
        if !matches!(opened.payload(), Payload::Acknowledgement(_)) {
            self.taken.refused += 1;
            return Ok(());
        }
        self.flush()?;
        {
            let (_noted, write) = match self.desk.acknowledged(self.partner, opened, Write::new()) {
                Ok(noted) => noted,
                // What one partner says falsely holds up nobody else whose words came with it.
                Err(error) if error.fault() == crate::Fault::Refused => {
                    self.taken.refused += 1;
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            self.desk.store.commit(write)?;
        }
        self.desk.settled_by(self.partner, opened)?;
        self.taken.applied += 1;
        Ok(())
    }

    /// Makes durable what was taken so far, and turns what is owed into acknowledgements.
    fn flush(&mut self) -> Result<(), DeskError> {
        let mut write = std::mem::take(&mut self.write);
        let node = self.partner.node();
        for (mode, (old, next)) in &self.next {
            write = write.stream(StreamSide::In, &node, *mode, *old, *next);
        }
        let receipts = match write.is_empty() {
            true => Vec::new(),
            false => self.desk.store.commit(write)?.receipts().to_vec(),
        };
        let now = self.desk.now();
        for (mode, owed) in self.owed.drain(..) {
            let (log_index, at) = match owed.leaf {
                Leaf::At(index, at) => (index, at),
                Leaf::Coming(number) => {
                    let receipt: Option<&Receipt> = receipts.get(number);
                    let receipt =
                        receipt.ok_or_else(|| DeskError::internal("an entry has no receipt"))?;
                    (receipt.leaf_index, now)
                }
            };
            let Owed { statement_hash, stage, .. } = owed;
            let item = AckItem { statement_hash, stage, at, log_index };
            self.items.entry(mode).or_default().push(item);
        }
        for (old, next) in self.next.values_mut() {
            *old = *next;
        }
        self.touched.clear();
        Ok(())
    }
}

pub(super) fn acknowledge(item: &AckItem, mode: Mode) -> Intent {
    Intent::Acknowledge {
        statement_hash: item.statement_hash,
        stage: item.stage.code(),
        at: item.at,
        log_index: item.log_index,
        mode,
    }
}

/// The name of the leaf that records how far an alert came here.
pub(super) fn stage_leaf(statement_hash: &[u8; 32], stage: Stage) -> [u8; 32] {
    symbolon_codec::sha256("symbolon/1 stage leaf", &[statement_hash, &[stage.code()]])
}

/// What the partner is told where the store refused.
fn refusal(error: DeskError) -> Refusal {
    match error.fault() {
        crate::Fault::Unavailable => Refusal::Busy { retry_seconds: 1 },
        _ => Refusal::Internal,
    }
}
