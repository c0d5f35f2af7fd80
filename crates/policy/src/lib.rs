//! May this be told to this partner? Cedar behind one function; sends nothing, stores nothing.
//!
//! Implements spec/policy.md#decision.
//!
//! Invariants: only [`PolicySet::decide`] makes a [`Grant`]; default deny; an error denies; a
//! forbid beats every permit; no rule exceeds the agreement or the originator's handling; a source
//! field leaves only by a rule that names the partner and the field.

mod ask;
mod bounds;
mod decide;
mod error;
mod grant;
mod label;
mod lint;
mod memo;
mod question;
mod request;
mod rule;
mod ruling;
mod set;
mod shape;

pub mod limits;

pub use bounds::Bound;
pub use error::PolicyError;
pub use grant::{Cause, Decision, Denial, DenialCode, Effect, Grant, GrantedField, Reason};
pub use request::{Action, PartnerContext, Request};
pub use rule::Release;
pub use set::{PolicySet, SAMPLE, SCHEMA};
pub use symbolon_record::Transform;
