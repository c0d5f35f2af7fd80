//! How the receiver asks which of its tags are in the holder's set: locally, in any storage.
//!
//! Implements spec/matching.md#comparing.

use std::collections::BTreeSet;
use std::convert::Infallible;

use crate::Tag;

/// The asker's copy of a tag set.
pub trait TagLookup {
    /// What the storage reports when it fails.
    type Error;

    /// Answers for every tag, in the order given, whether the set contains it.
    ///
    /// The tags ascend, so that a storage can walk its chunks once.
    ///
    /// # Errors
    /// The storage's own.
    fn contains(&self, tags: &[Tag]) -> Result<Vec<bool>, Self::Error>;
}

/// Tags in ascending order.
impl TagLookup for [Tag] {
    type Error = Infallible;

    fn contains(&self, tags: &[Tag]) -> Result<Vec<bool>, Infallible> {
        Ok(tags.iter().map(|tag| self.binary_search(tag).is_ok()).collect())
    }
}

impl TagLookup for BTreeSet<Tag> {
    type Error = Infallible;

    fn contains(&self, tags: &[Tag]) -> Result<Vec<bool>, Infallible> {
        Ok(tags.iter().map(|tag| BTreeSet::contains(self, tag)).collect())
    }
}
