//! Envelopes that lie here for nodes that others cannot reach: sizes, times and nothing else.
//!
//! Implements spec/store.md#relay.
//!
//! Invariants: a position is given once and never again; what lies for a node is counted in the
//! write that changes it.

use sha2::{Digest, Sha256};
use symbolon_trust::NodeId;

use crate::backend::{Expect, Op, Row};
use crate::crypter::SEALED_BYTES_MORE;
use crate::limits::{RELAY_ENVELOPE_BYTES_MAX, RELAY_PAGE_ROWS, SCAN_ROWS_MAX};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "what lies here for a node" };
/// Bytes of the time before the sealed envelope.
const TIME_BYTES: usize = 8;

/// An envelope that lies here for a node.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayEntry {
    /// Its place, from 1.
    pub position: u64,
    /// When it was left, in Unix seconds.
    pub left_at: u64,
    /// The envelope.
    pub envelope: Vec<u8>,
}

impl std::fmt::Debug for RelayEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelayEntry({}, {} bytes)", self.position, self.envelope.len())
    }
}

/// What lies here for one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayUsage {
    /// Envelopes.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

pub(crate) enum RelayStep {
    Put { recipient: NodeId, left_at: u64, envelopes: Vec<Vec<u8>>, bytes_max: u64 },
    DeleteUntil { recipient: NodeId, until: u64 },
}

/// The state of what lies for one node: next position, envelopes, bytes; in the clear.
#[derive(Clone, Copy)]
struct Held {
    next: u64,
    count: u64,
    bytes: u64,
}

impl Held {
    const EMPTY: Self = Self { next: 1, count: 0, bytes: 0 };

    fn encode(self) -> Vec<u8> {
        [self.next, self.count, self.bytes].iter().flat_map(|part| part.to_be_bytes()).collect()
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let ([next, count, bytes], []) = value.as_chunks::<8>() else { return None };
        let [next, count, bytes] = [next, count, bytes].map(|part| u64::from_be_bytes(*part));
        Some(Self { next, count, bytes })
    }
}

/// recipient ‖ position.
fn key(recipient: &NodeId, position: u64) -> Vec<u8> {
    [recipient.as_bytes().as_slice(), &position.to_be_bytes()].concat()
}

fn position(row: &Row) -> Result<u64, StoreError> {
    row.key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)).ok_or(DAMAGED)
}

fn envelope_bytes(row: &Row) -> u64 {
    row.value.len().saturating_sub(TIME_BYTES + SEALED_BYTES_MORE) as u64
}

impl Write {
    /// Lets envelopes lie for a node, behind those that do; [`StoreError::Exhausted`] where it
    /// would then be more than `bytes_max` bytes, [`StoreError::Conflict`] where another write for
    /// this node came first: two steps for one node in one write are that, too.
    pub fn relay_put(
        self,
        recipient: &NodeId,
        left_at: u64,
        envelopes: Vec<Vec<u8>>,
        bytes_max: u64,
    ) -> Self {
        let is_long = envelopes.iter().any(|one| one.len() > RELAY_ENVELOPE_BYTES_MAX);
        let recipient = *recipient;
        self.bounded(is_long.then_some("envelope")).step(Step::Relay(RelayStep::Put {
            recipient,
            left_at,
            envelopes,
            bytes_max,
        }))
    }

    /// Removes what lies for a node at or below a position; [`StoreError::Conflict`] where another
    /// write for this node came first.
    pub fn relay_delete_until(self, recipient: &NodeId, until: u64) -> Self {
        self.step(Step::Relay(RelayStep::DeleteUntil { recipient: *recipient, until }))
    }
}

impl Store {
    /// What lies for a node behind position `after`, in order: as much as fits into `bytes_max`,
    /// but at least one envelope where there is one.
    ///
    /// # Errors
    /// What reading gives.
    pub fn relay_scan(
        &self,
        recipient: &NodeId,
        after: u64,
        bytes_max: u64,
    ) -> Result<Vec<RelayEntry>, StoreError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let (prefix, mut after) = (recipient.as_bytes(), key(recipient, after));
        loop {
            let rows = self.backend.scan(Table::Relay, prefix, Some(&after), RELAY_PAGE_ROWS)?;
            for row in &rows {
                bytes += envelope_bytes(row);
                if bytes > bytes_max && !entries.is_empty() {
                    return Ok(entries);
                }
                let (left_at, sealed) = row.value.split_first_chunk().ok_or(DAMAGED)?;
                let plain = self.crypter.open(&self.cell(Table::Relay, &row.key), sealed)?;
                let (left_at, envelope) = (u64::from_be_bytes(*left_at), plain.to_vec());
                entries.push(RelayEntry { position: position(row)?, left_at, envelope });
            }
            match rows.last() {
                Some(last) => after.clone_from(&last.key),
                None => return Ok(entries),
            }
        }
    }

    /// What lies for a node.
    ///
    /// # Errors
    /// What reading gives.
    pub fn relay_usage(&self, recipient: &NodeId) -> Result<RelayUsage, StoreError> {
        let (Held { count, bytes, .. }, _) = self.relay_held(recipient)?;
        Ok(RelayUsage { count, bytes })
    }

    /// Forgets everything that was left before `before`; gives the number of envelopes.
    ///
    /// # Errors
    /// What reading or writing gives.
    pub fn relay_purge(&self, before: u64) -> Result<u64, StoreError> {
        let mut purged = 0;
        for held in self.backend.scan(Table::RelayBox, &[], None, SCAN_ROWS_MAX)? {
            let recipient = NodeId::from_bytes(held.key.try_into().map_err(|_| DAMAGED)?);
            let (mut after, mut until) = (None, None);
            'rows: loop {
                let prefix = recipient.as_bytes();
                let page = after.as_deref();
                let rows = self.backend.scan(Table::Relay, prefix, page, RELAY_PAGE_ROWS)?;
                for row in &rows {
                    let left_at = row.value.first_chunk().ok_or(DAMAGED)?;
                    if u64::from_be_bytes(*left_at) >= before {
                        break 'rows;
                    }
                    until = Some(position(row)?);
                    purged += 1;
                }
                match rows.last() {
                    Some(last) => after = Some(last.key.clone()),
                    None => break,
                }
            }
            if let Some(until) = until {
                self.commit(Write::new().relay_delete_until(&recipient, until))?;
            }
        }
        Ok(purged)
    }

    /// What lies for a node, and what to expect of the row that says so.
    fn relay_held(&self, recipient: &NodeId) -> Result<(Held, Expect), StoreError> {
        match self.backend.fetch(Table::RelayBox, recipient.as_bytes())? {
            None => Ok((Held::EMPTY, Expect::Absent)),
            Some(value) => {
                let expect = Expect::Digest(Sha256::digest(&value).into());
                Ok((Held::decode(&value).ok_or(DAMAGED)?, expect))
            }
        }
    }

    pub(crate) fn prepare_relay(
        &self,
        step: RelayStep,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        match step {
            RelayStep::Put { recipient, left_at, envelopes, bytes_max } => {
                let (mut held, expect) = self.relay_held(&recipient)?;
                let remaining = bytes_max.saturating_sub(held.bytes);
                let more: u64 = envelopes.iter().map(|one| one.len() as u64).sum();
                if more > remaining {
                    return Err(StoreError::Exhausted { remaining });
                }
                for envelope in envelopes {
                    let (table, key) = (Table::Relay, key(&recipient, held.next));
                    let sealed = self.crypter.seal(&self.cell(table, &key), &envelope)?;
                    let value = [left_at.to_be_bytes().as_slice(), &sealed].concat();
                    ops.push(Op::Put { table, key, value, expect: Expect::Absent });
                    held.next += 1;
                    held.count += 1;
                }
                held.bytes += more;
                ops.push(held_op(&recipient, held, expect));
            }
            RelayStep::DeleteUntil { recipient, until } => {
                let (mut held, expect) = self.relay_held(&recipient)?;
                let mut after = None;
                loop {
                    let (table, prefix) = (Table::Relay, recipient.as_bytes());
                    let page = after.as_deref();
                    let rows = self.backend.scan(table, prefix, page, RELAY_PAGE_ROWS)?;
                    let Some(last) = rows.last() else { break };
                    let is_done = position(last)? >= until;
                    after = Some(last.key.clone());
                    for row in rows {
                        if position(&row)? <= until {
                            held.count = held.count.saturating_sub(1);
                            held.bytes = held.bytes.saturating_sub(envelope_bytes(&row));
                            ops.push(Op::Delete { table, key: row.key, expect: Expect::Any });
                        }
                    }
                    if is_done {
                        break;
                    }
                }
                ops.push(held_op(&recipient, held, expect));
            }
        }
        Ok(())
    }
}

fn held_op(recipient: &NodeId, held: Held, expect: Expect) -> Op {
    let (key, value) = (recipient.as_bytes().to_vec(), held.encode());
    Op::Put { table: Table::RelayBox, key, value, expect }
}
