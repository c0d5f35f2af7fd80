//! Bulk matching, the answering side: gathers what policy lets the partner match, and answers with
//! it, several partitions at once.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariants: nothing is gathered before the asker's set is proved to be committed and is charged;
//! a partition whose store was taken is answered once, so one charge is one set.

mod running;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use symbolon_audit::{
    Entry, MatchStatement, SetTerms, SignedMatch, match_transcript, set_item, verify_set_query,
};
use symbolon_codec::sha256;
use symbolon_ident::Class;
use symbolon_oprf::padded_count;
use symbolon_protocol::{
    Asked, BulkBegin, BulkCarried, BulkCarry, BulkId, BulkState, BulkWait, Refusal, Reply,
};
use symbolon_psi::{Plan, PsiError};
use symbolon_record::RecordId;
use symbolon_store::{BudgetKey, Direction, Evidence, Way, Write};
use symbolon_tlog::CheckpointVerifier;
use symbolon_trust::{NodeId, Signatures};

use crate::asking::lock;
use crate::bulk::set::{Gathering, ItemSet};
use crate::bulk_serve::running::{Attempts, Seats, Start};
use crate::desk::Known;
use crate::limits::{
    BULK_GATHER_MS, BULK_IDLE_SECONDS, BULK_INTERSECTION_MIN, BULK_MATCHES_MAX, BULK_RETRY_SECONDS,
    SCAN_RECORDS,
};
use crate::{Desk, DeskError, Officer};

/// The matches that partners have begun and that are not over.
#[derive(Default)]
pub(crate) struct Bulks {
    begun: Mutex<HashMap<(NodeId, BulkId), Arc<Bulk>>>,
    /// The attempts of all of them.
    seats: Seats,
}

/// One match.
struct Bulk {
    terms: SetTerms,
    /// Items of a partition at most.
    partition_items: u64,
    /// This side's share in the session's name.
    nonce: [u8; 32],
    touched_at: AtomicU64,
    /// Held while it is gathered or read: not for an attempt's computation.
    set: Mutex<Answering>,
    /// Once the set is whole.
    plan: OnceLock<Plan>,
    /// Items of the answering set, padding included, once it is whole.
    count: OnceLock<u64>,
    attempts: Mutex<Attempts>,
}

/// The answering set.
enum Answering {
    /// Being gathered, up to this record.
    Gathering(Gathering, Option<RecordId>),
    Whole(ItemSet),
    /// The match is over.
    Over,
}

/// Common items beyond which a match is given up: a quarter of the smaller set.
pub(crate) fn intersection_max(receiver_count: u64, sender_count: u64) -> u64 {
    (receiver_count.min(sender_count) / 4).max(BULK_INTERSECTION_MIN)
}

/// Elements that a set of so many items, padding included, is charged: the cells of the stores
/// that carry it, as if the other set had the same size.
pub(crate) fn charge(receiver_count: u64, partition_items: u64) -> Result<u32, PsiError> {
    let plan = Plan::with_room([0; 32], receiver_count, receiver_count, 0, partition_items)?;
    let cells = plan.terms(0, 0)?.store_bytes()? / 16 * u64::from(plan.partitions());
    u32::try_from(cells).map_err(|_| PsiError::Count)
}

/// The name of a session: both parties, what they match, and both nonces.
pub(crate) fn session(
    asker: &NodeId,
    holder: &NodeId,
    terms: &SetTerms,
    nonce: &[u8; 32],
) -> [u8; 32] {
    let epoch = terms.epoch.to_be_bytes();
    let class = [terms.class.code()];
    let parts = [asker.as_bytes(), holder.as_bytes(), &class[..], &epoch, &terms.nonce, nonce];
    sha256("symbolon/1 bulk session", &parts)
}

impl Desk {
    pub(crate) fn answer_bulk_begin(&self, partner: &Known, asked: Asked<BulkBegin>) -> Reply {
        match self.bulk_begin(partner, asked.request()) {
            Ok(state) => asked.answer(&state),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    pub(crate) fn answer_bulk_wait(&self, partner: &Known, asked: Asked<BulkWait>) -> Reply {
        match self.bulk_wait(partner, asked.request()) {
            Ok(state) => asked.answer(&state),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    pub(crate) fn answer_bulk_carry(&self, partner: &Known, asked: Asked<BulkCarry>) -> Reply {
        match self.bulk_carry(partner, asked.request()) {
            Ok(carried) => asked.answer(&carried),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    /// Matches that nobody has asked about for a while are forgotten, and so are single attempts.
    pub(crate) fn bulks_prune(&self) {
        let old = self.now().saturating_sub(BULK_IDLE_SECONDS);
        lock(&self.bulks.begun).retain(|_, bulk| {
            let is_kept = bulk.touched_at.load(Ordering::Relaxed) > old;
            let mut attempts = lock(&bulk.attempts);
            if is_kept {
                attempts.prune(old)
            } else {
                attempts.end_all()
            }
            is_kept
        });
    }

    /// Commitment, spend and log entry, as for every query; then there is a match.
    fn bulk_begin(&self, partner: &Known, request: &BulkBegin) -> Result<BulkState, Refusal> {
        let internal = |_| Refusal::Internal;
        let terms = request.terms();
        let agreement = self.agreement_for(partner)?;
        let budget = agreement.terms(terms.class).ok_or(Refusal::NoAgreement)?.budget_per_epoch;
        let epoch = agreement.epoch_at(self.now()).map_err(|_| Refusal::NoAgreement)?;
        if terms.epoch != epoch.number {
            return Err(Refusal::EpochUnknown);
        }
        let room = request.partition_items();
        let is_charged = padded_count(terms.receiver_count) == terms.receiver_count
            && charge(terms.receiver_count, room) == Ok(terms.elements);
        if !is_charged {
            return Err(Refusal::ElementRefused);
        }
        let key = (partner.node(), BulkId::of(&terms));
        self.bulks_prune();
        if let Some(bulk) = lock(&self.bulks.begun).get(&key) {
            // The answer was lost: the same match goes on, and is not charged again.
            let is_same = bulk.terms == terms && bulk.partition_items == room;
            return if is_same { Ok(bulk.state()) } else { Err(Refusal::Unknown) };
        }
        // One match a partner: a newer one takes the place of its last.
        let mut bulks = lock(&self.bulks.begun);
        bulks.retain(|(node, _), bulk| {
            let is_kept = *node != key.0;
            if !is_kept {
                lock(&bulk.attempts).end_all();
            }
            is_kept
        });
        if bulks.len() >= BULK_MATCHES_MAX {
            return Err(Refusal::Busy { retry_seconds: BULK_RETRY_SECONDS });
        }
        drop(bulks);
        let seen = self.store.partner_seen(&partner.node()).map_err(internal)?;
        let verifier =
            CheckpointVerifier::parse(&partner.card.card().log).map_err(|_| Refusal::Internal)?;
        let committed = verify_set_query(request.evidence(), &terms, &verifier, seen.as_ref());
        let committed =
            committed.map_err(|error| self.uncommitted(partner, request.evidence(), &error))?;
        let spent = BudgetKey {
            partner: partner.node(),
            class: terms.class,
            epoch: terms.epoch,
            direction: Direction::Answered,
        };
        self.committed_spend(spent, budget, seen, &committed, request.evidence())?;
        let bulk = Bulk {
            terms,
            partition_items: room,
            nonce: self.surroundings.seed(),
            touched_at: AtomicU64::new(self.now()),
            set: Mutex::new(Answering::Gathering(self.bulk_gathering(), None)),
            plan: OnceLock::new(),
            count: OnceLock::new(),
            attempts: Mutex::default(),
        };
        let state = bulk.state();
        lock(&self.bulks.begun).insert(key, Arc::new(bulk));
        Ok(state)
    }

    /// The match of this name, which is asked about now.
    fn bulk(&self, partner: &Known, id: BulkId) -> Result<Arc<Bulk>, Refusal> {
        let bulk = lock(&self.bulks.begun).get(&(partner.node(), id)).cloned();
        let bulk = bulk.ok_or(Refusal::Unknown)?;
        bulk.touched_at.store(self.now(), Ordering::Relaxed);
        Ok(bulk)
    }

    fn bulk_wait(&self, partner: &Known, wait: &BulkWait) -> Result<BulkState, Refusal> {
        let bulk = self.bulk(partner, wait.id())?;
        self.bulk_gather(partner, &bulk)?;
        bulk.touched_at.store(self.now(), Ordering::Relaxed);
        match wait.signatures() {
            Some(signatures) => self.bulk_sign(partner, &bulk, signatures),
            None => Ok(bulk.state()),
        }
    }

    /// Takes the asker's signatures under the transcript of a match that is done, and signs it too.
    fn bulk_sign(
        &self,
        partner: &Known,
        bulk: &Bulk,
        signatures: &Signatures,
    ) -> Result<BulkState, Refusal> {
        let plan = bulk.plan.get().ok_or(Refusal::Unknown)?;
        // Held to the end, so that it is signed and kept once.
        let mut attempts = lock(&bulk.attempts);
        let parts = attempts.transcripts(plan.partitions()).ok_or(Refusal::Unknown)?;
        let (asker, holder) = (partner.node(), self.identity().node());
        let name = session(&asker, &holder, &bulk.terms, &bulk.nonce);
        let transcript = match_transcript(&name, &parts);
        let theirs = MatchStatement::new(asker, holder, &bulk.terms, transcript);
        let theirs = theirs.signed(&partner.card.card().signing, signatures);
        let theirs = theirs.map_err(|_| Refusal::EnvelopeRefused)?;
        let own = MatchStatement::new(holder, asker, &bulk.terms, transcript);
        let (own, signatures) = self.match_signed(own).map_err(|_| Refusal::Internal)?;
        if !attempts.is_signed {
            let kept = self.match_keep(partner, &bulk.terms.nonce, &own, &theirs);
            kept.map_err(|_| Refusal::Internal)?;
            attempts.is_signed = true;
            attempts.end_all();
            drop(attempts);
            *lock(&bulk.set) = Answering::Over;
        }
        Ok(bulk.state().with_signatures(signatures))
    }

    /// Signs the own statement of a match.
    pub(crate) fn match_signed(
        &self,
        own: MatchStatement,
    ) -> Result<(SignedMatch, Signatures), DeskError> {
        let identity = self.identity();
        let signatures = own.sign(&identity.signing)?;
        Ok((own.signed(identity.signing.public(), &signatures)?, signatures))
    }

    /// Keeps both statements as evidence; that of the partner is in the log.
    pub(crate) fn match_keep(
        &self,
        partner: &Known,
        nonce: &[u8; 32],
        own: &SignedMatch,
        theirs: &SignedMatch,
    ) -> Result<(), DeskError> {
        let evidence = |way, signed: &SignedMatch| Evidence {
            statement_hash: signed.hash(),
            way,
            partner: partner.node(),
            kind: MatchStatement::KIND,
            at: self.now(),
            signed: signed.as_bytes().to_vec(),
        };
        let node = Officer::node();
        let write = Write::new()
            .evidence(&evidence(Way::Sent, own))
            .evidence(&evidence(Way::Received, theirs))
            .log(Entry::matched(self.who(&node), nonce, theirs));
        self.logged(write)?;
        Ok(())
    }

    /// Gathers for a moment: the partner asks again until the set is there.
    fn bulk_gather(&self, partner: &Known, bulk: &Bulk) -> Result<(), Refusal> {
        if bulk.plan.get().is_some() {
            return Ok(());
        }
        let until = self.surroundings.now_ms() + BULK_GATHER_MS;
        let mut set = lock(&bulk.set);
        while let Answering::Gathering(..) = &*set {
            // What is taken out and not put back, because something failed, begins anew.
            let anew = Answering::Gathering(self.bulk_gathering(), None);
            let Answering::Gathering(gathering, after) = std::mem::replace(&mut *set, anew) else {
                return Err(Refusal::Internal);
            };
            match self.bulk_gather_some(partner, bulk.terms.class, gathering, after)? {
                Answering::Whole(whole) => {
                    self.bulk_gathered(partner, bulk, whole.count())?;
                    *set = Answering::Whole(whole);
                }
                more => *set = more,
            }
            if self.surroundings.now_ms() >= until {
                break;
            }
        }
        Ok(())
    }

    /// Adds the items of the records behind `after`.
    fn bulk_gather_some(
        &self,
        partner: &Known,
        class: Class,
        mut gathering: Gathering,
        after: Option<RecordId>,
    ) -> Result<Answering, Refusal> {
        let agreement = self.agreement_for(partner)?;
        let records = self.store.record_scan(after, SCAN_RECORDS).map_err(|_| Refusal::Internal)?;
        let Some(last) = records.last() else {
            return Ok(Answering::Whole(gathering.finish().map_err(|_| Refusal::Internal)?));
        };
        for record in &records {
            for key in self.keys_open_to(partner, agreement, record, class) {
                let pushed = gathering.push(set_item(key.as_bytes()));
                pushed.map_err(|_| Refusal::Internal)?;
            }
        }
        Ok(Answering::Gathering(gathering, Some(last.id())))
    }

    /// Makes the plan for a set that is whole.
    fn bulk_gathered(&self, partner: &Known, bulk: &Bulk, items: u64) -> Result<(), Refusal> {
        let (receiver_count, sender_count) = (bulk.terms.receiver_count, padded_count(items));
        let (asker, holder) = (partner.node(), self.identity().node());
        let name = session(&asker, &holder, &bulk.terms, &bulk.nonce);
        let cap = intersection_max(receiver_count, sender_count);
        let room = bulk.partition_items;
        let plan = Plan::with_room(name, receiver_count, sender_count, cap, room);
        let plan = plan.map_err(|_| Refusal::Internal)?;
        let _ = bulk.count.set(sender_count);
        let _ = bulk.plan.set(plan);
        Ok(())
    }

    fn bulk_carry(&self, partner: &Known, carry: &BulkCarry) -> Result<BulkCarried, Refusal> {
        self.agreement_for(partner)?;
        let bulk = self.bulk(partner, carry.id)?;
        let start = Start {
            seats: &self.bulks.seats,
            seed: self.surroundings.seed(),
            workers: self.workers,
            now: self.now(),
        };
        BulkCarried::new(bulk.carry(carry, &start)?).map_err(|_| Refusal::Internal)
    }
}

impl Bulk {
    fn state(&self) -> BulkState {
        BulkState::new(self.count.get().copied(), self.nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_psi::PARTITION_ITEMS_MAX;

    #[test]
    fn a_set_is_charged_what_its_stores_hold() {
        for count in [1024, 1536, 1 << 16, 1 << 20, 3 << 20] {
            let whole = u64::from(charge(count, PARTITION_ITEMS_MAX).unwrap());
            assert!(whole > count && whole < count * 2 + 4096, "{count}: {whole}");
            // Other partitions waste more or less on padding, and cost it.
            let cut = u64::from(charge(count, 1 << 14).unwrap());
            assert!(cut < count * 3 + 4096, "{count}: {cut}");
            assert!(count > 1 << 14 || cut == whole, "{count}: {cut}");
        }
        assert!(charge(1024, 100).is_err() && charge(1024, u64::MAX).is_err());
    }

    #[test]
    fn the_bound_on_common_items_is_a_quarter_of_the_smaller_set() {
        assert_eq!(intersection_max(1024, 1 << 20), 1024);
        assert_eq!(intersection_max(1 << 20, 1 << 16), 1 << 14);
    }
}
