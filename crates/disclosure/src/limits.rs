//! Every bound on a statement and its envelope.
//!
//! Implements spec/envelope.md#limits.

/// Padded sizes up to the largest fixed bucket, in bytes; beyond it Padmé.
pub const BUCKETS_BYTES: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10];
/// Smallest padded size of an answer, in bytes: a refusal and a short disclosure look the same.
pub const ANSWER_BUCKET_BYTES_MIN: usize = 16 << 10;
/// Largest padded plaintext, in bytes.
pub const PLAINTEXT_BYTES_MAX: usize = 512 << 10;
/// Largest envelope, in bytes: the plaintext and less than 2 KiB around it.
pub const ENVELOPE_BYTES_MAX: usize = PLAINTEXT_BYTES_MAX + (2 << 10);
/// Largest payload of a statement, in bytes: the plaintext less signatures and the other fields.
pub const PAYLOAD_BYTES_MAX: usize = PLAINTEXT_BYTES_MAX - (4 << 10);
/// Longest life of an envelope, in seconds: nobody holds the key any longer (14 days).
pub const LIFETIME_SECONDS_MAX: u64 = 14 * 86_400;
/// How far ahead a sender's clock may be, in seconds.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 300;
/// Latest time in any field, in Unix seconds (9999-12-31T23:59:59Z).
pub const TIME_SECONDS_MAX: u64 = 253_402_300_799;
/// Longest purpose, in bytes.
pub const PURPOSE_BYTES_MAX: usize = 64;
/// Longest signed checkpoint in a receipt, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 16 << 10;
/// Items of one account: 48 bytes each at most, so that it stays below the second largest bucket.
pub const ACCOUNT_ITEMS_MAX: usize = 4_096;
/// Items of one acknowledgement: 55 bytes each at most, so that it stays below 128 KiB.
pub const ACK_ITEMS_MAX: usize = 1_024;
/// Envelopes of one parcel: 34 bytes each, so that its manifest stays below 512 KiB.
pub const MANIFEST_ENVELOPES_MAX: usize = 8_192;
