//! The narrow trait behind which state is kept: bytes, a log and budgets; knows no cell's meaning.
//!
//! Implements spec/store.md#backend.
//!
//! Invariant: a batch is applied whole or not at all, and is durable before it is acknowledged.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use symbolon_tlog::{Edge, Hash};

use crate::StoreError;
use crate::table::Table;

/// State behind the store. Every backend passes the one conformance suite.
pub(crate) trait Backend: Send + Sync {
    /// Queues a batch; batches of one caller are applied in the order of its calls.
    fn submit(&self, batch: Vec<Op>) -> Result<Pending, StoreError>;

    /// The value of one row.
    fn fetch(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows whose keys begin with `prefix` and lie behind `after`, in key order.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// Rows in a table whose keys begin with `prefix`.
    fn count(&self, table: Table, prefix: &[u8]) -> Result<u64, StoreError>;

    /// What has been spent under a budget key.
    fn spent(&self, key: &[u8]) -> Result<u64, StoreError>;

    /// The right edge of the log as of the last durable append.
    fn edge(&self) -> Arc<Edge>;

    /// At most `limit` log rows from index `from`, in order.
    fn log_rows(&self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError>;

    /// The hashes of one complete tile.
    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError>;

    /// Queues a batch and waits until it is durable.
    fn apply(&self, batch: Vec<Op>) -> Result<Applied, StoreError> {
        self.submit(batch)?.wait()
    }
}

/// One row.
pub(crate) struct Row {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// One row of the log: what the tree commits to, and the sealed entry; empty once it is erased.
pub(crate) struct LogRow {
    pub(crate) index: u64,
    pub(crate) leaf: [u8; 32],
    pub(crate) cell: Vec<u8>,
}

/// One step of a batch.
#[derive(Clone)]
pub(crate) enum Op {
    /// Writes a row, if it is as expected.
    Put { table: Table, key: Vec<u8>, value: Vec<u8>, expect: Expect },
    /// Removes a row, if there is one and it is as expected.
    Delete { table: Table, key: Vec<u8>, expect: Expect },
    /// Changes nothing; refuses the batch where a row is not as expected.
    Check { table: Table, key: Vec<u8>, expect: Expect },
    /// Overwrites the value of a row, if there is one, with as many zeros, where it lies. What was
    /// there is in no file once the batch is acknowledged.
    Wipe { table: Table, key: Vec<u8> },
    /// Removes every row whose key begins with `prefix`.
    DeletePrefix { table: Table, prefix: Vec<u8> },
    /// Adds `amount` to what was spent under `key`, if the sum stays within `limit`.
    Spend { key: Vec<u8>, amount: u64, limit: u64 },
    /// Appends a leaf to the log.
    Append { leaf: [u8; 32], cell: Vec<u8> },
    /// Changes nothing; refuses the batch as [`StoreError::Conflict`] where the log has another
    /// size. Only at the beginning of a batch.
    CheckLog { size: u64 },
    /// Writes a row that holds the index of the leaf appended last in this batch.
    Place { table: Table, key: Vec<u8> },
    /// Empties the cells of leaves that the log has, each of which must hold one; otherwise
    /// [`StoreError::Conflict`].
    Erase { from: u64, to: u64 },
}

/// What a row must be before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// Anything.
    Any,
    /// Not there; otherwise [`StoreError::Conflict`].
    Absent,
    /// Not there; otherwise [`StoreError::Repeated`].
    Fresh,
    /// There, and its value has this SHA-256.
    Digest([u8; 32]),
}

/// What a batch did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Index of each appended leaf, in the order of the appends.
    pub(crate) indexes: Vec<u64>,
    /// Size of the log after the batch.
    pub(crate) tree_size: u64,
}

/// A batch on its way to the disk.
pub(crate) struct Pending(Receiver<Result<Applied, StoreError>>);

/// Where the writer tells the outcome of a batch.
pub(crate) struct Reply(SyncSender<Result<Applied, StoreError>>);

impl Pending {
    pub(crate) fn channel() -> (Reply, Self) {
        let (sender, receiver) = sync_channel(1);
        (Reply(sender), Self(receiver))
    }

    pub(crate) fn wait(self) -> Result<Applied, StoreError> {
        self.0.recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Reply {
    /// A caller that no longer waits loses nothing: the batch is applied all the same.
    pub(crate) fn send(self, outcome: Result<Applied, StoreError>) {
        let _ = self.0.send(outcome);
    }
}

/// The smallest key that no key beginning with `prefix` reaches; `None` if there is none.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.last_mut() {
        if let Some(next) = last.checked_add(1) {
            *last = next;
            return Some(end);
        }
        end.pop();
    }
    None
}
