//! Alarms: what a person must look at. One stays until a person closes it.
//!
//! Implements spec/store.md#alarms.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::NodeId;

use crate::backend::Expect;
use crate::id::AlarmId;
use crate::limits::SCAN_ROWS_MAX;
use crate::store::Sealed;
use crate::table::Table;
use crate::write::Write;
use crate::{Store, StoreError};

/// Who closed an alarm, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Closing {
    /// When, in Unix seconds.
    pub at: u64,
    /// The officer.
    pub officer: String,
    /// Why.
    pub reason: String,
}

/// Something that a person must look at.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Alarm {
    /// Its name.
    pub id: AlarmId,
    /// What kind of thing, in snake case.
    pub kind: String,
    /// The partner that it is about.
    pub partner: Option<NodeId>,
    /// When it was raised, in Unix seconds.
    pub raised_at: u64,
    /// What happened, in words; no identifier.
    pub words: String,
    /// What proves it to others, as text; empty where nothing does.
    pub proof: String,
    /// How it ended.
    pub closing: Option<Closing>,
}

impl std::fmt::Debug for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alarm({}, {})", self.id, self.kind)
    }
}

impl Sealed for Alarm {
    const TABLE: Table = Table::Alarm;

    fn key(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }
}

impl Write {
    /// Keeps a new alarm; [`StoreError::Conflict`] if there is one of its name.
    pub fn alarm_new(self, alarm: &Alarm) -> Self {
        self.seal(Table::Alarm, alarm.key(), symbolon_codec::encode(alarm), Expect::Absent)
    }

    /// Keeps an alarm in place of what was there of it.
    pub fn alarm(self, alarm: &Alarm) -> Self {
        self.row(alarm)
    }
}

impl Store {
    /// An alarm.
    ///
    /// # Errors
    /// What reading gives.
    pub fn alarm_fetch(&self, id: AlarmId) -> Result<Option<Alarm>, StoreError> {
        self.row_fetch(id.as_bytes())
    }

    /// All alarms, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn alarm_list(&self) -> Result<Vec<Alarm>, StoreError> {
        let (mut alarms, mut after) = (Vec::<Alarm>::new(), None::<AlarmId>);
        loop {
            let after_key = after.as_ref().map(|id| id.as_bytes().as_slice());
            let page: Vec<Alarm> = self.row_scan(after_key, SCAN_ROWS_MAX)?;
            let Some(last) = page.last() else { return Ok(alarms) };
            after = Some(last.id);
            alarms.extend(page);
        }
    }
}
