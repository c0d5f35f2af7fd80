//! Bounds of the hotlines' door and of its client.

use std::time::Duration;

/// Connections of all hotlines together; one more is closed at once.
pub(super) const CONNECTIONS_MAX: usize = 256;
/// Connections from one address, so that no one machine keeps the others out.
pub(super) const CONNECTIONS_PER_ADDRESS_MAX: usize = 16;
/// From the first packet to the end of the TLS handshake.
pub(super) const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// For the headers of a request, and how long a connection may be idle between two.
pub(super) const HEADER_DEADLINE: Duration = Duration::from_secs(30);
/// How long one connection may last, whatever passes on it.
pub(super) const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(600);
/// Headers of a request together, in bytes.
pub(super) const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
pub(super) const HEADERS_MAX: usize = 32;
/// For the answers under way once the node is told to stop.
pub(super) const DRAIN: Duration = Duration::from_secs(3);
/// Wait after the operating system gave no connection, for instance for want of descriptors.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For one address of a node to take a connection.
pub(super) const DIAL_DEADLINE: Duration = Duration::from_secs(5);
/// For one call, from the first packet to the end of the answer.
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// An answer, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Wait after the first failed attempt; doubles with each further one.
pub(super) const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest wait between attempts.
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// One file of a spool, in bytes.
pub(super) const SPOOLED_BYTES_MAX: u64 = 256 * 1024;
/// Files of a spool that wait; one more is refused, so that a machine that never reaches its node
/// says so before its disk is full.
pub(super) const SPOOL_FILES_MAX: usize = 10_000;
/// Milliseconds of a day.
pub(super) const DAY_MS: u64 = 86_400_000;
/// Age beyond which nothing is sent without a person, in days: the node may have forgotten its key.
pub(crate) const SPOOL_DAYS: u64 = 60;
/// How far ahead of the clock a file may have been made and still be sent, in milliseconds.
pub(super) const CLOCK_AHEAD_MS_MAX: u64 = DAY_MS;
/// What clocks may be wrong by altogether, in days, before an alert could be there twice.
const CLOCK_ERROR_DAYS: u64 = 30;
const _: () = assert!(SPOOL_DAYS + CLOCK_ERROR_DAYS <= symbolon_desk::limits::SUBMISSION_DAYS);
/// The file of learned pins, in bytes.
pub(super) const LEARNED_BYTES_MAX: u64 = 4 * 1024;
/// After so long the node is asked again which keys its door has and will have, in seconds.
pub(super) const LEARNED_SECONDS: u64 = 86_400;
/// For that question beside a sending, which it must not hold up.
pub(super) const GREETING_DEADLINE: Duration = Duration::from_secs(5);
/// Between two such questions of a watched spool that got no answer.
pub(crate) const GREETING_PAUSE: Duration = Duration::from_secs(3_600);
/// Receipts that a list shows, the newest.
pub(crate) const RECEIPTS_LISTED_MAX: usize = 20;
/// How often a watched spool is looked at, in seconds.
pub(crate) const WATCH_SECONDS: u64 = 30;
