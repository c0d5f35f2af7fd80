//! Every bound of bulk matching, with its unit; no other file states one.
//!
//! Implements spec/psi.md#limits.

/// Threads of one computation, at most.
pub const WORKERS_MAX: usize = 64;

/// Entries that the expander of the code sums for each entry of the result (ePrint 2023/882).
pub const EXPANDER_WEIGHT: usize = 21;

/// Entries of the vector that the code shortens, at most.
pub const VOLE_CODE_LENGTH_MAX: usize = 1 << 24;

/// Punctured trees of a vector correlation, each with one noisy place: the least number `t` with
/// `(1 - d/N)^t <= 2^-128` for `d/N = 0.1` (spec/psi.md#parameters).
pub const NOISE_TREES: usize = 843;

/// Leaves of a noise tree, at least.
pub const NOISE_TREE_LEAVES_MIN: usize = 8;

/// Entries of one vector correlation, at most; longer sets are partitioned.
pub const VOLE_LENGTH_MAX: usize = 1 << 22;
