//! Records, their keyed index, and the references under which they were imported.
//!
//! Implements spec/store.md#records.
//!
//! Invariant: the index rows of a record are those of its stored version, because both change in
//! one transaction.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::{Digest, Sha256};
use symbolon_codec::encode;
use symbolon_ident::{KeyForm, MatchKey, Strength};
use symbolon_record::{Record, RecordId, RecordVersion};

use crate::backend::{Expect, Op};
use crate::limits::{RECORD_KEYS_MAX, REFERENCE_BYTES_MAX, SCAN_ROWS_MAX};
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// One way to find a record again.
#[derive(Debug, Clone)]
pub struct IndexKey {
    /// Which of the record's subjects it belongs to.
    pub subject: u16,
    /// The key.
    pub key: MatchKey,
}

/// A record found by a match key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexHit {
    /// The record.
    pub record: RecordId,
    /// Which of its subjects.
    pub subject: u16,
    /// Form of the key that found it.
    pub form: KeyForm,
    /// How much that says.
    pub strength: Strength,
}

/// What an import knows of a row that it brought in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct External {
    /// The record.
    pub record: RecordId,
    /// Its version then.
    pub version: RecordVersion,
    /// Number of the run that saw it last.
    pub run: u64,
}

/// A change to the records.
pub(crate) enum RecordStep {
    Create(Indexed),
    Replace(Indexed),
    Delete(RecordId),
    External { reference: Vec<u8>, external: External },
}

pub(crate) struct Indexed {
    id: RecordId,
    record: Vec<u8>,
    keys: Vec<IndexKey>,
}

/// The plaintext of a record's cell: with its index marks, so that they can be taken back.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct Body {
    #[serde(with = "serde_bytes")]
    record: Vec<u8>,
    /// mark ‖ subject for each index row, 18 bytes each.
    #[serde(with = "serde_bytes")]
    marks: Vec<u8>,
}

impl Write {
    /// Keeps a new record; [`StoreError::Conflict`] if there is one of this id.
    pub fn record_create(self, record: &Record, keys: Vec<IndexKey>) -> Self {
        self.step(Step::Record(RecordStep::Create(Indexed::new(record, keys))))
    }

    /// Keeps a record in place of the version that is there, if any, and of its index rows.
    pub fn record(self, record: &Record, keys: Vec<IndexKey>) -> Self {
        self.step(Step::Record(RecordStep::Replace(Indexed::new(record, keys))))
    }

    /// Removes a record and its index rows.
    pub fn record_delete(self, id: RecordId) -> Self {
        self.step(Step::Record(RecordStep::Delete(id)))
    }

    /// Keeps under which external reference a record was imported.
    pub fn external(self, reference: &str, external: External) -> Self {
        let reference = reference.as_bytes().to_vec();
        self.step(Step::Record(RecordStep::External { reference, external }))
    }
}

impl Indexed {
    fn new(record: &Record, keys: Vec<IndexKey>) -> Self {
        Self { id: record.id(), record: record.encode(), keys }
    }
}

impl Store {
    /// A record.
    ///
    /// # Errors
    /// What reading gives.
    pub fn record_fetch(&self, id: RecordId) -> Result<Option<Record>, StoreError> {
        let plain = self.opened(Table::Record, id.as_bytes())?;
        plain.map(|plain| record(&decoded::<Body>(Table::Record, &plain)?)).transpose()
    }

    /// At most `limit` records behind `after`, in the order of their ids.
    ///
    /// # Errors
    /// What reading gives.
    pub fn record_scan(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let after = after.as_ref().map(|id| id.as_bytes().as_slice());
        let rows = self.backend.scan(Table::Record, &[], after, limit.min(SCAN_ROWS_MAX))?;
        let records = rows.iter().map(|row| {
            let plain = self.crypter.open(&self.cell(Table::Record, &row.key), &row.value)?;
            record(&decoded::<Body>(Table::Record, &plain)?)
        });
        records.collect()
    }

    /// Records in the store.
    ///
    /// # Errors
    /// What reading gives.
    pub fn record_count(&self) -> Result<u64, StoreError> {
        self.backend.count(Table::Record, &[])
    }

    /// This node's keyed mark of a match key: equal for equal keys, and nothing to anyone else.
    #[must_use]
    pub fn record_mark(&self, key: &MatchKey) -> [u8; 16] {
        self.crypter.index_mark(key.as_bytes())
    }

    /// Every record that was indexed under `key`.
    ///
    /// # Errors
    /// What reading gives.
    pub fn record_lookup(&self, key: &MatchKey) -> Result<Vec<IndexHit>, StoreError> {
        let mark = self.crypter.index_mark(key.as_bytes());
        let rows = self.backend.scan(Table::RecordIndex, &mark, None, SCAN_ROWS_MAX)?;
        let hits = rows.iter().map(|row| {
            let (id, subject) = index_parts(&row.key)
                .ok_or(StoreError::Damaged { what: "a row of the index is misshapen" })?;
            Ok(IndexHit { record: id, subject, form: key.form(), strength: key.strength() })
        });
        hits.collect()
    }

    /// What was imported under an external reference.
    ///
    /// # Errors
    /// What reading gives.
    pub fn record_by_external(&self, reference: &str) -> Result<Option<External>, StoreError> {
        let mark = self.crypter.external_mark(reference.as_bytes());
        let row = self.backend.fetch(Table::External, &mark)?;
        row.map(|value| {
            external(&value).ok_or(StoreError::Damaged { what: "an external row is misshapen" })
        })
        .transpose()
    }

    pub(crate) fn prepare_record(
        &self,
        step: RecordStep,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        match step {
            RecordStep::Create(indexed) => self.put_record(indexed, Expect::Absent, ops),
            RecordStep::Replace(indexed) => {
                let expect = self.take_back(indexed.id, ops)?;
                self.put_record(indexed, expect.unwrap_or(Expect::Absent), ops)
            }
            RecordStep::Delete(id) => {
                let absent = StoreError::Absent { what: "record" };
                let expect = self.take_back(id, ops)?.ok_or(absent)?;
                let key = id.as_bytes().to_vec();
                ops.push(Op::Delete { table: Table::Record, key, expect });
                Ok(())
            }
            RecordStep::External { reference, external } => {
                if reference.is_empty() || reference.len() > REFERENCE_BYTES_MAX {
                    return Err(StoreError::TooLong { what: "external reference" });
                }
                let run = external.run.to_be_bytes();
                let value = [
                    external.record.as_bytes().as_slice(),
                    &run,
                    external.version.as_bytes().as_slice(),
                ]
                .concat();
                let key = self.crypter.external_mark(&reference).to_vec();
                ops.push(Op::Put { table: Table::External, key, value, expect: Expect::Any });
                Ok(())
            }
        }
    }

    fn put_record(
        &self,
        indexed: Indexed,
        expect: Expect,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        if indexed.keys.len() > RECORD_KEYS_MAX {
            return Err(StoreError::TooLong { what: "list of match keys" });
        }
        let mut marks = Vec::with_capacity(indexed.keys.len());
        for key in &indexed.keys {
            marks.push((self.crypter.index_mark(key.key.as_bytes()), key.subject));
        }
        marks.sort_unstable();
        marks.dedup();
        let packed = marks
            .iter()
            .flat_map(|(mark, subject)| mark.iter().copied().chain(subject.to_be_bytes()));
        let body = Body { record: indexed.record, marks: packed.collect() };
        let plain = zeroize::Zeroizing::new(encode(&body));
        ops.push(self.sealed(Table::Record, indexed.id.as_bytes().to_vec(), &plain, expect)?);
        ops.extend(marks.iter().map(|(mark, subject)| Op::Put {
            table: Table::RecordIndex,
            key: index_key(mark, indexed.id, *subject),
            value: Vec::new(),
            expect: Expect::Any,
        }));
        Ok(())
    }

    /// Removes the index rows of the stored version; gives what to expect of the record's row.
    fn take_back(&self, id: RecordId, ops: &mut Vec<Op>) -> Result<Option<Expect>, StoreError> {
        let Some(sealed) = self.backend.fetch(Table::Record, id.as_bytes())? else {
            return Ok(None);
        };
        let plain = self.crypter.open(&self.cell(Table::Record, id.as_bytes()), &sealed)?;
        let body: Body = decoded(Table::Record, &plain)?;
        for entry in body.marks.as_chunks::<18>().0 {
            if let Some((mark, subject)) = entry.split_first_chunk::<16>()
                && let Some(subject) = subject.first_chunk::<2>()
            {
                let key = index_key(mark, id, u16::from_be_bytes(*subject));
                ops.push(Op::Delete { table: Table::RecordIndex, key, expect: Expect::Any });
            }
        }
        Ok(Some(Expect::Digest(Sha256::digest(&sealed).into())))
    }
}

fn record(body: &Body) -> Result<Record, StoreError> {
    Record::decode(&body.record).map_err(|_| StoreError::Damaged { what: "a record" })
}

/// mark ‖ record ‖ subject.
fn index_key(mark: &[u8; 16], id: RecordId, subject: u16) -> Vec<u8> {
    [mark.as_slice(), id.as_bytes(), &subject.to_be_bytes()].concat()
}

fn index_parts(key: &[u8]) -> Option<(RecordId, u16)> {
    let (id, subject) = key.get(16..)?.split_first_chunk::<16>()?;
    let subject = u16::from_be_bytes(subject.try_into().ok()?);
    Some((RecordId::decode(*id).ok()?, subject))
}

fn external(value: &[u8]) -> Option<External> {
    let (id, rest) = value.split_first_chunk::<16>()?;
    let (run, version) = rest.split_first_chunk::<8>()?;
    Some(External {
        record: RecordId::decode(*id).ok()?,
        version: RecordVersion::from_bytes(version.try_into().ok()?),
        run: u64::from_be_bytes(*run),
    })
}
