//! By which way what waits for a partner leaves: a connection, a relay, or a file that somebody
//! carries.
//!
//! Implements spec/alerts.md#delivery and spec/relay.md#sending.
//!
//! Invariants: whichever way they take, the statements are the same; what a relay has taken is left
//! again until the partner has acknowledged it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, OnceLock};

use symbolon_disclosure::{Opened, Payload};
use symbolon_protocol::{Collect, Disclose, Leave};
use symbolon_store::{Line, Route, StreamSide, Write};
use symbolon_trust::{Mode, NodeId};

use super::deliver::MODES;
use super::flight::Behind;
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::{
    AGAIN_SECONDS, AGAIN_SECONDS_MAX, COLLECT_PAGES_MAX, PUSH_BYTES_MAX, PUSH_STATEMENTS_MAX,
    RELAY_UNDER_WAY_MAX,
};
use crate::{Desk, DeskError, LinkError, Taken};

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Statements that the partner now has.
    pub sent: usize,
    /// Whether more waits.
    pub left: Left,
}

impl Pushed {
    pub(super) const NOTHING: Self = Self { sent: 0, left: Left::Nothing };
}

/// Whether more waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Something.
    More,
}

/// Envelopes on their way, and what must be noted once they have arrived.
pub(crate) struct Batch {
    pub(crate) envelopes: Vec<Disclose>,
    pub(super) bytes: usize,
    bytes_max: usize,
    /// What each of them is.
    pub(super) holds: Vec<Hold>,
}

/// What an envelope holds.
pub(crate) enum Hold {
    /// The statement at this place of the stream.
    Placed(Mode, u64),
    /// An acknowledgement, which has no place in a stream, of what stands there in its line of the
    /// outbox.
    Unplaced(Mode, Vec<u64>),
}

impl Batch {
    /// Of so many bytes, or of one envelope where that is larger.
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self { envelopes: Vec::new(), bytes: 0, bytes_max, holds: Vec::new() }
    }

    pub(super) fn has_room_for(&self, envelope: &Disclose) -> bool {
        let bytes = self.bytes + envelope.as_bytes().len();
        let bytes_max = if self.envelopes.is_empty() { PUSH_BYTES_MAX } else { self.bytes_max };
        self.envelopes.len() < PUSH_STATEMENTS_MAX && bytes <= bytes_max
    }

    /// Adds an envelope where there is room.
    pub(super) fn add(&mut self, envelope: Disclose, hold: Hold) -> Room {
        if !self.has_room_for(&envelope) {
            return Room::Full;
        }
        self.bytes += envelope.as_bytes().len();
        self.envelopes.push(envelope);
        self.holds.push(hold);
        Room::Left
    }
}

/// The highest place of each stream.
pub(super) fn highest(holds: &[Hold]) -> BTreeMap<Mode, u64> {
    let placed = holds.iter().filter_map(|hold| match hold {
        Hold::Placed(mode, sequence) => Some((*mode, *sequence)),
        Hold::Unplaced(..) => None,
    });
    // They stand in their order.
    placed.collect()
}

/// The lowest place of each stream.
pub(super) fn lowest(holds: &[Hold]) -> BTreeMap<Mode, u64> {
    let mut lowest = BTreeMap::new();
    for hold in holds {
        if let Hold::Placed(mode, sequence) = hold {
            lowest.entry(*mode).or_insert(*sequence);
        }
    }
    lowest
}

/// Takes what has no place in a stream out of the outbox.
pub(super) fn unplaced_delete(mut write: Write, node: &NodeId, holds: &[Hold]) -> Write {
    for hold in holds {
        let Hold::Unplaced(mode, positions) = hold else { continue };
        for position in positions {
            write = write.outbox_delete(node, Line::Acknowledgements(*mode), *position);
        }
    }
    write
}

#[derive(PartialEq, Eq)]
pub(super) enum Room {
    Left,
    Full,
}

/// What was left at relays and is not acknowledged. It is kept in memory: whatever is left once too
/// often after a restart is applied once.
#[derive(Default)]
pub(super) struct Legs {
    known: Mutex<HashMap<(NodeId, Mode), Way>>,
    again_seconds: OnceLock<u64>,
}

/// One stream on its way by relay.
#[derive(Default)]
struct Way {
    /// The last place of each batch that was left, and when that was.
    legs: VecDeque<(u64, u64)>,
    /// How often it was begun anew since the partner last acknowledged something.
    tries: u32,
    /// The place that the partner has acknowledged.
    settled: u64,
}

impl Way {
    /// The place behind which to go on at `now`, where the partner has acknowledged `settled`.
    fn behind(&mut self, settled: u64, now: u64, again_seconds: u64) -> u64 {
        if settled > self.settled {
            (self.settled, self.tries) = (settled, 0);
        }
        self.legs.retain(|(until, _)| *until > settled);
        let patience = again_seconds.saturating_mul(1 << self.tries.min(16)).min(AGAIN_SECONDS_MAX);
        if self.legs.front().is_some_and(|(_, left_at)| left_at.saturating_add(patience) <= now) {
            self.legs.clear();
            self.tries = self.tries.saturating_add(1);
        }
        self.legs.back().map_or(settled, |(until, _)| *until)
    }
}

impl Desk {
    /// The partners for whom something waits.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn outbox_waiting(&self) -> Result<Vec<NodeId>, DeskError> {
        let mut waiting = Vec::new();
        for node in self.partners().keys() {
            if self.something_waits(node)? {
                waiting.push(*node);
            }
        }
        Ok(waiting)
    }

    /// Sends what waits for a partner by its route, as much as one push holds. What goes by courier
    /// stays until a file is written.
    ///
    /// # Errors
    /// [`DeskError`]; everything waits as before then.
    pub fn alerts_push(&self, node: &NodeId) -> Result<Pushed, DeskError> {
        let Some(partner) = self.partner(node).filter(|partner| partner.is_welcome()) else {
            return Ok(Pushed::NOTHING);
        };
        match partner.row.route {
            Route::Direct => self.pushed(&partner),
            Route::Relay(relay) => {
                let turn = self.alerts.sending.of(node);
                let _one_at_a_time = lock(&turn);
                self.left_at(&partner, &relay)
            }
            Route::Courier => Ok(Pushed::NOTHING),
        }
    }

    /// After so many seconds without an acknowledgement what was left at a relay is left again; a
    /// second call changes nothing.
    pub fn relay_again(&self, seconds: u64) {
        let _ = self.alerts.legs.again_seconds.set(seconds.max(1));
    }

    /// Leaves what waits at a relay. Call it with the partner's turn.
    fn left_at(&self, partner: &Known, relay: &NodeId) -> Result<Pushed, DeskError> {
        let node = partner.node();
        let mut behind = Behind::default();
        for mode in MODES {
            let settled = self.store.stream_next(StreamSide::Settled, &node, mode)? - 1;
            let again_seconds = self.alerts.legs.again_seconds.get().copied();
            let again_seconds = again_seconds.unwrap_or(AGAIN_SECONDS);
            let mut ways = lock(&self.alerts.legs.known);
            let way = ways.entry((node, mode)).or_default();
            behind.placed.insert(mode, way.behind(settled, self.now(), again_seconds));
        }
        self.outbox_seal(partner, RELAY_UNDER_WAY_MAX)?;
        let batch = self.batch(partner, &behind)?;
        if batch.envelopes.is_empty() {
            return Ok(Pushed::NOTHING);
        }
        let Batch { envelopes, holds, .. } = batch;
        let answer = self.link()?.leave(relay, &Leave::new(envelopes)?);
        let answer = answer.map_err(|error| {
            DeskError::unavailable(
                format!("the relay: {error}"),
                "it stays queued and is left again",
            )
        })?;
        // A relay that claims more than it was given gains nothing by it.
        let sent = usize::try_from(answer.taken).unwrap_or(usize::MAX).min(holds.len());
        let Some(taken) = holds.get(..sent).filter(|taken| !taken.is_empty()) else {
            let remedy = "it stays queued and is left again";
            return Err(DeskError::unavailable("the relay took nothing", remedy));
        };
        let write = unplaced_delete(Write::new(), &node, taken);
        if !write.is_empty() {
            self.store.commit(write)?;
        }
        let now = self.now();
        let mut ways = lock(&self.alerts.legs.known);
        for (mode, until) in highest(taken) {
            ways.entry((node, mode)).or_default().legs.push_back((until, now));
        }
        // Whether more waits shows when the next batch is put together.
        Ok(Pushed { sent, left: Left::More })
    }

    /// Forgets what was left for a partner, whose route has changed.
    pub(crate) fn legs_forget(&self, node: &NodeId) {
        lock(&self.alerts.legs.known).retain(|(partner, _), _| partner != node);
    }

    /// Moves a stream on by what a partner acknowledged apart from any push: it applies statements
    /// in their order, so whoever has one has all before it.
    pub(super) fn settled_by(&self, partner: &Known, opened: &Opened) -> Result<(), DeskError> {
        let (Payload::Acknowledgement(given), false) =
            (opened.payload(), partner.row.route == Route::Direct)
        else {
            return Ok(());
        };
        let (node, mode) = (partner.node(), opened.mode());
        let said: HashSet<_> = given.items.iter().map(|item| item.statement_hash).collect();
        let turn = self.alerts.sending.of(&node);
        let _one_at_a_time = lock(&turn);
        let settled = self.store.stream_next(StreamSide::Settled, &node, mode)?;
        if self.store.stream_next(StreamSide::Out, &node, mode)? <= settled {
            return Ok(());
        }
        let (mut behind, mut until) = (settled - 1, None);
        loop {
            let rows = self.store.sent_scan(&node, mode, behind, PUSH_STATEMENTS_MAX)?;
            let Some((last, _)) = rows.last() else { break };
            behind = *last;
            let has = rows.iter().rev().find(|(_, sent)| said.contains(&sent.statement_hash));
            until = has.map(|(sequence, _)| *sequence).or(until);
        }
        if let Some(until) = until {
            let side = StreamSide::Settled;
            self.store.commit(Write::new().stream(side, &node, mode, settled, until + 1))?;
        }
        Ok(())
    }

    /// The relays that partners are reached through.
    #[must_use]
    pub fn relays(&self) -> HashSet<NodeId> {
        let partners = self.partners();
        let routes = partners.values().map(|partner| partner.row.route);
        let relays = routes.filter_map(|route| match route {
            Route::Relay(relay) => Some(relay),
            Route::Direct | Route::Courier => None,
        });
        relays.collect()
    }

    /// Takes what lies at a relay for this node. What was taken is durable before the relay is told
    /// that it may go.
    ///
    /// # Errors
    /// [`DeskError`] where the relay cannot be reached or the store fails; the rest stays there.
    pub fn relay_collect(&self, relay: &NodeId) -> Result<Taken, DeskError> {
        let (mut all, mut after) = (Taken::default(), 0);
        let unavailable = |error: LinkError| {
            DeskError::unavailable(format!("the relay: {error}"), "it is asked again soon")
        };
        for _ in 0..COLLECT_PAGES_MAX {
            let page = self.link()?.collect(relay, &Collect { after }).map_err(unavailable)?;
            let last =
                page.last(after).map_err(|e| unavailable(LinkError::Broken(e.to_string())))?;
            let Some(last) = last else { break };
            let envelopes: Vec<Vec<u8>> = page.envelopes().map(<[u8]>::to_vec).collect();
            all.add(self.parcel_take(&envelopes)?);
            after = last;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_acknowledged_is_left_again_later_and_later() {
        let mut way = Way::default();
        assert_eq!(way.behind(0, 1_000, 60), 0);
        way.legs.extend([(5, 1_000), (9, 1_030)]);
        assert_eq!(way.behind(0, 1_059, 60), 9, "both are on their way");
        assert_eq!(way.behind(5, 1_060, 60), 9, "the first has arrived");
        assert_eq!(way.behind(5, 1_090, 60), 5, "the second is begun anew");
        for (now, waits) in [(2_000, 120), (3_000, 240), (4_000, 480)] {
            way.legs.push_back((9, now));
            assert_eq!(way.behind(5, now + waits - 1, 60), 9);
            assert_eq!(way.behind(5, now + waits, 60), 5, "twice as long as before");
        }
        way.legs.push_back((9, 10_000));
        assert_eq!(way.behind(8, 10_059, 60), 9, "something arrived, so patience is short again");
        assert_eq!(way.behind(8, 10_060, 60), 8);
        way.tries = u32::MAX;
        way.legs.push_back((9, 20_000));
        assert_eq!(way.behind(8, 20_000 + AGAIN_SECONDS_MAX - 1, 60), 9);
        way.tries = 40;
        assert_eq!(way.behind(8, 20_000 + AGAIN_SECONDS_MAX, 60), 8, "once a day at least");
    }
}
