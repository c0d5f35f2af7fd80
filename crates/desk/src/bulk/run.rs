//! One partition of a match, attempt by attempt, as the asking side runs it.
//!
//! Implements spec/psi.md#partitions and spec/transport.md#bulk.
//!
//! Invariants: a store leaves only when what made it is kept, and nothing else is ever sent from
//! the same seed; a piece may be sent again, because it says where it stands; nothing of a
//! partition is looked at before all of it has come.

use symbolon_audit::PartitionTranscript;
use symbolon_protocol::{BulkCarried, BulkCarry, BulkId, Code};
use symbolon_psi::receiver::Received;
use symbolon_psi::{Item, Poll, PsiError, Receiver};

use super::course::Course;
use super::kept::Shown;
use super::{BulkAsk, is_way};
use crate::bulk_pipe::{Inbox, Outbox};
use crate::limits::{BULK_ATTEMPTS_MAX, BULK_CARRY_REPEATS_MAX, BULK_CORRELATION_BYTES_MAX};
use crate::surroundings::LinkError;
use crate::{Desk, DeskError};

/// Why a partition came to nothing.
pub(super) enum Broken {
    /// The way to the partner: the match goes on when it is back.
    Way(LinkError),
    /// The partner has no room for one more, and has begun nothing.
    NoRoom(String),
    /// The partner refused, or what one side sent did not hold: another attempt may do.
    Attempt(String),
    /// More items are common than may be.
    TooMany,
    /// Another partition ended the match, or stopped it.
    Stopped,
    /// Something here.
    Here(DeskError),
}

impl From<PsiError> for Broken {
    fn from(error: PsiError) -> Broken {
        Broken::Attempt(format!("the match broke off: {error}"))
    }
}

impl From<DeskError> for Broken {
    fn from(error: DeskError) -> Broken {
        Broken::Here(error)
    }
}

impl From<LinkError> for Broken {
    fn from(error: LinkError) -> Broken {
        if is_way(&error) { Broken::Way(error) } else { Broken::Attempt(error.to_string()) }
    }
}

impl Desk {
    /// Runs a partition, again where an attempt broke off before the own store was shown: gives the
    /// places of the items that met.
    pub(super) fn bulk_partition(
        &self,
        course: &Course<'_>,
        partition: u32,
        items: &[Item],
        workers: usize,
    ) -> Result<(Vec<u32>, PartitionTranscript), Broken> {
        let (mut cause, mut shown) = (String::new(), self.bulk_shown(course.ask, partition)?);
        let first = shown.as_ref().map_or(0, |shown| shown.attempt);
        for attempt in first..BULK_ATTEMPTS_MAX {
            let place = (partition, attempt);
            match self.bulk_attempt(course, place, shown.take(), items, workers) {
                Ok(received) => {
                    let hash = *received.transcript();
                    return match received.intersect() {
                        Ok(met) => Ok((met, PartitionTranscript { attempt, hash })),
                        Err(PsiError::TooManyCommon { .. }) => Err(Broken::TooMany),
                        Err(error) => {
                            let error = format!("what met could not be looked at: {error}");
                            Err(Broken::Here(DeskError::internal(error)))
                        }
                    };
                }
                Err(Broken::Attempt(why)) => {
                    self.bulk_shown_forget(course.ask, partition)?;
                    cause = why;
                }
                Err(broken) => return Err(broken),
            }
        }
        Err(Broken::Attempt(cause))
    }

    /// Runs an attempt, or goes on with one that had shown its store: then up to there from what
    /// was kept, so that the partner sees the same bytes again and has nothing else to answer.
    fn bulk_attempt(
        &self,
        course: &Course<'_>,
        (partition, attempt): (u32, u32),
        shown: Option<Shown>,
        items: &[Item],
        workers: usize,
    ) -> Result<Received, Broken> {
        let terms = course.plan.terms(partition, attempt)?;
        let outputs = terms.sender_count.saturating_mul(16);
        let mut is_shown = shown.is_some();
        let new = || Shown::new(attempt, self.surroundings.seed());
        let Shown { seed, mut heard, .. } = shown.unwrap_or_else(new);
        let mut receiver = Receiver::start(terms, items.to_vec(), *seed, workers)?;
        let mut inbox = Inbox::new(outputs.max(BULK_CORRELATION_BYTES_MAX));
        inbox.push(0, &heard)?;
        let (mut outbox, mut sent) = (Outbox::default(), 0);
        let (ask, id) = (course.ask, BulkId::of(&course.kept.terms(course.ask)));
        loop {
            let finished = loop {
                match receiver.poll()? {
                    Poll::Send(message) => {
                        if message.is_store() && !std::mem::replace(&mut is_shown, true) {
                            let heard = std::mem::take(&mut heard);
                            let shown = Shown { attempt, seed: seed.clone(), heard };
                            self.bulk_shown_keep(ask, partition, &shown)?;
                        }
                        outbox.push(message);
                    }
                    Poll::Finished(received) => break Some(received),
                    Poll::Await => match inbox.next()? {
                        Some(message) => receiver.handle(message)?,
                        None => break None,
                    },
                }
            };
            if finished.is_none() && course.is_stopped() {
                return Err(Broken::Stopped);
            }
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
            let carried = carried?;
            if !is_shown {
                heard.extend_from_slice(carried.bytes());
            }
            inbox.push(taken, carried.bytes())?;
        }
    }

    /// Carries a piece, and again where it or its answer was lost.
    fn bulk_carried(&self, ask: &BulkAsk<'_>, carry: &BulkCarry) -> Result<BulkCarried, Broken> {
        let link = self.link()?;
        let mut repeats = 0;
        loop {
            match link.bulk_carry(&ask.partner.node(), carry) {
                Err(LinkError::TimedOut | LinkError::Unreachable { .. })
                    if repeats < BULK_CARRY_REPEATS_MAX =>
                {
                    repeats += 1;
                }
                // The first piece asks for room; any later one has it.
                Err(LinkError::Refused { code: Code::Busy, detail })
                    if carry.sent == 0 && carry.taken == 0 =>
                {
                    let refused = LinkError::Refused { code: Code::Busy, detail };
                    return Err(Broken::NoRoom(refused.to_string()));
                }
                carried => return carried.map_err(Broken::from),
            }
        }
    }
}
