//! Name and version of a record; neither says anything about what the record holds.
//!
//! Implements spec/record.md#identity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use symbolon_codec::sha256;
use uuid::{Builder, Uuid};

use crate::{RecordError, label};

/// A version 7 UUID: the time of creation in milliseconds, then 74 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// A fresh id for a record made at `now_ms` (Unix milliseconds).
    #[must_use]
    pub fn generate(now_ms: u64, seed: [u8; 32]) -> RecordId {
        let [a, b, c, d, e, f, g, h, i, j, ..] = sha256(label::RECORD_ID, &[&seed]);
        let random = [a, b, c, d, e, f, g, h, i, j];
        RecordId(Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid().into_bytes())
    }

    /// Reads sixteen bytes.
    ///
    /// # Errors
    /// [`RecordError::Id`] where they are not a version 7 UUID.
    pub fn decode(bytes: [u8; 16]) -> Result<RecordId, RecordError> {
        let id = Uuid::from_bytes(bytes);
        let standard = id.get_variant() == uuid::Variant::RFC4122;
        if standard && id.get_version_num() == 7 {
            Ok(RecordId(bytes))
        } else {
            Err(RecordError::Id)
        }
    }

    /// The sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<RecordId, RecordError> {
        // The hyphenated lower-case form is the only one written, so the only one read.
        let id = Uuid::try_parse(text).map_err(|_| RecordError::Id)?;
        let id = RecordId::decode(id.into_bytes())?;
        if id.to_string() == text { Ok(id) } else { Err(RecordError::Id) }
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RecordId, D::Error> {
        RecordId::decode(serde_bytes::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Salted hash of a record's content: an identical edit is no new version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordVersion(#[serde(with = "serde_bytes")] [u8; 32]);

impl RecordVersion {
    pub(crate) fn over(salt: &RecordSalt, content: &[u8]) -> RecordVersion {
        RecordVersion(sha256(label::CONTENT, &[&salt.0, content]))
    }

    /// A version received or stored earlier.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> RecordVersion {
        RecordVersion(bytes)
    }

    /// The hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for RecordVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordVersion({self})")
    }
}

/// Random bytes under the version's hash, chosen once per record and kept at home.
///
/// A partner sees the version of a record of which it sees only a part. Without the salt it could
/// guess the withheld rest and compare hashes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSalt(#[serde(with = "serde_bytes")] [u8; 32]);

impl RecordSalt {
    /// A fresh salt.
    #[must_use]
    pub fn generate(seed: [u8; 32]) -> RecordSalt {
        RecordSalt(sha256(label::RECORD_SALT, &[&seed]))
    }
}

impl fmt::Debug for RecordSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordSalt([redacted])")
    }
}
