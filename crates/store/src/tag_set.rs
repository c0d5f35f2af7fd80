//! Tag sets, own and received, in chunks of 256 tags: put, served and searched one chunk at a time.
//!
//! Implements spec/store.md#tag-sets.
//!
//! Invariant: a complete set ascends strictly over all its chunks, so a binary search is right.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::{Digest, Sha256};
use symbolon_codec::encode;
use symbolon_ident::Class;
use symbolon_oprf::{Tag, TagLookup};
use symbolon_trust::NodeId;
use zeroize::Zeroizing;

use crate::backend::{Expect, Op};
use crate::limits::{CHUNK_TAGS, CHUNKS_MAX, DIRECTORIES_CACHED_MAX, SCAN_ROWS_MAX, TAG_BYTES};
use crate::store::decoded;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// Rows of the detail table that are not a chunk's lie behind the last chunk.
const ABOUT: u32 = u32::MAX;
const DIRECTORY: u32 = u32::MAX - 1;

/// Whose list a set stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetSide {
    /// This node's, for the partner to match against.
    Own,
    /// The partner's, to match against here.
    Received,
}

/// Names one tag set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetKey {
    /// Whose list.
    pub side: SetSide,
    /// The partner.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// The serial within the epoch.
    pub serial: u64,
}

/// Whether a set can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetState {
    /// Chunks are still to come.
    Building,
    /// All chunks are there, in order.
    Complete,
}

/// What is known of a set without its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SetHead {
    /// Whether it can be searched.
    pub state: SetState,
    /// Chunks that are there: the number of the next one while building.
    pub chunks: u32,
    /// Tags that are there.
    pub tags: u64,
    /// When it was begun, in Unix seconds.
    pub begun_at: u64,
}

/// One chunk.
#[derive(Clone)]
pub struct SetChunk {
    /// The tags, 16 bytes each, ascending: 256 of them, fewer in the last chunk only.
    pub tags: Vec<u8>,
    /// What the owner keeps beside them: records and commitments. Empty in a received set.
    pub detail: Vec<u8>,
}

/// A tag's place in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPlace {
    /// The chunk.
    pub chunk: u32,
    /// The position within it.
    pub position: usize,
}

/// A change to the tag sets.
pub(crate) enum TagSetStep {
    Begin { set: SetKey, about: Vec<u8>, now: u64 },
    Chunks { set: SetKey, first: u32, chunks: Vec<SetChunk> },
    Finish { set: SetKey, about: Option<Vec<u8>> },
    Delete(SetKey),
}

impl SetKey {
    /// side ‖ partner ‖ class ‖ epoch ‖ serial, of fixed lengths.
    fn encode(&self) -> Vec<u8> {
        let mut key = Self::prefix(self.side, &self.partner, self.class, self.epoch);
        key.extend_from_slice(&self.serial.to_be_bytes());
        key
    }

    /// What the names of all serials begin with.
    fn prefix(side: SetSide, partner: &NodeId, class: Class, epoch: u64) -> Vec<u8> {
        let mut key = vec![side_code(side)];
        key.extend_from_slice(partner.as_bytes());
        key.push(class.code());
        key.extend_from_slice(&epoch.to_be_bytes());
        key
    }

    fn decode(key: &[u8]) -> Option<Self> {
        let (side, rest) = key.split_first()?;
        let side = match side {
            1 => SetSide::Own,
            2 => SetSide::Received,
            _ => return None,
        };
        let (partner, rest) = rest.split_first_chunk::<32>()?;
        let (class, rest) = rest.split_first()?;
        let (epoch, serial) = rest.split_first_chunk::<8>()?;
        Some(Self {
            side,
            partner: NodeId::from_bytes(*partner),
            class: Class::ALL.iter().copied().find(|own| own.code() == *class)?,
            epoch: u64::from_be_bytes(*epoch),
            serial: u64::from_be_bytes(serial.try_into().ok()?),
        })
    }

    fn row(&self, number: u32) -> Vec<u8> {
        let mut key = self.encode();
        key.extend_from_slice(&number.to_be_bytes());
        key
    }
}

const fn side_code(side: SetSide) -> u8 {
    match side {
        SetSide::Own => 1,
        SetSide::Received => 2,
    }
}

impl Write {
    /// Begins a set; `about` is kept with it (its epoch card). [`StoreError::Conflict`] if it is
    /// there already.
    pub fn tag_set_begin(self, set: SetKey, about: Vec<u8>, now: u64) -> Self {
        self.step(Step::TagSet(TagSetStep::Begin { set, about, now }))
    }

    /// Adds chunks to a set that is being built, the first of them number `first`. At most one
    /// such step for each set and write.
    pub fn tag_set_chunks(self, set: SetKey, first: u32, chunks: Vec<SetChunk>) -> Self {
        self.step(Step::TagSet(TagSetStep::Chunks { set, first, chunks }))
    }

    /// Ends the building of a set whose chunks are all durable, checks their order and makes the
    /// directory of its chunks. `about` replaces what was kept with it.
    pub fn tag_set_finish(self, set: SetKey, about: Option<Vec<u8>>) -> Self {
        self.step(Step::TagSet(TagSetStep::Finish { set, about }))
    }

    /// Removes a set.
    pub fn tag_set_delete(self, set: SetKey) -> Self {
        self.step(Step::TagSet(TagSetStep::Delete(set)))
    }
}

impl Store {
    /// What is known of a set.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_fetch(&self, set: &SetKey) -> Result<Option<SetHead>, StoreError> {
        let plain = self.opened(Table::TagSet, &set.encode())?;
        plain.map(|plain| decoded(Table::TagSet, &plain)).transpose()
    }

    /// What was kept with a set.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_about(&self, set: &SetKey) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.opened(Table::TagDetail, &set.row(ABOUT))
    }

    /// The newest complete set of one class and epoch with one partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_newest(
        &self,
        side: SetSide,
        partner: &NodeId,
        class: Class,
        epoch: u64,
    ) -> Result<Option<(SetKey, SetHead)>, StoreError> {
        let sets = self.sets_under(&SetKey::prefix(side, partner, class, epoch))?;
        Ok(sets.into_iter().rfind(|(_, head)| head.state == SetState::Complete))
    }

    /// All sets of one side, with all partners or one, in the order of their names.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_list(
        &self,
        side: SetSide,
        partner: Option<&NodeId>,
    ) -> Result<Vec<(SetKey, SetHead)>, StoreError> {
        let mut prefix = vec![side_code(side)];
        prefix.extend(partner.into_iter().flat_map(|partner| *partner.as_bytes()));
        self.sets_under(&prefix)
    }

    fn sets_under(&self, prefix: &[u8]) -> Result<Vec<(SetKey, SetHead)>, StoreError> {
        let rows = self.backend.scan(Table::TagSet, prefix, None, SCAN_ROWS_MAX)?;
        let sets = rows.iter().map(|row| {
            let plain = self.crypter.open(&self.cell(Table::TagSet, &row.key), &row.value)?;
            let set = SetKey::decode(&row.key);
            let set = set.ok_or(StoreError::Damaged { what: "a tag set's name" })?;
            Ok((set, decoded(Table::TagSet, &plain)?))
        });
        sets.collect()
    }

    /// The tags of one chunk, as they travel.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_tags(
        &self,
        set: &SetKey,
        chunk: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.opened(Table::TagChunk, &set.row(chunk))
    }

    /// What the owner keeps beside the tags of one chunk.
    ///
    /// # Errors
    /// What reading gives.
    pub fn tag_set_detail(
        &self,
        set: &SetKey,
        chunk: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        if chunk >= CHUNKS_MAX {
            return Ok(None);
        }
        self.opened(Table::TagDetail, &set.row(chunk))
    }

    /// Where a complete set has each of `tags`, in the order given.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the set is not there or not complete, or what reading gives.
    pub fn tag_set_find(
        &self,
        set: &SetKey,
        tags: &[Tag],
    ) -> Result<Vec<Option<SetPlace>>, StoreError> {
        let directory = self.directory(set)?;
        let mut open: Option<(u32, Zeroizing<Vec<u8>>)> = None;
        let mut places = Vec::with_capacity(tags.len());
        for tag in tags {
            // The last chunk that does not begin behind the tag is the only one that can hold it.
            let behind = directory.0.partition_point(|first| first <= tag.as_bytes());
            let Some(chunk) = behind.checked_sub(1).and_then(|at| u32::try_from(at).ok()) else {
                places.push(None);
                continue;
            };
            if open.as_ref().is_none_or(|(number, _)| *number != chunk) {
                let missing = StoreError::Damaged { what: "a chunk of a tag set is missing" };
                open = Some((chunk, self.tag_set_tags(set, chunk)?.ok_or(missing)?));
            }
            let found = open.as_ref().and_then(|(_, bytes)| {
                bytes.as_chunks::<TAG_BYTES>().0.binary_search(tag.as_bytes()).ok()
            });
            places.push(found.map(|position| SetPlace { chunk, position }));
        }
        Ok(places)
    }

    /// A complete set as the receiver of the OPRF asks it.
    #[must_use]
    pub const fn tag_set_lookup(&self, set: SetKey) -> SetLookup<'_> {
        SetLookup { store: self, set }
    }

    pub(crate) fn prepare_tag_set(
        &self,
        step: TagSetStep,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        match step {
            TagSetStep::Begin { set, about, now } => {
                let head = SetHead { state: SetState::Building, chunks: 0, tags: 0, begun_at: now };
                let key = set.encode();
                ops.push(self.sealed(Table::TagSet, key, &encode(&head), Expect::Absent)?);
                let key = set.row(ABOUT);
                ops.push(self.sealed(Table::TagDetail, key, &about, Expect::Any)?);
                Ok(())
            }
            TagSetStep::Chunks { set, first, chunks } => self.put_chunks(&set, first, chunks, ops),
            TagSetStep::Finish { set, about } => self.finish(&set, about, ops),
            TagSetStep::Delete(set) => {
                self.directories.forget(&set);
                let key = set.encode();
                ops.push(Op::DeletePrefix { table: Table::TagChunk, prefix: key.clone() });
                ops.push(Op::DeletePrefix { table: Table::TagDetail, prefix: key.clone() });
                ops.push(Op::Delete { table: Table::TagSet, key, expect: Expect::Any });
                Ok(())
            }
        }
    }

    /// The head of a set that is being built, and what to expect of its row.
    fn building(&self, set: &SetKey) -> Result<(SetHead, Expect), StoreError> {
        let key = set.encode();
        let sealed = self.backend.fetch(Table::TagSet, &key)?;
        let sealed = sealed.ok_or(StoreError::Absent { what: "tag set" })?;
        let plain = self.crypter.open(&self.cell(Table::TagSet, &key), &sealed)?;
        let head: SetHead = decoded(Table::TagSet, &plain)?;
        if head.state != SetState::Building {
            return Err(StoreError::TagSet { what: "building has ended" });
        }
        Ok((head, Expect::Digest(Sha256::digest(&sealed).into())))
    }

    fn put_chunks(
        &self,
        set: &SetKey,
        first: u32,
        chunks: Vec<SetChunk>,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        let (mut head, expect) = self.building(set)?;
        if head.chunks != first {
            return Err(StoreError::TagSet { what: "next chunk is another" });
        }
        for chunk in chunks {
            let tags = chunk.tags.len() / TAG_BYTES;
            let whole = chunk.tags.len() % TAG_BYTES == 0 && (1..=CHUNK_TAGS).contains(&tags);
            if !whole || head.tags % CHUNK_TAGS as u64 != 0 || head.chunks >= CHUNKS_MAX {
                return Err(StoreError::TagSet { what: "chunk is misshapen" });
            }
            let key = set.row(head.chunks);
            if !chunk.detail.is_empty() {
                let detail = Zeroizing::new(chunk.detail);
                ops.push(self.sealed(Table::TagDetail, key.clone(), &detail, Expect::Absent)?);
            }
            ops.push(self.sealed(Table::TagChunk, key, &chunk.tags, Expect::Absent)?);
            head.chunks += 1;
            head.tags += tags as u64;
        }
        ops.push(self.sealed(Table::TagSet, set.encode(), &encode(&head), expect)?);
        Ok(())
    }

    fn finish(
        &self,
        set: &SetKey,
        about: Option<Vec<u8>>,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        let (mut head, expect) = self.building(set)?;
        let mut directory = Zeroizing::new(Vec::new());
        let mut last: Option<[u8; TAG_BYTES]> = None;
        for chunk in 0..head.chunks {
            let missing = StoreError::Damaged { what: "a chunk of a tag set is missing" };
            let bytes = self.tag_set_tags(set, chunk)?.ok_or(missing)?;
            let tags = bytes.as_chunks::<TAG_BYTES>().0;
            for tag in tags {
                if last.is_some_and(|last| last >= *tag) {
                    return Err(StoreError::TagSet { what: "tags do not ascend" });
                }
                last = Some(*tag);
            }
            directory.extend(tags.first().into_iter().flatten());
        }
        let key = set.row(DIRECTORY);
        ops.push(self.sealed(Table::TagDetail, key, &directory, Expect::Any)?);
        if let Some(about) = about {
            ops.push(self.sealed(Table::TagDetail, set.row(ABOUT), &about, Expect::Any)?);
        }
        head.state = SetState::Complete;
        ops.push(self.sealed(Table::TagSet, set.encode(), &encode(&head), expect)?);
        Ok(())
    }

    /// The first tag of each chunk.
    fn directory(&self, set: &SetKey) -> Result<Directory, StoreError> {
        if let Some(known) = self.directories.fetch(set) {
            return Ok(known);
        }
        let plain = self.opened(Table::TagDetail, &set.row(DIRECTORY))?;
        let plain = plain.ok_or(StoreError::Absent { what: "complete tag set" })?;
        let directory = Directory(Arc::from(plain.as_chunks::<TAG_BYTES>().0));
        self.directories.keep(*set, &directory);
        Ok(directory)
    }
}

/// A complete set to look tags up in.
pub struct SetLookup<'a> {
    store: &'a Store,
    set: SetKey,
}

impl TagLookup for SetLookup<'_> {
    type Error = StoreError;

    fn contains(&self, tags: &[Tag]) -> Result<Vec<bool>, StoreError> {
        let places = self.store.tag_set_find(&self.set, tags)?;
        Ok(places.iter().map(Option::is_some).collect())
    }
}

/// The first tag of each chunk.
#[derive(Clone)]
struct Directory(Arc<[[u8; TAG_BYTES]]>);

/// The directories used last, the most recent at the end.
#[derive(Default)]
pub(crate) struct Directories(Mutex<Vec<(SetKey, Directory)>>);

impl Directories {
    fn fetch(&self, set: &SetKey) -> Option<Directory> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(own, _)| own == set)?;
        let found = kept.remove(at);
        let directory = found.1.clone();
        kept.push(found);
        Some(directory)
    }

    fn keep(&self, set: SetKey, directory: &Directory) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= DIRECTORIES_CACHED_MAX {
            kept.remove(0);
        }
        kept.push((set, directory.clone()));
    }

    fn forget(&self, set: &SetKey) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(own, _)| own != set);
    }
}
