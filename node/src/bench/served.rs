//! What is measured on two nodes that talk QUIC over loopback: import, start, query, batch.

use std::path::Path;
use std::time::Duration;

use symbolon_desk::api::{
    IdentifierText, ImportReport, Outcome, QueryAsk, QueryReport, Reason, RecordImport,
    TagSetPublish, TagSetReport,
};
use symbolon_web::Line;

use super::meter::{Memory, Times, Watch, memory};
use super::nodes::{PURPOSE, Pair, say};
use super::report::{Aim, Report};
use super::{Job, alerts, local, made};
use crate::cli::{Output, Progress};
use crate::exit::{Exit, Failure};
use crate::loopback::LoopbackNode;

const QUERIES: u64 = 300;
const BATCHES: u64 = 8;
const BATCH: u64 = 1_024;
/// One in so many identifiers of a batch is held by the partner.
const SHARED: u64 = 64;
const STARTS: usize = 3;
/// How long a node is left alone before its memory counts as idle.
const IDLE: Duration = Duration::from_secs(5);

/// Measures `jobs`. All but the alerts need the large store.
pub(super) async fn measure(
    report: &mut Report,
    pair: &mut Pair,
    records: u64,
    jobs: &[Job],
    out: Output,
) -> Result<(), Failure> {
    let needs_store = jobs.iter().any(|job| *job != Job::Alerts);
    if needs_store {
        say(out, &format!("import: {records} invented records"));
        import(report, &pair.holder, records, out).await?;
    }
    if jobs.contains(&Job::Start) {
        say(out, "start: stopping and starting the node");
        start(report, &mut pair.holder, records).await?;
    }
    let asks = [Job::Query, Job::Batch].into_iter().any(|job| jobs.contains(&job));
    let alerts = jobs.contains(&Job::Alerts);
    if asks || alerts {
        pair.introduce().await?;
    }
    if asks {
        ask_all(report, pair, jobs, out).await?;
    }
    if alerts {
        pair.asker.stop().await;
        alerts::measure(report, pair, out).await?;
    }
    Ok(())
}

async fn ask_all(
    report: &mut Report,
    pair: &Pair,
    jobs: &[Job],
    out: Output,
) -> Result<(), Failure> {
    say(out, "query: publishing the tag set");
    publish(report, pair, out).await?;
    say(out, "query: the first one fetches the tag set");
    let watch = Watch::start();
    ask(pair, vec![made::question(made::passport(0), None)], 1).await?;
    let aim = Aim { job: "query", unit: "s", target: None };
    let conditions = "transfer of the tag set over loopback QUIC, its check and its storing";
    report.add(aim, "first query", watch.seconds(), conditions);
    if jobs.contains(&Job::Query) {
        say(out, &format!("query: {QUERIES} of one identifier"));
        query(report, pair).await?;
    }
    if jobs.contains(&Job::Batch) {
        say(out, &format!("batch: {BATCHES} of {BATCH} identifiers"));
        batch(report, pair).await?;
    }
    Ok(())
}

async fn import(
    report: &mut Report,
    holder: &LoopbackNode,
    records: u64,
    out: Output,
) -> Result<(), Failure> {
    let request = RecordImport { mapping: made::MAPPING.to_owned(), name: "bench".to_owned() };
    let mut progress = Progress::new(out.is_json());
    let mut early: Option<Memory> = None;
    let mut line = |line: Line| {
        if let Line::Progress(step) = &line
            && step.done >= records / 10
            && early.is_none()
        {
            early = Some(memory(holder.process()));
        }
        progress.line(line);
    };
    let watch = Watch::start();
    let imported = holder.import(&request, made::Made::new(records), &mut line).await;
    let seconds = watch.seconds();
    let late = memory(holder.process());
    progress.finish()?;
    let imported: ImportReport = imported?;
    if imported.records_new != records {
        let refused = imported.rows_refused;
        let cause = format!("{refused} of {records} invented rows were refused");
        return Err(Failure::new(Exit::Internal, cause, ""));
    }
    let aim = |unit, target| Aim { job: "import", unit, target };
    let conditions = format!(
        "{records} records of some 600 bytes in {seconds:.1} s, {} match keys, CSV by the API",
        imported.match_keys
    );
    let rate = records as f64 / seconds;
    report.add(aim("records/s", Some("≥ 25,000")), "records", rate, conditions);
    report.add(aim("MiB", None), "most resident memory", late.most, "of the node, VmHWM");
    let early = early.unwrap_or(late);
    let conditions = format!("VmHWM from {:.0} MiB at 10 % of the file to its end", early.most);
    report.add(aim("MiB", Some("flat")), "memory growth", late.most - early.most, conditions);
    Ok(())
}

async fn start(
    report: &mut Report,
    holder: &mut LoopbackNode,
    records: u64,
) -> Result<(), Failure> {
    let mut times = Times::default();
    for _ in 0..STARTS {
        holder.stop().await;
        times.add(holder.start().await?.as_secs_f64() * 1_000.0);
    }
    let aim = Aim { job: "start", unit: "s", target: Some("≤ 2") };
    let conditions = format!(
        "{records} records, median of {STARTS}, until the status call answers; files cached"
    );
    report.add(aim, "until the API answers", times.percentile(50) / 1e3, conditions);
    tokio::time::sleep(IDLE).await;
    let memory = memory(holder.process());
    let conditions = format!("{records} records, after {} s without calls", IDLE.as_secs());
    let aim = Aim { job: "start", unit: "MiB", target: Some("≤ 150") };
    report.add(aim, "idle, resident", memory.resident, conditions);
    report.add(Aim { target: None, ..aim }, "idle, most", memory.most, "VmHWM since the start");
    Ok(())
}

async fn publish(report: &mut Report, pair: &Pair, out: Output) -> Result<(), Failure> {
    let mut progress = Progress::new(out.is_json());
    let mut line = |line| progress.line(line);
    let watch = Watch::start();
    let request = TagSetPublish::default();
    let published = pair.holder.watched("exchange/publish", &request, &mut line).await;
    let seconds = watch.seconds();
    progress.finish()?;
    let published: TagSetReport = published?;
    let tags: u64 = published.sets.iter().map(|set| set.tags).sum();
    let padded: u64 = published.sets.iter().map(|set| set.padded).sum();
    let aim = Aim { job: "query", unit: "tags/s", target: None };
    let conditions =
        format!("{tags} tags padded to {padded} in {seconds:.1} s, policy and store included");
    report.add(aim, "set published", tags as f64 / seconds, conditions);
    let (most, name) = (memory(pair.holder.process()).most, pair.holder.name());
    let aim = Aim { unit: "MiB", ..aim };
    report.add(aim, "publishing, most resident", most, format!("of the {name}, VmHWM"));
    Ok(())
}

async fn query(report: &mut Report, pair: &Pair) -> Result<(), Failure> {
    let mut times = Times::default();
    for number in 0..QUERIES {
        let question = made::question(made::other_passport(number), Some("UTO"));
        let watch = Watch::start();
        ask(pair, vec![question], 0).await?;
        times.add(watch.ms());
    }
    let folder = tempfile::Builder::new().prefix("symbolon-bench-commit-").tempdir();
    let folder = folder.map_err(|_| Failure::invalid("no temporary folder can be made", ""))?;
    let mut writes = commits(folder.path()).await?;
    let conditions = "one passport, two match keys, no hit; from the call of the API to its result";
    report.add_times("query", "one query", &mut times, None, conditions);
    let conditions = "one leaf each, a store of its own on the same disk";
    report.add_times("query", "one durable write", &mut writes, None, conditions);
    let above = times.percentile(50) - 2.0 * writes.percentile(50);
    let aim = Aim { job: "query", unit: "ms", target: Some("≤ 2") };
    let conditions = "p50 of the query less twice the p50 of a durable write";
    report.add(aim, "above two durable writes", above, conditions);
    Ok(())
}

async fn commits(folder: &Path) -> Result<Times, Failure> {
    let directory = folder.join("store");
    let run = tokio::task::spawn_blocking(move || local::commits(&directory, QUERIES));
    run.await.map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?
}

async fn batch(report: &mut Report, pair: &Pair) -> Result<(), Failure> {
    let mut times = Times::default();
    for round in 0..BATCHES {
        let numbers = round * BATCH..(round + 1) * BATCH;
        let questions: Vec<IdentifierText> = numbers
            .map(|number| match number % SHARED {
                0 => made::question(made::passport(number / SHARED), None),
                _ => made::question(made::other_passport(number), None),
            })
            .collect();
        let watch = Watch::start();
        ask(pair, questions, BATCH / SHARED).await?;
        times.add(watch.ms());
    }
    let ms = times.percentile(50);
    let aim = Aim { job: "batch", unit: "identifiers/s", target: Some("≥ 8,000") };
    let conditions = format!(
        "{BATCH} passports, one match key each, {} hits; median {ms:.0} ms of {BATCHES}, both \
         nodes on this machine's cores",
        BATCH / SHARED
    );
    report.add(aim, "end to end", BATCH as f64 / ms * 1e3, conditions);
    Ok(())
}

/// Asks, and makes sure that everything was asked and `wanted` met.
async fn ask(pair: &Pair, identifiers: Vec<IdentifierText>, wanted: u64) -> Result<(), Failure> {
    let request = QueryAsk {
        identifiers,
        partners: vec![pair.holder.name().to_owned()],
        reason: Reason {
            purpose: PURPOSE.to_owned(),
            case: "bench".to_owned(),
            legal_basis: String::new(),
        },
    };
    let answered: QueryReport = pair.asker.call("query/ask", &request).await?;
    let answers = || answered.identifiers.iter().flat_map(|identifier| &identifier.answers);
    if let Some(not_asked) = answers().find(|answer| answer.outcome == Outcome::NotAsked) {
        let cause = not_asked.cause.clone().unwrap_or_default();
        return Err(Failure::new(Exit::Unavailable, format!("not asked: {cause}"), ""));
    }
    let hits = answers().filter(|answer| answer.outcome == Outcome::Hit).count() as u64;
    if hits != wanted {
        let cause = format!("{hits} identifiers met, and {wanted} should have");
        return Err(Failure::new(Exit::CheckFailed, cause, ""));
    }
    Ok(())
}
