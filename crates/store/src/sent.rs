//! Statements under way to a partner, and the ordered streams that they travel in.
//!
//! Implements spec/store.md#streams.
//!
//! Invariant: a signed statement that holds an alert's content lies under that alert's secret.

use serde_bytes::ByteArray;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::{Digest, Sha256};
use symbolon_codec::encode;
use symbolon_record::{RecordId, RecordVersion};
use symbolon_trust::{Mode, NodeId};
use zeroize::Zeroizing;

use crate::alert::AlertKey;
use crate::backend::{Expect, Op};
use crate::content::{AlertSecrets, AlertStep};
use crate::crypter::Cell;
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

const SIGNED: &str = "signed";
const DAMAGED: StoreError = StoreError::Damaged { what: "the key of a statement under way" };

/// A statement that was sealed for a partner; it stays as evidence once that has acknowledged it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    /// Hash of the signed statement.
    pub statement_hash: [u8; 32],
    /// The alert that it is about.
    pub alert: RecordId,
    /// The version of it.
    pub version: RecordVersion,
    /// The signed statement; `None` where it held the content of an alert that is erased.
    pub signed: Option<Vec<u8>>,
    /// When it was signed, in Unix seconds.
    pub sent_at: u64,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sent({}, {})", self.alert, self.sent_at)
    }
}

/// Which way a stream flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamSide {
    /// To the partner.
    Out,
    /// From the partner.
    In,
    /// To the partner, as far as it has taken it.
    Settled,
}

pub(crate) struct SentStep {
    key: Vec<u8>,
    /// The alert whose content the statement holds.
    under: Option<AlertKey>,
    sent: Sent,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Row {
    #[serde(with = "serde_bytes")]
    statement_hash: [u8; 32],
    alert: RecordId,
    version: RecordVersion,
    under: Option<Under>,
    /// Sealed once more where it lies under a secret.
    #[serde(with = "serde_bytes")]
    signed: Option<Vec<u8>>,
    sent_at: u64,
}

/// The secret that a statement lies under: an alert that was sent anew after it was erased has
/// another one.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct Under {
    alert: AlertKey,
    secret: ByteArray<8>,
}

/// What stands for a mode in a row key.
const fn mode_code(mode: Mode) -> u8 {
    match mode {
        Mode::Live => 1,
        Mode::Exercise => 2,
    }
}

/// partner ‖ mode.
fn prefix(partner: &NodeId, mode: Mode) -> Vec<u8> {
    [partner.as_bytes().as_slice(), &[mode_code(mode)]].concat()
}

/// partner ‖ mode ‖ sequence.
fn key(partner: &NodeId, mode: Mode, sequence: u64) -> Vec<u8> {
    [prefix(partner, mode).as_slice(), &sequence.to_be_bytes()].concat()
}

/// side ‖ partner ‖ mode.
fn stream_key(side: StreamSide, partner: &NodeId, mode: Mode) -> Vec<u8> {
    let side = match side {
        StreamSide::Out => 1,
        StreamSide::In => 2,
        StreamSide::Settled => 3,
    };
    [&[side], prefix(partner, mode).as_slice()].concat()
}

impl Write {
    /// Keeps a statement under way, in place of what was there under its number. `under` names the
    /// alert whose content it holds, if it holds one's: erasing that alert makes it unreadable.
    /// [`StoreError::Absent`] where that alert is erased already.
    pub fn sent(
        self,
        partner: &NodeId,
        mode: Mode,
        sequence: u64,
        sent: &Sent,
        under: Option<&AlertKey>,
    ) -> Self {
        let (key, under) = (key(partner, mode, sequence), under.copied());
        let step = SentStep { key, under, sent: sent.clone() };
        self.step(Step::Alert(AlertStep::Sent(Box::new(step))))
    }

    /// Forgets a statement under way.
    pub fn sent_delete(self, partner: &NodeId, mode: Mode, sequence: u64) -> Self {
        self.step(Step::Delete { table: Table::Sent, key: key(partner, mode, sequence) })
    }

    /// Moves a stream from `old`, the number that it awaits next, to `next`;
    /// [`StoreError::Conflict`] where it awaits another. A stream begins with 1.
    pub fn stream(
        self,
        side: StreamSide,
        partner: &NodeId,
        mode: Mode,
        old: u64,
        next: u64,
    ) -> Self {
        let expect = match old {
            1 => Expect::Absent,
            _ => Expect::Digest(Sha256::digest(old.to_be_bytes()).into()),
        };
        let (table, key) = (Table::Stream, stream_key(side, partner, mode));
        self.step(Step::Clear { table, key, value: next.to_be_bytes().to_vec(), expect })
    }
}

impl Store {
    /// At most `limit` statements under way behind number `after`, in order, with their numbers.
    ///
    /// # Errors
    /// What reading gives.
    pub fn sent_scan(
        &self,
        partner: &NodeId,
        mode: Mode,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Sent)>, StoreError> {
        let after = key(partner, mode, after);
        let rows = self.opened_rows(Table::Sent, &prefix(partner, mode), Some(&after), limit)?;
        rows.iter()
            .map(|(key, plain)| {
                let sequence = key.last_chunk::<8>().ok_or(DAMAGED)?;
                let row: Row = decoded(Table::Sent, plain)?;
                Ok((u64::from_be_bytes(*sequence), self.sent_opened(key, row)?))
            })
            .collect()
    }

    /// The number that a stream awaits next; 1 where it has not begun.
    ///
    /// # Errors
    /// What reading gives.
    pub fn stream_next(
        &self,
        side: StreamSide,
        partner: &NodeId,
        mode: Mode,
    ) -> Result<u64, StoreError> {
        let value = self.backend.fetch(Table::Stream, &stream_key(side, partner, mode))?;
        let Some(value) = value else { return Ok(1) };
        let next = value.try_into().map_err(|_| StoreError::Damaged { what: "a stream" })?;
        Ok(u64::from_be_bytes(next))
    }

    fn sent_opened(&self, key: &[u8], row: Row) -> Result<Sent, StoreError> {
        let Row { statement_hash, alert, version, under, signed, sent_at } = row;
        let signed = match (signed, under) {
            (Some(sealed), Some(under)) => {
                let secret = self.alert_secret(&under.alert)?;
                let secret = secret.filter(|secret| secret.name() == *under.secret);
                let opened = secret.map(|secret| secret.open(&signed_cell(key), &sealed));
                opened.transpose()?.map(|plain| plain.to_vec())
            }
            (signed, _) => signed,
        };
        Ok(Sent { statement_hash, alert, version, signed, sent_at })
    }

    pub(crate) fn prepare_sent(
        &self,
        step: SentStep,
        ops: &mut Vec<Op>,
        secrets: &mut AlertSecrets,
    ) -> Result<(), StoreError> {
        let SentStep { key, under, sent } = step;
        let (signed, under) = match (&sent.signed, under) {
            (Some(signed), Some(alert)) => {
                let cell = signed_cell(&key);
                let (sealed, name) = self.sealed_under(&alert, &cell, signed, ops, secrets)?;
                (Some(sealed), Some(Under { alert, secret: name.into() }))
            }
            (signed, _) => (signed.clone(), None),
        };
        let Sent { statement_hash, alert, version, sent_at, .. } = sent;
        let row = Row { statement_hash, alert, version, under, signed, sent_at };
        let plain = Zeroizing::new(encode(&row));
        ops.push(self.sealed(Table::Sent, key, &plain, Expect::Any)?);
        Ok(())
    }
}

fn signed_cell(key: &[u8]) -> Cell<'_> {
    Cell { table: Table::Sent.name(), key, column: SIGNED }
}
