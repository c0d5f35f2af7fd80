//! The figures with their conditions: a table for people, JSON for programs.

use std::path::Path;

use serde::Serialize;

use super::meter::{self, Times};
use crate::cli::table;
use crate::exit::Failure;

/// One figure.
#[derive(Debug, Serialize)]
struct Figure {
    job: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    target: Option<&'static str>,
    conditions: String,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    profile: &'static str,
    cores: usize,
    records: u64,
    load_at_start: String,
    load_at_end: String,
    fdatasync_ms_p50: f64,
    fdatasync_ms_p99: f64,
    figures: Vec<Figure>,
}

/// What a figure is, and what it ought to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    pub(super) job: &'static str,
    pub(super) unit: &'static str,
    pub(super) target: Option<&'static str>,
}

impl Report {
    /// Measures what all jobs share.
    pub(super) fn begin(folder: &Path, records: u64) -> Result<Report, Failure> {
        let mut sync = meter::sync_times(folder)?;
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" },
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            records,
            load_at_start: meter::load(),
            load_at_end: String::new(),
            fdatasync_ms_p50: sync.percentile(50),
            fdatasync_ms_p99: sync.percentile(99),
            figures: Vec::new(),
        })
    }

    pub(super) fn end(&mut self) {
        self.load_at_end = meter::load();
    }

    pub(super) fn cores(&self) -> usize {
        self.cores
    }

    pub(super) fn add(
        &mut self,
        aim: Aim,
        what: impl Into<String>,
        value: f64,
        conditions: impl Into<String>,
    ) {
        let Aim { job, unit, target } = aim;
        let (what, conditions) = (what.into(), conditions.into());
        self.figures.push(Figure { job, what, value, unit, target, conditions });
    }

    /// The median and the 99th percentile of `times`, in milliseconds; it is the latter that ought
    /// to be within the target.
    pub(super) fn add_times(
        &mut self,
        job: &'static str,
        what: &str,
        times: &mut Times,
        target: Option<&'static str>,
        conditions: &str,
    ) {
        let conditions = format!("{} times, {conditions}", times.len());
        for (percent, target) in [(50, None), (99, target)] {
            let aim = Aim { job, unit: "ms", target };
            let what = format!("{what}, p{percent}");
            self.add(aim, what, times.percentile(percent), conditions.as_str());
        }
    }

    pub(super) fn to_table(&self) -> String {
        let head = ["job", "what", "figure", "unit", "target", "conditions"].map(str::to_owned);
        let mut rows = vec![head.to_vec()];
        for figure in &self.figures {
            rows.push(vec![
                figure.job.to_owned(),
                figure.what.clone(),
                shown(figure.value),
                figure.unit.to_owned(),
                figure.target.unwrap_or("-").to_owned(),
                figure.conditions.clone(),
            ]);
        }
        format!(
            "{} {} build, {} cores, load {} before and {} after; fdatasync of 4 KiB p50 {:.2} ms, \
             p99 {:.2} ms\n\n{}",
            self.version,
            self.profile,
            self.cores,
            self.load_at_start,
            self.load_at_end,
            self.fdatasync_ms_p50,
            self.fdatasync_ms_p99,
            table(&rows)
        )
    }
}

/// Three digits that count.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => crate::cli::number(value.round().max(0.0) as u64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn figures_show_three_digits() {
        assert_eq!(shown(23_456.7), "23,457");
        assert_eq!(shown(123.4), "123");
        assert_eq!(shown(12.34), "12.3");
        assert_eq!(shown(-1.234), "-1.23");
        assert_eq!(shown(0.1234), "0.123");
    }
}
