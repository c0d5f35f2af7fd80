//! Pushes over a connection to the partner itself: several on their way, each settled in its turn.
//!
//! Implements spec/alerts.md#delivery.
//!
//! Invariant: nothing counts as arrived before what the partner says of it is durable here.

use symbolon_protocol::limits::REQUEST_DEADLINE_MS;
use symbolon_protocol::{Code, Push, Pushed as Answer};
use symbolon_store::{Line, Route, StreamSide, Write};
use symbolon_trust::NodeId;

use super::carry::{Batch, Hold, Left, Pushed, highest, lowest, unplaced_delete};
use super::deliver::MODES;
use super::flight::Flight;
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::{
    MEET_ANEW_SECONDS, PUSH_BYTES_BEGIN, PUSH_BYTES_MAX, PUSH_BYTES_MIN, PUSH_STATEMENTS_MAX,
    READY_ENVELOPES_MAX,
};
use crate::{Desk, DeskError, LinkError};

/// What the answer to a push was good for.
enum Settled {
    /// The partner has all of it.
    All,
    /// The partner has some of it that it did not have.
    Some,
    /// The partner has taken nothing of it.
    Nothing,
    /// A push before it failed: this one is sent again too.
    Later,
}

impl Desk {
    /// Seals some of what waits for a partner while a push is on its way to it, so that the next
    /// need not; gives how many things it dealt with. It does nothing at any other time: the next
    /// push seals what it takes itself.
    ///
    /// # Errors
    /// [`DeskError`]; what was not sealed waits as before then.
    pub fn alerts_seal(&self, node: &NodeId) -> Result<usize, DeskError> {
        let partner = self.partner(node).filter(|partner| partner.is_welcome());
        let Some(partner) = partner.filter(|partner| partner.row.route == Route::Direct) else {
            return Ok(0);
        };
        if !self.alerts.flights.any(node) {
            return Ok(0);
        }
        self.outbox_seal(&partner, READY_ENVELOPES_MAX as u64)
    }

    /// Something is on its way to the disk for these: it can be sealed already for those that a
    /// push is on its way to.
    pub(super) fn tell_coming(&self, nodes: &[NodeId]) {
        if let Some(told) = self.alerts.left.get() {
            nodes.iter().filter(|node| self.alerts.flights.any(node)).for_each(told);
        }
    }

    /// Sends over a connection to the partner itself, behind what is on its way already.
    pub(super) fn pushed(&self, partner: &Known) -> Result<Pushed, DeskError> {
        let node = &partner.node();
        if !self.something_waits(node)? {
            return Ok(Pushed::NOTHING);
        }
        // Nothing is sealed for a partner that is not there; one that is has told its newest card.
        if self.link()?.seen_by(node).is_none() {
            let remedy = "it stays queued and is sent when the partner is there";
            return Err(DeskError::unavailable("the partner cannot be reached", remedy));
        }
        let Some(partner) = &self.partner(node) else { return Ok(Pushed::NOTHING) };
        let Some((batch, flight)) = self.leaving(partner)? else { return Ok(Pushed::NOTHING) };
        if let Some(told) = self.alerts.left.get() {
            told(node);
        }
        let Batch { envelopes, holds, bytes, .. } = batch;
        let sent = envelopes.len();
        let begun_ms = self.surroundings.now_ms();
        let answer = self.link()?.push(node, &Push::new(envelopes)?);
        let answer = answer.map_err(|error| {
            match error {
                LinkError::Refused { code: Code::Envelope, .. } => self.meet_anew(node),
                LinkError::TimedOut => self.push_bytes_set(node, bytes / 2),
                _ => {}
            }
            DeskError::unavailable(error.to_string(), "it stays queued and is sent again")
        })?;
        let took_ms = self.surroundings.now_ms().saturating_sub(begun_ms);
        // In good time before a push would come too late to be of use.
        if took_ms < REQUEST_DEADLINE_MS / 4 {
            self.push_bytes_set(node, self.push_bytes(node).saturating_mul(2));
        } else if took_ms > REQUEST_DEADLINE_MS / 2 {
            self.push_bytes_set(node, bytes / 2);
        }
        let settled = self.push_settled(partner, &flight, &holds, &answer)?;
        match settled {
            Settled::All => flight.landed(),
            Settled::Some | Settled::Nothing | Settled::Later => drop(flight),
        }
        if !self.something_waits(node)? {
            return Ok(Pushed { sent, left: Left::Nothing });
        }
        match settled {
            Settled::All | Settled::Some => Ok(Pushed { sent, left: Left::More }),
            Settled::Later => Ok(Pushed { sent: 0, left: Left::More }),
            // It has no agreement yet, or says what is not so: it is not asked again at once.
            Settled::Nothing => Err(DeskError::unavailable(
                "the partner takes nothing of what waits for it",
                "it stays queued and is sent again; compare the agreements of both",
            )),
        }
    }

    /// The next push to a partner, which counts as on its way from now on; nothing where none may
    /// leave, or nothing is left that is not on its way.
    fn leaving(&self, partner: &Known) -> Result<Option<(Batch, Flight<'_>)>, DeskError> {
        let node = partner.node();
        let turn = self.alerts.sending.of(&node);
        let _one_at_a_time = lock(&turn);
        let Some((flight, behind)) = self.alerts.flights.begin(&node) else { return Ok(None) };
        if self.is_sealing_due(&node)? {
            self.outbox_seal(partner, PUSH_STATEMENTS_MAX as u64)?;
        }
        let batch = self.batch(partner, &behind)?;
        if batch.envelopes.is_empty() {
            return Ok(None);
        }
        Ok(flight.leave(&batch.holds).map(|flight| (batch, flight)))
    }

    /// Whether a push would leave something behind that nothing under way stands before: what was
    /// sealed while another push was on its way goes first, as it is.
    fn is_sealing_due(&self, node: &NodeId) -> Result<bool, DeskError> {
        for mode in MODES {
            let line = Line::Statements(mode);
            if self.under_way_count(node, mode)? == 0
                && !self.store.outbox_scan(node, line, 0, 1)?.is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How much one push to a partner may hold: little to begin with, twice as much after each that
    /// is quick, half as much after each that is slow or does not arrive in time.
    pub(super) fn push_bytes(&self, node: &NodeId) -> usize {
        lock(&self.alerts.push_bytes).get(node).copied().unwrap_or(PUSH_BYTES_BEGIN)
    }

    fn push_bytes_set(&self, node: &NodeId, bytes: usize) {
        let bytes = bytes.clamp(PUSH_BYTES_MIN, PUSH_BYTES_MAX);
        lock(&self.alerts.push_bytes).insert(*node, bytes);
    }

    /// One side cannot open what the other has sealed: a key was renewed during the session. A new
    /// hello tells both the newest cards; it is not repeated at once, should it be of no help.
    fn meet_anew(&self, node: &NodeId) {
        let now = self.now();
        let is_due = {
            let mut met = lock(&self.alerts.met_anew);
            let last = met.insert(*node, now);
            let is_due = last.is_none_or(|last| last.saturating_add(MEET_ANEW_SECONDS) <= now);
            if let (Some(last), false) = (last, is_due) {
                met.insert(*node, last);
            }
            is_due
        };
        if let (true, Ok(link)) = (is_due, self.link()) {
            let _ = link.seen_anew(node);
        }
    }

    /// Whether anything is to be sent or sent again. One row tells: what waits may be very much.
    pub(super) fn something_waits(&self, node: &NodeId) -> Result<bool, DeskError> {
        let mut waits = !self.store.outbox_is_empty(node)?;
        for mode in MODES {
            waits |= self.under_way_count(node, mode)? > 0;
        }
        Ok(waits)
    }

    /// Notes what the partner said to a push, behind what it said to those before; durable when
    /// this returns.
    fn push_settled(
        &self,
        partner: &Known,
        flight: &Flight<'_>,
        holds: &[Hold],
        answer: &Answer,
    ) -> Result<Settled, DeskError> {
        let node = partner.node();
        let opened = answer.envelope().map(|envelope| self.open_envelope(envelope, partner));
        let opened = opened.transpose().inspect_err(|_| self.meet_anew(&node))?;
        let mut write = unplaced_delete(Write::new(), &node, holds);
        let is_acknowledged = !write.is_empty();
        let Some(turn) = flight.turn() else { return Ok(Settled::Later) };
        let (first, last) = (lowest(holds), highest(holds));
        let (mut is_whole, mut moved) = (true, false);
        for (mode, until) in &last {
            // A partner that claims more than it was sent gains nothing by it.
            let next = answer.next(*mode).min(until + 1);
            let settled = match turn.settled(*mode) {
                Some(settled) => settled,
                None => self.store.stream_next(StreamSide::Settled, &node, *mode)?,
            };
            if next > settled {
                write = write.stream(StreamSide::Settled, &node, *mode, settled, next);
                turn.settle(*mode, next);
            }
            is_whole &= next > *until;
            moved |= first.get(mode).is_some_and(|first| next > *first);
        }
        let noted = match &opened {
            Some(opened) => {
                let (noted, more) = self.acknowledged(partner, opened, write)?;
                write = more;
                Some(noted)
            }
            None => None,
        };
        if !write.is_empty() {
            let submitted = self.store.submit(write)?;
            // The next answer need not wait for the disk: its write stands behind this one.
            drop(turn);
            let done = submitted.wait()?;
            if let Some(noted) = noted {
                noted.durable(&done);
            }
        }
        Ok(match (is_whole, moved || is_acknowledged) {
            (true, _) => Settled::All,
            (false, true) => Settled::Some,
            (false, false) => Settled::Nothing,
        })
    }
}
