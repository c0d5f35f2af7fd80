//! Domain-separation labels of this crate.

/// Version of a record: hash over its salt and content.
pub(crate) const CONTENT: &str = "symbolon/1 content";
/// Random part of a record's id.
pub(crate) const RECORD_ID: &str = "symbolon/1 record id";
/// Salt of a record's version.
pub(crate) const RECORD_SALT: &str = "symbolon/1 record salt";
