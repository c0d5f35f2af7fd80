//! Every bound of bulk matching, with its unit; no other file states one.
//!
//! Implements spec/psi.md#limits.

/// Threads of one computation, at most.
pub const WORKERS_MAX: usize = 64;

/// Items of a bin that peeling may leave to the dense solver.
pub(crate) const CORE_ITEMS_MAX: usize = 128;

/// Items of the smallest set, padding included.
pub const SESSION_ITEMS_MIN: u64 = 1024;

/// Items of the largest set of one session, padding included; more are partitioned.
pub const SESSION_ITEMS_MAX: u64 = 3 << 20;

/// Items that a partition is planned for, at most, padding included: what bounds the memory.
pub const PARTITION_ITEMS_MAX: u64 = 3 << 19;

/// The least room of a partition.
pub const PARTITION_ITEMS_MIN: u64 = 1 << 11;

/// Partitions of one exchange.
pub const PARTITIONS_MAX: u32 = 1 << 12;

/// Bytes of a message's header.
pub const HEAD_BYTES_MAX: usize = 256;

/// Raw bytes that a header may announce.
pub const BULK_BYTES_MAX: u64 = 128 << 20;

/// Fresh seeds after a first one under which the store has no solution.
pub(crate) const SEED_RETRIES: usize = 3;
/// Entries that the expander of the code sums for each entry of the result (ePrint 2023/882).
pub const EXPANDER_WEIGHT: usize = 21;

/// Entries of the vector that the code shortens, at most.
pub const VOLE_CODE_LENGTH_MAX: usize = 1 << 25;

/// Punctured trees of a vector correlation, each with one noisy place: the least number `t` with
/// `(1 - d/N)^t <= 2^-128` for `d/N = 0.1` (spec/psi.md#parameters).
pub const NOISE_TREES: usize = 843;

/// Leaves of a noise tree, at least.
pub const NOISE_TREE_LEAVES_MIN: usize = 8;

/// Entries of one vector correlation, at most; longer sets are partitioned.
pub const VOLE_LENGTH_MAX: usize = 1 << 23;
