//! Granted record to padded, signed, HPKE-sealed bytes, and back; decides nothing about who may
//! see what.
//!
//! Implements spec/envelope.md.
//!
//! Everything about a record that leaves the node passes through [`seal()`], which takes a grant by
//! value. A relay, a gateway or a courier sees a header and one of few sizes.

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
mod statement;
mod suite;

pub use error::{DisclosureError, Layer};
pub use kept::Kept;
pub use open::{Opened, open};
pub use payload::{
    Account, AccountItem, ConfirmRequest, Disclosed, Passed, Payload, Receipt, Refusal,
    RefusalCode, StatementKind,
};
pub use seal::{
    Author, Preview, Recipient, Sealed, Terms, preview, seal, seal_account, seal_confirm,
    seal_receipt, seal_refusal,
};
pub use statement::StatementId;
pub use suite::RecipientSecret;
