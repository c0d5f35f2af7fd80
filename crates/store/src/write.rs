//! A write: what one commit changes, put together before the store sees it.
//!
//! Implements spec/store.md#writes.
//!
//! Invariant: all steps of a write become durable together, the log entries among them.

use sha2::{Digest, Sha256};
use symbolon_audit::{Entry, ErasedEvent, LeafData, LeafRange, Logged, Receipt, Who};
use symbolon_codec::encode;
use zeroize::Zeroizing;

use crate::StoreError;
use crate::backend::{Applied, Expect, Op, Pending};
use crate::budget::BudgetKey;
use crate::content::{AlertSecrets, AlertStep, MadeSecrets};
use crate::crypter::Cell;
use crate::hotline::HotlineStep;
use crate::limits::{KEY_BYTES_MAX, LOG_ENTRY_BYTES_MAX};
use crate::partner::PartnerStep;
use crate::record::RecordStep;
use crate::relay::RelayStep;
use crate::store::{Sealed, Store};
use crate::table::Table;
use crate::tag_set::TagSetStep;

/// What one commit changes. Steps are applied in the order of the calls.
#[derive(Default)]
#[must_use]
pub struct Write {
    pub(crate) steps: Vec<Step>,
}

pub(crate) enum Step {
    /// Writes one sealed cell.
    Seal {
        table: Table,
        key: Vec<u8>,
        plain: Zeroizing<Vec<u8>>,
        expect: Expect,
    },
    /// Writes one row in the clear: times, counts and names that mean nothing elsewhere.
    Clear {
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
        expect: Expect,
    },
    /// Refuses the write: something in it is longer than allowed.
    TooLong(&'static str),
    /// Removes a row.
    Delete {
        table: Table,
        key: Vec<u8>,
    },
    /// Removes every row whose key begins so.
    DeletePrefix {
        table: Table,
        prefix: Vec<u8>,
    },
    Admit {
        id: [u8; 16],
        expires: u64,
        answer: Zeroizing<Vec<u8>>,
    },
    Record(RecordStep),
    Partner(PartnerStep),
    TagSet(TagSetStep),
    Alert(AlertStep),
    Hotline(HotlineStep),
    Relay(RelayStep),
    Spend {
        key: BudgetKey,
        amount: u64,
        limit: u64,
    },
    Log(Box<Entry>),
    /// Names the leaf of the entry before it.
    Place([u8; 32]),
    /// Empties the entries of leaves; only [`Write::log_erased`] makes it.
    Erase(LeafRange),
}

/// What a commit gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    receipts: Vec<Receipt>,
}

impl Committed {
    /// One receipt for each entry, in the order of [`Write::log`].
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The receipt of the last entry, if the write held one.
    #[must_use]
    pub fn last(&self) -> Option<Receipt> {
        self.receipts.last().copied()
    }
}

/// A write that is sealed and not queued.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) ops: Vec<Op>,
    pub(crate) leaves: Vec<LeafData>,
    pub(crate) secrets: MadeSecrets,
}

/// A write on its way to the disk: the caller may prepare the next one meanwhile.
#[must_use]
pub struct Submitted {
    pending: Pending,
    leaves: Vec<LeafData>,
    secrets: MadeSecrets,
}

impl Submitted {
    /// The secrets of the alerts that are new with it, for a write behind it.
    pub fn secrets(&self) -> MadeSecrets {
        self.secrets.clone()
    }

    /// Waits until the write is durable.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn wait(self) -> Result<Committed, StoreError> {
        let Applied { indexes, tree_size } = self.pending.wait()?;
        let receipts = self.leaves.iter().zip(indexes).map(|(leaf, leaf_index)| Receipt {
            leaf_index,
            leaf_hash: leaf.leaf_hash(),
            tree_size,
        });
        Ok(Committed { receipts: receipts.collect() })
    }
}

impl Write {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it holds no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many entries it appends to the log: the place of the next one's receipt in
    /// [`Committed::receipts`].
    #[must_use]
    pub fn entries(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Log(_))).count()
    }

    /// Appends an entry to the log.
    pub fn log(self, entry: Entry) -> Self {
        self.step(Step::Log(Box::new(entry)))
    }

    /// Appends an entry to the log, and keeps under `name` where it stands: see
    /// [`Store::log_receipt`].
    pub fn log_named(self, entry: Entry, name: [u8; 32]) -> Self {
        self.log(entry).step(Step::Place(name))
    }

    /// Erases the entries that `event` names, and appends the entry that says so: neither is
    /// without the other. [`StoreError::Conflict`] where one of them is erased already.
    pub(crate) fn log_erased(mut self, who: Who<'_>, event: ErasedEvent) -> Self {
        self.steps.extend(event.ranges.iter().map(|range| Step::Erase(*range)));
        self.log(Entry::erased(who, event))
    }

    /// Spends `amount` of a budget of `limit`; the whole write is refused as
    /// [`StoreError::Exhausted`] where the rest does not cover it.
    pub fn spend(self, key: BudgetKey, amount: u64, limit: u64) -> Self {
        self.step(Step::Spend { key, amount, limit })
    }

    /// Adds every step of another write behind those of this one.
    pub fn and(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn seal(self, table: Table, key: Vec<u8>, plain: Vec<u8>, expect: Expect) -> Self {
        self.step(Step::Seal { table, key, plain: Zeroizing::new(plain), expect })
    }

    /// Refuses the write where something in it is longer than allowed.
    pub(crate) fn bounded(self, too_long: Option<&'static str>) -> Self {
        match too_long {
            Some(what) => self.step(Step::TooLong(what)),
            None => self,
        }
    }

    pub(crate) fn row<T: Sealed>(self, row: &T) -> Self {
        self.seal(T::TABLE, row.key(), encode(row), Expect::Any)
    }
}

impl Store {
    /// Seals a write and queues it. Writes are applied in the order of the calls.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot even be put together.
    pub fn submit(&self, write: Write) -> Result<Submitted, StoreError> {
        self.queued(self.made(write)?)
    }

    pub(crate) fn queued(&self, made: Made) -> Result<Submitted, StoreError> {
        let Made { ops, leaves, secrets } = made;
        Ok(Submitted { pending: self.backend.submit(ops)?, leaves, secrets })
    }

    /// Seals a write.
    pub(crate) fn made(&self, write: Write) -> Result<Made, StoreError> {
        let mut ops = Vec::with_capacity(write.steps.len());
        let mut leaves = Vec::new();
        let mut secrets = AlertSecrets::default();
        for step in write.steps {
            match step {
                Step::Log(entry) => {
                    let (leaf, op) = self.append(*entry)?;
                    leaves.push(leaf);
                    ops.push(op);
                }
                Step::Alert(step) => self.prepare_alert(step, &mut ops, &mut secrets)?,
                other => self.prepare(other, &mut ops)?,
            }
        }
        Ok(Made { ops, leaves, secrets: secrets.into_made() })
    }

    fn prepare(&self, step: Step, ops: &mut Vec<Op>) -> Result<(), StoreError> {
        match step {
            Step::Seal { table, key, plain, expect } => {
                if key.len() > KEY_BYTES_MAX {
                    return Err(StoreError::TooLong { what: "key" });
                }
                ops.push(self.sealed(table, key, &plain, expect)?);
            }
            Step::Clear { table, key, value, expect } => {
                ops.push(Op::Put { table, key, value, expect });
            }
            Step::Place(name) => {
                ops.push(Op::Place { table: Table::LeafName, key: name.to_vec() });
            }
            Step::TooLong(what) => return Err(StoreError::TooLong { what }),
            Step::Delete { table, key } => {
                ops.push(Op::Delete { table, key, expect: Expect::Any });
            }
            Step::DeletePrefix { table, prefix } => {
                ops.push(Op::DeletePrefix { table, prefix });
            }
            Step::Admit { id, expires, answer } => {
                ops.push(self.admit_op(&id, expires, &answer)?);
            }
            Step::Record(step) => self.prepare_record(step, ops)?,
            Step::Partner(step) => self.prepare_partner(step, ops)?,
            Step::TagSet(step) => self.prepare_tag_set(step, ops)?,
            Step::Hotline(step) => self.prepare_hotline(step, ops)?,
            Step::Relay(step) => self.prepare_relay(step, ops)?,
            Step::Spend { key, amount, limit } => {
                ops.push(Op::Spend { key: key.encode(), amount, limit });
            }
            Step::Erase(LeafRange { from, to }) => ops.push(Op::Erase { from, to }),
            // Handled by the caller, which collects the leaves and knows the secrets.
            Step::Log(_) | Step::Alert(_) => {}
        }
        Ok(())
    }

    /// What to expect of a row so that it is written only while it holds `old`.
    pub(crate) fn unchanged(
        &self,
        table: Table,
        key: &[u8],
        old: Option<&[u8]>,
    ) -> Result<Expect, StoreError> {
        match (self.backend.fetch(table, key)?, old) {
            (None, None) => Ok(Expect::Absent),
            (Some(sealed), Some(old)) => {
                let plain = self.crypter.open(&self.cell(table, key), &sealed)?;
                if **plain == *old {
                    Ok(Expect::Digest(Sha256::digest(&sealed).into()))
                } else {
                    Err(StoreError::Conflict)
                }
            }
            _ => Err(StoreError::Conflict),
        }
    }

    /// The row of the log is named by its leaf: the index is known only when it is written, and
    /// the tree binds the one to the other.
    fn append(&self, entry: Entry) -> Result<(LeafData, Op), StoreError> {
        let logged = Logged::new(entry, self.crypter.random());
        let leaf = logged.leaf();
        let plain = logged.encode();
        if plain.len() > LOG_ENTRY_BYTES_MAX {
            return Err(StoreError::TooLong { what: "log entry" });
        }
        let cell = self.crypter.seal(&log_cell(leaf.as_bytes()), &plain)?;
        Ok((leaf, Op::Append { leaf: *leaf.as_bytes(), cell }))
    }
}

pub(crate) const fn log_cell(leaf: &[u8; 32]) -> Cell<'_> {
    Cell { table: "log_entry", key: leaf, column: "entry" }
}
