//! Envelopes that lie here for nodes that others cannot reach: sizes, times and nothing else.
//!
//! Implements spec/store.md#relay.
//!
//! Invariants: a position is given once and never again; what lies for a node, and what it is of
//! each sender, is counted in the write that changes it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sha2::{Digest, Sha256};
use symbolon_trust::NodeId;
use zeroize::Zeroizing;

use crate::backend::{Expect, Op, Row};
use crate::crypter::SEALED_BYTES_MORE;
use crate::limits::{RELAY_ENVELOPE_BYTES_MAX, RELAY_PAGE_ROWS, SCAN_ROWS_MAX};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "what lies here for a node" };
/// Bytes of the two times before the sealed envelope.
const TIMES_BYTES: usize = 16;
/// Bytes of the sender before the envelope.
const SENDER_BYTES: usize = 32;

/// Envelopes of one sender for one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayParcel {
    /// For whom they lie here.
    pub recipient: NodeId,
    /// Who left them.
    pub sender: NodeId,
    /// When, in Unix seconds.
    pub left_at: u64,
    /// When each is void, in Unix seconds, and its bytes.
    pub envelopes: Vec<(u64, Vec<u8>)>,
}

/// An envelope that lies here for a node.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayEntry {
    /// Its place, from 1.
    pub position: u64,
    /// When it was left, in Unix seconds.
    pub left_at: u64,
    /// When it is void, in Unix seconds.
    pub expires: u64,
    /// Who left it.
    pub sender: NodeId,
    /// The envelope.
    pub envelope: Vec<u8>,
}

impl std::fmt::Debug for RelayParcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelayParcel({} envelopes)", self.envelopes.len())
    }
}

impl std::fmt::Debug for RelayEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelayEntry({}, {} bytes)", self.position, self.envelope.len())
    }
}

/// How much lies here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayUsage {
    /// Envelopes.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Whose envelopes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelaySide {
    /// What lies for a node.
    Recipient,
    /// What a node has left.
    Sender,
}

/// How much may lie here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayRoom {
    /// For one recipient.
    pub recipient: RelayUsage,
    /// Of one sender.
    pub sender: RelayUsage,
}

pub(crate) enum RelayStep {
    Put { parcel: RelayParcel, room: RelayRoom },
    Delete { recipient: NodeId, which: Which },
}

#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// Those at or below a position.
    Until(u64),
    /// Those that are void at a time.
    Expired(u64),
}

/// The state of what lies here for a node, or of what a node left; in the clear.
#[derive(Clone, Copy)]
struct Held {
    /// Next position; of a recipient.
    next: u64,
    count: u64,
    bytes: u64,
    /// No envelope is void before; of a recipient.
    earliest: u64,
}

impl Held {
    const EMPTY: Self = Self { next: 1, count: 0, bytes: 0, earliest: u64::MAX };

    fn encode(self) -> Vec<u8> {
        let parts = [self.next, self.count, self.bytes, self.earliest];
        parts.iter().flat_map(|part| part.to_be_bytes()).collect()
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let ([next, count, bytes, earliest], []) = value.as_chunks::<8>() else { return None };
        let [next, count, bytes, earliest] =
            [next, count, bytes, earliest].map(|part| u64::from_be_bytes(*part));
        Some(Self { next, count, bytes, earliest })
    }

    fn add(&mut self, envelopes: &[(u64, Vec<u8>)]) {
        self.count += envelopes.len() as u64;
        self.bytes += envelopes.iter().map(|(_, one)| one.len() as u64).sum::<u64>();
    }

    fn subtract(&mut self, bytes: u64) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// What is left of the room, in bytes, where this is more than it.
    fn beyond(&self, before: &Self, room: RelayUsage) -> Option<u64> {
        let is_beyond = self.count > room.count || self.bytes > room.bytes;
        is_beyond.then_some(room.bytes.saturating_sub(before.bytes))
    }
}

/// side ‖ node.
fn box_key(side: RelaySide, node: &NodeId) -> Vec<u8> {
    let side = match side {
        RelaySide::Recipient => 1,
        RelaySide::Sender => 2,
    };
    [&[side], node.as_bytes().as_slice()].concat()
}

/// recipient ‖ position.
fn key(recipient: &NodeId, position: u64) -> Vec<u8> {
    [recipient.as_bytes().as_slice(), &position.to_be_bytes()].concat()
}

fn position(row: &Row) -> Result<u64, StoreError> {
    row.key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)).ok_or(DAMAGED)
}

/// When it was left, when it is void, and what is sealed.
fn parts(row: &Row) -> Result<(u64, u64, &[u8]), StoreError> {
    let (left_at, rest) = row.value.split_first_chunk().ok_or(DAMAGED)?;
    let (expires, sealed) = rest.split_first_chunk().ok_or(DAMAGED)?;
    Ok((u64::from_be_bytes(*left_at), u64::from_be_bytes(*expires), sealed))
}

fn envelope_bytes(row: &Row) -> u64 {
    row.value.len().saturating_sub(TIMES_BYTES + SEALED_BYTES_MORE + SENDER_BYTES) as u64
}

impl Write {
    /// Lets envelopes lie for a node, behind those that do; [`StoreError::Exhausted`] where it
    /// would then be more than there is room for, [`StoreError::Conflict`] where another write for
    /// this node or of this sender came first.
    pub fn relay_put(self, parcel: RelayParcel, room: RelayRoom) -> Self {
        let is_long = parcel.envelopes.iter().any(|(_, one)| one.len() > RELAY_ENVELOPE_BYTES_MAX);
        self.bounded(is_long.then_some("envelope"))
            .step(Step::Relay(RelayStep::Put { parcel, room }))
    }

    /// Removes what lies for a node at or below a position; [`StoreError::Conflict`] where another
    /// write for this node came first.
    pub fn relay_delete_until(self, recipient: &NodeId, until: u64) -> Self {
        let which = Which::Until(until);
        self.step(Step::Relay(RelayStep::Delete { recipient: *recipient, which }))
    }
}

impl Store {
    /// What lies for a node behind position `after`, in order: as much as fits into `bytes_max`
    /// and `count_max`, but at least one envelope where there is one.
    ///
    /// # Errors
    /// What reading gives.
    pub fn relay_scan(
        &self,
        recipient: &NodeId,
        after: u64,
        bytes_max: u64,
        count_max: usize,
    ) -> Result<Vec<RelayEntry>, StoreError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let (prefix, mut after) = (recipient.as_bytes(), key(recipient, after));
        loop {
            let rows = self.backend.scan(Table::Relay, prefix, Some(&after), RELAY_PAGE_ROWS)?;
            for row in &rows {
                bytes += envelope_bytes(row);
                if entries.len() >= count_max || bytes > bytes_max && !entries.is_empty() {
                    return Ok(entries);
                }
                let (left_at, expires, _) = parts(row)?;
                let (sender, envelope) = self.relay_opened(row)?;
                let position = position(row)?;
                entries.push(RelayEntry { position, left_at, expires, sender, envelope });
            }
            match rows.last() {
                Some(last) => after.clone_from(&last.key),
                None => return Ok(entries),
            }
        }
    }

    /// What lies for a node, or what a node has left here.
    ///
    /// # Errors
    /// What reading gives.
    pub fn relay_usage(&self, side: RelaySide, node: &NodeId) -> Result<RelayUsage, StoreError> {
        let (Held { count, bytes, .. }, _) = self.relay_held(side, node)?;
        Ok(RelayUsage { count, bytes })
    }

    /// Forgets every envelope that is void at `now`; gives their number.
    ///
    /// # Errors
    /// What reading or writing gives.
    pub fn relay_purge(&self, now: u64) -> Result<u64, StoreError> {
        let mut purged = 0;
        let prefix = [1_u8];
        for row in self.backend.scan(Table::RelayBox, &prefix, None, SCAN_ROWS_MAX)? {
            let before = Held::decode(&row.value).ok_or(DAMAGED)?;
            if before.earliest > now {
                continue;
            }
            let recipient = row.key.get(1..).and_then(|node| node.try_into().ok());
            let recipient = NodeId::from_bytes(recipient.ok_or(DAMAGED)?);
            let which = Which::Expired(now);
            self.commit(Write::new().step(Step::Relay(RelayStep::Delete { recipient, which })))?;
            let after = self.relay_usage(RelaySide::Recipient, &recipient)?;
            purged += before.count.saturating_sub(after.count);
        }
        Ok(purged)
    }

    fn relay_opened(&self, row: &Row) -> Result<(NodeId, Vec<u8>), StoreError> {
        let (_, _, sealed) = parts(row)?;
        let plain = self.crypter.open(&self.cell(Table::Relay, &row.key), sealed)?;
        let (sender, envelope) = plain.split_first_chunk::<SENDER_BYTES>().ok_or(DAMAGED)?;
        Ok((NodeId::from_bytes(*sender), envelope.to_vec()))
    }

    /// How much there is, and what to expect of the row that says so.
    fn relay_held(&self, side: RelaySide, node: &NodeId) -> Result<(Held, Expect), StoreError> {
        match self.backend.fetch(Table::RelayBox, &box_key(side, node))? {
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
            RelayStep::Put { parcel, room } => self.relay_added(parcel, room, ops),
            RelayStep::Delete { recipient, which } => self.relay_removed(&recipient, which, ops),
        }
    }

    fn relay_added(
        &self,
        parcel: RelayParcel,
        room: RelayRoom,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        let RelayParcel { recipient, sender, left_at, envelopes } = parcel;
        for (side, node, room) in [
            (RelaySide::Recipient, &recipient, room.recipient),
            (RelaySide::Sender, &sender, room.sender),
        ] {
            let (before, expect) = self.relay_held(side, node)?;
            let mut held = before;
            held.add(&envelopes);
            if let Some(remaining) = held.beyond(&before, room) {
                return Err(StoreError::Exhausted { remaining });
            }
            if side == RelaySide::Recipient {
                for (expires, envelope) in &envelopes {
                    let (table, key) = (Table::Relay, key(&recipient, held.next));
                    let plain = Zeroizing::new([sender.as_bytes(), envelope.as_slice()].concat());
                    let sealed = self.crypter.seal(&self.cell(table, &key), &plain)?;
                    let times = [left_at.to_be_bytes(), expires.to_be_bytes()].concat();
                    let value = [times.as_slice(), &sealed].concat();
                    ops.push(Op::Put { table, key, value, expect: Expect::Absent });
                    held.next += 1;
                    held.earliest = held.earliest.min(*expires);
                }
            }
            ops.push(held_op(side, node, held, expect));
        }
        Ok(())
    }

    fn relay_removed(
        &self,
        recipient: &NodeId,
        which: Which,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        let (mut held, expect) = self.relay_held(RelaySide::Recipient, recipient)?;
        let mut senders: BTreeMap<NodeId, (Held, Expect)> = BTreeMap::new();
        let (mut after, mut earliest) = (None, u64::MAX);
        'pages: loop {
            let (table, prefix) = (Table::Relay, recipient.as_bytes());
            let rows = self.backend.scan(table, prefix, after.as_deref(), RELAY_PAGE_ROWS)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            for row in rows {
                let (_, expires, _) = parts(&row)?;
                let goes = match which {
                    Which::Until(until) if position(&row)? > until => break 'pages,
                    Which::Until(_) => true,
                    Which::Expired(now) => expires <= now,
                };
                if !goes {
                    earliest = earliest.min(expires);
                    continue;
                }
                let (sender, _) = self.relay_opened(&row)?;
                let (of_sender, _) = match senders.entry(sender) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(fresh) => {
                        fresh.insert(self.relay_held(RelaySide::Sender, &sender)?)
                    }
                };
                let bytes = envelope_bytes(&row);
                held.subtract(bytes);
                of_sender.subtract(bytes);
                ops.push(Op::Delete { table, key: row.key, expect: Expect::Any });
            }
        }
        // Only a pass through everything knows what is left.
        if matches!(which, Which::Expired(_)) || held.count == 0 {
            held.earliest = earliest;
        }
        ops.push(held_op(RelaySide::Recipient, recipient, held, expect));
        for (sender, (held, expect)) in senders {
            ops.push(held_op(RelaySide::Sender, &sender, held, expect));
        }
        Ok(())
    }
}

fn held_op(side: RelaySide, node: &NodeId, held: Held, expect: Expect) -> Op {
    let (key, value) = (box_key(side, node), held.encode());
    Op::Put { table: Table::RelayBox, key, value, expect }
}
