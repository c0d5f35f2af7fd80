//! How the own list of an exchange is matched: key by key, or the whole set at once.
//!
//! Implements spec/matching.md#bulk.

use std::collections::HashSet;
use std::sync::Mutex;

use symbolon_oprf::padded_count;
use symbolon_protocol::VerifiedEpochCard;
use symbolon_store::{BudgetKey, Direction};

use super::{Run, Tally};
use crate::DeskError;
use crate::api::Report;
use crate::asking::lock;
use crate::batch::NotAsked;
use crate::bulk::BulkAsk;
use crate::bulk_serve::charge;
use crate::limits::BULK_LINK_BYTES_PER_SECOND;

/// How a whole list is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// By what costs less.
    Auto,
    /// Each key by an evaluation.
    Oprf,
    /// The whole set at once, then an evaluation for each key that met.
    Psi,
}

impl Engine {
    pub(super) fn parse(name: Option<&str>) -> Result<Engine, DeskError> {
        match name {
            None | Some("auto") => Ok(Engine::Auto),
            Some("oprf") => Ok(Engine::Oprf),
            Some("psi") => Ok(Engine::Psi),
            Some(_) => Err(DeskError::invalid("there is no such engine", "use auto, oprf or psi")),
        }
    }
}

/// What a bulk match told: the items that met, and how many the own set had.
pub(super) struct Met {
    pub(super) items: HashSet<[u8; 32]>,
    pub(super) own: u64,
}

impl Run<'_> {
    /// The own items that met, where the whole set is matched at once.
    pub(super) fn in_bulk(
        &self,
        tally: &Mutex<Tally>,
        card: &VerifiedEpochCard,
        group: [u8; 16],
        report: &mut dyn Report,
    ) -> Result<Option<Met>, NotAsked> {
        if self.engine == Engine::Oprf {
            return Ok(None);
        }
        let content = card.card();
        let ask = BulkAsk {
            partner: self.partner,
            agreement: self.agreement,
            class: content.class,
            epoch: content.epoch,
            serial: content.serial,
            officer: self.officer,
            reason: self.reason,
            group,
        };
        let is_begun = self.desk.store.progress_fetch(&ask.name())?.is_some();
        // An exchange that went on key by key goes on so.
        let is_by_key = lock(tally).class.cursor.is_some() && !is_begun;
        if self.engine == Engine::Auto && is_by_key {
            return Ok(None);
        }
        let mut own = self.desk.bulk_set(&ask, report)?;
        let count = own.count();
        if self.engine == Engine::Auto
            && !is_begun
            && !self.is_worth_it(&ask, count, content.count)?
        {
            return Ok(None);
        }
        let items = self.desk.bulk_match(&ask, &mut own, report)?;
        Ok(Some(Met { items, own: count }))
    }

    /// Whether matching the whole set costs less, and the budget covers it.
    fn is_worth_it(&self, ask: &BulkAsk<'_>, own: u64, tags: u64) -> Result<bool, DeskError> {
        let way = symbolon_psi::cheaper(own, tags, tags, BULK_LINK_BYTES_PER_SECOND);
        let Ok(elements) = charge(padded_count(own), self.desk.bulk_room()) else {
            return Ok(false);
        };
        let budget = BudgetKey {
            partner: ask.partner.node(),
            class: ask.class,
            epoch: ask.epoch,
            direction: Direction::Asked,
        };
        let limit = ask.agreement.terms(ask.class).map_or(0, |terms| terms.budget_per_epoch);
        let left = limit.saturating_sub(self.desk.store.budget_spent(&budget)?);
        Ok(way == Ok(symbolon_psi::Way::Psi) && u64::from(elements) <= left)
    }
}
