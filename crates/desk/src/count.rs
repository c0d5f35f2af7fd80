//! What happened, as numbers: by partner and kind, for officers and auditors. Shows no contents.
//!
//! Implements spec/accountability.md#roles.

use std::collections::BTreeMap;

use symbolon_store::Way;
use symbolon_trust::NodeId;

use crate::api::{AuditCounts, CountRow, CountsShown, Report};
use crate::hit::state_name;
use crate::limits::{SCAN_ENTRIES, SCAN_STATEMENTS};
use crate::{Desk, DeskError, Officer};

/// Counts under a partner's name, or none, and a word.
#[derive(Default)]
struct Tally(BTreeMap<(Option<NodeId>, String), u64>);

impl Tally {
    fn add(&mut self, partner: Option<NodeId>, what: &str) {
        *self.0.entry((partner, what.to_owned())).or_default() += 1;
    }

    fn rows(self, desk: &Desk) -> Vec<CountRow> {
        let rows = self.0.into_iter().map(|((partner, what), count)| CountRow {
            partner: partner.map(|node| desk.name_of(node)),
            what,
            count,
        });
        rows.collect()
    }
}

impl Desk {
    /// Entries, hits and statements of a time, by partner and kind.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn audit_counts(
        &self,
        _officer: &Officer,
        request: AuditCounts,
        report: &mut dyn Report,
    ) -> Result<CountsShown, DeskError> {
        let (from, to) = (request.from.unwrap_or(0), request.to.unwrap_or(u64::MAX));
        let within = |at: u64| (from..to).contains(&at);
        let (size, mut entries, mut at) = (self.store.log_size(), Tally::default(), 0);
        loop {
            let page = self.store.log_scan(at, SCAN_ENTRIES)?;
            let Some((last, _)) = page.last() else { break };
            at = last + 1;
            for (_, logged) in page.iter().filter(|(_, logged)| within(logged.entry().at())) {
                let event = logged.entry().event();
                entries.add(event.partner(), event.name());
            }
            report.progress("counting entries", at, Some(size));
        }
        let mut hits = Tally::default();
        for hit in self.hits()?.iter().filter(|hit| within(hit.found_at)) {
            hits.add(Some(hit.partner), state_name(hit.state));
        }
        let (mut statements, mut after) = (Tally::default(), None);
        loop {
            let page = self.store.evidence_list(after.as_ref(), SCAN_STATEMENTS)?;
            let Some(last) = page.last() else { break };
            after = Some(last.statement_hash);
            for kept in page.iter().filter(|kept| within(kept.at)) {
                let way = match kept.way {
                    Way::Sent => "sent",
                    Way::Received => "received",
                };
                statements.add(Some(kept.partner), way);
            }
        }
        let erased = self.store.log_erasures()?;
        Ok(CountsShown {
            log_size: size,
            erased: erased.iter().map(|range| range.to - range.from).sum(),
            entries: entries.rows(self),
            hits: hits.rows(self),
            statements: statements.rows(self),
            records: self.store.record_count()?,
        })
    }
}
