//! The store: opens the state, and reads rows as what they mean. Writes go through [`Write`].
//!
//! Implements spec/store.md.
//!
//! Invariant: a cell is read only in its own row and column; everything else is an error.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::StoreError;
use crate::backend::{Backend, Expect, Op};
use crate::crypter::{Cell, Crypter};
use crate::keyring::{self, Cost, KEYRING_FILE, Secrets, Unlock, sync_directory};
use crate::limits::{CELL_BYTES_MAX, SCAN_ROWS_MAX};
use crate::memory::Memory;
use crate::sqlite::{DATABASE_FILE, Sqlite};
use crate::table::Table;
use crate::tag_set::Directories;
use crate::write::{Committed, Write};

/// Durable state of one node. All methods block; share it behind an `Arc`.
pub struct Store {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) crypter: Crypter,
    pub(crate) directories: Directories,
    keys: Mutex<Secrets>,
    directory: Option<PathBuf>,
}

/// A row whose value is one sealed cell.
pub(crate) trait Sealed: Serialize + DeserializeOwned {
    const TABLE: Table;

    fn key(&self) -> Vec<u8>;

    /// The row of an opened cell.
    fn opened(plain: &[u8]) -> Result<Self, StoreError> {
        decoded(Self::TABLE, plain)
    }
}

impl Store {
    /// Makes an empty store in `directory`, which is made too where it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where a store is; whatever the disk says, and then nothing is left.
    pub fn create(
        directory: &Path,
        unlock: &Unlock,
        cost: Cost,
        seed: [u8; 32],
    ) -> Result<(), StoreError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(StoreError::io("make the data directory"))?;
        let database = directory.join(DATABASE_FILE);
        if directory.join(KEYRING_FILE).exists() || database.exists() {
            return Err(StoreError::Exists);
        }
        let secrets = Secrets::generate(&seed);
        // The keyring comes last: where it is, the store is whole.
        let created = Sqlite::create(directory, secrets.store())
            .and_then(|()| sync_directory(directory))
            .and_then(|()| keyring::write(directory, &secrets, unlock, cost, &seed));
        if created.is_err() {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(directory.join(format!("{DATABASE_FILE}{suffix}")));
            }
        }
        created
    }

    /// Opens the store in `directory`. `seed` is fresh each time.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], [`StoreError::NewerSchema`], [`StoreError::Foreign`],
    /// [`StoreError::InUse`]: the files are then as they were, to the byte.
    pub fn open(directory: &Path, unlock: &Unlock, seed: [u8; 32]) -> Result<Self, StoreError> {
        Self::open_bounded(directory, unlock, seed, None)
    }

    /// As [`Store::open`], with a bound on the database in pages of 4 KiB: beyond it, writes are
    /// refused as [`StoreError::Full`].
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_bounded(
        directory: &Path,
        unlock: &Unlock,
        seed: [u8; 32],
        pages_max: Option<u32>,
    ) -> Result<Self, StoreError> {
        if !directory.is_dir() {
            return Err(StoreError::Missing { file: "data directory" });
        }
        let secrets = keyring::read(directory, unlock)?;
        let backend = Sqlite::open(directory, secrets.store(), pages_max)?;
        Ok(Self::over(Box::new(backend), secrets, seed, Some(directory.to_owned())))
    }

    /// An empty store in memory, for tests: nothing is durable.
    #[must_use]
    pub fn memory(seed: [u8; 32]) -> Self {
        Self::over(Box::new(Memory::default()), Secrets::generate(&seed), seed, None)
    }

    fn over(
        backend: Box<dyn Backend>,
        secrets: Secrets,
        seed: [u8; 32],
        directory: Option<PathBuf>,
    ) -> Self {
        let crypter = Crypter::new(&secrets, &seed);
        let directories = Directories::default();
        Self { backend, crypter, directories, keys: Mutex::new(secrets), directory }
    }

    /// Seals with a fresh key from now on; what is there stays readable. The keyring is written
    /// again under `unlock`, so this also changes the passphrase.
    ///
    /// # Errors
    /// What writing the keyring gives; the store then goes on with the keys that it has.
    pub fn key_rotate(
        &self,
        unlock: &Unlock,
        cost: Cost,
        seed: [u8; 32],
    ) -> Result<(), StoreError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let rotated = keys.rotate(&seed)?;
        // The key must be durable before any cell needs it.
        if let Some(directory) = &self.directory {
            keyring::write(directory, &rotated, unlock, cost, &seed)?;
        }
        self.crypter.take_keys(&rotated);
        *keys = rotated;
        Ok(())
    }

    /// Applies a write, whole or not at all; durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`], by the first step that is refused; nothing is changed then.
    pub fn commit(&self, write: Write) -> Result<Committed, StoreError> {
        self.submit(write)?.wait()
    }

    pub(crate) fn cell<'a>(&self, table: Table, key: &'a [u8]) -> Cell<'a> {
        Cell { table: table.name(), key, column: "value" }
    }

    /// A put of a sealed cell.
    pub(crate) fn sealed(
        &self,
        table: Table,
        key: Vec<u8>,
        plain: &[u8],
        expect: Expect,
    ) -> Result<Op, StoreError> {
        let value = self.crypter.seal(&self.cell(table, &key), plain)?;
        Ok(Op::Put { table, key, value, expect })
    }

    /// The opened cell of a row.
    pub(crate) fn opened(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let sealed = self.backend.fetch(table, key)?;
        sealed.map(|sealed| self.crypter.open(&self.cell(table, key), &sealed)).transpose()
    }

    pub(crate) fn row_fetch<T: Sealed>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.opened(T::TABLE, key)?.map(|plain| T::opened(&plain)).transpose()
    }

    pub(crate) fn row_scan<T: Sealed>(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.opened_rows(T::TABLE, &[], after, limit)?;
        rows.iter().map(|(_, plain)| T::opened(plain)).collect()
    }

    /// Key and opened cell of at most `limit` rows whose keys begin with `prefix` and lie behind
    /// `after`, in order.
    pub(crate) fn opened_rows(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>, StoreError> {
        let rows = self.backend.scan(table, prefix, after, limit.min(SCAN_ROWS_MAX))?;
        let opened = rows.into_iter().map(|row| {
            let plain = self.crypter.open(&self.cell(table, &row.key), &row.value)?;
            Ok((row.key, plain))
        });
        opened.collect()
    }
}

pub(crate) fn decoded<T: Serialize + DeserializeOwned>(
    table: Table,
    plain: &[u8],
) -> Result<T, StoreError> {
    symbolon_codec::decode(plain, CELL_BYTES_MAX)
        .map_err(|source| StoreError::Decode { table: table.name(), source })
}
