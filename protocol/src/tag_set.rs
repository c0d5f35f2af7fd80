//! Moving a tag set: a request for its chunks from a number on, a header, then the chunks raw.
//!
//! Implements spec/transport.md#tag-set.
//!
//! Invariant: a transfer that ends well had the announced count, strictly ascending tags and the
//! root of its epoch card.

mod download;
mod upload;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::Class;

pub use download::{TagSetDownload, TagSetEvent, TagSetProgress};
pub use upload::TagSetUpload;

use crate::epoch_card::VerifiedEpochCard;
use crate::error::ProtocolError;
use crate::limits::{CHUNK_TAGS, SMALL_REQUEST_BYTES_MAX, TAG_SET_TAGS_MAX};
use crate::message::{Message, both_ways};

/// `tag_set_request`: the chunks of one set from `from_chunk` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TagSetRequest {
    /// Class of the set.
    pub class: Class,
    /// Epoch of the set.
    pub epoch: u64,
    /// Serial of the epoch card that announces the set.
    pub serial: u64,
    /// Number of the first chunk wanted; 0 for all.
    pub from_chunk: u64,
}

impl TagSetRequest {
    fn new(card: &VerifiedEpochCard, from_chunk: u64) -> Self {
        let card = card.card();
        Self { class: card.class, epoch: card.epoch, serial: card.serial, from_chunk }
    }
}

/// `tag_set`: the header before the raw chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TagSetHeader {
    /// Tags in the whole set, padding included.
    pub count: u64,
    /// Number of the first chunk that follows.
    pub from_chunk: u64,
}

both_ways!(TagSetRequest);

impl Message for TagSetRequest {
    const TYPE: u8 = 9;
    const NAME: &'static str = "tag_set_request";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        check_from(self.from_chunk, TAG_SET_TAGS_MAX)
    }
}

both_ways!(TagSetHeader);

impl Message for TagSetHeader {
    const TYPE: u8 = 10;
    const NAME: &'static str = "tag_set";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        if self.count > TAG_SET_TAGS_MAX || symbolon_oprf::padded_count(self.count) != self.count {
            return Err(ProtocolError::TagSet { rule: "the count is one that padding makes" });
        }
        check_from(self.from_chunk, self.count)
    }
}

fn check_from(from_chunk: u64, count: u64) -> Result<(), ProtocolError> {
    if from_chunk < chunks(count) {
        Ok(())
    } else {
        Err(ProtocolError::TagSet { rule: "the first chunk is one of the set" })
    }
}

/// Chunks of a set of `count` tags; padding makes all of them full.
const fn chunks(count: u64) -> u64 {
    count / CHUNK_TAGS as u64
}
