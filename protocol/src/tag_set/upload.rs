//! The holder's side of a transfer: a header, then chunk after chunk as the caller reads them.
//!
//! Implements spec/transport.md#tag-set.

use crate::error::{ProtocolError, Refusal};
use crate::limits::CHUNK_BYTES;
use crate::message::encode;
use crate::serve::Asked;
use crate::tag_set::{TagSetHeader, TagSetRequest, chunks};

/// A transfer on its way out.
#[must_use]
pub struct TagSetUpload {
    next: u64,
    end: u64,
}

impl Asked<TagSetRequest> {
    /// Begins the transfer of the set of `count` tags that was asked for; gives the header's
    /// bytes and what is due then.
    ///
    /// # Errors
    /// The refusal to answer with, where the set has no such chunk.
    pub fn stream(self, count: u64) -> Result<(Vec<u8>, TagSetUpload), (Self, Refusal)> {
        let from_chunk = self.request().from_chunk;
        if from_chunk >= chunks(count) {
            return Err((self, Refusal::EpochUnknown));
        }
        let header = encode(&TagSetHeader { count, from_chunk });
        Ok((header, TagSetUpload { next: from_chunk, end: chunks(count) }))
    }
}

impl TagSetUpload {
    /// Number of the chunk to give next; none when all were given and FIN is due.
    #[must_use]
    pub const fn due(&self) -> Option<u64> {
        if self.next < self.end { Some(self.next) } else { None }
    }

    /// Takes the chunk that is due, its tags one after the other; gives the bytes to write.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] for another length or when none is due.
    pub fn chunk(&mut self, tags: Vec<u8>) -> Result<Vec<u8>, ProtocolError> {
        if self.due().is_none() || tags.len() != CHUNK_BYTES {
            return Err(ProtocolError::Misuse { rule: "chunks of 4,096 bytes, as many as due" });
        }
        self.next += 1;
        Ok(tags)
    }
}
