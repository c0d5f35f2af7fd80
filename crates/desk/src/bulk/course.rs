//! The partitions of a match on the asking side: several at once, each kept when it is done.
//!
//! Implements spec/psi.md#partitions and spec/matching.md#bulk.
//!
//! Invariants: what met is summed over all partitions before any of it is kept, and nothing is kept
//! past the bound; what ends one partition lets the others stop at their next piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use symbolon_audit::PartitionTranscript;
use symbolon_psi::{Item, Plan};

use super::BulkAsk;
use super::kept::{Done, Match, Stage};
use super::run::Broken;
use super::set::ItemSet;
use crate::alarm::AlarmKind;
use crate::api::Report;
use crate::asking::lock;
use crate::batch::NotAsked;
use crate::limits::BULK_PARTITIONS_AT_ONCE;
use crate::{Desk, DeskError};

/// The partitions that are left of a match.
pub(super) struct Course<'a> {
    pub(super) desk: &'a Desk,
    pub(super) ask: &'a BulkAsk<'a>,
    pub(super) kept: &'a Match,
    pub(super) plan: &'a Plan,
    /// Common items of all partitions together, at most.
    bound: u64,
    own: Mutex<&'a mut ItemSet>,
    tally: Mutex<Tally>,
}

/// What the threads of a course share.
struct Tally {
    /// Partitions that nobody has taken yet.
    waiting: BTreeSet<u32>,
    /// Threads that take from them.
    threads: usize,
    /// Partitions that are done.
    done: u64,
    /// Items that met in them.
    met: u64,
    /// Why no further piece is sent.
    stopped: Option<NotAsked>,
    /// The match is given up or forgotten: nothing of it is kept any more.
    is_gone: bool,
}

/// Partitions that run together.
struct Round {
    partitions: BTreeSet<u32>,
    at_once: usize,
    /// Threads of each.
    workers: usize,
}

/// What a thread took to match.
struct Taken {
    partition: u32,
    items: Vec<Item>,
    /// Partitions that were done by then.
    done: u64,
}

/// As many at once as may be, each with its share of the workers; what is left over runs one after
/// the other, on all of them.
fn rounds(mut missing: BTreeSet<u32>, workers: usize) -> [Round; 2] {
    let workers = workers.max(1);
    let at_once = BULK_PARTITIONS_AT_ONCE.min(workers).min(missing.len()).max(1);
    let together = missing.len() - missing.len() % at_once;
    let left_over = missing.iter().nth(together).copied();
    let left_over = left_over.map_or_else(BTreeSet::new, |first| missing.split_off(&first));
    [
        Round { partitions: missing, at_once, workers: workers / at_once },
        Round { partitions: left_over, at_once: 1, workers },
    ]
}

impl<'a> Course<'a> {
    /// What is left of a match of which these partitions are done.
    pub(super) fn new(
        desk: &'a Desk,
        ask: &'a BulkAsk<'a>,
        (kept, plan): (&'a Match, &'a Plan),
        own: &'a mut ItemSet,
        bound: u64,
        done: &BTreeMap<u32, Done>,
    ) -> Course<'a> {
        let tally = Tally {
            waiting: (0..plan.partitions()).filter(|one| !done.contains_key(one)).collect(),
            threads: 0,
            done: done.len() as u64,
            met: done.values().map(|done| done.met).sum(),
            stopped: None,
            is_gone: false,
        };
        Course { desk, ask, kept, plan, bound, own: Mutex::new(own), tally: Mutex::new(tally) }
    }

    /// Runs all of them.
    ///
    /// # Errors
    /// What ended the match, or stopped it; what was done before is kept.
    pub(super) fn run(self, report: &mut dyn Report) -> Result<(), NotAsked> {
        let begun = self.desk.surroundings.now_ms();
        let missing = std::mem::take(&mut lock(&self.tally).waiting);
        for round in rounds(missing, self.desk.workers) {
            self.round(round, begun, report);
        }
        let tally = self.tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        match tally.stopped {
            Some(why) => Err(why),
            None if tally.done == u64::from(self.plan.partitions()) => Ok(()),
            None => Err(DeskError::internal("a partition of a match was left out").into()),
        }
    }

    fn round(&self, round: Round, begun: u64, report: &mut dyn Report) {
        let Round { partitions, at_once, workers } = round;
        {
            let mut tally = lock(&self.tally);
            if tally.stopped.is_some() || partitions.is_empty() {
                return;
            }
            (tally.waiting, tally.threads) = (partitions, at_once);
        }
        let total = Some(u64::from(self.plan.partitions()));
        thread::scope(|scope| {
            let (tell, told) = channel();
            let start = |_| {
                let tell = tell.clone();
                thread::Builder::new().spawn_scoped(scope, move || self.work(workers, &tell))
            };
            // Where the system does not give all of them, fewer do the work.
            let threads: Vec<_> = (0..at_once).flat_map(start).collect();
            drop(tell);
            let lacking = at_once - threads.len();
            lock(&self.tally).threads -= lacking.min(at_once - 1);
            for done in told {
                let seconds = (self.desk.surroundings.now_ms() - begun) / 1000;
                let partner = self.ask.partner.name();
                let stage = format!("matching partitions with {partner}, {seconds} s");
                report.progress(&stage, done, total);
            }
            let is_lost = threads.is_empty();
            let is_lost = threads.into_iter().fold(is_lost, |is_lost, thread| {
                // Each is waited for, whatever became of another.
                thread.join().is_err() || is_lost
            });
            if is_lost {
                self.stop(DeskError::internal("a thread of a match was lost").into());
            }
        });
    }

    /// Matches one partition after the other until none is left.
    fn work(&self, workers: usize, tell: &Sender<u64>) {
        while let Some(taken) = self.next() {
            let Taken { partition, items, done } = taken;
            match self.desk.bulk_partition(self, partition, &items, workers) {
                Ok((met, transcript)) => {
                    let met = met.into_iter().filter_map(|place| items.get(place as usize));
                    let met: Vec<[u8; 32]> = met.map(|item| *item.as_bytes()).collect();
                    self.finish(partition, transcript, &met, tell);
                }
                Err(Broken::NoRoom(cause)) => {
                    lock(&self.own).put_back(partition, items);
                    if self.give_way(partition, done, cause) {
                        return;
                    }
                }
                Err(Broken::Stopped) => {}
                Err(Broken::TooMany) => self.give_up(),
                Err(Broken::Attempt(cause)) => self.forget(&cause),
                Err(Broken::Way(error)) => self.stop(NotAsked::Cause(error.to_string())),
                Err(Broken::Here(error)) => self.stop(NotAsked::Failed(error)),
            }
        }
    }

    /// The next partition with its items; nothing where none is left or the match has stopped.
    fn next(&self) -> Option<Taken> {
        // Held while the items are read: the others would read the same.
        let mut own = lock(&self.own);
        let (partition, done) = {
            let mut tally = lock(&self.tally);
            let next = if tally.stopped.is_some() { None } else { tally.waiting.pop_first() };
            if next.is_none() {
                tally.threads = tally.threads.saturating_sub(1);
            }
            (next?, tally.done)
        };
        match own.partition(self.plan, partition) {
            Ok(items) => Some(Taken { partition, items, done }),
            Err(error) => {
                self.stop(error.into());
                None
            }
        }
    }

    /// The partner has no room for another partition: one of those that run is waited for. Whether
    /// this thread is one too many.
    fn give_way(&self, partition: u32, done: u64, cause: String) -> bool {
        let mut tally = lock(&self.tally);
        tally.waiting.insert(partition);
        if tally.threads > 1 {
            tally.threads -= 1;
            return true;
        }
        // No other runs any more; only if one was done meanwhile may there be room now.
        if tally.done == done {
            tally.stopped.get_or_insert(NotAsked::Cause(cause));
        }
        false
    }

    /// Whether no further piece is to be sent.
    pub(super) fn is_stopped(&self) -> bool {
        lock(&self.tally).stopped.is_some()
    }

    fn stop(&self, why: NotAsked) {
        lock(&self.tally).stopped.get_or_insert(why);
    }

    /// Counts what met, then keeps it.
    fn finish(
        &self,
        partition: u32,
        transcript: PartitionTranscript,
        met: &[[u8; 32]],
        tell: &Sender<u64>,
    ) {
        let mut tally = lock(&self.tally);
        if tally.is_gone {
            return;
        }
        tally.met += met.len() as u64;
        if tally.met > self.bound {
            drop(tally);
            return self.give_up();
        }
        match self.desk.bulk_keep_done(self.ask, partition, transcript, met) {
            Ok(()) => {
                tally.done += 1;
                let _ = tell.send(tally.done);
            }
            Err(error) => {
                tally.stopped.get_or_insert(NotAsked::Failed(error));
            }
        }
    }

    /// Rings, and keeps that this set is not matched again with this list.
    fn give_up(&self) {
        let mut tally = lock(&self.tally);
        if std::mem::replace(&mut tally.is_gone, true) {
            return;
        }
        let words = format!(
            "a bulk match with {} in class {} had more than {} common items, and was given up \
             before any was looked at",
            self.ask.partner.name(),
            self.ask.class,
            self.bound
        );
        let kept = Match { stage: Stage::GivenUp, ..self.kept.clone() };
        let raised = self.desk.bulk_keep_alone(self.ask, &kept).and_then(|()| {
            let (partner, proof) = (self.ask.partner, String::new());
            self.desk.alarm_raise(AlarmKind::TooManyCommon, partner, words.clone(), proof)
        });
        let why = raised.map_or_else(NotAsked::Failed, |()| NotAsked::Cause(words));
        tally.stopped = Some(why);
    }

    /// No attempt is left, or the partner has taken the store and does not take another: one charge
    /// is one set.
    fn forget(&self, cause: &str) {
        let mut tally = lock(&self.tally);
        if std::mem::replace(&mut tally.is_gone, true) {
            return;
        }
        let why = match self.desk.bulk_forget(&self.ask.group, self.ask.class) {
            Ok(()) => NotAsked::Cause(format!("{cause}; the match begins anew with the next run")),
            Err(error) => NotAsked::Failed(error),
        };
        tally.stopped = Some(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_has_all_workers() {
        let check = |missing: u32, workers: usize, expect: [(usize, usize, usize); 2]| {
            let rounds = rounds((0..missing).collect(), workers);
            let all: Vec<u32> =
                rounds.iter().flat_map(|round| round.partitions.iter().copied()).collect();
            assert_eq!(all, (0..missing).collect::<Vec<_>>(), "each once, in order");
            let found = rounds.map(|round| (round.partitions.len(), round.at_once, round.workers));
            assert_eq!(found, expect, "{missing} on {workers}");
        };
        check(11, 2, [(10, 2, 1), (1, 1, 2)]);
        check(11, 1, [(11, 1, 1), (0, 1, 1)]);
        check(11, 8, [(8, 4, 2), (3, 1, 8)]);
        check(3, 16, [(3, 3, 5), (0, 1, 16)]);
        check(1, 0, [(1, 1, 1), (0, 1, 1)]);
        check(0, 2, [(0, 1, 2), (0, 1, 2)]);
    }
}
