//! Named blobs: the node's own secrets, and how far long work has come.
//!
//! Implements spec/store.md#tables.

use zeroize::Zeroizing;

use crate::backend::Expect;
use crate::limits::{NAME_BYTES_MAX, SCAN_ROWS_MAX};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Committed, Store, StoreError};

impl Write {
    /// Keeps a setting, in place of an earlier one: a seed, a key, a policy's text.
    pub fn setting(self, name: &str, value: &[u8]) -> Self {
        self.seal(Table::Setting, name.into(), value.to_vec(), Expect::Any)
    }

    /// Keeps a setting only if there is none of this name; [`StoreError::Conflict`] otherwise.
    pub fn setting_new(self, name: &str, value: &[u8]) -> Self {
        self.seal(Table::Setting, name.into(), value.to_vec(), Expect::Absent)
    }

    /// Removes a setting.
    pub fn setting_delete(self, name: &str) -> Self {
        self.step(Step::Delete { table: Table::Setting, key: name.into() })
    }

    /// Keeps how far a piece of work has come.
    pub fn progress(self, name: &str, value: &[u8]) -> Self {
        self.seal(Table::Progress, name.into(), value.to_vec(), Expect::Any)
    }

    /// Forgets a piece of work.
    pub fn progress_delete(self, name: &str) -> Self {
        self.step(Step::Delete { table: Table::Progress, key: name.into() })
    }

    /// Forgets every piece of work whose name begins with `prefix`.
    pub fn progress_delete_all(self, prefix: &str) -> Self {
        self.step(Step::DeletePrefix { table: Table::Progress, prefix: prefix.into() })
    }
}

impl Store {
    /// A setting; wiped when dropped.
    ///
    /// # Errors
    /// What reading gives.
    pub fn setting_fetch(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.opened(Table::Setting, name.as_bytes())
    }

    /// Keeps one setting.
    ///
    /// # Errors
    /// [`StoreError::TooLong`], or what writing gives.
    pub fn setting_put(&self, name: &str, value: &[u8]) -> Result<Committed, StoreError> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(StoreError::TooLong { what: "name" });
        }
        self.commit(Write::new().setting(name, value))
    }

    /// Names of the settings that begin with `prefix`, in order.
    ///
    /// # Errors
    /// What reading gives.
    pub fn setting_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let rows = self.backend.scan(Table::Setting, prefix.as_bytes(), None, SCAN_ROWS_MAX)?;
        let names = rows.into_iter().map(|row| String::from_utf8(row.key));
        names.collect::<Result<_, _>>().map_err(|_| StoreError::Damaged { what: "a name" })
    }

    /// How far a piece of work has come.
    ///
    /// # Errors
    /// What reading gives.
    pub fn progress_fetch(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.opened(Table::Progress, name.as_bytes())
    }

    /// Every piece of work whose name begins with `prefix`, in order of names.
    ///
    /// # Errors
    /// What reading gives.
    pub fn progress_list(
        &self,
        prefix: &str,
    ) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let after_key = after.as_deref();
            let rows =
                self.backend.scan(Table::Progress, prefix.as_bytes(), after_key, SCAN_ROWS_MAX)?;
            let Some(last) = rows.last() else { return Ok(all) };
            after = Some(last.key.clone());
            for row in rows {
                let value = self.crypter.open(&self.cell(Table::Progress, &row.key), &row.value)?;
                let name = String::from_utf8(row.key);
                let name = name.map_err(|_| StoreError::Damaged { what: "a name" })?;
                all.push((name, value));
            }
        }
    }
}
