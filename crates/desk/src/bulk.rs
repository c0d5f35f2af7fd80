//! Bulk matching, the asking side: commits to the own set, runs it against the partner's, several
//! partitions at once, and gives what met. Every hit is then asked for like any other.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariants: the set is kept and committed to before the partner hears of it; a match that was
//! stopped goes on with the partitions that it lacks as long as the partner has it; what met counts
//! only with the partner's signatures under what both sides saw.

mod course;
mod kept;
mod run;
pub(crate) mod set;

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use serde_bytes::ByteBuf;
use symbolon_audit::{
    MatchStatement, QueryPrivate, SetTerms, commit_set, match_transcript, set_item, set_opening,
};
use symbolon_ident::Class;
use symbolon_oprf::padded_count;
use symbolon_protocol::{BulkBegin, BulkId, BulkState, BulkWait};
use symbolon_psi::{PARTITION_ITEMS_MAX, PARTITION_ITEMS_MIN, Plan};
use symbolon_store::{Owed, OwedFor, Query, QueryId, QueryState, Write};
use symbolon_trust::VerifiedAgreement;
use zeroize::Zeroizing;

use crate::api::{Reason, Report};
use crate::batch::NotAsked;
use crate::bulk::course::Course;
use crate::bulk::kept::{Done, Match, Stage};
use crate::bulk::set::{Gathering, ItemSet};
use crate::bulk_serve::{charge, intersection_max, session};
use crate::desk::Known;
use crate::limits::{BULK_ROW_KEYS, SCAN_RECORDS};
use crate::surroundings::LinkError;
use crate::{Desk, DeskError, Officer};

/// What is said of a match that had too much in common, when it is asked for again.
const GIVEN_UP: &str = "an earlier match of the same set had more common items than the bound, and \
    is not made again; see 'symbolon audit alarms'";
const UNSIGNED: &str = "the partner did not sign what was sent in the match; reconcile with it";

/// Who matches with whom, and why.
pub(crate) struct BulkAsk<'a> {
    pub(crate) partner: &'a Known,
    pub(crate) agreement: &'a VerifiedAgreement,
    pub(crate) class: Class,
    pub(crate) epoch: u64,
    /// The serial of the partner's list, which a match is good for.
    pub(crate) serial: u64,
    pub(crate) officer: &'a Officer,
    pub(crate) reason: &'a Reason,
    /// The exchange that the match belongs to.
    pub(crate) group: [u8; 16],
}

impl Desk {
    /// Matches in partitions of at most so many items, padding included; without this call they are
    /// as large as may be. A second call changes nothing.
    ///
    /// # Errors
    /// [`DeskError`] for a size that no partition may have.
    pub fn bulk_partition_room(&self, items: u64) -> Result<(), DeskError> {
        if !(PARTITION_ITEMS_MIN..=PARTITION_ITEMS_MAX).contains(&items) {
            let remedy = format!(
                "set bulk_partition_items to {PARTITION_ITEMS_MIN} at least and \
                 {PARTITION_ITEMS_MAX} at most"
            );
            return Err(DeskError::invalid("no partition of a match has this size", remedy));
        }
        let _ = self.bulk_partition_items.set(items);
        Ok(())
    }

    /// Items of a partition at most.
    pub(crate) fn bulk_room(&self) -> u64 {
        self.bulk_partition_items.get().copied().unwrap_or(PARTITION_ITEMS_MAX)
    }

    /// A set that is about to be gathered: of more items than a partition has, the most is not kept
    /// in memory.
    pub(crate) fn bulk_gathering(&self) -> Gathering {
        Gathering::new(&self.store, &self.surroundings.seed(), self.bulk_room())
    }

    /// The own set of a class: what policy lets the partner be matched with.
    pub(crate) fn bulk_set(
        &self,
        ask: &BulkAsk<'_>,
        report: &mut dyn Report,
    ) -> Result<ItemSet, DeskError> {
        let mut items = self.bulk_gathering();
        self.bulk_keys(ask, report, |key| Ok(items.push(set_item(key))?))?;
        Ok(items.finish()?)
    }

    fn bulk_keys(
        &self,
        ask: &BulkAsk<'_>,
        report: &mut dyn Report,
        mut take: impl FnMut(&[u8]) -> Result<(), DeskError>,
    ) -> Result<(), DeskError> {
        let total = self.store.record_count()?;
        let (mut after, mut done) = (None, 0);
        loop {
            let records = self.store.record_scan(after, SCAN_RECORDS)?;
            let Some(last) = records.last() else { return Ok(()) };
            after = Some(last.id());
            done += records.len() as u64;
            for record in &records {
                for key in self.keys_open_to(ask.partner, ask.agreement, record, ask.class) {
                    take(key.as_bytes())?;
                }
            }
            report.progress("reading the own set", done, Some(total));
        }
    }

    /// The items of the own set that the partner has too.
    ///
    /// # Errors
    /// Why the partner was not asked, or what failed here.
    pub(crate) fn bulk_match(
        &self,
        ask: &BulkAsk<'_>,
        own: &mut ItemSet,
        report: &mut dyn Report,
    ) -> Result<HashSet<[u8; 32]>, NotAsked> {
        let mut kept = match self.bulk_resumed(ask, own)? {
            Some(kept) => kept,
            None => self.bulk_commit(ask, own, report)?,
        };
        match kept.stage {
            Stage::Committed => self.bulk_tell(ask, &mut kept)?,
            Stage::Begun => {}
            Stage::GivenUp => return Err(NotAsked::Cause(GIVEN_UP.to_owned())),
            Stage::Signed => return Ok(self.bulk_met(ask, &self.bulk_done(ask)?)?),
        }
        let (plan, sender_count) = self.bulk_plan(ask, &kept, report)?;
        // The bound is on all partitions together; each session knows its own alone.
        let bound = intersection_max(kept.receiver_count, sender_count);
        let done = self.bulk_done(ask)?;
        Course::new(self, ask, (&kept, &plan), own, bound, &done).run(report)?;
        let done = self.bulk_done(ask)?;
        self.bulk_close(ask, &mut kept, &done)?;
        let met = self.bulk_met(ask, &done)?;
        self.bulk_answered(&kept, met.len())?;
        Ok(met)
    }

    /// A match that was stopped, if it is of the same set and the partner still has it.
    fn bulk_resumed(&self, ask: &BulkAsk<'_>, own: &ItemSet) -> Result<Option<Match>, NotAsked> {
        let Some(kept) = self.bulk_kept(ask)? else { return Ok(None) };
        if own.digest(&kept.blind)? != kept.set_digest {
            return Ok(None);
        }
        if kept.stage != Stage::Begun {
            return Ok(Some(kept));
        }
        let wait = BulkWait::new(BulkId::of(&kept.terms(ask)));
        match self.link()?.bulk_wait(&ask.partner.node(), &wait) {
            Ok(state) if *state.nonce() == kept.their_nonce => Ok(Some(kept)),
            Err(LinkError::Refused { code, .. }) if code.is_transient() => {
                Err(NotAsked::Cause(LinkError::Refused { code, detail: None }.to_string()))
            }
            Ok(_) | Err(LinkError::Refused { .. }) => Ok(None),
            Err(error) => Err(NotAsked::Cause(error.to_string())),
        }
    }

    /// Keeps the set's keys for the auditor, and commits to the set; it is paid for from here on.
    fn bulk_commit(
        &self,
        ask: &BulkAsk<'_>,
        own: &ItemSet,
        report: &mut dyn Report,
    ) -> Result<Match, NotAsked> {
        let too_large = |_| NotAsked::Cause("the own set is too large to be matched".to_owned());
        let receiver_count = padded_count(own.count());
        let partition_items = self.bulk_room();
        let elements = charge(receiver_count, partition_items).map_err(too_large)?;
        let (blind, nonce) = (self.surroundings.seed(), self.surroundings.seed());
        let set_digest = own.digest(&blind)?;
        let terms =
            SetTerms { class: ask.class, epoch: ask.epoch, nonce, receiver_count, elements };
        let private = QueryPrivate {
            partner: ask.partner.node(),
            class: ask.class,
            epoch: ask.epoch,
            officer: ask.officer.as_str().to_owned(),
            purpose: ask.reason.purpose.clone(),
            legal_basis: ask.reason.legal_basis.clone(),
            case: ask.reason.case.clone(),
            identifiers: vec![ByteBuf::from(set_digest)],
            opening: set_opening(&blind, &terms),
        };
        let commitment = commit_set(self.surroundings.seed(), &terms, &private)?;
        let query = self.bulk_query(ask, own, &private);
        self.bulk_rows(ask, &query.id, report)?;
        let committed =
            self.query_commit(ask.agreement, ask.officer, &query, &commitment, "set")?;
        let kept = Match {
            query: query.id,
            nonce,
            receiver_count,
            elements,
            blind,
            set_digest,
            leaf: *commitment.leaf().as_bytes(),
            committed,
            their_nonce: [0; 32],
            partition_items,
            stage: Stage::Committed,
        };
        self.bulk_keep_alone(ask, &kept)?;
        Ok(kept)
    }

    /// Tells the partner of a set that is committed to; once more where its answer was lost.
    fn bulk_tell(&self, ask: &BulkAsk<'_>, kept: &mut Match) -> Result<(), NotAsked> {
        let (node, terms) = (ask.partner.node(), kept.terms(ask));
        let is_refused = Cell::new(false);
        let begun = self.commitment_send(&node, &kept.committed, |evidence| {
            let begin = BulkBegin::new(&terms, kept.partition_items, evidence);
            let state = self.link()?.bulk_begin(&node, &begin);
            is_refused.set(matches!(
                state,
                Err(LinkError::Refused { code, .. }) if !code.is_transient()
            ));
            Ok(state)
        });
        let query = self.store.query_fetch(kept.query)?;
        let query = query.ok_or_else(|| DeskError::internal("the query of a match is missing"))?;
        match begun {
            Ok(state) => kept.their_nonce = *state.nonce(),
            Err(cause) => {
                let query = Query { state: QueryState::NotAsked, ..query };
                self.store.commit(Write::new().query(&query))?;
                if is_refused.get() {
                    self.bulk_forget(&ask.group, ask.class)?;
                }
                return Err(cause);
            }
        }
        kept.stage = Stage::Begun;
        let owed = Owed { partner: node, name: kept.leaf, what: OwedFor::Query, since: self.now() };
        let leaf_index = Some(kept.committed.leaf_index);
        let query = Query { state: QueryState::Committed, leaf_index, ..query };
        self.store.commit(Write::new().query(&query).owed(&owed))?;
        self.bulk_keep(ask, kept)?;
        Ok(())
    }

    /// The keys of the set, in rows, so that the auditor can be shown what was asked.
    fn bulk_rows(
        &self,
        ask: &BulkAsk<'_>,
        query: &QueryId,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let (mut row, mut number) = (Vec::<ByteBuf>::with_capacity(BULK_ROW_KEYS), 0);
        let keep = |row: &mut Vec<ByteBuf>, number: &mut usize| -> Result<(), DeskError> {
            let keys = Zeroizing::new(symbolon_codec::encode(row));
            self.store.commit(Write::new().query_keys(*query, *number, &keys))?;
            *number += 1;
            row.clear();
            Ok(())
        };
        self.bulk_keys(ask, report, |key| {
            row.push(ByteBuf::from(key));
            if row.len() == BULK_ROW_KEYS { keep(&mut row, &mut number) } else { Ok(()) }
        })?;
        if row.is_empty() { Ok(()) } else { keep(&mut row, &mut number) }
    }

    fn bulk_query(&self, ask: &BulkAsk<'_>, own: &ItemSet, private: &QueryPrivate) -> Query {
        Query {
            id: QueryId::generate(self.surroundings.now_ms(), self.surroundings.seed()),
            group: ask.group,
            partner: ask.partner.node(),
            class: ask.class,
            epoch: ask.epoch,
            officer: ask.officer.as_str().to_owned(),
            purpose: ask.reason.purpose.clone(),
            legal_basis: ask.reason.legal_basis.clone(),
            case: ask.reason.case.clone(),
            inputs: u32::try_from(own.count()).unwrap_or(u32::MAX),
            state: QueryState::Committed,
            hits: 0,
            asked_at: self.now(),
            answered_at: None,
            leaf_index: None,
            private: private.encode().to_vec(),
        }
    }

    fn bulk_answered(&self, kept: &Match, met: usize) -> Result<(), DeskError> {
        if let Some(mut query) = self.store.query_fetch(kept.query)? {
            query.state = QueryState::Answered;
            query.hits = u32::try_from(met).unwrap_or(u32::MAX);
            query.answered_at = Some(self.now());
            self.store.commit(Write::new().query(&query))?;
        }
        Ok(())
    }

    /// Waits for the partner's set and makes the plan that both sides make.
    fn bulk_plan(
        &self,
        ask: &BulkAsk<'_>,
        kept: &Match,
        report: &mut dyn Report,
    ) -> Result<(Plan, u64), NotAsked> {
        let (node, terms) = (ask.partner.node(), kept.terms(ask));
        let wait = BulkWait::new(BulkId::of(&terms));
        let begun = self.surroundings.now_ms();
        // Each answer takes the partner a while: it gathers as long as somebody waits.
        let sender_count = loop {
            let state: BulkState = self.link()?.bulk_wait(&node, &wait).map_err(not_asked)?;
            if let Some(count) = state.sender_count() {
                break count;
            }
            let seconds = (self.surroundings.now_ms() - begun) / 1000;
            report.progress("waiting for the partner's set, seconds", seconds, None);
        };
        let name = session(&self.identity().node(), &node, &terms, &kept.their_nonce);
        let cap = intersection_max(kept.receiver_count, sender_count);
        let room = kept.partition_items;
        let plan = Plan::with_room(name, kept.receiver_count, sender_count, cap, room);
        let plan = plan.map_err(|error| NotAsked::Cause(format!("the partner's set: {error}")))?;
        Ok((plan, sender_count))
    }

    /// Signs what was sent, and takes the partner's signatures under the same: without them a match
    /// does not count.
    fn bulk_close(
        &self,
        ask: &BulkAsk<'_>,
        kept: &mut Match,
        done: &BTreeMap<u32, Done>,
    ) -> Result<(), NotAsked> {
        let (own, node, terms) = (self.identity().node(), ask.partner.node(), kept.terms(ask));
        let name = session(&own, &node, &terms, &kept.their_nonce);
        let partitions: Vec<_> = done.values().map(|done| done.transcript).collect();
        let transcript = match_transcript(&name, &partitions);
        let theirs = MatchStatement::new(node, own, &terms, transcript);
        let (own, signatures) =
            self.match_signed(MatchStatement::new(own, node, &terms, transcript))?;
        let wait = BulkWait::signed(BulkId::of(&terms), signatures);
        let signed = match self.link()?.bulk_wait(&node, &wait) {
            Ok(state) => state
                .signatures()
                .and_then(|theirs_signed| {
                    theirs.signed(&ask.partner.card.card().signing, theirs_signed).ok()
                })
                .ok_or(LinkError::Broken(UNSIGNED.to_owned())),
            Err(error) => Err(error),
        };
        let theirs = match signed {
            Ok(theirs) => theirs,
            Err(error) => {
                // What both saw is not the same, and never will be: nothing of it is used.
                if !is_way(&error) {
                    self.bulk_forget(&ask.group, ask.class)?;
                }
                return Err(not_asked(error));
            }
        };
        self.match_keep(ask.partner, &terms.nonce, &own, &theirs)?;
        kept.stage = Stage::Signed;
        self.bulk_keep(ask, kept)?;
        Ok(())
    }
}

/// Whether only the way to the partner failed, or a moment there: the same may succeed later.
fn is_way(error: &LinkError) -> bool {
    match error {
        LinkError::Unreachable { .. } | LinkError::TimedOut | LinkError::Here(_) => true,
        LinkError::Refused { code, .. } => code.is_transient(),
        LinkError::Broken(_) => false,
    }
}

fn not_asked(error: LinkError) -> NotAsked {
    NotAsked::Cause(error.to_string())
}
