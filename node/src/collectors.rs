//! One collector for each relay: fetches what lies there for this node, on a schedule and whenever
//! the relay is met.
//!
//! Implements spec/relay.md#collecting.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use symbolon_desk::Desk;
use symbolon_trust::NodeId;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The longest wait for a relay that cannot be reached, in seconds.
const BACK_OFF_SECONDS_MAX: u64 = 300;

/// All collectors. Share it behind an `Arc`.
pub(crate) struct Collectors {
    desk: Arc<Desk>,
    every: Duration,
    /// Relays that are asked although no partner is reached through them.
    named: Vec<String>,
    known: Mutex<HashMap<NodeId, Arc<Notify>>>,
}

impl Collectors {
    pub(crate) fn new(desk: &Arc<Desk>, every: Duration, named: Vec<String>) -> Collectors {
        Collectors { desk: Arc::clone(desk), every, named, known: Mutex::default() }
    }

    /// Begins with the relays that have come up since the last time, and lets go of the others.
    /// Call it within a runtime, every now and then.
    pub(crate) fn look(&self) {
        let relays = self.relays();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // A collector ends by itself once nobody holds its bell.
        known.retain(|node, _| relays.contains(node));
        for node in relays {
            known.entry(node).or_insert_with(|| {
                let bell = Arc::new(Notify::new());
                bell.notify_one();
                tokio::spawn(collect(
                    Arc::clone(&self.desk),
                    node,
                    Arc::downgrade(&bell),
                    self.every,
                ));
                bell
            });
        }
    }

    /// A partner has just been met: if it is a relay, it is asked at once.
    pub(crate) fn met(&self, node: &NodeId) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = known.get(node) {
            bell.notify_one();
        }
    }

    fn relays(&self) -> HashSet<NodeId> {
        let mut relays = self.desk.relays();
        let partners = self.desk.partners();
        let is_named = |name: &str| self.named.iter().any(|one| one == name);
        relays.extend(partners.values().filter(|one| is_named(one.name())).map(|one| one.node()));
        relays
    }
}

async fn collect(desk: Arc<Desk>, node: NodeId, bell: std::sync::Weak<Notify>, every: Duration) {
    let mut wait = every;
    while let Some(bell) = bell.upgrade() {
        let _ = timeout(wait, bell.notified()).await;
        drop(bell);
        let collecting = Arc::clone(&desk);
        match spawn_blocking(move || collecting.relay_collect(&node)).await {
            Ok(Ok(taken)) => {
                wait = every;
                if taken.refused > 0 {
                    tracing::warn!(relay = %node, refused = taken.refused, "a relay handed out \
                        envelopes that do not open");
                }
            }
            Ok(Err(error)) => {
                tracing::debug!(relay = %node, %error, "the relay is asked again");
                let longest = Duration::from_secs(BACK_OFF_SECONDS_MAX).max(every);
                wait = wait.saturating_mul(2).min(longest);
            }
            // The runtime stops.
            Err(_) => return,
        }
    }
}
