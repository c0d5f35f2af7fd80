//! The one thread that writes: all batches that wait share one durable transaction.
//!
//! Implements spec/store.md#group-commit.
//!
//! Invariant: a batch is answered `Ok` only after the commit that holds it was synced; a batch that
//! is refused is rolled back alone.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension, params};
use symbolon_tlog::{Edge, leaf_hash, tile};

use crate::StoreError;
use crate::backend::{Applied, Expect, Op, Reply, prefix_end};
use crate::limits::{GROUP_BATCHES_MAX, GROUP_OPS_MAX};
use crate::memory::{as_expected, spend};
use crate::sqlite::generation::Generation;
use crate::sqlite::mover::{Backlog, Rest, passed};
use crate::sqlite::statement;
use crate::table::{Shape, Table};

/// A batch and where its outcome is awaited.
pub(crate) struct Request {
    pub(crate) batch: Vec<Op>,
    pub(crate) reply: Reply,
}

/// The writer's state.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) edge: Edge,
    pub(crate) generation: Generation,
    /// The edge as of the last durable commit, for everyone.
    pub(crate) published: Arc<RwLock<Arc<Edge>>>,
    /// Whether the write-ahead log may still hold what was erased.
    pub(crate) must_truncate: bool,
    pub(crate) backlog: Arc<Backlog>,
}

impl Writer {
    /// Serves until every sender is gone, or a durable write has failed.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let group = gather(first, requests);
            if self.serve(group).is_err() {
                // What the disk holds is no longer known: only opening again, which replays the
                // write-ahead log, can tell.
                return;
            }
        }
    }

    /// Applies a group; `Err` if the writer must stop.
    fn serve(&mut self, group: Vec<Request>) -> Result<(), Stop> {
        match self.apply_group(&group) {
            Ok(outcomes) => {
                self.publish();
                self.truncate(&group);
                let ops = group.iter().map(|request| request.batch.len()).sum();
                for (request, outcome) in group.into_iter().zip(outcomes) {
                    request.reply.send(outcome);
                }
                if self.backlog.wrote(ops) == Rest::Move {
                    // What fails is moved by a later commit.
                    let _ = passed(&self.connection);
                }
                Ok(())
            }
            Err(Stop::Retry(_)) if group.len() > 1 => {
                // One batch does not fit any more, or broke the transaction: each for itself.
                group.into_iter().try_for_each(|request| self.serve(vec![request]))
            }
            Err(Stop::Retry(error)) => {
                group.into_iter().for_each(|request| request.reply.send(Err(error.again())));
                Ok(())
            }
            Err(Stop::Broken(error)) => {
                group.into_iter().for_each(|request| request.reply.send(Err(error.again())));
                Err(Stop::Broken(StoreError::Closed))
            }
        }
    }

    /// One transaction for the whole group. Most groups hold no batch that is refused, and a
    /// savepoint copies every page that its batch touches: they are made only where one is.
    fn apply_group(&mut self, group: &[Request]) -> Result<Vec<Result<Applied, StoreError>>, Stop> {
        match self.attempt(group, Batches::Together)? {
            Some(outcomes) => Ok(outcomes),
            None => self.attempt(group, Batches::Apart).map(Option::unwrap_or_default),
        }
    }

    /// `None` where a batch is refused that cannot be rolled back alone; nothing is changed then.
    fn attempt(
        &mut self,
        group: &[Request],
        batches: Batches,
    ) -> Result<Option<Vec<Result<Applied, StoreError>>>, Stop> {
        let before = self.edge.clone();
        let applied = match batches {
            Batches::Together => self.transact_together(group),
            Batches::Apart => self.transact_apart(group).map(Some),
        };
        if !matches!(applied, Ok(Some(_))) {
            self.edge = before;
            if !self.connection.is_autocommit() {
                self.connection.execute_batch("ROLLBACK").map_err(Stop::broken)?;
            }
        }
        applied
    }

    fn transact_together(
        &mut self,
        group: &[Request],
    ) -> Result<Option<Vec<Result<Applied, StoreError>>>, Stop> {
        self.run_statement("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(group.len());
        for request in group {
            match self.apply(&request.batch) {
                Ok(applied) => outcomes.push(Ok(applied)),
                Err(error) if error.is_refusal() => return Ok(None),
                Err(error) => return Err(Stop::Retry(error.again())),
            }
        }
        self.commit().map(|()| Some(outcomes))
    }

    /// A refused batch is rolled back to its savepoint.
    fn transact_apart(
        &mut self,
        group: &[Request],
    ) -> Result<Vec<Result<Applied, StoreError>>, Stop> {
        self.run_statement("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(group.len());
        for request in group {
            self.run_statement("SAVEPOINT batch")?;
            let before = request.batch.iter().any(|op| matches!(op, Op::Append { .. }));
            let before = before.then(|| self.edge.clone());
            let outcome = self.apply(&request.batch);
            match &outcome {
                Ok(_) => self.run_statement("RELEASE batch")?,
                Err(error) if error.is_refusal() => {
                    self.run_statement("ROLLBACK TO batch")?;
                    self.run_statement("RELEASE batch")?;
                    self.edge = before.unwrap_or_else(|| self.edge.clone());
                }
                Err(error) => return Err(Stop::Retry(error.again())),
            }
            outcomes.push(outcome);
        }
        self.commit().map(|()| outcomes)
    }

    fn commit(&self) -> Result<(), Stop> {
        match self.run_statement("COMMIT") {
            Ok(()) => Ok(()),
            Err(Stop::Retry(StoreError::Full)) => Err(Stop::Retry(StoreError::Full)),
            // A failed sync may have lost pages that the kernel now believes clean.
            Err(Stop::Retry(error) | Stop::Broken(error)) => Err(Stop::Broken(error)),
        }
    }

    /// The database's own pages are overwritten by the commit (`secure_delete`); the pages as they
    /// were may still lie in the write-ahead log, which is emptied before an erasure is answered.
    /// Where a reader holds on to it, the next write tries again.
    fn truncate(&mut self, group: &[Request]) {
        let is_erasure = |op: &Op| matches!(op, Op::Erase { .. } | Op::Wipe { .. });
        self.must_truncate |= group.iter().any(|request| request.batch.iter().any(is_erasure));
        if self.must_truncate {
            self.must_truncate = truncate(&self.connection).is_err();
        }
    }

    fn run_statement(&self, text: &str) -> Result<(), Stop> {
        let ran = self.connection.prepare_cached(text).and_then(|mut ready| ready.execute([]));
        ran.map(|_| ()).map_err(|error| Stop::Retry(error.into()))
    }

    fn apply(&mut self, batch: &[Op]) -> Result<Applied, StoreError> {
        let mut indexes = Vec::new();
        for op in batch {
            match op {
                Op::Put { table, key, value, expect } => {
                    let texts = statement::of(*table);
                    match table.shape() {
                        Shape::Scattered => {
                            let placed = self.generation.place(key);
                            self.put(texts, &placed, value, Expect::Any)?;
                        }
                        Shape::Wide | Shape::Narrow => self.put(texts, key, value, *expect)?,
                    }
                }
                Op::Delete { table, key, expect } => {
                    for placed in self.placed(*table, key) {
                        self.delete(statement::of(*table), &placed, *expect)?;
                    }
                }
                Op::Check { table, key, expect } => {
                    self.check(statement::of(*table), key, *expect)?;
                }
                Op::Wipe { table, key } => {
                    let text = statement::of(*table).wipe;
                    self.connection.prepare_cached(text)?.execute([key])?;
                }
                Op::DeletePrefix { table, prefix } => {
                    let text = statement::of(*table).delete_range;
                    for prefix in self.placed(*table, prefix) {
                        let end = prefix_end(&prefix);
                        let end = end.ok_or(StoreError::TooLong { what: "prefix" })?;
                        self.connection.prepare_cached(text)?.execute([prefix, end])?;
                    }
                }
                Op::Spend { key, amount, limit } => self.spend(key, *amount, *limit)?,
                Op::CheckLog { size } if self.edge.size() == *size => {}
                Op::CheckLog { .. } => return Err(StoreError::Conflict),
                Op::Append { leaf, cell } => indexes.push(self.append(leaf, cell)?),
                Op::Place { table, key } => {
                    let last = indexes.last().copied().unwrap_or_default();
                    let value = last.to_be_bytes();
                    self.put(statement::of(*table), key, &value, Expect::Any)?;
                }
                Op::Erase { from, to } => self.erase(*from, *to)?,
            }
        }
        Ok(Applied { indexes, tree_size: self.edge.size() })
    }

    /// The keys under which a row may lie.
    fn placed(&self, table: Table, key: &[u8]) -> Vec<Vec<u8>> {
        match table.shape() {
            Shape::Scattered => self.generation.all().places(key).collect(),
            Shape::Wide | Shape::Narrow => vec![key.to_vec()],
        }
    }

    fn put(
        &self,
        texts: &statement::Texts,
        key: &[u8],
        value: &[u8],
        expect: Expect,
    ) -> Result<(), StoreError> {
        match expect {
            Expect::Any => {
                self.connection.prepare_cached(texts.replace)?.execute([key, value])?;
            }
            // One look at the index instead of two: an insert tells whether the row is there.
            Expect::Absent | Expect::Fresh => {
                let rows = self.connection.prepare_cached(texts.insert)?.execute([key, value])?;
                as_expected(expect, (rows == 0).then_some(&[]))?;
            }
            Expect::Digest(_) => {
                self.check(texts, key, expect)?;
                self.connection.prepare_cached(texts.replace)?.execute([key, value])?;
            }
        }
        Ok(())
    }

    fn delete(
        &self,
        texts: &statement::Texts,
        key: &[u8],
        expect: Expect,
    ) -> Result<(), StoreError> {
        if !matches!(expect, Expect::Any) {
            self.check(texts, key, expect)?;
        }
        self.connection.prepare_cached(texts.delete)?.execute([key])?;
        Ok(())
    }

    fn check(
        &self,
        texts: &statement::Texts,
        key: &[u8],
        expect: Expect,
    ) -> Result<(), StoreError> {
        let mut fetch = self.connection.prepare_cached(texts.fetch)?;
        let there: Option<Vec<u8>> = fetch.query_row([key], |row| row.get(0)).optional()?;
        as_expected(expect, there.as_deref())
    }

    fn spend(&self, key: &[u8], amount: u64, limit: u64) -> Result<(), StoreError> {
        let spent = spent(&self.connection, key)?;
        let sum = spend(spent, amount, limit)?;
        // SQLite's integers are signed; no budget comes near the difference.
        let sum = i64::try_from(sum).map_err(|_| StoreError::Exhausted { remaining: 0 })?;
        self.connection.prepare_cached(statement::BUDGET_PUT)?.execute(params![key, sum])?;
        Ok(())
    }

    fn append(&mut self, leaf: &[u8; 32], cell: &[u8]) -> Result<u64, StoreError> {
        let index = self.edge.size();
        let number = i64::try_from(index).map_err(|_| StoreError::BeyondLog)?;
        let mut put = self.connection.prepare_cached(statement::LOG_PUT)?;
        put.execute(params![number, leaf, cell])?;
        for full in self.edge.append(leaf_hash(leaf)) {
            let number = i64::try_from(full.index).map_err(|_| StoreError::BeyondLog)?;
            let hashes = tile::encode_hashes(&full.hashes);
            let mut put = self.connection.prepare_cached(statement::TILE_PUT)?;
            put.execute(params![full.level, number, hashes])?;
        }
        Ok(index)
    }

    fn erase(&self, from: u64, to: u64) -> Result<(), StoreError> {
        if to > self.edge.size() {
            return Err(StoreError::BeyondLog);
        }
        let bound = |index: u64| i64::try_from(index).map_err(|_| StoreError::BeyondLog);
        let mut erase = self.connection.prepare_cached(statement::LOG_ERASE)?;
        let rows = erase.execute([bound(from)?, bound(to)?])?;
        if rows as u64 == to.saturating_sub(from) { Ok(()) } else { Err(StoreError::Conflict) }
    }

    fn publish(&self) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if published.size() != self.edge.size() {
            *published = Arc::new(self.edge.clone());
        }
    }
}

/// How the batches of a group stand in their transaction.
#[derive(Clone, Copy)]
enum Batches {
    /// One that is refused takes the others with it.
    Together,
    /// Each has a savepoint.
    Apart,
}

/// Why a group could not be committed.
enum Stop {
    /// The transaction is gone, the connection is good.
    Retry(StoreError),
    /// Nothing more may be written through this connection.
    Broken(StoreError),
}

impl Stop {
    fn broken(error: rusqlite::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Moves the write-ahead log into the database and cuts it to nothing.
pub(crate) fn truncate(connection: &Connection) -> Result<(), StoreError> {
    let text = "PRAGMA wal_checkpoint(TRUNCATE)";
    // "The first column is 0 but will be 1 if a ... TRUNCATE checkpoint was blocked".
    let blocked: i64 = connection.query_row(text, [], |row| row.get(0))?;
    if blocked == 0 { Ok(()) } else { Err(StoreError::InUse) }
}

/// What has been spent under a budget key.
pub(crate) fn spent(connection: &Connection, key: &[u8]) -> Result<u64, StoreError> {
    let mut fetch = connection.prepare_cached(statement::BUDGET_FETCH)?;
    let spent: Option<i64> = fetch.query_row([key], |row| row.get(0)).optional()?;
    u64::try_from(spent.unwrap_or_default())
        .map_err(|_| StoreError::Damaged { what: "a budget is negative" })
}

/// The first request and all that wait behind it, up to a bound.
fn gather(first: Request, requests: &Receiver<Request>) -> Vec<Request> {
    let mut ops = first.batch.len();
    let mut group = vec![first];
    while group.len() < GROUP_BATCHES_MAX
        && ops < GROUP_OPS_MAX
        && let Ok(next) = requests.try_recv()
    {
        ops += next.batch.len();
        group.push(next);
    }
    group
}
