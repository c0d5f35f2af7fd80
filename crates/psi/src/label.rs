//! Domain-separation strings of bulk matching; none is built elsewhere.
//!
//! Implements spec/psi.md#labels.

/// Hash to the group in a base oblivious transfer.
pub(crate) const BASE_POINT: &str = "symbolon/1 psi base point";
/// Key of a base oblivious transfer.
pub(crate) const BASE_KEY: &str = "symbolon/1 psi base key";
/// Seed and check value of a leaf of the small trees.
pub(crate) const EXTENSION_LEAF: &str = "symbolon/1 psi extension leaf";
/// Digest of what a check compares.
pub(crate) const EXTENSION_CHECK: &str = "symbolon/1 psi extension check";
/// Transcript of a vector correlation; each message is absorbed before the next is made.
pub(crate) const VOLE_TRANSCRIPT: &str = "symbolon/1 psi vole transcript";
/// Public values drawn from the transcript: keys of trees, the code's seed, challenges.
pub(crate) const VOLE_DERIVE: &str = "symbolon/1 psi vole derive";
/// What the sender answers to the correlation check.
pub(crate) const VOLE_PROOF: &str = "symbolon/1 psi vole proof";
