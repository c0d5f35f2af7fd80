//! Alerts: accepting them durably by many callers, sealing them for partners, erasing them.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use symbolon_audit::{Act, Entry, ReadEvent, Who};
use symbolon_record::{RecordId, RecordVersion};
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DueFor, Intent, Line, Rings, Sent, Slot, Store,
    StreamSide, Submission, Write,
};
use symbolon_trust::{Mode, NodeId};

use crate::{cpu_all_ms, cpu_ms, ms, open};

const CONTENT_BYTES: usize = 1_200;
const STATEMENT_BYTES: usize = 1_800;
const PUSHED: u64 = 64;
const ERASED: u64 = 64;

/// Everything about `alerts` alerts, each with one recipient.
pub(crate) fn measure(directory: &Path, alerts: u64) {
    let store = open(directory, 2);
    let mut first = 0;
    for callers in [1, 8, 64] {
        let count = if callers == 64 { alerts } else { alerts / 10 };
        accept(&store, callers, first, count);
        first += count;
    }
    push(&store, alerts.min(20_000));
    erase(&store, alerts.min(20_000));
}

fn key(number: u64) -> AlertKey {
    let seed = symbolon_codec::sha256("speed", &[&number.to_be_bytes()]);
    let id = RecordId::generate(1_700_000_000_000 + number / 5, seed);
    AlertKey { origin: NodeId::from_bytes([1; 32]), id }
}

fn partner() -> NodeId {
    NodeId::from_bytes([2; 32])
}

/// What accepting one alert from a hotline writes.
fn accepted(number: u64) -> Write {
    let key = key(number);
    let alert = Alert {
        key,
        mode: Mode::Live,
        class: 1,
        state: AlertState::Active,
        version: RecordVersion::from_bytes([3; 32]),
        submitter: "hotline/border-east".to_owned(),
        decided_by: None,
        accepted_at: number,
        changed_at: number,
        read_by: number + 3_600,
        act_by: number + 7_200,
        expires_on: number + 864_000,
        audience: vec![partner()],
        contested: None,
        statement_hash: None,
        read_at: None,
        acted_at: None,
        outcome: None,
        matches: Vec::new(),
        rings: Rings::Silent,
        pending: None,
    };
    let delivery = AlertDelivery::queued(key.id, partner());
    let submission = Submission { alert: key.id, body_hash: [4; 32], accepted_at: number };
    Write::new()
        .submission_new("border-east", &number.to_be_bytes(), &submission)
        .alert_new(&alert)
        .alert_content(&key, Slot::Current, &[6; CONTENT_BYTES])
        .delivery(&delivery)
        .outbox(&partner(), number, &Intent::Alert { alert: key.id, mode: Mode::Live })
        .due(number + 864_000, DueFor::Expire, &key)
        .due(number + 3_600, DueFor::Unread, &key)
        .submitted("hotline/border-east", key.id)
        .log_named(entry(number), symbolon_codec::sha256("name", &[key.id.as_bytes()]))
}

fn entry(number: u64) -> Entry {
    let event = ReadEvent {
        object: "alert".to_owned(),
        id: format!("01900000-0000-7000-8000-{number:012}"),
        count: 1,
        reason: "case T-1/2026".to_owned(),
        act: Act::Shown,
    };
    Entry::read(Who { now: number, actor: "hotline/border-east" }, event)
}

fn accept(store: &Store, callers: u64, first: u64, count: u64) {
    let (next, last) = (AtomicU64::new(first), first + count);
    let (begun, used, prepared) = (Instant::now(), cpu_all_ms(), AtomicU64::new(0));
    let mut times: Vec<f64> = std::thread::scope(|scope| {
        let work = || {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= last {
                    return times;
                }
                let (asked, worked) = (Instant::now(), cpu_ms());
                let submitted = store.submit(accepted(number)).unwrap();
                prepared.fetch_add(((cpu_ms() - worked) * 1e3) as u64, Ordering::Relaxed);
                submitted.wait().unwrap();
                times.push(ms(asked));
            }
        };
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    println!(
        "{count} alerts accepted by {callers} callers in {seconds:.2} s, {:.0}/s; p50 {:.2} ms, p99 {:.2} \
         ms; of the processor {:.0} us each, {:.0} us of them to prepare it",
        count as f64 / seconds,
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        (cpu_all_ms() - used) * 1e3 / count as f64,
        prepared.load(Ordering::Relaxed) as f64 / count as f64,
    );
}

/// What sealing a batch for one partner writes.
fn push(store: &Store, count: u64) {
    let begun = Instant::now();
    for first in (0..count).step_by(PUSHED as usize) {
        let next = first + PUSHED.min(count - first);
        let write =
            Write::new().stream(StreamSide::Out, &partner(), Mode::Live, first + 1, next + 1);
        let write = (first..next).fold(write, |write, number| {
            let key = key(number);
            let hash = symbolon_codec::sha256("speed", &[&number.to_be_bytes()]);
            let sent = Sent {
                statement_hash: hash,
                alert: key.id,
                signed: Some(vec![7; STATEMENT_BYTES]),
                sent_at: number,
                version: RecordVersion::from_bytes([3; 32]),
            };
            write
                .sent(&partner(), Mode::Live, number + 1, &sent, Some(&key))
                .outbox_delete(&partner(), Line::Statements(Mode::Live), number)
                .delivery_statement(&partner(), &hash, key.id)
                .log(entry(number))
        });
        store.commit(write).unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{count} alerts on their way to one partner, {PUSHED} a write, in {seconds:.2} s, {:.0}/s",
        count as f64 / seconds
    );
}

fn erase(store: &Store, count: u64) {
    for batch in [1, ERASED] {
        let count = if batch == 1 { count.min(200) } else { count };
        let begun = Instant::now();
        for first in (0..count).step_by(batch as usize) {
            let numbers = first..(first + batch).min(count);
            let erase = |write: Write, number| write.alert_erase(&key(number)).log(entry(number));
            store.commit(numbers.fold(Write::new(), erase)).unwrap();
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{count} alerts erased, {batch} a write, in {seconds:.2} s, {:.0}/s",
            count as f64 / seconds
        );
    }
}
