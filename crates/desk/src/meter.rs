//! What one hotline may still do: submissions by quota, readings by a fixed rate, calls at a time.
//! Pure: time is an argument; what must outlive a restart is handed to the caller to keep.
//!
//! Implements spec/hotlines.md#quota.
//!
//! Invariant: within one hour of the clock at most `quota + burst` submissions are let through,
//! restarts included, because each was part of a kept reservation before.

use crate::limits::{
    HOTLINE_CALLS_MAX, HOTLINE_READINGS_BURST, HOTLINE_READINGS_PER_HOUR, HOTLINE_RESERVATIONS,
};

const HOUR_MS: u64 = 3_600_000;
const HOUR_SECONDS: u64 = 3_600;
/// When a hotline with all of its calls under way may ask again.
const SEAT_RETRY_SECONDS: u64 = 1;

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Something is handed in: counts against the quota.
    Submission,
    /// A state is read.
    Reading,
}

/// A bucket that fills with time. A whole unit of it is [`HOUR_MS`] drops, so that a rate per hour
/// is its own number of drops per millisecond.
#[derive(Debug, Clone)]
struct Bucket {
    drops: u64,
    at_ms: u64,
}

impl Bucket {
    fn new(units: u64, now_ms: u64) -> Bucket {
        Bucket { drops: units.saturating_mul(HOUR_MS), at_ms: now_ms }
    }

    fn fill(&mut self, per_hour: u32, units_max: u32, now_ms: u64) {
        let passed = now_ms.saturating_sub(self.at_ms);
        let gained = passed.saturating_mul(u64::from(per_hour));
        let most = u64::from(units_max).saturating_mul(HOUR_MS);
        self.drops = self.drops.saturating_add(gained).min(most);
        self.at_ms = now_ms;
    }

    /// Takes one unit, or says in how many seconds there is one.
    fn take(&mut self, per_hour: u32) -> Result<(), u64> {
        match self.drops.checked_sub(HOUR_MS) {
            Some(left) => {
                self.drops = left;
                Ok(())
            }
            None => {
                let wait_ms = (HOUR_MS - self.drops).div_ceil(u64::from(per_hour.max(1)));
                Err(wait_ms.div_ceil(1_000).max(1))
            }
        }
    }

    fn units(&self) -> u64 {
        self.drops / HOUR_MS
    }
}

/// The submissions of one hour that are reserved in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    /// Hours since the epoch.
    pub(crate) hour: u64,
    /// Submissions.
    pub(crate) count: u64,
}

impl Reserved {
    pub(crate) fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (hour, count) = bytes.split_at_mut(8);
        hour.copy_from_slice(&self.hour.to_be_bytes());
        count.copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Reserved> {
        let (hour, count) = bytes.split_first_chunk::<8>()?;
        let count = u64::from_be_bytes(count.try_into().ok()?);
        Some(Reserved { hour: u64::from_be_bytes(*hour), count })
    }
}

/// What was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Go on.
    Free,
    /// Go on once this is kept.
    Reserve(Reserved),
}

/// The counts of one hotline.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    per_hour: u32,
    burst: u32,
    submissions: Bucket,
    readings: Bucket,
    reserved: Reserved,
    spent: u64,
    calls: usize,
    /// When it was last heard of.
    pub(crate) heard_at: Option<u64>,
    /// Calls refused.
    pub(crate) refused: u64,
}

impl Meter {
    /// A meter; what was reserved before a restart counts as spent.
    pub(crate) fn new(per_hour: u32, burst: u32, kept: Reserved, now_ms: u64) -> Meter {
        let hour = now_ms / HOUR_MS;
        let reserved = if kept.hour == hour { kept } else { Reserved { hour, count: 0 } };
        let left = (u64::from(per_hour) + u64::from(burst)).saturating_sub(reserved.count);
        Meter {
            per_hour,
            burst,
            submissions: Bucket::new(left.min(u64::from(burst)), now_ms),
            readings: Bucket::new(u64::from(HOTLINE_READINGS_BURST), now_ms),
            spent: reserved.count,
            reserved,
            calls: 0,
            heard_at: None,
            refused: 0,
        }
    }

    /// Lets a call through, or says in how many seconds to come again.
    pub(crate) fn admit(&mut self, demand: Demand, now_ms: u64) -> Result<Passed, u64> {
        self.heard_at = Some(now_ms / 1_000);
        let passed = self.seat().and_then(|()| match demand {
            Demand::Submission => self.submission(now_ms),
            Demand::Reading => {
                self.readings.fill(HOTLINE_READINGS_PER_HOUR, HOTLINE_READINGS_BURST, now_ms);
                self.readings.take(HOTLINE_READINGS_PER_HOUR).map(|()| Passed::Free)
            }
        });
        match passed {
            Ok(_) => self.calls += 1,
            Err(_) => self.refused = self.refused.saturating_add(1),
        }
        passed
    }

    /// A call that was let through has ended.
    pub(crate) fn leave(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    /// Submissions that would be let through now.
    pub(crate) fn left(&mut self, now_ms: u64) -> u64 {
        self.turn(now_ms);
        self.submissions.units().min(self.hour_max().saturating_sub(self.spent))
    }

    fn seat(&self) -> Result<(), u64> {
        if self.calls < HOTLINE_CALLS_MAX { Ok(()) } else { Err(SEAT_RETRY_SECONDS) }
    }

    fn hour_max(&self) -> u64 {
        u64::from(self.per_hour) + u64::from(self.burst)
    }

    /// Time has passed.
    fn turn(&mut self, now_ms: u64) {
        self.submissions.fill(self.per_hour, self.burst, now_ms);
        let hour = now_ms / HOUR_MS;
        if hour != self.reserved.hour {
            (self.reserved, self.spent) = (Reserved { hour, count: 0 }, 0);
        }
    }

    fn submission(&mut self, now_ms: u64) -> Result<Passed, u64> {
        self.turn(now_ms);
        if self.spent >= self.hour_max() {
            return Err(HOUR_SECONDS - now_ms / 1_000 % HOUR_SECONDS);
        }
        self.submissions.take(self.per_hour)?;
        self.spent += 1;
        if self.spent <= self.reserved.count {
            return Ok(Passed::Free);
        }
        let step = (self.hour_max() / HOTLINE_RESERVATIONS).max(1);
        self.reserved.count = self.reserved.count.saturating_add(step).min(self.hour_max());
        Ok(Passed::Reserve(self.reserved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 490_000 * HOUR_MS;

    /// Submissions let through out of `tries` at one moment, and the last refusal's wait.
    fn burst(meter: &mut Meter, tries: u32, now_ms: u64) -> (u32, Option<u64>) {
        let (mut passed, mut wait) = (0, None);
        for _ in 0..tries {
            match meter.admit(Demand::Submission, now_ms) {
                Ok(_) => {
                    meter.leave();
                    passed += 1;
                }
                Err(seconds) => wait = Some(seconds),
            }
        }
        (passed, wait)
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut meter = Meter::new(60, 5, Reserved::default(), START);
        assert_eq!(burst(&mut meter, 20, START), (5, Some(60)));
        assert_eq!(burst(&mut meter, 20, START + 59_999), (0, Some(1)));
        assert_eq!(burst(&mut meter, 20, START + 60_000), (1, Some(60)));
        assert_eq!(
            burst(&mut meter, 20, START + 10 * HOUR_MS),
            (5, Some(60)),
            "no more than a burst"
        );
        assert_eq!(meter.refused, 15 + 20 + 19 + 15);
    }

    #[test]
    fn restarts_give_nothing_beyond_the_hour() {
        let (mut kept, mut passed) = (Reserved::default(), 0);
        for restart in 0..100 {
            let now = START + restart * 1_000;
            let mut meter = Meter::new(60, 5, kept, now);
            for _ in 0..20 {
                if let Ok(what) = meter.admit(Demand::Submission, now) {
                    meter.leave();
                    passed += 1;
                    if let Passed::Reserve(reserved) = what {
                        kept = Reserved::decode(&reserved.encode()).unwrap();
                    }
                }
            }
        }
        assert!((5..=65).contains(&passed), "{passed}");
        let mut next = Meter::new(60, 5, kept, START + HOUR_MS);
        assert_eq!(burst(&mut next, 20, START + HOUR_MS).0, 5, "a new hour begins anew");
    }

    #[test]
    fn every_submission_is_within_a_kept_reservation() {
        let mut meter = Meter::new(1_000, 100, Reserved::default(), START);
        let (mut kept, mut commits) = (0, 0);
        for spent in 1..=100 {
            if let Passed::Reserve(reserved) = meter.admit(Demand::Submission, START).unwrap() {
                (kept, commits) = (reserved.count, commits + 1);
            }
            meter.leave();
            assert!(spent <= kept);
        }
        assert!(commits < 10, "one commit serves many: {commits}");
    }

    #[test]
    fn a_clock_set_back_gives_no_second_burst() {
        let mut meter = Meter::new(10, 10, Reserved::default(), START);
        assert_eq!(burst(&mut meter, 20, START).0, 10);
        assert_eq!(burst(&mut meter, 20, START - HOUR_MS).0, 0);
        assert!(burst(&mut meter, 20, START + HOUR_MS).0 <= 20);
    }

    #[test]
    fn calls_at_a_time_are_bounded_and_readings_leave_the_quota_alone() {
        let mut meter = Meter::new(60, 5, Reserved::default(), START);
        for _ in 0..HOTLINE_CALLS_MAX {
            assert_eq!(meter.admit(Demand::Reading, START), Ok(Passed::Free));
        }
        assert_eq!(meter.admit(Demand::Submission, START), Err(SEAT_RETRY_SECONDS));
        meter.leave();
        assert!(meter.admit(Demand::Submission, START).is_ok());
        assert_eq!(meter.left(START), 4);
        assert_eq!(Reserved::decode(&[1; 15]), None);
    }
}
