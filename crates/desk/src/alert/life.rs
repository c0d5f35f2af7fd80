//! The life of an alert after its acceptance: changed, narrowed, contested, withdrawn, expired,
//! acknowledged.
//!
//! Implements spec/alerts.md#life.
//!
//! Invariants: nobody but the origin changes an alert; whoever has it is told; what is withdrawn
//! or over is erased, and the log says so.

use symbolon_audit::{AlertAct, DeletedEvent, Entry};
use symbolon_disclosure::{AckItem, ContestReason, Say, Stage, WithdrawReason};
use symbolon_record::RecordId;
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DeliveryState, DueFor, InboxKind, Intent, Pending,
    Rings, Slot, Write,
};
use symbolon_trust::NodeId;

use super::apply::stage_leaf;
use super::audience::Audience;
use super::submit::{Submitting, change_digest};
use super::{Repeated, Sending, alert_event, alert_id, class_of, is_gone, reached};
use crate::api::{
    AlertAck, AlertAcks, AlertContest, AlertName, AlertNarrow, AlertSent, AlertUpdate,
    AlertWithdraw, Report,
};
use crate::limits::DUE_ROWS;
use crate::officer::Role;
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Changes what an own alert says. The same content is no new version and changes nothing. A
    /// hotline's change waits for a yes as a first sending does.
    ///
    /// # Errors
    /// [`DeskError`] that names the field and the remedy; an alert that is gone.
    pub fn alert_update(
        &self,
        officer: &Officer,
        request: AlertUpdate,
        _report: &mut dyn Report,
    ) -> Result<AlertSent, DeskError> {
        let _one_at_a_time = self.changing();
        let read = self.form_parsed(officer, &request.form)?;
        let digest = change_digest("update", &request.id, &read.digest);
        let own = Submitting::new(officer, request.idempotency_key.as_deref(), digest)?;
        if let Some(known) = self.submitted(&own)? {
            return self.submitted_again(&own, &known);
        }
        self.hotline_may(officer, read.content.kind)?;
        let mut alert = self.alert_changeable(officer, &request.id)?;
        let held = self.alert_record(&alert.key, Slot::Current)?;
        let held = held.ok_or_else(|| DeskError::internal("the content of an alert is gone"))?;
        let mut content = read.content;
        if content.exercise != held.content().exercise {
            return Err(DeskError::refused(
                "a drill cannot become a real alert, nor the other way round",
                "send a new alert",
            ));
        }
        // When it ends follows from its first sending, unless the form says otherwise.
        if request.form.expires_days.is_none() {
            (content.review_on, content.expires_on) =
                (held.content().review_on, held.content().expires_on);
        }
        content.dispute.clone_from(&held.content().dispute);
        let record = held.revise(content)?;
        let mut audience = self.audience(&record, read.class, &request.form)?;
        self.never_back(&alert, &mut audience)?;
        if record.version() == held.version() && read.class == class_of(&alert)? {
            return self.unchanged(&own, &alert, &audience);
        }
        let now = self.now();
        let nodes: Vec<NodeId> = audience.recipients.iter().map(|chosen| chosen.node()).collect();
        let needs_yes = audience.awaiting() > 0;
        let (mut write, mut told) = (own.kept(Write::new(), alert.key.id, now), Vec::new());
        let queued = if needs_yes && alert.state == AlertState::Active {
            // The version in force stays in force until somebody has said yes.
            alert.pending = Some(Pending {
                version: record.version(),
                class: read.class.code(),
                by: officer.as_str().to_owned(),
                audience: nodes,
            });
            write = write.alert_content(&alert.key, Slot::Pending, &record.encode()).inbox(
                alert.read_by,
                InboxKind::Approve,
                &alert.key,
            );
            Vec::new()
        } else {
            let gone = self.left_out(&alert, &nodes)?;
            write = self.taken_back(write, &alert, &gone);
            if alert.pending.take().is_some() {
                // What waited for a yes is older than this.
                write = write.alert_content_delete(&alert.key, Slot::Pending).inbox_delete(
                    alert.read_by,
                    InboxKind::Approve,
                    &alert.key,
                );
            }
            told = gone;
            write = self.re_timed(write, &mut alert, record.content().expires_on);
            alert.version = record.version();
            alert.class = read.class.code();
            alert.submitter = officer.as_str().to_owned();
            write = write.alert_content(&alert.key, Slot::Current, &record.encode());
            let queued = match alert.state {
                AlertState::Waiting => audience.automatic().collect(),
                _ => nodes.clone(),
            };
            alert.audience = nodes;
            queued
        };
        alert.changed_at = now.max(alert.accepted_at + 1);
        let places = self.places(&queued);
        write = self.queue(write.alert(&alert), &alert, &places, Sending::Again)?;
        let event = alert_event(&alert, AlertAct::Updated, queued.len());
        let receipt = self.logged(own.logged(write, Entry::alert(self.who(officer), event)))?;
        told.extend(queued);
        self.tell_queued(&told);
        Ok(self.alert_sent(officer, &alert, &audience, receipt, Repeated::No))
    }

    /// Takes an own alert back everywhere; what it says is erased here at once.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown reason or an alert that is gone.
    pub fn alert_withdraw(
        &self,
        officer: &Officer,
        request: AlertWithdraw,
        report: &mut dyn Report,
    ) -> Result<AlertAcks, DeskError> {
        let reason = named(&request.reason, WithdrawReason::ALL, WithdrawReason::as_str)?;
        let _one_at_a_time = self.changing();
        let digest = change_digest("withdraw", &request.id, request.reason.as_bytes());
        let own = Submitting::new(officer, request.idempotency_key.as_deref(), digest)?;
        if self.submitted(&own)?.is_some() {
            return self.alert_acks(officer, AlertName { id: request.id }, report);
        }
        let mut alert = self.alert_changeable(officer, &request.id)?;
        let nodes = self.holders(&alert.key.id)?;
        let write = own.kept(Write::new(), alert.key.id, self.now());
        let mut write = self.words(write, &alert, &nodes, withdrawn(reason));
        alert.state = AlertState::Withdrawn;
        write = self.erased(write, &mut alert);
        let event = alert_event(&alert, AlertAct::Withdrawn, nodes.len());
        self.logged(write.log(Entry::alert(self.who(officer), event)))?;
        self.tell_queued(&nodes);
        self.alert_acks(officer, AlertName { id: request.id }, report)
    }

    /// Takes an own alert back from everybody but those named.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner or an alert that is gone.
    pub fn alert_narrow(
        &self,
        officer: &Officer,
        request: AlertNarrow,
        report: &mut dyn Report,
    ) -> Result<AlertAcks, DeskError> {
        let _sight = officer.sight()?;
        let kept = request.keep.iter().map(|name| Ok(self.partner_named(name)?.node()));
        let kept: Vec<NodeId> = kept.collect::<Result<_, DeskError>>()?;
        let _one_at_a_time = self.changing();
        let mut alert = self.alert_changeable(officer, &request.id)?;
        let gone = self.left_out(&alert, &kept)?;
        alert.audience.retain(|node| kept.contains(node));
        if let Some(pending) = &mut alert.pending {
            pending.audience.retain(|node| kept.contains(node));
        }
        alert.changed_at = self.now();
        let write = self.taken_back(Write::new().alert(&alert), &alert, &gone);
        let event = alert_event(&alert, AlertAct::Narrowed, gone.len());
        self.logged(write.log(Entry::alert(self.who(officer), event)))?;
        self.tell_queued(&gone);
        self.alert_acks(officer, AlertName { id: request.id }, report)
    }

    /// Contests an alert: an own one towards all who have it, a received one here and towards its
    /// origin.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown reason or alert.
    pub fn alert_contest(
        &self,
        officer: &Officer,
        request: AlertContest,
        _report: &mut dyn Report,
    ) -> Result<AlertName, DeskError> {
        let _sight = officer.sight()?;
        let reason = named(&request.reason, ContestReason::ALL, ContestReason::as_str)?;
        let _one_at_a_time = self.changing();
        let mut alert = self.alert_any(&request.id)?;
        if is_gone(alert.state) {
            return Err(gone());
        }
        let own = self.identity().node();
        let nodes = match alert.key.origin == own {
            true => self.holders(&alert.key.id)?,
            false => vec![alert.key.origin],
        };
        let now = self.now();
        alert.contested = Some(reason.code());
        alert.rings = Rings::Silent;
        alert.changed_at = now;
        let write = self.words(Write::new().alert(&alert), &alert, &nodes, Say::Contest(reason));
        let event = alert_event(&alert, AlertAct::Contested, nodes.len());
        self.logged(write.log(Entry::alert(self.who(officer), event)))?;
        self.tell_queued(&nodes);
        Ok(AlertName { id: request.id })
    }

    /// Acknowledges a received alert as read or acted on. The same again changes nothing.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown stage or alert.
    pub fn alert_ack(
        &self,
        officer: &Officer,
        request: AlertAck,
        _report: &mut dyn Report,
    ) -> Result<AlertName, DeskError> {
        let _sight = officer.sight()?;
        let stage = named(&request.stage, &[Stage::Read, Stage::Acted], Stage::as_str)?;
        let _one_at_a_time = self.changing();
        let mut alert = self.alert_any(&request.id)?;
        let hash = match (alert.key.origin == self.identity().node(), alert.statement_hash) {
            (false, Some(hash)) => hash,
            _ => {
                return Err(DeskError::refused(
                    "only a received alert is acknowledged",
                    "'symbolon acks' shows who has acknowledged an own one",
                ));
            }
        };
        if is_gone(alert.state) {
            return Err(gone());
        }
        let now = self.now();
        let mut stages = Vec::new();
        if alert.read_at.is_none() {
            alert.read_at = Some(now);
            stages.push((Stage::Read, AlertAct::Read));
        }
        let mut write = Write::new();
        if stage == Stage::Acted && alert.acted_at.is_none() {
            alert.acted_at = Some(now);
            alert.outcome = Some(request.outcome).filter(|text| !text.is_empty());
            stages.push((Stage::Acted, AlertAct::Acted));
            write = write.inbox_delete(alert.act_by, InboxKind::Alert, &alert.key);
        }
        if stages.is_empty() {
            return Ok(AlertName { id: request.id });
        }
        alert.changed_at = now;
        write = write.alert(&alert);
        for (stage, act) in &stages {
            let entry = Entry::alert(self.who(officer), alert_event(&alert, *act, 0));
            write = write.log_named(entry, stage_leaf(&hash, *stage));
        }
        let receipts = self.store.commit(write)?;
        let items: Vec<AckItem> = stages
            .iter()
            .zip(receipts.receipts())
            .map(|((stage, _), receipt)| AckItem {
                statement_hash: hash,
                stage: *stage,
                at: now,
                log_index: receipt.leaf_index,
            })
            .collect();
        self.acknowledge_later(&alert.key.origin, alert.mode, &items)?;
        Ok(AlertName { id: request.id })
    }

    /// What falls due with time: expiry, and alarms about what nobody has read.
    ///
    /// # Errors
    /// [`DeskError`] from the store; the rest is done next time.
    pub fn alerts_due(&self) -> Result<(), DeskError> {
        loop {
            let due = self.store.due_scan(self.now(), DUE_ROWS)?;
            if due.is_empty() {
                return Ok(());
            }
            for (at, what, key) in due {
                let _one_at_a_time = self.changing();
                self.fallen_due(at, what, &key)?;
            }
        }
    }

    fn fallen_due(&self, at: u64, what: DueFor, key: &AlertKey) -> Result<(), DeskError> {
        let write = Write::new().due_delete(at, what, key);
        let alert = self.store.alert_fetch(key)?.filter(|alert| !is_gone(alert.state));
        let is_own = key.origin == self.identity().node();
        match (what, alert) {
            (DueFor::Expire, Some(alert)) if alert.expires_on <= at => {
                self.expired(write, alert, is_own)
            }
            (DueFor::Unread, Some(alert)) if is_own => self.escalated(write, &alert),
            _ => {
                self.store.commit(write)?;
                Ok(())
            }
        }
    }

    fn expired(&self, write: Write, mut alert: Alert, is_own: bool) -> Result<(), DeskError> {
        alert.state = AlertState::Expired;
        let mut write = self.erased(write, &mut alert);
        let node = Officer::node();
        if is_own {
            let event = alert_event(&alert, AlertAct::Expired, 0);
            self.store.commit(write.log(Entry::alert(self.who(&node), event)))?;
            return Ok(());
        }
        let Some(hash) = alert.statement_hash else {
            self.store.commit(write)?;
            return Ok(());
        };
        let (id, origin, mode) = (alert.key.id, alert.key.origin, alert.mode);
        let event = DeletedEvent { alert: id, origin, statement_hash: hash, mode };
        write = write
            .inbox_delete(alert.act_by, InboxKind::Alert, &alert.key)
            .log_named(Entry::deleted(self.who(&node), event), stage_leaf(&hash, Stage::Deleted));
        let receipt = self.logged(write)?;
        let (stage, at) = (Stage::Deleted, self.now());
        let item = AckItem { statement_hash: hash, stage, at, log_index: receipt.leaf_index };
        self.acknowledge_later(&origin, mode, &[item])
    }

    /// Somebody has not read what should have been read by now: a person must know.
    fn escalated(&self, mut write: Write, alert: &Alert) -> Result<(), DeskError> {
        let unread = self.store.delivery_list(&alert.key.id)?.into_iter();
        let unread = unread.filter(is_unread).count();
        if unread > 0 {
            let event = alert_event(alert, AlertAct::Escalated, unread);
            let entry = Entry::alert(self.who(&Officer::node()), event);
            write = write.inbox(self.now(), InboxKind::Unacknowledged, &alert.key).log(entry);
        }
        self.store.commit(write)?;
        Ok(())
    }

    /// Erases what an alert says and what would still fall due of it.
    fn erased(&self, write: Write, alert: &mut Alert) -> Write {
        alert.changed_at = self.now();
        alert.pending = None;
        let key = alert.key;
        let mut write = write
            .alert_erase(&key)
            .due_delete(alert.expires_on, DueFor::Expire, &key)
            .due_delete(alert.read_by, DueFor::Unread, &key);
        for kind in [InboxKind::Approve, InboxKind::Contested, InboxKind::Unacknowledged] {
            write = write.inbox_delete(alert.read_by, kind, &key);
        }
        write.alert(alert)
    }

    /// A new end of an alert's life.
    pub(super) fn re_timed(&self, write: Write, alert: &mut Alert, expires_on: u64) -> Write {
        let before = std::mem::replace(&mut alert.expires_on, expires_on);
        write.due_delete(before, DueFor::Expire, &alert.key).due(
            expires_on,
            DueFor::Expire,
            &alert.key,
        )
    }

    /// Takes an own alert back from partners that may no longer have it.
    pub(super) fn taken_back(&self, write: Write, alert: &Alert, nodes: &[NodeId]) -> Write {
        self.words(write, alert, nodes, withdrawn(WithdrawReason::NoLongerShared))
    }

    /// Leaves out whom the alert was taken back from: no later version brings it back there.
    fn never_back(&self, alert: &Alert, audience: &mut Audience) -> Result<(), DeskError> {
        let known = self.store.delivery_list(&alert.key.id)?;
        let is_out = |node: &NodeId| {
            !alert.audience.contains(node) && known.iter().any(|one| one.partner == *node)
        };
        audience.recipients.retain(|chosen| !is_out(&chosen.node()));
        Ok(())
    }

    /// Has a word wait for each of these partners.
    fn words(&self, mut write: Write, alert: &Alert, nodes: &[NodeId], say: Say) -> Write {
        for node in nodes {
            let (position, say) = (self.outbox_position(), say.codes());
            let (alert, version, mode) = (alert.key.id, alert.version, alert.mode);
            write = write.outbox(node, position, &Intent::Word { alert, version, say, mode });
        }
        write
    }

    /// Who has an own alert, or is about to.
    fn holders(&self, id: &RecordId) -> Result<Vec<NodeId>, DeskError> {
        let deliveries = self.store.delivery_list(id)?.into_iter();
        let has = |delivery: &AlertDelivery| {
            !matches!(
                delivery.state,
                DeliveryState::Deleted | DeliveryState::Withdrawing | DeliveryState::Dropped
            )
        };
        Ok(deliveries.filter(has).map(|delivery| delivery.partner).collect())
    }

    /// Who has an own alert and is not among `kept`.
    pub(super) fn left_out(
        &self,
        alert: &Alert,
        kept: &[NodeId],
    ) -> Result<Vec<NodeId>, DeskError> {
        let mut holders = self.holders(&alert.key.id)?;
        holders.retain(|node| !kept.contains(node));
        Ok(holders)
    }

    fn alert_changeable(&self, officer: &Officer, id: &str) -> Result<Alert, DeskError> {
        let alert = self.alert_own(officer, id)?;
        if is_gone(alert.state) { Err(gone()) } else { Ok(alert) }
    }

    /// An alert of this node, or one that it received. A partner may use an id that another has
    /// used: then `ID@PARTNER` says whose is meant.
    pub(crate) fn alert_any(&self, text: &str) -> Result<Alert, DeskError> {
        let own = self.identity().node();
        let (id, origins) = match text.split_once('@') {
            Some((id, name)) => (alert_id(id)?, vec![self.partner_named(name)?.node()]),
            None => {
                let id = alert_id(text)?;
                (id, [own].into_iter().chain(self.partners().keys().copied()).collect())
            }
        };
        let found =
            origins.into_iter().map(|origin| self.store.alert_fetch(&AlertKey { origin, id }));
        let mut found: Vec<Alert> =
            found.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        // Nobody else can put anything in the place of an own one.
        if found.first().is_some_and(|alert| alert.key.origin == own) {
            found.truncate(1);
        }
        match found.pop() {
            Some(alert) if found.is_empty() => Ok(alert),
            Some(_) => Err(DeskError::refused(
                "more than one partner has sent an alert under this id",
                "write ID@PARTNER; 'symbolon alert list' shows whose each is",
            )),
            None => {
                let remedy = "'symbolon alert list' shows them";
                Err(DeskError::not_found("there is no such alert", remedy))
            }
        }
    }

    /// The row of an own alert for whoever may see it.
    pub(super) fn alert_seen(&self, officer: &Officer, id: &str) -> Result<Alert, DeskError> {
        match officer.role() {
            Role::Hotline => self.alert_own(officer, id),
            _ => self.alert_any(id),
        }
    }
}

const fn withdrawn(reason: WithdrawReason) -> Say {
    Say::Withdrawn(reason)
}

fn gone() -> DeskError {
    DeskError::refused("the alert is withdrawn, declined or over", "send a new one")
}

fn is_unread(delivery: &AlertDelivery) -> bool {
    delivery.read_at.is_none()
        && delivery.acted_at.is_none()
        && !matches!(delivery.state, DeliveryState::Dropped | DeliveryState::Deleted)
        || !reached(delivery) && delivery.state == DeliveryState::Queued
}

/// The value of this name, or an error that gives all names.
fn named<T: Copy>(text: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, DeskError> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| {
        let names: Vec<_> = all.iter().copied().map(name).collect();
        DeskError::invalid("there is no such word", format!("it is one of {}", names.join(", ")))
    })
}
