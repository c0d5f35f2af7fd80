//! The own log: recomputed, checked against its checkpoint, shown without contents.
//!
//! Implements spec/log.md.

use std::collections::BTreeMap;

use symbolon_audit::{AlertEvent, DeletedEvent, Event, Logged, OpeningEvent};
use symbolon_store::Examined;
use symbolon_tlog::SignedCheckpoint;

use crate::api::{
    AuditEntry, AuditLeaves, AuditPage, AuditReport, AuditShow, LeavesPage, Nothing, Report,
};
use crate::desk::hex;
use crate::limits::{LEAVES_PAGE_MAX, PAGE_ROWS_MAX};
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
        let mut entries: BTreeMap<String, u64> = BTreeMap::new();
        let examined = self.store.log_examine(&mut |index, logged| {
            if let Some(logged) = logged {
                *entries.entry(logged.entry().event().name().to_owned()).or_default() += 1;
            }
            report.progress("recomputing the log", index + 1, Some(total));
        });
        let (head, erased, missing, mut problems) = match examined {
            Ok(examined) => {
                let problems = problems(&examined);
                (examined.head, examined.erased, examined.missing, problems)
            }
            Err(error) => (self.store.log_head()?, 0, Vec::new(), vec![error.to_string()]),
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
            erased,
            missing,
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
        let page = self.store.log_page(request.from, limit)?;
        let erasures = self.store.log_erasures()?;
        let entries = page.into_iter().map(|(index, logged)| match logged {
            Some(logged) => self.entry_shown(index, &logged),
            None => {
                let is_erased =
                    erasures.iter().any(|range| (range.from..range.to).contains(&index));
                let summary = match is_erased {
                    true => "erased: salt and body are destroyed, the leaf stays".to_owned(),
                    false => "MISSING: no erasure covers it".to_owned(),
                };
                AuditEntry { index, at: 0, kind: "gone".to_owned(), partner: None, summary }
            }
        });
        Ok(AuditPage { entries: entries.collect(), size: self.store.log_size() })
    }

    fn entry_shown(&self, index: u64, logged: &Logged) -> AuditEntry {
        let entry = logged.entry();
        AuditEntry {
            index,
            at: entry.at(),
            kind: entry.event().name().to_owned(),
            partner: entry.event().partner().map(|node| self.name_of(node)),
            summary: format!("{} by {}", summary(entry.event()), entry.actor()),
        }
    }

    /// A page of leaves for an export: anyone may have them, since they show nothing. That they
    /// were taken is logged, once for each export.
    ///
    /// # Errors
    /// [`DeskError`] from the store or the signer, or for an export that was not begun.
    pub fn audit_leaves(
        &self,
        officer: &Officer,
        request: AuditLeaves,
        _report: &mut dyn Report,
    ) -> Result<LeavesPage, DeskError> {
        let limit = request.limit.unwrap_or(LEAVES_PAGE_MAX).clamp(1, LEAVES_PAGE_MAX) as usize;
        let export = self.export_noted(officer, request.export, &request.reason)?;
        let leaves = self.store.log_leaves(request.from, limit)?;
        // Signed after the leaves were read, so it covers all of them.
        let (_, checkpoint) = self.checkpoint()?;
        Ok(LeavesPage {
            leaves: leaves.iter().map(|leaf| hex(leaf.as_bytes())).collect(),
            export,
            checkpoint,
            vkeys: self.identity().log.verifier().vkeys().to_vec(),
        })
    }
}

/// What an examination found, in words.
fn problems(examined: &Examined) -> Vec<String> {
    let mut problems = Vec::new();
    let mut named = |leaves: &[u64], count: u64, words: &str| {
        problems.extend(leaves.iter().map(|leaf| format!("leaf {leaf}: {words}")));
        let rest = count - leaves.len() as u64;
        if rest > 0 {
            problems.push(format!("and {rest} more like it"));
        }
    };
    let words = "its entry is missing, and no erasure covers it";
    named(&examined.missing, examined.missing_count, words);
    let words = "its entry was altered, it is not the one that the leaf commits to";
    named(&examined.altered, examined.altered_count, words);
    if examined.unerased > 0 {
        problems.push(format!("{} entries that were erased are there again", examined.unerased));
    }
    if !examined.leads_to_root {
        problems.push("the leaves do not lead to the log's root".to_owned());
    }
    problems
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(", because: {reason}") }
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
        Event::Read(read) => {
            let id = if read.id.is_empty() { String::new() } else { format!(" {}", read.id) };
            let reason = because(&read.reason);
            format!("{}{id}, {} {:?}{reason}", read.object, read.count, read.act)
        }
        Event::Opening(opening) => {
            let OpeningEvent { query, auditor, reason, .. } = opening;
            format!("query {query} to {auditor} {:?}{}", opening.act, because(reason))
        }
        Event::Erased(erased) => {
            format!("{} entries{}", erased.count, because(&erased.reason))
        }
        Event::Budget(budget) => {
            format!(
                "{} epoch {}, {} of {}",
                budget.class, budget.epoch, budget.amount, budget.limit
            )
        }
        Event::Admin(admin) => admin.act.clone(),
        Event::Alert(alert) | Event::Exercise(alert) => {
            let version = short(alert.version.as_bytes());
            let AlertEvent { act, alert, recipients, .. } = alert;
            format!("{act:?} {alert}, version {version}, {recipients} recipients")
        }
        Event::Deleted(deleted) => {
            let DeletedEvent { alert, statement_hash, mode, .. } = deleted;
            format!("{alert}, {mode}, statement {}", short(statement_hash))
        }
        Event::Heartbeat => String::new(),
        _ => "of a newer kind".to_owned(),
    }
}
