//! Generations of a scattered table: rows with random keys, laid out by when they came.
//!
//! Implements spec/store.md#generations.
//!
//! A row with a random key lands on a random page. In a tree larger than the cache every row of an
//! import would dirty a page of its own; in a generation that fits the cache they share them. A
//! reader asks each generation in turn, which costs a few microseconds apiece.
//!
//! Invariant: readers never know fewer generations than there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use rusqlite::{Connection, OptionalExtension};

use crate::StoreError;
use crate::limits::GENERATION_ROWS_MAX;
use crate::sqlite::statement;

/// The generation that takes the rows now.
pub(crate) struct Generation {
    newest: Arc<AtomicU16>,
    rows: u32,
}

/// How many generations there are, for readers.
#[derive(Clone)]
pub(crate) struct Generations(Arc<AtomicU16>);

impl Generation {
    /// Finds the newest generation of the one scattered table.
    pub(crate) fn open(connection: &Connection) -> Result<Self, StoreError> {
        let newest: Option<Vec<u8>> =
            connection.query_row(statement::GENERATION_NEWEST, [], |row| row.get(0)).optional()?;
        let newest = newest.and_then(|key| key.first_chunk::<2>().copied()).unwrap_or_default();
        let count = statement::GENERATION_ROWS;
        let rows: u32 = connection.query_row(count, [newest], |row| row.get(0))?;
        Ok(Self { newest: Arc::new(AtomicU16::new(u16::from_be_bytes(newest))), rows })
    }

    pub(crate) fn all(&self) -> Generations {
        Generations(Arc::clone(&self.newest))
    }

    /// The key under which a new row is put. A row that is rolled back again counts all the same.
    pub(crate) fn place(&mut self, key: &[u8]) -> Vec<u8> {
        let mut newest = self.newest.load(Ordering::Acquire);
        if self.rows >= GENERATION_ROWS_MAX && newest < u16::MAX {
            newest += 1;
            self.newest.store(newest, Ordering::Release);
            self.rows = 0;
        }
        self.rows = self.rows.saturating_add(1);
        within(newest, key)
    }
}

impl Generations {
    /// The key, or the beginning of one, in each generation.
    pub(crate) fn places(&self, key: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        (0..=self.0.load(Ordering::Acquire)).map(move |number| within(number, key))
    }
}

/// generation ‖ key.
fn within(generation: u16, key: &[u8]) -> Vec<u8> {
    [&generation.to_be_bytes(), key].concat()
}

/// What follows the generation.
pub(crate) fn strip(mut key: Vec<u8>) -> Vec<u8> {
    key.drain(..key.len().min(2));
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Expect, Op};
    use crate::sqlite::Sqlite;
    use crate::table::Table;
    use sha2::{Digest, Sha256};

    const TABLE: Table = Table::RecordIndex;

    fn key(number: u32) -> Vec<u8> {
        Sha256::digest(number.to_be_bytes()).to_vec()
    }

    fn put(number: u32) -> Op {
        Op::Put { table: TABLE, key: key(number), value: Vec::new(), expect: Expect::Any }
    }

    #[test]
    fn rows_of_every_generation_are_found_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        Sqlite::create(directory.path(), &[1; 16]).unwrap();
        let open = || Sqlite::open(directory.path(), &[1; 16], None).unwrap();
        let backend = open();
        backend.apply((0..GENERATION_ROWS_MAX + 5).map(put).collect()).unwrap();
        drop(backend);
        let backend = open();
        assert_eq!(backend.generations.0.load(Ordering::Acquire), 1);
        // Counted once, although it lies in two generations.
        backend.apply(vec![put(3)]).unwrap();
        for number in [0, 3, GENERATION_ROWS_MAX - 1, GENERATION_ROWS_MAX + 4] {
            let rows = backend.scan(TABLE, &key(number)[..16], None, 9).unwrap();
            assert_eq!(rows.iter().map(|row| &row.key).collect::<Vec<_>>(), [&key(number)]);
            assert!(backend.fetch(TABLE, &key(number)).unwrap().is_some());
            let delete = Op::Delete { table: TABLE, key: key(number), expect: Expect::Any };
            backend.apply(vec![delete]).unwrap();
            assert!(backend.scan(TABLE, &key(number), None, 9).unwrap().is_empty());
            assert!(backend.fetch(TABLE, &key(number)).unwrap().is_none());
        }
    }
}
