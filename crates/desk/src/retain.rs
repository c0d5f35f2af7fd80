//! How long the log keeps what its entries say; older ones lose salt and body, the tree stays.
//!
//! Implements spec/log.md#erasure.
//!
//! Invariant: nothing younger than [`ERASE_AGE_DAYS_MIN`] days is erased, by anybody.

use crate::api::{AuditErase, ErasureShown, Report};
use crate::limits::{DAY_SECONDS, ERASE_AGE_DAYS_MIN};
use crate::read::reason_given;
use crate::{Desk, DeskError, Officer};

/// When the node last erased by itself, among the progress of long work.
const LAST: &str = "log/retention";

impl Desk {
    /// Keeps entries for so many days from now on; without this call nothing is erased by itself.
    /// A second call changes nothing.
    ///
    /// # Errors
    /// [`DeskError`] for fewer days than the fewest allowed.
    pub fn log_keep_days(&self, days: u32) -> Result<(), DeskError> {
        if days < ERASE_AGE_DAYS_MIN {
            let remedy = format!("set log_retention_days to {ERASE_AGE_DAYS_MIN} or more");
            return Err(DeskError::invalid("the log would be kept too short", remedy));
        }
        let _ = self.log_retention_days.set(days);
        Ok(())
    }

    /// Erases the entries from before a time. Without confirmation it only counts them.
    ///
    /// # Errors
    /// [`DeskError`] for a time that is too recent, or no reason.
    pub fn audit_erase(
        &self,
        officer: &Officer,
        request: AuditErase,
        report: &mut dyn Report,
    ) -> Result<ErasureShown, DeskError> {
        let _sight = officer.sight()?;
        let reason = reason_given(&request.reason)?;
        let youngest = self.now().saturating_sub(u64::from(ERASE_AGE_DAYS_MIN) * DAY_SECONDS);
        if request.before > youngest {
            return Err(DeskError::refused(
                format!("entries of the last {ERASE_AGE_DAYS_MIN} days cannot be erased"),
                "name an earlier day: an epoch must stay open to both sides' audit",
            ));
        }
        let total = self.store.log_erasable(request.before)?;
        if !request.confirmed {
            return Ok(ErasureShown {
                entries: total,
                queries: 0,
                log_size: self.store.log_size(),
            });
        }
        let progress = |done| report.progress("erasing entries", done, Some(total));
        let who = self.who(officer);
        let erased = self.store.log_erase(who, request.before, reason, progress)?;
        Ok(ErasureShown {
            entries: erased.entries,
            queries: erased.queries,
            log_size: self.store.log_size(),
        })
    }

    /// Erases what the configuration says is old, once a day.
    pub(crate) fn retain(&self) -> Result<(), DeskError> {
        let Some(days) = self.log_retention_days.get() else {
            return Ok(());
        };
        let now = self.now();
        let last = self.store.progress_fetch(LAST)?;
        let last = last.and_then(|bytes| bytes.as_slice().try_into().ok().map(u64::from_be_bytes));
        if last.is_some_and(|last| last <= now && now - last < DAY_SECONDS) {
            return Ok(());
        }
        let before = now.saturating_sub(u64::from(*days) * DAY_SECONDS);
        let reason = format!("log_retention_days = {days}");
        let who = Officer::node();
        self.store.log_erase(self.who(&who), before, &reason, |_| ())?;
        let noted = symbolon_store::Write::new().progress(LAST, &now.to_be_bytes());
        self.store.commit(noted)?;
        Ok(())
    }
}
