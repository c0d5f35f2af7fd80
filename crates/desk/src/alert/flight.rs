//! Pushes on their way to each partner, in the order in which they left.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariants: no place is on its way twice; what a partner says to a push is noted behind what it
//! said to those before; after a push that failed nothing leaves until none is on its way.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};

use symbolon_trust::{Mode, NodeId};

use super::carry::{Hold, highest};
use crate::asking::lock;
use crate::limits::PUSHES_UNDER_WAY_MAX;

/// All of them; in memory, since what was on its way when the node stopped is sent again.
#[derive(Default)]
pub(super) struct Flights {
    known: Mutex<HashMap<NodeId, Queue>>,
    moved: Condvar,
}

/// Behind which place of each mode the next push goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// In the stream of statements.
    pub(crate) placed: BTreeMap<Mode, u64>,
    /// Among the acknowledgements of the outbox.
    pub(crate) unplaced: BTreeMap<Mode, u64>,
}

/// Those to one partner.
#[derive(Default)]
struct Queue {
    next: u64,
    under_way: VecDeque<UnderWay>,
    /// Up to where the last one that was noted has moved each stream.
    settled: BTreeMap<Mode, u64>,
    state: State,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Whole,
    /// One has failed: what left behind it may not have been taken.
    Broken,
}

struct UnderWay {
    number: u64,
    until: Behind,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Awaited,
    /// What it said is on its way to the disk.
    Noted,
}

/// One push on its way. Dropped once it has left and without [`Flight::landed`], it has failed.
#[must_use]
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    node: NodeId,
    number: u64,
    outcome: State,
}

/// The turn of a push to note its answer, until this is dropped.
#[must_use]
pub(super) struct Turn<'a> {
    flights: &'a Flights,
    node: NodeId,
}

impl Behind {
    fn of(holds: &[Hold]) -> Self {
        let mut until = Self { placed: highest(holds), unplaced: BTreeMap::new() };
        for hold in holds {
            if let Hold::Unplaced(mode, positions) = hold
                && let Some(last) = positions.last()
            {
                raise(&mut until.unplaced, *mode, *last);
            }
        }
        until
    }
}

fn raise(places: &mut BTreeMap<Mode, u64>, mode: Mode, place: u64) {
    let highest = places.entry(mode).or_default();
    *highest = place.max(*highest);
}

impl Flights {
    /// The next push to a partner, with where it goes on; nothing where none may leave now. It
    /// counts from here on, so that one before it that fails is not forgotten while it is put
    /// together.
    pub(super) fn begin(&self, node: &NodeId) -> Option<(Flight<'_>, Behind)> {
        let mut known = lock(&self.known);
        let queue = known.entry(*node).or_default();
        if queue.state == State::Broken || queue.under_way.len() >= PUSHES_UNDER_WAY_MAX {
            return None;
        }
        let mut behind = Behind::default();
        for Behind { placed, unplaced } in queue.under_way.iter().map(|one| &one.until) {
            placed.iter().for_each(|(mode, place)| raise(&mut behind.placed, *mode, *place));
            unplaced.iter().for_each(|(mode, place)| raise(&mut behind.unplaced, *mode, *place));
        }
        let number = queue.next;
        queue.next += 1;
        let until = Behind::default();
        queue.under_way.push_back(UnderWay { number, until, answer: Answer::Awaited });
        Some((Flight { flights: self, node: *node, number, outcome: State::Whole }, behind))
    }

    /// Whether a push is on its way to a partner.
    pub(super) fn any(&self, node: &NodeId) -> bool {
        lock(&self.known).contains_key(node)
    }
}

impl<'a> Flight<'a> {
    /// It leaves with this; nothing where one before it has failed since it was begun: what it
    /// holds is then sent behind what is sent again.
    pub(super) fn leave(mut self, holds: &[Hold]) -> Option<Flight<'a>> {
        {
            let mut known = lock(&self.flights.known);
            let queue = known.get_mut(&self.node).filter(|queue| queue.state == State::Whole)?;
            let own = queue.under_way.iter_mut().find(|one| one.number == self.number)?;
            own.until = Behind::of(holds);
        }
        self.outcome = State::Broken;
        Some(self)
    }

    /// Waits until what was said to every push before is noted; nothing where one of them failed,
    /// because then this one is sent again and answered anew.
    pub(super) fn turn(&self) -> Option<Turn<'a>> {
        let waits = |known: &mut HashMap<NodeId, Queue>| {
            known.get(&self.node).is_some_and(|queue| {
                let mut before = queue.under_way.iter().take_while(|one| one.number < self.number);
                queue.state == State::Whole && before.any(|one| one.answer == Answer::Awaited)
            })
        };
        let known = self.flights.moved.wait_while(lock(&self.flights.known), waits);
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let is_whole = known.get(&self.node).is_some_and(|queue| queue.state == State::Whole);
        is_whole.then(|| Turn { flights: self.flights, node: self.node })
    }

    /// The partner has taken all that it held, and that is durable.
    pub(super) fn landed(mut self) {
        self.outcome = State::Whole;
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut known = lock(&self.flights.known);
        if let Some(queue) = known.get_mut(&self.node) {
            queue.under_way.retain(|one| one.number != self.number);
            if self.outcome == State::Broken {
                queue.state = State::Broken;
            }
            if queue.under_way.is_empty() {
                known.remove(&self.node);
            }
        }
        drop(known);
        self.flights.moved.notify_all();
    }
}

impl Turn<'_> {
    /// Up to where a push before this one has moved a stream, where that may not be on disk yet.
    pub(super) fn settled(&self, mode: Mode) -> Option<u64> {
        lock(&self.flights.known).get(&self.node)?.settled.get(&mode).copied()
    }

    /// This push moves a stream, by a write that is submitted before the turn ends.
    pub(super) fn settle(&self, mode: Mode, next: u64) {
        if let Some(queue) = lock(&self.flights.known).get_mut(&self.node) {
            queue.settled.insert(mode, next);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut known = lock(&self.flights.known);
        let queue = known.get_mut(&self.node);
        // Turns are taken in their order.
        let first = queue
            .and_then(|queue| queue.under_way.iter_mut().find(|one| one.answer == Answer::Awaited));
        if let Some(first) = first {
            first.answer = Answer::Noted;
        }
        drop(known);
        self.flights.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Mode = Mode::Live;

    fn node() -> NodeId {
        NodeId::from_bytes([7; 32])
    }

    fn leave<'a>(flights: &'a Flights, holds: &[Hold]) -> Flight<'a> {
        flights.begin(&node()).unwrap().0.leave(holds).unwrap()
    }

    fn next(flights: &Flights) -> Option<Behind> {
        flights.begin(&node()).map(|(_, behind)| behind)
    }

    fn behind(placed: u64) -> Behind {
        Behind { placed: BTreeMap::from([(LIVE, placed)]), unplaced: BTreeMap::new() }
    }

    #[test]
    fn the_next_goes_on_behind_those_on_their_way() {
        let flights = Flights::default();
        assert_eq!(next(&flights), Some(Behind::default()));
        let holds = [Hold::Unplaced(LIVE, vec![3, 9]), Hold::Placed(LIVE, 1)];
        let first = leave(&flights, &holds);
        let second = leave(&flights, &[Hold::Placed(LIVE, 2), Hold::Placed(LIVE, 3)]);
        let both = Behind { unplaced: BTreeMap::from([(LIVE, 9)]), ..behind(3) };
        assert_eq!(next(&flights), Some(both));
        first.landed();
        assert_eq!(next(&flights), Some(behind(3)));
        second.landed();
        assert!(!flights.any(&node()));
        assert_eq!(next(&flights), Some(Behind::default()));
    }

    #[test]
    fn there_is_a_most() {
        let flights = Flights::default();
        let all: Vec<_> = (0..PUSHES_UNDER_WAY_MAX as u64)
            .map(|place| leave(&flights, &[Hold::Placed(LIVE, place + 1)]))
            .collect();
        assert_eq!(next(&flights), None);
        assert!(flights.begin(&NodeId::from_bytes([8; 32])).is_some(), "of each partner");
        drop(all);
        assert!(next(&flights).is_some());
    }

    #[test]
    fn after_one_that_failed_all_begin_anew() {
        let flights = Flights::default();
        let [first, second] = [1, 2].map(|place| leave(&flights, &[Hold::Placed(LIVE, place)]));
        drop(first);
        assert_eq!(next(&flights), None, "the second is still on its way");
        assert!(second.turn().is_none(), "what it was answered is of no use");
        second.landed();
        assert_eq!(next(&flights), Some(Behind::default()), "from what is settled");
    }

    #[test]
    fn one_that_is_put_together_while_another_fails_does_not_leave() {
        let flights = Flights::default();
        let first = leave(&flights, &[Hold::Placed(LIVE, 1)]);
        let (second, goes_on) = flights.begin(&node()).unwrap();
        assert_eq!(goes_on, behind(1));
        drop(first);
        assert!(second.leave(&[Hold::Placed(LIVE, 2)]).is_none());
        assert_eq!(next(&flights), Some(Behind::default()), "from what is settled");
        // One that never left has not failed.
        assert_eq!(next(&flights), Some(Behind::default()));
        assert!(!flights.any(&node()));
    }

    #[test]
    fn answers_are_noted_in_the_order_of_the_pushes() {
        let flights = Flights::default();
        let [first, second] = [1, 2].map(|place| leave(&flights, &[Hold::Placed(LIVE, place)]));
        std::thread::scope(|scope| {
            let later = scope.spawn(move || {
                let turn = second.turn().unwrap();
                let settled = turn.settled(LIVE);
                drop(turn);
                second.landed();
                settled
            });
            let turn = first.turn().unwrap();
            turn.settle(LIVE, 2);
            drop(turn);
            assert_eq!(later.join().unwrap(), Some(2), "before the first is on disk");
            first.landed();
        });
        assert!(!flights.any(&node()));
    }
}
