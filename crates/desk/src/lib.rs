//! The use cases, one file each: what people and partners do here. No HTTP, no QUIC, no clock.
//!
//! Implements spec/architecture.md#flow. `answer.rs` is the flow of what may leave, as one short
//! function.
//!
//! All calls block; whoever calls bounds how many do. Every call of the API has one shape: the
//! officer, a request, and where to report progress.

mod account;
mod alarm;
mod alert;
mod answer;
pub mod api;
mod ask;
mod asking;
mod audit;
mod batch;
mod bulk;
mod bulk_pipe;
mod bulk_serve;
mod confirm;
mod cosign;
mod count;
mod desk;
mod doctor;
mod door;
mod enrolment;
mod error;
mod evidence;
mod exchange;
mod hit;
mod hotline;
mod identity;
mod import;
pub mod limits;
mod meter;
mod officer;
mod open;
mod opening;
mod partner;
mod policy;
mod publish;
mod read;
mod reconcile;
mod record;
mod relay;
mod retain;
mod route;
mod spread;
mod surroundings;
mod tag_set;
mod watch;

pub use alert::{AlertClocks, Left, Pushed, Taken};
pub use answer::Answered;
pub use desk::{Desk, Known};
pub use door::{DoorKeys, Doorway};
pub use enrolment::{Enrolment, pin_parse};
pub use error::{DeskError, Fault};
pub use hotline::{Admitted, Credentials};
pub use identity::{Birth, Identity, identity_create};
pub use meter::Demand;
pub use officer::{Officer, Role};
pub use relay::RelayTerms;
pub use surroundings::{Link, LinkError, Surroundings};
pub use watch::{NoticeDue, NoticeLine, Target};
