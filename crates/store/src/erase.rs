//! Retention: older entries lose their salt and body, and queries what they asked; leaves stay.
//!
//! Implements spec/log.md#erasure.
//!
//! Invariants: an erasure and the entry that says what was erased, and why, are one write; entries
//! whose kind is kept are never touched.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::limits::LIST_ITEMS_MAX;
use symbolon_audit::{ErasedEvent, Event, LeafRange, QueryEvent, QueryPrivate, Who};
use symbolon_codec::encode;

use crate::examine::merged;
use crate::limits::{FORGET_QUERIES, QUERY_DELAY_SECONDS_MAX, QUERY_SKEW_SECONDS, SCAN_ROWS_MAX};
use crate::store::decoded;
use crate::table::Table;
use crate::write::Write;
use crate::{Query, QueryId, Store, StoreError};

/// How far erasures have come: the first leaf that a later one may still have to look at, and the
/// ranges of all that are erased, so that nobody must read the whole log to know one of them.
const NOTE: &str = "log/erased";

/// What an erasure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Entries that lost their salt and body.
    pub entries: u64,
    /// Queries that lost their private part.
    pub queries: u64,
}

/// What is noted beside the log of all erasures.
#[derive(Default, Serialize_tuple, Deserialize_tuple)]
struct Note {
    cursor: u64,
    ranges: Vec<LeafRange>,
}

/// What one write of an erasure takes.
struct Part {
    ranges: Vec<LeafRange>,
    count: u64,
    /// The queries among the entries: leaf, time, event; in the order of the leaves.
    asked: Vec<(u64, u64, QueryEvent)>,
    /// The earliest and the latest of them.
    times: Option<(u64, u64)>,
    /// Where the next part begins.
    next: u64,
    /// The first leaf that stays for now.
    stays: Option<u64>,
    /// Whether everything from here on is too young.
    is_last: bool,
}

impl Store {
    /// How many entries an erasure of those before `before` would take.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_erasable(&self, before: u64) -> Result<u64, StoreError> {
        let (mut at, mut count) = (self.erase_note()?.cursor, 0);
        loop {
            let part = self.erase_part(at, before)?;
            count += part.count;
            at = part.next;
            if part.is_last {
                return Ok(count);
            }
        }
    }

    /// Erases the entries from before `before`, but for those whose kind is kept: their salts and
    /// bodies, and the private parts of their queries. `progress` is told how many are done.
    ///
    /// # Errors
    /// What reading or writing gives. What was done before stays done, and is in the log.
    pub fn log_erase(
        &self,
        who: Who<'_>,
        before: u64,
        reason: &str,
        mut progress: impl FnMut(u64),
    ) -> Result<Erased, StoreError> {
        let mut note = self.erase_note()?;
        let (mut at, mut stays, mut erased) = (note.cursor, None, Erased::default());
        loop {
            let part = self.erase_part(at, before)?;
            at = part.next;
            stays = stays.or(part.stays);
            let settled = stays.unwrap_or(part.next);
            if part.count > 0 {
                let queries = self.asked_in(&part)?;
                erased.entries += part.count;
                erased.queries += queries.len() as u64;
                let ranges = note.ranges.into_iter().chain(part.ranges.iter().copied());
                note = Note { cursor: settled, ranges: merged(ranges.collect()) };
                let (ranges, count, reason) = (part.ranges, part.count, reason.to_owned());
                let event = ErasedEvent { ranges, before, count, reason };
                let write = Write::new().log_erased(who, event).progress(NOTE, &encode(&note));
                let forget =
                    |write: Write, query: &Query| write.query(query).query_keys_delete(query.id);
                self.commit(queries.iter().fold(write, forget))?;
                progress(erased.entries);
            }
            if part.is_last {
                break;
            }
        }
        let settled = stays.unwrap_or(at);
        if settled > note.cursor {
            note.cursor = settled;
            self.commit(Write::new().progress(NOTE, &encode(&note)))?;
        }
        Ok(erased)
    }

    /// The leaves whose entries erasures have taken, in order, as noted beside the log. What the
    /// log itself says of them, [`Store::log_examine`] compares.
    ///
    /// # Errors
    /// What reading gives.
    pub fn log_erasures(&self) -> Result<Vec<LeafRange>, StoreError> {
        Ok(self.erase_note()?.ranges)
    }

    fn erase_note(&self) -> Result<Note, StoreError> {
        let kept = self.progress_fetch(NOTE)?;
        let kept = kept.map(|plain| decoded(Table::Progress, &plain)).transpose()?;
        Ok(kept.unwrap_or_default())
    }

    /// Looks at a page of leaves from `from` on. Entries follow each other in time but for a clock
    /// that was set: a page without a single older one ends the search.
    fn erase_part(&self, from: u64, before: u64) -> Result<Part, StoreError> {
        let (ranges, asked) = (Vec::new(), Vec::new());
        let (count, times, stays) = (0, None, None);
        let mut part = Part { ranges, count, asked, times, next: from, stays, is_last: true };
        for row in self.backend.log_rows(from, SCAN_ROWS_MAX)? {
            if row.cell.is_empty() {
                part.is_last = false;
                part.next = row.index + 1;
                continue;
            }
            let logged = self.logged(&row)?;
            let (at, event) = (logged.entry().at(), logged.entry().event());
            if at >= before || event.is_kept() {
                if !event.is_kept() {
                    part.stays = part.stays.or(Some(row.index));
                }
            } else if !part.push(row.index) {
                part.is_last = false;
                break;
            } else if let Event::Query(event) = event {
                part.asked.push((row.index, at, *event));
                let (first, last) = part.times.unwrap_or((at, at));
                part.times = Some((first.min(at), last.max(at)));
            }
            part.is_last &= at >= before;
            part.next = row.index + 1;
        }
        Ok(part)
    }

    /// The queries whose entries a part takes, found by the time in their names.
    fn asked_in(&self, part: &Part) -> Result<Vec<Query>, StoreError> {
        let Some((first, last)) = part.times else {
            return Ok(Vec::new());
        };
        let begin = first.saturating_sub(QUERY_SKEW_SECONDS).saturating_mul(1_000);
        let mut after = QueryId::generate(begin, [0; 32]);
        let mut found = Vec::new();
        loop {
            let page = self.query_list(Some(after), FORGET_QUERIES)?;
            let Some(newest) = page.last() else { return Ok(found) };
            after = newest.id;
            let is_beyond = newest.asked_at > last.saturating_add(QUERY_SKEW_SECONDS);
            found.extend(page.into_iter().filter_map(|query| part.forgotten(query)));
            if is_beyond {
                return Ok(found);
            }
        }
    }
}

impl Part {
    /// Takes a leaf; refuses it where one more range does not fit into an entry.
    fn push(&mut self, index: u64) -> bool {
        let is_full = self.ranges.len() == LIST_ITEMS_MAX;
        match self.ranges.last_mut() {
            Some(last) if last.to == index => last.to += 1,
            _ if is_full => return false,
            _ => self.ranges.push(LeafRange { from: index, to: index + 1 }),
        }
        self.count += 1;
        true
    }

    /// The query without what it asked, if its entry is in this part.
    fn forgotten(&self, query: Query) -> Option<Query> {
        if query.private.is_empty() {
            return None;
        }
        let leaf = match query.leaf_index {
            Some(index) => {
                self.asked.binary_search_by_key(&index, |(asked, ..)| *asked).ok().map(|_| index)
            }
            None => self.leaf_of(&query),
        };
        leaf.map(|leaf| query.forget(leaf))
    }

    /// A query that was never answered does not know its leaf; the digest of its private part does.
    fn leaf_of(&self, query: &Query) -> Option<u64> {
        let private = QueryPrivate::decode(&query.private).ok()?;
        let is_of = |at: u64, event: &QueryEvent| {
            at.abs_diff(query.asked_at) <= QUERY_DELAY_SECONDS_MAX
                && private.digest(&event.salt) == event.private_digest
        };
        let found = self.asked.iter().find(|(_, at, event)| is_of(*at, event));
        found.map(|(leaf, ..)| *leaf)
    }
}
