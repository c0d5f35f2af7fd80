//! Every limit of the API, with its unit.

/// A JSON request, in bytes. Imports stream and have their own limits.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A JSON request of a hotline, in bytes.
pub const HOTLINE_REQUEST_BYTES_MAX: usize = 64 * 1024;
/// How long one call of a hotline may take, its body's way included, in seconds.
pub(crate) const HOTLINE_CALL_SECONDS_MAX: u64 = 30;
/// Calls at work at once; further ones wait.
pub const CALLS_MAX: usize = 32;
/// Lines of an answer that wait for a slow reader.
pub(crate) const LINES_WAITING_MAX: usize = 256;
/// Pieces of an import that wait for the desk.
pub(crate) const PIECES_WAITING_MAX: usize = 16;
