//! Every bound of bulk matching, with its unit; no other file states one.
//!
//! Implements spec/psi.md#limits.

/// Threads of one computation, at most.
pub const WORKERS_MAX: usize = 64;

/// Items of a bin that peeling may leave to the dense solver.
pub(crate) const CORE_ITEMS_MAX: usize = 128;
