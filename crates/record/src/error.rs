//! What can be wrong with a record, by part and rule; never with a piece of its text.

use symbolon_codec::DecodeError;

/// Why a record was refused. All causes are malformed input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not an encoded record.
    #[error("not an encoded record")]
    Decode(#[from] DecodeError),
    /// A name that is not in the enumeration.
    #[error("unknown {what}")]
    UnknownName {
        /// Which enumeration.
        what: &'static str,
    },
    /// The id is not a version 7 UUID.
    #[error("the record id is not a version 7 uuid")]
    Id,
    /// A mandatory part is empty.
    #[error("{part} is empty")]
    Empty {
        /// Which part.
        part: &'static str,
    },
    /// A text is too long.
    #[error("{part} is longer than {bytes_max} bytes")]
    TooLong {
        /// Which part.
        part: &'static str,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// A list is too long.
    #[error("more than {count_max} entries in {part}")]
    TooMany {
        /// Which part.
        part: &'static str,
        /// The limit in entries.
        count_max: usize,
    },
    /// The encoded record is too large although each part is within its limit.
    #[error("the record is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// A text holds a control character.
    #[error("{part} holds a control character")]
    ControlCharacter {
        /// Which part.
        part: &'static str,
    },
    /// A set is not sorted, or repeats an entry.
    #[error("{part} is not sorted or repeats an entry")]
    NotSorted {
        /// Which part.
        part: &'static str,
    },
    /// A control code does not have the shape of its scheme.
    #[error("an item code does not have the shape of scheme {scheme}")]
    Code {
        /// Name of the scheme.
        scheme: &'static str,
    },
    /// An amount is not a plain decimal number.
    #[error("an amount is not a plain decimal number")]
    Amount,
    /// A place or a source says nothing at all.
    #[error("{part} says nothing")]
    Blank {
        /// Which part.
        part: &'static str,
    },
    /// The review date lies behind the expiry date.
    #[error("the review date lies behind the expiry date")]
    ReviewAfterExpiry,
    /// The parts of a view do not have one shape.
    #[error("the parts of a view do not agree on what is shown")]
    ViewShape,
}
