//! What comes due for alerts: what the node does by itself, and what a person has to do.
//!
//! Implements spec/store.md#due.
//!
//! Invariant: a row is its key: a time, a code and an alert. Whoever acts on one looks at the
//! alert first.

use crate::alert::AlertKey;
use crate::backend::{Expect, Row};
use crate::limits::SCAN_ROWS_MAX;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "the key of what is due" };

/// What the node has to do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueFor {
    /// Delete what has expired.
    Expire = 1,
    /// Call someone: nobody has read it.
    Unread = 2,
    /// Call someone: nobody has acted on it.
    Unacted = 3,
}

/// What a person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InboxKind {
    /// Act on a received alert.
    Alert = 1,
    /// Approve or decline an own alert.
    Approve = 2,
    /// Look at an own alert that a partner contests.
    Contested = 3,
    /// Look at an own alert that a partner has not acknowledged.
    Unacknowledged = 4,
    /// Look at a received alert that was taken back.
    Withdrawn = 5,
}

/// One thing that a person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxItem {
    /// Until when, in Unix seconds.
    pub deadline: u64,
    /// What.
    pub kind: InboxKind,
    /// For which alert.
    pub alert: AlertKey,
}

impl DueFor {
    const ALL: [Self; 3] = [Self::Expire, Self::Unread, Self::Unacted];
}

impl InboxKind {
    const ALL: [Self; 5] =
        [Self::Alert, Self::Approve, Self::Contested, Self::Unacknowledged, Self::Withdrawn];
}

/// at ‖ code ‖ alert.
fn key(at: u64, code: u8, alert: &AlertKey) -> Vec<u8> {
    [at.to_be_bytes().as_slice(), &[code], &alert.encode()].concat()
}

fn parts(row: &Row) -> Result<(u64, u8, AlertKey), StoreError> {
    let (at, rest) = row.key.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let (code, alert) = rest.split_first().ok_or(DAMAGED)?;
    Ok((u64::from_be_bytes(*at), *code, AlertKey::decode(alert).ok_or(DAMAGED)?))
}

impl Write {
    /// Notes that something comes due.
    pub fn due(self, at: u64, what: DueFor, alert: &AlertKey) -> Self {
        self.noted(Table::Due, key(at, what as u8, alert))
    }

    /// Takes back that something comes due.
    pub fn due_delete(self, at: u64, what: DueFor, alert: &AlertKey) -> Self {
        self.step(Step::Delete { table: Table::Due, key: key(at, what as u8, alert) })
    }

    /// Puts something into the inbox.
    pub fn inbox(self, deadline: u64, kind: InboxKind, alert: &AlertKey) -> Self {
        self.noted(Table::Inbox, key(deadline, kind as u8, alert))
    }

    /// Takes something out of the inbox.
    pub fn inbox_delete(self, deadline: u64, kind: InboxKind, alert: &AlertKey) -> Self {
        self.step(Step::Delete { table: Table::Inbox, key: key(deadline, kind as u8, alert) })
    }

    fn noted(self, table: Table, key: Vec<u8>) -> Self {
        self.step(Step::Clear { table, key, value: Vec::new(), expect: Expect::Any })
    }
}

impl Store {
    /// At most `limit` things that are due at `until`, the earliest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn due_scan(
        &self,
        until: u64,
        limit: usize,
    ) -> Result<Vec<(u64, DueFor, AlertKey)>, StoreError> {
        let rows = self.backend.scan(Table::Due, &[], None, limit.min(SCAN_ROWS_MAX))?;
        let mut due = Vec::new();
        for row in &rows {
            let (at, code, alert) = parts(row)?;
            if at > until {
                break;
            }
            let what = DueFor::ALL.into_iter().find(|what| *what as u8 == code);
            due.push((at, what.ok_or(DAMAGED)?, alert));
        }
        Ok(due)
    }

    /// At most `limit` things of the inbox behind `after`, the earliest deadline first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn inbox_scan(
        &self,
        after: Option<&InboxItem>,
        limit: usize,
    ) -> Result<Vec<InboxItem>, StoreError> {
        let after = after.map(|item| key(item.deadline, item.kind as u8, &item.alert));
        let limit = limit.min(SCAN_ROWS_MAX);
        let rows = self.backend.scan(Table::Inbox, &[], after.as_deref(), limit)?;
        rows.iter()
            .map(|row| {
                let (deadline, code, alert) = parts(row)?;
                let kind = InboxKind::ALL.into_iter().find(|kind| *kind as u8 == code);
                Ok(InboxItem { deadline, kind: kind.ok_or(DAMAGED)?, alert })
            })
            .collect()
    }
}
