//! Keeps the order in which a partner sees the own log: checkpoints must not overtake each other.
//!
//! Implements spec/accountability.md#queries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_trust::NodeId;

/// One turn a partner: whoever holds it may show the own log.
#[derive(Default)]
pub(crate) struct Asking(Mutex<HashMap<NodeId, Arc<Mutex<ShownLog>>>>);

/// What a partner has seen of the own log.
#[derive(Default)]
pub(crate) struct ShownLog {
    /// Leaves in the largest checkpoint that it accepted; `None` before the first is known.
    pub(crate) size: Option<u64>,
}

impl Asking {
    /// The turn of `partner`; lock it for as long as the partner looks at the log.
    pub(crate) fn turn(&self, partner: &NodeId) -> Arc<Mutex<ShownLog>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(*partner).or_default())
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
