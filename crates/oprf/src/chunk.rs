//! Entries of the holder's own tag set, 256 to a chunk: what its store keeps, sealed, per set.
//!
//! Implements spec/matching.md#tag-sets. Only the tags of a chunk travel.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteArray;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::{Digest, Sha256};
use symbolon_codec::{DecodeError, decode, encode};
use symbolon_tlog::{Hash, leaf_hash};

use crate::limits::{CHUNK_BYTES, CHUNK_ENTRIES, CHUNK_STORED_BYTES_MAX, RECORDS_PER_TAG_MAX};
use crate::output::bytes;
use crate::{OprfError, Tag, label};

/// One version of one record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize_tuple, Deserialize_tuple)]
pub struct RecordRef {
    /// The record's id.
    #[serde(with = "serde_bytes")]
    pub id: [u8; 16],
    /// The hash of its content.
    #[serde(with = "serde_bytes")]
    pub version: [u8; 32],
}

impl fmt::Debug for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordRef(..)")
    }
}

/// Binds the holder to the records behind a tag before anyone asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecordCommitment([u8; 32]);

bytes!(RecordCommitment, 32);

impl RecordCommitment {
    /// SHA-256 of label, salt and the records' ids and versions, which ascend.
    pub(crate) fn new(salt: &[u8; 32], records: &[RecordRef]) -> Self {
        let mut hash = Sha256::new_with_prefix(label::RECORD);
        hash.update(salt);
        for record in records {
            hash.update(record.id);
            hash.update(record.version);
        }
        Self(hash.finalize().into())
    }

    /// Hash of the entry's leaf in the tree of the set root.
    pub(crate) fn leaf(&self, tag: &Tag) -> Hash {
        leaf_hash([tag.as_bytes().as_slice(), &self.0].concat())
    }
}

/// One entry of the holder's own tag set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Entry {
    /// The tag.
    pub tag: Tag,
    /// What the set root holds beside it.
    pub commitment: RecordCommitment,
    /// The records behind the tag, ascending; none for padding.
    pub records: Vec<RecordRef>,
}

/// 256 consecutive entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Chunk {
    number: u64,
    entries: Vec<Entry>,
}

impl Chunk {
    /// Takes the entries `number * 256` and following of a set.
    pub(crate) fn new(number: u64, entries: Vec<Entry>) -> Self {
        Self { number, entries }
    }

    /// Which chunk of the set, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The entries, by ascending tag.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this tag and its position in the chunk.
    #[must_use]
    pub fn find(&self, tag: &Tag) -> Option<(usize, &Entry)> {
        let position = self.entries.binary_search_by_key(tag, |entry| entry.tag).ok()?;
        Some((position, self.entries.get(position)?))
    }

    /// The chunk as it travels: 4,096 bytes of tags.
    #[must_use]
    pub fn tag_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        self.entries.iter().for_each(|entry| bytes.extend_from_slice(entry.tag.as_bytes()));
        bytes
    }

    /// The chunk as the holder's store keeps it, which seals it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Takes back what [`Chunk::encode`] gave.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that is not a chunk.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let chunk: Self = decode(bytes, CHUNK_STORED_BYTES_MAX)?;
        let full = chunk.entries.len() == CHUNK_ENTRIES;
        let ascends = chunk.entries.is_sorted_by(|a, b| a.tag < b.tag);
        let bounded = |entry: &Entry| entry.records.len() <= RECORDS_PER_TAG_MAX;
        let valid = full && ascends && chunk.entries.iter().all(bounded);
        if valid { Ok(chunk) } else { Err(DecodeError::Shape) }
    }

    /// Hashes of the leaves of the set root's tree that lie in this chunk.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = Hash> {
        self.entries.iter().map(|entry| entry.commitment.leaf(&entry.tag))
    }
}

/// The tags in the 4,096 bytes of a chunk.
///
/// # Errors
/// [`OprfError::Length`], or [`OprfError::TagOrder`] where they do not ascend strictly.
pub(crate) fn parse_tags(bytes: &[u8]) -> Result<Vec<Tag>, OprfError> {
    let (tags, _) = bytes.as_chunks();
    if bytes.len() != CHUNK_BYTES {
        return Err(OprfError::Length { bytes: CHUNK_BYTES });
    }
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from_bytes(*tag)).collect();
    if tags.is_sorted_by(|a, b| a < b) { Ok(tags) } else { Err(OprfError::TagOrder) }
}
