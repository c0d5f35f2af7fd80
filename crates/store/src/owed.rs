//! Receipts: what a partner still has to acknowledge, and by which of its statements it did.
//!
//! Implements spec/store.md#receipts.
//!
//! Invariant: one thing of one partner is either owed or settled, never both and never neither
//! once it was kept.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::encode;
use symbolon_trust::NodeId;

use crate::backend::Expect;
use crate::limits::SCAN_ROWS_MAX;
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// First byte of the key of what is owed; what is settled stands under another.
const OPEN: u8 = 1;
const SETTLED: u8 = 2;

/// What a receipt is owed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwedFor {
    /// A query that the partner evaluated; named by its commitment.
    Query,
    /// A confirm; named by its hash.
    Confirm,
    /// A disclosure; named by its hash.
    Disclosure,
    /// A refusal; named by its hash.
    Refusal,
}

/// A receipt that a partner owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Who owes it.
    pub partner: NodeId,
    /// The commitment of the query, or the hash of the statement.
    pub name: [u8; 32],
    /// What for.
    pub what: OwedFor,
    /// Since when, in Unix seconds.
    pub since: u64,
}

/// A receipt that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What was owed.
    pub owed: Owed,
    /// Hash of the partner's statement that settles it, in the evidence.
    pub receipt_hash: [u8; 32],
    /// Where the partner says that it stands in its log.
    pub their_index: u64,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Row {
    what: OwedFor,
    since: u64,
    #[serde(with = "serde_bytes")]
    receipt_hash: Option<[u8; 32]>,
    their_index: Option<u64>,
}

fn key(state: u8, partner: &NodeId, name: &[u8; 32]) -> Vec<u8> {
    [&[state][..], partner.as_bytes(), name].concat()
}

impl Write {
    /// Notes that the partner owes a receipt.
    pub fn owed(self, owed: &Owed) -> Self {
        let row = Row { what: owed.what, since: owed.since, receipt_hash: None, their_index: None };
        let key = key(OPEN, &owed.partner, &owed.name);
        self.seal(Table::Owed, key, encode(&row), Expect::Any)
    }

    /// Takes back what is owed: the thing did not arrive after all.
    pub fn owed_withdraw(self, partner: &NodeId, name: &[u8; 32]) -> Self {
        self.step(Step::Delete { table: Table::Owed, key: key(OPEN, partner, name) })
    }

    /// Notes that the partner gave the receipt.
    pub fn settled(self, settled: &Settled) -> Self {
        let Settled { owed, receipt_hash, their_index } = settled;
        let row = Row {
            what: owed.what,
            since: owed.since,
            receipt_hash: Some(*receipt_hash),
            their_index: Some(*their_index),
        };
        let open = key(OPEN, &owed.partner, &owed.name);
        let settled = key(SETTLED, &owed.partner, &owed.name);
        self.step(Step::Delete { table: Table::Owed, key: open }).seal(
            Table::Owed,
            settled,
            encode(&row),
            Expect::Any,
        )
    }
}

impl Store {
    /// What a partner owes under this name.
    ///
    /// # Errors
    /// What reading gives.
    pub fn owed_fetch(
        &self,
        partner: &NodeId,
        name: &[u8; 32],
    ) -> Result<Option<Owed>, StoreError> {
        let plain = self.opened(Table::Owed, &key(OPEN, partner, name))?;
        let row: Option<Row> = plain.map(|plain| decoded(Table::Owed, &plain)).transpose()?;
        Ok(row.map(|row| row.owed(*partner, *name)))
    }

    /// How a partner settled what it owed under this name.
    ///
    /// # Errors
    /// What reading gives.
    pub fn settled_fetch(
        &self,
        partner: &NodeId,
        name: &[u8; 32],
    ) -> Result<Option<Settled>, StoreError> {
        let plain = self.opened(Table::Owed, &key(SETTLED, partner, name))?;
        let row: Option<Row> = plain.map(|plain| decoded(Table::Owed, &plain)).transpose()?;
        Ok(row.and_then(|row| {
            let (receipt_hash, their_index) = (row.receipt_hash?, row.their_index?);
            Some(Settled { owed: row.owed(*partner, *name), receipt_hash, their_index })
        }))
    }

    /// Everything that a partner owes, in the order of the names.
    ///
    /// # Errors
    /// What reading gives.
    pub fn owed_list(&self, partner: &NodeId) -> Result<Vec<Owed>, StoreError> {
        let prefix = [&[OPEN][..], partner.as_bytes()].concat();
        let (mut owed, mut after) = (Vec::new(), None);
        loop {
            let rows = self.backend.scan(Table::Owed, &prefix, after.as_deref(), SCAN_ROWS_MAX)?;
            let Some(last) = rows.last() else { return Ok(owed) };
            after = Some(last.key.clone());
            for row in &rows {
                let name: [u8; 32] = row
                    .key
                    .get(prefix.len()..)
                    .and_then(|name| name.try_into().ok())
                    .ok_or(StoreError::Damaged { what: "the key of what is owed" })?;
                let plain = self.crypter.open(&self.cell(Table::Owed, &row.key), &row.value)?;
                let row: Row = decoded(Table::Owed, &plain)?;
                owed.push(row.owed(*partner, name));
            }
        }
    }
}

impl Row {
    const fn owed(&self, partner: NodeId, name: [u8; 32]) -> Owed {
        Owed { partner, name, what: self.what, since: self.since }
    }
}
