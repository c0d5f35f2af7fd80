//! The store in one SQLite file: write-ahead log, one writer, readers beside it.
//!
//! Implements spec/store.md#sqlite.
//!
//! Invariant: nothing is written before keyring and schema are known to be this store's.

mod connection;
mod generation;
mod mover;
pub(crate) mod schema;
mod statement;
mod writer;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::{Connection, OptionalExtension, params};
use symbolon_tlog::limits::TILE_WIDTH;
use symbolon_tlog::{Edge, Hash, leaf_hash, tile};

use crate::StoreError;
use crate::backend::{Backend, LogRow, Op, Pending, Row, prefix_end};
use crate::limits::QUEUE_BATCHES_MAX;
use crate::sqlite::connection::{Readers, make_file, mover, writer};
use crate::sqlite::generation::{Generation, Generations};
use crate::sqlite::mover::Backlog;
use crate::sqlite::writer::{Request, Writer};
use crate::table::{Shape, Table};

/// Name of the database in the data directory.
pub const DATABASE_FILE: &str = "symbolon.db";
/// Name of the file whose lock says that a process has the store open.
pub const LOCK_FILE: &str = "lock";

/// State in one SQLite file.
pub(crate) struct Sqlite {
    readers: Readers,
    published: Arc<RwLock<Arc<Edge>>>,
    generations: Generations,
    requests: Option<SyncSender<Request>>,
    backlog: Arc<Backlog>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: Lock,
}

impl Sqlite {
    /// Makes the database in a directory that has none.
    pub(crate) fn create(directory: &Path, store: &[u8; 16]) -> Result<(), StoreError> {
        let _lock = lock(directory)?;
        let path = directory.join(DATABASE_FILE);
        make_file(&path)?;
        let mut connection = writer(&path)?;
        schema::create(&mut connection, store)
    }

    /// Opens the database. `pages_max` bounds its size.
    pub(crate) fn open(
        directory: &Path,
        store: &[u8; 16],
        pages_max: Option<u32>,
    ) -> Result<Self, StoreError> {
        let path = directory.join(DATABASE_FILE);
        let lock = lock(directory)?;
        schema::inspect(&path, store)?;
        let mut connection = writer(&path)?;
        schema::migrate(&mut connection)?;
        if let Some(pages) = pages_max {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        // A crash may have kept an erasure from emptying the write-ahead log.
        let must_truncate = writer::truncate(&connection).is_err();
        let edge = edge(&connection)?;
        let published = Arc::new(RwLock::new(Arc::new(edge.clone())));
        let (requests, received) = sync_channel(QUEUE_BATCHES_MAX);
        let generation = Generation::open(&connection)?;
        let generations = generation.all();
        let published_too = Arc::clone(&published);
        let backlog = Arc::new(Backlog::default());
        let worker = Writer {
            connection,
            edge,
            generation,
            published: published_too,
            must_truncate,
            backlog: Arc::clone(&backlog),
        };
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        let (moves, moving) = (Arc::clone(&backlog), mover(&path)?);
        let writing = named("store").spawn(move || worker.run(&received));
        let writing = writing.map_err(StoreError::io("start the writer"))?;
        let moving = named("store-mover").spawn(move || moves.serve(&moving));
        let moving = moving.map_err(StoreError::io("start the mover"))?;
        Ok(Self {
            readers: Readers::new(path),
            published,
            generations,
            requests: Some(requests),
            backlog,
            threads: Mutex::new(vec![writing, moving]),
            _lock: lock,
        })
    }
}

impl Drop for Sqlite {
    /// Waits for writer and mover, so that whoever opens the store next finds it closed.
    fn drop(&mut self) {
        self.requests = None;
        self.backlog.close();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Backend for Sqlite {
    fn submit(&self, batch: Vec<Op>) -> Result<Pending, StoreError> {
        let (reply, pending) = Pending::channel();
        let requests = self.requests.as_ref().ok_or(StoreError::Closed)?;
        requests.send(Request { batch, reply }).map_err(|_| StoreError::Closed)?;
        Ok(pending)
    }

    fn fetch(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let reader = self.readers.take()?;
        let mut fetch = reader.connection()?.prepare_cached(statement::of(table).fetch)?;
        let mut fetch = |key: &[u8]| fetch.query_row([key], |row| row.get(0)).optional();
        match table.shape() {
            Shape::Wide | Shape::Narrow => Ok(fetch(key)?),
            Shape::Scattered => {
                let found = self.generations.places(key).map(|key| fetch(&key));
                Ok(found.filter_map(Result::transpose).next().transpose()?)
            }
        }
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let reader = self.readers.take()?;
        let connection = reader.connection()?;
        if table.shape() != Shape::Scattered {
            return scan(connection, table, prefix, after, limit);
        }
        let after = after.unwrap_or_default();
        let mut rows = Vec::new();
        for (prefix, after) in self.generations.places(prefix).zip(self.generations.places(after)) {
            rows.extend(scan(connection, table, &prefix, Some(&after), limit)?);
        }
        rows.iter_mut().for_each(|row| row.key = generation::strip(std::mem::take(&mut row.key)));
        rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        rows.dedup_by(|one, other| one.key == other.key);
        rows.truncate(limit);
        Ok(rows)
    }

    fn count(&self, table: Table, prefix: &[u8]) -> Result<u64, StoreError> {
        let reader = self.readers.take()?;
        let (connection, texts) = (reader.connection()?, statement::of(table));
        let rows: i64 = match prefix_end(prefix) {
            Some(end) => connection
                .prepare_cached(texts.count_range)?
                .query_row(params![prefix, end], |row| row.get(0))?,
            None if prefix.is_empty() => {
                connection.prepare_cached(texts.count)?.query_row([], |row| row.get(0))?
            }
            // No key lies behind those that begin with the highest bytes.
            None => connection
                .prepare_cached(texts.count_to_end)?
                .query_row([prefix], |row| row.get(0))?,
        };
        Ok(rows.unsigned_abs())
    }

    fn spent(&self, key: &[u8]) -> Result<u64, StoreError> {
        writer::spent(self.readers.take()?.connection()?, key)
    }

    fn edge(&self) -> Arc<Edge> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn log_rows(&self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        log_rows(self.readers.take()?.connection()?, from, limit)
    }

    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        log_tile(self.readers.take()?.connection()?, level, index)
    }
}

fn scan(
    connection: &Connection,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let texts = statement::of(table);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // One bound: of two lower ones SQLite searches by either, and reads all that lies between.
    let mut from = prefix.to_vec();
    if let Some(after) = after.filter(|after| *after >= prefix) {
        from = [after, &[0]].concat();
    }
    let row = |row: &rusqlite::Row<'_>| Ok(Row { key: row.get(0)?, value: row.get(1)? });
    let rows = match prefix_end(prefix) {
        Some(end) => connection
            .prepare_cached(texts.scan)?
            .query_map(params![from, end, limit], row)?
            .collect::<Result<_, _>>(),
        None => connection
            .prepare_cached(texts.scan_to_end)?
            .query_map(params![from, limit], row)?
            .collect(),
    };
    Ok(rows?)
}

/// The lock of a directory, held.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a process that another thread is just starting holds a copy
    /// of it until it runs its own program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the lock of the directory, or says that another process holds it.
fn lock(directory: &Path) -> Result<Lock, StoreError> {
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join(LOCK_FILE));
    let file = opened.map_err(StoreError::io("open the lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(source)) => {
            Err(StoreError::Io { what: "take the lock", source })
        }
    }
}

/// Rebuilds the edge of the log from what is durable.
fn edge(connection: &Connection) -> Result<Edge, StoreError> {
    let size: i64 = connection.query_row(statement::LOG_SIZE, [], |row| row.get(0))?;
    let size = size.unsigned_abs();
    let rest = size % u64::from(TILE_WIDTH);
    let last = log_rows(connection, size - rest, usize::from(TILE_WIDTH))?;
    if last.len() as u64 != rest {
        return Err(StoreError::Damaged { what: "the log has a gap" });
    }
    let last = last.iter().map(|row| leaf_hash(row.leaf)).collect();
    let tile = |level, index| {
        let tile = log_tile(connection, level, index)?;
        tile.ok_or(StoreError::Damaged { what: "a tile of the log is missing" })
    };
    Edge::rebuild(size, tile, last)
}

fn log_rows(connection: &Connection, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
    let from = i64::try_from(from).map_err(|_| StoreError::BeyondLog)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut scan = connection.prepare_cached(statement::LOG_SCAN)?;
    let rows = scan.query_map([from, limit], |row| {
        let number: i64 = row.get(0)?;
        Ok(LogRow { index: number.unsigned_abs(), leaf: row.get(1)?, cell: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn log_tile(
    connection: &Connection,
    level: u8,
    index: u64,
) -> Result<Option<Vec<Hash>>, StoreError> {
    let number = i64::try_from(index).map_err(|_| StoreError::BeyondLog)?;
    let mut fetch = connection.prepare_cached(statement::TILE_FETCH)?;
    let bytes: Option<Vec<u8>> =
        fetch.query_row(params![level, number], |row| row.get(0)).optional()?;
    bytes
        .map(|bytes| tile::decode_hashes(&bytes, TILE_WIDTH))
        .transpose()
        .map_err(|_| StoreError::Damaged { what: "a tile of the log is misshapen" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Expect;
    use rusqlite::StatementStatus;

    #[test]
    fn a_scan_reads_nothing_of_what_lies_before_it() {
        let directory = tempfile::tempdir().unwrap();
        Sqlite::create(directory.path(), &[1; 16]).unwrap();
        let backend = Sqlite::open(directory.path(), &[1; 16], None).unwrap();
        let key = |number: u16| [b"p".as_slice(), &number.to_be_bytes()].concat();
        let put = |number| {
            let (table, value, expect) = (Table::Sent, Vec::new(), Expect::Any);
            Op::Put { table, key: key(number), value, expect }
        };
        backend.apply((0..4_000).map(put).collect()).unwrap();
        let reader = backend.readers.take().unwrap();
        let connection = reader.connection().unwrap();
        let steps_behind = |number: u16| {
            let rows = scan(connection, Table::Sent, b"p", Some(&key(number)), 10).unwrap();
            let found: Vec<_> = rows.into_iter().map(|row| row.key).collect();
            assert_eq!(found, (number + 1..number + 11).map(key).collect::<Vec<_>>());
            let texts = statement::of(Table::Sent);
            let ran = connection.prepare_cached(texts.scan).unwrap();
            // Whatever it is asked for, it is compiled once.
            assert_eq!(ran.reset_status(StatementStatus::RePrepare), 0);
            ran.reset_status(StatementStatus::VmStep)
        };
        assert_eq!(steps_behind(10), steps_behind(3_900));
    }
}
