//! One partition of a match, attempt by attempt, as the asking side runs it.
//!
//! Implements spec/psi.md#partitions and spec/transport.md#bulk.
//!
//! Invariants: an attempt that broke off is not continued; a piece may be sent again, because it
//! says where it stands; nothing of a partition is looked at before all of it has come.

use symbolon_audit::PartitionTranscript;
use symbolon_protocol::{BulkCarried, BulkCarry, BulkId};
use symbolon_psi::receiver::Received;
use symbolon_psi::{Item, Plan, Poll, PsiError, Receiver};

use super::kept::{Match, Stage};
use super::{BulkAsk, is_way};
use crate::alarm::AlarmKind;
use crate::batch::NotAsked;
use crate::bulk_pipe::{Inbox, Outbox};
use crate::limits::{BULK_ATTEMPTS_MAX, BULK_CARRY_REPEATS_MAX, BULK_CORRELATION_BYTES_MAX};
use crate::surroundings::LinkError;
use crate::{Desk, DeskError};

/// Why an attempt came to nothing.
enum Broken {
    /// The way to the partner: the match goes on when it is back.
    Way(LinkError),
    /// The partner refused, or what one side sent did not hold: another attempt may do.
    Attempt(String),
    /// Something here.
    Here(DeskError),
}

impl From<PsiError> for Broken {
    fn from(error: PsiError) -> Broken {
        Broken::Attempt(format!("the match broke off: {error}"))
    }
}

impl From<LinkError> for Broken {
    fn from(error: LinkError) -> Broken {
        if is_way(&error) { Broken::Way(error) } else { Broken::Attempt(error.to_string()) }
    }
}

impl Desk {
    /// Runs a partition, again where an attempt broke off before the own store was shown.
    pub(super) fn bulk_partition(
        &self,
        ask: &BulkAsk<'_>,
        kept: &mut Match,
        plan: &Plan,
        partition: u32,
        items: &[Item],
    ) -> Result<(Vec<u32>, PartitionTranscript), NotAsked> {
        let mut cause = String::new();
        for attempt in 0..BULK_ATTEMPTS_MAX {
            match self.bulk_attempt(ask, kept, plan, (partition, attempt), items) {
                Ok(received) => {
                    let hash = *received.transcript();
                    let transcript = PartitionTranscript { attempt, hash };
                    let met = match received.intersect() {
                        Ok(met) => met,
                        Err(PsiError::TooManyCommon { bound }) => {
                            return Err(self.bulk_give_up(ask, kept, bound));
                        }
                        Err(error) => return Err(NotAsked::Cause(error.to_string())),
                    };
                    return Ok((met, transcript));
                }
                Err(Broken::Attempt(why)) => cause = why,
                Err(Broken::Way(error)) => return Err(NotAsked::Cause(error.to_string())),
                Err(Broken::Here(error)) => return Err(NotAsked::Failed(error)),
            }
        }
        // No attempt is left, or the partner has taken the store and does not take another: one
        // charge is one set.
        self.bulk_forget(ask)?;
        Err(NotAsked::Cause(format!("{cause}; the match begins anew with the next run")))
    }

    fn bulk_attempt(
        &self,
        ask: &BulkAsk<'_>,
        kept: &Match,
        plan: &Plan,
        (partition, attempt): (u32, u32),
        items: &[Item],
    ) -> Result<Received, Broken> {
        let terms = plan.terms(partition, attempt)?;
        let outputs = terms.sender_count.saturating_mul(16);
        let seed = self.surroundings.seed();
        let mut receiver = Receiver::start(terms, items.to_vec(), seed, self.workers)?;
        let mut inbox = Inbox::new(outputs.max(BULK_CORRELATION_BYTES_MAX));
        let (mut outbox, mut sent) = (Outbox::default(), 0);
        let id = BulkId::of(&kept.terms(ask));
        loop {
            let finished = loop {
                match receiver.poll()? {
                    Poll::Send(message) => outbox.push(message),
                    Poll::Await => break None,
                    Poll::Finished(received) => break Some(received),
                }
            };
            // At the end the partner still learns that all came.
            let bytes = outbox.from(sent)?;
            let length = bytes.len() as u64;
            let (sent_before, taken) = (sent, inbox.received());
            let carry = BulkCarry { id, partition, attempt, sent: sent_before, taken, bytes };
            let carried = self.bulk_carried(ask, &carry);
            if let Some(received) = finished {
                return Ok(received);
            }
            sent += length;
            inbox.push(taken, carried?.bytes())?;
            while let Some(message) = inbox.next()? {
                receiver.handle(message)?;
            }
        }
    }

    /// Carries a piece, and again where it or its answer was lost.
    fn bulk_carried(&self, ask: &BulkAsk<'_>, carry: &BulkCarry) -> Result<BulkCarried, Broken> {
        let link = self.link().map_err(Broken::Here)?;
        let mut repeats = 0;
        loop {
            match link.bulk_carry(&ask.partner.node(), carry) {
                Err(LinkError::TimedOut | LinkError::Unreachable { .. })
                    if repeats < BULK_CARRY_REPEATS_MAX =>
                {
                    repeats += 1;
                }
                carried => return carried.map_err(Broken::from),
            }
        }
    }

    /// Rings, and keeps that this set is not matched again with this list.
    pub(super) fn bulk_give_up(&self, ask: &BulkAsk<'_>, kept: &mut Match, bound: u64) -> NotAsked {
        let words = format!(
            "a bulk match with {} in class {} had more than {bound} common items, and was given \
             up before any was looked at",
            ask.partner.name(),
            ask.class
        );
        (kept.stage, kept.met) = (Stage::GivenUp, Vec::new());
        let proof = String::new();
        let raised = self.bulk_keep(ask, kept).and_then(|()| {
            self.alarm_raise(AlarmKind::TooManyCommon, ask.partner, words.clone(), proof)
        });
        raised.map_or_else(NotAsked::Failed, |()| NotAsked::Cause(words))
    }
}
