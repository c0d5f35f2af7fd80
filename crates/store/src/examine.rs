//! The whole log recomputed from its entries: what is there, what was erased, what is missing.
//!
//! Implements spec/log.md#erasure.
//!
//! Invariant: a leaf without its entry counts as erased only where an entry of the log that is
//! there names it; everything else that is gone is missing, and is named.

use symbolon_audit::{Event, LeafData, LeafRange, LogSeen, Logged};
use symbolon_tlog::{Frontier, HashReader};

use crate::backend::LogRow;
use crate::limits::{LEAVES_NAMED_MAX, SCAN_ROWS_MAX};
use crate::log::unreadable;
use crate::{Store, StoreError};

/// What an examination of the log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Size and root of the log.
    pub head: LogSeen,
    /// Leaves whose entry was erased, as an entry of the log says.
    pub erased: u64,
    /// Leaves whose entry is gone although no erasure names it; the first hundred.
    pub missing: Vec<u64>,
    /// All of them.
    pub missing_count: u64,
    /// Leaves whose entry does not open, or is not the one that the leaf commits to; the first
    /// hundred.
    pub altered: Vec<u64>,
    /// All of them.
    pub altered_count: u64,
    /// Leaves that an entry of the log calls erased, and whose entry is there.
    pub unerased: u64,
    /// Whether the leaves lead to the root.
    pub leads_to_root: bool,
}

impl Examined {
    /// Gives the head if everything holds.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn sound(&self) -> Result<LogSeen, StoreError> {
        if self.altered_count > 0 {
            return Err(StoreError::Altered { table: "log_entry" });
        }
        if let Some(index) = self.missing.first() {
            return Err(StoreError::EntryMissing { index: *index, count: self.missing_count });
        }
        if !self.leads_to_root {
            return Err(StoreError::Damaged { what: "the log's entries do not lead to its root" });
        }
        if self.unerased > 0 {
            return Err(StoreError::Damaged { what: "the log holds what it says was erased" });
        }
        Ok(self.head)
    }
}

/// Ranges of leaves, in the order of the log.
#[derive(Default)]
struct Leaves(Vec<LeafRange>);

impl Leaves {
    fn push(&mut self, index: u64) {
        match self.0.last_mut() {
            Some(last) if last.to == index => last.to += 1,
            _ => self.0.push(LeafRange { from: index, to: index + 1 }),
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|range| range.to - range.from).sum()
    }

    fn has(&self, index: u64) -> bool {
        let behind = self.0.partition_point(|range| range.from <= index);
        behind.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| index < range.to)
    }
}

/// The same leaves in order, each once.
pub(crate) fn merged(mut ranges: Vec<LeafRange>) -> Vec<LeafRange> {
    ranges.sort_unstable_by_key(|range| range.from);
    let mut merged: Vec<LeafRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => merged.push(range),
        }
    }
    merged
}

/// The examination under way.
struct Walk {
    tree: Frontier,
    /// Leaves without an entry.
    bare: Leaves,
    /// Leaves that entries call erased.
    named: Leaves,
    altered: Vec<u64>,
    altered_count: u64,
}

impl Walk {
    fn take(&mut self, row: &LogRow, logged: Option<&Logged>) -> Result<(), StoreError> {
        if let Some(Event::Erased(event)) = logged.map(|logged| logged.entry().event()) {
            self.named.0.extend(&event.ranges);
        }
        if row.cell.is_empty() {
            self.bare.push(row.index);
        }
        let leaf = LeafData::from_bytes(row.leaf).leaf_hash();
        self.tree.append(leaf).map(|_| ()).map_err(unreadable)
    }

    fn end(self, head: LogSeen) -> Examined {
        let (bare, named) = (self.bare, Leaves(merged(self.named.0)));
        let (mut missing, mut missing_count) = (Vec::new(), 0);
        for index in bare.0.iter().flat_map(|range| range.from..range.to) {
            if !named.has(index) {
                missing_count += 1;
                if missing.len() < LEAVES_NAMED_MAX {
                    missing.push(index);
                }
            }
        }
        let erased = bare.count() - missing_count;
        Examined {
            leads_to_root: self.tree.root() == head.root,
            head,
            erased,
            missing,
            missing_count,
            altered: self.altered,
            altered_count: self.altered_count,
            unerased: named.count().saturating_sub(erased),
        }
    }
}

impl Store {
    /// Opens every entry, compares its leaf with the tree, and tells erased leaves from missing
    /// ones. `visit` is given each leaf, with its entry where that is there and whole.
    ///
    /// # Errors
    /// What reading gives. What does not hold is in the result.
    pub fn log_examine(
        &self,
        visit: &mut dyn FnMut(u64, Option<&Logged>),
    ) -> Result<Examined, StoreError> {
        let head = self.log_head()?;
        let (bare, named, altered) = (Leaves::default(), Leaves::default(), Vec::new());
        let mut walk = Walk { tree: Frontier::new(), bare, named, altered, altered_count: 0 };
        while walk.tree.size() < head.size {
            let rows = self.backend.log_rows(walk.tree.size(), SCAN_ROWS_MAX)?;
            for row in rows.iter().take_while(|row| row.index < head.size) {
                self.absent(&mut walk, row.index)?;
                let logged = match row.cell.as_slice() {
                    [] => None,
                    _ => self.logged(row).map_err(|_| walk.altered(row.index)).ok(),
                };
                visit(row.index, logged.as_ref());
                walk.take(row, logged.as_ref())?;
            }
            if rows.is_empty() {
                self.absent(&mut walk, head.size)?;
            }
        }
        Ok(walk.end(head))
    }

    /// Rows up to `end` that are gone whole: the tree still knows their leaves.
    fn absent(&self, walk: &mut Walk, end: u64) -> Result<(), StoreError> {
        while walk.tree.size() < end {
            let index = walk.tree.size();
            let leaf = self.log_reader()?.hash(0, index).map_err(unreadable)?;
            walk.bare.push(index);
            walk.tree.append(leaf).map_err(unreadable)?;
        }
        Ok(())
    }

    /// Opens every entry and compares the leaves with the tree; gives the head that they lead to.
    /// `progress` is told how many entries are done.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn log_verify(&self, mut progress: impl FnMut(u64)) -> Result<LogSeen, StoreError> {
        self.log_examine(&mut |index, _| progress(index + 1))?.sound()
    }
}

impl Walk {
    fn altered(&mut self, index: u64) {
        self.altered_count += 1;
        if self.altered.len() < LEAVES_NAMED_MAX {
            self.altered.push(index);
        }
    }
}
