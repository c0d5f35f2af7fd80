//! Matching by OPRF: RFC 9497 VOPRF on ristretto255, epoch keys and tag sets; no policy, no wire.
//!
//! Implements spec/matching.md. The sender holds a key and the answering set, the receiver learns
//! which of its own inputs are in it; nobody learns an input that only one side holds.
//!
//! Invariants: a key never leaves [`Sender`]; a blind serves once, because [`Receiver::finalize`]
//! consumes the receiver; no result exists before the batch's proof is verified; an element that
//! is the identity or not canonical cannot be constructed.

mod chunk;
mod dleq;
mod element;
mod error;
mod key;
mod label;
mod limits;
mod lookup;
mod opening;
mod output;
mod receiver;
#[cfg(test)]
mod rfc9497;
mod sender;
#[cfg(test)]
mod spec_example;
mod suite;
mod tag_set;
mod transfer;
mod workers;

pub use chunk::{Chunk, Entry, RecordCommitment, RecordRef};
pub use dleq::Proof;
pub use element::{BlindedElement, EvaluatedElement, PublicKey};
pub use error::{FinalizeError, OprfError};
pub use key::{EpochSeed, KeyNames, SetSalt};
pub use limits::*;
pub use lookup::TagLookup;
pub use opening::{CommitmentOpening, OpenedCommitment};
pub use output::{ConfirmCode, Confirmed, Output, Tag};
pub use receiver::{Hit, Opening, Receiver, padded_batch};
pub use sender::{Evaluated, Sender};
pub use tag_set::{TagSet, TagSetBuilder, padded_count};
pub use transfer::{ReceivedTagSet, TagSetTransfer};
