//! What happened, as log entries, commitments and receipts; keeps nothing and signs nothing.
//!
//! Implements spec/accountability.md.
//!
//! Invariant: the log shows salted leaves only. What an entry says stays sealed at home until an
//! auditor is given entry and salt.

mod alert;
mod entry;
mod error;
mod event;
mod label;
mod leaf;
pub mod limits;
mod query;
mod receipt;
mod reopen;
mod set_query;
mod transcript;

pub use alert::{AlertAct, AlertEvent, DeletedEvent};
pub use entry::{Entry, Who};
pub use error::AuditError;
pub use event::{
    Act, AdminEvent, AgreementEvent, BudgetEvent, CardEvent, ConfirmEvent, DisclosedEvent,
    EpochCardEvent, ErasedEvent, EvaluationEvent, Event, ImportEvent, LeafRange, OpeningEvent,
    PolicyEvent, QueryEvent, ReadEvent, ReceiptEvent, ReceivedEvent, RefusedEvent,
};
pub use leaf::{LeafData, Logged};
pub use query::{
    Commitment, CommittedQuery, LogSeen, QueryEvidence, QueryPrivate, batch_digest, commit,
    continues, verify_query,
};
pub use receipt::Receipt;
pub use reopen::ReopenedQuery;
pub use set_query::{
    ReopenedSet, SetDigest, SetTerms, commit_set, set_digest, set_item, set_opening,
    verify_set_query,
};
pub use transcript::{MatchStatement, PartitionTranscript, SignedMatch, match_transcript};
