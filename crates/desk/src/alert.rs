//! Alerts: accepted here, released by policy or by a second officer, durable before acknowledged.
//!
//! Implements spec/alerts.md#acceptance.
//!
//! Invariants: what was accepted is durable with everything that follows from it; nobody but the
//! origin changes an alert; nothing goes out that policy does not permit when it goes.

mod apply;
mod arrive;
mod audience;
mod barred;
mod carry;
mod coming;
mod courier;
mod deliver;
mod flight;
pub(crate) mod form;
mod life;
mod noting;
mod prove;
mod push;
mod ready;
mod receive;
mod screen;
mod seal;
mod show;
mod submit;
mod template;
#[cfg(test)]
mod trial;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use symbolon_audit::{AlertAct, AlertEvent, Entry, Receipt};
use symbolon_codec::sha256;
use symbolon_record::{AlertClass, Exercise, Record, RecordId};
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DeliveryState, DueFor, InboxKind, Intent, Rings,
    Slot, Write,
};
use symbolon_trust::{Mode, NodeId};

pub use carry::{Left, Pushed};
pub use receive::Taken;
pub(crate) use show::state_name;

use crate::api::{AlertName, AlertPreview, AlertPreviewed, AlertSend, AlertSent, Report};
use crate::desk::hex;
use crate::officer::Role;
use crate::{Desk, DeskError, Officer};
use audience::Audience;
use form::Author;
use submit::Submitting;

/// What the desk keeps in memory about alerts.
#[derive(Default)]
pub(crate) struct Alerts {
    /// The last place given out in any outbox.
    position: AtomicU64,
    /// Held while what leaves next is put together.
    sending: Turns,
    /// Held while something that came in is applied.
    receiving: Turns,
    /// Held while what came in is applied and acknowledged in one write.
    answering: Mutex<()>,
    /// What came in was applied: another push may have waited for it.
    arrivals: arrive::Arrivals,
    /// Held while what waits for a partner is sealed.
    sealing: Turns,
    coming: coming::Coming,
    noting: noting::Noting,
    /// How much one push may hold, where that is less than the most.
    push_bytes: Mutex<HashMap<NodeId, usize>>,
    /// When a hello was last held because an envelope could not be opened.
    met_anew: Mutex<HashMap<NodeId, u64>>,
    legs: carry::Legs,
    ready: ready::Ready,
    proofs: prove::Proofs,
    couriers: courier::Couriers,
    queued: OnceLock<Box<dyn Fn(&NodeId) + Send + Sync>>,
    flights: flight::Flights,
    left: OnceLock<Box<dyn Fn(&NodeId) + Send + Sync>>,
    clocks: OnceLock<AlertClocks>,
    /// When old idempotency keys were last forgotten, in Unix seconds.
    forgot_at: AtomicU64,
    /// Held while one alert is changed.
    changing: Mutex<()>,
}

/// Whether an alert has been queued for anybody before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    First,
    Again,
}

/// One turn for each partner.
#[derive(Default)]
struct Turns(Mutex<HashMap<NodeId, Arc<Mutex<()>>>>);

impl Turns {
    fn of(&self, node: &NodeId) -> Arc<Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(*node).or_default())
    }
}

/// By when an alert must be read and acted on, in seconds after its acceptance, for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertClocks {
    /// Read.
    pub read_seconds: [u64; 3],
    /// Acted on.
    pub act_seconds: [u64; 3],
}

impl Default for AlertClocks {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        Self {
            read_seconds: [15 * MINUTE, 8 * HOUR, 3 * DAY],
            act_seconds: [8 * HOUR, 3 * DAY, 7 * DAY],
        }
    }
}

impl AlertClocks {
    /// Nobody has to read an alert that is over.
    fn read_by(&self, class: AlertClass, now: u64, record: &Record) -> u64 {
        (now + Self::of(&self.read_seconds, class)).min(record.content().expires_on)
    }

    /// Nobody can have acted on what was not read.
    fn act_by(&self, class: AlertClass, now: u64, record: &Record) -> u64 {
        let act_by = (now + Self::of(&self.act_seconds, class)).min(record.content().expires_on);
        act_by.max(self.read_by(class, now, record))
    }

    fn of(times: &[u64; 3], class: AlertClass) -> u64 {
        let [flash, urgent, routine] = *times;
        match class {
            AlertClass::Flash => flash,
            AlertClass::Urgent => urgent,
            AlertClass::Routine => routine,
        }
    }
}

impl Desk {
    /// Sets the clocks of the classes; a second call changes nothing.
    pub fn alert_clocks(&self, clocks: AlertClocks) {
        let _ = self.alerts.clocks.set(clocks);
    }

    /// Names what is called when something waits for a partner; a second call changes nothing.
    pub fn on_queued(&self, told: Box<dyn Fn(&NodeId) + Send + Sync>) {
        let _ = self.alerts.queued.set(told);
    }

    /// Names what is called when a push has left for a partner, and when something comes in for one
    /// while a push is on its way to it: [`Desk::alerts_seal`] has something to do then. A second
    /// call changes nothing.
    pub fn on_left(&self, told: Box<dyn Fn(&NodeId) + Send + Sync>) {
        let _ = self.alerts.left.set(told);
    }

    /// Shows what sending a form would do; nothing is kept.
    ///
    /// # Errors
    /// [`DeskError`] that names the field and the remedy.
    pub fn alert_preview(
        &self,
        officer: &Officer,
        request: AlertPreview,
        _report: &mut dyn Report,
    ) -> Result<AlertPreviewed, DeskError> {
        let _sight = officer.sight()?;
        let read = self.form_read(officer, &request.form)?;
        let record =
            Record::generate(read.content, self.surroundings.now_ms(), self.surroundings.seed())?;
        let audience = self.audience(&record, read.class, &request.form)?;
        let mut recipients = Vec::new();
        for chosen in &audience.recipients {
            recipients.push(self.recipient_preview(chosen, &record, read.class)?);
        }
        Ok(AlertPreviewed {
            exercise: record.content().exercise == Exercise::Exercise,
            class: read.class.to_string(),
            identifiers: read.identifiers,
            recipients,
            withheld: audience.withheld,
        })
    }

    /// Accepts an alert: durable, with everything that follows from it, when this returns.
    ///
    /// # Errors
    /// [`DeskError`] that names the field and the remedy; another form under a key that was used.
    pub fn alert_send(
        &self,
        officer: &Officer,
        request: AlertSend,
        _report: &mut dyn Report,
    ) -> Result<AlertSent, DeskError> {
        let read = self.form_parsed(officer, &request.form)?;
        let own = Submitting::new(officer, request.idempotency_key.as_deref(), read.digest)?;
        // First: what was accepted once is not refused for what changed since.
        if let Some(known) = self.submitted(&own)? {
            return self.submitted_again(&own, &known);
        }
        self.hotline_may(officer, read.content.kind)?;
        let record =
            Record::generate(read.content, self.surroundings.now_ms(), self.surroundings.seed())?;
        let audience = self.audience(&record, read.class, &request.form)?;
        let alert = self.alert_made(officer, &record, read.class, &audience);
        let mut write = Write::new()
            .alert_new(&alert)
            .alert_content(&alert.key, Slot::Current, &record.encode())
            .submitted(officer.as_str(), alert.key.id)
            .due(alert.expires_on, DueFor::Expire, &alert.key);
        let now = self.now();
        write = own.kept(write, alert.key.id, now);
        let automatic: Vec<_> = audience.automatic().collect();
        if alert.state == AlertState::Waiting {
            write = write.inbox(alert.read_by, InboxKind::Approve, &alert.key);
        }
        let places = self.places(&automatic);
        write = self.queue(write, &alert, &places, Sending::First)?;
        let event = alert_event(&alert, AlertAct::Accepted, automatic.len());
        let entry = Entry::alert(self.who(officer), event);
        write = write.log_named(entry, alert_leaf(&alert.key));
        let receipt = match self.accepted(write, &alert, record, places)? {
            Some(receipt) => receipt,
            // The same submission came twice at once, and the other was first.
            None => {
                let known = self.submitted(&own)?;
                let known = known.ok_or_else(|| DeskError::internal("a submission is gone"))?;
                return self.submitted_again(&own, &known);
            }
        };
        Ok(self.alert_sent(officer, &alert, &audience, receipt, Repeated::No))
    }

    /// Lets an alert that waits go out: a second officer's yes.
    ///
    /// # Errors
    /// [`DeskError`] for one that does not wait, or the yes of its own submitter.
    pub fn alert_approve(
        &self,
        officer: &Officer,
        request: AlertName,
        _report: &mut dyn Report,
    ) -> Result<AlertSent, DeskError> {
        let _sight = officer.sight()?;
        let _one_at_a_time = self.changing();
        let (mut alert, record) = self.waiting(officer, &request.id)?;
        let mut write = Write::new().inbox_delete(alert.read_by, InboxKind::Approve, &alert.key);
        let mut gone = Vec::new();
        if let Some(pending) = alert.pending.take() {
            (alert.class, alert.audience) = (pending.class, pending.audience);
            gone = self.left_out(&alert, &alert.audience)?;
            write = self.taken_back(write, &alert, &gone);
            write = self.re_timed(write, &mut alert, record.content().expires_on);
            write = write
                .alert_content(&alert.key, Slot::Current, &record.encode())
                .alert_content_delete(&alert.key, Slot::Pending);
        }
        let audience = self.audience_again(&record, class_of(&alert)?, &alert.audience)?;
        let now = self.now();
        alert.state = AlertState::Active;
        alert.version = record.version();
        alert.decided_by = Some(officer.as_str().to_owned());
        alert.changed_at = now;
        let recipients: Vec<_> = audience.recipients.iter().map(|chosen| chosen.node()).collect();
        let places = self.places(&recipients);
        write = self.queue(write.alert(&alert), &alert, &places, Sending::Again)?;
        let event = alert_event(&alert, AlertAct::Approved, recipients.len());
        let receipt = self.logged(write.log(Entry::alert(self.who(officer), event)))?;
        self.tell_queued(&[gone, recipients].concat());
        Ok(self.alert_sent(officer, &alert, &audience, receipt, Repeated::No))
    }

    /// Declines an alert that waits; what went out by itself before stays out, and is told so.
    ///
    /// # Errors
    /// [`DeskError`] for one that does not wait.
    pub fn alert_decline(
        &self,
        officer: &Officer,
        request: AlertName,
        _report: &mut dyn Report,
    ) -> Result<AlertSent, DeskError> {
        let _sight = officer.sight()?;
        let _one_at_a_time = self.changing();
        let (mut alert, _) = self.waiting(officer, &request.id)?;
        let has_gone_out = !self.store.delivery_list(&alert.key.id)?.is_empty();
        let mut write = Write::new()
            .inbox_delete(alert.read_by, InboxKind::Approve, &alert.key)
            .alert_content_delete(&alert.key, Slot::Pending);
        alert.pending = None;
        alert.decided_by = Some(officer.as_str().to_owned());
        alert.changed_at = self.now();
        if has_gone_out {
            alert.state = AlertState::Active;
        } else {
            alert.state = AlertState::Declined;
            alert.audience.clear();
        }
        write = write.alert(&alert);
        let event = alert_event(&alert, AlertAct::Declined, 0);
        let receipt = self.logged(write.log(Entry::alert(self.who(officer), event)))?;
        Ok(self.alert_sent(officer, &alert, &Audience::default(), receipt, Repeated::No))
    }

    /// An alert that waits for a yes which this officer may give, and what it would say.
    fn waiting(&self, officer: &Officer, id: &str) -> Result<(Alert, Record), DeskError> {
        let alert = self.alert_own(officer, id)?;
        let slot = match (alert.state, &alert.pending) {
            (AlertState::Active, Some(_)) => Slot::Pending,
            (AlertState::Waiting, _) => Slot::Current,
            _ => {
                let remedy = "'symbolon alert show' tells its state";
                return Err(DeskError::refused("the alert does not wait for a yes", remedy));
            }
        };
        let submitter = alert.pending.as_ref().map_or(&alert.submitter, |pending| &pending.by);
        if submitter == officer.as_str() {
            return Err(DeskError::refused(
                "an alert needs the yes of another person than the one who submitted it",
                "have another officer approve it",
            ));
        }
        let record = self.alert_record(&alert.key, slot)?;
        let record =
            record.ok_or_else(|| DeskError::internal("the content of an alert is gone"))?;
        Ok((alert, record))
    }

    /// What a form says, if its author may hand in such.
    fn form_read(
        &self,
        officer: &Officer,
        form: &crate::api::AlertForm,
    ) -> Result<form::Read, DeskError> {
        let read = self.form_parsed(officer, form)?;
        self.hotline_may(officer, read.content.kind)?;
        Ok(read)
    }

    fn form_parsed(
        &self,
        officer: &Officer,
        form: &crate::api::AlertForm,
    ) -> Result<form::Read, DeskError> {
        let author = match officer.role() {
            Role::Officer => Author::Officer,
            Role::Hotline => Author::Hotline,
            Role::Auditor => {
                return Err(DeskError::refused("auditors send no alerts", "ask an officer"));
            }
        };
        form::read(form, author, *self.identity().node().as_bytes(), self.now())
    }

    /// The row of a new alert.
    fn alert_made(
        &self,
        officer: &Officer,
        record: &Record,
        class: AlertClass,
        audience: &Audience,
    ) -> Alert {
        let now = self.now();
        let clocks = self.alerts.clocks.get().copied().unwrap_or_default();
        let needs_yes = audience.awaiting() > 0;
        Alert {
            key: AlertKey { origin: self.identity().node(), id: record.id() },
            mode: mode_of(record),
            class: class.code(),
            state: if needs_yes { AlertState::Waiting } else { AlertState::Active },
            version: record.version(),
            submitter: officer.as_str().to_owned(),
            decided_by: None,
            accepted_at: now,
            changed_at: now,
            read_by: clocks.read_by(class, now, record),
            act_by: clocks.act_by(class, now, record),
            expires_on: record.content().expires_on,
            audience: audience.recipients.iter().map(|chosen| chosen.node()).collect(),
            contested: None,
            statement_hash: None,
            read_at: None,
            acted_at: None,
            outcome: None,
            matches: Vec::new(),
            rings: Rings::Silent,
            pending: None,
        }
    }

    /// Has an alert wait in these outboxes at these positions. What is known of a partner stays as
    /// it is: its acknowledgement may come in at this moment.
    fn queue(
        &self,
        mut write: Write,
        alert: &Alert,
        places: &[(NodeId, u64)],
        sending: Sending,
    ) -> Result<Write, DeskError> {
        let id = alert.key.id;
        for (node, position) in places {
            let is_known = match sending {
                // An acceptance need not look for what cannot be there.
                Sending::First => false,
                Sending::Again => self.store.delivery_fetch(&id, node)?.is_some(),
            };
            if !is_known {
                write = write.delivery(&AlertDelivery::queued(id, *node));
            }
            let intent = Intent::Alert { alert: id, mode: alert.mode };
            write = write.outbox(node, *position, &intent);
        }
        if !places.is_empty() {
            write = write.due(alert.read_by.max(self.now()), DueFor::Unread, &alert.key);
        }
        Ok(write)
    }

    /// A place in the outbox of each, behind everything that waits there already.
    fn places(&self, nodes: &[NodeId]) -> Vec<(NodeId, u64)> {
        nodes.iter().map(|node| (*node, self.outbox_position())).collect()
    }

    /// Places grow with time, so that what is accepted later goes out later.
    pub(crate) fn outbox_position(&self) -> u64 {
        let floor = self.surroundings.now_ms() << 20;
        let next = |last: u64| Some(last.max(floor) + 1);
        match self.alerts.position.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(last) | Err(last) => last.max(floor) + 1,
        }
    }

    pub(crate) fn tell_queued(&self, nodes: &[NodeId]) {
        if let Some(told) = self.alerts.queued.get() {
            nodes.iter().for_each(told);
        }
    }

    fn changing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.alerts.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alert_sent(
        &self,
        officer: &Officer,
        alert: &Alert,
        audience: &Audience,
        receipt: Receipt,
        repeated: Repeated,
    ) -> AlertSent {
        let mut recipients: Vec<String> = match alert.state {
            AlertState::Active => {
                audience.recipients.iter().map(|chosen| chosen.name().to_owned()).collect()
            }
            _ => audience.automatic_names(),
        };
        // Who gets it is the node's business: a hotline is told that somebody does.
        if officer.role() == Role::Hotline {
            recipients.clear();
        }
        AlertSent {
            id: alert.key.id.to_string(),
            version: alert.version.to_string(),
            state: state_name(alert.state).to_owned(),
            class: class_of(alert).map_or("unknown", AlertClass::as_str).to_owned(),
            exercise: alert.mode == Mode::Exercise,
            repeated: repeated == Repeated::Yes,
            recipients,
            awaiting: if alert.state == AlertState::Waiting { audience.awaiting() } else { 0 },
            accepted_at: alert.accepted_at,
            expires_on: alert.expires_on,
            log_index: receipt.leaf_index,
            leaf_hash: hex(receipt.leaf_hash.as_bytes()),
        }
    }

    /// An own alert that this person may change: any for an officer, its own for a hotline.
    pub(crate) fn alert_own(&self, officer: &Officer, id: &str) -> Result<Alert, DeskError> {
        let key = AlertKey { origin: self.identity().node(), id: alert_id(id)? };
        let alert = self.store.alert_fetch(&key)?;
        let may = match officer.role() {
            // Its own even where an officer has changed it since.
            Role::Hotline => self.store.submitted_by(officer.as_str(), key.id)?,
            Role::Officer => true,
            Role::Auditor => false,
        };
        // To a hotline another's alert is as unknown as one that never was.
        alert.filter(|_| may).ok_or_else(|| {
            DeskError::not_found(
                "there is no such alert of this node",
                "'symbolon alert list' shows them; a received alert is changed by its origin only",
            )
        })
    }

    /// What an own alert says.
    pub(crate) fn alert_record(
        &self,
        key: &AlertKey,
        slot: Slot,
    ) -> Result<Option<Record>, DeskError> {
        let bytes = self.store.alert_content_fetch(key, slot)?;
        Ok(bytes.map(|bytes| Record::decode(&bytes)).transpose()?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Yes,
    No,
}

pub(crate) fn alert_id(text: &str) -> Result<RecordId, DeskError> {
    let remedy = "'symbolon alert list' shows the ids";
    text.parse().map_err(|_| DeskError::invalid("this is no id of an alert", remedy))
}

pub(crate) fn class_of(alert: &Alert) -> Result<AlertClass, DeskError> {
    AlertClass::from_code(alert.class)
        .ok_or_else(|| DeskError::internal("the class of an alert is damaged"))
}

pub(crate) fn mode_of(record: &Record) -> Mode {
    match record.content().exercise {
        Exercise::Live => Mode::Live,
        Exercise::Exercise => Mode::Exercise,
    }
}

pub(crate) fn alert_event(alert: &Alert, act: AlertAct, recipients: usize) -> AlertEvent {
    AlertEvent {
        act,
        alert: alert.key.id,
        version: alert.version,
        mode: alert.mode,
        recipients: u32::try_from(recipients).unwrap_or(u32::MAX),
    }
}

/// The name of the leaf that records an acceptance.
pub(crate) fn alert_leaf(key: &AlertKey) -> [u8; 32] {
    sha256("symbolon/1 alert leaf", &[key.origin.as_bytes(), key.id.as_bytes()])
}

pub(crate) fn is_gone(state: AlertState) -> bool {
    matches!(state, AlertState::Withdrawn | AlertState::Expired | AlertState::Declined)
}

pub(crate) fn reached(delivery: &AlertDelivery) -> bool {
    !matches!(delivery.state, DeliveryState::Queued | DeliveryState::Dropped)
        && delivery.version.is_some()
}
