//! A match as the asking side keeps it between runs.
//!
//! Implements spec/matching.md#bulk.
//!
//! Invariants: from the commitment on, a match is kept before the partner hears of it, so that what
//! it cost here is spent on one match, however often its beginning has to be repeated; a partition
//! is kept whole or not at all, and nothing of it outlives its match.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{PartitionTranscript, SetTerms};
use symbolon_ident::Class;
use symbolon_store::{QueryId, Write};
use zeroize::Zeroizing;

use super::BulkAsk;
use crate::batch::Committed;
use crate::desk::hex;
use crate::limits::BULK_MET_ROW_ITEMS;
use crate::{Desk, DeskError};

/// A match in the store, without its partitions, in bytes at most.
const STATE_BYTES_MAX: usize = 1_024;
/// What is kept of a partition beside what met, in bytes at most.
const DONE_BYTES_MAX: usize = 64;

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
    /// Items of a partition at most.
    pub(super) partition_items: u64,
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
}

/// A partition that is done.
#[derive(Clone, Copy, Serialize_tuple, Deserialize_tuple)]
pub(super) struct Done {
    pub(super) transcript: PartitionTranscript,
    /// Items that met in it; they are in rows of their own.
    pub(super) met: u64,
}

/// An attempt whose store may have left: what it was made of.
pub(super) struct Shown {
    pub(super) attempt: u32,
    pub(super) seed: Zeroizing<[u8; 32]>,
    /// What the partner had sent by then.
    pub(super) heard: Vec<u8>,
}

impl Shown {
    /// An attempt that has heard nothing yet.
    pub(super) fn new(attempt: u32, seed: [u8; 32]) -> Shown {
        Shown { attempt, seed: Zeroizing::new(seed), heard: Vec::new() }
    }
}

/// What the matches of a class in an exchange are called, whatever their epoch and serial.
fn of_class(group: &[u8; 16], class: Class) -> String {
    format!("bulk/{}/{class}/", hex(group))
}

impl BulkAsk<'_> {
    /// Names the match in the store.
    pub(crate) fn name(&self) -> String {
        format!("{}{}/{}", of_class(&self.group, self.class), self.epoch, self.serial)
    }

    /// Begins the names of the partitions that are done.
    fn done_prefix(&self) -> String {
        format!("{}/done/", self.name())
    }

    fn shown_name(&self, partition: u32) -> String {
        format!("{}/shown/{partition:08x}", self.name())
    }

    fn met_name(&self, partition: u32, row: u64) -> String {
        format!("{}/met/{partition:08x}/{row:08x}", self.name())
    }
}

impl Desk {
    pub(super) fn bulk_kept(&self, ask: &BulkAsk<'_>) -> Result<Option<Match>, DeskError> {
        let Some(bytes) = self.store.progress_fetch(&ask.name())? else { return Ok(None) };
        let kept = symbolon_codec::decode(&bytes, STATE_BYTES_MAX);
        kept.map(Some).map_err(|_| damaged())
    }

    pub(super) fn bulk_keep(&self, ask: &BulkAsk<'_>, kept: &Match) -> Result<(), DeskError> {
        let bytes = symbolon_codec::encode(kept);
        self.store.commit(Write::new().progress(&ask.name(), &bytes))?;
        Ok(())
    }

    /// Keeps a match that begins, or that is given up: alone of those of its class in the exchange,
    /// and without partitions.
    pub(super) fn bulk_keep_alone(&self, ask: &BulkAsk<'_>, kept: &Match) -> Result<(), DeskError> {
        let write = Write::new()
            .progress_delete_all(&of_class(&ask.group, ask.class))
            .progress(&ask.name(), &symbolon_codec::encode(kept));
        self.store.commit(write)?;
        Ok(())
    }

    /// Forgets the matches of a class in an exchange: the next run begins anew.
    pub(crate) fn bulk_forget(&self, group: &[u8; 16], class: Class) -> Result<(), DeskError> {
        self.store.commit(Write::new().progress_delete_all(&of_class(group, class)))?;
        Ok(())
    }

    /// Keeps a partition that is done, with what met in it.
    pub(super) fn bulk_keep_done(
        &self,
        ask: &BulkAsk<'_>,
        partition: u32,
        transcript: PartitionTranscript,
        met: &[[u8; 32]],
    ) -> Result<(), DeskError> {
        let done = Done { transcript, met: met.len() as u64 };
        let name = format!("{}{partition:08x}", ask.done_prefix());
        let mut write = Write::new()
            .progress_delete(&ask.shown_name(partition))
            .progress(&name, &symbolon_codec::encode(&done));
        for (row, items) in (0..).zip(met.chunks(BULK_MET_ROW_ITEMS)) {
            write = write.progress(&ask.met_name(partition, row), items.as_flattened());
        }
        self.store.commit(write)?;
        Ok(())
    }

    /// Keeps what a store was made of, before it leaves.
    pub(super) fn bulk_shown_keep(
        &self,
        ask: &BulkAsk<'_>,
        partition: u32,
        shown: &Shown,
    ) -> Result<(), DeskError> {
        let Shown { attempt, seed, heard } = shown;
        let row = Zeroizing::new([&attempt.to_be_bytes()[..], &seed[..], heard].concat());
        self.store.commit(Write::new().progress(&ask.shown_name(partition), &row))?;
        Ok(())
    }

    /// The attempt at a partition that was stopped after its store may have left.
    pub(super) fn bulk_shown(
        &self,
        ask: &BulkAsk<'_>,
        partition: u32,
    ) -> Result<Option<Shown>, DeskError> {
        let Some(row) = self.store.progress_fetch(&ask.shown_name(partition))? else {
            return Ok(None);
        };
        let (attempt, rest) = row.split_first_chunk().ok_or_else(damaged)?;
        let (seed, heard) = rest.split_first_chunk().ok_or_else(damaged)?;
        let shown = Shown::new(u32::from_be_bytes(*attempt), *seed);
        Ok(Some(Shown { heard: heard.to_vec(), ..shown }))
    }

    pub(super) fn bulk_shown_forget(
        &self,
        ask: &BulkAsk<'_>,
        partition: u32,
    ) -> Result<(), DeskError> {
        self.store.commit(Write::new().progress_delete(&ask.shown_name(partition)))?;
        Ok(())
    }

    /// The partitions that are done.
    pub(super) fn bulk_done(&self, ask: &BulkAsk<'_>) -> Result<BTreeMap<u32, Done>, DeskError> {
        let prefix = ask.done_prefix();
        let mut all = BTreeMap::new();
        for (name, bytes) in self.store.progress_list(&prefix)? {
            let number = name.strip_prefix(&prefix);
            let number = number.and_then(|number| u32::from_str_radix(number, 16).ok());
            let done = symbolon_codec::decode(&bytes, DONE_BYTES_MAX).map_err(|_| damaged())?;
            all.insert(number.ok_or_else(damaged)?, done);
        }
        Ok(all)
    }

    /// The items that met in partitions that are done.
    pub(super) fn bulk_met(
        &self,
        ask: &BulkAsk<'_>,
        done: &BTreeMap<u32, Done>,
    ) -> Result<HashSet<[u8; 32]>, DeskError> {
        let mut all = HashSet::new();
        for (partition, done) in done {
            let before = all.len() as u64;
            for row in 0..done.met.div_ceil(BULK_MET_ROW_ITEMS as u64) {
                let items = self.store.progress_fetch(&ask.met_name(*partition, row))?;
                all.extend(items.ok_or_else(damaged)?.as_chunks::<32>().0);
            }
            if all.len() as u64 - before != done.met {
                return Err(damaged());
            }
        }
        Ok(all)
    }
}

fn damaged() -> DeskError {
    DeskError::internal("a match in the store is damaged")
}
