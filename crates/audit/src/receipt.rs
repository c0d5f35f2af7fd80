//! Where in the own log an entry lies, once it is durable.
//!
//! Implements spec/accountability.md#receipts.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::Hash;

/// Place of one leaf in the own log. Only a store that has made it durable gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Receipt {
    /// Index of the leaf.
    pub leaf_index: u64,
    /// RFC 6962 hash of the leaf.
    pub leaf_hash: Hash,
    /// Size of the log right after the write that holds the leaf.
    pub tree_size: u64,
}
