//! Bulk set intersection against a cheating partner; no policy, no wire, no clock, no randomness.
//!
//! Implements spec/psi.md. The sender holds the answering set, the receiver learns which of its own
//! items are in it and nothing else; the sender learns the receiver's padded count only.
//!
//! Invariants: one state is one struct and a message consumes it; only padded counts travel; no
//! branch and no address depends on the sender's secret, the masks or the other side's items.

mod cost;
mod error;
mod field;
mod frame;
mod hash;
mod kernel;
mod label;
mod limits;
mod okvs;
mod outputs;
mod plan;
mod terms;
mod workers;

pub use cost::{Cost, Way, cheaper, oprf_cost, psi_cost};
pub use error::PsiError;
pub use frame::{Head, Message};
pub use hash::Item;
pub use limits::*;
pub use plan::Plan;
pub use terms::{Terms, padded_count};
