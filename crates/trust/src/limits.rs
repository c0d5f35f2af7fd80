//! Every bound on cards, agreements and their text form.

/// Length of an Ed25519 public key, in bytes (RFC 8032 §5.1.5).
pub const ED25519_PUBLIC_BYTES: usize = 32;
/// Length of an Ed25519 signature, in bytes (RFC 8032 §5.1.6).
pub const ED25519_SIGNATURE_BYTES: usize = 64;
/// Length of an ML-DSA-65 public key, in bytes (FIPS 204, table 2).
pub const ML_DSA_65_PUBLIC_BYTES: usize = 1952;
/// Length of an ML-DSA-65 signature, in bytes (FIPS 204, table 2).
pub const ML_DSA_65_SIGNATURE_BYTES: usize = 3309;
/// Length of an X-Wing public key (suite 1), in bytes.
pub const X_WING_PUBLIC_BYTES: usize = 1216;

/// Largest signed card, in bytes.
pub const CARD_BYTES_MAX: usize = 32 * 1024;
/// Largest signed agreement, in bytes.
pub const AGREEMENT_BYTES_MAX: usize = 32 * 1024;
/// Largest text in which an armoured file is looked for, in bytes.
pub const ARMOR_TEXT_BYTES_MAX: usize = 128 * 1024;

/// Longest node name, in characters.
pub const NAME_CHARS_MAX: usize = 32;
/// Envelope keys on one card.
pub const ENVELOPE_KEYS_MAX: usize = 4;
/// Largest envelope public key of a suite that is not known here, in bytes.
pub const ENVELOPE_PUBLIC_BYTES_MAX: usize = 4096;
/// TLS pins on one card.
pub const TLS_PINS_MAX: usize = 2;
/// Addresses on one card.
pub const ADDRESSES_MAX: usize = 4;
/// Longest address, in bytes (a DNS name, a colon and a port).
pub const ADDRESS_BYTES_MAX: usize = 260;
/// Log keys on one card.
pub const LOG_KEYS_MAX: usize = 2;
/// Longest log key (a C2SP vkey), in bytes; an ML-DSA-44 one has 1,764 beside its name.
pub const LOG_KEY_BYTES_MAX: usize = 2048;

/// Purposes in one agreement.
pub const PURPOSES_MAX: usize = 32;
/// Record kinds in one agreement.
pub const KINDS_MAX: usize = 64;
/// Longest purpose or record kind, in bytes.
pub const TERM_BYTES_MAX: usize = 64;
/// Largest budget, in identifiers a class and epoch.
pub const BUDGET_PER_EPOCH_MAX: u64 = 1 << 32;
/// Epoch length unless an agreement says otherwise, in seconds (7 days).
pub const EPOCH_LENGTH_SECONDS_DEFAULT: u64 = 7 * 86_400;
/// Shortest epoch, in seconds.
pub const EPOCH_LENGTH_SECONDS_MIN: u64 = 60;
/// Longest epoch, in seconds.
pub const EPOCH_LENGTH_SECONDS_MAX: u64 = 31 * 86_400;
/// Longest retention, in days.
pub const RETENTION_DAYS_MAX: u32 = 36_525;

/// Latest time in any document, in Unix seconds (9999-12-31T23:59:59Z).
pub const TIME_SECONDS_MAX: u64 = 253_402_300_799;
/// How far in the future a document may begin before it is refused as not yet valid, in seconds:
/// two correct nodes' clocks may differ by this much.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 300;
