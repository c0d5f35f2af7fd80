//! The outbox: what waits to be signed and sealed for a partner, in lines that do not wait for each
//! other.
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
        /// Whether it is real.
        mode: Mode,
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

/// Where something stands in the outbox for a partner: within a line the order is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// What gets a place in the partner's stream of this mode.
    Statements(Mode),
    /// Acknowledgements of what is of this mode; they have no place in a stream.
    Acknowledgements(Mode),
}

impl Line {
    const fn code(self) -> u8 {
        match self {
            Self::Statements(Mode::Live) => 1,
            Self::Statements(Mode::Exercise) => 2,
            Self::Acknowledgements(Mode::Live) => 3,
            Self::Acknowledgements(Mode::Exercise) => 4,
        }
    }
}

impl Intent {
    /// The line that it stands in.
    #[must_use]
    pub const fn line(&self) -> Line {
        match *self {
            Self::Alert { mode, .. } | Self::Word { mode, .. } => Line::Statements(mode),
            Self::Acknowledge { mode, .. } => Line::Acknowledgements(mode),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    Alert(RecordId, Mode),
    Word(RecordId, RecordVersion, [u8; 2], Mode),
    Acknowledge(ByteArray<32>, u8, u64, u64, Mode),
}

impl From<&Intent> for Row {
    fn from(intent: &Intent) -> Self {
        match *intent {
            Intent::Alert { alert, mode } => Self::Alert(alert, mode),
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
            Row::Alert(alert, mode) => Self::Alert { alert, mode },
            Row::Word(alert, version, say, mode) => Self::Word { alert, version, say, mode },
            Row::Acknowledge(statement_hash, stage, at, log_index, mode) => {
                let statement_hash = statement_hash.into_array();
                Self::Acknowledge { statement_hash, stage, at, log_index, mode }
            }
        }
    }
}

/// partner ‖ line ‖ position.
fn key(partner: &NodeId, line: Line, position: u64) -> Vec<u8> {
    [partner.as_bytes().as_slice(), &[line.code()], &position.to_be_bytes()].concat()
}

impl Write {
    /// Lets something wait for a partner, in place of what waits at this position of its line.
    pub fn outbox(self, partner: &NodeId, position: u64, intent: &Intent) -> Self {
        let plain = encode(&Row::from(intent));
        let key = key(partner, intent.line(), position);
        self.seal(Table::Outbox, key, plain, Expect::Any)
    }

    /// Takes what waits at a position of a line out of the outbox.
    pub fn outbox_delete(self, partner: &NodeId, line: Line, position: u64) -> Self {
        self.step(Step::Delete { table: Table::Outbox, key: key(partner, line, position) })
    }
}

impl Store {
    /// The first `limit` things that wait in a line for a partner behind a position, with their
    /// positions.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_scan(
        &self,
        partner: &NodeId,
        line: Line,
        behind: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Intent)>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the key of what waits" };
        let prefix = [partner.as_bytes().as_slice(), &[line.code()]].concat();
        let after = (behind > 0).then(|| key(partner, line, behind));
        let rows = self.opened_rows(Table::Outbox, &prefix, after.as_deref(), limit)?;
        rows.iter()
            .map(|(key, plain)| {
                let position = key.last_chunk::<8>().ok_or(DAMAGED)?;
                let row: Row = decoded(Table::Outbox, plain)?;
                Ok((u64::from_be_bytes(*position), row.into()))
            })
            .collect()
    }

    /// Whether nothing waits for a partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_is_empty(&self, partner: &NodeId) -> Result<bool, StoreError> {
        Ok(self.opened_rows(Table::Outbox, partner.as_bytes(), None, 1)?.is_empty())
    }

    /// How many things wait for a partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn outbox_count(&self, partner: &NodeId) -> Result<u64, StoreError> {
        self.backend.count(Table::Outbox, partner.as_bytes())
    }
}
