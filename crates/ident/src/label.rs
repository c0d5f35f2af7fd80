//! Domain-separation labels of this crate.

/// Hash that names the rules: version, then every vector file.
pub(crate) const PROFILE: &str = "symbolon/1 profile";

/// Hash that stands in a match key for a value longer than `KEY_VALUE_BYTES_MAX`.
pub(crate) const LONG_VALUE: &str = "symbolon/1 long value";
