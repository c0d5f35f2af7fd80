//! The only place where the wall clock is read; everything below takes the time as an argument.
//!
//! Implements spec/architecture.md#layers.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Unix time in whole seconds.
#[must_use]
pub(crate) fn now() -> u64 {
    since_epoch().as_secs()
}

/// Unix time in milliseconds: for `UUIDv7` and durations shown to people.
#[must_use]
pub(crate) fn now_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since some moment in this process; never goes back. For deadlines.
#[must_use]
pub(crate) fn monotonic_ms() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A clock before 1970 reads as 1970: every card and agreement is then "not yet valid", which is
/// the truth about such a clock.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_units_tell_the_same_time() {
        let (seconds, ms) = (super::now(), super::now_ms());
        assert!(seconds > 1_700_000_000);
        assert!(ms / 1000 - seconds <= 1);
    }
}
