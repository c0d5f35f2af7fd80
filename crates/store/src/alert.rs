//! Alerts: what stands about one, apart from its content, which lies under a secret of its own.
//!
//! Implements spec/store.md#alerts.
//!
//! Invariant: a row says nothing of what an alert says; whoever erases the content leaves it.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::encode;
use symbolon_record::{RecordId, RecordVersion};
use symbolon_trust::{Mode, NodeId};
use zeroize::Zeroizing;

use crate::content::AlertStep;
use crate::limits::{ALERT_MATCHES_MAX, ALERT_NODES_MAX, OUTCOME_BYTES_MAX};
use crate::store::{Sealed, decoded};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// Names one alert: who sent it first, and what it called it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize_tuple, Deserialize_tuple,
)]
pub struct AlertKey {
    /// Its origin; the own node for own alerts.
    pub origin: NodeId,
    /// Its id there.
    pub id: RecordId,
}

impl AlertKey {
    /// origin ‖ id.
    pub(crate) fn encode(&self) -> Vec<u8> {
        [self.origin.as_bytes().as_slice(), self.id.as_bytes()].concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (origin, id) = bytes.split_first_chunk::<32>()?;
        let id = RecordId::decode(id.try_into().ok()?).ok()?;
        Some(Self { origin: NodeId::from_bytes(*origin), id })
    }
}

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Own: a duty officer has to approve it.
    Waiting,
    /// In force.
    Active,
    /// Own: a duty officer did not approve it.
    Declined,
    /// Taken back by its origin.
    Withdrawn,
    /// Its time is over.
    Expired,
}

/// Whether something calls a person at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rings {
    /// It waits until it is looked for.
    Silent,
    /// It calls at once.
    Rings,
}

/// A new version of an own alert that waits for a yes, while the one before is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Pending {
    /// Its version.
    pub version: RecordVersion,
    /// Its class, as on the wire.
    pub class: u8,
    /// Who handed it in, as in the log.
    pub by: String,
    /// Who shall have it.
    pub audience: Vec<NodeId>,
}

/// What stands about one alert.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Alert {
    /// Its name.
    pub key: AlertKey,
    /// Whether it is real.
    pub mode: Mode,
    /// Its class, as on the wire.
    pub class: u8,
    /// How far it has come.
    pub state: AlertState,
    /// The version of its content.
    pub version: RecordVersion,
    /// Who handed it in, as in the log.
    pub submitter: String,
    /// Who approved or declined it.
    pub decided_by: Option<String>,
    /// When it was accepted here, in Unix seconds.
    pub accepted_at: u64,
    /// When it last changed, in Unix seconds.
    pub changed_at: u64,
    /// When it is overdue if nobody has read it, in Unix seconds.
    pub read_by: u64,
    /// When it is overdue if nobody has acted on it, in Unix seconds.
    pub act_by: u64,
    /// When its content must be gone, in Unix seconds.
    pub expires_on: u64,
    /// Own: who shall have it. Received: empty.
    pub audience: Vec<NodeId>,
    /// Why it is contested, as on the wire.
    pub contested: Option<u8>,
    /// Received: hash of the newest statement.
    #[serde(with = "serde_bytes")]
    pub statement_hash: Option<[u8; 32]>,
    /// Received: when it was read here, in Unix seconds.
    pub read_at: Option<u64>,
    /// Received: when it was acted on here, in Unix seconds.
    pub acted_at: Option<u64>,
    /// Received: what came of it.
    pub outcome: Option<String>,
    /// Received: own records that share an identifier with it.
    pub matches: Vec<RecordId>,
    /// Received: whether the screening calls a person.
    pub rings: Rings,
    /// Own: the version that waits to take its place.
    pub pending: Option<Pending>,
}

impl std::fmt::Debug for Alert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alert({}, {:?}, {:?})", self.key.id, self.mode, self.state)
    }
}

impl Sealed for Alert {
    const TABLE: Table = Table::Alert;

    fn key(&self) -> Vec<u8> {
        self.key.encode()
    }
}

impl Alert {
    /// What is longer than allowed.
    fn too_long(&self) -> Option<&'static str> {
        let outcome = self.outcome.as_ref().map_or(0, String::len);
        match () {
            () if self.audience.len() > ALERT_NODES_MAX => Some("audience"),
            () if self.matches.len() > ALERT_MATCHES_MAX => Some("list of matches"),
            () if outcome > OUTCOME_BYTES_MAX => Some("outcome"),
            () => None,
        }
    }
}

impl Write {
    /// Keeps a new alert; [`StoreError::Conflict`] if there is one of its name.
    pub fn alert_new(self, alert: &Alert) -> Self {
        let plain = Zeroizing::new(encode(alert));
        self.bounded(alert.too_long()).step(Step::Alert(AlertStep::New(alert.key, plain)))
    }

    /// Keeps what stands about an alert in place of what was there.
    pub fn alert(self, alert: &Alert) -> Self {
        self.bounded(alert.too_long()).row(alert)
    }
}

impl Store {
    /// What stands about an alert.
    ///
    /// # Errors
    /// What reading gives.
    pub fn alert_fetch(&self, key: &AlertKey) -> Result<Option<Alert>, StoreError> {
        self.row_fetch(&key.encode())
    }

    /// At most `limit` alerts behind `after`, by origin, then the oldest first; of all origins, or
    /// of one.
    ///
    /// # Errors
    /// What reading gives.
    pub fn alert_scan(
        &self,
        origin: Option<&NodeId>,
        after: Option<&AlertKey>,
        limit: usize,
    ) -> Result<Vec<Alert>, StoreError> {
        let prefix = origin.map(|origin| origin.as_bytes().as_slice()).unwrap_or_default();
        let after = after.map(AlertKey::encode);
        let rows = self.opened_rows(Table::Alert, prefix, after.as_deref(), limit)?;
        rows.iter().map(|(_, plain)| decoded(Table::Alert, plain)).collect()
    }
}
