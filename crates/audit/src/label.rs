//! Every domain-separation label of the audit.

/// Leaf of an ordinary entry: label ‖ salt ‖ encoded entry.
pub(crate) const LEAF: &str = "symbolon/1 leaf";
/// Leaf of a query: label ‖ salt ‖ batch digest ‖ private digest.
pub(crate) const QUERY: &str = "symbolon/1 query";
/// Batch digest: label ‖ the blinded elements, in order.
pub(crate) const BATCH: &str = "symbolon/1 batch";
/// Set digest: label ‖ blind ‖ the items, in ascending order. Also begins a set's opening.
pub(crate) const SET: &str = "symbolon/1 set";
/// Terms of a set: label ‖ class ‖ nonce ‖ epoch ‖ padded count ‖ elements charged.
pub(crate) const SET_TERMS: &str = "symbolon/1 set terms";
/// Item of a set: label ‖ match key.
pub(crate) const SET_ITEM: &str = "symbolon/1 set item";
/// Transcript of a match: label ‖ session ‖ of each partition its attempt and its transcript.
pub(crate) const MATCH_TRANSCRIPT: &str = "symbolon/1 match transcript";
/// Purpose of a signature under a match.
pub(crate) const MATCH: &str = "symbolon/1 match";
/// Private digest: label ‖ salt ‖ encoded private part.
pub(crate) const PRIVATE: &str = "symbolon/1 private";
