//! The store in memory: the readable specification of every backend, and the one for tests.
//!
//! Implements spec/store.md#backend.
//!
//! Invariant: a batch works on a copy of what it touches, so a refused one leaves no trace.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use symbolon_tlog::{Edge, Hash, leaf_hash};

use crate::StoreError;
use crate::backend::{Applied, Backend, Expect, LogRow, Op, Pending, Row, prefix_end};
use crate::table::Table;

/// All state, behind one lock.
#[derive(Default)]
pub(crate) struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    budgets: BTreeMap<Vec<u8>, u64>,
    log: Vec<([u8; 32], Vec<u8>)>,
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    edge: Arc<Edge>,
}

/// How to undo one step.
enum Undo {
    Row((Table, Vec<u8>), Option<Vec<u8>>),
    Budget(Vec<u8>, Option<u64>),
    Cell(usize, Vec<u8>),
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave a batch half applied: steps are undone or all are done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn submit(&self, batch: Vec<Op>) -> Result<Pending, StoreError> {
        let (reply, pending) = Pending::channel();
        reply.send(self.state().apply(batch));
        Ok(pending)
    }

    fn fetch(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().rows.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded((table, after.to_vec())),
            _ => Bound::Included((table, prefix.to_vec())),
        };
        let state = self.state();
        let rows = state.rows.range((from, Bound::Unbounded));
        Ok(rows
            .take_while(|((of, key), _)| *of == table && key.starts_with(prefix))
            .take(limit)
            .map(|((_, key), value)| Row { key: key.clone(), value: value.clone() })
            .collect())
    }

    fn count(&self, table: Table, prefix: &[u8]) -> Result<u64, StoreError> {
        let state = self.state();
        let rows = state.rows.range((table, prefix.to_vec())..);
        let within = |(of, key): &&(Table, Vec<u8>)| *of == table && key.starts_with(prefix);
        Ok(rows.map(|(at, _)| at).take_while(within).count() as u64)
    }

    fn spent(&self, key: &[u8]) -> Result<u64, StoreError> {
        Ok(self.state().budgets.get(key).copied().unwrap_or_default())
    }

    fn edge(&self) -> Arc<Edge> {
        Arc::clone(&self.state().edge)
    }

    fn log_rows(&self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let state = self.state();
        let rows = state.log.iter().enumerate().skip(first).take(limit);
        Ok(rows
            .map(|(index, (leaf, cell))| LogRow {
                index: index as u64,
                leaf: *leaf,
                cell: cell.clone(),
            })
            .collect())
    }

    fn log_tile(&self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        Ok(self.state().tiles.get(&(level, index)).cloned())
    }
}

impl State {
    fn apply(&mut self, batch: Vec<Op>) -> Result<Applied, StoreError> {
        let mut undo = Vec::new();
        let mut leaves = Vec::new();
        for op in batch {
            if let Err(error) = self.step(op, &mut undo, &mut leaves) {
                self.undo(undo);
                return Err(error);
            }
        }
        let mut edge = Edge::clone(&self.edge);
        let mut indexes = Vec::new();
        for (leaf, cell) in leaves {
            indexes.push(edge.size());
            for tile in edge.append(leaf_hash(leaf)) {
                self.tiles.insert((tile.level, tile.index), tile.hashes);
            }
            self.log.push((leaf, cell));
        }
        self.edge = Arc::new(edge);
        Ok(Applied { indexes, tree_size: self.edge.size() })
    }

    fn step(
        &mut self,
        op: Op,
        undo: &mut Vec<Undo>,
        leaves: &mut Vec<([u8; 32], Vec<u8>)>,
    ) -> Result<(), StoreError> {
        match op {
            Op::Put { table, key, value, expect } => {
                let at = (table, key);
                as_expected(expect, self.rows.get(&at).map(Vec::as_slice))?;
                undo.push(Undo::Row(at.clone(), self.rows.insert(at, value)));
            }
            Op::Delete { table, key, expect } => {
                let at = (table, key);
                as_expected(expect, self.rows.get(&at).map(Vec::as_slice))?;
                let before = self.rows.remove(&at);
                undo.push(Undo::Row(at, before));
            }
            Op::Check { table, key, expect } => {
                as_expected(expect, self.rows.get(&(table, key)).map(Vec::as_slice))?;
            }
            Op::Wipe { table, key } => {
                let at = (table, key);
                if let Some(value) = self.rows.get_mut(&at) {
                    let zeros = vec![0; value.len()];
                    let before = std::mem::replace(value, zeros);
                    undo.push(Undo::Row(at, Some(before)));
                }
            }
            Op::DeletePrefix { table, prefix } => {
                let end = prefix_end(&prefix)
                    .map_or(Bound::Unbounded, |end| Bound::Excluded((table, end)));
                let range = (Bound::Included((table, prefix)), end);
                let within: Vec<_> = self.rows.range(range).map(|(at, _)| at.clone()).collect();
                for at in within.into_iter().filter(|(of, _)| *of == table) {
                    let before = self.rows.remove(&at);
                    undo.push(Undo::Row(at, before));
                }
            }
            Op::Spend { key, amount, limit } => {
                let before = self.budgets.get(&key).copied();
                let after = spend(before.unwrap_or_default(), amount, limit)?;
                self.budgets.insert(key.clone(), after);
                undo.push(Undo::Budget(key, before));
            }
            Op::Append { leaf, cell } => leaves.push((leaf, cell)),
            Op::CheckLog { size } if self.edge.size() == size => {}
            Op::CheckLog { .. } => return Err(StoreError::Conflict),
            Op::Place { table, key } => {
                let last = (self.log.len() + leaves.len()).saturating_sub(1) as u64;
                let at = (table, key);
                let before = self.rows.insert(at.clone(), last.to_be_bytes().to_vec());
                undo.push(Undo::Row(at, before));
            }
            Op::Erase { from, to } => {
                for index in from..to {
                    let index = usize::try_from(index).map_err(|_| StoreError::BeyondLog)?;
                    let (_, cell) = self.log.get_mut(index).ok_or(StoreError::BeyondLog)?;
                    if cell.is_empty() {
                        return Err(StoreError::Conflict);
                    }
                    undo.push(Undo::Cell(index, std::mem::take(cell)));
                }
            }
        }
        Ok(())
    }

    fn undo(&mut self, steps: Vec<Undo>) {
        for step in steps.into_iter().rev() {
            match step {
                Undo::Row(at, Some(value)) => drop(self.rows.insert(at, value)),
                Undo::Row(at, None) => drop(self.rows.remove(&at)),
                Undo::Budget(key, Some(spent)) => drop(self.budgets.insert(key, spent)),
                Undo::Budget(key, None) => drop(self.budgets.remove(&key)),
                Undo::Cell(index, before) => {
                    if let Some((_, cell)) = self.log.get_mut(index) {
                        *cell = before;
                    }
                }
            }
        }
    }
}

/// Whether the row that is there is the one expected.
pub(crate) fn as_expected(expect: Expect, there: Option<&[u8]>) -> Result<(), StoreError> {
    match (expect, there) {
        (Expect::Any, _) | (Expect::Absent | Expect::Fresh, None) => Ok(()),
        (Expect::Fresh, Some(_)) => Err(StoreError::Repeated),
        (Expect::Digest(digest), Some(value)) if *Sha256::digest(value) == digest => Ok(()),
        (Expect::Absent, Some(_)) | (Expect::Digest(_), _) => Err(StoreError::Conflict),
    }
}

/// The sum after spending `amount`, if it stays within `limit`.
pub(crate) fn spend(spent: u64, amount: u64, limit: u64) -> Result<u64, StoreError> {
    match spent.checked_add(amount) {
        Some(sum) if sum <= limit => Ok(sum),
        _ => Err(StoreError::Exhausted { remaining: limit.saturating_sub(spent) }),
    }
}
