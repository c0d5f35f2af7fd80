//! A query opened for an auditor: what was asked, of whom, by whom, why, and the proof of it.
//!
//! Implements spec/accountability.md#opening.
//!
//! Invariant: that a query was opened, by whom and why, is durable before anything of it is shown.

use serde_bytes::ByteBuf;
use symbolon_audit::{Event, Logged, QueryEvent, QueryPrivate, ReopenedQuery, ReopenedSet};
use symbolon_ident::KeyParts;
use symbolon_store::{Query, QueryState};
use symbolon_tlog::verify_inclusion;
use symbolon_trust::NodeId;

use crate::api::{AuditOpen, AuditOpened, OpenedKey, OpenedQuery, Report};
use crate::desk::hex;
use crate::limits::{PAGE_ROWS_MAX, SCAN_ENTRIES};
use crate::read::{Shown, reason_given};
use crate::{Desk, DeskError, Officer};

/// A row of a set's keys, in bytes at most.
const SET_ROW_BYTES_MAX: usize = 512 << 10;

impl Desk {
    /// Opens every batch of a query or an exchange, and recomputes it from identifiers and blinds.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown query, a missing reason, or an auditor to whom the query is not
    /// opened. What does not hold is reported.
    pub fn audit_open(
        &self,
        officer: &Officer,
        request: AuditOpen,
        report: &mut dyn Report,
    ) -> Result<AuditOpened, DeskError> {
        let reason = reason_given(&request.reason)?;
        let (scope, queries) = self.query_scope(&request.query)?;
        let sight = self.query_sight(officer, &scope, &queries)?;
        let count = queries.len();
        self.note_shown(&sight, Shown { object: "query", id: scope, count, reason })?;
        let total = Some(queries.len() as u64);
        let mut opened = Vec::with_capacity(queries.len());
        for (done, query) in (1..).zip(&queries) {
            opened.push(self.query_opened(query));
            report.progress("recomputing what was asked", done, total);
        }
        let holds = opened.iter().all(|query| query.problem.is_none());
        Ok(AuditOpened { holds, queries: opened })
    }

    /// A query, an exchange or one batch by its id: the id as this node writes it, and its batches.
    pub(crate) fn query_scope(&self, name: &str) -> Result<(String, Vec<Query>), DeskError> {
        let queries = self.queries_named(name)?;
        let first = queries.first().ok_or_else(|| {
            DeskError::not_found(
                "there is no such query",
                "give the id that 'symbolon query' or 'symbolon exchange run' printed",
            )
        })?;
        let whole = hex(&first.group);
        let plain: String = name.chars().filter(|c| *c != '-').collect();
        let scope = if plain == whole { whole } else { hex(first.id.as_bytes()) };
        Ok((scope, queries))
    }

    fn queries_named(&self, name: &str) -> Result<Vec<Query>, DeskError> {
        let name: String = name.chars().filter(|c| *c != '-').collect();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.query_list(after, PAGE_ROWS_MAX as usize)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.id);
            found.extend(
                page.into_iter()
                    .filter(|query| hex(&query.group) == name || hex(query.id.as_bytes()) == name),
            );
        }
    }

    fn query_opened(&self, query: &Query) -> OpenedQuery {
        let mut shown = OpenedQuery {
            id: query.id.to_string(),
            partner: self.name_of(query.partner),
            class: query.class.to_string(),
            epoch: query.epoch,
            officer: String::new(),
            purpose: String::new(),
            legal_basis: String::new(),
            case: String::new(),
            asked_at: query.asked_at,
            state: state_name(query.state).to_owned(),
            leaf_index: None,
            elements: 0,
            keys: Vec::new(),
            erased: false,
            problem: None,
        };
        if query.private.is_empty() {
            match self.erased_at(query) {
                Ok(leaf) => (shown.leaf_index, shown.erased) = (Some(leaf), true),
                Err(problem) => shown.problem = Some(problem),
            }
            return shown;
        }
        match self.reopen(query, &mut shown) {
            Ok((private, keys)) => {
                // What is proved, in place of what the row says.
                shown.partner = self.name_of(private.partner);
                shown.class = private.class.to_string();
                shown.epoch = private.epoch;
                shown.officer.clone_from(&private.officer);
                shown.purpose.clone_from(&private.purpose);
                shown.legal_basis.clone_from(&private.legal_basis);
                shown.case.clone_from(&private.case);
                shown.keys = keys;
            }
            Err(problem) => shown.problem = Some(problem),
        }
        shown
    }

    /// The leaf of a query that was erased with its entry; a problem where it was not.
    fn erased_at(&self, query: &Query) -> Result<u64, String> {
        const GONE: &str = "what was asked is gone, and no erasure covers it";
        let leaf = query.leaf_index.ok_or(GONE)?;
        let erasures = self.store.log_erasures().map_err(|error| error.to_string())?;
        let is_covered = erasures.iter().any(|range| (range.from..range.to).contains(&leaf));
        if is_covered { Ok(leaf) } else { Err(GONE.to_owned()) }
    }

    pub(crate) fn name_of(&self, node: NodeId) -> String {
        self.partner(&node).map_or(node.to_string(), |known| known.name().to_owned())
    }

    fn reopen(
        &self,
        query: &Query,
        shown: &mut OpenedQuery,
    ) -> Result<(QueryPrivate, Vec<OpenedKey>), String> {
        let private = QueryPrivate::decode(&query.private).map_err(|error| error.to_string())?;
        let (index, logged, event) = self.logged_query(query, &private)?;
        shown.leaf_index = Some(index);
        shown.asked_at = logged.entry().at();
        shown.elements = u64::from(event.elements);
        self.in_the_log(index, &logged)?;
        if ReopenedSet::is_one(&private) {
            return self.reopen_set(query, &event, private);
        }
        let reopened = ReopenedQuery::verify(&event, private).map_err(|error| error.to_string())?;
        let keys = reopened.keys().map(OpenedKey::new).collect();
        Ok((reopened.private().clone(), keys))
    }

    /// A whole set: its keys are kept beside the query.
    fn reopen_set(
        &self,
        query: &Query,
        event: &QueryEvent,
        private: QueryPrivate,
    ) -> Result<(QueryPrivate, Vec<OpenedKey>), String> {
        let rows = self.store.query_keys(query.id).map_err(|error| error.to_string())?;
        let mut keys: Vec<ByteBuf> = Vec::new();
        for row in rows {
            let row: Vec<ByteBuf> = symbolon_codec::decode(&row, SET_ROW_BYTES_MAX)
                .map_err(|_| "a row of its keys is damaged".to_owned())?;
            keys.extend(row);
        }
        keys.sort_unstable();
        keys.dedup();
        let bytes = keys.iter().map(|key| key.as_slice());
        let set = ReopenedSet::verify(event, private, bytes).map_err(|error| error.to_string())?;
        let keys = keys.iter().map(|key| OpenedKey::new(KeyParts::decode(key).ok()));
        Ok((set.private().clone(), keys.collect()))
    }

    /// The log's entry of a query: where it says, or, where an answer never came, wherever the
    /// digest of its private part stands.
    fn logged_query(
        &self,
        query: &Query,
        private: &QueryPrivate,
    ) -> Result<(u64, Logged, QueryEvent), String> {
        let of_a_query = |logged: &Logged| match logged.entry().event() {
            Event::Query(event) => Some(*event),
            _ => None,
        };
        if let Some(index) = query.leaf_index {
            let logged = self.store.log_entry_fetch(index).map_err(|error| error.to_string())?;
            let logged = logged.ok_or("its leaf is missing from the log")?;
            let event = of_a_query(&logged).ok_or("its leaf in the log is of something else")?;
            return Ok((index, logged, event));
        }
        let mut from = 0;
        loop {
            let page =
                self.store.log_scan(from, SCAN_ENTRIES).map_err(|error| error.to_string())?;
            let (last, _) = page.last().ok_or("its leaf is missing from the log")?;
            from = last + 1;
            let found = page.into_iter().find_map(|(index, logged)| {
                let event = of_a_query(&logged)?;
                let is_it = logged.entry().at() == query.asked_at
                    && private.digest(&event.salt) == event.private_digest;
                is_it.then_some((index, logged, event))
            });
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// Whether the leaf lies where the log says, under the log's own root.
    fn in_the_log(&self, index: u64, logged: &Logged) -> Result<(), String> {
        let head = self.store.log_head().map_err(|error| error.to_string())?;
        let proof =
            self.store.log_inclusion(index, head.size).map_err(|error| error.to_string())?;
        verify_inclusion(logged.leaf().leaf_hash(), index, head.size, &proof, head.root)
            .map(|_| ())
            .map_err(|_| "its leaf is not the one in the log".to_owned())
    }
}

fn state_name(state: QueryState) -> &'static str {
    match state {
        QueryState::Committed => "committed",
        QueryState::Answered => "answered",
        QueryState::NotAsked => "not_asked",
        QueryState::OutOfBudget => "out_of_budget",
    }
}
