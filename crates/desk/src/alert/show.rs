//! Alerts as people see them: lists, contents, acknowledgements, the inbox.
//!
//! Implements spec/alerts.md#inbox.
//!
//! Invariant: what an alert says is shown only after the reading is logged; a hotline sees only
//! what it submitted.

use symbolon_disclosure::{Kept, Payload};
use symbolon_record::{Field, View};
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DeliveryState, InboxKind, Rings, Slot,
};
use symbolon_trust::Mode;

use super::{class_of, template};
use crate::api::{
    AckRow, AlertAcks, AlertList, AlertName, AlertPage, AlertRow, AlertShow, AlertShown,
    AlertTemplates, DeletionProved, FieldShown, InboxList, InboxPage, InboxRow, Nothing, Report,
};
use crate::desk::hex;
use crate::limits::{ALERT_ROWS_MAX, DELETION_PATIENCE_SECONDS};
use crate::officer::Role;
use crate::read::{Shown, reason_bounded};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// A page of alerts; that it was shown is logged. A hotline is shown its own.
    ///
    /// # Errors
    /// [`DeskError`] for a direction or a place that is none.
    pub fn alert_list(
        &self,
        officer: &Officer,
        request: AlertList,
        _report: &mut dyn Report,
    ) -> Result<AlertPage, DeskError> {
        let limit = request.limit.unwrap_or(100).clamp(1, ALERT_ROWS_MAX) as usize;
        let own = self.identity().node();
        let alerts = match officer.role() {
            Role::Hotline => {
                let after = request.after.as_deref().map(super::alert_id).transpose()?;
                let ids = self.store.submitted_scan(officer.as_str(), after, limit + 1)?;
                let keys = ids.into_iter().map(|id| AlertKey { origin: own, id });
                let alerts = keys.map(|key| self.store.alert_fetch(&key));
                alerts.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?
            }
            _ => {
                let sight = officer.sight()?;
                let after =
                    request.after.as_deref().map(|text| self.place_in_list(text)).transpose()?;
                let origin = match request.direction.as_deref() {
                    None | Some("received") => None,
                    Some("sent") => Some(own),
                    Some(_) => {
                        let remedy = "the directions are sent and received";
                        return Err(DeskError::invalid("there is no such direction", remedy));
                    }
                };
                let received_only = request.direction.as_deref() == Some("received");
                let mut alerts = Vec::new();
                let mut after = after;
                while alerts.len() <= limit {
                    let page = self.store.alert_scan(origin.as_ref(), after.as_ref(), limit + 1)?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.key);
                    alerts.extend(
                        page.into_iter().filter(|alert| !received_only || alert.key.origin != own),
                    );
                }
                alerts.truncate(limit + 1);
                let (object, id, count) = ("alerts", String::new(), alerts.len().min(limit));
                self.note_shown(&sight, Shown { object, id, count, reason: "" })?;
                alerts
            }
        };
        let is_more = alerts.len() > limit;
        let shown: Vec<&Alert> = alerts.iter().take(limit).collect();
        let next = shown.last().filter(|_| is_more).map(|last| match officer.role() {
            Role::Hotline => last.key.id.to_string(),
            _ => format!("{}.{}", hex(last.key.origin.as_bytes()), last.key.id),
        });
        let rows = shown.into_iter().map(|alert| self.alert_row(alert));
        Ok(AlertPage { alerts: rows.collect::<Result<_, _>>()?, next })
    }

    /// An alert, field by field, with the own records that it meets; the reading is logged.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id.
    pub fn alert_show(
        &self,
        officer: &Officer,
        request: AlertShow,
        _report: &mut dyn Report,
    ) -> Result<AlertShown, DeskError> {
        let sight = officer.sight()?;
        let reason = reason_bounded(&request.reason)?;
        let alert = self.alert_any(&request.id)?;
        let (object, id) = ("alert", alert.key.id.to_string());
        let receipt = self.note_shown(&sight, Shown { object, id, count: 1, reason })?;
        let view = self.alert_view(&alert)?;
        let lines = view.iter().flat_map(View::lines);
        let fields =
            lines.map(|(field, value)| FieldShown { field: field.as_str().to_owned(), value });
        let matches = match &view {
            Some(view) => self.matches_shown(&alert.matches, view)?,
            None => Vec::new(),
        };
        Ok(AlertShown {
            alert: self.alert_row(&alert)?,
            version: alert.version.to_string(),
            fields: fields.collect(),
            matches,
            read_at: alert.read_at,
            acted_at: alert.acted_at,
            outcome: alert.outcome,
            log_index: receipt.leaf_index,
        })
    }

    /// The state of one submission, for whoever made it.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id.
    pub fn alert_state(
        &self,
        officer: &Officer,
        request: AlertName,
        _report: &mut dyn Report,
    ) -> Result<AlertRow, DeskError> {
        let mut row = self.alert_row(&self.alert_seen(officer, &request.id)?)?;
        if officer.role() == Role::Hotline {
            (row.matches, row.rings) = (0, false);
        } else {
            row.title.clear();
        }
        Ok(row)
    }

    /// Who has an own alert, and how far each is.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id.
    pub fn alert_acks(
        &self,
        officer: &Officer,
        request: AlertName,
        _report: &mut dyn Report,
    ) -> Result<AlertAcks, DeskError> {
        let alert = self.alert_own(officer, &request.id)?;
        // Who has it is the node's business.
        let deliveries = match officer.role() {
            Role::Hotline => Vec::new(),
            _ => self.store.delivery_list(&alert.key.id)?,
        };
        let rows = deliveries.into_iter().map(|delivery| self.ack_row(&alert, &delivery));
        let rows: Vec<AckRow> = rows.collect::<Result<_, _>>()?;
        Ok(AlertAcks {
            id: alert.key.id.to_string(),
            state: state_name(alert.state).to_owned(),
            recipients: rows,
        })
    }

    fn ack_row(&self, alert: &Alert, delivery: &AlertDelivery) -> Result<AckRow, DeskError> {
        let now = self.now();
        let is_ended = matches!(alert.state, AlertState::Withdrawn | AlertState::Expired)
            || delivery.state == DeliveryState::Withdrawing;
        let is_settled = matches!(
            delivery.state,
            DeliveryState::Deleted | DeliveryState::Dropped | DeliveryState::Refused
        );
        let overdue = if is_ended {
            // Each node ends it by its own clock, so the origin's may have done so later.
            let since = match alert.state {
                AlertState::Expired => alert.expires_on,
                _ => alert.changed_at,
            };
            !is_settled && now > since.saturating_add(DELETION_PATIENCE_SECONDS)
        } else {
            !is_settled && delivery.read_at.or(delivery.acted_at).is_none() && now > alert.read_by
        };
        Ok(AckRow {
            partner: self.name_of(delivery.partner),
            state: delivery_name(delivery.state).to_owned(),
            overdue,
            sent_at: delivery.sent_at,
            delivered_at: delivery.delivered_at,
            read_at: delivery.read_at,
            acted_at: delivery.acted_at,
            deleted_at: delivery.deleted_at,
            their_index: delivery.their_index,
            deletion_proved: self.deletion_proved(delivery)?,
        })
    }

    /// Of several statements the one that the partner had last.
    fn deletion_proved(
        &self,
        delivery: &AlertDelivery,
    ) -> Result<Option<DeletionProved>, DeskError> {
        if delivery.deleted_at.is_none() {
            return Ok(None);
        }
        let proofs = self.store.deletion_proofs(&delivery.alert, &delivery.partner)?;
        let last = proofs.iter().max_by_key(|proof| proof.log_index);
        Ok(last.map(|proof| DeletionProved { position: proof.log_index, size: proof.size }))
    }

    /// What waits for somebody, the nearest deadline first; that it was shown is logged.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn inbox_list(
        &self,
        officer: &Officer,
        request: InboxList,
        _report: &mut dyn Report,
    ) -> Result<InboxPage, DeskError> {
        let sight = officer.sight()?;
        let limit = request.limit.unwrap_or(100).clamp(1, ALERT_ROWS_MAX) as usize;
        let now = self.now();
        let mut items = Vec::new();
        for item in self.store.inbox_scan(None, limit)? {
            let Some(alert) = self.store.alert_fetch(&item.alert)? else { continue };
            let (kind, remedy) = inbox_words(item.kind);
            items.push(InboxRow {
                kind: kind.to_owned(),
                deadline: item.deadline,
                overdue: now > item.deadline,
                alert: self.alert_row(&alert)?,
                remedy: remedy.to_owned(),
            });
        }
        let (object, id, count) = ("inbox", String::new(), items.len());
        self.note_shown(&sight, Shown { object, id, count, reason: "" })?;
        Ok(InboxPage { items })
    }

    /// What a form asks for, by kind.
    ///
    /// # Errors
    /// None.
    pub fn alert_templates(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<AlertTemplates, DeskError> {
        Ok(AlertTemplates { templates: template::all() })
    }

    /// `next` of a page.
    fn place_in_list(&self, text: &str) -> Result<AlertKey, DeskError> {
        let invalid =
            || DeskError::invalid("this is no place in the list", "give 'next' of a page");
        let (origin, id) = text.split_once('.').ok_or_else(invalid)?;
        let partners = self.partners();
        let own = self.identity().node();
        let origin = partners.keys().chain([&own]).find(|node| hex(node.as_bytes()) == origin);
        Ok(AlertKey { origin: *origin.ok_or_else(invalid)?, id: super::alert_id(id)? })
    }

    fn alert_row(&self, alert: &Alert) -> Result<AlertRow, DeskError> {
        let is_own = alert.key.origin == self.identity().node();
        let title = self.alert_view(alert)?.and_then(|view| view.title).unwrap_or_default();
        Ok(AlertRow {
            id: alert.key.id.to_string(),
            direction: if is_own { "sent" } else { "received" }.to_owned(),
            origin: (!is_own).then(|| self.name_of(alert.key.origin)),
            exercise: alert.mode == Mode::Exercise,
            class: class_of(alert)?.as_str().to_owned(),
            state: match &alert.pending {
                Some(_) => "active_waiting".to_owned(),
                None => state_name(alert.state).to_owned(),
            },
            title,
            contested: alert.contested.is_some(),
            accepted_at: alert.accepted_at,
            act_by: alert.act_by,
            expires_on: alert.expires_on,
            matches: alert.matches.len(),
            rings: alert.rings == Rings::Rings,
        })
    }

    /// What an alert says, whole if it is an own one; nothing where it is erased.
    fn alert_view(&self, alert: &Alert) -> Result<Option<View>, DeskError> {
        if alert.key.origin == self.identity().node() {
            let record = self.alert_record(&alert.key, Slot::Current)?;
            let whole = || Field::ALL.iter().map(|field| (*field, &[][..]));
            return Ok(record.map(|record| View::project(&record, whole())));
        }
        let Some(signed) = self.store.alert_content_fetch(&alert.key, Slot::Current)? else {
            return Ok(None);
        };
        match Kept::decode(&signed)?.payload() {
            Payload::Alert(alerted) => Ok(Some(alerted.view.clone())),
            _ => Err(DeskError::internal("the content of an alert is damaged")),
        }
    }
}

pub(crate) fn state_name(state: AlertState) -> &'static str {
    match state {
        AlertState::Waiting => "waiting",
        AlertState::Active => "active",
        AlertState::Declined => "declined",
        AlertState::Withdrawn => "withdrawn",
        AlertState::Expired => "expired",
    }
}

fn delivery_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "queued",
        DeliveryState::Sent => "sent",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Read => "read",
        DeliveryState::Acted => "acted",
        DeliveryState::Dropped => "dropped",
        DeliveryState::Withdrawing => "withdrawing",
        DeliveryState::Deleted => "deleted",
        DeliveryState::Refused => "refused",
    }
}

fn inbox_words(kind: InboxKind) -> (&'static str, &'static str) {
    match kind {
        InboxKind::Alert => ("alert", "read it: 'symbolon alert show'; then 'symbolon alert ack'"),
        InboxKind::Approve => {
            ("approve", "'symbolon alert approve' or 'symbolon alert decline', by a second officer")
        }
        InboxKind::Contested => (
            "contested",
            "a recipient contests it: 'symbolon alert contest', 'update' or 'withdraw'",
        ),
        InboxKind::Unacknowledged => {
            ("unacknowledged", "call the partners that 'symbolon acks' shows as overdue")
        }
        InboxKind::Withdrawn => ("withdrawn", "take it out of your own files"),
    }
}
