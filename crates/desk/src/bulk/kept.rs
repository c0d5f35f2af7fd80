//! A match as the asking side keeps it between runs.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariant: from the commitment on, a match is kept before the partner hears of it, so that what
//! it cost here is spent on one match, however often its beginning has to be repeated.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{PartitionTranscript, SetTerms};
use symbolon_store::{QueryId, Write};

use super::BulkAsk;
use crate::batch::Committed;
use crate::{Desk, DeskError};

/// A match in the store, in bytes at most: 2^22 items that met.
const STATE_BYTES_MAX: usize = 160 << 20;

/// How far a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Committed to; whether the partner has heard of it is not known.
    Committed,
    /// The partner has it.
    Begun,
    /// More items were common than the bound: it is not tried again with the same set.
    GivenUp,
    /// Both sides have signed: the match is over.
    Signed,
}

/// A match as it is kept between runs.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
pub(super) struct Match {
    pub(super) query: QueryId,
    #[serde(with = "serde_bytes")]
    pub(super) nonce: [u8; 32],
    pub(super) receiver_count: u64,
    pub(super) elements: u32,
    #[serde(with = "serde_bytes")]
    pub(super) blind: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(super) set_digest: [u8; 32],
    /// Hash of the commitment's leaf.
    #[serde(with = "serde_bytes")]
    pub(super) leaf: [u8; 32],
    /// What shows the commitment again.
    pub(super) committed: Committed,
    /// The partner's share in the session's name, once it has begun.
    #[serde(with = "serde_bytes")]
    pub(super) their_nonce: [u8; 32],
    /// Partitions that are done.
    pub(super) done: u32,
    /// Items that met in them.
    #[serde(with = "serde_bytes")]
    pub(super) met: Vec<u8>,
    /// Items of a partition at most.
    pub(super) partition_items: u64,
    /// The transcripts of the partitions that are done.
    pub(super) transcripts: Vec<PartitionTranscript>,
    pub(super) stage: Stage,
}

impl Match {
    pub(super) fn terms(&self, ask: &BulkAsk<'_>) -> SetTerms {
        SetTerms {
            class: ask.class,
            epoch: ask.epoch,
            nonce: self.nonce,
            receiver_count: self.receiver_count,
            elements: self.elements,
        }
    }

    /// The items that met so far.
    pub(super) fn met(&self) -> HashSet<[u8; 32]> {
        self.met.as_chunks().0.iter().copied().collect()
    }

    /// How many met so far.
    pub(super) fn met_count(&self) -> u64 {
        self.met.len() as u64 / 32
    }
}

impl Desk {
    pub(super) fn bulk_kept(&self, ask: &BulkAsk<'_>) -> Result<Option<Match>, DeskError> {
        let Some(bytes) = self.store.progress_fetch(&ask.name())? else { return Ok(None) };
        let kept = symbolon_codec::decode(&bytes, STATE_BYTES_MAX);
        kept.map(Some).map_err(|_| DeskError::internal("a match in the store is damaged"))
    }

    pub(super) fn bulk_keep(&self, ask: &BulkAsk<'_>, kept: &Match) -> Result<(), DeskError> {
        let bytes = symbolon_codec::encode(kept);
        self.store.commit(Write::new().progress(&ask.name(), &bytes))?;
        Ok(())
    }

    /// The next run begins anew.
    pub(super) fn bulk_forget(&self, ask: &BulkAsk<'_>) -> Result<(), DeskError> {
        self.store.commit(Write::new().progress_delete(&ask.name()))?;
        Ok(())
    }
}
