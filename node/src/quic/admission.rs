//! Counts the connections and running requests of each partner; knows nothing of QUIC.
//!
//! Implements spec/transport.md#limits.
//!
//! Invariant: at most `CONNECTIONS_PER_PARTNER_MAX` seats of one partner and `CONNECTIONS_MAX` in
//! all are held at any time, and a seat is given back exactly once: by being dropped, or to a newer
//! connection of the same partner.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_protocol::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_PARTNER_MAX};
use symbolon_trust::NodeId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

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
    /// By age: the first is the oldest.
    taken: BTreeMap<u64, Arc<Place>>,
    next: u64,
    serving: Arc<Semaphore>,
}

/// What a seat and its admission both see.
#[derive(Default)]
struct Place {
    /// Hellos and requests in progress.
    busy: AtomicUsize,
    displaced: Notify,
}

impl Admission {
    pub(super) fn new() -> Arc<Self> {
        let serving = Arc::new(Semaphore::new(SERVING_MAX));
        Arc::new(Self { partners: Mutex::default(), serving })
    }

    /// A seat for one connection of `partner`. Where all of its seats are taken, the oldest one
    /// that answers nothing now gives way: a partner that was killed and came back does not wait
    /// until its dead connections have timed out.
    pub(super) fn admit(self: &Arc<Self>, partner: NodeId) -> Result<Seat, Full> {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = partners.values().map(|seats| seats.taken.len()).sum();
        let seats = partners.get_mut(&partner);
        let own = seats.as_ref().map_or(0, |seats| seats.taken.len());
        if own >= CONNECTIONS_PER_PARTNER_MAX {
            seats.and_then(Seats::displace_idle).ok_or(Full)?;
        } else if total >= CONNECTIONS_MAX {
            return Err(Full);
        }
        let seats = partners.entry(partner).or_insert_with(|| Seats {
            taken: BTreeMap::new(),
            next: 0,
            serving: Arc::new(Semaphore::new(SERVING_PER_PARTNER_MAX)),
        });
        let (number, place) = (seats.next, Arc::new(Place::default()));
        seats.next += 1;
        seats.taken.insert(number, Arc::clone(&place));
        let serving = Arc::clone(&seats.serving);
        Ok(Seat { admission: Arc::clone(self), partner, number, place, serving })
    }

    fn leave(&self, partner: &NodeId, number: u64) {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = partners.get_mut(partner) {
            seats.taken.remove(&number);
            if seats.taken.is_empty() {
                partners.remove(partner);
            }
        }
    }
}

impl Seats {
    fn displace_idle(&mut self) -> Option<()> {
        let is_idle = |place: &Place| place.busy.load(Ordering::Acquire) == 0;
        let (number, _) = self.taken.iter().find(|(_, place)| is_idle(place))?;
        let number = *number;
        self.taken.remove(&number)?.displaced.notify_one();
        Some(())
    }
}

/// The right of one connection to exist.
pub(super) struct Seat {
    admission: Arc<Admission>,
    partner: NodeId,
    number: u64,
    place: Arc<Place>,
    serving: Arc<Semaphore>,
}

/// As long as it lives, its seat is not given to another connection.
pub(super) struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
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

    /// Something is being answered here.
    pub(super) fn busy(&self) -> Busy {
        self.place.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(&self.place))
    }

    /// Ends when a newer connection of the partner has this seat.
    pub(super) async fn displaced(&self) {
        self.place.displaced.notified().await;
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
        self.admission.leave(&self.partner, self.number);
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
    fn the_ninth_of_one_partner_is_refused_while_all_are_busy() {
        let admission = Admission::new();
        let seats: Vec<Seat> =
            (0..CONNECTIONS_PER_PARTNER_MAX).map(|_| admission.admit(node(1)).unwrap()).collect();
        let mut busy: Vec<Busy> = seats.iter().map(Seat::busy).collect();
        assert_eq!(admission.admit(node(1)).err(), Some(Full));
        let other = admission.admit(node(2));
        assert!(other.is_ok(), "another partner still has room");
        busy.pop();
        assert!(admission.admit(node(1)).is_ok());
    }

    #[tokio::test]
    async fn the_oldest_idle_seat_of_a_partner_gives_way_to_a_ninth() {
        let admission = Admission::new();
        let mut seats: Vec<Seat> =
            (0..CONNECTIONS_PER_PARTNER_MAX).map(|_| admission.admit(node(1)).unwrap()).collect();
        let oldest = seats.remove(0);
        let _busy = oldest.busy();
        let ninth = admission.admit(node(1)).unwrap();
        seats[0].displaced().await;
        let mut kept = pin!(oldest.displaced());
        let mut context = Context::from_waker(Waker::noop());
        assert!(kept.as_mut().poll(&mut context).is_pending());
        // Whoever was displaced leaves later, and takes nothing with it.
        drop(seats.remove(0));
        let taken = admission.partners.lock().unwrap()[&node(1)].taken.len();
        assert_eq!(taken, CONNECTIONS_PER_PARTNER_MAX);
        drop(ninth);
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
