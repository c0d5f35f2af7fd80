//! Moves what is durable from the write-ahead log into the database, beside the writer: nobody who
//! waits for a commit waits for that as well.
//!
//! Implements spec/store.md#sqlite.
//!
//! Invariant: the log is only ever moved behind commits; what fails here is done by a later commit.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::StoreError;
use crate::limits::{MOVE_OPS, WAL_CHECKPOINT_PAGES};

/// What the writer has left to the mover.
#[derive(Default)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    ops: usize,
    rest: Rest,
    run: Run,
}

/// What the writer has to do itself: while it writes, no move ever reaches the end of the log, and
/// only a log that was moved to its end is begun anew.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    #[default]
    Nothing,
    /// To move the last few pages.
    Move,
}

#[derive(Default, PartialEq, Eq)]
enum Run {
    #[default]
    On,
    Over,
}

impl Backlog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer has committed so many operations; gives what it has to do itself now.
    pub(crate) fn wrote(&self, ops: usize) -> Rest {
        let mut state = self.state();
        state.ops = state.ops.saturating_add(ops);
        if state.ops >= MOVE_OPS {
            self.grown.notify_one();
        }
        std::mem::take(&mut state.rest)
    }

    /// Ends the mover's thread.
    pub(crate) fn close(&self) {
        self.state().run = Run::Over;
        self.grown.notify_one();
    }

    /// Moves whenever there is enough to move, until it is closed.
    pub(crate) fn serve(&self, connection: &Connection) {
        loop {
            let waits = |state: &mut State| state.ops < MOVE_OPS && state.run == Run::On;
            let state = self.grown.wait_while(self.state(), waits);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            if state.run == Run::Over {
                return;
            }
            state.ops = 0;
            drop(state);
            if passed(connection).is_ok_and(|pages| pages >= WAL_CHECKPOINT_PAGES) {
                // What was written meanwhile: so little is left that no commit waits for long.
                let _ = passed(connection);
                self.state().rest = Rest::Move;
            }
        }
    }
}

/// Moves what can be moved without waiting for anybody; gives how many pages the log has, moved or
/// not.
pub(crate) fn passed(connection: &Connection) -> Result<u32, StoreError> {
    // "The second column is the number of modified pages that have been written to the write-ahead
    // log file."
    let text = "PRAGMA wal_checkpoint(PASSIVE)";
    let pages: i64 = connection.query_row(text, [], |row| row.get(1))?;
    Ok(u32::try_from(pages).unwrap_or_default())
}
