//! A query opened for an auditor: what was asked, of whom, by whom, why, and the proof of it.
//!
//! Implements spec/accountability.md#opening.
//!
//! Invariant: that a query was opened, by whom and why, is durable before anything of it is shown.

use symbolon_audit::{Entry, Event, Logged, QueryEvent, QueryPrivate, ReopenedQuery};
use symbolon_codec::sha256;
use symbolon_store::{Query, QueryState, Write};
use symbolon_tlog::verify_inclusion;
use symbolon_trust::NodeId;

use crate::api::{AuditOpen, AuditOpened, OpenedKey, OpenedQuery, Report};
use crate::desk::hex;
use crate::limits::{PAGE_ROWS_MAX, REASON_BYTES_MAX, SCAN_ENTRIES};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Opens every batch of a query or an exchange, and recomputes it from identifiers and blinds.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown query or a missing reason. What does not hold is reported.
    pub fn audit_open(
        &self,
        officer: &Officer,
        request: AuditOpen,
        report: &mut dyn Report,
    ) -> Result<AuditOpened, DeskError> {
        if request.reason.is_empty() || request.reason.len() > REASON_BYTES_MAX {
            return Err(DeskError::invalid(
                "opening a query needs a reason",
                format!("give --reason, {REASON_BYTES_MAX} bytes at most; it goes into the log"),
            ));
        }
        let queries = self.queries_named(&request.query)?;
        if queries.is_empty() {
            return Err(DeskError::not_found(
                "there is no such query",
                "give the id that 'symbolon query' or 'symbolon exchange run' printed",
            ));
        }
        let group = queries.first().map(|query| query.group).unwrap_or_default();
        // The id as this node writes it: one padded by the caller could crowd out the reason.
        let act = format!("query {} opened: {}", hex(&group), request.reason);
        let digest = sha256("", &[&group]);
        let write = Write::new().log(Entry::admin(self.who(officer), &act, digest));
        self.store.commit(write)?;
        let total = Some(queries.len() as u64);
        let mut opened = Vec::with_capacity(queries.len());
        for (done, query) in (1..).zip(&queries) {
            opened.push(self.query_opened(query));
            report.progress("recomputing what was asked", done, total);
        }
        let holds = opened.iter().all(|query| query.problem.is_none());
        Ok(AuditOpened { holds, queries: opened })
    }

    /// All batches under the id of one of them, of the query, or of the exchange.
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
            problem: None,
        };
        match self.reopen(query, &mut shown) {
            Ok(reopened) => {
                let private = reopened.private();
                // What is proved, in place of what the row says.
                shown.partner = self.name_of(private.partner);
                shown.class = private.class.to_string();
                shown.epoch = private.epoch;
                shown.officer.clone_from(&private.officer);
                shown.purpose.clone_from(&private.purpose);
                shown.legal_basis.clone_from(&private.legal_basis);
                shown.case.clone_from(&private.case);
                shown.keys = reopened.keys().map(OpenedKey::new).collect();
            }
            Err(problem) => shown.problem = Some(problem),
        }
        shown
    }

    pub(crate) fn name_of(&self, node: NodeId) -> String {
        self.partner(&node).map_or(node.to_string(), |known| known.name().to_owned())
    }

    fn reopen(&self, query: &Query, shown: &mut OpenedQuery) -> Result<ReopenedQuery, String> {
        let private = QueryPrivate::decode(&query.private).map_err(|error| error.to_string())?;
        let (index, logged, event) = self.logged_query(query, &private)?;
        shown.leaf_index = Some(index);
        shown.asked_at = logged.entry().at();
        shown.elements = u64::from(event.elements);
        self.in_the_log(index, &logged)?;
        ReopenedQuery::verify(&event, private).map_err(|error| error.to_string())
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
