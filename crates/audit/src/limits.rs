//! Every bound of the audit, with its unit in the name.

/// Largest encoded entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 16 << 10;
/// Longest text in an entry (an officer, a purpose, an act), in bytes.
pub const TEXT_BYTES_MAX: usize = 512;
/// Longest id in an entry of a reading, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Longest list in an entry, in items.
pub const LIST_ITEMS_MAX: usize = 128;

/// Largest encoded private part of a query, in bytes: 1,024 inputs of 256 bytes and their blinds.
pub const PRIVATE_BYTES_MAX: usize = 512 << 10;
/// Blinded elements of one query.
pub const QUERY_ELEMENTS_MAX: usize = 1_024;
/// Largest encoded evidence of a query, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 32 << 10;
/// Hashes of one proof: a log of 2^63 leaves needs 63 for inclusion, twice that for consistency.
pub const PROOF_HASHES_MAX: usize = 128;
/// Longest signed checkpoint in an evidence, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 16 << 10;
