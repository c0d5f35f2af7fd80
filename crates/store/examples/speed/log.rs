//! A log of many leaves: appending, proofs, bytes on the disk, erasing.

use std::path::Path;
use std::time::Instant;

use serde_bytes::ByteBuf;
use symbolon_audit::{Act, Entry, QueryPrivate, ReadEvent, Who, commit};
use symbolon_ident::{Canonical, Class, Kind};
use symbolon_oprf::Receiver;
use symbolon_store::{
    BudgetKey, DATABASE_FILE, Direction, Query, QueryId, QueryState, Store, Write,
};
use symbolon_tlog::verify_inclusion;
use symbolon_trust::NodeId;

use crate::{cpu_ms, ms, open, resident_mib};

const BATCH_LEAVES: u64 = 10_000;
const PROOFS: u64 = 1_000;
const QUERIES: u64 = 20_000;
/// Entries from before this time are erased in the end.
const ERASED: u64 = 200_000;

/// Everything about a log of `leaves`.
pub(crate) fn measure(directory: &Path, leaves: u64) {
    let store = open(directory, 2);
    queries(store, directory);
    let store = open(directory, 3);
    append(&store, leaves);
    proofs(&store, "with the writer's cache");
    let before = size(directory);
    drop(store);
    println!("database: {} MiB, closed {} MiB", before >> 20, size(directory) >> 20);
    let begun = Instant::now();
    let store = open(directory, 4);
    println!("open: {:.0} ms, resident {} MiB", ms(begun), resident_mib("VmRSS:"));
    proofs(&store, "after opening");
    erase(&store, leaves);
    proofs(&store, "after erasing");
}

fn size(directory: &Path) -> u64 {
    let length =
        |name: String| std::fs::metadata(directory.join(name)).map_or(0, |file| file.len());
    length(DATABASE_FILE.to_owned()) + length(format!("{DATABASE_FILE}-wal"))
}

/// Durable batches, each prepared while the one before is written.
fn append(store: &Store, leaves: u64) {
    let begun = Instant::now();
    let mut number = store.log_size();
    let mut waiting = None::<symbolon_store::Submitted>;
    while number < leaves {
        let mut write = Write::new();
        for _ in 0..BATCH_LEAVES.min(leaves - number) {
            write = write.log(entry(number));
            number += 1;
        }
        let submitted = store.submit(write).unwrap();
        if let Some(before) = waiting.replace(submitted) {
            before.wait().unwrap();
        }
    }
    waiting.map(|last| last.wait().unwrap());
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "log: {leaves} leaves in durable batches of {BATCH_LEAVES}: {seconds:.0} s, {:.0}/s, resident \
         {} MiB",
        leaves as f64 / seconds,
        resident_mib("VmRSS:"),
    );
}

/// A reading, one of the longer entries.
fn entry(number: u64) -> Entry {
    let event = ReadEvent {
        object: "record".to_owned(),
        id: format!("01900000-0000-7000-8000-{number:012}"),
        count: 1,
        reason: "case T-1/2026".to_owned(),
        act: Act::Shown,
    };
    Entry::read(Who { now: number, actor: "officer" }, event)
}

/// Proofs of leaves all over the log, each with a reader of its own, as one partner's query needs.
fn proofs(store: &Store, when: &str) {
    let head = store.log_head().unwrap();
    let (mut times, mut own) = (Vec::new(), Vec::new());
    for number in 0..PROOFS {
        let digest = symbolon_codec::sha256("speed", &[&number.to_be_bytes()]);
        let index = u64::from_be_bytes(*digest.first_chunk().unwrap()) % head.size;
        let (begun, worked) = (Instant::now(), cpu_ms());
        let proof = store.log_inclusion(index, head.size).unwrap();
        times.push(ms(begun));
        own.push(cpu_ms() - worked);
        let leaf = store.log_leaf_fetch(index).unwrap().unwrap().leaf_hash();
        let _ = verify_inclusion(leaf, index, head.size, &proof, head.root).unwrap();
    }
    let shares = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[times.len() * share / 100];
        format!("p50 {:.3} ms, p99 {:.3} ms, most {:.3} ms", at(50), at(99), times[times.len() - 1])
    };
    let (times, own) = (shares(times), shares(own));
    println!("inclusion proofs in {} leaves, {when}: {times}; of the processor, {own}", head.size);
}

/// What one query of one identifier adds to the files: first its entry alone, then with its row.
fn queries(store: Store, directory: &Path) {
    let passport = Canonical::parse(Kind::Passport, "KX1002001").unwrap();
    let receiver = Receiver::blind(passport.keys(), [9; 32]).unwrap();
    let partner = NodeId::from_bytes([4; 32]);
    let private = QueryPrivate {
        partner,
        class: Class::Document,
        epoch: 7,
        officer: "officer".to_owned(),
        purpose: "nonproliferation".to_owned(),
        legal_basis: "export control act".to_owned(),
        case: "T-1/2026".to_owned(),
        identifiers: passport.keys().iter().map(|k| ByteBuf::from(k.as_bytes().to_vec())).collect(),
        opening: receiver.opening().expose_secret().to_vec(),
    };
    let commitment = commit([5; 32], receiver.blinded(), &private).unwrap();
    let encoded = private.encode().to_vec();
    let row = |number: u64| Query {
        id: QueryId::generate(number * 1_000, [7; 32]),
        group: [1; 16],
        partner,
        class: private.class,
        epoch: private.epoch,
        officer: private.officer.clone(),
        purpose: private.purpose.clone(),
        legal_basis: private.legal_basis.clone(),
        case: private.case.clone(),
        inputs: 2,
        state: QueryState::Answered,
        hits: 0,
        asked_at: number,
        answered_at: Some(number),
        // Behind the three measurements before this one.
        leaf_index: Some(3 * QUERIES + number),
        private: encoded.clone(),
    };
    let budget = BudgetKey { partner, class: private.class, epoch: 7, direction: Direction::Asked };
    let mut store = Some(store);
    let mut grow = |what: &str, step: &dyn Fn(u64) -> Write| {
        let before = size(directory);
        let open_store = store.take().unwrap();
        for first in (0..QUERIES).step_by(1_000) {
            let writes = (first..first + 1_000).map(step);
            open_store.commit(writes.fold(Write::new(), Write::and)).unwrap();
        }
        // Closing folds the write-ahead log into the database.
        drop(open_store);
        let grown = size(directory) - before;
        println!("{what}: {:.0} bytes each in the files", grown as f64 / QUERIES as f64);
        store = Some(open(directory, 5));
    };
    // The first pages of every table are there before anything is measured.
    grow("(warming up)", &|number| Write::new().log(heartbeat(number)));
    grow("heartbeat, entry and its part of the tiles", &|number| {
        Write::new().log(heartbeat(number))
    });
    grow("query, entry and its part of the tiles", &|number| {
        Write::new().log(Entry::query(Who { now: number, actor: "officer" }, &commitment))
    });
    grow("query, the same with its row and its budget", &|number| {
        Write::new()
            .spend(budget, 8, u64::MAX / 2)
            .query(&row(number))
            .log(Entry::query(Who { now: number, actor: "officer" }, &commitment))
    });
}

fn heartbeat(now: u64) -> Entry {
    Entry::heartbeat(Who { now, actor: "node" })
}

fn erase(store: &Store, leaves: u64) {
    let who = Who { now: leaves, actor: "officer" };
    let begun = Instant::now();
    let erased = store.log_erase(who, ERASED, "retention", |_| ()).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "erasing {} entries and what {} queries asked: {seconds:.1} s, {:.0} entries/s",
        erased.entries,
        erased.queries,
        erased.entries as f64 / seconds
    );
    let begun = Instant::now();
    let examined = store.log_examine(&mut |_, _| ()).unwrap();
    assert!(examined.sound().is_ok() && examined.erased == erased.entries);
    let seconds = begun.elapsed().as_secs_f64();
    let size = examined.head.size;
    println!("verifying {size} leaves: {seconds:.0} s, {:.0}/s", size as f64 / seconds);
}
