//! What becomes of an alert that a partner may not have any more: nothing new goes out, what it
//! holds is taken back, and the refusal is logged.
//!
//! Implements spec/alerts.md#audience.
//!
//! Invariant: whoever holds a version of an alert is told when the next one is not for it.

use std::collections::{BTreeMap, HashMap};

use symbolon_audit::Entry;
use symbolon_disclosure::{Say, Sealed, StatementKind, WithdrawReason};
use symbolon_record::{RecordId, RecordVersion};
use symbolon_store::{Alert, AlertDelivery, AlertKey, DeliveryState, Intent, Sent, Write};
use symbolon_trust::{Mode, NodeId};

use super::audience::Barred;
use super::deliver::word_in;
use super::is_gone;
use crate::{Desk, DeskError, Officer};

/// What one turn of sealing has changed so far and the store does not show yet.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) next: BTreeMap<Mode, (u64, u64)>,
    pub(super) deliveries: HashMap<RecordId, AlertDelivery>,
    /// What policy refused, for the log.
    refused: Vec<Entry>,
    /// Versions that the partner holds and may keep no longer.
    taken_back: Vec<(RecordId, RecordVersion, Mode)>,
}

impl Overlay {
    /// Notes by which statement a partner gets an alert; a word is none.
    pub(super) fn sealed(&mut self, alert: RecordId, sealed: &Sealed) {
        if sealed.kind() == StatementKind::Alert
            && let Some(delivery) = self.deliveries.get_mut(&alert)
        {
            delivery.statement_hash = Some(sealed.statement_hash());
        }
    }

    /// What never went to the partner does not go any more.
    pub(super) fn never_sent(&mut self, mut delivery: AlertDelivery) {
        if delivery.version.is_none() {
            delivery.state = DeliveryState::Dropped;
            self.deliveries.insert(delivery.alert, delivery);
        }
    }
}

impl Desk {
    /// A partner may not have an alert as it is now.
    pub(super) fn barred(
        &self,
        delivery: AlertDelivery,
        alert: &Alert,
        barred: &Barred,
        overlay: &mut Overlay,
    ) {
        if let Barred::Denied(denial) = barred {
            overlay.refused.push(Entry::refused(self.who(&Officer::node()), denial));
        }
        if let Some(version) = delivery.version {
            overlay.taken_back.push((alert.key.id, version, alert.mode));
        }
        overlay.never_sent(delivery);
    }

    /// What sealing has changed beside the statements and their places.
    pub(super) fn beside(&self, mut write: Write, node: &NodeId, overlay: Overlay) -> Write {
        for delivery in overlay.deliveries.values() {
            write = write.delivery(delivery);
        }
        for (alert, version, mode) in overlay.taken_back {
            let say = Say::Withdrawn(WithdrawReason::NoLongerShared).codes();
            let intent = Intent::Word { alert, version, say, mode };
            write = write.outbox(node, self.outbox_position(), &intent);
        }
        overlay.refused.into_iter().fold(write, Write::log)
    }

    /// Whether a statement holds an alert that the partner is to have no longer: where it has not
    /// arrived yet, it shall not, whether or not the word of it is sealed already.
    pub(super) fn is_taken_back(&self, node: &NodeId, sent: &Sent) -> Result<bool, DeskError> {
        let key = AlertKey { origin: self.identity().node(), id: sent.alert };
        let is_for = |alert: &Alert| alert.audience.contains(node) && !is_gone(alert.state);
        let delivery = self.store.delivery_fetch(&sent.alert, node)?;
        let is_out = delivery.is_some_and(|one| one.state == DeliveryState::Withdrawing)
            || self.store.alert_fetch(&key)?.is_some_and(|alert| !is_for(&alert));
        Ok(is_out && word_in(sent)?.is_none())
    }
}
