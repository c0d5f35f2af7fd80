//! Every bound of the store, with its unit in the name.

/// Largest value that one cell may hold, in bytes.
pub const CELL_BYTES_MAX: usize = 16 << 20;
/// Longest row key, in bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// Largest encoded log entry, in bytes.
pub const LOG_ENTRY_BYTES_MAX: usize = 64 << 10;
/// Longest name of a setting, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest external reference, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 512;
/// Match keys of one record.
pub const RECORD_KEYS_MAX: usize = 16_384;
/// Rows that one scan returns at most.
pub const SCAN_ROWS_MAX: usize = 10_000;
/// Tags in one chunk of a tag set; only the last chunk may hold fewer.
pub const CHUNK_TAGS: usize = 256;
/// Bytes of one tag.
pub const TAG_BYTES: usize = 16;
/// Missing or altered leaves that an examination names; it counts the rest.
pub const LEAVES_NAMED_MAX: usize = 100;
/// Queries read at once when their private parts are looked for.
pub const FORGET_QUERIES: usize = 64;
/// How far the times of a query's row and of its log entry may be apart, in seconds.
pub const QUERY_DELAY_SECONDS_MAX: u64 = 60;
/// How far the time in a query's name and in its log entry may be apart, in seconds.
pub const QUERY_SKEW_SECONDS: u64 = 3_600;
/// Chunks of one tag set: 2^26 tags.
pub const CHUNKS_MAX: u32 = 1 << 18;
/// Tag-set directories kept in memory.
pub const DIRECTORIES_CACHED_MAX: usize = 4;

/// Nodes in the audience of one alert.
pub const ALERT_NODES_MAX: usize = 1_024;
/// Own records that the screening of one alert names.
pub const ALERT_MATCHES_MAX: usize = 1_024;
/// Longest note of what came of an alert, in bytes.
pub const OUTCOME_BYTES_MAX: usize = 4 << 10;
/// Longest name of a hotline or a watch rule, in bytes.
pub const TITLE_BYTES_MAX: usize = 256;
/// Longest idempotency key of a submission, in bytes.
pub const IDEMPOTENCY_BYTES_MAX: usize = 256;
/// Largest watch rule, in bytes.
pub const WATCH_RULE_BYTES_MAX: usize = 64 << 10;
/// Largest envelope that is kept for another node, in bytes.
pub const RELAY_ENVELOPE_BYTES_MAX: usize = 1 << 20;
/// Envelopes kept for another node that are read at once.
pub const RELAY_PAGE_ROWS: usize = 16;

/// Batches that may wait for the writer before a caller is held back.
pub const QUEUE_BATCHES_MAX: usize = 256;
/// Batches that share one durable write.
pub const GROUP_BATCHES_MAX: usize = 512;
/// Operations that share one durable write, unless one batch alone has more.
pub const GROUP_OPS_MAX: usize = 100_000;
/// Rows of one generation of a scattered table: its pages fit the writer's cache.
pub const GENERATION_ROWS_MAX: u32 = 1 << 17;
/// Connections that read at the same time.
pub const READERS_MAX: usize = 4;
/// Page cache of the writing connection, in KiB.
pub const WRITER_CACHE_KIB: u32 = 16 << 10;
/// Page cache of a reading connection, in KiB.
pub const READER_CACHE_KIB: u32 = 2 << 10;
/// Size to which the write-ahead log is cut back once it is checkpointed, in bytes.
pub const WAL_BYTES_KEPT: u32 = 128 << 20;
/// Operations after which a part of the write-ahead log is moved into the database beside the
/// writer; one changes about two pages.
pub const MOVE_OPS: usize = 1_000;
/// Pages in the write-ahead log after which the writer moves the rest, so that it begins anew. All
/// commits wait for that, so it must be rare.
pub const WAL_CHECKPOINT_PAGES: u32 = 32_768;
/// Pages in the write-ahead log after which every commit moves it, should nothing else have.
pub const WAL_PAGES_MAX: u32 = 131_072;
/// Time that a connection waits for another's lock, in milliseconds.
pub const BUSY_TIMEOUT_MS: u64 = 10_000;

/// Largest keyring file, in bytes.
pub const KEYRING_BYTES_MAX: usize = 64 << 10;
/// Data keys in a keyring.
pub const DATA_KEYS_MAX: usize = 64;
/// Longest passphrase, in bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// Shortest key file, in bytes: below that a guess is cheaper than a theft.
pub const KEY_FILE_BYTES_MIN: usize = 32;
/// Largest key file, in bytes.
pub const KEY_FILE_BYTES_MAX: usize = 4_096;
/// Memory that a keyring may ask for when it is unlocked, in KiB.
pub const KDF_MEMORY_KIB_MAX: u32 = 1 << 20;
/// Passes that a keyring may ask for when it is unlocked.
pub const KDF_PASSES_MAX: u32 = 64;
