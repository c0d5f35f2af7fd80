//! Limits of the log formats, with their units.
//!
//! Implements spec/log.md#limits.

/// Leaves of a tree: sizes are signed 64-bit integers in the programs that verify such logs.
pub const TREE_LEAVES_MAX: u64 = i64::MAX as u64;

/// Level of the root of the largest perfect subtree in a tree of [`TREE_LEAVES_MAX`] leaves.
pub const SUBTREE_LEVEL_MAX: u8 = 62;

/// Hashes of an inclusion or consistency proof.
pub const PROOF_HASHES_MAX: usize = 64;

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Highest row of tiles: one hash there spans 2^56 leaves.
pub const TILE_LEVEL_MAX: u8 = 7;

/// Text of a tile path, in bytes.
pub const TILE_PATH_BYTES_MAX: usize = 64;

/// One log entry of a bundle, in bytes: its length travels as a `u16`.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// A signed note, in bytes: room for 16 signatures of the largest kind, "up to nearly 5kB".
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

/// Signature lines of a note. "Verifiers […] MUST accept at least up to 16 signatures."
pub const NOTE_SIGNATURES_MAX: usize = 16;

/// A key name, in bytes: it travels as `opaque cosigner_name<1..2^8-1>`.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// The origin line, in bytes: it travels as `opaque log_origin<1..2^8-1>`.
pub const ORIGIN_BYTES_MAX: usize = 255;

/// Extension lines of a checkpoint.
pub const EXTENSION_LINES_MAX: usize = 16;

/// One extension line, in bytes.
pub const EXTENSION_BYTES_MAX: usize = 1024;

/// A verifier key as text, in bytes.
pub const VKEY_BYTES_MAX: usize = 2048;

/// Latest time of a timestamped signature, in Unix seconds. "It MUST NOT exceed 2^63 - 1."
pub const TIMESTAMP_SECONDS_MAX: u64 = i64::MAX as u64;

/// Consistency proof lines of an add-checkpoint request. "The client MUST NOT send more than 63
/// consistency proof lines."
pub const ADD_CHECKPOINT_HASHES_MAX: usize = 63;

/// The body of an add-checkpoint request, in bytes: the note, and 63 lines and the old size.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 4 * 1024;

/// The extra data of a log proof, in bytes.
pub const EXTRA_BYTES_MAX: usize = 64 * 1024;

/// A log proof, in bytes: the note, the extra data in base64, and 64 lines.
pub const LOG_PROOF_BYTES_MAX: usize = 220 * 1024;

/// The proof of a split view, in bytes: two notes and 64 lines.
pub const SPLIT_VIEW_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 4 * 1024;

/// A quorum policy, in bytes: room for all of its lines with the largest keys, and comments.
pub const POLICY_BYTES_MAX: usize = 512 * 1024;

/// Log lines of a quorum policy: "at least up to 32 logs".
pub const POLICY_LOGS_MAX: usize = 64;

/// Witness lines of a quorum policy: "at least up to […] 32 witnesses".
pub const POLICY_WITNESSES_MAX: usize = 64;

/// Group lines of a quorum policy: "at least up to […] 32 groups".
pub const POLICY_GROUPS_MAX: usize = 64;
