//! One sender's statements on their way into the store: each applied in its place, screened,
//! logged, and owed an acknowledgement.
//!
//! Implements spec/alerts.md#receipt.
//!
//! Invariants: only the origin of an alert changes it; a statement in a place that is over changes
//! nothing but its name; nothing is acknowledged before its leaf is durable.

use std::collections::{BTreeMap, HashSet};

use symbolon_audit::{AlertAct, DeletedEvent, Entry};
use symbolon_disclosure::{AckItem, Alerted, Opened, Payload, Say, Stage, Word};
use symbolon_protocol::Disclose;
use symbolon_store::{
    Alert, AlertKey, AlertState, Committed, DueFor, Foretold, InboxKind, Rings, Slot, StreamSide,
    Write,
};
use symbolon_trust::Mode;

use super::{Taken, alert_event, is_gone, reached};
use crate::confirm::evidence_received;
use crate::desk::Known;
use crate::{Desk, DeskError};

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
pub(super) struct Taking<'a> {
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

/// What a push is answered.
pub(super) struct Answer {
    /// The acknowledgement that goes back with it.
    pub(super) now: Option<Disclose>,
    /// What is acknowledged by the outbox.
    pub(super) later: BTreeMap<Mode, Vec<AckItem>>,
}

impl<'a> Taking<'a> {
    /// Nothing yet.
    pub(super) fn new(desk: &'a Desk, partner: &'a Known) -> Self {
        Self {
            desk,
            partner,
            write: Write::new(),
            touched: HashSet::new(),
            next: BTreeMap::new(),
            owed: Vec::new(),
            items: BTreeMap::new(),
            taken: Taken::default(),
        }
    }

    /// Applies one statement.
    pub(super) fn take(&mut self, opened: &Opened) -> Result<(), DeskError> {
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
        let (noted, write) = match self.desk.acknowledged(self.partner, opened, Write::new()) {
            Ok(noted) => noted,
            // What one partner says falsely holds up nobody else whose words came with it.
            Err(error) if error.fault() == crate::Fault::Refused => {
                self.taken.refused += 1;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        noted.durable(&self.desk.store.commit(write)?);
        self.desk.settled_by(self.partner, opened)?;
        self.taken.applied += 1;
        Ok(())
    }

    /// Makes durable what was taken so far, and turns what is owed into acknowledgements.
    fn flush(&mut self) -> Result<(), DeskError> {
        let write = self.ended();
        let mut done = None;
        if !write.is_empty() {
            done = Some(self.desk.store.commit(write)?);
        }
        self.settle(done.as_ref())
    }

    /// Makes durable what was taken, and gives what is owed for it.
    pub(super) fn done(mut self) -> Result<(Taken, BTreeMap<Mode, Vec<AckItem>>), DeskError> {
        self.flush()?;
        Ok((self.taken, self.items))
    }

    /// Makes durable what was taken, and the acknowledgement of it with it, where the log does not
    /// grow meanwhile; otherwise it is owed.
    pub(super) fn answered(mut self) -> Result<Answer, DeskError> {
        let (desk, write) = (self.desk, self.ended());
        // Where several partners send at once, the log grows under all but one.
        let alone = desk.alerts.answering.try_lock();
        if write.is_empty() || alone.is_err() {
            self.write = write;
            self.flush()?;
            return Ok(Answer { now: None, later: self.items });
        }
        let foreseen = desk.store.foresee(write)?;
        let mut later = self.items_at(|entry| foreseen.leaf_index(entry))?;
        let Some((mode, items)) = later.pop_first() else {
            return Err(DeskError::internal("what was taken is not acknowledged"));
        };
        let checkpoint = desk.checkpoint_of(foreseen.head())?;
        let (sealed, beside) = desk.acknowledgement_under(self.partner, mode, items, checkpoint)?;
        match desk.store.commit_foreseen(foreseen, beside, sealed)? {
            Foretold::Both(done, sealed) => {
                let receipt = done.last();
                let receipt =
                    receipt.ok_or_else(|| DeskError::internal("an entry has no receipt"))?;
                Ok(Answer { now: Some(Disclose::new(sealed, receipt)?), later })
            }
            Foretold::First(done) => {
                self.settle(Some(&done))?;
                Ok(Answer { now: None, later: self.items })
            }
        }
    }

    /// What was taken so far, with how far it moves the streams.
    fn ended(&mut self) -> Write {
        let mut write = std::mem::take(&mut self.write);
        let node = self.partner.node();
        for (mode, (old, next)) in &mut self.next {
            if old < next {
                write = write.stream(StreamSide::In, &node, *mode, *old, *next);
                *old = *next;
            }
        }
        self.touched.clear();
        write
    }

    /// Turns what is owed into acknowledgements.
    fn settle(&mut self, done: Option<&Committed>) -> Result<(), DeskError> {
        let receipts = done.map(Committed::receipts).unwrap_or_default();
        let placed = |entry: usize| receipts.get(entry).map(|receipt| receipt.leaf_index);
        self.items = self.items_at(placed)?;
        self.owed.clear();
        Ok(())
    }

    /// All acknowledgements so far; `placed` tells where an entry of the write stands.
    fn items_at(
        &self,
        placed: impl Fn(usize) -> Option<u64>,
    ) -> Result<BTreeMap<Mode, Vec<AckItem>>, DeskError> {
        let (now, mut items) = (self.desk.now(), self.items.clone());
        for (mode, Owed { statement_hash, stage, leaf }) in &self.owed {
            let (log_index, at) = match *leaf {
                Leaf::At(index, at) => (index, at),
                Leaf::Coming(entry) => {
                    let index = placed(entry);
                    (index.ok_or_else(|| DeskError::internal("an entry has no leaf"))?, now)
                }
            };
            let (statement_hash, stage) = (*statement_hash, *stage);
            let item = AckItem { statement_hash, stage, at, log_index };
            items.entry(*mode).or_default().push(item);
        }
        Ok(items)
    }
}

/// The name of the leaf that records how far an alert came here.
pub(super) fn stage_leaf(statement_hash: &[u8; 32], stage: Stage) -> [u8; 32] {
    symbolon_codec::sha256("symbolon/1 stage leaf", &[statement_hash, &[stage.code()]])
}
