//! The attempts of one match that run here, several at once, each behind its own lock.
//!
//! Implements spec/transport.md#bulk and spec/psi.md#partitions.
//!
//! Invariants: an attempt that is over is never begun again; of one partition one store is taken;
//! whoever holds the lock of a session may take that of the attempts, never the other way round.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use symbolon_audit::PartitionTranscript;
use symbolon_protocol::{BulkCarry, Refusal};
use symbolon_psi::{Plan, Poll, PsiError, Sender};

use super::{Answering, Bulk};
use crate::asking::lock;
use crate::bulk_pipe::{Inbox, Outbox};
use crate::limits::{
    BULK_ATTEMPTS_MAX, BULK_CORRELATION_BYTES_MAX, BULK_PARTITIONS_AT_ONCE_MAX, BULK_RETRY_SECONDS,
};

/// Counts attempts for as long as they have memory.
#[derive(Default, Clone)]
pub(super) struct Seats(Arc<AtomicUsize>);

/// One of those counted.
struct Seat(Arc<AtomicUsize>);

/// What is known of a match's attempts.
#[derive(Default)]
pub(super) struct Attempts {
    /// By partition.
    running: BTreeMap<u32, Arc<Attempt>>,
    /// Those that have memory, also where they are over but still compute.
    seats: Seats,
    /// Partitions whose store was taken.
    taken: BTreeSet<u32>,
    /// Of each partition, how many attempts are over: none of them begins again.
    ended: BTreeMap<u32, u32>,
    /// What partitions that are done were answered, the oldest first, in case that the asker was
    /// stopped before it had kept what it made of it.
    answers: VecDeque<Answer>,
    /// The transcripts of the partitions that were answered.
    transcripts: BTreeMap<u32, PartitionTranscript>,
    /// No attempt begins any more.
    is_over: bool,
    /// Both sides have signed.
    pub(super) is_signed: bool,
}

/// One attempt at one partition.
struct Attempt {
    partition: u32,
    number: u32,
    workers: usize,
    touched_at: AtomicU64,
    /// All of the answer was sent at least once: what is left of it waits for a repetition only.
    is_given: AtomicBool,
    /// Begun with the first piece.
    session: Mutex<Option<Session>>,
    _own: Seat,
    _all: Seat,
}

/// What an attempt that is done was answered.
struct Answer {
    partition: u32,
    number: u32,
    outbox: Outbox,
}

struct Session {
    store_bytes: u64,
    sender: Sender,
    inbox: Inbox,
    outbox: Outbox,
}

/// What an attempt is begun with.
pub(super) struct Start<'a> {
    /// The attempts of all matches.
    pub(super) seats: &'a Seats,
    pub(super) seed: [u8; 32],
    /// Threads for all attempts of the match together.
    pub(super) workers: usize,
    pub(super) now: u64,
}

impl Seats {
    /// One more, if fewer than `max` are taken.
    fn take(&self, max: usize) -> Option<Seat> {
        let more = |taken: usize| (taken < max).then_some(taken + 1);
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.is_ok().then(|| Seat(Arc::clone(&self.0)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Attempts {
    /// The transcripts of all partitions in their order, once there are so many.
    pub(super) fn transcripts(&self, partitions: u32) -> Option<Vec<PartitionTranscript>> {
        let all: Vec<PartitionTranscript> = self.transcripts.values().copied().collect();
        (all.len() == partitions as usize).then_some(all)
    }

    /// Ends everything; nothing begins again.
    pub(super) fn end_all(&mut self) {
        self.is_over = true;
        self.answers.clear();
        while let Some((partition, _)) = self.running.first_key_value() {
            let partition = *partition;
            self.end(partition);
        }
    }

    /// Ends what nobody has asked about since `old`.
    pub(super) fn prune(&mut self, old: u64) {
        let is_old = |attempt: &Attempt| attempt.touched_at.load(Ordering::Relaxed) <= old;
        let running = self.running.iter();
        let idle: Vec<u32> = running
            .filter(|(_, attempt)| is_old(attempt))
            .map(|(partition, _)| *partition)
            .collect();
        idle.into_iter().for_each(|partition| self.end(partition));
    }

    /// Ends what runs at a partition.
    fn end(&mut self, partition: u32) {
        if let Some(attempt) = self.running.remove(&partition) {
            self.ended.insert(partition, attempt.number + 1);
        }
    }

    fn is_running(&self, attempt: &Arc<Attempt>) -> bool {
        self.running.get(&attempt.partition).is_some_and(|running| Arc::ptr_eq(running, attempt))
    }

    /// Ends this attempt, if nothing else has.
    fn end_this(&mut self, attempt: &Arc<Attempt>) {
        if self.is_running(attempt) {
            self.end(attempt.partition);
        }
    }

    /// Room for one more attempt. A match always has room for one; for more, as long as there is
    /// some in all. An attempt of which only a repetition may still be asked makes room.
    fn seats(&mut self, all: &Seats) -> Result<(Seat, Seat), Refusal> {
        loop {
            let own = self.seats.take(BULK_PARTITIONS_AT_ONCE_MAX);
            let is_first = own.is_some() && self.seats.0.load(Ordering::Acquire) == 1;
            let max = if is_first { usize::MAX } else { BULK_PARTITIONS_AT_ONCE_MAX };
            if let Some(seats) = own.and_then(|own| Some((own, all.take(max)?))) {
                return Ok(seats);
            }
            let is_given = |attempt: &Attempt| attempt.is_given.load(Ordering::Acquire);
            let given = self.running.iter().find(|(_, attempt)| is_given(attempt));
            let Some(attempt) = given.map(|(_, attempt)| Arc::clone(attempt)) else {
                return Err(Refusal::Busy { retry_seconds: BULK_RETRY_SECONDS });
            };
            // Not waited for: whoever holds a session may want the lock that is held here.
            let session = attempt.session.try_lock().ok().and_then(|mut session| session.take());
            self.done(&attempt, session);
        }
    }

    /// Ends an attempt of which all was sent, but for what is asked for again.
    fn done(&mut self, attempt: &Arc<Attempt>, session: Option<Session>) {
        if !self.is_running(attempt) {
            return;
        }
        let (partition, number) = (attempt.partition, attempt.number);
        self.end(partition);
        if let Some(Session { outbox, .. }) = session {
            self.answers.push_back(Answer { partition, number, outbox });
        }
        if self.answers.len() > BULK_PARTITIONS_AT_ONCE_MAX {
            self.answers.pop_front();
        }
    }

    /// The next piece of an answer that was given before.
    fn again(&mut self, carry: &BulkCarry) -> Option<Result<Vec<u8>, Refusal>> {
        let place = (carry.partition, carry.attempt);
        let is_it = |answer: &&mut Answer| (answer.partition, answer.number) == place;
        let answer = self.answers.iter_mut().find(is_it)?;
        Some(answer.outbox.from(carry.taken).map_err(|_| Refusal::ElementRefused))
    }

    /// The attempt that a piece belongs to: the running one, or a new one that ends the last of its
    /// partition.
    fn attempt(
        &mut self,
        plan: &Plan,
        (partition, number): (u32, u32),
        start: &Start<'_>,
    ) -> Result<Arc<Attempt>, Refusal> {
        if let Some(running) = self.running.get(&partition).filter(|one| one.number == number) {
            running.touched_at.store(start.now, Ordering::Relaxed);
            return Ok(Arc::clone(running));
        }
        // A session has its name for itself: an attempt that is over is never begun again.
        let is_over = self.ended.get(&partition).is_some_and(|ended| number < *ended)
            || self.running.get(&partition).is_some_and(|running| number < running.number);
        let is_refused = self.is_over || is_over || number >= BULK_ATTEMPTS_MAX;
        if is_refused || self.taken.contains(&partition) || partition >= plan.partitions() {
            return Err(Refusal::Unknown);
        }
        self.end(partition);
        let (own, all) = self.seats(start.seats)?;
        let attempt = Arc::new(Attempt {
            partition,
            number,
            workers: (start.workers / (self.running.len() + 1)).max(1),
            touched_at: AtomicU64::new(start.now),
            is_given: AtomicBool::new(false),
            session: Mutex::new(None),
            _own: own,
            _all: all,
        });
        self.running.insert(partition, Arc::clone(&attempt));
        Ok(attempt)
    }
}

impl Bulk {
    /// Takes a piece and gives the next one of the answer.
    pub(super) fn carry(&self, carry: &BulkCarry, start: &Start<'_>) -> Result<Vec<u8>, Refusal> {
        let plan = self.plan.get().ok_or(Refusal::Unknown)?;
        let place = (carry.partition, carry.attempt);
        let attempt = {
            let mut attempts = lock(&self.attempts);
            if let Some(answer) = attempts.again(carry) {
                return answer;
            }
            attempts.attempt(plan, place, start)?
        };
        let carried = self.carry_to(&attempt, plan, carry, start.seed);
        if carried.is_err() {
            // The asker may begin the partition anew, if it has not shown its store.
            lock(&self.attempts).end_this(&attempt);
        }
        carried
    }

    fn carry_to(
        &self,
        attempt: &Arc<Attempt>,
        plan: &Plan,
        carry: &BulkCarry,
        seed: [u8; 32],
    ) -> Result<Vec<u8>, Refusal> {
        let refused = |_: PsiError| Refusal::ElementRefused;
        let mut held = lock(&attempt.session);
        if !lock(&self.attempts).is_running(attempt) {
            return Err(Refusal::Unknown);
        }
        let session = match &mut *held {
            Some(session) => session,
            none => none.insert(self.session(attempt, plan, seed)?),
        };
        session.inbox.push(carry.sent, &carry.bytes).map_err(refused)?;
        while let Some(message) = session.inbox.next().map_err(refused)? {
            if message.bulk().len() as u64 == session.store_bytes {
                self.take(attempt)?;
                // The asker may come back for all of the answer: the store is not taken again.
                session.outbox.hold();
            }
            session.sender.handle(message).map_err(refused)?;
        }
        let mut is_done = false;
        while session.outbox.is_drained(carry.taken) {
            match session.sender.poll().map_err(refused)? {
                Poll::Send(message) => session.outbox.push(message),
                Poll::Await => break,
                Poll::Finished(_) => {
                    is_done = true;
                    break;
                }
            }
        }
        let bytes = session.outbox.from(carry.taken).map_err(refused)?;
        if let Some(hash) = session.sender.transcript() {
            let is_given = session.outbox.is_drained(carry.taken + bytes.len() as u64);
            attempt.is_given.store(is_given, Ordering::Release);
            self.answered(attempt, hash)?;
        }
        if is_done {
            // Before the lock of the session is given back: nobody begins it again.
            let session = held.take();
            lock(&self.attempts).done(attempt, session);
        }
        Ok(bytes)
    }

    /// Begins the session of an attempt.
    fn session(&self, attempt: &Attempt, plan: &Plan, seed: [u8; 32]) -> Result<Session, Refusal> {
        let internal = |_: PsiError| Refusal::Internal;
        let terms = plan.terms(attempt.partition, attempt.number).map_err(internal)?;
        let mut set = lock(&self.set);
        let Answering::Whole(whole) = &mut *set else { return Err(Refusal::Unknown) };
        let items = whole.partition(plan, attempt.partition).map_err(|_| Refusal::Internal)?;
        drop(set);
        let store_bytes = terms.store_bytes().map_err(internal)?;
        let sender = Sender::start(terms, items, seed, attempt.workers).map_err(internal)?;
        let inbox = Inbox::new(store_bytes.max(BULK_CORRELATION_BYTES_MAX));
        Ok(Session { store_bytes, sender, inbox, outbox: Outbox::default() })
    }

    /// The store of a partition has come: no other one is taken.
    fn take(&self, attempt: &Arc<Attempt>) -> Result<(), Refusal> {
        let mut attempts = lock(&self.attempts);
        if !attempts.is_running(attempt) {
            return Err(Refusal::Unknown);
        }
        attempts.taken.insert(attempt.partition);
        Ok(())
    }

    fn answered(&self, attempt: &Arc<Attempt>, hash: [u8; 32]) -> Result<(), Refusal> {
        let mut attempts = lock(&self.attempts);
        if !attempts.is_running(attempt) {
            return Err(Refusal::Unknown);
        }
        let transcript = PartitionTranscript { attempt: attempt.number, hash };
        attempts.transcripts.insert(attempt.partition, transcript);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::bulk::set::Gathering;
    use symbolon_audit::SetTerms;
    use symbolon_ident::Class;
    use symbolon_psi::{Item, Receiver};
    use symbolon_store::Store;

    const NOW: u64 = 1_000;

    /// A match of several partitions with a hundred items.
    fn bulk() -> Bulk {
        let store = Arc::new(Store::memory([1; 32]));
        let mut gathering = Gathering::new(&store, &[2; 32], 1 << 20);
        for number in 0..100 {
            gathering.push([number; 32]).unwrap();
        }
        let (epoch, nonce, receiver_count, elements) = (1, [3; 32], 9_000, 0);
        let plan = Plan::with_room([4; 32], receiver_count, 12_288, 1_024, 2_048).unwrap();
        assert!(plan.partitions() as usize > BULK_PARTITIONS_AT_ONCE_MAX + 1);
        Bulk {
            terms: SetTerms { class: Class::Document, epoch, nonce, receiver_count, elements },
            partition_items: 2_048,
            nonce: [5; 32],
            touched_at: AtomicU64::new(NOW),
            set: Mutex::new(Answering::Whole(gathering.finish().unwrap())),
            plan: OnceLock::from(plan),
            count: OnceLock::from(12_288),
            attempts: Mutex::default(),
        }
    }

    fn piece(bulk: &Bulk, (partition, attempt): (u32, u32), sent: u64, taken: u64) -> BulkCarry {
        let id = symbolon_protocol::BulkId::of(&bulk.terms);
        BulkCarry { id, partition, attempt, sent, taken, bytes: Vec::new() }
    }

    fn start(seats: &Seats, now: u64) -> Start<'_> {
        Start { seats, seed: [6; 32], workers: 4, now }
    }

    /// The first piece of an attempt.
    fn open(bulk: &Bulk, seats: &Seats, place: (u32, u32)) -> Result<Vec<u8>, Refusal> {
        bulk.carry(&piece(bulk, place, 0, 0), &start(seats, NOW))
    }

    fn taken(seats: &Seats) -> usize {
        seats.0.load(Ordering::Acquire)
    }

    /// Plays the asker of one partition, up to its last message, which it gives, after how much it
    /// had heard when its store left.
    fn answered(bulk: &Bulk, seats: &Seats, partition: u32) -> (u64, BulkCarry) {
        let terms = bulk.plan.get().unwrap().terms(partition, 0).unwrap();
        let items = vec![Item::from_bytes([7; 32])];
        let mut receiver = Receiver::start(terms, items, [8; 32], 1).unwrap();
        let mut inbox = Inbox::new(BULK_CORRELATION_BYTES_MAX);
        let (mut outbox, mut sent, mut heard) = (Outbox::default(), 0, 0);
        loop {
            loop {
                match receiver.poll().unwrap() {
                    Poll::Send(message) => {
                        heard = if message.is_store() { inbox.received() } else { heard };
                        outbox.push(message);
                    }
                    Poll::Await => break,
                    Poll::Finished(_) => {
                        let bytes = outbox.from(sent).unwrap();
                        let carry = piece(bulk, (partition, 0), sent, inbox.received());
                        return (heard, BulkCarry { bytes, ..carry });
                    }
                }
            }
            let bytes = outbox.from(sent).unwrap();
            let carry = piece(bulk, (partition, 0), sent, inbox.received());
            sent += bytes.len() as u64;
            let answer = bulk.carry(&BulkCarry { bytes, ..carry }, &start(seats, NOW)).unwrap();
            inbox.push(inbox.received(), &answer).unwrap();
            while let Some(message) = inbox.next().unwrap() {
                receiver.handle(message).unwrap();
            }
        }
    }

    #[test]
    fn what_is_opened_and_left_holds_no_more_than_the_bound() {
        let (bulk, seats) = (bulk(), Seats::default());
        let most = u32::try_from(BULK_PARTITIONS_AT_ONCE_MAX).unwrap();
        for partition in 0..most {
            assert!(open(&bulk, &seats, (partition, 0)).is_ok());
        }
        let busy = Err(Refusal::Busy { retry_seconds: BULK_RETRY_SECONDS });
        assert_eq!(open(&bulk, &seats, (most, 0)), busy);
        // A new attempt of one of them takes the place of the last, which never comes back.
        assert!(open(&bulk, &seats, (1, 1)).is_ok());
        assert_eq!(open(&bulk, &seats, (1, 0)), Err(Refusal::Unknown));
        assert_eq!(taken(&seats), BULK_PARTITIONS_AT_ONCE_MAX);
        // One of them is asked about again, the others are left.
        let later = start(&seats, NOW + 100);
        assert!(bulk.carry(&piece(&bulk, (2, 0), 0, 0), &later).is_ok());
        lock(&bulk.attempts).prune(NOW + 50);
        assert_eq!(taken(&seats), 1, "what is left for long has no memory");
        assert_eq!(open(&bulk, &seats, (0, 0)), Err(Refusal::Unknown), "and is not begun again");
        assert!(open(&bulk, &seats, (0, 1)).is_ok() && open(&bulk, &seats, (most, 0)).is_ok());
        lock(&bulk.attempts).end_all();
        assert_eq!((taken(&seats), taken(&lock(&bulk.attempts).seats)), (0, 0));
        assert_eq!(open(&bulk, &seats, (5, 0)), Err(Refusal::Unknown));
    }

    #[test]
    fn each_match_has_room_for_one_whatever_the_others_take() {
        let (one, other, seats) = (bulk(), bulk(), Seats::default());
        for partition in 0..u32::try_from(BULK_PARTITIONS_AT_ONCE_MAX).unwrap() {
            assert!(open(&one, &seats, (partition, 0)).is_ok());
        }
        assert!(open(&other, &seats, (0, 0)).is_ok());
        assert!(matches!(open(&other, &seats, (1, 0)), Err(Refusal::Busy { .. })));
        lock(&one.attempts).end_all();
        assert!(open(&other, &seats, (1, 0)).is_ok());
    }

    #[test]
    fn what_was_answered_and_waits_for_a_repetition_only_makes_room() {
        let (bulk, seats) = (bulk(), Seats::default());
        let (heard, _lost) = answered(&bulk, &seats, 0);
        for partition in 1..=u32::try_from(BULK_PARTITIONS_AT_ONCE_MAX).unwrap() {
            assert!(open(&bulk, &seats, (partition, 0)).is_ok(), "{partition}");
        }
        assert_eq!(taken(&seats), BULK_PARTITIONS_AT_ONCE_MAX);
        let attempts = lock(&bulk.attempts);
        assert_eq!(attempts.transcripts.keys().copied().collect::<Vec<_>>(), [0], "it counts");
        drop(attempts);
        // The asker may have been stopped: what it was answered is answered again.
        let again = |bulk: &Bulk| bulk.carry(&piece(bulk, (0, 0), 0, heard), &start(&seats, NOW));
        assert!(again(&bulk).is_ok_and(|bytes| !bytes.is_empty()));
        for attempt in 1..BULK_ATTEMPTS_MAX {
            assert_eq!(open(&bulk, &seats, (0, attempt)), Err(Refusal::Unknown), "one store");
        }
        lock(&bulk.attempts).end_all();
        assert_eq!(again(&bulk), Err(Refusal::Unknown));
    }

    #[test]
    fn a_partition_that_is_done_has_no_room_and_is_answered_again_for_a_while() {
        let (bulk, seats) = (bulk(), Seats::default());
        let mut heard = Vec::new();
        let again = |bulk: &Bulk, partition, heard| {
            bulk.carry(&piece(bulk, (partition, 0), 0, heard), &start(&seats, NOW))
        };
        for partition in 0..=u32::try_from(BULK_PARTITIONS_AT_ONCE_MAX).unwrap() {
            let (heard_of_it, last) = answered(&bulk, &seats, partition);
            assert_eq!(bulk.carry(&last, &start(&seats, NOW)), Ok(Vec::new()));
            assert_eq!(taken(&seats), 0, "{partition}");
            assert!(again(&bulk, partition, heard_of_it).is_ok_and(|bytes| !bytes.is_empty()));
            heard.push(heard_of_it);
        }
        assert_eq!(again(&bulk, 0, heard[0]), Err(Refusal::Unknown), "the oldest is forgotten");
        assert!(again(&bulk, 1, heard[1]).is_ok());
        assert_eq!(taken(&seats), 0);
    }

    #[test]
    fn a_piece_does_not_wait_for_the_computation_of_another_partition() {
        let (bulk, seats) = (bulk(), Seats::default());
        assert!(open(&bulk, &seats, (0, 0)).is_ok());
        let first = lock(&bulk.attempts).running.get(&0).cloned().unwrap();
        // As while it computes.
        let _computing = lock(&first.session);
        assert!(open(&bulk, &seats, (1, 0)).is_ok());
        assert_eq!(taken(&seats), 2);
        // Ended meanwhile, it still has its memory and is counted, and takes no store any more.
        assert!(open(&bulk, &seats, (0, 1)).is_ok());
        assert_eq!(taken(&seats), 3);
        assert_eq!(bulk.take(&first), Err(Refusal::Unknown));
    }
}
