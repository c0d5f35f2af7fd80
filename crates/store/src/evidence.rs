//! Signed statements that were sent or received, and the envelopes that were admitted.
//!
//! Implements spec/store.md#evidence.
//!
//! Invariant: an envelope is admitted in the transaction that applies it, so it is applied once.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::NodeId;
use zeroize::Zeroizing;

use crate::backend::{Expect, Op};
use crate::limits::SCAN_ROWS_MAX;
use crate::store::Sealed;
use crate::table::Table;
use crate::write::{Committed, Step, Write};
use crate::{Store, StoreError};

/// Which way a statement went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the partner.
    Sent,
    /// From the partner.
    Received,
}

/// A signed statement, kept to be shown to an auditor.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Evidence {
    /// Hash of the signed statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// Which way it went.
    pub way: Way,
    /// The other node.
    pub partner: NodeId,
    /// Kind of the statement, as on the wire.
    pub kind: u8,
    /// When it was sent or received, in Unix seconds.
    pub at: u64,
    /// The signed statement.
    #[serde(with = "serde_bytes")]
    pub signed: Vec<u8>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({}, {:?})", self.partner, self.way)
    }
}

impl Sealed for Evidence {
    const TABLE: Table = Table::Evidence;

    fn key(&self) -> Vec<u8> {
        self.statement_hash.to_vec()
    }
}

/// What became of an envelope that came in.
pub enum Admitted {
    /// It is new; everything in the write was applied.
    New(Committed),
    /// It was admitted before; nothing was applied. Holds the answer that was kept then.
    Repeat(Zeroizing<Vec<u8>>),
}

impl Write {
    /// Keeps a statement as evidence.
    pub fn evidence(self, evidence: &Evidence) -> Self {
        self.row(evidence)
    }

    /// Admits an envelope once: the whole write is refused as [`StoreError::Repeated`] if its id
    /// was admitted before. `answer` is what to answer again if it is repeated.
    pub fn admit(self, id: [u8; 16], expires: u64, answer: Vec<u8>) -> Self {
        self.step(Step::Admit { id, expires, answer: Zeroizing::new(answer) })
    }
}

impl Store {
    /// Applies `write` if the envelope is new; otherwise gives the answer kept with the first.
    ///
    /// # Errors
    /// What writing or reading gives.
    pub fn envelope_admit(
        &self,
        id: [u8; 16],
        expires: u64,
        answer: Vec<u8>,
        write: Write,
    ) -> Result<Admitted, StoreError> {
        match self.commit(write.admit(id, expires, answer)) {
            Ok(committed) => Ok(Admitted::New(committed)),
            Err(StoreError::Repeated) => self
                .envelope_fetch(&id)?
                .map(Admitted::Repeat)
                .ok_or(StoreError::Damaged { what: "an envelope is and is not there" }),
            Err(error) => Err(error),
        }
    }

    /// The answer kept with an admitted envelope; `None` if it was never admitted.
    ///
    /// # Errors
    /// What reading gives.
    pub fn envelope_fetch(&self, id: &[u8; 16]) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(value) = self.backend.fetch(Table::Envelope, id)? else {
            return Ok(None);
        };
        let (_, sealed) = expiry(&value)?;
        self.crypter.open(&self.cell(Table::Envelope, id), sealed).map(Some)
    }

    /// Forgets every envelope that expired before `now`; gives their number.
    ///
    /// # Errors
    /// What reading or writing gives.
    pub fn envelope_purge(&self, now: u64) -> Result<u64, StoreError> {
        self.purge(Table::Envelope, now)
    }

    /// Removes every row of a table whose time, in the clear before its cell, lies before `before`;
    /// gives their number.
    pub(crate) fn purge(&self, table: Table, before: u64) -> Result<u64, StoreError> {
        let (mut purged, mut after) = (0, None);
        loop {
            let rows = self.backend.scan(table, &[], after.as_deref(), SCAN_ROWS_MAX)?;
            let Some(last) = rows.last() else {
                return Ok(purged);
            };
            after = Some(last.key.clone());
            let mut ops = Vec::new();
            for row in rows {
                if expiry(&row.value)?.0 < before {
                    ops.push(Op::Delete { table, key: row.key, expect: Expect::Any });
                }
            }
            purged += ops.len() as u64;
            if !ops.is_empty() {
                self.backend.apply(ops)?;
            }
        }
    }

    /// A statement by its hash.
    ///
    /// # Errors
    /// What reading gives.
    pub fn evidence_fetch(
        &self,
        statement_hash: &[u8; 32],
    ) -> Result<Option<Evidence>, StoreError> {
        self.row_fetch(statement_hash)
    }

    /// At most `limit` statements behind `after`, in the order of their hashes.
    ///
    /// # Errors
    /// What reading gives.
    pub fn evidence_list(
        &self,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<Evidence>, StoreError> {
        self.row_scan(after.map(<[u8; 32]>::as_slice), limit)
    }

    /// expires ‖ sealed answer: times are no secret, and purging then opens nothing.
    pub(crate) fn admit_op(
        &self,
        id: &[u8; 16],
        expires: u64,
        answer: &[u8],
    ) -> Result<Op, StoreError> {
        let sealed = self.crypter.seal(&self.cell(Table::Envelope, id), answer)?;
        let value = [expires.to_be_bytes().as_slice(), &sealed].concat();
        Ok(Op::Put { table: Table::Envelope, key: id.to_vec(), value, expect: Expect::Fresh })
    }
}

fn expiry(value: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let parts = value.split_first_chunk::<8>();
    let (expires, sealed) =
        parts.ok_or(StoreError::Damaged { what: "a row with a time is short" })?;
    Ok((u64::from_be_bytes(*expires), sealed))
}
