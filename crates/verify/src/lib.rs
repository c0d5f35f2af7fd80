//! Checks an evidence bundle offline: reads every document by the specification alone, and says in
//! plain words what is proved and what is not. No network, no store, no clock, no policy.
//!
//! Implements spec/evidence.md.
//!
//! It shares no code with what the node writes its documents with, save the encoding and the log
//! formats: a bundle that verifies here was read twice, by two readers.

mod alert;
mod bundle;
mod contents;
mod document;
mod draft;
mod entry;
mod html;
mod key;
mod label;
mod left_out;
pub mod limits;
mod log;
mod proof;
mod reason;
mod report;
mod root;
mod statement;
mod their_leaf;
mod verify;
mod view;
mod words;

pub use alert::Mode;
pub use bundle::{ItemKind, Subject};
pub use draft::{Draft, Finished, MANIFEST_LABEL, Making, Unsigned};
pub use key::NodeId;
pub use left_out::LeftOut;
pub use reason::{Exit, Reason, Refused};
pub use report::{Report, Section};
pub use root::Root;
pub use verify::{Verified, verify};
