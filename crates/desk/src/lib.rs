//! The use cases, one file each: what people and partners do here. No HTTP, no QUIC, no clock.
//!
//! Implements spec/architecture.md#flow. `answer.rs` is the flow of what may leave, as one short
//! function.
//!
//! All calls block; whoever calls bounds how many do. Every call of the API has one shape: the
//! officer, a request, and where to report progress.

mod account;
mod alarm;
mod answer;
pub mod api;
mod ask;
mod asking;
mod audit;
mod batch;
mod confirm;
mod cosign;
mod desk;
mod doctor;
mod error;
mod exchange;
mod hit;
mod identity;
mod import;
pub mod limits;
mod officer;
mod open;
mod partner;
mod policy;
mod publish;
mod reconcile;
mod record;
mod surroundings;
mod tag_set;

pub use answer::Answered;
pub use desk::{Desk, Known};
pub use error::{DeskError, Fault};
pub use identity::{Birth, Identity, identity_create};
pub use officer::Officer;
pub use surroundings::{Link, LinkError, Surroundings};
