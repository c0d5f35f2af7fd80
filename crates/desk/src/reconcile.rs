//! Reconciling: what passed as both logs have it, and every difference by name.
//!
//! Implements spec/accountability.md#reconciling.

use std::collections::BTreeMap;

use symbolon_audit::Entry;
use symbolon_disclosure::{AccountItem, Passed};
use symbolon_store::{OwedFor, Write};

use crate::account::{Page, Passage};
use crate::api::{
    Difference, Overdue, OverdueItem, OverdueShow, Reconcile, Reconciled, Report, Tally,
};
use crate::desk::{Known, hex};
use crate::limits::{DAY_SECONDS, ERASE_AGE_DAYS_MIN, RECEIPT_OVERDUE_SECONDS};
use crate::{Desk, DeskError, Officer};

/// One side's items, by what passed and its name.
#[derive(Default)]
struct Side {
    items: BTreeMap<(Passed, [u8; 32]), AccountItem>,
    /// Leaves whose entries were erased: what they said cannot be compared.
    erased: u64,
}

impl Side {
    fn take(&mut self, items: &[AccountItem]) {
        self.items.extend(items.iter().map(|item| ((item.passed, item.name), *item)));
    }

    fn mirror(&self, item: &AccountItem) -> Option<&AccountItem> {
        self.items.get(&(item.passed.mirrored(), item.name))
    }

    fn count(&self, passed: Passed) -> u64 {
        self.items.keys().filter(|(own, _)| *own == passed).count() as u64
    }

    fn elements(&self, passed: Passed) -> u64 {
        let of = self.items.values().filter(|item| item.passed == passed);
        of.map(|item| u64::from(item.elements)).sum()
    }
}

impl Desk {
    /// Compares what passed with a partner by both logs. The partner's account is signed, and kept
    /// as evidence.
    ///
    /// # Errors
    /// [`DeskError`] where the partner gives no account.
    pub fn audit_reconcile(
        &self,
        officer: &Officer,
        request: Reconcile,
        report: &mut dyn Report,
    ) -> Result<Reconciled, DeskError> {
        let partner = self.partner_named(&request.partner)?;
        let act = format!("logs compared with {}", partner.name());
        let entry = Entry::admin(self.who(officer), &act, [0; 32]);
        self.store.commit(Write::new().log(entry))?;
        // The own side first: what stands there must have reached the partner's log by the time
        // that its account is made. What is newer is looked at only where the partner names it.
        let cut = self.store.log_size();
        let mut own = self.own_side(&partner, 0, cut)?;
        let mut theirs = Side::default();
        let mut from = 0;
        loop {
            let Page { account, size } = self.account_take(&partner, from)?;
            theirs.take(&account.items);
            theirs.erased += account.erased;
            report.progress("reading the partner's account", account.until, Some(size));
            if account.until >= size || account.until <= from {
                break;
            }
            from = account.until;
        }
        let before = own.items.len();
        let newer = self.own_side(&partner, cut, self.store.log_size())?;
        let mut differences = Vec::new();
        for item in own.items.values() {
            // What is old may have been erased there, as the account says; what is young may not.
            let is_erasable = theirs.erased > 0 && self.is_erasable(item)?;
            if !is_erasable || theirs.mirror(item).is_some() {
                self.compare(&partner, item, theirs.mirror(item), &mut differences)?;
            }
        }
        own.items.extend(newer.items);
        for item in theirs.items.values() {
            // What was erased here is known to have been: its name is not.
            if own.mirror(item).is_none() && own.erased == 0 {
                differences.push(not_here(item));
            }
        }
        let unanswered = differences.iter().filter(|found| !found.is_serious).count();
        Ok(Reconciled {
            partner: partner.name().to_owned(),
            agrees: differences.len() == unanswered,
            leaves_here: cut,
            things: before as u64,
            erased_here: own.erased,
            erased_there: theirs.erased,
            tallies: tallies(&own, &theirs),
            differences,
        })
    }

    fn own_side(&self, partner: &Known, from: u64, to: u64) -> Result<Side, DeskError> {
        let (mut side, mut at) = (Side::default(), from);
        while at < to {
            let Passage { items, until, erased } = self.passed_since(&partner.node(), at, to)?;
            side.take(&items);
            side.erased += erased;
            if until <= at {
                break;
            }
            at = until;
        }
        Ok(side)
    }

    /// Whether the entry of an own item is as old as what may be erased.
    fn is_erasable(&self, item: &AccountItem) -> Result<bool, DeskError> {
        let logged = self.store.log_entry_fetch(item.log_index)?;
        let youngest = self.now().saturating_sub(u64::from(ERASE_AGE_DAYS_MIN) * DAY_SECONDS);
        Ok(logged.is_none_or(|logged| logged.entry().at() < youngest))
    }

    /// What is wrong with an own item, by what the partner says of it.
    fn compare(
        &self,
        partner: &Known,
        item: &AccountItem,
        theirs: Option<&AccountItem>,
        differences: &mut Vec<Difference>,
    ) -> Result<(), DeskError> {
        let difference = |theirs: Option<&AccountItem>, is_serious, words: &str| Difference {
            name: hex(&item.name),
            leaf_here: Some(item.log_index),
            leaf_there: theirs.map(|theirs| theirs.log_index),
            is_serious,
            words: words.to_owned(),
        };
        if let Some(theirs) = theirs {
            if theirs.elements != item.elements {
                let words = format!(
                    "a query of {} elements here has {} there",
                    item.elements, theirs.elements
                );
                differences.push(difference(Some(theirs), true, &words));
            }
            return Ok(());
        }
        let (is_serious, words) = match item.passed {
            Passed::Asked if !self.is_answered(partner, &item.name)? => {
                (false, "asked here, and never answered there: it did not arrive")
            }
            Passed::Asked => (true, "asked and answered, and not accounted for there"),
            Passed::Answered => (true, "answered here, and never committed to there"),
            Passed::ConfirmSent => (false, "a confirm sent here did not arrive there"),
            Passed::ConfirmReceived => (true, "a confirm that came in here was not sent there"),
            Passed::DisclosureSent => (false, "a disclosure sent here did not arrive there"),
            Passed::DisclosureReceived => (true, "a disclosure that came here was not sent there"),
            Passed::RefusalSent => (false, "a refusal sent here did not arrive there"),
            Passed::RefusalReceived => (true, "a refusal that came here was not sent there"),
            Passed::AlertSent => (false, "an alert sent here did not arrive there"),
            Passed::AlertReceived => (true, "an alert that came here was not sent there"),
            Passed::WordSent => (false, "a word on an alert sent here did not arrive there"),
            Passed::WordReceived => (true, "a word on an alert that came here was not sent there"),
        };
        differences.push(difference(None, is_serious, words));
        Ok(())
    }

    /// Whether the partner ever answered an own query: then it owes a receipt, or gave one.
    fn is_answered(&self, partner: &Known, name: &[u8; 32]) -> Result<bool, DeskError> {
        let node = partner.node();
        Ok(self.store.owed_fetch(&node, name)?.is_some()
            || self.store.settled_fetch(&node, name)?.is_some())
    }

    /// Receipts that partners have owed for too long.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, or from the store.
    pub fn audit_overdue(
        &self,
        _officer: &Officer,
        request: OverdueShow,
        _report: &mut dyn Report,
    ) -> Result<Overdue, DeskError> {
        let seconds = request.seconds.unwrap_or(RECEIPT_OVERDUE_SECONDS);
        let before = self.now().saturating_sub(seconds);
        let names: Vec<String> = request.partner.into_iter().collect();
        let mut items = Vec::new();
        for partner in self.partners_named(&names)? {
            for owed in self.store.owed_list(&partner.node())? {
                if owed.since <= before {
                    items.push(OverdueItem {
                        partner: partner.name().to_owned(),
                        what: owed_name(owed.what).to_owned(),
                        name: hex(&owed.name),
                        since: owed.since,
                    });
                }
            }
        }
        items.sort_by(|one, other| (one.since, &one.name).cmp(&(other.since, &other.name)));
        Ok(Overdue { seconds, items })
    }
}

/// What a partner names and this node has not: only what this node itself must have seen.
fn not_here(item: &AccountItem) -> Difference {
    let (is_serious, words) = match item.passed {
        Passed::Asked => (false, "asked there, and never answered here: it did not arrive"),
        Passed::Answered => (true, "answered there, and never asked here"),
        Passed::ConfirmSent => (false, "a confirm sent there did not arrive here"),
        Passed::ConfirmReceived => (true, "a confirm that came in there was not sent here"),
        Passed::DisclosureSent => (false, "a disclosure sent there did not arrive here"),
        Passed::DisclosureReceived => (true, "a disclosure that came there was not sent here"),
        Passed::RefusalSent => (false, "a refusal sent there did not arrive here"),
        Passed::RefusalReceived => (true, "a refusal that came there was not sent here"),
        Passed::AlertSent => (false, "an alert sent there did not arrive here"),
        Passed::AlertReceived => (true, "an alert that came there was not sent here"),
        Passed::WordSent => (false, "a word on an alert sent there did not arrive here"),
        Passed::WordReceived => (true, "a word on an alert that came there was not sent here"),
    };
    Difference {
        name: hex(&item.name),
        leaf_here: None,
        leaf_there: Some(item.log_index),
        is_serious,
        words: words.to_owned(),
    }
}

fn tallies(own: &Side, theirs: &Side) -> Vec<Tally> {
    let of = |passed: Passed| Tally {
        what: passed_name(passed).to_owned(),
        here: own.count(passed),
        there: theirs.count(passed.mirrored()),
        elements_here: own.elements(passed),
        elements_there: theirs.elements(passed.mirrored()),
    };
    Passed::ALL.into_iter().map(of).collect()
}

const fn passed_name(passed: Passed) -> &'static str {
    match passed {
        Passed::Asked => "queries asked",
        Passed::Answered => "queries answered",
        Passed::ConfirmSent => "confirms sent",
        Passed::ConfirmReceived => "confirms received",
        Passed::DisclosureSent => "disclosures sent",
        Passed::DisclosureReceived => "disclosures received",
        Passed::RefusalSent => "refusals sent",
        Passed::RefusalReceived => "refusals received",
        Passed::AlertSent => "alerts sent",
        Passed::AlertReceived => "alerts received",
        Passed::WordSent => "words on alerts sent",
        Passed::WordReceived => "words on alerts received",
    }
}

const fn owed_name(what: OwedFor) -> &'static str {
    match what {
        OwedFor::Query => "query",
        OwedFor::Confirm => "confirm",
        OwedFor::Disclosure => "disclosure",
        OwedFor::Refusal => "refusal",
    }
}
