//! Hits and queries: what was asked, what both sides hold, and what became of it.
//!
//! Implements spec/store.md#hits.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::{Class, KeyForm, Kind, Strength};
use symbolon_oprf::{ConfirmCode, Tag};
use symbolon_record::RecordId;
use symbolon_trust::NodeId;
use zeroize::Zeroizing;

use crate::id::{HitId, QueryId};
use crate::store::Sealed;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// What became of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HitState {
    /// Found, and the partner does not know it.
    Found,
    /// Confirmed to the partner, whose answer is awaited.
    Confirmed,
    /// The partner disclosed what its policy grants.
    Released,
    /// This node's own policy did not let it be confirmed.
    Refused,
    /// The partner answered with the neutral code.
    Neutral,
    /// An officer closed it.
    Dismissed,
}

/// An identifier that both sides hold.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Hit {
    /// Its name.
    pub id: HitId,
    /// The partner.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch of the key.
    pub epoch: u64,
    /// The serial of the tag set.
    pub serial: u64,
    /// The query that found it.
    pub query: Option<QueryId>,
    /// The own record that holds the identifier, where there is one.
    pub record: Option<RecordId>,
    /// Which of its subjects.
    pub subject: u16,
    /// Kind of the identifier.
    pub kind: Kind,
    /// Form of the key that hit.
    pub form: KeyForm,
    /// How much that says.
    pub strength: Strength,
    /// The tag.
    pub tag: Tag,
    /// Place of the tag in the partner's set.
    pub tag_index: u64,
    /// The code that confirms it.
    pub confirm: ConfirmCode,
    /// What became of it.
    pub state: HitState,
    /// When it was found, in Unix seconds.
    pub found_at: u64,
    /// When its state last changed, in Unix seconds.
    pub changed_at: u64,
    /// The case.
    pub case: String,
    /// The purpose.
    pub purpose: String,
    /// Hash of the confirm that was sent, in the evidence.
    #[serde(with = "serde_bytes")]
    pub confirm_hash: Option<[u8; 32]>,
    /// Hash of the answer, in the evidence.
    #[serde(with = "serde_bytes")]
    pub answer_hash: Option<[u8; 32]>,
}

impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hit({}, {:?})", self.id, self.state)
    }
}

impl Sealed for Hit {
    const TABLE: Table = Table::Hit;

    fn key(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }
}

/// How far a query has come with one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryState {
    /// Committed to in the own log, not yet answered.
    Committed,
    /// Answered by the partner.
    Answered,
    /// The partner was down, suspended or without a tag set.
    NotAsked,
    /// The budget did not cover it, so the partner was not asked.
    OutOfBudget,
}

/// One batch put to one partner, or that could not be.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Query {
    /// Its name.
    pub id: QueryId,
    /// The officer's request that it belongs to; the same for all partners asked.
    #[serde(with = "serde_bytes")]
    pub group: [u8; 16],
    /// The partner.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch of the key.
    pub epoch: u64,
    /// The officer.
    pub officer: String,
    /// The purpose.
    pub purpose: String,
    /// The legal basis.
    pub legal_basis: String,
    /// The case.
    pub case: String,
    /// Inputs, without padding.
    pub inputs: u32,
    /// How far it has come.
    pub state: QueryState,
    /// Hits found.
    pub hits: u32,
    /// When it was asked, in Unix seconds.
    pub asked_at: u64,
    /// When it was answered, in Unix seconds.
    pub answered_at: Option<u64>,
    /// Index of its commitment in the own log.
    pub leaf_index: Option<u64>,
    /// The encoded private part of its commitment, for the auditor; empty once it is erased.
    #[serde(with = "serde_bytes")]
    pub private: Vec<u8>,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Query({}, {:?})", self.id, self.state)
    }
}

impl Query {
    /// The same without who asked, why, and what: counts, times and states stay.
    pub(crate) fn forget(self, leaf_index: u64) -> Self {
        let (officer, purpose, legal_basis) = (String::new(), String::new(), String::new());
        let (case, private, leaf_index) = (String::new(), Vec::new(), Some(leaf_index));
        Self { officer, purpose, legal_basis, case, private, leaf_index, ..self }
    }
}

impl Sealed for Query {
    const TABLE: Table = Table::Query;

    fn key(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }
}

/// Names the rows with the keys of a set that a query asked about.
fn keys_prefix(query: QueryId) -> String {
    format!("set/{query}/")
}

impl Write {
    /// Keeps a row of the keys of a set that a query asks about, for the auditor.
    pub fn query_keys(self, query: QueryId, number: usize, keys: &[u8]) -> Self {
        self.progress(&format!("{}{number:08}", keys_prefix(query)), keys)
    }

    /// Forgets the keys of a set that a query asked about, if it asked about one.
    pub(crate) fn query_keys_delete(self, query: QueryId) -> Self {
        let prefix = keys_prefix(query).into_bytes();
        self.step(Step::DeletePrefix { table: Table::Progress, prefix })
    }

    /// Keeps a hit in place of what was there of it.
    pub fn hit(self, hit: &Hit) -> Self {
        self.row(hit)
    }

    /// Keeps a query in place of what was there of it.
    pub fn query(self, query: &Query) -> Self {
        self.row(query)
    }
}

impl Store {
    /// The keys of a set that a query asked about, in the rows that were kept.
    ///
    /// # Errors
    /// What reading gives.
    pub fn query_keys(&self, query: QueryId) -> Result<Vec<Zeroizing<Vec<u8>>>, StoreError> {
        let rows = self.progress_list(&keys_prefix(query))?;
        Ok(rows.into_iter().map(|(_, keys)| keys).collect())
    }

    /// A hit.
    ///
    /// # Errors
    /// What reading gives.
    pub fn hit_fetch(&self, id: HitId) -> Result<Option<Hit>, StoreError> {
        self.row_fetch(id.as_bytes())
    }

    /// At most `limit` hits behind `after`, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn hit_list(&self, after: Option<HitId>, limit: usize) -> Result<Vec<Hit>, StoreError> {
        self.row_scan(after.as_ref().map(|id| id.as_bytes().as_slice()), limit)
    }

    /// A query.
    ///
    /// # Errors
    /// What reading gives.
    pub fn query_fetch(&self, id: QueryId) -> Result<Option<Query>, StoreError> {
        self.row_fetch(id.as_bytes())
    }

    /// At most `limit` queries behind `after`, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn query_list(
        &self,
        after: Option<QueryId>,
        limit: usize,
    ) -> Result<Vec<Query>, StoreError> {
        self.row_scan(after.as_ref().map(|id| id.as_bytes().as_slice()), limit)
    }
}
