//! A record: name, salt and content, checked once; it has no way to reach a partner by itself.
//!
//! Implements spec/record.md#identity.
//!
//! Invariant: every `Record` in memory has passed all checks, and its version is that of its
//! content.

use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_tuple::Deserialize_tuple;
use symbolon_codec::{decode, encode};

use crate::limits::RECORD_BYTES_MAX;
use crate::{Content, RecordError, RecordId, RecordSalt, RecordVersion, validate};

/// A red-flag record as its origin holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    id: RecordId,
    salt: RecordSalt,
    content: Content,
    version: RecordVersion,
}

impl Record {
    /// A new record, made at `now_ms` (Unix milliseconds). Sorts the sets of its handling.
    ///
    /// # Errors
    /// [`RecordError`], by the first part that breaks its rule.
    pub fn generate(content: Content, now_ms: u64, seed: [u8; 32]) -> Result<Record, RecordError> {
        Record::new(RecordId::generate(now_ms, seed), RecordSalt::generate(seed), content)
    }

    /// A record with a known name. Sorts the sets of its handling.
    ///
    /// # Errors
    /// [`RecordError`], by the first part that breaks its rule.
    pub fn new(
        id: RecordId,
        salt: RecordSalt,
        mut content: Content,
    ) -> Result<Record, RecordError> {
        let handling = &mut content.handling;
        handling.releasable_to.sort_unstable();
        handling.releasable_to.dedup();
        handling.purposes.sort_unstable();
        handling.purposes.dedup();
        Record::checked(id, salt, content)
    }

    /// The same record with other content. An identical edit gives an identical version.
    ///
    /// # Errors
    /// [`RecordError`], by the first part that breaks its rule.
    pub fn revise(&self, content: Content) -> Result<Record, RecordError> {
        Record::new(self.id, self.salt.clone(), content)
    }

    fn checked(id: RecordId, salt: RecordSalt, content: Content) -> Result<Record, RecordError> {
        validate::content(&content)?;
        let bytes = encode(&content);
        // The id and the salt take less than a hundred bytes.
        let bytes_max = RECORD_BYTES_MAX - 100;
        if bytes.len() > bytes_max {
            return Err(RecordError::TooLarge { bytes_max });
        }
        let version = RecordVersion::over(&salt, &bytes);
        Ok(Record { id, salt, content, version })
    }

    /// The record's name, for life.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// Hash of what it says now.
    #[must_use]
    pub fn version(&self) -> RecordVersion {
        self.version
    }

    /// What it says.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Whether the record must be gone at `now` (Unix seconds).
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        now >= self.content.expires_on
    }

    /// The bytes for the own store. They hold everything; they never travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads and checks stored bytes.
    ///
    /// # Errors
    /// [`RecordError`], by the first rule that the bytes or a part break.
    pub fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
        let Stored { id, salt, content } = decode(bytes, RECORD_BYTES_MAX)?;
        Record::checked(id, salt, content)
    }
}

/// A record as it is read, before its checks.
#[derive(Deserialize_tuple)]
struct Stored {
    id: RecordId,
    salt: RecordSalt,
    content: Content,
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        parts(&self.id, &self.salt, &self.content, out)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        parts(&self.id, &self.salt, &self.content, out)
    }
}

fn parts<S: Serializer>(
    id: &RecordId,
    salt: &RecordSalt,
    content: &Content,
    out: S,
) -> Result<S::Ok, S::Error> {
    let mut tuple = out.serialize_tuple(3)?;
    tuple.serialize_element(id)?;
    tuple.serialize_element(salt)?;
    tuple.serialize_element(content)?;
    tuple.end()
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Record, D::Error> {
        let Stored { id, salt, content } = Stored::deserialize(from)?;
        Record::checked(id, salt, content).map_err(serde::de::Error::custom)
    }
}
