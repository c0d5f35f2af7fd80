//! Durable state behind one narrow trait: memory and SQLite; decides nothing and talks to nobody.
//!
//! Implements spec/store.md.
//!
//! Invariants: what was acknowledged is durable; a write is applied whole or not at all; bodies and
//! identifiers lie sealed, each bound to its row and column; an index names nobody without the
//! node's own key.

mod alarm;
mod backend;
mod budget;
mod crypter;
mod error;
mod evidence;
mod hit;
mod id;
mod keyring;
mod label;
pub mod limits;
mod log;
mod memory;
mod owed;
mod partner;
mod record;
mod setting;
mod sqlite;
mod store;
mod table;
mod tag_set;
mod write;

pub use alarm::{Alarm, Closing};
pub use budget::{BudgetKey, Direction};
pub use error::StoreError;
pub use evidence::{Admitted, Evidence, Way};
pub use hit::{Hit, HitState, Query, QueryState};
pub use id::{AlarmId, HitId, QueryId};
pub use keyring::{Cost, KEYRING_FILE, Unlock};
pub use log::LogTiles;
pub use owed::{Owed, OwedFor, Settled};
pub use partner::{Partner, PartnerState};
pub use record::{External, IndexHit, IndexKey};
pub use sqlite::{DATABASE_FILE, LOCK_FILE};
pub use store::Store;
pub use tag_set::{SetChunk, SetHead, SetKey, SetLookup, SetPlace, SetSide, SetState};
pub use write::{Committed, Submitted, Write};
