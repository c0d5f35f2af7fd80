//! Bulk set intersection against a cheating partner; no policy, no wire, no clock, no randomness.
//!
//! Implements spec/psi.md. The sender holds the answering set, the receiver learns which of its own
//! items are in it and nothing else; the sender learns the receiver's padded count only.
//!
//! Invariants: one state is one struct and a message consumes it; only padded counts travel; no
//! branch and no address depends on the sender's secret, the masks or the other side's items.

mod code;
mod cost;
mod drive;
mod error;
mod field;
mod frame;
mod ggm;
mod hash;
mod kernel;
mod label;
mod lane;
mod limits;
mod message;
mod okvs;
mod ot_base;
mod ot_extend;
mod ot_matrix;
mod outputs;
#[cfg(test)]
mod pair;
mod plan;
mod prg;
pub mod receiver;
pub mod sender;
pub mod stage;
mod stage_vector;
mod terms;
#[cfg(test)]
mod vectors;
mod vole;
mod vole_layout;
#[cfg(test)]
mod vole_pair;
mod vole_receiver;
mod vole_sender;
mod vole_transcript;
#[cfg(test)]
mod vole_vectors;
mod workers;

pub use cost::{Cost, Way, cheaper, oprf_cost, psi_cost};
pub use drive::{Poll, Receiver, Sender};
pub use error::PsiError;
pub use frame::{Head, Message};
pub use hash::Item;
pub use limits::*;
pub use plan::Plan;
pub use terms::{Terms, padded_count};
