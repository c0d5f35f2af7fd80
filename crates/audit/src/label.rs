//! Every domain-separation label of the audit.

/// Leaf of an ordinary entry: label ‖ salt ‖ encoded entry.
pub(crate) const LEAF: &str = "symbolon/1 leaf";
/// Leaf of a query: label ‖ salt ‖ batch digest ‖ private digest.
pub(crate) const QUERY: &str = "symbolon/1 query";
/// Batch digest: label ‖ the blinded elements, in order.
pub(crate) const BATCH: &str = "symbolon/1 batch";
/// Private digest: label ‖ salt ‖ encoded private part.
pub(crate) const PRIVATE: &str = "symbolon/1 private";
