//! Pushes that overtook another on the way here: each waits a little for what stands before it.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariant: who waits holds nothing that the one before needs, and no longer than a bound.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use symbolon_disclosure::Opened;
use symbolon_store::StreamSide;

use super::deliver::MODES;
use crate::Desk;
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::ARRIVAL_WAIT_MS;

/// Told whenever something that came in was applied.
#[derive(Default)]
pub(super) struct Arrivals {
    turn: Mutex<()>,
    applied: Condvar,
}

impl Arrivals {
    /// Something was applied: whoever waits looks again.
    pub(super) fn tell(&self) {
        // Taken, so that nobody is between looking and waiting.
        drop(lock(&self.turn));
        self.applied.notify_all();
    }
}

impl Desk {
    /// Waits, for a bounded time, until everything before the first of these statements has come.
    pub(super) fn arrival_awaited(&self, partner: &Known, opened: &[Opened]) {
        for mode in MODES {
            let of_mode = opened.iter().filter(|one| one.mode() == mode);
            let Some(first) = of_mode.filter_map(Opened::sequence).min() else { continue };
            let waits = |(): &mut ()| {
                let next = self.store.stream_next(StreamSide::In, &partner.node(), mode);
                next.is_ok_and(|next| next < first)
            };
            if waits(&mut ()) {
                let most = Duration::from_millis(ARRIVAL_WAIT_MS);
                let arrivals = &self.alerts.arrivals;
                let _ = arrivals.applied.wait_timeout_while(lock(&arrivals.turn), most, waits);
            }
        }
    }
}
