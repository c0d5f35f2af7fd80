//! The own log: entries in, entries and hashes out; signs nothing and serves nobody.
//!
//! Implements spec/store.md#log.
//!
//! Invariant: every entry that is read hashes to the leaf that the tree holds at its index. A leaf
//! may have lost its entry; `examine.rs` tells whether that was an erasure.

use std::sync::Arc;

use symbolon_audit::{Entry, LeafData, LogSeen, Logged, Receipt};
use symbolon_tlog::tile::Row;
use symbolon_tlog::{
    Edge, EdgeTile, Hash, Tile, TileReader, TileSource, TlogError, consistency_proof,
    inclusion_proof, root_from,
};

use crate::backend::{Expect, LogRow};
use crate::limits::SCAN_ROWS_MAX;
use crate::table::Table;
use crate::write::{Write, log_cell};
use crate::{Store, StoreError};

/// Key of the row that holds the newest checkpoint; every other key has eight bytes.
const NEWEST: &[u8] = b"newest";

/// The tiles of the own log, as of the time it was asked for.
pub struct LogTiles<'a> {
    pub(crate) store: &'a Store,
    pub(crate) edge: Arc<Edge>,
    /// Complete tiles that are not written yet.
    pub(crate) filled: Vec<EdgeTile>,
}

impl TileSource for LogTiles<'_> {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, TlogError> {
        let Row::Hashes { level } = tile.row() else {
            return Err(TlogError::Unavailable);
        };
        if let Some(hashes) = self.edge.unfinished(level, tile.index()) {
            return Ok(hashes.to_vec());
        }
        let filled = |one: &&EdgeTile| (one.level, one.index) == (level, tile.index());
        if let Some(filled) = self.filled.iter().find(filled) {
            return Ok(filled.hashes.clone());
        }
        let read = self.store.backend.log_tile(level, tile.index());
        read.ok().flatten().ok_or(TlogError::Unavailable)
    }
}

impl Write {
    /// Keeps a signed checkpoint of the own log, as the newest and under its size.
    pub fn log_checkpoint(self, size: u64, text: &str) -> Self {
        let newest = [size.to_be_bytes().as_slice(), text.as_bytes()].concat();
        let key = size.to_be_bytes().to_vec();
        self.seal(Table::Checkpoint, key, text.into(), Expect::Any).seal(
            Table::Checkpoint,
            NEWEST.to_vec(),
            newest,
            Expect::Any,
        )
    }

    /// Keeps a signed checkpoint of the own log under its size, where a larger one is the newest.
    pub fn log_checkpoint_older(self, size: u64, text: &str) -> Self {
        self.seal(Table::Checkpoint, size.to_be_bytes().to_vec(), text.into(), Expect::Any)
    }
}

impl Store {
    /// Appends one entry; durable when this returns. Calls that wait at the same time share one
    /// write to the disk.
    ///
    /// # Errors
    /// What writing gives.
    pub fn log_append(&self, entry: Entry) -> Result<Receipt, StoreError> {
        self.commit(Write::new().log(entry))?.last().ok_or(StoreError::Closed)
    }

    /// Number of leaves.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.backend.edge().size()
    }

    /// Size and root of the log, of the same moment.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_head(&self) -> Result<LogSeen, StoreError> {
        let reader = self.log_reader()?;
        let root = root_from(&reader, reader.size()).map_err(unreadable)?;
        Ok(LogSeen { size: reader.size(), root })
    }

    /// The hashes of the log as it is now, for proofs.
    ///
    /// # Errors
    /// None that a real log meets.
    pub fn log_reader(&self) -> Result<TileReader<LogTiles<'_>>, StoreError> {
        let edge = self.backend.edge();
        let size = edge.size();
        TileReader::new(LogTiles { store: self, edge, filled: Vec::new() }, size)
            .map_err(unreadable)
    }

    /// Inclusion proof of the leaf at `index` in the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`StoreError::BeyondLog`] if there is no such leaf or tree, or what reading gives.
    pub fn log_inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        inclusion_proof(&self.log_reader()?, index, size).map_err(unreadable)
    }

    /// Consistency proof between the trees of the first `old` and the first `new` leaves.
    ///
    /// # Errors
    /// [`StoreError::BeyondLog`] if there is no such tree, or what reading gives.
    pub fn log_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        consistency_proof(&self.log_reader()?, old, new).map_err(unreadable)
    }

    /// The entry at `index`, with the salt of its leaf; `None` where it is erased, too.
    ///
    /// # Errors
    /// What reading gives; [`StoreError::Altered`] if it is not the one that the leaf commits to.
    pub fn log_entry_fetch(&self, index: u64) -> Result<Option<Logged>, StoreError> {
        let found = self.log_page(index, 1)?.pop().filter(|(at, _)| *at == index);
        Ok(found.and_then(|(_, entry)| entry))
    }

    /// Where the entry stands that was kept under `name`, in the log as it is now.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_receipt(&self, name: &[u8; 32]) -> Result<Option<Receipt>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the name of a leaf" };
        let Some(value) = self.backend.fetch(Table::LeafName, name)? else {
            return Ok(None);
        };
        let leaf_index = u64::from_be_bytes(value.try_into().map_err(|_| DAMAGED)?);
        let leaf = self.log_leaf_fetch(leaf_index)?.ok_or(DAMAGED)?;
        Ok(Some(Receipt { leaf_index, leaf_hash: leaf.leaf_hash(), tree_size: self.log_size() }))
    }

    /// The leaf at `index`.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_leaf_fetch(&self, index: u64) -> Result<Option<LeafData>, StoreError> {
        let row = self.backend.log_rows(index, 1)?.pop().filter(|row| row.index == index);
        Ok(row.map(|row| LeafData::from_bytes(row.leaf)))
    }

    /// At most `limit` leaves from `from` on, in order, without their entries.
    ///
    /// # Errors
    /// What reading gives; [`StoreError::Damaged`] where one is missing.
    pub fn log_leaves(&self, from: u64, limit: usize) -> Result<Vec<LeafData>, StoreError> {
        let rows = self.backend.log_rows(from, limit.min(SCAN_ROWS_MAX))?;
        let in_order = (from..).zip(&rows).all(|(index, row)| row.index == index);
        if !in_order {
            return Err(StoreError::Damaged { what: "the log has a gap" });
        }
        Ok(rows.iter().map(|row| LeafData::from_bytes(row.leaf)).collect())
    }

    /// At most `limit` entries from `from` on, in order; those that are erased are left out.
    ///
    /// # Errors
    /// As [`Store::log_entry_fetch`].
    pub fn log_scan(&self, mut from: u64, limit: usize) -> Result<Vec<(u64, Logged)>, StoreError> {
        let limit = limit.min(SCAN_ROWS_MAX);
        let mut found = Vec::new();
        while found.len() < limit {
            let rows = self.backend.log_rows(from, limit)?;
            let Some(last) = rows.last() else { break };
            from = last.index + 1;
            let there = rows.iter().filter(|row| !row.cell.is_empty());
            for row in there.take(limit - found.len()) {
                found.push((row.index, self.logged(row)?));
            }
        }
        Ok(found)
    }

    /// At most `limit` leaves from `from` on, in order, each with its entry unless that is erased.
    ///
    /// # Errors
    /// As [`Store::log_entry_fetch`].
    pub fn log_page(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<Logged>)>, StoreError> {
        let rows = self.backend.log_rows(from, limit.min(SCAN_ROWS_MAX))?;
        let entry = |row: &LogRow| match row.cell.as_slice() {
            [] => Ok((row.index, None)),
            _ => self.logged(row).map(|entry| (row.index, Some(entry))),
        };
        rows.iter().map(entry).collect()
    }

    /// The newest signed checkpoint: the size it is for, and its text.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_checkpoint_fetch(&self) -> Result<Option<(u64, String)>, StoreError> {
        const MISSHAPEN: StoreError = StoreError::Damaged { what: "a checkpoint is misshapen" };
        let Some(plain) = self.opened(Table::Checkpoint, NEWEST)? else {
            return Ok(None);
        };
        let (size, text) = plain.split_first_chunk::<8>().ok_or(MISSHAPEN)?;
        let text = String::from_utf8(text.to_vec()).map_err(|_| MISSHAPEN)?;
        Ok(Some((u64::from_be_bytes(*size), text)))
    }

    /// The signed checkpoint that was kept for a size.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_checkpoint_at(&self, size: u64) -> Result<Option<String>, StoreError> {
        let plain = self.opened(Table::Checkpoint, &size.to_be_bytes())?;
        let text = plain.map(|plain| String::from_utf8(plain.to_vec())).transpose();
        text.map_err(|_| StoreError::Damaged { what: "a checkpoint is misshapen" })
    }

    pub(crate) fn logged(&self, row: &LogRow) -> Result<Logged, StoreError> {
        const TABLE: &str = "log_entry";
        let plain = self.crypter.open(&log_cell(&row.leaf), &row.cell)?;
        let logged = Logged::decode(&plain)
            .map_err(|_| StoreError::Damaged { what: "an entry of the log does not decode" })?;
        if logged.leaf().as_bytes() == &row.leaf {
            Ok(logged)
        } else {
            Err(StoreError::Altered { table: TABLE })
        }
    }
}

pub(crate) fn unreadable(error: TlogError) -> StoreError {
    match error {
        TlogError::BeyondTree => StoreError::BeyondLog,
        _ => StoreError::Damaged { what: "a tile of the log is missing" },
    }
}
