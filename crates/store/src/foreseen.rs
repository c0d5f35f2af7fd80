//! A write of which it is known where its log entries will stand, and what the log will be then,
//! before it is written: so that something that names both can be part of the same commit.
//!
//! Implements spec/store.md#foreseen-writes.
//!
//! Invariant: what was foreseen is written only where it comes true; nothing of it counts before.

use std::sync::Arc;

use symbolon_audit::LogSeen;
use symbolon_tlog::{Edge, TileReader, root_from};

use crate::backend::Op;
use crate::log::{LogTiles, unreadable};
use crate::write::{Committed, Made, Write};
use crate::{Store, StoreError};

/// A write that is made and not queued.
#[must_use]
pub struct Foreseen {
    made: Made,
    /// Leaves of the log before it.
    from: u64,
    head: LogSeen,
}

/// What became of a write that was foreseen and the one behind it.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Foretold<T> {
    /// Both are durable, with the receipts of both; and what names them, which may leave now.
    Both(Committed, T),
    /// The log had grown: only the first is durable, in other places than was said.
    First(Committed),
}

impl Foreseen {
    /// Where the leaf of the entry of this number will stand, counted in the order of
    /// [`Write::log`].
    #[must_use]
    pub fn leaf_index(&self, entry: usize) -> Option<u64> {
        let index = self.from.checked_add(u64::try_from(entry).ok()?)?;
        (index < self.head.size).then_some(index)
    }

    /// Size and root of the log behind it.
    #[must_use]
    pub const fn head(&self) -> LogSeen {
        self.head
    }
}

impl Store {
    /// Where the entries of a write will stand, if the log does not grow before.
    ///
    /// # Errors
    /// [`StoreError`] where the write cannot be put together or the log cannot be read.
    pub fn foresee(&self, write: Write) -> Result<Foreseen, StoreError> {
        let made = self.made(write)?;
        let mut edge = Edge::clone(&self.backend.edge());
        let (from, mut filled) = (edge.size(), Vec::new());
        for leaf in &made.leaves {
            filled.extend(edge.append(leaf.leaf_hash()));
        }
        let size = edge.size();
        let tiles = LogTiles { store: self, edge: Arc::new(edge), filled };
        let reader = TileReader::new(tiles, size).map_err(unreadable)?;
        let root = root_from(&reader, size).map_err(unreadable)?;
        Ok(Foreseen { made, from, head: LogSeen { size, root } })
    }

    /// Commits a write and another behind it, together; the first alone where the log has grown
    /// since. `names` is what was made of [`Foreseen::leaf_index`] and [`Foreseen::head`]: it is
    /// given back only where they have come true, and dropped otherwise.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn commit_foreseen<T>(
        &self,
        foreseen: Foreseen,
        behind: Write,
        names: T,
    ) -> Result<Foretold<T>, StoreError> {
        let Foreseen { made, from, .. } = foreseen;
        let mut both = made.clone();
        let behind = self.made(behind)?;
        both.ops.insert(0, Op::CheckLog { size: from });
        both.ops.extend(behind.ops);
        both.leaves.extend(behind.leaves);
        match self.queued(both)?.wait() {
            // A row of the first that is not as it was expected refuses that one too.
            Err(StoreError::Conflict) => self.queued(made)?.wait().map(Foretold::First),
            done => done.map(|done| Foretold::Both(done, names)),
        }
    }
}
