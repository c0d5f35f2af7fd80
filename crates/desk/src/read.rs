//! What was shown or taken out leaves an entry before anybody sees it: who, what and why.
//!
//! Implements spec/accountability.md#readings.
//!
//! Invariant: an entry names things by their ids in this node, never by what stands in them.

use symbolon_audit::{Act, Entry, Event, ReadEvent, Receipt};
use symbolon_store::Write;

use crate::limits::{EXPORT_SECONDS_MAX, REASON_BYTES_MAX};
use crate::officer::Sight;
use crate::{Desk, DeskError, Officer};

/// What is about to be shown.
pub(crate) struct Shown<'a> {
    /// The kind of thing.
    pub(crate) object: &'static str,
    /// Its id; empty for a list.
    pub(crate) id: String,
    /// How many.
    pub(crate) count: usize,
    /// Why; may be empty for a list.
    pub(crate) reason: &'a str,
}

/// The reason that a reading of contents must have.
pub(crate) fn reason_given(reason: &str) -> Result<&str, DeskError> {
    if reason.is_empty() {
        return Err(DeskError::invalid(
            "this needs a reason",
            format!("give --reason, {REASON_BYTES_MAX} bytes at most; it goes into the log"),
        ));
    }
    reason_bounded(reason)
}

/// A reason that may be left out.
pub(crate) fn reason_bounded(reason: &str) -> Result<&str, DeskError> {
    if reason.len() > REASON_BYTES_MAX {
        let remedy = format!("a reason has {REASON_BYTES_MAX} bytes at most");
        return Err(DeskError::invalid("the reason is too long", remedy));
    }
    Ok(reason)
}

impl Desk {
    /// Logs that contents are about to be shown; only who may see them can be logged so.
    pub(crate) fn note_shown(
        &self,
        sight: &Sight<'_>,
        shown: Shown<'_>,
    ) -> Result<Receipt, DeskError> {
        let Shown { object, id, count, reason } = shown;
        let (object, reason) = (object.to_owned(), reason.to_owned());
        let event = ReadEvent { object, id, count: count as u64, reason, act: Act::Shown };
        self.logged(Write::new().log(Entry::read(self.who(sight.officer()), event)))
    }

    /// The entry of an export of leaves: the one that `named` is, or a fresh one. So an export of
    /// many pages leaves one entry, and no page goes without.
    pub(crate) fn export_noted(
        &self,
        officer: &Officer,
        named: Option<u64>,
        reason: &str,
    ) -> Result<u64, DeskError> {
        let reason = reason_bounded(reason)?.to_owned();
        let Some(index) = named else {
            let (object, id, count) = ("log".to_owned(), String::new(), self.store.log_size());
            let event = ReadEvent { object, id, count, reason, act: Act::Exported };
            let entry = Entry::read(self.who(officer), event);
            return Ok(self.logged(Write::new().log(entry))?.leaf_index);
        };
        let logged = self.store.log_entry_fetch(index)?;
        let is_own = logged.is_some_and(|logged| {
            let entry = logged.entry();
            let is_recent = entry.at().saturating_add(EXPORT_SECONDS_MAX) > self.now();
            entry.actor() == officer.as_str()
                && is_recent
                && matches!(entry.event(), Event::Read(read)
                    if read.object == "log" && read.act == Act::Exported)
        });
        if is_own {
            return Ok(index);
        }
        Err(DeskError::invalid("this export was not begun, or is over", "begin it again"))
    }
}
