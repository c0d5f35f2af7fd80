//! Hotlines: the HTTPS door that they come to, and the client that they come with. What they may do
//! is decided in `desk`.
//!
//! Implements spec/hotlines.md.

mod door;
mod door_key;
mod learned;
mod limits;
mod pins;
mod remote;
mod sender;
mod spool;

pub(crate) use door::{Door, DoorConfig};
pub(crate) use door_key::Keyring;
pub(crate) use learned::Learned;
pub(crate) use limits::{GREETING_PAUSE, RECEIPTS_LISTED_MAX, WATCH_SECONDS};
pub(crate) use remote::{ClientKey, Remote, RemoteError};
pub(crate) use sender::{Outcome, Sender, fresh_key};
pub(crate) use spool::{Body, Call, Receipt, Spool, SpoolError, Spooled, Stage};
