//! What comes in: opened, applied once and in order, screened, durable, then acknowledged.
//!
//! Implements spec/alerts.md#receipt.
//!
//! Invariants: a statement behind its place is applied never again and acknowledged again; one
//! ahead of its place is left to be sent again; only the origin of an alert changes it.

use std::collections::BTreeMap;

use symbolon_disclosure::{AckItem, Opened, open};
use symbolon_protocol::{Asked, Established, PushAnswer, Pushing, Refusal, Reply};
use symbolon_store::{Intent, StreamSide, Write};
use symbolon_trust::{Mode, NodeId};

use super::apply::{Answer, Taking};
use super::deliver::MODES;
use crate::asking::lock;
use crate::desk::Known;
use crate::{Desk, DeskError, spread};

/// What became of a parcel of envelopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Applied now.
    pub applied: usize,
    /// Applied before, and acknowledged again.
    pub repeated: usize,
    /// Ahead of their place: something before them is missing.
    pub ahead: usize,
    /// Not for this node, not from a partner, damaged or expired.
    pub refused: usize,
}

impl Taken {
    pub(super) fn add(&mut self, more: Self) {
        self.applied += more.applied;
        self.repeated += more.repeated;
        self.ahead += more.ahead;
        self.refused += more.refused;
    }
}

impl Desk {
    /// Answers a push: what was taken is durable by then.
    pub(crate) fn answer_push(
        &self,
        session: &Established,
        partner: &Known,
        asked: Asked<Pushing>,
    ) -> Reply {
        match self.push_taken(session, partner, asked.request()) {
            Ok(answer) => asked.answer(&answer),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn push_taken(
        &self,
        session: &Established,
        partner: &Known,
        push: &Pushing,
    ) -> Result<PushAnswer, Refusal> {
        let here = |_| Refusal::Internal;
        if !partner.is_welcome() {
            return Err(Refusal::Suspended);
        }
        // What came before a bad one is taken; the sender learns how far that was.
        let opened = self.opened_until_bad(push, partner);
        if opened.is_empty() && push.envelopes().next().is_some() {
            return Err(Refusal::EnvelopeRefused);
        }
        self.arrival_awaited(partner, &opened);
        let Answer { now, later } = self.statements_answered(partner, &opened).map_err(refusal)?;
        for (mode, items) in later {
            self.acknowledge_later(&partner.node(), mode, &items).map_err(here)?;
        }
        let mut next = [1; 2];
        for (next, mode) in next.iter_mut().zip(MODES) {
            let found = self.store.stream_next(StreamSide::In, &partner.node(), mode);
            *next = found.map_err(|_| Refusal::Internal)?;
        }
        PushAnswer::new(now, next, session).map_err(|_| Refusal::Internal)
    }

    /// The envelopes before the first that cannot be opened.
    fn opened_until_bad(&self, push: &Pushing, partner: &Known) -> Vec<Opened> {
        let envelopes: Vec<&[u8]> = push.envelopes().collect();
        let open = |envelope: &[u8]| self.open_envelope(envelope, partner).ok();
        spread::each(envelopes, self.workers, open).into_iter().map_while(|one| one).collect()
    }

    /// Takes envelopes that a relay or a courier brought; each may be of another partner. What is
    /// acknowledged goes back by the outbox.
    ///
    /// # Errors
    /// [`DeskError`] from the store; what was taken before stays taken.
    pub fn parcel_take(&self, envelopes: &[Vec<u8>]) -> Result<Taken, DeskError> {
        self.parcel_of(None, envelopes)
    }

    /// The same, all of it of one sender and mode where `of` names them: anything else is refused.
    pub(super) fn parcel_of(
        &self,
        of: Option<(NodeId, Mode)>,
        envelopes: &[Vec<u8>],
    ) -> Result<Taken, DeskError> {
        let (identity, partners, now) = (self.identity(), self.partners(), self.now());
        let sender = |node: &NodeId| {
            let known = partners.get(node).filter(|known| known.is_welcome());
            known.map(|known| known.card().card().signing.clone())
        };
        let mut taken = Taken::default();
        let mut by_sender: BTreeMap<NodeId, Vec<Opened>> = BTreeMap::new();
        for envelope in envelopes {
            match open(envelope, &identity.recipients, &sender, &identity.node(), now) {
                Ok(opened) if of.is_none_or(|of| of == (opened.from(), opened.mode())) => {
                    by_sender.entry(opened.from()).or_default().push(opened);
                }
                Ok(_) | Err(_) => taken.refused += 1,
            }
        }
        for (node, mut opened) in by_sender {
            let Some(partner) = partners.get(&node) else { continue };
            // A carrier may bring them in any order.
            opened.sort_by_key(|one| one.sequence());
            let (more, items) = self.statements_taken(partner, &opened)?;
            for (mode, items) in items {
                self.acknowledge_later(&node, mode, &items)?;
            }
            taken.add(more);
        }
        Ok(taken)
    }

    pub(crate) fn acknowledge_later(
        &self,
        node: &NodeId,
        mode: Mode,
        items: &[AckItem],
    ) -> Result<(), DeskError> {
        let mut write = Write::new();
        for item in items {
            write = write.outbox(node, self.outbox_position(), &acknowledge(item, mode));
        }
        if !write.is_empty() {
            self.store.commit(write)?;
            self.tell_queued(&[*node]);
        }
        Ok(())
    }

    /// Applies what one partner sent, and acknowledges it: one acknowledgement a push, that of the
    /// live stream first, the other comes by itself. All of it is one write where the log does not
    /// grow meanwhile.
    fn statements_answered(&self, partner: &Known, opened: &[Opened]) -> Result<Answer, DeskError> {
        let Answer { now, mut later } =
            self.taken_in_order(partner, opened, |taking| taking.answered())?;
        if now.is_some() {
            return Ok(Answer { now, later });
        }
        let first = later.pop_first();
        let now = first.map(|(mode, items)| self.acknowledgement(partner, mode, items));
        Ok(Answer { now: now.transpose()?, later })
    }

    /// Applies what one partner sent; durable when this returns.
    fn statements_taken(
        &self,
        partner: &Known,
        opened: &[Opened],
    ) -> Result<(Taken, BTreeMap<Mode, Vec<AckItem>>), DeskError> {
        self.taken_in_order(partner, opened, |taking| taking.done())
    }

    /// Applies what one partner sent, in its order, and ends it so.
    fn taken_in_order<T>(
        &self,
        partner: &Known,
        opened: &[Opened],
        end: impl FnOnce(Taking<'_>) -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        let turn = self.alerts.receiving.of(&partner.node());
        let _one_at_a_time = lock(&turn);
        let mut taking = Taking::new(self, partner);
        for one in opened {
            taking.take(one)?;
        }
        let done = end(taking);
        self.alerts.arrivals.tell();
        done
    }
}

pub(super) fn acknowledge(item: &AckItem, mode: Mode) -> Intent {
    Intent::Acknowledge {
        statement_hash: item.statement_hash,
        stage: item.stage.code(),
        at: item.at,
        log_index: item.log_index,
        mode,
    }
}

/// What the partner is told where the store refused.
fn refusal(error: DeskError) -> Refusal {
    match error.fault() {
        crate::Fault::Unavailable => Refusal::Busy { retry_seconds: 1 },
        _ => Refusal::Internal,
    }
}
