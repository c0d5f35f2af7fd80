//! What is measured in this process: tags of the own list, and the log of a store on disk.

use std::path::Path;
use std::time::Duration;

use symbolon_audit::{Act, Entry, PolicyEvent, Who};
use symbolon_ident::{Canonical, Class, Input, Kind, MatchKey};
use symbolon_oprf::{EpochSeed, KeyNames, OprfError, Sender};
use symbolon_store::{Cost, Store, StoreError, Unlock, Write};

use super::meter::{Times, Watch, thread_seconds};
use super::report::{Aim, Report};
use super::{made, nodes};
use crate::cli::Output;
use crate::entropy;
use crate::exit::{Exit, Failure};
use crate::init::store_failure;

const TAGS_MAX: u64 = 100_000;
const ROUNDS: usize = 3;
/// Leaves of the log in which proofs are made.
const LEAVES_MAX: u64 = 200_000;
const LEAVES_PER_WRITE: u64 = 2_000;
const PROOFS: u64 = 1_000;
const CALLERS: [usize; 3] = [1, 8, 64];
const APPENDING: Duration = Duration::from_secs(2);

/// Tags of the holder's list, on one core and on all.
pub(super) fn tag_set(report: &mut Report, records: u64, out: Output) -> Result<(), Failure> {
    nodes::say(out, "tag-set: tags of the own list");
    let (keys, sender) = (keys(records.min(TAGS_MAX)), sender().map_err(failed)?);
    let inputs: Vec<&[u8]> = keys.iter().map(MatchKey::as_bytes).collect();
    let aim = |target| Aim { job: "tag-set", unit: "tags/s", target };
    let count = inputs.len() as f64;
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let (watch, own) = (Watch::start(), thread_seconds());
        drop(sender.evaluate_tags(&inputs, 1).map_err(failed)?);
        let own = own.zip(thread_seconds()).map(|(before, after)| after - before);
        best = best.min(own.unwrap_or_else(|| watch.seconds()));
    }
    let conditions = format!("{} keys, best of {ROUNDS}, processor time", inputs.len());
    report.add(aim(Some("≥ 22,000")), "one worker", count / best, conditions);
    let workers = report.cores();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let watch = Watch::start();
        drop(sender.evaluate_tags(&inputs, workers).map_err(failed)?);
        best = best.min(watch.seconds());
    }
    let conditions = format!("{} keys, best of {ROUNDS}, time of day", inputs.len());
    report.add(aim(None), format!("{workers} workers"), count / best, conditions);
    Ok(())
}

fn keys(count: u64) -> Vec<MatchKey> {
    let texts = (0..count).map(made::passport);
    let canonical = texts.filter_map(|text| {
        let input = Input { text: &text, issuer: Some("UTO"), date: None };
        Canonical::parse(Kind::Passport, input).ok()
    });
    canonical.filter_map(|canonical| canonical.keys().first().cloned()).collect()
}

fn sender() -> Result<Sender, OprfError> {
    let names = KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Document, epoch: 1 };
    Sender::derive(&EpochSeed::new(entropy::seed()), &names)
}

fn failed(error: OprfError) -> Failure {
    Failure::new(Exit::Internal, error.to_string(), "")
}

/// Durable leaves by one and by many callers, and proofs from a log that has grown.
pub(super) fn log(
    report: &mut Report,
    folder: &Path,
    records: u64,
    out: Output,
) -> Result<(), Failure> {
    let store = store(&folder.join("log")).map_err(store_failure)?;
    for callers in CALLERS {
        nodes::say(out, &format!("log: {callers} callers, {} s", APPENDING.as_secs()));
        let watch = Watch::start();
        let leaves = append(&store, callers).map_err(store_failure)?;
        let seconds = watch.seconds();
        let target = (callers == 64).then_some("≥ 5,000");
        let aim = Aim { job: "log", unit: "leaves/s", target };
        let each = seconds * 1e3 * callers as f64 / leaves as f64;
        let conditions = format!("{leaves} leaves, each awaited; {each:.2} ms per caller and leaf");
        report.add(aim, format!("durable, {callers} callers"), leaves as f64 / seconds, conditions);
    }
    let wanted = LEAVES_MAX.min(records);
    nodes::say(out, &format!("log: filling up to {wanted} leaves"));
    fill(&store, wanted).map_err(store_failure)?;
    let size = store.log_size();
    let mut times = Times::default();
    for step in 0..PROOFS {
        // Leaves all over the log, none twice in a row.
        let index = step * 7_919 * 101 % size;
        let watch = Watch::start();
        drop(store.log_inclusion(index, size).map_err(store_failure)?);
        times.add(watch.ms());
    }
    let conditions = format!("{size} leaves (target: in 10 M), page cache warm");
    report.add_times("log", "inclusion proof", &mut times, Some("≤ 1"), &conditions);
    Ok(())
}

fn store(directory: &Path) -> Result<Store, StoreError> {
    let unlock = Unlock::key_file(entropy::seed().to_vec())?;
    Store::create(directory, &unlock, Cost::default(), entropy::seed())?;
    Store::open(directory, &unlock, entropy::seed())
}

/// Leaves that `callers` appended, each waiting for every one of its own.
fn append(store: &Store, callers: usize) -> Result<u64, StoreError> {
    let watch = Watch::start();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..callers)
            .map(|_| {
                scope.spawn(move || {
                    let mut leaves = 0;
                    while watch.elapsed() < APPENDING {
                        store.log_append(entry(leaves))?;
                        leaves += 1;
                    }
                    Ok(leaves)
                })
            })
            .collect();
        // A thread that ended early has appended nothing that counts.
        running.into_iter().map(|thread| thread.join().unwrap_or(Ok(0))).sum()
    })
}

fn fill(store: &Store, wanted: u64) -> Result<(), StoreError> {
    while store.log_size() < wanted {
        let count = LEAVES_PER_WRITE.min(wanted - store.log_size());
        let write = (0..count).fold(Write::new(), |write, number| write.log(entry(number)));
        store.commit(write)?;
    }
    Ok(())
}

/// Time of `count` durable writes one after another, in milliseconds each: what one commit costs.
pub(super) fn commits(directory: &Path, count: u64) -> Result<Times, Failure> {
    let store = store(directory).map_err(store_failure)?;
    let mut times = Times::default();
    for number in 0..count {
        let watch = Watch::start();
        store.log_append(entry(number)).map_err(store_failure)?;
        times.add(watch.ms());
    }
    Ok(times)
}

fn entry(number: u64) -> Entry {
    let who = Who { now: number, actor: "bench" };
    Entry::policy(who, PolicyEvent { digest: [1; 32], act: Act::Accepted })
}
