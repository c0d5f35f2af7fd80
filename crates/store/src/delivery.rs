//! Who has which own alert: what was sent to each partner, and what it acknowledged.
//!
//! Implements spec/store.md#deliveries.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_record::{RecordId, RecordVersion};
use symbolon_trust::NodeId;

use crate::backend::Expect;
use crate::limits::SCAN_ROWS_MAX;
use crate::store::{Sealed, decoded};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// How far an own alert has come with one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits to be sealed.
    Queued,
    /// Under way.
    Sent,
    /// The partner has it.
    Delivered,
    /// A person there has read it.
    Read,
    /// A person there has acted on it.
    Acted,
    /// The policy no longer permits it, before it was sent.
    Dropped,
    /// It was taken back; the partner has not yet said that it deleted it.
    Withdrawing,
    /// The partner says that it deleted it.
    Deleted,
    /// The partner did not take it.
    Refused,
}

impl DeliveryState {
    /// How far along it is: a later state never gives way to an earlier one.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Dropped => 0,
            Self::Sent => 1,
            Self::Delivered | Self::Refused => 2,
            Self::Read => 3,
            Self::Acted => 4,
            Self::Withdrawing => 5,
            Self::Deleted => 6,
        }
    }
}

/// An own alert and one partner of its audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AlertDelivery {
    /// The alert.
    pub alert: RecordId,
    /// The partner.
    pub partner: NodeId,
    /// How far it has come.
    pub state: DeliveryState,
    /// The newest version that was sent.
    pub version: Option<RecordVersion>,
    /// Hash of the statement that held it.
    #[serde(with = "serde_bytes")]
    pub statement_hash: Option<[u8; 32]>,
    /// When that was signed, in Unix seconds.
    pub sent_at: Option<u64>,
    /// When the partner had it, in Unix seconds of the partner.
    pub delivered_at: Option<u64>,
    /// When a person there had read it.
    pub read_at: Option<u64>,
    /// When a person there had acted on it.
    pub acted_at: Option<u64>,
    /// When its content was gone there.
    pub deleted_at: Option<u64>,
    /// Where the partner says that the newest of these stands in its log.
    pub their_index: Option<u64>,
}

impl AlertDelivery {
    /// One that waits to be sealed for the first time.
    #[must_use]
    pub const fn queued(alert: RecordId, partner: NodeId) -> Self {
        Self {
            alert,
            partner,
            state: DeliveryState::Queued,
            version: None,
            statement_hash: None,
            sent_at: None,
            delivered_at: None,
            read_at: None,
            acted_at: None,
            deleted_at: None,
            their_index: None,
        }
    }
}

impl Sealed for AlertDelivery {
    const TABLE: Table = Table::Delivery;

    fn key(&self) -> Vec<u8> {
        key(&self.alert, &self.partner)
    }
}

/// alert ‖ partner.
fn key(alert: &RecordId, partner: &NodeId) -> Vec<u8> {
    [alert.as_bytes().as_slice(), partner.as_bytes()].concat()
}

/// partner ‖ statement.
fn statement_key(partner: &NodeId, statement_hash: &[u8; 32]) -> Vec<u8> {
    [partner.as_bytes().as_slice(), statement_hash].concat()
}

impl Write {
    /// Keeps how far an own alert has come with a partner.
    pub fn delivery(self, delivery: &AlertDelivery) -> Self {
        self.row(delivery)
    }

    /// Keeps which own alert a statement to a partner held, for the acknowledgements of it.
    pub fn delivery_statement(
        self,
        partner: &NodeId,
        statement_hash: &[u8; 32],
        alert: RecordId,
    ) -> Self {
        let key = statement_key(partner, statement_hash);
        self.seal(Table::DeliveryStatement, key, alert.as_bytes().to_vec(), Expect::Any)
    }

    /// Forgets which own alert a statement held.
    pub fn delivery_statement_delete(self, partner: &NodeId, statement_hash: &[u8; 32]) -> Self {
        let key = statement_key(partner, statement_hash);
        self.step(Step::Delete { table: Table::DeliveryStatement, key })
    }
}

impl Store {
    /// How far an own alert has come with a partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn delivery_fetch(
        &self,
        alert: &RecordId,
        partner: &NodeId,
    ) -> Result<Option<AlertDelivery>, StoreError> {
        self.row_fetch(&key(alert, partner))
    }

    /// How far an own alert has come with each partner of its audience, by their fingerprints.
    ///
    /// # Errors
    /// What reading gives.
    pub fn delivery_list(&self, alert: &RecordId) -> Result<Vec<AlertDelivery>, StoreError> {
        let rows = self.opened_rows(Table::Delivery, alert.as_bytes(), None, SCAN_ROWS_MAX)?;
        rows.iter().map(|(_, plain)| decoded(Table::Delivery, plain)).collect()
    }

    /// The own alert that a statement to a partner held.
    ///
    /// # Errors
    /// What reading gives.
    pub fn delivery_by_statement(
        &self,
        partner: &NodeId,
        statement_hash: &[u8; 32],
    ) -> Result<Option<RecordId>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the alert of a statement" };
        let key = statement_key(partner, statement_hash);
        let Some(plain) = self.opened(Table::DeliveryStatement, &key)? else {
            return Ok(None);
        };
        let id: [u8; 16] = plain.as_slice().try_into().map_err(|_| DAMAGED)?;
        RecordId::decode(id).map(Some).map_err(|_| DAMAGED)
    }
}
