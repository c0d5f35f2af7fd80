//! The own log: recomputed, checked against its checkpoint, shown without contents.
//!
//! Implements spec/log.md.

use std::collections::BTreeMap;

use symbolon_audit::Event;
use symbolon_tlog::SignedCheckpoint;

use crate::api::{
    AuditEntry, AuditLeaves, AuditPage, AuditReport, AuditShow, LeavesPage, Nothing, Report,
};
use crate::desk::hex;
use crate::limits::{LEAVES_PAGE_MAX, PAGE_ROWS_MAX, SCAN_ENTRIES};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Recomputes the whole log from its entries.
    ///
    /// # Errors
    /// [`DeskError`] only where the log cannot be read at all; what does not hold is reported.
    pub fn audit_verify(
        &self,
        _officer: &Officer,
        _request: Nothing,
        report: &mut dyn Report,
    ) -> Result<AuditReport, DeskError> {
        let total = self.store.log_size();
        let mut problems = Vec::new();
        let progress = |done| report.progress("recomputing the log", done, Some(total));
        let head = match self.store.log_verify(progress) {
            Ok(head) => head,
            Err(error) => {
                problems.push(error.to_string());
                self.store.log_head()?
            }
        };
        let (size, checkpoint) = self.checkpoint()?;
        if let Err(problem) = self.checkpoint_check(size, &checkpoint) {
            problems.push(problem);
        }
        if let Some((kept, text)) = self.store.log_checkpoint_fetch()?
            && let Err(problem) = self.checkpoint_check(kept, &text)
        {
            problems.push(format!("the checkpoint kept earlier: {problem}"));
        }
        let mut entries: BTreeMap<String, u64> = BTreeMap::new();
        let mut from = 0;
        while from < head.size && problems.is_empty() {
            let page = self.store.log_scan(from, SCAN_ENTRIES)?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            for (_, logged) in page.iter().filter(|(index, _)| *index < head.size) {
                *entries.entry(logged.entry().event().name().to_owned()).or_default() += 1;
            }
        }
        let mut partners_seen = BTreeMap::new();
        for partner in self.partners().values() {
            if let Some(seen) = self.store.partner_seen(&partner.node())? {
                partners_seen.insert(partner.name().to_owned(), seen.size);
            }
        }
        Ok(AuditReport {
            holds: problems.is_empty(),
            size: head.size,
            root: hex(head.root.as_bytes()),
            entries,
            checkpoint,
            problems,
            partners_seen,
        })
    }

    /// Whether a signed checkpoint is of this log: both signatures, the size, and the root.
    fn checkpoint_check(&self, size: u64, text: &str) -> Result<(), String> {
        let verifier = self.identity().log.verifier();
        let signed = SignedCheckpoint::parse(text).map_err(|error| error.to_string())?;
        let checkpoint = verifier.verify(&signed).map_err(|error| error.to_string())?;
        let reader = self.store.log_reader().map_err(|error| error.to_string())?;
        let root = symbolon_tlog::root_from(&reader, size).map_err(|error| error.to_string())?;
        if checkpoint.size() == size && checkpoint.root() == root {
            Ok(())
        } else {
            Err("the log is not the one that was signed".to_owned())
        }
    }

    /// Entries of the log, without contents.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn audit_show(
        &self,
        _officer: &Officer,
        request: AuditShow,
        _report: &mut dyn Report,
    ) -> Result<AuditPage, DeskError> {
        let limit = request.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX) as usize;
        let mut entries = Vec::new();
        for (index, logged) in self.store.log_scan(request.from, limit)? {
            let entry = logged.entry();
            let partner = entry.event().partner().map(|node| match self.partner(&node) {
                Some(known) => known.name().to_owned(),
                None => node.to_string(),
            });
            entries.push(AuditEntry {
                index,
                at: entry.at(),
                kind: entry.event().name().to_owned(),
                partner,
                summary: format!("{} by {}", summary(entry.event()), entry.actor()),
            });
        }
        Ok(AuditPage { entries, size: self.store.log_size() })
    }

    /// A page of leaves for an export: anyone may have them, since they show nothing.
    ///
    /// # Errors
    /// [`DeskError`] from the store or the signer.
    pub fn audit_leaves(
        &self,
        _officer: &Officer,
        request: AuditLeaves,
        _report: &mut dyn Report,
    ) -> Result<LeavesPage, DeskError> {
        let limit = request.limit.unwrap_or(LEAVES_PAGE_MAX).clamp(1, LEAVES_PAGE_MAX) as usize;
        let leaves = self.store.log_leaves(request.from, limit)?;
        // Signed after the leaves were read, so it covers all of them.
        let (_, checkpoint) = self.checkpoint()?;
        Ok(LeavesPage {
            leaves: leaves.iter().map(|leaf| hex(leaf.as_bytes())).collect(),
            checkpoint,
            vkeys: self.identity().log.verifier().vkeys().to_vec(),
        })
    }
}

fn summary(event: &Event) -> String {
    let short = |digest: &[u8]| hex(digest).chars().take(16).collect::<String>();
    match event {
        Event::Card(card) => format!("card {} {:?}", card.sequence, card.act),
        Event::Agreement(agreement) => {
            format!("agreement {} {:?}", short(&agreement.digest), agreement.act)
        }
        Event::Policy(policy) => format!("policy {} {:?}", short(&policy.digest), policy.act),
        Event::EpochCard(card) => {
            format!("{} epoch {} serial {} {:?}", card.class, card.epoch, card.serial, card.act)
        }
        Event::Query(query) => {
            format!("{} epoch {}, {} elements", query.class, query.epoch, query.elements)
        }
        Event::Evaluation(evaluation) => format!(
            "{} epoch {}, {} elements, their leaf {}",
            evaluation.class, evaluation.epoch, evaluation.elements, evaluation.leaf_index
        ),
        Event::ConfirmSent(confirm) | Event::ConfirmReceived(confirm) => {
            format!("{} for {}, {}", confirm.class, confirm.purpose, short(&confirm.statement_hash))
        }
        Event::Disclosed(disclosed) => format!(
            "{} fields, statement {}",
            disclosed.fields.len(),
            short(&disclosed.statement_hash)
        ),
        Event::Refused(refused) => format!("{}: {}", refused.action, refused.reasons.join("; ")),
        Event::Received(received) => {
            format!("kind {}, statement {}", received.kind, short(&received.statement_hash))
        }
        Event::Receipt(receipt) => {
            format!("for {} {:?}", short(&receipt.statement_hash), receipt.act)
        }
        Event::Import(import) => format!(
            "run {}: {} rows, {} new, {} changed, {} refused",
            import.run, import.rows, import.created, import.changed, import.failed
        ),
        Event::Read(read) => format!("record {} {:?}", read.record, read.act),
        Event::Budget(budget) => {
            format!(
                "{} epoch {}, {} of {}",
                budget.class, budget.epoch, budget.amount, budget.limit
            )
        }
        Event::Admin(admin) => admin.act.clone(),
        Event::Heartbeat => String::new(),
        _ => "of a newer kind".to_owned(),
    }
}
