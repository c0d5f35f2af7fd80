//! Granted record to padded, signed, HPKE-sealed bytes, and back; decides nothing about who may
//! see what.
//!
//! Implements spec/envelope.md.
//!
//! Everything about a record that leaves the node passes [`seal()`] or [`seal_alert()`], which
//! take grants by value. A relay, a gateway or a courier sees a header and one of few sizes.

mod alert;
mod error;
#[cfg(test)]
mod hostile;
mod kept;
mod label;
pub mod limits;
mod open;
mod padding;
mod payload;
mod project;
mod seal;
mod seal_alert;
mod statement;
mod suite;

pub use alert::{
    AckItem, Acknowledgement, Alerted, ContestReason, Manifest, Say, Stage, WithdrawReason, Word,
};
pub use error::{DisclosureError, Layer};
pub use kept::Kept;
pub use open::{Address, Opened, address, open};
pub use payload::{
    Account, AccountItem, ConfirmRequest, Disclosed, Passed, Payload, Receipt, Refusal,
    RefusalCode, StatementKind,
};
pub use seal::{
    Author, Preview, Recipient, Sealed, Terms, preview, seal, seal_account, seal_confirm,
    seal_receipt, seal_refusal,
};
pub use seal_alert::{
    AlertTerms, Resealed, preview_alert, reseal, seal_acknowledgement, seal_alert, seal_manifest,
    seal_word,
};
pub use statement::StatementId;
pub use suite::RecipientSecret;
