//! The schema, its version, and what is asked of a file before anything touches it.
//!
//! Implements spec/store.md#schema.
//!
//! Invariant: a migration ends with a full checkpoint, so the version can be read from the first
//! page of the main file by a program that must not write.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::StoreError;
use crate::table::{Shape, Table};

/// `SYMB`, in the header of every database of ours.
const APPLICATION_ID: u32 = 0x5359_4d42;
/// Newest version of the schema that this program knows.
pub(crate) const SCHEMA_VERSION: u32 = 4;

/// Refuses a file that is not ours, not this store's, or newer than this program. Only reads, and
/// leaves no file beside it.
pub(crate) fn inspect(path: &Path, store: &[u8; 16]) -> Result<(), StoreError> {
    const FOREIGN: StoreError = StoreError::Foreign { file: "database" };
    let mut head = [0; 100];
    let mut file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { file: "database" },
        _ => StoreError::Io { what: "read the database", source },
    })?;
    file.read_exact(&mut head).map_err(|_| FOREIGN)?;
    let word = |at: usize| {
        let bytes = head.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    // "The header string: SQLite format 3\000"; the user version is at 60, the application at 68
    // (SQLite file format §1.3).
    if !head.starts_with(b"SQLite format 3\0") || word(68) != Some(APPLICATION_ID) {
        return Err(FOREIGN);
    }
    let found = word(60).unwrap_or_default();
    if found > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { found, known: SCHEMA_VERSION });
    }
    match store_in(path, Sight::MainFile) {
        Ok(Some(name)) if name == store => Ok(()),
        Ok(Some(_)) => Err(FOREIGN),
        // A process that died while it moved the write-ahead log leaves a main file that makes
        // sense only together with that log.
        Ok(None) | Err(_) => match store_in(path, Sight::Whole) {
            Ok(Some(name)) if name == store => Ok(()),
            Ok(_) | Err(_) => Err(FOREIGN),
        },
    }
}

/// What a look at a database takes into account.
#[derive(Clone, Copy)]
enum Sight {
    /// The main file alone: no lock, no write-ahead log, no file is made.
    MainFile,
    /// What a commit has made durable. Only the index of the write-ahead log may be written, which
    /// holds nothing of its own.
    Whole,
}

/// The name of the store that a database is of.
fn store_in(path: &Path, sight: Sight) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    let how = match sight {
        Sight::MainFile => "immutable=1",
        Sight::Whole => "mode=ro",
    };
    let uri = format!("file:{}?{how}", escaped(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags)?;
    let text = "SELECT value FROM meta WHERE name = 'store'";
    connection.query_row(text, [], |row| row.get(0)).optional()
}

/// The path as a URI's: what would end or change it is percent-encoded.
fn escaped(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                text.push(char::from(*byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Makes the tables of a new database.
pub(crate) fn create(connection: &mut Connection, store: &[u8; 16]) -> Result<(), StoreError> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    )?;
    connection.execute("INSERT INTO meta (name, value) VALUES ('store', ?1)", [store])?;
    migrate(connection)
}

/// Brings the tables to the newest version, each step in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { found, known: SCHEMA_VERSION });
    }
    for number in found + 1..=SCHEMA_VERSION {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step(&transaction, number)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    if found < SCHEMA_VERSION {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// From the version before `number` to `number`.
fn step(connection: &Connection, number: u32) -> Result<(), StoreError> {
    match number {
        1 => first(connection),
        2..=4 => tables(connection, number),
        _ => Err(StoreError::Damaged { what: "the schema has no such version" }),
    }
}

fn tables(connection: &Connection, number: u32) -> Result<(), StoreError> {
    for table in Table::ALL.into_iter().filter(|table| table.since() == number) {
        // Rows of a kilobyte would overflow in an index; rows of a few bytes would be found twice.
        let shape = match table.shape() {
            Shape::Wide => "",
            Shape::Narrow | Shape::Scattered => " WITHOUT ROWID",
        };
        connection.execute_batch(&format!(
            "CREATE TABLE {} (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL){shape}",
            table.name()
        ))?;
    }
    Ok(())
}

fn first(connection: &Connection) -> Result<(), StoreError> {
    tables(connection, 1)?;
    connection.execute_batch(
        "CREATE TABLE budget (key BLOB NOT NULL PRIMARY KEY, spent INTEGER NOT NULL) WITHOUT ROWID;
         CREATE TABLE log_entry
           (number INTEGER PRIMARY KEY, leaf BLOB NOT NULL, cell BLOB NOT NULL);
         CREATE TABLE log_tile (level INTEGER NOT NULL, number INTEGER NOT NULL,
             hashes BLOB NOT NULL, PRIMARY KEY (level, number));",
    )?;
    Ok(())
}
