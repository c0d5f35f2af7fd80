//! Counts the connections and running requests of each partner; knows nothing of QUIC.
//!
//! Implements spec/transport.md#limits.
//!
//! Invariant: at most `CONNECTIONS_PER_PARTNER_MAX` seats of one partner and `CONNECTIONS_MAX` in
//! all exist at any time, and a seat is given back exactly once, by being dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_protocol::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_PARTNER_MAX};
use symbolon_trust::NodeId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{SERVING_MAX, SERVING_PER_PARTNER_MAX};

/// All seats are taken, by this partner or by all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all connections of this partner, or of this node, are taken")]
pub(super) struct Full;

/// The seats of all partners.
pub(super) struct Admission {
    partners: Mutex<HashMap<NodeId, Seats>>,
    serving: Arc<Semaphore>,
}

struct Seats {
    taken: usize,
    serving: Arc<Semaphore>,
}

impl Admission {
    pub(super) fn new() -> Arc<Self> {
        let serving = Arc::new(Semaphore::new(SERVING_MAX));
        Arc::new(Self { partners: Mutex::default(), serving })
    }

    /// A seat for one connection of `partner`.
    pub(super) fn admit(self: &Arc<Self>, partner: NodeId) -> Result<Seat, Full> {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = partners.values().map(|seats| seats.taken).sum();
        if total >= CONNECTIONS_MAX {
            return Err(Full);
        }
        let seats = partners.entry(partner).or_insert_with(|| Seats {
            taken: 0,
            serving: Arc::new(Semaphore::new(SERVING_PER_PARTNER_MAX)),
        });
        if seats.taken >= CONNECTIONS_PER_PARTNER_MAX {
            return Err(Full);
        }
        seats.taken += 1;
        let serving = Arc::clone(&seats.serving);
        Ok(Seat { admission: Arc::clone(self), partner, serving })
    }

    fn leave(&self, partner: &NodeId) {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = partners.get_mut(partner) {
            seats.taken -= 1;
            if seats.taken == 0 {
                partners.remove(partner);
            }
        }
    }
}

/// The right of one connection to exist.
pub(super) struct Seat {
    admission: Arc<Admission>,
    partner: NodeId,
    serving: Arc<Semaphore>,
}

/// The right of one request to run.
pub(super) struct Turn {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Seat {
    pub(super) fn partner(&self) -> NodeId {
        self.partner
    }

    /// Waits for a turn: first among the requests of the same partner, then among all, so that a
    /// partner with many requests waits for itself and not in front of others.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let own = Arc::clone(&self.serving).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.admission.serving).acquire_owned().await.ok()?;
        Some(Turn { _own: own, _all: all })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.admission.leave(&self.partner);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::from_bytes([number; 32])
    }

    #[test]
    fn the_ninth_of_one_partner_is_refused_until_one_leaves() {
        let admission = Admission::new();
        let mut seats: Vec<Seat> =
            (0..CONNECTIONS_PER_PARTNER_MAX).map(|_| admission.admit(node(1)).unwrap()).collect();
        assert_eq!(admission.admit(node(1)).err(), Some(Full));
        let other = admission.admit(node(2));
        assert!(other.is_ok(), "another partner still has room");
        seats.pop();
        assert!(admission.admit(node(1)).is_ok());
    }

    #[test]
    fn the_sixty_fifth_of_all_is_refused() {
        let admission = Admission::new();
        let seats: Vec<Seat> = (0..CONNECTIONS_MAX)
            .map(|at| admission.admit(node(u8::try_from(at).unwrap())).unwrap())
            .collect();
        assert_eq!(admission.admit(node(200)).err(), Some(Full));
        drop(seats);
        assert!(admission.partners.lock().unwrap().is_empty(), "nothing is kept of who left");
    }

    #[tokio::test]
    async fn one_partner_cannot_take_all_turns() {
        let admission = Admission::new();
        let greedy = admission.admit(node(1)).unwrap();
        let mut turns = Vec::new();
        for _ in 0..SERVING_PER_PARTNER_MAX {
            turns.push(greedy.turn().await.unwrap());
        }
        let mut next = pin!(greedy.turn());
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert!(admission.admit(node(2)).unwrap().turn().await.is_some());
        turns.pop();
        assert!(next.await.is_some());
    }
}
