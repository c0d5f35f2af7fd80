//! Who may change how far a partner is with an alert: one at a time for each alert and partner.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariant: from reading how far an alert has come until the change of it is durable, nobody else
//! reads the same to change it.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};

use symbolon_record::RecordId;
use symbolon_trust::NodeId;

use crate::asking::lock;

/// Alerts whose deliveries are being changed.
#[derive(Default)]
pub(super) struct Noting {
    held: Mutex<HashSet<(RecordId, NodeId)>>,
    freed: Condvar,
}

/// Some alerts of one partner, held until this is dropped.
#[must_use]
pub(crate) struct Noted<'a> {
    noting: &'a Noting,
    held: Vec<(RecordId, NodeId)>,
}

impl Noting {
    /// Waits until nobody holds any of them. While it waits it holds none, so that no two wait for
    /// each other; whoever holds some takes no more.
    pub(super) fn hold(&self, node: &NodeId, alerts: &HashSet<RecordId>) -> Noted<'_> {
        let wanted: Vec<_> = alerts.iter().map(|alert| (*alert, *node)).collect();
        let is_taken = |held: &mut HashSet<_>| wanted.iter().any(|one| held.contains(one));
        let held = self.freed.wait_while(lock(&self.held), is_taken);
        held.unwrap_or_else(PoisonError::into_inner).extend(wanted.iter().copied());
        Noted { noting: self, held: wanted }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        let mut held = lock(&self.noting.held);
        for one in &self.held {
            held.remove(one);
        }
        drop(held);
        self.noting.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn nobody_changes_what_another_is_changing() {
        let noting = Noting::default();
        let node = NodeId::from_bytes([1; 32]);
        let ids: Vec<RecordId> =
            (0..4).map(|number| RecordId::generate(1_790_000_000_000, [number; 32])).collect();
        let inside: Vec<AtomicUsize> = ids.iter().map(|_| AtomicUsize::new(0)).collect();
        std::thread::scope(|scope| {
            for turn in 0..8 {
                let (noting, ids, inside, node) = (&noting, &ids, &inside, &node);
                scope.spawn(move || {
                    for round in 0..200 {
                        let places = [(turn + round) % 4, (turn * 3 + round) % 4];
                        let alerts = places.iter().map(|place| ids[*place]).collect();
                        let _held = noting.hold(node, &alerts);
                        for place in HashSet::from(places) {
                            assert_eq!(inside[place].fetch_add(1, Ordering::SeqCst), 0);
                        }
                        std::thread::yield_now();
                        for place in HashSet::from(places) {
                            inside[place].fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert!(lock(&noting.held).is_empty());
    }

    #[test]
    fn another_partner_and_another_alert_do_not_wait() {
        let noting = Noting::default();
        let [one, other] = [1, 2].map(|number| NodeId::from_bytes([number; 32]));
        let [a, b] = [1, 2].map(|number| RecordId::generate(1_790_000_000_000, [number; 32]));
        let _held = noting.hold(&one, &HashSet::from([a]));
        let _of_other = noting.hold(&other, &HashSet::from([a]));
        let _of_one = noting.hold(&one, &HashSet::from([b]));
        assert_eq!(lock(&noting.held).len(), 3);
    }
}
