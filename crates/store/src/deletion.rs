//! What partners said they deleted of own alerts: what is still to be proved, and the proofs.
//!
//! Implements spec/store.md#deletions.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::encode;
use symbolon_record::RecordId;
use symbolon_tlog::Hash;
use symbolon_trust::NodeId;

use crate::backend::Expect;
use crate::limits::SCAN_ROWS_MAX;
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// First byte of the key of what is to be proved; what is proved stands under another.
const DUE: u8 = 1;
const PROVED: u8 = 2;

/// A deletion that a partner has signed and not yet proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DeletionDue {
    /// The own alert.
    pub alert: RecordId,
    /// The partner.
    pub partner: NodeId,
    /// Hash of the statement that it deleted.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// Hash of the acknowledgement that says so, in the evidence.
    #[serde(with = "serde_bytes")]
    pub acknowledgement: [u8; 32],
    /// The leaf of the partner's log that the acknowledgement names.
    pub log_index: u64,
    /// Leaves in the checkpoint that the acknowledgement carries.
    pub size: u64,
    /// How often the partner was asked in vain.
    pub tries: u32,
    /// When it is asked next, in Unix seconds.
    pub next_at: u64,
}

/// A leaf of a partner's log that says that it deleted an own alert, opened and verified.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DeletionProof {
    /// Hash of the statement that it deleted.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// Hash of the acknowledgement that names the leaf, in the evidence.
    #[serde(with = "serde_bytes")]
    pub acknowledgement: [u8; 32],
    /// The leaf.
    pub log_index: u64,
    /// Leaves in the checkpoint that the acknowledgement carries.
    pub size: u64,
    /// Entry and salt, as the partner encodes them.
    #[serde(with = "serde_bytes")]
    pub logged: Vec<u8>,
    /// Inclusion proof in the tree of the checkpoint.
    pub proof: Vec<Hash>,
}

impl std::fmt::Debug for DeletionProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeletionProof({} of {})", self.log_index, self.size)
    }
}

/// 1 ‖ partner ‖ statement.
fn due_key(partner: &NodeId, statement_hash: &[u8; 32]) -> Vec<u8> {
    [&[DUE][..], partner.as_bytes(), statement_hash].concat()
}

/// 2 ‖ alert ‖ partner, and then the statement.
fn proved_prefix(alert: &RecordId, partner: &NodeId) -> Vec<u8> {
    [&[PROVED][..], alert.as_bytes(), partner.as_bytes()].concat()
}

impl Write {
    /// Keeps a deletion that is to be proved.
    pub fn deletion_due(self, due: &DeletionDue) -> Self {
        let key = due_key(&due.partner, &due.statement_hash);
        self.seal(Table::Deletion, key, encode(due), Expect::Any)
    }

    /// Forgets that a deletion is to be proved.
    pub fn deletion_due_delete(self, partner: &NodeId, statement_hash: &[u8; 32]) -> Self {
        self.step(Step::Delete { table: Table::Deletion, key: due_key(partner, statement_hash) })
    }

    /// Keeps the proof of a deletion, which is to be proved no longer.
    pub fn deletion_proved(self, due: &DeletionDue, proof: &DeletionProof) -> Self {
        let prefix = proved_prefix(&due.alert, &due.partner);
        let key = [&prefix[..], &proof.statement_hash].concat();
        self.deletion_due_delete(&due.partner, &due.statement_hash).seal(
            Table::Deletion,
            key,
            encode(proof),
            Expect::Any,
        )
    }
}

impl Store {
    /// The deletion of a statement that a partner has not proved yet.
    ///
    /// # Errors
    /// What reading gives.
    pub fn deletion_due_fetch(
        &self,
        partner: &NodeId,
        statement_hash: &[u8; 32],
    ) -> Result<Option<DeletionDue>, StoreError> {
        let plain = self.opened(Table::Deletion, &due_key(partner, statement_hash))?;
        plain.map(|plain| decoded(Table::Deletion, &plain)).transpose()
    }

    /// At most `limit` deletions that a partner has not proved yet, behind that of one statement,
    /// by the hashes of the statements.
    ///
    /// # Errors
    /// What reading gives.
    pub fn deletion_due_scan(
        &self,
        partner: &NodeId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<DeletionDue>, StoreError> {
        let prefix = [&[DUE][..], partner.as_bytes()].concat();
        let after = after.map(|hash| due_key(partner, hash));
        let rows = self.opened_rows(Table::Deletion, &prefix, after.as_deref(), limit)?;
        rows.iter().map(|(_, plain)| decoded(Table::Deletion, plain)).collect()
    }

    /// What a partner has proved that it deleted of an own alert.
    ///
    /// # Errors
    /// What reading gives.
    pub fn deletion_proofs(
        &self,
        alert: &RecordId,
        partner: &NodeId,
    ) -> Result<Vec<DeletionProof>, StoreError> {
        let prefix = proved_prefix(alert, partner);
        let rows = self.opened_rows(Table::Deletion, &prefix, None, SCAN_ROWS_MAX)?;
        rows.iter().map(|(_, plain)| decoded(Table::Deletion, plain)).collect()
    }
}
