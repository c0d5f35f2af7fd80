//! Accounts of what passed between two nodes: given to a partner, and taken from it as receipts.
//!
//! Implements spec/accountability.md#accounts.
//!
//! Invariant: an account says what the log says, and nothing of it that concerns anybody else.

use std::collections::HashMap;
use std::sync::Mutex;

use symbolon_audit::{Entry, Event, Logged};
use symbolon_disclosure::{
    Account, AccountItem, Passed, Payload, Receipt, Recipient, Sealed, StatementKind, Terms,
    seal_account,
};
use symbolon_protocol::{
    AccountRequest, Acknowledge, Asked, Disclose, Established, Refusal, Reply,
};
use symbolon_store::{Owed, OwedFor, Settled, Write};
use symbolon_tlog::{AuthenticCheckpoint, CheckpointVerifier, VerifiedCheckpoint};
use symbolon_trust::{Mode, NodeId};

use crate::asking::lock;
use crate::desk::{Known, hex};
use crate::limits::{
    ACCOUNT_ITEMS_MAX, ACCOUNT_LEAVES_MAX, ACCOUNT_PAGES_MAX, RECEIPT_PATIENCE_SECONDS,
    SCAN_ENTRIES, STATEMENT_SECONDS,
};
use crate::{Desk, DeskError, Officer};

/// How much of one kind each partner was given in the present minute.
#[derive(Default)]
pub(crate) struct EachMinute(Mutex<HashMap<NodeId, (u64, u32)>>);

impl EachMinute {
    /// Whether one more may be given, where `most` are in a minute; counts it.
    pub(crate) fn admit(&self, partner: &NodeId, now: u64, most: u32) -> bool {
        let mut given = lock(&self.0);
        let (minute, count) = given.entry(*partner).or_default();
        if *minute != now / 60 {
            (*minute, *count) = (now / 60, 0);
        }
        *count += 1;
        *count <= most
    }
}

/// What is owed for a statement that was sent.
pub(crate) fn owed_for(sealed: &Sealed, since: u64) -> Owed {
    let what = match sealed.kind() {
        StatementKind::Disclosure => OwedFor::Disclosure,
        StatementKind::Refusal => OwedFor::Refusal,
        // Alerts and what follows them are acknowledged by statements of their own.
        _ => OwedFor::Confirm,
    };
    Owed { partner: sealed.to(), name: sealed.statement_hash(), what, since }
}

/// What an entry says passed with `partner`, if anything did.
fn passed(logged: &Logged, partner: &NodeId) -> Option<(Passed, [u8; 32], u32)> {
    let event = logged.entry().event();
    if event.partner() != Some(*partner) {
        return None;
    }
    match event {
        Event::Query(query) => {
            // The leaf of a query is its commitment.
            Some((Passed::Asked, *logged.leaf().as_bytes(), query.elements))
        }
        Event::Evaluation(evaluation) => {
            Some((Passed::Answered, evaluation.leaf, evaluation.elements))
        }
        Event::ConfirmSent(confirm) => Some((Passed::ConfirmSent, confirm.statement_hash, 0)),
        Event::ConfirmReceived(confirm) => {
            Some((Passed::ConfirmReceived, confirm.statement_hash, 0))
        }
        Event::Disclosed(sent) => Some((passed_sent(sent.kind)?, sent.statement_hash, 0)),
        Event::Received(received) => {
            Some((passed_sent(received.kind)?.mirrored(), received.statement_hash, 0))
        }
        _ => None,
    }
}

/// What a sealed statement of `kind` that left counts as; confirms have events of their own.
fn passed_sent(kind: u8) -> Option<Passed> {
    match StatementKind::from_code(kind) {
        Ok(StatementKind::Disclosure) => Some(Passed::DisclosureSent),
        Ok(StatementKind::Refusal) => Some(Passed::RefusalSent),
        Ok(StatementKind::Alert) => Some(Passed::AlertSent),
        Ok(StatementKind::Word) => Some(Passed::WordSent),
        _ => None,
    }
}

/// What passed with a partner by a range of the own log.
pub(crate) struct Passage {
    /// In the order of the leaves.
    pub(crate) items: Vec<AccountItem>,
    /// The leaf behind the last that was looked at.
    pub(crate) until: u64,
    /// Leaves whose entries were erased.
    pub(crate) erased: u64,
}

/// A page of a partner's account, verified and kept.
pub(crate) struct Page {
    pub(crate) account: Account,
    /// Leaves of the partner's log when it gave the account.
    pub(crate) size: u64,
}

impl Desk {
    /// Answers a partner that wants this node's account.
    pub(crate) fn answer_account(
        &self,
        session: &Established,
        partner: &Known,
        asked: Asked<AccountRequest>,
    ) -> Reply {
        if !partner.is_welcome() {
            return asked.refuse(Refusal::Suspended);
        }
        if !self.accounts.admit(&partner.node(), self.now(), ACCOUNT_PAGES_MAX) {
            return asked.refuse(Refusal::Busy { retry_seconds: 60 });
        }
        let given = self.account_give(partner, asked.request().from());
        let given = given.and_then(|envelope| Ok(Acknowledge::with(envelope, session)?));
        match given {
            Ok(acknowledge) => asked.answer(&acknowledge),
            Err(_) => asked.refuse(Refusal::Internal),
        }
    }

    fn account_give(&self, partner: &Known, from: u64) -> Result<Disclose, DeskError> {
        let (size, checkpoint) = self.checkpoint()?;
        let from = from.min(size);
        let Passage { items, until, erased } = self.passed_since(&partner.node(), from, size)?;
        let account = Account { from, until, items, erased, checkpoint };
        let (identity, now) = (self.identity(), self.now());
        let terms = Terms { created: now, expires: now + STATEMENT_SECONDS, in_reply_to: None };
        let to = Recipient::new(&partner.card, now, Mode::Live)?;
        let seed = self.surroundings.seed();
        let sealed = seal_account(account, &to, &identity.author(), &terms, seed)?;
        let node = Officer::node();
        let receipt = self.logged(Write::new().log(Entry::disclosed(self.who(&node), &sealed)))?;
        Ok(Disclose::new(sealed, receipt)?)
    }

    /// What passed with a partner by the entries from `from` to below `to`, and the leaf up to
    /// which was looked: not all of them where there is much.
    pub(crate) fn passed_since(
        &self,
        partner: &NodeId,
        from: u64,
        to: u64,
    ) -> Result<Passage, DeskError> {
        let to = to.min(from.saturating_add(ACCOUNT_LEAVES_MAX));
        let mut passage = Passage { items: Vec::new(), until: from, erased: 0 };
        while passage.until < to {
            let page = self.store.log_page(passage.until, SCAN_ENTRIES)?;
            if page.is_empty() {
                break;
            }
            for (log_index, logged) in page.into_iter().take_while(|(index, _)| *index < to) {
                passage.until = log_index + 1;
                let Some(logged) = logged else {
                    passage.erased += 1;
                    continue;
                };
                if let Some((passed, name, elements)) = passed(&logged, partner) {
                    passage.items.push(AccountItem { passed, name, elements, log_index });
                    if passage.items.len() == ACCOUNT_ITEMS_MAX {
                        return Ok(passage);
                    }
                }
            }
        }
        Ok(passage)
    }

    /// Fetches one page of a partner's account, keeps it as evidence and settles with it what the
    /// partner owes.
    ///
    /// # Errors
    /// One line on why there is none.
    pub(crate) fn account_take(&self, partner: &Known, from: u64) -> Result<Page, DeskError> {
        let link = self.link()?;
        let delivered = link.account(&partner.node(), &AccountRequest::new(from));
        let delivered =
            delivered.map_err(|error| DeskError::unavailable(error.to_string(), error.remedy()))?;
        let broken = "the partner's account cannot be used";
        let remedy = "tell the partner's operators; nothing was kept";
        let refused = || DeskError::refused(broken, remedy);
        let opened = self.open_envelope(delivered.envelope().ok_or_else(refused)?, partner)?;
        let Payload::Account(account) = opened.payload() else {
            return Err(refused());
        };
        let checkpoint = self.their_checkpoint(partner, &account.checkpoint)?;
        if account.from != from.min(checkpoint.size()) || account.until > checkpoint.size() {
            return Err(refused());
        }
        let account = account.clone();
        let mut write = Write::new();
        for item in &account.items {
            let is_receipt = matches!(
                item.passed,
                Passed::Answered
                    | Passed::ConfirmReceived
                    | Passed::DisclosureReceived
                    | Passed::RefusalReceived
            );
            if !is_receipt {
                continue;
            }
            if let Some(owed) = self.store.owed_fetch(&partner.node(), &item.name)? {
                let (receipt_hash, their_index) = (opened.statement_hash(), item.log_index);
                write = write.settled(&Settled { owed, receipt_hash, their_index });
            }
        }
        self.keep_received(&opened, write)?;
        Ok(Page { account, size: checkpoint.size() })
    }

    /// Takes the new part of each partner's account from which receipts are still owed, so that
    /// everything sent has its receipt soon after. A partner that does not answer is tried again.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn receipts_collect(&self) -> Result<(), DeskError> {
        for partner in self.partners().values() {
            if partner.in_force(self.now()).is_err() {
                continue;
            }
            let due = self.now().saturating_sub(RECEIPT_PATIENCE_SECONDS);
            if self.store.owed_list(&partner.node())?.iter().any(|owed| owed.since <= due) {
                let _ = self.account_follow(partner);
            }
        }
        Ok(())
    }

    /// Takes a partner's account from where it was left to its end.
    pub(crate) fn account_follow(&self, partner: &Known) -> Result<(), DeskError> {
        let name = format!("account/{}", hex(partner.node().as_bytes()));
        let kept = self.store.progress_fetch(&name)?;
        let kept = kept.and_then(|kept| kept.as_slice().try_into().ok());
        let mut from = kept.map_or(0, u64::from_be_bytes);
        loop {
            let page = self.account_take(partner, from)?;
            let is_end = page.account.until >= page.size || page.account.until <= from;
            from = page.account.until;
            self.store.commit(Write::new().progress(&name, &from.to_be_bytes()))?;
            if is_end {
                return Ok(());
            }
        }
    }

    /// What a partner's receipt settles.
    pub(crate) fn receipt_settles(
        &self,
        partner: &Known,
        receipt: &Receipt,
        receipt_hash: [u8; 32],
    ) -> Result<Write, DeskError> {
        let checkpoint = self.their_checkpoint(partner, &receipt.checkpoint)?;
        if receipt.log_index >= checkpoint.size() {
            return Err(DeskError::refused(
                "the receipt's checkpoint does not cover its leaf",
                "tell the partner's operators; nothing was kept",
            ));
        }
        let owed = self.store.owed_fetch(&partner.node(), &receipt.statement_hash)?;
        Ok(match owed {
            Some(owed) => {
                let their_index = receipt.log_index;
                Write::new().settled(&Settled { owed, receipt_hash, their_index })
            }
            None => Write::new(),
        })
    }

    /// A checkpoint of a partner's log in one of its statements: signed by it, and not another
    /// history than the one seen.
    pub(crate) fn their_checkpoint(
        &self,
        partner: &Known,
        text: &str,
    ) -> Result<VerifiedCheckpoint, DeskError> {
        let verifier = CheckpointVerifier::parse(&partner.card.card().log)?;
        let checkpoint = verifier.verify_text(text).map_err(|_| {
            DeskError::refused(
                "the partner's statement carries a checkpoint that its log did not sign",
                "tell the partner's operators; nothing was kept",
            )
        })?;
        self.split_view(partner, &AuthenticCheckpoint::from(checkpoint.clone()), &[])?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_cannot_make_the_log_grow_by_asking_for_accounts() {
        let accounts = EachMinute::default();
        let most = ACCOUNT_PAGES_MAX;
        let [one, other] = [1, 2].map(|number| NodeId::from_bytes([number; 32]));
        let admitted = (0..most * 2).filter(|_| accounts.admit(&one, 600, most)).count();
        assert_eq!(admitted, ACCOUNT_PAGES_MAX as usize);
        assert!(accounts.admit(&other, 600, most), "another partner has its own");
        assert!(!accounts.admit(&one, 659, most), "the same minute");
        assert!(accounts.admit(&one, 660, most), "the next");
    }
}
