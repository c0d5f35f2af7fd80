//! Domain-separation labels of this crate.

/// Digest of a policy's text.
pub(crate) const POLICY: &str = "symbolon/1 policy";
