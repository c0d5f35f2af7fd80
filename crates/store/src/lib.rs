//! Durable state behind one narrow trait: memory and SQLite; decides nothing and talks to nobody.
//!
//! Implements spec/store.md.
//!
//! Invariants: what was acknowledged is durable; a write is applied whole or not at all; bodies and
//! identifiers lie sealed, each bound to its row and column; an index names nobody without the
//! node's own key.

mod alarm;
mod alert;
mod backend;
mod budget;
mod content;
mod crypter;
mod deletion;
mod delivery;
mod due;
mod erase;
mod error;
mod evidence;
mod examine;
mod foreseen;
mod hit;
mod hotline;
mod id;
mod keyring;
mod label;
pub mod limits;
mod log;
mod memory;
mod outbox;
mod owed;
mod partner;
mod record;
mod relay;
mod sent;
mod setting;
mod sqlite;
mod store;
mod table;
mod tag_set;
mod watch;
mod write;

pub use alarm::{Alarm, Closing};
pub use alert::{Alert, AlertKey, AlertState, Pending, Rings};
pub use budget::{BudgetKey, Direction};
pub use content::{MadeSecrets, Slot};
pub use deletion::{DeletionDue, DeletionProof};
pub use delivery::{AlertDelivery, DeliveryState};
pub use due::{DueFor, InboxItem, InboxKind};
pub use erase::Erased;
pub use error::StoreError;
pub use evidence::{Admitted, Evidence, Way};
pub use examine::Examined;
pub use foreseen::{Foreseen, Foretold};
pub use hit::{Hit, HitState, Query, QueryState};
pub use hotline::{Hotline, HotlineState, Submission};
pub use id::{AlarmId, HitId, NoticeId, QueryId, WatchId};
pub use keyring::{Cost, KEYRING_FILE, Unlock};
pub use log::LogTiles;
pub use outbox::{Intent, Line};
pub use owed::{Owed, OwedFor, Settled};
pub use partner::{Partner, PartnerState, Route};
pub use record::{External, IndexHit, IndexKey};
pub use relay::{RelayEntry, RelayParcel, RelayRoom, RelaySide, RelayUsage};
pub use sent::{Sent, StreamSide};
pub use sqlite::{DATABASE_FILE, LOCK_FILE};
pub use store::Store;
pub use tag_set::{SetChunk, SetHead, SetKey, SetLookup, SetPlace, SetSide, SetState};
pub use watch::{Notice, Watch, WatchFit, WatchState};
pub use write::{Committed, Submitted, Write};
