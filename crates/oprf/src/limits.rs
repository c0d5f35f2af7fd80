//! Every bound of matching, with its unit; no other file states one.
//!
//! Implements spec/matching.md#limits.

/// Bytes of one OPRF input, at most.
pub const INPUT_BYTES_MAX: usize = 256;

/// Elements of a batch; a batch has exactly one of these sizes.
pub const BATCH_SIZES_ELEMENTS: [usize; 3] = [8, 64, 1024];

/// Elements of the largest batch.
pub const BATCH_ELEMENTS_MAX: usize = 1024;

/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;

/// Entries of the smallest tag set, padding included.
pub const TAG_SET_ENTRIES_MIN: u64 = 1024;

/// Entries of the largest tag set, padding included.
pub const TAG_SET_ENTRIES_MAX: u64 = 1 << 28;

/// Entries of a chunk; every padded count is a multiple of it.
pub const CHUNK_ENTRIES: usize = 256;

/// Bytes of a chunk as it travels: its tags and nothing else.
pub const CHUNK_BYTES: usize = CHUNK_ENTRIES * TAG_BYTES;

/// Records behind one tag that its commitment covers, at most.
pub const RECORDS_PER_TAG_MAX: usize = 1024;

/// Hashes of an inclusion proof, at most: the depth of the largest set.
pub const PROOF_HASHES_MAX: usize = 28;

/// Threads of one computation, at most.
pub const WORKERS_MAX: usize = 64;

/// Bytes of a chunk as the holder's store keeps it, at most.
pub const CHUNK_STORED_BYTES_MAX: usize = 16 << 20;
