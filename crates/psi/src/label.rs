//! Domain-separation strings of bulk matching; none is built elsewhere.
//!
//! Implements spec/psi.md#labels. Each is a context of BLAKE3's key derivation.

/// Item from an identifier of any length.
pub(crate) const ITEM: &str = "symbolon/1 psi item";
/// Key of the hash that gives value and row of an item.
pub(crate) const ROW: &str = "symbolon/1 psi row";
/// Key of the hash that gives the output of an item.
pub(crate) const OUTPUT: &str = "symbolon/1 psi output";
