//! Domain-separation strings of bulk matching; none is built elsewhere.
//!
//! Implements spec/psi.md#labels. Each is a context of BLAKE3's key derivation.

/// Item from an identifier of any length.
pub(crate) const ITEM: &str = "symbolon/1 psi item";
/// Key of the hash that gives value and row of an item.
pub(crate) const ROW: &str = "symbolon/1 psi row";
/// Key of the hash that gives the output of an item.
pub(crate) const OUTPUT: &str = "symbolon/1 psi output";
/// Digest of the terms of a session; the version of the protocol stands in it.
pub(crate) const TERMS: &str = "symbolon/1 psi terms";
/// Commitment to the sender's half of the coin.
pub(crate) const COIN: &str = "symbolon/1 psi coin";
/// Hash over all messages of a session.
pub(crate) const TRANSCRIPT: &str = "symbolon/1 psi transcript";
/// Name of the session of one partition.
pub(crate) const PARTITION: &str = "symbolon/1 psi partition";
/// Key of the hash that chooses an item's partition.
pub(crate) const PARTITION_KEY: &str = "symbolon/1 psi partition key";

/// Hash to the group in a base oblivious transfer.
pub(crate) const BASE_POINT: &str = "symbolon/1 psi base point";
/// Key of a base oblivious transfer.
pub(crate) const BASE_KEY: &str = "symbolon/1 psi base key";
/// Digest of what a check compares.
pub(crate) const EXTENSION_CHECK: &str = "symbolon/1 psi extension check";
/// Transcript of a vector correlation; each message is absorbed before the next is made.
pub(crate) const VOLE_TRANSCRIPT: &str = "symbolon/1 psi vole transcript";
/// Public values drawn from the transcript: keys of trees, the code's seed, challenges.
pub(crate) const VOLE_DERIVE: &str = "symbolon/1 psi vole derive";
/// What the sender answers to the correlation check.
pub(crate) const VOLE_PROOF: &str = "symbolon/1 psi vole proof";
