//! Every limit of an import, with its unit.

/// One row of input, in bytes.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Consecutive rows that make one record.
pub const GROUP_ROWS_MAX: usize = 4096;
/// A mapping file, in bytes.
pub const MAPPING_BYTES_MAX: usize = 64 * 1024;
/// A title made from a longer text is cut here, in bytes.
pub(crate) const TITLE_BYTES_MAX: usize = 256;
