//! An exchange: every own identifier that policy and budget allow, against one partner's tag sets.
//!
//! Implements spec/matching.md#exchange.
//!
//! Invariant: an exchange that was stopped goes on behind the last record whose keys were all
//! answered; a key may be asked twice by that, but none is left out.

mod engine;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::set_item;
use symbolon_codec::sha256;
use symbolon_ident::{Class, Kind, MatchKey, Strength};
use symbolon_protocol::VerifiedEpochCard;
use symbolon_record::{Record, RecordId};
use symbolon_store::{Hit, SetKey, Write};
use symbolon_trust::VerifiedAgreement;

use crate::api::{ExchangeClass, ExchangeReport, ExchangeRun, Nothing, Reason, Report};
use crate::ask::check_reason;
use crate::asking::lock;
use crate::batch::{Answer, Asked, NotAsked};
use crate::desk::{Known, hex};
use crate::exchange::engine::{Engine, Met};
use crate::hit::{Found, hit_of};
use crate::limits::{BATCH_KEYS_MAX, BATCHES_UNDER_WAY_MAX, SCAN_RECORDS};
use crate::{Desk, DeskError, Officer};

const PREFIX: &str = "exchange/";
/// A stored exchange, in bytes at most.
const STATE_BYTES_MAX: usize = 256 * 1024;

/// An exchange as it is kept between runs.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
struct State {
    #[serde(with = "serde_bytes")]
    id: [u8; 16],
    partner: String,
    purpose: String,
    case: String,
    legal_basis: String,
    classes: Vec<ClassState>,
    begun_at: u64,
}

/// One class of an exchange.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
struct ClassState {
    class: Class,
    epoch: u64,
    serial: u64,
    /// The last record whose keys were all answered.
    cursor: Option<RecordId>,
    keys: u64,
    asked: u64,
    met: u64,
    not_asked: Option<String>,
    is_done: bool,
    /// Distinct identifiers that met, by kind and strength of the strongest key that met.
    kinds: Vec<((String, String), u64)>,
    /// When this class was first asked about under its present serial.
    begun_at: u64,
}

/// A batch on its way, and the record that it completes.
struct Batch {
    number: u64,
    keys: Vec<MatchKey>,
    last: Option<RecordId>,
}

impl Desk {
    /// Runs an exchange, or goes on with one of the same partner, purpose and case.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner or class, or from the store. What keeps a class from
    /// being asked stands in its row.
    pub fn exchange_run(
        &self,
        officer: &Officer,
        request: ExchangeRun,
        report: &mut dyn Report,
    ) -> Result<ExchangeReport, DeskError> {
        check_reason(&request.reason)?;
        let partner = self.partner_named(&request.partner)?;
        let agreement = partner.in_force(self.now()).map_err(|cause| {
            DeskError::refused(cause, "'symbolon partner list' shows the state of each partner")
        })?;
        let classes = if request.classes.is_empty() {
            agreement.agreement().classes.iter().map(|terms| terms.class).collect()
        } else {
            let classes = request.classes.iter().map(|class| class.parse::<Class>());
            classes.collect::<Result<Vec<_>, _>>()?
        };
        let engine = Engine::parse(request.engine.as_deref())?;
        let mut state = self.exchange_state(&partner, &request.reason)?;
        let mut hits_new = 0;
        for class in classes {
            let index = match state.classes.iter().position(|kept| kept.class == class) {
                Some(index) => index,
                None => {
                    state.classes.push(ClassState::new(class));
                    state.classes.len() - 1
                }
            };
            let run = Run {
                desk: self,
                officer,
                partner: &partner,
                agreement,
                reason: &request.reason,
                engine,
            };
            hits_new += run.class(&mut state, index, report)?;
        }
        Ok(state.report(hits_new))
    }

    /// All exchanges, finished or not.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn exchange_list(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Vec<ExchangeReport>, DeskError> {
        let kept = self.store.progress_list(PREFIX)?;
        let states = kept.iter().map(|(_, bytes)| State::decode(bytes));
        states.map(|state| state.map(|state| state.report(0))).collect()
    }

    fn exchange_state(&self, partner: &Known, reason: &Reason) -> Result<State, DeskError> {
        for (_, bytes) in self.store.progress_list(PREFIX)? {
            let state = State::decode(&bytes)?;
            let is_same = state.partner == partner.name()
                && (&state.purpose, &state.case) == (&reason.purpose, &reason.case);
            if is_same {
                return Ok(state);
            }
        }
        Ok(State {
            id: self.surroundings.seed().first_chunk().copied().unwrap_or_default(),
            partner: partner.name().to_owned(),
            purpose: reason.purpose.clone(),
            case: reason.case.clone(),
            legal_basis: reason.legal_basis.clone(),
            classes: Vec::new(),
            begun_at: self.now(),
        })
    }
}

/// One run over one partner.
struct Run<'a> {
    desk: &'a Desk,
    officer: &'a Officer,
    partner: &'a Known,
    agreement: &'a VerifiedAgreement,
    reason: &'a Reason,
    engine: Engine,
}

/// What the threads of a run share.
struct Tally {
    class: ClassState,
    /// Batches that are answered although an earlier one is not.
    ahead: BTreeMap<u64, Option<RecordId>>,
    next: u64,
    hits_new: u64,
    kinds: BTreeMap<(String, String), u64>,
    /// Digests of identifiers that met, so that each counts once: with its strongest key.
    met: HashMap<[u8; 32], Strength>,
    /// When the run began that this one goes on with.
    resumed_from: Option<u64>,
    /// Whether the last batch was handed out.
    fed: bool,
    failed: Option<DeskError>,
}

impl Run<'_> {
    /// Runs one class to its end, or to what stops it; gives the number of new hits.
    fn class(
        &self,
        state: &mut State,
        index: usize,
        report: &mut dyn Report,
    ) -> Result<u64, DeskError> {
        let Some(kept) = state.classes.get(index).cloned() else {
            return Ok(0);
        };
        let ready = self.desk.ready(self.partner, kept.class, self.reason).and_then(|_| {
            self.desk.tag_set_ready(self.partner, self.agreement, kept.class, report)
        });
        let (card, set) = match ready {
            Ok(ready) => ready,
            Err(cause) => {
                let class = ClassState { not_asked: Some(cause), ..kept };
                self.keep(state, index, class)?;
                return Ok(0);
            }
        };
        let content = card.card();
        let is_same = (kept.epoch, kept.serial) == (content.epoch, content.serial);
        if is_same && kept.is_done {
            return Ok(0);
        }
        // A newer set may hold what the older did not: everything is asked again.
        let mut class = if is_same { kept } else { ClassState::new(kept.class) };
        (class.epoch, class.serial, class.not_asked) = (content.epoch, content.serial, None);
        let resumed_from = class.cursor.map(|_| class.begun_at);
        if resumed_from.is_none() {
            class.begun_at = self.desk.now();
        }
        let kinds = class.kinds.iter().cloned().collect();
        // What is done of a bulk match is kept by the name of the exchange.
        self.keep(state, index, class.clone())?;
        let tally = Mutex::new(Tally {
            class,
            ahead: BTreeMap::new(),
            next: 0,
            hits_new: 0,
            kinds,
            met: HashMap::new(),
            resumed_from,
            fed: false,
            failed: None,
        });
        let met = match self.in_bulk(&tally, &card, state.id, report) {
            Ok(met) => met,
            Err(NotAsked::Cause(cause)) => {
                lock(&tally).stop(cause);
                let class = lock(&tally).class.clone();
                self.keep(state, index, class)?;
                return Ok(0);
            }
            Err(NotAsked::Failed(error)) => return Err(error),
        };
        self.pump(&tally, &card, (set, met.as_ref()), state, index, report)?;
        let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Only now is known whether every batch that was fed was answered too.
        tally.class.is_done = tally.fed && !tally.is_stopped();
        if let Some(met) = &met {
            (tally.class.keys, tally.class.asked) = (met.own, met.own);
        }
        tally.class.kinds = tally.kinds.into_iter().filter(|(_, count)| *count > 0).collect();
        let hits_new = tally.hits_new;
        let (done, id) = (tally.class.is_done.then_some(tally.class.class), state.id);
        self.keep(state, index, tally.class)?;
        if let Some(class) = done {
            // Only now is a match of it no longer needed.
            self.desk.bulk_forget(&id, class)?;
        }
        match tally.failed {
            Some(error) => Err(error),
            None => Ok(hits_new),
        }
    }

    /// Feeds batches to a few threads: while one is on the wire, others blind and compare.
    fn pump(
        &self,
        tally: &Mutex<Tally>,
        card: &VerifiedEpochCard,
        (set, met): (SetKey, Option<&Met>),
        state: &mut State,
        index: usize,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let (feed, batches) = sync_channel::<Batch>(BATCHES_UNDER_WAY_MAX);
        let batches = Mutex::new(batches);
        let asked = Asked {
            partner: self.partner,
            agreement: self.agreement,
            card,
            set,
            officer: self.officer,
            reason: self.reason,
            group: state.id,
        };
        std::thread::scope(|scope| {
            for _ in 0..BATCHES_UNDER_WAY_MAX {
                scope.spawn(|| self.work(&asked, &batches, tally));
            }
            let fed = self.feed((&feed, met), tally, state, index, report);
            drop(feed);
            fed
        })
    }

    /// Scans the own records and fills batches until all are fed or a thread has stopped.
    fn feed(
        &self,
        (feed, met): (&SyncSender<Batch>, Option<&Met>),
        tally: &Mutex<Tally>,
        state: &mut State,
        index: usize,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let class = lock(tally).class.class;
        let stage = format!("asking {} about {class}", self.partner.name());
        let total = self.desk.store.record_count()?;
        let mut seen: HashSet<[u8; 16]> = HashSet::new();
        let cursor = lock(tally).class.cursor;
        let (mut after, mut scanned, mut number) = (None, 0, 0);
        let mut keys = Vec::with_capacity(BATCH_KEYS_MAX);
        loop {
            let records = self.desk.store.record_scan(after, SCAN_RECORDS)?;
            let Some(last) = records.last() else { break };
            after = Some(last.id());
            scanned += records.len() as u64;
            let mut before = cursor;
            for record in &records {
                // What an earlier run has asked is only remembered, so that it is not asked again.
                let is_asked = cursor.is_some_and(|cursor| record.id() <= cursor);
                for key in self.keys(record, class) {
                    let digest = sha256("", &[key.as_bytes()]);
                    let short = digest.first_chunk().copied().unwrap_or_default();
                    let is_wanted =
                        met.is_none_or(|met| met.items.contains(&set_item(key.as_bytes())));
                    if is_wanted && seen.insert(short) && !is_asked {
                        keys.push(key);
                    }
                    if keys.len() == BATCH_KEYS_MAX {
                        let keys = std::mem::take(&mut keys);
                        if feed.send(Batch { number, keys, last: before }).is_err() {
                            return Ok(());
                        }
                        number += 1;
                    }
                }
                before = Some(record.id());
            }
            report.progress(&stage, scanned, Some(total));
            if lock(tally).is_stopped() {
                return Ok(());
            }
            let class = lock(tally).class.clone();
            self.keep(state, index, class)?;
        }
        let last = Batch { number, keys, last: after };
        if feed.send(last).is_ok() {
            lock(tally).fed = true;
        }
        Ok(())
    }

    /// The keys of a record that own policy lets this partner be asked about.
    fn keys(&self, record: &Record, class: Class) -> Vec<MatchKey> {
        self.desk.keys_open_to(self.partner, self.agreement, record, class)
    }

    fn work(&self, asked: &Asked<'_>, batches: &Mutex<Receiver<Batch>>, tally: &Mutex<Tally>) {
        loop {
            let received = lock(batches).recv();
            let Ok(batch) = received else { return };
            if lock(tally).is_stopped() {
                continue;
            }
            let outcome = if batch.keys.is_empty() {
                Ok(None)
            } else {
                self.desk.batch_ask(asked, &batch.keys).map(Some)
            };
            match outcome {
                Ok(answer) => {
                    if let Err(error) = self.met(asked, &batch, answer.as_ref(), tally) {
                        lock(tally).failed.get_or_insert(error);
                    } else {
                        lock(tally).answered(&batch);
                    }
                }
                Err(NotAsked::Cause(cause)) => lock(tally).stop(cause),
                Err(NotAsked::Failed(error)) => {
                    lock(tally).failed.get_or_insert(error);
                }
            }
        }
    }

    /// Keeps a hit for every own record that holds a key that met.
    fn met(
        &self,
        asked: &Asked<'_>,
        batch: &Batch,
        answer: Option<&Answer>,
        tally: &Mutex<Tally>,
    ) -> Result<(), DeskError> {
        let Some(answer) = answer else { return Ok(()) };
        let mut records = BTreeSet::new();
        let mut met = BTreeMap::new();
        for hit in &answer.hits {
            let Some(key) = batch.keys.get(hit.index) else {
                continue;
            };
            met.insert(key, hit);
            records.extend(self.desk.store.record_lookup(key)?.iter().map(|hit| hit.record));
        }
        for id in records {
            let Some(record) = self.desk.store.record_fetch(id)? else {
                continue;
            };
            for subject in &record.content().subjects {
                for identifier in &subject.identifiers {
                    let Ok(canonical) = identifier.canonical() else {
                        continue;
                    };
                    let keys = canonical.keys().iter();
                    let strongest = keys
                        .filter_map(|key| met.get(key).map(|hit| (key, *hit)))
                        .max_by_key(|(key, _)| key.strength());
                    let Some((key, hit)) = strongest else {
                        continue;
                    };
                    let found = Found::new(key, hit, answer.query);
                    let place = self.desk.store.record_lookup(key)?;
                    let place = place.iter().find(|place| place.record == id);
                    let hit = hit_of(self.desk, asked, &found, &canonical, place)?;
                    let known = self.desk.store.hit_fetch(hit.id)?;
                    let name =
                        sha256("", &[hit.kind.as_str().as_bytes(), canonical.expose().as_bytes()]);
                    lock(tally).count(name, hit.kind, hit.strength, known.as_ref());
                    self.desk.hit_keep(hit)?;
                }
            }
        }
        let mut tally = lock(tally);
        tally.class.met += answer.hits.len() as u64;
        Ok(())
    }

    fn keep(&self, state: &mut State, index: usize, class: ClassState) -> Result<(), DeskError> {
        if let Some(place) = state.classes.get_mut(index) {
            *place = class;
        }
        let name = format!("{PREFIX}{}", hex(&state.id));
        self.desk.store.commit(Write::new().progress(&name, &symbolon_codec::encode(state)))?;
        Ok(())
    }
}

impl Tally {
    fn is_stopped(&self) -> bool {
        self.failed.is_some() || self.class.not_asked.is_some()
    }

    fn stop(&mut self, cause: String) {
        self.class.not_asked.get_or_insert(cause);
    }

    /// Counts an identifier once, under the strongest of its keys that met so far.
    fn count(&mut self, name: [u8; 32], kind: Kind, strength: Strength, known: Option<&Hit>) {
        self.hits_new += u64::from(known.is_none());
        // What the runs before this one met of the same set is counted already.
        let earlier = || {
            let from = self.resumed_from?;
            known.filter(|known| known.found_at >= from).map(|known| known.strength)
        };
        let counted = self.met.get(&name).copied().or_else(earlier);
        if counted.is_none_or(|counted| counted < strength) {
            let place = |strength: Strength| (kind.to_string(), strength.to_string());
            if let Some(weaker) = counted.and_then(|counted| self.kinds.get_mut(&place(counted))) {
                *weaker = weaker.saturating_sub(1);
            }
            *self.kinds.entry(place(strength)).or_default() += 1;
        }
        self.met.insert(name, counted.map_or(strength, |counted| counted.max(strength)));
    }

    /// Moves the cursor as far as no earlier batch is open.
    fn answered(&mut self, batch: &Batch) {
        let count = batch.keys.len() as u64;
        self.class.keys += count;
        self.class.asked += count;
        self.ahead.insert(batch.number, batch.last);
        while let Some(last) = self.ahead.remove(&self.next) {
            self.class.cursor = last.or(self.class.cursor);
            self.next += 1;
        }
    }
}

impl ClassState {
    fn new(class: Class) -> ClassState {
        ClassState {
            class,
            epoch: 0,
            serial: 0,
            cursor: None,
            keys: 0,
            asked: 0,
            met: 0,
            not_asked: None,
            is_done: false,
            kinds: Vec::new(),
            begun_at: 0,
        }
    }
}

impl State {
    fn decode(bytes: &[u8]) -> Result<State, DeskError> {
        symbolon_codec::decode(bytes, STATE_BYTES_MAX)
            .map_err(|_| DeskError::internal("an exchange in the store is damaged"))
    }

    fn report(&self, hits_new: u64) -> ExchangeReport {
        let mut hits_by_kind: BTreeMap<String, u64> = BTreeMap::new();
        let mut hits_by_strength: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for class in &self.classes {
            for ((kind, strength), count) in &class.kinds {
                *hits_by_kind.entry(kind.clone()).or_default() += count;
                let strengths = hits_by_strength.entry(kind.clone()).or_default();
                *strengths.entry(strength.clone()).or_default() += count;
            }
        }
        let classes = self.classes.iter().map(|class| ExchangeClass {
            class: class.class.to_string(),
            keys: class.keys,
            asked: class.asked,
            met: class.met,
            not_asked: class.not_asked.clone(),
        });
        ExchangeReport {
            id: hex(&self.id),
            partner: self.partner.clone(),
            classes: classes.collect(),
            hits_by_kind,
            hits_by_strength,
            hits_new,
        }
    }
}
