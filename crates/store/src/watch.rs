//! Watch rules, what fitted them, and the notices that are to leave the node.
//!
//! Implements spec/store.md#watch-rules.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::Mode;

use crate::alert::{AlertKey, Rings};
use crate::id::{NoticeId, WatchId};
use crate::limits::{SCAN_ROWS_MAX, TITLE_BYTES_MAX, WATCH_RULE_BYTES_MAX};
use crate::store::{Sealed, decoded};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// Whether a watch rule is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// A rule that says which received alerts somebody wants to hear of. What it says is not the
/// store's business.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Watch {
    /// Its name in the store.
    pub id: WatchId,
    /// Its name for people.
    pub name: String,
    /// The officer who made it.
    pub made_by: String,
    /// When it was made, in Unix seconds.
    pub made_at: u64,
    /// When it last changed, in Unix seconds.
    pub changed_at: u64,
    /// Whether it is applied.
    pub state: WatchState,
    /// The rule.
    #[serde(with = "serde_bytes")]
    pub rule: Vec<u8>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({}, {:?})", self.id, self.state)
    }
}

/// A received alert that fitted a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchFit {
    /// The rule.
    pub watch: WatchId,
    /// When, in Unix seconds.
    pub at: u64,
    /// The alert.
    pub alert: AlertKey,
    /// Its class, as on the wire.
    pub class: u8,
    /// Whether it is real.
    pub mode: Mode,
    /// Whether it called at once.
    pub rings: Rings,
}

/// A notice that is to leave the node, until it has or is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Notice {
    /// Its name.
    pub id: NoticeId,
    /// The rule that wants it.
    pub watch: WatchId,
    /// Which kind of target, as the caller counts them.
    pub target: u8,
    /// The alert.
    pub alert: AlertKey,
    /// Its class, as on the wire.
    pub class: u8,
    /// Whether it is real.
    pub mode: Mode,
    /// When the alert fitted, in Unix seconds.
    pub at: u64,
    /// When it is tried next, in Unix seconds.
    pub due_at: u64,
    /// How often it was tried.
    pub attempts: u32,
}

impl Sealed for Watch {
    const TABLE: Table = Table::Watch;

    fn key(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }
}

impl Sealed for Notice {
    const TABLE: Table = Table::Notice;

    fn key(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }
}

/// What a row of a fit says; the rest is its key.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct FitRow {
    class: u8,
    mode: Mode,
    rings: Rings,
}

/// watch ‖ at.
fn fit_prefix(watch: WatchId, at: u64) -> Vec<u8> {
    [watch.as_bytes().as_slice(), &at.to_be_bytes()].concat()
}

/// watch ‖ at ‖ alert.
fn fit_key(fit: &WatchFit) -> Vec<u8> {
    [fit_prefix(fit.watch, fit.at), fit.alert.encode()].concat()
}

fn fit_parts(key: &[u8]) -> Option<(u64, AlertKey)> {
    let (at, alert) = key.get(16..)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*at), AlertKey::decode(alert)?))
}

impl Write {
    /// Keeps a watch rule in place of what was there of it.
    pub fn watch(self, watch: &Watch) -> Self {
        let too_long = match () {
            () if watch.name.len() > TITLE_BYTES_MAX => Some("name"),
            () if watch.rule.len() > WATCH_RULE_BYTES_MAX => Some("watch rule"),
            () => None,
        };
        self.bounded(too_long).row(watch)
    }

    /// Removes a watch rule, and what is noted of the alerts that fitted it.
    pub fn watch_delete(self, id: WatchId) -> Self {
        let (key, prefix) = (id.as_bytes().to_vec(), id.as_bytes().to_vec());
        self.step(Step::Delete { table: Table::Watch, key })
            .step(Step::DeletePrefix { table: Table::WatchFit, prefix })
    }

    /// Notes that an alert fitted a rule.
    pub fn watch_fit(self, fit: &WatchFit) -> Self {
        let row = FitRow { class: fit.class, mode: fit.mode, rings: fit.rings };
        let plain = symbolon_codec::encode(&row);
        self.seal(Table::WatchFit, fit_key(fit), plain, crate::backend::Expect::Any)
    }

    /// Forgets that an alert fitted a rule.
    pub fn watch_fit_delete(self, fit: &WatchFit) -> Self {
        self.step(Step::Delete { table: Table::WatchFit, key: fit_key(fit) })
    }

    /// Keeps a notice until it has left.
    pub fn notice(self, notice: &Notice) -> Self {
        self.row(notice)
    }

    /// Forgets a notice.
    pub fn notice_delete(self, id: NoticeId) -> Self {
        self.step(Step::Delete { table: Table::Notice, key: id.as_bytes().to_vec() })
    }
}

impl Store {
    /// A watch rule.
    ///
    /// # Errors
    /// What reading gives.
    pub fn watch_fetch(&self, id: WatchId) -> Result<Option<Watch>, StoreError> {
        self.row_fetch(id.as_bytes())
    }

    /// All watch rules, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn watch_list(&self) -> Result<Vec<Watch>, StoreError> {
        self.row_scan(None, SCAN_ROWS_MAX)
    }

    /// At most `limit` alerts that fitted a rule at `since` or later and behind `after`, the
    /// earliest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn watch_fit_scan(
        &self,
        watch: WatchId,
        since: u64,
        after: Option<&WatchFit>,
        limit: usize,
    ) -> Result<Vec<WatchFit>, StoreError> {
        // Every key at `since` is longer than this, and so behind it.
        let since = fit_prefix(watch, since);
        let after = after.map(fit_key).unwrap_or_default().max(since);
        let rows = self.opened_rows(Table::WatchFit, watch.as_bytes(), Some(&after), limit)?;
        rows.iter()
            .map(|(key, plain)| {
                let damaged = StoreError::Damaged { what: "the key of what fitted" };
                let (at, alert) = fit_parts(key).ok_or(damaged)?;
                let FitRow { class, mode, rings } = decoded(Table::WatchFit, plain)?;
                Ok(WatchFit { watch, at, alert, class, mode, rings })
            })
            .collect()
    }

    /// A notice.
    ///
    /// # Errors
    /// What reading gives.
    pub fn notice_fetch(&self, id: NoticeId) -> Result<Option<Notice>, StoreError> {
        self.row_fetch(id.as_bytes())
    }

    /// At most `limit` notices behind `after`, the oldest first.
    ///
    /// # Errors
    /// What reading gives.
    pub fn notice_list(
        &self,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        self.row_scan(after.as_ref().map(|id| id.as_bytes().as_slice()), limit)
    }
}
