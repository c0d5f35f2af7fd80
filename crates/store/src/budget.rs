//! Budgets: what a partner may still have evaluated, and what one has still to ask.
//!
//! Implements spec/store.md#budgets.
//!
//! Invariant: a spend is checked and written in the transaction that makes it durable.

use symbolon_ident::Class;
use symbolon_trust::NodeId;

use crate::{Store, StoreError};

/// Whose elements are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What this node asked the partner.
    Asked,
    /// What this node evaluated for the partner.
    Answered,
}

/// Names one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetKey {
    /// The partner.
    pub partner: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch.
    pub epoch: u64,
    /// The direction.
    pub direction: Direction,
}

impl BudgetKey {
    /// direction ‖ partner ‖ class ‖ epoch, of fixed lengths.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let direction = match self.direction {
            Direction::Asked => 1,
            Direction::Answered => 2,
        };
        let mut key = vec![direction];
        key.extend_from_slice(self.partner.as_bytes());
        key.push(self.class.code());
        key.extend_from_slice(&self.epoch.to_be_bytes());
        key
    }
}

impl Store {
    /// What has been spent of a budget, in elements.
    ///
    /// # Errors
    /// What reading gives.
    pub fn budget_spent(&self, key: &BudgetKey) -> Result<u64, StoreError> {
        self.backend.spent(&key.encode())
    }
}
