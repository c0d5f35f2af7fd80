//! Bulk matching, the asking side: commits to the own set, runs it against the partner's one
//! partition at a time, and gives what met. Every hit is then asked for like any other.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariants: the set is kept and committed to before the partner hears of it; a match that was
//! stopped goes on with the next partition as long as the partner has it.

use std::collections::HashSet;

use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{
    MatchStatement, PartitionTranscript, QueryPrivate, SetTerms, commit_set, match_transcript,
    set_digest, set_item, set_opening,
};
use symbolon_ident::Class;
use symbolon_oprf::padded_count;
use symbolon_protocol::{BulkBegin, BulkCarry, BulkId, BulkState, BulkWait};
use symbolon_psi::receiver::Received;
use symbolon_psi::{
    Item, PARTITION_ITEMS_MAX, PARTITION_ITEMS_MIN, Plan, Poll, PsiError, Receiver,
};
use symbolon_store::{Owed, OwedFor, Query, QueryId, QueryState, Write};
use symbolon_trust::VerifiedAgreement;
use zeroize::Zeroizing;

use crate::alarm::AlarmKind;
use crate::api::{Reason, Report};
use crate::batch::NotAsked;
use crate::bulk_pipe::{Inbox, Outbox};
use crate::bulk_serve::{charge, intersection_max, partition_items, session};
use crate::desk::{Known, hex};
use crate::limits::{BULK_ATTEMPTS_MAX, BULK_CORRELATION_BYTES_MAX, BULK_ROW_KEYS, SCAN_RECORDS};
use crate::surroundings::LinkError;
use crate::{Desk, DeskError, Officer};

/// A match in the store, in bytes at most: 2^22 items that met.
const STATE_BYTES_MAX: usize = 160 << 20;

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

/// The own set: distinct items in ascending order.
pub(crate) struct OwnSet(pub(crate) Vec<[u8; 32]>);

/// A match as it is kept between runs.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
struct Match {
    query: QueryId,
    #[serde(with = "serde_bytes")]
    nonce: [u8; 32],
    receiver_count: u64,
    elements: u32,
    #[serde(with = "serde_bytes")]
    blind: [u8; 32],
    #[serde(with = "serde_bytes")]
    set_digest: [u8; 32],
    /// The partner's share in the session's name.
    #[serde(with = "serde_bytes")]
    their_nonce: [u8; 32],
    /// Partitions in all; 0 before the partner's count is known.
    partitions: u32,
    /// Partitions that are done.
    done: u32,
    /// Items that met in them.
    #[serde(with = "serde_bytes")]
    met: Vec<u8>,
    /// Items of a partition at most.
    partition_items: u64,
    /// The transcripts of the partitions that are done.
    transcripts: Vec<PartitionTranscript>,
    /// Both sides have signed: the match is over.
    is_signed: bool,
}

impl Match {
    fn terms(&self, ask: &BulkAsk<'_>) -> SetTerms {
        SetTerms {
            class: ask.class,
            epoch: ask.epoch,
            nonce: self.nonce,
            receiver_count: self.receiver_count,
            elements: self.elements,
        }
    }
}

impl BulkAsk<'_> {
    /// Names the match in the store.
    pub(crate) fn name(&self) -> String {
        format!("bulk/{}/{}/{}/{}", hex(&self.group), self.class, self.epoch, self.serial)
    }
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

    /// The own set of a class: what policy lets the partner be matched with.
    pub(crate) fn bulk_set(
        &self,
        ask: &BulkAsk<'_>,
        report: &mut dyn Report,
    ) -> Result<OwnSet, DeskError> {
        let mut items = Vec::new();
        self.bulk_keys(ask, report, |key| {
            items.push(set_item(key));
            Ok(())
        })?;
        items.sort_unstable();
        items.dedup();
        Ok(OwnSet(items))
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
        own: &OwnSet,
        report: &mut dyn Report,
    ) -> Result<HashSet<[u8; 32]>, NotAsked> {
        let mut kept = match self.bulk_resumed(ask, own)? {
            Some(kept) => kept,
            None => self.bulk_begin_match(ask, own, report)?,
        };
        if kept.is_signed {
            return Ok(kept.met.as_chunks().0.iter().copied().collect());
        }
        let (plan, sender_count) = self.bulk_plan(ask, &kept, report)?;
        kept.partitions = plan.partitions();
        let (total, begun) = (u64::from(plan.partitions()), self.surroundings.now_ms());
        for partition in kept.done..plan.partitions() {
            let items = partition_items(&plan, partition, &own.0);
            let (met, transcript) = self.bulk_partition(ask, &kept, &plan, partition, &items)?;
            kept.transcripts.push(transcript);
            for place in met {
                let item = items.get(place as usize);
                kept.met.extend(item.map(|item| *item.as_bytes()).unwrap_or_default());
            }
            // The bound is on all partitions together; each session knows its own alone.
            let bound = intersection_max(kept.receiver_count, sender_count);
            if kept.met.len() as u64 / 32 > bound {
                return Err(self.bulk_too_many(ask, bound));
            }
            kept.done = partition + 1;
            self.bulk_keep(ask, &kept)?;
            let seconds = (self.surroundings.now_ms() - begun) / 1000;
            let stage = format!("matching partitions with {}, {seconds} s", ask.partner.name());
            report.progress(&stage, u64::from(kept.done), Some(total));
        }
        self.bulk_close(ask, &mut kept)?;
        let met: HashSet<[u8; 32]> = kept.met.as_chunks().0.iter().copied().collect();
        self.bulk_answered(&kept, met.len())?;
        Ok(met)
    }

    /// A match that was stopped, if it is of the same set and the partner still has it.
    fn bulk_resumed(&self, ask: &BulkAsk<'_>, own: &OwnSet) -> Result<Option<Match>, NotAsked> {
        let Some(bytes) = self.store.progress_fetch(&ask.name())? else { return Ok(None) };
        let kept: Result<Match, _> = symbolon_codec::decode(&bytes, STATE_BYTES_MAX);
        let kept = kept.map_err(|_| DeskError::internal("a match in the store is damaged"))?;
        if set_digest(&kept.blind, &own.0) != kept.set_digest {
            return Ok(None);
        }
        if kept.is_signed {
            return Ok(Some(kept));
        }
        let wait = BulkWait::new(BulkId::of(&kept.terms(ask)));
        match self.link()?.bulk_wait(&ask.partner.node(), &wait) {
            Ok(state) if *state.nonce() == kept.their_nonce => Ok(Some(kept)),
            Ok(_) | Err(LinkError::Refused { .. }) => Ok(None),
            Err(error) => Err(NotAsked::Cause(error.to_string())),
        }
    }

    /// Keeps the set's keys for the auditor, commits to the set, and tells the partner.
    fn bulk_begin_match(
        &self,
        ask: &BulkAsk<'_>,
        own: &OwnSet,
        report: &mut dyn Report,
    ) -> Result<Match, NotAsked> {
        let too_large = |_| NotAsked::Cause("the own set is too large to be matched".to_owned());
        let receiver_count = padded_count(own.0.len() as u64);
        let partition_items = self.bulk_room();
        let elements = charge(receiver_count, partition_items).map_err(too_large)?;
        let blind = self.surroundings.seed();
        let mut kept = Match {
            query: QueryId::generate(self.surroundings.now_ms(), self.surroundings.seed()),
            nonce: self.surroundings.seed(),
            receiver_count,
            elements,
            blind,
            set_digest: set_digest(&blind, &own.0),
            their_nonce: [0; 32],
            partitions: 0,
            done: 0,
            met: Vec::new(),
            partition_items,
            transcripts: Vec::new(),
            is_signed: false,
        };
        self.bulk_rows(ask, &kept.query, report)?;
        let terms = kept.terms(ask);
        let private = QueryPrivate {
            partner: ask.partner.node(),
            class: ask.class,
            epoch: ask.epoch,
            officer: ask.officer.as_str().to_owned(),
            purpose: ask.reason.purpose.clone(),
            legal_basis: ask.reason.legal_basis.clone(),
            case: ask.reason.case.clone(),
            identifiers: vec![ByteBuf::from(kept.set_digest)],
            opening: set_opening(&blind, &terms),
        };
        let salt = self.surroundings.seed();
        let commitment = commit_set(salt, &terms, &private)?;
        let query = self.bulk_query(ask, &kept, own, &private);
        let request = self.query_commit(ask.agreement, ask.officer, &query, &commitment, "set")?;
        let node = ask.partner.node();
        let begun = self.commitment_send(&node, &request, |evidence| {
            Ok(self.link()?.bulk_begin(&node, &BulkBegin::new(&terms, partition_items, evidence)))
        });
        match begun {
            Ok(state) => kept.their_nonce = *state.nonce(),
            Err(cause) => {
                let query = Query { state: QueryState::NotAsked, ..query };
                self.store.commit(Write::new().query(&query))?;
                return Err(cause);
            }
        }
        let owed = Owed {
            partner: node,
            name: *commitment.leaf().as_bytes(),
            what: OwedFor::Query,
            since: self.now(),
        };
        let query = Query { leaf_index: Some(request.leaf_index), ..query };
        self.store.commit(Write::new().query(&query).owed(&owed))?;
        self.bulk_keep(ask, &kept)?;
        Ok(kept)
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

    fn bulk_query(
        &self,
        ask: &BulkAsk<'_>,
        kept: &Match,
        own: &OwnSet,
        private: &QueryPrivate,
    ) -> Query {
        Query {
            id: kept.query,
            group: ask.group,
            partner: ask.partner.node(),
            class: ask.class,
            epoch: ask.epoch,
            officer: ask.officer.as_str().to_owned(),
            purpose: ask.reason.purpose.clone(),
            legal_basis: ask.reason.legal_basis.clone(),
            case: ask.reason.case.clone(),
            inputs: u32::try_from(own.0.len()).unwrap_or(u32::MAX),
            state: QueryState::Committed,
            hits: 0,
            asked_at: self.now(),
            answered_at: None,
            leaf_index: None,
            private: private.encode().to_vec(),
        }
    }

    fn bulk_keep(&self, ask: &BulkAsk<'_>, kept: &Match) -> Result<(), DeskError> {
        let bytes = symbolon_codec::encode(kept);
        self.store.commit(Write::new().progress(&ask.name(), &bytes))?;
        Ok(())
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
    fn bulk_close(&self, ask: &BulkAsk<'_>, kept: &mut Match) -> Result<(), NotAsked> {
        let (own, node, terms) = (self.identity().node(), ask.partner.node(), kept.terms(ask));
        let name = session(&own, &node, &terms, &kept.their_nonce);
        let transcript = match_transcript(&name, &kept.transcripts);
        let theirs = MatchStatement::new(node, own, &terms, transcript);
        let (own, signatures) =
            self.match_signed(MatchStatement::new(own, node, &terms, transcript))?;
        let wait = BulkWait::signed(BulkId::of(&terms), signatures);
        let state = self.link()?.bulk_wait(&node, &wait).map_err(not_asked)?;
        let unsigned = "the partner did not sign what was sent in the match; reconcile with it";
        let unsigned = || NotAsked::Cause(unsigned.to_owned());
        let signatures = state.signatures().ok_or_else(unsigned)?;
        let theirs = theirs.signed(&ask.partner.card.card().signing, signatures);
        let theirs = theirs.map_err(|_| unsigned())?;
        self.match_keep(ask.partner, &terms.nonce, &own, &theirs)?;
        kept.is_signed = true;
        self.bulk_keep(ask, kept)?;
        Ok(())
    }

    /// Runs a partition, again where an attempt broke off before the own store was shown.
    fn bulk_partition(
        &self,
        ask: &BulkAsk<'_>,
        kept: &Match,
        plan: &Plan,
        partition: u32,
        items: &[Item],
    ) -> Result<(Vec<u32>, PartitionTranscript), NotAsked> {
        let mut attempt = 0;
        loop {
            let outcome = self.bulk_attempt(ask, kept, plan, (partition, attempt), items);
            match outcome {
                Ok(received) => {
                    let hash = *received.transcript();
                    let transcript = PartitionTranscript { attempt, hash };
                    return Ok((self.bulk_intersect(ask, received)?, transcript));
                }
                Err(NotAsked::Cause(_)) if attempt + 1 < BULK_ATTEMPTS_MAX => attempt += 1,
                Err(cause) => return Err(cause),
            }
        }
    }

    fn bulk_attempt(
        &self,
        ask: &BulkAsk<'_>,
        kept: &Match,
        plan: &Plan,
        (partition, attempt): (u32, u32),
        items: &[Item],
    ) -> Result<Received, NotAsked> {
        let broken = |error: PsiError| NotAsked::Cause(format!("the match broke off: {error}"));
        let terms = plan.terms(partition, attempt).map_err(broken)?;
        let outputs = terms.sender_count.saturating_mul(16);
        let receiver =
            Receiver::start(terms, items.to_vec(), self.surroundings.seed(), self.workers);
        let mut receiver = receiver.map_err(broken)?;
        let mut inbox = Inbox::new(outputs.max(BULK_CORRELATION_BYTES_MAX));
        let (mut outbox, mut sent) = (Outbox::default(), 0);
        let id = BulkId::of(&kept.terms(ask));
        let link = self.link()?;
        loop {
            let finished = loop {
                match receiver.poll().map_err(broken)? {
                    Poll::Send(message) => outbox.push(message),
                    Poll::Await => break None,
                    Poll::Finished(received) => break Some(received),
                }
            };
            // At the end the partner still learns that all came.
            let bytes = outbox.from(sent).map_err(broken)?;
            let length = bytes.len() as u64;
            let (sent_before, taken) = (sent, inbox.received());
            let carry = BulkCarry { id, partition, attempt, sent: sent_before, taken, bytes };
            let carried = link.bulk_carry(&ask.partner.node(), &carry);
            if let Some(received) = finished {
                return Ok(received);
            }
            let carried = carried.map_err(not_asked)?;
            sent += length;
            inbox.push(taken, carried.bytes()).map_err(broken)?;
            while let Some(message) = inbox.next().map_err(broken)? {
                receiver.handle(message).map_err(broken)?;
            }
        }
    }

    fn bulk_intersect(&self, ask: &BulkAsk<'_>, received: Received) -> Result<Vec<u32>, NotAsked> {
        received.intersect().map_err(|error| match error {
            PsiError::TooManyCommon { bound } => self.bulk_too_many(ask, bound),
            error => NotAsked::Cause(format!("the match broke off: {error}")),
        })
    }

    fn bulk_too_many(&self, ask: &BulkAsk<'_>, bound: u64) -> NotAsked {
        let words = format!(
            "a bulk match with {} in class {} had more than {bound} common items, and was given \
             up before any was looked at",
            ask.partner.name(),
            ask.class
        );
        let proof = String::new();
        let raised = self.alarm_raise(AlarmKind::TooManyCommon, ask.partner, words.clone(), proof);
        raised.map_or_else(NotAsked::Failed, |()| NotAsked::Cause(words))
    }
}

fn not_asked(error: LinkError) -> NotAsked {
    NotAsked::Cause(error.to_string())
}
