//! Notices: what a rule sends out of the node, durable until it has left or is given up.
//!
//! Implements spec/watch.md#notices.
//!
//! Invariants: a notice names the rule, the alert, its class and a time; nothing of its content. No
//! more than [`NOTICES_MAX`] wait.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use symbolon_audit::Entry;
use symbolon_store::{Notice, NoticeId, Rings, WatchFit, Write};
use symbolon_trust::Mode;

use super::class_name;
use super::rule::{Rule, Target};
use crate::limits::{
    DAY_SECONDS, NOTICE_ATTEMPTS_MAX, NOTICE_RETRY_SECONDS, NOTICE_RETRY_SECONDS_MAX,
    NOTICES_AT_ONCE, NOTICES_LOG_SECONDS, NOTICES_MAX, SCAN_ENTRIES,
};
use crate::{Desk, DeskError, Officer};

/// A notice that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeDue {
    /// Names it when it has left, or could not.
    pub id: NoticeId,
    /// Where it goes.
    pub target: Target,
    /// What it says.
    pub line: NoticeLine,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeLine {
    /// Name of the rule.
    pub rule: String,
    /// Id of the alert.
    pub alert: String,
    /// Its class.
    pub class: String,
    /// Whether it is a drill.
    pub exercise: bool,
    /// When it fitted, in Unix seconds.
    pub at: u64,
}

/// How many notices wait, without asking the store for each.
#[derive(Default)]
pub(crate) struct Waiting {
    count: AtomicU64,
    /// Not made, since that was last logged.
    left_out: AtomicU64,
    logged_at: AtomicU64,
}

impl Waiting {
    /// Counts one more, where there is room for it.
    fn admit(&self) -> Room {
        if self.count.load(Ordering::Relaxed) >= NOTICES_MAX {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return Room::Full;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Room::Left
    }

    fn gone(&self) {
        let less = |count: u64| Some(count.saturating_sub(1));
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// How many were left out, where that is to be logged now.
    fn left_out(&self, now: u64) -> Option<u64> {
        let due = self.logged_at.load(Ordering::Relaxed).saturating_add(NOTICES_LOG_SECONDS);
        if now < due || self.left_out.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.logged_at.store(now, Ordering::Relaxed);
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Room {
    Left,
    Full,
}

/// What stands for a target in a row of the store.
const fn code(target: &Target) -> u8 {
    match target {
        Target::Inbox => 0,
        Target::Webhook(_) => 1,
        Target::Syslog => 2,
        Target::Lines => 3,
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inbox => f.write_str("inbox"),
            Self::Webhook(address) => f.write_str(address),
            Self::Syslog => f.write_str("syslog"),
            Self::Lines => f.write_str("lines"),
        }
    }
}

impl Desk {
    /// Adds a notice for every target outside: what rings goes at once, the rest with the digest of
    /// the day.
    pub(super) fn notices_made(
        &self,
        mut write: Write,
        fit: &WatchFit,
        targets: &[Target],
    ) -> Write {
        let due_at = match fit.rings {
            Rings::Rings => fit.at,
            Rings::Silent => (fit.at / DAY_SECONDS + 1) * DAY_SECONDS,
        };
        let mut told = Vec::new();
        for target in targets.iter().map(code).filter(|code| *code != code_of_inbox()) {
            // Two addresses of one rule are two notices; the second finds the next address.
            let place = told.iter().filter(|one| **one == target).count();
            told.push(target);
            if self.rules.waiting.admit() == Room::Full {
                continue;
            }
            write = write.notice(&Notice {
                id: self.notice_id(),
                watch: fit.watch,
                target: target | (u8::try_from(place).unwrap_or(u8::MAX) << 4),
                alert: fit.alert,
                class: fit.class,
                mode: fit.mode,
                at: fit.at,
                due_at,
                attempts: 0,
            });
        }
        write
    }

    /// The notices that are to be sent now, the oldest first.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn notices_due(&self) -> Result<Vec<NoticeDue>, DeskError> {
        let (now, mut due, mut after) = (self.now(), Vec::new(), None);
        if let Some(count) = self.rules.waiting.left_out(now) {
            let act = format!("{count} notices of watch rules left out: too many wait");
            let entry = Entry::admin(self.who(&Officer::node()), &act, [0; 32]);
            self.store.commit(Write::new().log(entry))?;
        }
        let mut count = 0;
        loop {
            let page = self.store.notice_list(after, SCAN_ENTRIES)?;
            let Some(last) = page.last() else {
                self.rules.waiting.count.store(count, Ordering::Relaxed);
                return Ok(due);
            };
            after = Some(last.id);
            count += page.len() as u64;
            for notice in page.into_iter().filter(|notice| notice.due_at <= now) {
                match self.notice_line(&notice)? {
                    Some(found) => due.push(found),
                    // Its rule is gone, or speaks elsewhere now.
                    None => {
                        self.notice_sent(notice.id)?;
                        count -= 1;
                    }
                }
                if due.len() == NOTICES_AT_ONCE {
                    return Ok(due);
                }
            }
        }
    }

    /// A notice has left.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn notice_sent(&self, id: NoticeId) -> Result<(), DeskError> {
        self.store.commit(Write::new().notice_delete(id))?;
        self.rules.waiting.gone();
        Ok(())
    }

    /// How many notices wait.
    pub(crate) fn notices_waiting(&self) -> u64 {
        self.rules.waiting.count.load(Ordering::Relaxed)
    }

    /// A notice could not leave: it is tried again, later each time, and given up in the end, which
    /// is logged.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn notice_failed(&self, id: NoticeId) -> Result<(), DeskError> {
        let Some(mut notice) = self.store.notice_fetch(id)? else { return Ok(()) };
        notice.attempts += 1;
        let write = if notice.attempts >= NOTICE_ATTEMPTS_MAX {
            self.rules.waiting.gone();
            let act = format!("notice of watch rule {} given up", notice.watch);
            let entry = Entry::admin(self.who(&Officer::node()), &act, [0; 32]);
            Write::new().notice_delete(id).log(entry)
        } else {
            let wait = NOTICE_RETRY_SECONDS.saturating_mul(1 << notice.attempts.min(16));
            notice.due_at = self.now() + wait.min(NOTICE_RETRY_SECONDS_MAX);
            Write::new().notice(&notice)
        };
        self.store.commit(write)?;
        Ok(())
    }

    fn notice_line(&self, notice: &Notice) -> Result<Option<NoticeDue>, DeskError> {
        let Some(watch) = self.store.watch_fetch(notice.watch)? else { return Ok(None) };
        let rule = Rule::decode(&watch.rule)?;
        let (kind, place) = (notice.target & 0xf, usize::from(notice.target >> 4));
        let target = rule.targets.into_iter().filter(|target| code(target) == kind).nth(place);
        Ok(target.map(|target| NoticeDue {
            id: notice.id,
            target,
            line: NoticeLine {
                rule: watch.name,
                alert: notice.alert.id.to_string(),
                class: class_name(notice.class).to_owned(),
                exercise: notice.mode == Mode::Exercise,
                at: notice.at,
            },
        }))
    }
}

const fn code_of_inbox() -> u8 {
    code(&Target::Inbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_wait_and_what_is_left_out_is_told_once_an_hour() {
        let waiting = Waiting::default();
        assert_eq!(waiting.left_out(10_000), None);
        assert!((0..NOTICES_MAX).all(|_| waiting.admit() == Room::Left));
        assert!((0..3).all(|_| waiting.admit() == Room::Full));
        assert_eq!(waiting.left_out(10_000), Some(3));
        assert_eq!((waiting.admit(), waiting.left_out(13_599)), (Room::Full, None));
        assert_eq!(waiting.left_out(13_600), Some(1));
        waiting.gone();
        assert_eq!((waiting.admit(), waiting.admit()), (Room::Left, Room::Full));
    }
}
