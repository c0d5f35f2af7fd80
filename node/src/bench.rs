//! `symbolon bench`: measures whole jobs on this machine, on the paths that operators use.
//!
//! Implements spec/node.md#bench. Functions are measured by the crates' own examples; nothing here
//! decides whether a test passes.
//!
//! Invariant: every figure stands beside the conditions under which it was taken.

mod alerts;
mod local;
mod made;
mod meter;
mod nodes;
mod report;
mod served;

use crate::cli::{Bench, Output};
use crate::exit::{Exit, Failure};

/// What can be measured, in the order in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    TagSet,
    Log,
    Import,
    Start,
    Query,
    Batch,
    Alerts,
}

impl Job {
    const ALL: [Job; 7] =
        [Job::TagSet, Job::Log, Job::Import, Job::Start, Job::Query, Job::Batch, Job::Alerts];

    fn as_str(self) -> &'static str {
        match self {
            Job::TagSet => "tag-set",
            Job::Log => "log",
            Job::Import => "import",
            Job::Start => "start",
            Job::Query => "query",
            Job::Batch => "batch",
            Job::Alerts => "alerts",
        }
    }

    fn parse(text: &str) -> Result<Job, Failure> {
        Job::ALL.into_iter().find(|job| job.as_str() == text).ok_or_else(|| {
            let known = Job::ALL.map(Job::as_str).join(", ");
            Failure::invalid(format!("there is no job '{text}'"), format!("the jobs are {known}"))
        })
    }
}

/// Measures what is named, and cleans up behind itself however it ends.
pub(crate) fn bench(bench: &Bench, json: bool) -> Result<(), Failure> {
    let mut jobs = bench.jobs.iter().map(|text| Job::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if jobs.is_empty() {
        jobs = Job::ALL.to_vec();
    }
    if bench.records == 0 {
        return Err(Failure::invalid("there is nothing to measure", "give --records of 1 or more"));
    }
    let out = Output::new(json);
    let folder = tempfile::Builder::new().prefix("symbolon-bench-").tempdir().map_err(|_| {
        Failure::invalid("no temporary folder can be made", "free some space in it, or set TMPDIR")
    })?;
    let mut report = report::Report::begin(folder.path(), bench.records)?;
    let has = |job: Job| jobs.contains(&job);
    if has(Job::TagSet) {
        local::tag_set(&mut report, bench.records, out)?;
    }
    if has(Job::Log) {
        local::log(&mut report, folder.path(), bench.records, out)?;
    }
    let on_nodes: Vec<Job> =
        jobs.iter().copied().filter(|job| !matches!(job, Job::TagSet | Job::Log)).collect();
    if !on_nodes.is_empty() {
        with_nodes(&mut report, folder.path(), bench.records, &on_nodes, out)?;
    }
    report.end();
    out.show(&report, report::Report::to_table);
    Ok(())
}

fn with_nodes(
    report: &mut report::Report,
    folder: &std::path::Path,
    records: u64,
    jobs: &[Job],
    out: Output,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
    runtime.block_on(async {
        let mut pair = nodes::Pair::start(folder).await?;
        let measured = tokio::select! {
            measured = served::measure(report, &mut pair, records, jobs, out) => measured,
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new(Exit::Unavailable, "stopped before the end", "run it again"))
            }
        };
        pair.stop().await;
        measured
    })
}
