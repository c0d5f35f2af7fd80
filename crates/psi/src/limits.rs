//! Every bound of bulk matching, with its unit; no other file states one.
//!
//! Implements spec/psi.md#limits.

/// Threads of one computation, at most.
pub const WORKERS_MAX: usize = 64;
