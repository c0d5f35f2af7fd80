//! One lane for each partner: sends what waits for it as soon as it waits, and again, later and
//! later, while the partner cannot be reached.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: no partner waits for another; while a push is on its way, what comes in is sealed
//! and leaves behind it; one worker alone tries a partner that cannot be reached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use symbolon_desk::limits::PUSHES_UNDER_WAY_MAX;
use symbolon_desk::{Desk, Left};
use symbolon_trust::NodeId;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::entropy;

/// The first wait after a push that failed, in milliseconds.
const BACK_OFF_MS_MIN: u64 = 500;
/// The longest, in milliseconds.
const BACK_OFF_MS_MAX: u64 = 120_000;
/// Workers of a lane beside the one that waits for the partner: as many more pushes can be on their
/// way.
const MORE_WORKERS: usize = PUSHES_UNDER_WAY_MAX - 1;
/// How often a lane looks although nobody told it to, in seconds.
const LOOK_SECONDS: u64 = 30;

/// All lanes. Share it behind an `Arc`.
pub(crate) struct Lanes {
    desk: Arc<Desk>,
    runtime: tokio::runtime::Handle,
    known: Mutex<HashMap<NodeId, Arc<Lane>>>,
}

/// What wakes the workers of a lane.
#[derive(Default)]
struct Lane {
    seal: Notify,
    push: Notify,
    /// Something was sealed while a push was on its way.
    more: Notify,
    prove: Notify,
}

impl Lane {
    fn wake(&self) {
        self.seal.notify_one();
        self.push.notify_one();
        self.prove.notify_one();
    }
}

impl Lanes {
    /// Opens a lane for whoever something waits for, now and whenever the desk says so. Call it
    /// within a runtime.
    pub(crate) fn open(desk: &Arc<Desk>) -> Arc<Lanes> {
        let lanes = Arc::new(Lanes {
            desk: Arc::clone(desk),
            runtime: tokio::runtime::Handle::current(),
            known: Mutex::default(),
        });
        let told = Arc::clone(&lanes);
        desk.on_queued(Box::new(move |node| told.wake(node)));
        let told = Arc::clone(&lanes);
        desk.on_left(Box::new(move |node| told.left(node)));
        for node in desk.outbox_waiting().unwrap_or_default() {
            lanes.wake(&node);
        }
        lanes
    }

    /// Something waits for a partner, or the partner has just been met.
    pub(crate) fn wake(self: &Arc<Self>, node: &NodeId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = known.get(node) {
            lane.wake();
            return;
        }
        let lane = Arc::new(Lane::default());
        lane.wake();
        known.insert(*node, Arc::clone(&lane));
        self.runtime.spawn(seal(Arc::clone(&self.desk), *node, Arc::clone(&lane)));
        for _ in 0..MORE_WORKERS {
            self.runtime.spawn(push_more(Arc::clone(&self.desk), *node, Arc::clone(&lane)));
        }
        self.runtime.spawn(prove(Arc::clone(&self.desk), *node, Arc::clone(&lane)));
        self.runtime.spawn(push(Arc::clone(&self.desk), *node, lane));
    }

    /// A push is on its way to a partner: what waits or comes behind it can be sealed.
    fn left(&self, node: &NodeId) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = known.get(node) {
            lane.seal.notify_one();
        }
    }
}

/// Seals for as long as the node runs, whenever a push is on its way.
async fn seal(desk: Arc<Desk>, node: NodeId, lane: Arc<Lane>) {
    loop {
        lane.seal.notified().await;
        loop {
            let sealing = Arc::clone(&desk);
            match spawn_blocking(move || sealing.alerts_seal(&node)).await {
                // What cannot be sealed is tried again, and told, by the next push.
                Ok(Ok(0) | Err(_)) => break,
                // Whichever worker is free takes it; one of them may be the first.
                Ok(Ok(_)) => {
                    lane.more.notify_one();
                    lane.push.notify_one();
                }
                // The runtime stops.
                Err(_) => return,
            }
        }
    }
}

/// Has the partner prove what it says that it deleted, for as long as the node runs: beside the
/// pushes, so that none waits for a proof.
async fn prove(desk: Arc<Desk>, node: NodeId, lane: Arc<Lane>) {
    loop {
        let _ = timeout(Duration::from_secs(LOOK_SECONDS), lane.prove.notified()).await;
        let proving = Arc::clone(&desk);
        match spawn_blocking(move || proving.deletions_prove(&node)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(partner = %node, %error, "proofs wait"),
            // The runtime stops.
            Err(_) => return,
        }
    }
}

/// Sends for as long as the node runs.
async fn push(desk: Arc<Desk>, node: NodeId, lane: Arc<Lane>) {
    let mut failures = 0_u32;
    loop {
        let wait = match failures {
            0 => Duration::from_secs(LOOK_SECONDS),
            failures => back_off(failures),
        };
        // A partner that was just met is tried at once, however often it was not there before.
        let _ = timeout(wait, lane.push.notified()).await;
        loop {
            let pushing = Arc::clone(&desk);
            match spawn_blocking(move || pushing.alerts_push(&node)).await {
                Ok(Ok(pushed)) => {
                    failures = 0;
                    if pushed.left == Left::Nothing {
                        break;
                    }
                }
                Ok(Err(error)) => {
                    failures = failures.saturating_add(1);
                    tracing::debug!(partner = %node, %error, failures, "alerts wait");
                    break;
                }
                // The runtime stops.
                Err(_) => return,
            }
        }
    }
}

/// Sends behind a push that is on its way, for as long as the node runs. What fails here is tried
/// again by the first worker.
async fn push_more(desk: Arc<Desk>, node: NodeId, lane: Arc<Lane>) {
    loop {
        lane.more.notified().await;
        loop {
            let pushing = Arc::clone(&desk);
            match spawn_blocking(move || pushing.alerts_push(&node)).await {
                Ok(Ok(pushed)) if pushed.left == Left::More => {}
                Ok(Ok(_)) => break,
                Ok(Err(_)) => {
                    lane.push.notify_one();
                    break;
                }
                // The runtime stops.
                Err(_) => return,
            }
        }
    }
}

/// Doubles with each failure, and differs from lane to lane, so that partners that come back
/// together are not all called at once.
fn back_off(failures: u32) -> Duration {
    let doubled = BACK_OFF_MS_MIN.saturating_mul(1 << failures.min(16).saturating_sub(1));
    let most = doubled.min(BACK_OFF_MS_MAX);
    let [a, b, ..] = entropy::seed();
    let part = u64::from(u16::from_be_bytes([a, b]));
    // From half of it to one and a half.
    Duration::from_millis(most / 2 + most * part / u64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_differ() {
        for failures in [1, 2, 5, 40, u32::MAX] {
            let waits: Vec<u128> = (0..64).map(|_| back_off(failures).as_millis()).collect();
            let most = u128::from(
                (BACK_OFF_MS_MIN << failures.min(16).saturating_sub(1)).min(BACK_OFF_MS_MAX),
            );
            assert!(waits.iter().all(|wait| (most / 2..=most / 2 + most).contains(wait)));
            assert!(waits.windows(2).any(|pair| pair[0] != pair[1]), "{failures}");
        }
    }
}
