//! Receives a tag set chunk by chunk and checks it against the epoch card; stores nothing itself.
//!
//! Implements spec/matching.md#transfer.
//!
//! Invariant: [`ReceivedTagSet`] exists only where count, order and digest were right.

use symbolon_tlog::{Frontier, Hash, leaf_hash};

use crate::chunk::parse_tags;
use crate::limits::CHUNK_ENTRIES;
use crate::{OprfError, Tag, padded_count};

/// A transfer under way. What [`TagSetTransfer::frontier`] and [`TagSetTransfer::last`] give is
/// enough to resume it.
pub struct TagSetTransfer {
    count: u64,
    tags_root: Hash,
    received: Frontier,
    last: Option<Tag>,
    /// The chunks' hashes, where the holder sent them ahead.
    expected: Option<Vec<Hash>>,
}

/// Evidence that a whole tag set arrived as its epoch card announces it.
#[derive(Debug)]
pub struct ReceivedTagSet {
    count: u64,
    tags_root: Hash,
}

impl ReceivedTagSet {
    /// Entries, padding included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The digest of the set.
    #[must_use]
    pub fn tags_root(&self) -> Hash {
        self.tags_root
    }
}

impl TagSetTransfer {
    /// Awaits the set that an epoch card announces.
    ///
    /// # Errors
    /// [`OprfError::TagSetCount`] for a count that no padding makes.
    pub fn new(count: u64, tags_root: Hash) -> Result<Self, OprfError> {
        Self::resume(count, tags_root, Frontier::new(), None)
    }

    /// Goes on after an interruption.
    ///
    /// # Errors
    /// [`OprfError::TagSetCount`] for a count that no padding makes, or where more chunks were
    /// received than the set has.
    pub fn resume(
        count: u64,
        tags_root: Hash,
        received: Frontier,
        last: Option<Tag>,
    ) -> Result<Self, OprfError> {
        let chunks = count / CHUNK_ENTRIES as u64;
        let resumable = received.size() <= chunks && last.is_some() == (received.size() > 0);
        if padded_count(count) != count || !resumable {
            return Err(OprfError::TagSetCount);
        }
        Ok(Self { count, tags_root, received, last, expected: None })
    }

    /// Takes the hashes of all chunks, so that a false chunk is found when it arrives and not at
    /// the end.
    ///
    /// # Errors
    /// [`OprfError::TagSetDigest`] where they do not give the announced digest.
    pub fn expect_chunks(self, hashes: Vec<Hash>) -> Result<Self, OprfError> {
        let mut tree = Frontier::new();
        for hash in &hashes {
            tree.append(*hash).map_err(|_| OprfError::TagSetDigest)?;
        }
        let complete = tree.size() == self.chunks() && tree.root() == self.tags_root;
        if complete {
            Ok(Self { expected: Some(hashes), ..self })
        } else {
            Err(OprfError::TagSetDigest)
        }
    }

    /// Takes the next chunk of 4,096 bytes and gives its tags for the store.
    ///
    /// # Errors
    /// [`OprfError`] for a chunk of another length, out of order, beyond the count, or not the one
    /// expected. The transfer is then as before.
    pub fn accept(&mut self, bytes: &[u8]) -> Result<Vec<Tag>, OprfError> {
        if self.next_chunk() >= self.chunks() {
            return Err(OprfError::TagSetCount);
        }
        let tags = parse_tags(bytes)?;
        if tags.first().copied() <= self.last {
            return Err(OprfError::TagOrder);
        }
        let hash = leaf_hash(bytes);
        if let Some(expected) = &self.expected {
            let number = usize::try_from(self.next_chunk()).map_err(|_| OprfError::TagSetCount)?;
            if expected.get(number) != Some(&hash) {
                return Err(OprfError::TagSetDigest);
            }
        }
        self.received.append(hash).map_err(|_| OprfError::TagSetCount)?;
        self.last = tags.last().copied();
        Ok(tags)
    }

    /// The number of the chunk that is due.
    #[must_use]
    pub fn next_chunk(&self) -> u64 {
        self.received.size()
    }

    /// The tree over the chunks received.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.received
    }

    /// The last tag received.
    #[must_use]
    pub fn last(&self) -> Option<Tag> {
        self.last
    }

    /// Ends the transfer.
    ///
    /// # Errors
    /// [`OprfError::TagSetCount`] where chunks are missing, [`OprfError::TagSetDigest`] where the
    /// chunks are not those announced: the set is to be deleted.
    pub fn finish(self) -> Result<ReceivedTagSet, OprfError> {
        if self.received.size() != self.chunks() {
            return Err(OprfError::TagSetCount);
        }
        if self.received.root() != self.tags_root {
            return Err(OprfError::TagSetDigest);
        }
        Ok(ReceivedTagSet { count: self.count, tags_root: self.tags_root })
    }

    fn chunks(&self) -> u64 {
        self.count / CHUNK_ENTRIES as u64
    }
}
