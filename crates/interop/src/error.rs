//! Why an import cannot go on at all; what concerns one row is a [`crate::Problem`].

use std::io;

/// Refusals, sorted by whose fault.
#[derive(Debug, thiserror::Error)]
pub enum InteropError {
    /// The mapping is not what spec/import.md describes.
    #[error("the mapping cannot be read: {cause}")]
    Mapping {
        /// Line and rule; names keys, never values.
        cause: String,
    },
    /// The mapping uses a column that the file does not have.
    #[error("the file has no column '{column}', which the mapping uses for {attribute}")]
    Column {
        /// The column.
        column: String,
        /// What it was to fill.
        attribute: &'static str,
    },
    /// The file has no header row.
    #[error("the file has no header row")]
    Header,
    /// The input could not be read.
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
}
