//! Alerts whose acceptance is on its way to the disk: they are sealed meanwhile, in a write behind
//! it.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: whoever seals one takes it from here, so that nobody else does; it is sealed only in
//! a write that is refused where the acceptance is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use symbolon_record::Record;
use symbolon_store::{Alert, MadeSecrets};
use symbolon_trust::{Mode, NodeId};

use crate::asking::lock;

/// All of them, by partner and position in its outbox. There are as many as threads that accept.
#[derive(Default)]
pub(super) struct Coming(Mutex<HashMap<NodeId, BTreeMap<u64, Arc<Accepting>>>>);

/// An alert that the store does not show yet.
pub(super) struct Accepting {
    pub(super) alert: Alert,
    pub(super) record: Record,
    /// What a write needs to go behind the acceptance.
    pub(super) secrets: MadeSecrets,
}

/// One alert for those that it waits for; it is known to nobody any more once this is dropped.
#[must_use]
pub(super) struct Announced<'a> {
    coming: &'a Coming,
    places: Vec<(NodeId, u64)>,
}

impl Coming {
    /// Makes an alert known that was submitted to the store, with its places in the outboxes.
    pub(super) fn announce(
        &self,
        places: Vec<(NodeId, u64)>,
        accepting: Accepting,
    ) -> Announced<'_> {
        let accepting = Arc::new(accepting);
        let mut known = lock(&self.0);
        for (node, position) in &places {
            known.entry(*node).or_default().insert(*position, Arc::clone(&accepting));
        }
        drop(known);
        Announced { coming: self, places }
    }

    /// What is coming for a partner, with the positions.
    pub(super) fn of(&self, node: &NodeId, mode: Mode) -> BTreeMap<u64, Arc<Accepting>> {
        let known = lock(&self.0);
        let of_node = known.get(node).into_iter().flatten();
        let of_mode = of_node.filter(|(_, accepting)| accepting.alert.mode == mode);
        of_mode.map(|(position, accepting)| (*position, Arc::clone(accepting))).collect()
    }

    /// Takes what is at a position, if it is still there: whoever does seals it.
    pub(super) fn take(&self, node: &NodeId, position: u64) {
        let mut known = lock(&self.0);
        let Some(of_node) = known.get_mut(node) else { return };
        of_node.remove(&position);
        if of_node.is_empty() {
            known.remove(node);
        }
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        for (node, position) in &self.places {
            self.coming.take(node, *position);
        }
    }
}
