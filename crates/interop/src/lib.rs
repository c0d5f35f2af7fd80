//! Tables and JSON Lines into record drafts by a documented mapping; never a way around policy.
//!
//! Implements spec/import.md#mapping. Reading streams: memory holds one group of rows at a time.
//!
//! Invariant: a problem names row, column and rule, never the value.

mod assemble;
mod error;
mod limits;
mod mapping;
mod problem;
mod rows;

pub use assemble::{Assembled, Draft, DraftKey};
pub use error::InteropError;
pub use limits::{GROUP_ROWS_MAX, MAPPING_BYTES_MAX, ROW_BYTES_MAX};
pub use mapping::Mapping;
pub use problem::{Problem, Severity};
pub use rows::{Group, Groups};
