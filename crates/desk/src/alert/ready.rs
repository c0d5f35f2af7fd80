//! Envelopes from the sealing itself, so that a statement need not be sealed twice before it leaves
//! for the first time.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: an envelope is given out once, and only for the very statement that the store still
//! holds in that place, and to the key that the partner still has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use symbolon_protocol::Disclose;
use symbolon_trust::{Mode, NodeId};

use crate::asking::lock;
use crate::limits::READY_ENVELOPES_MAX;

/// What an envelope is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct For {
    pub(super) statement_hash: [u8; 32],
    /// Names the partner's key.
    pub(super) kid: [u8; 8],
}

/// Envelopes by partner and place in a stream; in memory, since a lost one is made again.
#[derive(Default)]
pub(super) struct Ready(Mutex<HashMap<NodeId, BTreeMap<(Mode, u64), (For, Disclose)>>>);

impl Ready {
    /// Keeps an envelope where there is room.
    pub(super) fn put(&self, node: &NodeId, place: (Mode, u64), about: For, envelope: Disclose) {
        let mut known = lock(&self.0);
        let of_node = known.entry(*node).or_default();
        if of_node.len() < READY_ENVELOPES_MAX {
            of_node.insert(place, (about, envelope));
        }
    }

    /// The envelope for a place, if it is the right one. What stands before the place is forgotten:
    /// a stream only ever goes on.
    pub(super) fn take(
        &self,
        node: &NodeId,
        (mode, sequence): (Mode, u64),
        about: For,
    ) -> Option<Disclose> {
        let mut known = lock(&self.0);
        let of_node = known.get_mut(node)?;
        of_node.retain(|(of, place), _| *of != mode || *place >= sequence);
        let (is_for, envelope) = of_node.remove(&(mode, sequence))?;
        (is_for == about).then_some(envelope)
    }
}
