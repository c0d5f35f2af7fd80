//! The red-flag record: kinds, subjects, items, evaluation, handling, validity; not who may see it.
//!
//! Implements spec/record.md#record.
//!
//! Invariant: a [`Record`] or [`View`] in memory has passed every check of `limits.rs`, and no
//! `Debug` form shows a text of it.

mod alert_class;
mod compare;
mod content;
mod error;
mod evaluation;
mod field;
mod handling;
mod id;
mod kind;
mod label;
mod lines;
mod named;
mod record;
mod validate;
mod view;

pub mod limits;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
#[cfg(test)]
mod tests;

pub use alert_class::AlertClass;
pub use compare::{Comparison, Finding, Standing};
pub use content::{
    Content, ControlCode, Dispute, Event, Identifier, Item, Place, Quantity, Source, Subject,
};
pub use error::RecordError;
pub use evaluation::{Credibility, Evaluation, Reliability};
pub use field::{Blur, Field, Transform};
pub use handling::{Handling, Tlp};
pub use id::{RecordId, RecordSalt, RecordVersion};
pub use kind::{CodeScheme, Exercise, OriginatorControl, RecordKind, SourceKind, SubjectKind};
pub use record::Record;
pub use view::{EventView, ItemView, SubjectView, Validity, View};
