//! Hotlines, what they submitted, and what every submitter may see again.
//!
//! Implements spec/store.md#hotlines.
//!
//! Invariant: one submission of one hotline is accepted once, however often it is sent.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{Framed, encode};
use symbolon_record::RecordId;
use zeroize::Zeroizing;

use crate::backend::{Expect, Op};
use crate::limits::{IDEMPOTENCY_BYTES_MAX, SCAN_ROWS_MAX, TITLE_BYTES_MAX};
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// Whether a hotline may submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HotlineState {
    /// It may.
    Active,
    /// Not until resumed.
    Suspended,
}

/// A hotline: who may hand in alerts without being an officer.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Hotline {
    /// Its name.
    pub name: String,
    /// Hash of its bearer token.
    #[serde(with = "serde_bytes")]
    pub token_hash: Option<[u8; 32]>,
    /// Pin of its TLS certificate.
    #[serde(with = "serde_bytes")]
    pub certificate_pin: Option<[u8; 32]>,
    /// Submissions that it may make in an hour.
    pub quota_per_hour: u32,
    /// Submissions that it may make at once.
    pub burst: u32,
    /// Whether it may submit.
    pub state: HotlineState,
    /// When it was made, in Unix seconds.
    pub made_at: u64,
    /// When it last changed, in Unix seconds.
    pub changed_at: u64,
    /// The record kinds that it may submit; empty for all.
    pub kinds: Vec<String>,
}

impl std::fmt::Debug for Hotline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hotline({}, {:?})", self.name, self.state)
    }
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Submission {
    /// The alert that it became.
    pub alert: RecordId,
    /// Hash of its body: another body under the same key is no repeat.
    #[serde(with = "serde_bytes")]
    pub body_hash: [u8; 32],
    /// When it was accepted, in Unix seconds.
    pub accepted_at: u64,
}

/// A row that is found by a mark.
pub(crate) enum HotlineStep {
    Put(Box<Hotline>),
    Submission { hotline: String, idempotency: Vec<u8>, submission: Submission },
    Submitted { actor: String, id: RecordId },
}

impl Write {
    /// Keeps a hotline in place of what was there of it.
    pub fn hotline(self, hotline: &Hotline) -> Self {
        self.bounded((hotline.name.len() > TITLE_BYTES_MAX).then_some("name"))
            .step(Step::Hotline(HotlineStep::Put(Box::new(hotline.clone()))))
    }

    /// Keeps what became of a submission: the whole write is refused as [`StoreError::Repeated`]
    /// if the hotline submitted under this idempotency key before.
    pub fn submission_new(
        self,
        hotline: &str,
        idempotency: &[u8],
        submission: &Submission,
    ) -> Self {
        let is_long = idempotency.len() > IDEMPOTENCY_BYTES_MAX;
        let (hotline, idempotency) = (hotline.to_owned(), idempotency.to_vec());
        let submission = submission.clone();
        self.bounded(is_long.then_some("idempotency key"))
            .step(Step::Hotline(HotlineStep::Submission { hotline, idempotency, submission }))
    }

    /// Notes who submitted an alert.
    pub fn submitted(self, actor: &str, id: RecordId) -> Self {
        self.step(Step::Hotline(HotlineStep::Submitted { actor: actor.to_owned(), id }))
    }
}

impl Store {
    /// A hotline.
    ///
    /// # Errors
    /// What reading gives.
    pub fn hotline_fetch(&self, name: &str) -> Result<Option<Hotline>, StoreError> {
        let plain = self.opened(Table::Hotline, &self.hotline_key(name))?;
        plain.map(|plain| decoded(Table::Hotline, &plain)).transpose()
    }

    /// All hotlines, by name.
    ///
    /// # Errors
    /// What reading gives.
    pub fn hotline_list(&self) -> Result<Vec<Hotline>, StoreError> {
        let rows = self.opened_rows(Table::Hotline, &[], None, SCAN_ROWS_MAX)?;
        let decoded = rows.iter().map(|(_, plain)| decoded(Table::Hotline, plain));
        let mut hotlines = decoded.collect::<Result<Vec<Hotline>, _>>()?;
        hotlines.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(hotlines)
    }

    /// What became of a submission.
    ///
    /// # Errors
    /// What reading gives.
    pub fn submission_fetch(
        &self,
        hotline: &str,
        idempotency: &[u8],
    ) -> Result<Option<Submission>, StoreError> {
        let key = self.submission_key(hotline, idempotency);
        let Some(value) = self.backend.fetch(Table::Submission, &key)? else {
            return Ok(None);
        };
        let short = StoreError::Damaged { what: "a submission is short" };
        let (_, sealed) = value.split_first_chunk::<8>().ok_or(short)?;
        let plain = self.crypter.open(&self.cell(Table::Submission, &key), sealed)?;
        decoded(Table::Submission, &plain).map(Some)
    }

    /// Forgets every submission from before `before`; gives their number. A repeat after that is
    /// a submission of its own.
    ///
    /// # Errors
    /// What reading or writing gives.
    pub fn submission_purge(&self, before: u64) -> Result<u64, StoreError> {
        self.purge(Table::Submission, before)
    }

    /// Whether one actor submitted an alert, whoever changed it since.
    ///
    /// # Errors
    /// What reading gives.
    pub fn submitted_by(&self, actor: &str, id: RecordId) -> Result<bool, StoreError> {
        let mark = self.crypter.submitter_mark(actor.as_bytes());
        let key = [mark.as_slice(), id.as_bytes()].concat();
        Ok(self.backend.fetch(Table::Submitter, &key)?.is_some())
    }

    /// At most `limit` alerts behind `after` that one actor submitted, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn submitted_scan(
        &self,
        actor: &str,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<RecordId>, StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "the key of who submitted" };
        let mark = self.crypter.submitter_mark(actor.as_bytes());
        let after = after.map(|id| [mark.as_slice(), id.as_bytes()].concat());
        let limit = limit.min(SCAN_ROWS_MAX);
        let rows = self.backend.scan(Table::Submitter, &mark, after.as_deref(), limit)?;
        rows.iter()
            .map(|row| {
                let id = row.key.last_chunk::<16>().ok_or(DAMAGED)?;
                RecordId::decode(*id).map_err(|_| DAMAGED)
            })
            .collect()
    }

    fn hotline_key(&self, name: &str) -> [u8; 16] {
        self.crypter.hotline_mark(&Framed::new().part(name))
    }

    fn submission_key(&self, hotline: &str, idempotency: &[u8]) -> [u8; 16] {
        self.crypter.hotline_mark(&Framed::new().part(hotline).part(idempotency))
    }

    pub(crate) fn prepare_hotline(
        &self,
        step: HotlineStep,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        ops.push(match step {
            HotlineStep::Put(hotline) => {
                let key = self.hotline_key(&hotline.name).to_vec();
                let plain = Zeroizing::new(encode(&*hotline));
                self.sealed(Table::Hotline, key, &plain, Expect::Any)?
            }
            HotlineStep::Submission { hotline, idempotency, submission } => {
                // Times are no secret, and purging then opens nothing.
                let (table, key) =
                    (Table::Submission, self.submission_key(&hotline, &idempotency).to_vec());
                let sealed = self.crypter.seal(&self.cell(table, &key), &encode(&submission))?;
                let value = [submission.accepted_at.to_be_bytes().as_slice(), &sealed].concat();
                Op::Put { table, key, value, expect: Expect::Fresh }
            }
            HotlineStep::Submitted { actor, id } => {
                let mark = self.crypter.submitter_mark(actor.as_bytes());
                let key = [mark.as_slice(), id.as_bytes()].concat();
                let (table, value) = (Table::Submitter, Vec::new());
                Op::Put { table, key, value, expect: Expect::Any }
            }
        });
        Ok(())
    }
}
