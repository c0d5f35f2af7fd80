//! The outbox: what waits to be signed and sealed for a partner, in order.
//!
//! Implements spec/store.md#outbox.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use symbolon_codec::encode;
use symbolon_record::{RecordId, RecordVersion};
use symbolon_trust::{Mode, NodeId};

use crate::backend::Expect;
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// What shall go to a partner. What it says is decided when it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// An own alert, as it is then.
    Alert {
        /// The alert.
        alert: RecordId,
    },
    /// A word about an alert: taken back, contested.
    Word {
        /// The alert.
        alert: RecordId,
        /// The version that the word is about.
        version: RecordVersion,
        /// Which word and why, as on the wire.
        say: [u8; 2],
        /// Whether the alert is real.
        mode: Mode,
    },
    /// An acknowledgement of something received.
    Acknowledge {
        /// Hash of the statement that is acknowledged.
        statement_hash: [u8; 32],
        /// What is acknowledged, as on the wire.
        stage: u8,
        /// When it happened, in Unix seconds.
        at: u64,
        /// Leaf of the entry that says so.
        log_index: u64,
        /// Whether the alert is real.
        mode: Mode,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    Alert(RecordId),
    Word(RecordId, RecordVersion, [u8; 2], Mode),
    Acknowledge(ByteArray<32>, u8, u64, u64, Mode),
}

impl From<&Intent> for Row {
    fn from(intent: &Intent) -> Self {
        match *intent {
            Intent::Alert { alert } => Self::Alert(alert),
            Intent::Word { alert, version, say, mode } => Self::Word(alert, version, say, mode),
            Intent::Acknowledge { statement_hash, stage, at, log_index, mode } => {
                Self::Acknowledge(statement_hash.into(), stage, at, log_index, mode)
            }
        }
    }
}

impl From<Row> for Intent {
    fn from(row: Row) -> Self {
        match row {
            Row::Alert(alert) => Self::Alert { alert },
            Row::Word(alert, version, say, mode) => Self::Word { alert, version, say, mode },
            Row::Acknowledge(statement_hash, stage, at, log_index, mode) => {
                let statement_hash = statement_hash.into_array();
                Self::Acknowledge { statement_hash, stage, at, log_index, mode }
            }
        }
    }
}

/// partner ‖ position.
fn key(partner: &NodeId, position: u64) -> Vec<u8> {
    [partner.as_bytes().as_slice(), &position.to_be_bytes()].concat()
}

impl Write {
    /// Lets something wait for a partner, in place of what waits at this position.
    pub fn outbox(self, partner: &NodeId, position: u64, intent: &Intent) -> Self {
        let plain = encode(&Row::from(intent));
        self.seal(Table::Outbox, key(partner, position), plain, Expect::Any)
    }

    /// Takes what waits at a position out of the outbox.
    pub fn outbox_delete(self, partner: &NodeId, position: u64) -> Self {
        self.step(Step::Delete { table: Table::Outbox, key: key(partner, position) })
    }
}

impl Store {
    /// The first `limit` things that wait for a partner, with their positions.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_scan(
        &self,
        partner: &NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, Intent)>, StoreError> {
        self.outbox_scan_behind(partner, 0, limit)
    }

    /// The first `limit` things that wait for a partner behind a position, with their positions.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_scan_behind(
        &self,
        partner: &NodeId,
        behind: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Intent)>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the key of what waits" };
        let after = (behind > 0).then(|| key(partner, behind));
        let rows = self.opened_rows(Table::Outbox, partner.as_bytes(), after.as_deref(), limit)?;
        rows.iter()
            .map(|(key, plain)| {
                let position = key.last_chunk::<8>().ok_or(DAMAGED)?;
                let row: Row = decoded(Table::Outbox, plain)?;
                Ok((u64::from_be_bytes(*position), row.into()))
            })
            .collect()
    }

    /// How many things wait for a partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_count(&self, partner: &NodeId) -> Result<u64, StoreError> {
        self.backend.count(Table::Outbox, partner.as_bytes())
    }
}
