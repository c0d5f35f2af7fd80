//! Measures import, log appends and tag look-up on this machine's disk.
//!
//! `cargo run --release -p symbolon-store --example speed -- [RECORDS] [DIRECTORY]`, or for a log
//! of many leaves `… --example speed -- log LEAVES [DIRECTORY]`, for alerts
//! `… --example speed -- alerts ALERTS [DIRECTORY]`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement for people; a surprise must end it"
)]

mod alerts;
mod log;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use symbolon_audit::{Act, Entry, PolicyEvent, Who};
use symbolon_ident::{Canonical, Class, Input, Kind};
use symbolon_oprf::{Tag, TagLookup};
use symbolon_record::{Record, RecordId, RecordSalt, sample};
use symbolon_store::{
    Cost, DATABASE_FILE, External, IndexKey, SetChunk, SetKey, SetSide, Store, Unlock, Write,
};
use symbolon_trust::NodeId;

const BATCH_RECORDS: u64 = 4_000;
const SET_CHUNKS: u32 = 4_096;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let is_log = arguments.next_if(|first| first == "log").is_some();
    let is_alerts = arguments.next_if(|first| first == "alerts").is_some();
    let records: u64 = arguments.next().map_or(100_000, |text| text.parse().unwrap());
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("symbolon-speed-{}", std::process::id()));
    Store::create(&directory, &unlock(), Cost::default(), [1; 32]).unwrap();
    println!("fdatasync of 4 KiB appended: {:.2} ms (median of 200)", sync_ms(&directory));
    if is_log || is_alerts {
        let measure = if is_log { log::measure } else { alerts::measure };
        measure(&directory, records);
        std::fs::remove_dir_all(&directory).unwrap();
        return;
    }
    let store = open(&directory, 2);
    import(&store, records, &directory);
    for callers in [1, 8, 64] {
        appends(&store, callers);
    }
    proofs(&store);
    tags(&store);
    let begun = Instant::now();
    drop(store);
    println!("close: {:.0} ms", ms(begun));
    let begun = Instant::now();
    let store = open(&directory, 3);
    println!("open: {:.0} ms, {} records", ms(begun), store.record_count().unwrap());
    println!("resident: {} MiB", resident_mib("VmRSS:"));
    drop(store);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn unlock() -> Unlock {
    Unlock::key_file(vec![7; 32]).unwrap()
}

fn open(directory: &Path, seed: u8) -> Store {
    Store::open(directory, &unlock(), [seed; 32]).unwrap()
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// Time of the processor that this thread has used: what others on the machine do is not in it.
pub(crate) fn cpu_ms() -> f64 {
    used_ms(ClockId::ThreadCPUTime)
}

/// The same of all threads.
pub(crate) fn cpu_all_ms() -> f64 {
    used_ms(ClockId::ProcessCPUTime)
}

fn used_ms(clock: ClockId) -> f64 {
    let used = clock_gettime(clock);
    used.tv_sec as f64 * 1e3 + used.tv_nsec as f64 / 1e6
}

fn sync_ms(directory: &Path) -> f64 {
    let path = directory.join("sync");
    let mut file = std::fs::File::create(&path).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            file.write_all(&[0; 4096]).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            ms(begun)
        })
        .collect();
    std::fs::remove_file(path).unwrap();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Kilobyte records with three index rows and one external row each: put together and sealed on
/// one thread while the writer inserts the batch before.
fn import(store: &Store, records: u64, directory: &Path) {
    let base = sample::content(1);
    let begun = Instant::now();
    for number in 0..BATCH_RECORDS {
        assert_eq!(
            (kilobyte(&base, number).content().subjects.len(), index_keys(number).len()),
            (0, 3)
        );
    }
    println!("making a record and its keys: {:.1} us", ms(begun) * 1e3 / BATCH_RECORDS as f64);
    let begun = Instant::now();
    let (queue, submitted) = sync_channel(2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut number = 0;
            while number < records {
                let mut write = Write::new();
                for _ in 0..BATCH_RECORDS.min(records - number) {
                    let record = kilobyte(&base, number);
                    let external =
                        External { record: record.id(), version: record.version(), run: 1 };
                    let reference = format!("list/{number}");
                    write = write
                        .record_create(&record, index_keys(number))
                        .external(&reference, external);
                    number += 1;
                }
                queue.send(store.submit(write).unwrap()).unwrap();
            }
        });
        for write in submitted {
            write.wait().unwrap();
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = kilobyte(&sample::content(1), 0).encode().len();
    let size = std::fs::metadata(directory.join(DATABASE_FILE)).unwrap().len() >> 20;
    println!(
        "import: {records} records of {bytes} bytes in {seconds:.1} s, {:.0}/s; database {size} MiB, \
         resident {} MiB, most {} MiB",
        records as f64 / seconds,
        resident_mib("VmRSS:"),
        resident_mib("VmHWM:"),
    );
}

fn kilobyte(base: &symbolon_record::Content, number: u64) -> Record {
    let mut content = base.clone();
    content.subjects.clear();
    content.items.clear();
    content.events.clear();
    content.narrative = format!("{number:>700}");
    let seed = symbolon_codec::sha256("speed", &[&number.to_be_bytes()]);
    let id = RecordId::generate(1_700_000_000_000 + number / 25, seed);
    Record::new(id, RecordSalt::generate(seed), content).unwrap()
}

/// Three keys that no other record has: a passport's two and a vessel's name.
fn index_keys(number: u64) -> Vec<IndexKey> {
    let passport = format!("X{number:08}");
    let passport = Input { text: &passport, issuer: Some("DEU"), date: None };
    let passport = Canonical::parse(Kind::Passport, passport).unwrap();
    let vessel = Canonical::parse(Kind::VesselName, format!("Ship {number}").as_str()).unwrap();
    let keys = passport.keys().iter().chain(vessel.keys()).take(3);
    keys.map(|key| IndexKey { subject: 0, key: key.clone() }).collect()
}

fn appends(store: &Store, callers: u64) {
    let each = 20_000 / callers.max(4);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            scope.spawn(move || {
                for number in 0..each {
                    store.log_append(entry(caller * each + number)).unwrap();
                }
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let leaves = callers * each;
    println!(
        "log: {leaves} durable leaves by {callers} callers in {seconds:.2} s, {:.0}/s, {:.2} ms each",
        leaves as f64 / seconds,
        seconds * 1e3 / each as f64,
    );
}

fn entry(number: u64) -> Entry {
    let who = Who { now: number, actor: "node" };
    Entry::policy(who, PolicyEvent { digest: [1; 32], act: Act::Accepted })
}

fn proofs(store: &Store) {
    let head = store.log_head().unwrap();
    let begun = Instant::now();
    for step in 0..100 {
        store.log_inclusion(head.size * step / 100, head.size).unwrap();
    }
    println!("inclusion proof in {} leaves: {:.3} ms", head.size, ms(begun) / 100.0);
}

fn tags(store: &Store) {
    let set = SetKey {
        side: SetSide::Received,
        partner: NodeId::from_bytes([1; 32]),
        class: Class::Person,
        epoch: 1,
        serial: 0,
    };
    let tag = |number: u64| Tag::from_bytes((u128::from(number) << 100).to_be_bytes());
    let begun = Instant::now();
    store.commit(Write::new().tag_set_begin(set, Vec::new(), 1)).unwrap();
    for first in (0..SET_CHUNKS).step_by(64) {
        let chunks = (first..first + 64).map(|chunk| {
            let numbers = u64::from(chunk) * 256..u64::from(chunk + 1) * 256;
            let tags = numbers.flat_map(|number| *tag(number).as_bytes()).collect();
            SetChunk { tags, detail: Vec::new() }
        });
        store.commit(Write::new().tag_set_chunks(set, first, chunks.collect())).unwrap();
    }
    store.commit(Write::new().tag_set_finish(set, None)).unwrap();
    println!("tag set of {} tags kept: {:.0} ms", SET_CHUNKS * 256, ms(begun));
    let lookup = store.tag_set_lookup(set);
    let begun = Instant::now();
    assert_eq!(lookup.contains(&[tag(77)]).unwrap(), [true]);
    println!("first look-up, with its directory: {:.2} ms", ms(begun));
    let begun = Instant::now();
    for step in 0..1_000 {
        lookup.contains(&[tag(step * 1_047)]).unwrap();
    }
    println!("one tag: {:.1} us", ms(begun));
    let many: Vec<Tag> = (0..1_024).map(|step| tag(step * 1_023)).collect();
    let begun = Instant::now();
    assert!(lookup.contains(&many).unwrap().into_iter().all(|found| found));
    println!("1,024 tags spread over the set: {:.1} ms", ms(begun));
}

fn resident_mib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    found.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}
