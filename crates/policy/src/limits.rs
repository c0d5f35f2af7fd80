//! Every bound of this crate, with its unit in its name.

/// One policy text.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;
/// Rules of one policy.
pub const RULES_COUNT_MAX: usize = 512;
/// Name of a rule.
pub const RULE_NAME_BYTES_MAX: usize = 64;
/// Remembered decisions per generation; two generations are kept.
pub const MEMO_ENTRIES_MAX: usize = 4_096;
/// A message of the policy language that is passed on to the officer.
pub const MESSAGE_CHARS_MAX: usize = 240;
