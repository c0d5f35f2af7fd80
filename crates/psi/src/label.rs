//! Domain-separation strings of bulk matching; none is built elsewhere.
//!
//! Implements spec/psi.md#labels.
