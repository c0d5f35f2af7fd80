//! Every limit of a bundle, with its unit.
//!
//! Implements spec/evidence.md#limits.

/// A bundle, in bytes.
pub const BUNDLE_BYTES_MAX: usize = 16 << 20;
/// Items of a bundle.
pub const ITEMS_MAX: usize = 4_096;
/// A manifest, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;
/// Things that a manifest names as left out.
pub const LEFT_OUT_MAX: usize = 4_096;
/// A reason, an officer's name or the name of a case in a manifest, in bytes.
pub const TEXT_BYTES_MAX: usize = 512;
/// Cards of a bundle: each may be tried for each statement.
pub const CARDS_MAX: usize = 64;
/// A signed card, in bytes.
pub const CARD_BYTES_MAX: usize = 32 << 10;
/// A signed agreement, in bytes.
pub const AGREEMENT_BYTES_MAX: usize = 32 << 10;
/// A signed epoch card, in bytes.
pub const EPOCH_CARD_BYTES_MAX: usize = 8 << 10;
/// A signed statement, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 512 << 10;
/// An entry of the log, in bytes.
pub const ENTRY_BYTES_MAX: usize = 16 << 10;
/// The opening of a leaf, in bytes: the entry and 64 hashes.
pub const OPENING_BYTES_MAX: usize = 20 << 10;
/// The opening of a leaf of the partner's log, in bytes: that and the size of the tree.
pub const THEIR_OPENING_BYTES_MAX: usize = OPENING_BYTES_MAX + 16;
/// The private part of a query, in bytes.
pub const PRIVATE_BYTES_MAX: usize = 512 << 10;
/// Hashes of one proof.
pub const PROOF_HASHES_MAX: usize = 64;
/// Hashes of the opening of a record commitment.
pub const COMMITMENT_HASHES_MAX: usize = 28;
/// Records behind one tag.
pub const RECORDS_PER_TAG_MAX: usize = 1_024;
/// Items of an acknowledgement.
pub const ACK_ITEMS_MAX: usize = 1_024;
/// The checkpoint in an acknowledgement, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 16 << 10;
/// Longest life of a statement, in seconds.
pub const LIFETIME_SECONDS_MAX: u64 = 14 * 86_400;
/// How far two clocks may differ, in seconds.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 300;
/// Latest time in any document, in Unix seconds.
pub const TIME_SECONDS_MAX: u64 = 253_402_300_799;
