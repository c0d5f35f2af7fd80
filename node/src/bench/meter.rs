//! Clocks and counters of the measurements: time, processor time, memory, the disk's own pace.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::exit::Failure;

const SYNC_BYTES: usize = 4096;
const SYNC_ROUNDS: usize = 200;

/// A running stopwatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch(Instant);

impl Watch {
    pub(super) fn start() -> Watch {
        Watch(Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    pub(super) fn seconds(self) -> f64 {
        self.elapsed().as_secs_f64()
    }

    pub(super) fn ms(self) -> f64 {
        self.seconds() * 1e3
    }
}

/// Time that this thread has had on a processor, in seconds; other work on the machine is not in
/// it. Nothing where the system does not tell.
pub(super) fn thread_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: u64 = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos).as_secs_f64())
}

/// Times in milliseconds, to be read by rank.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<f64>);

impl Times {
    pub(super) fn add(&mut self, ms: f64) {
        self.0.push(ms);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of all do not exceed; 0 of none.
    pub(super) fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }
}

/// How long the disk under `folder` takes to make 4 KiB appended to a file durable.
pub(super) fn sync_times(folder: &Path) -> Result<Times, Failure> {
    let unwritable =
        |_| Failure::invalid("the temporary folder cannot be written", "free some space in it");
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path).map_err(unwritable)?;
    let mut times = Times::default();
    for _ in 0..SYNC_ROUNDS {
        file.write_all(&[0; SYNC_BYTES]).map_err(unwritable)?;
        let watch = Watch::start();
        file.sync_data().map_err(unwritable)?;
        times.add(watch.ms());
    }
    std::fs::remove_file(path).map_err(unwritable)?;
    Ok(times)
}

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    pub(super) resident: f64,
    pub(super) most: f64,
}

/// Reads the memory of process `id`; zeros where the system does not tell.
pub(super) fn memory(id: u32) -> Memory {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = found.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    };
    Memory { resident: line("VmRSS:"), most: line("VmHWM:") }
}

/// The load averages of the machine, as the system writes them.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let mut times = Times::default();
        assert!(times.percentile(50) == 0.0);
        for time in (1..=100).rev() {
            times.add(f64::from(time));
        }
        assert!(times.percentile(50) == 50.0);
        assert!(times.percentile(99) == 99.0);
        assert!(times.percentile(100) == 100.0);
    }
}
