//! Prints what matching costs on this machine, per core and for a whole batch; measures no network.
//!
//! With one worker the time is the thread's own on the processor (Linux), so that other work on the
//! machine does not count; with more it is the wall clock's.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has no result; its result is what it prints"
)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use symbolon_ident::{Canonical, Class, Kind, MatchKey};
use symbolon_oprf::{
    BlindedElement, EpochSeed, Evaluated, EvaluatedElement, KeyNames, Receiver, RecordRef, Sender,
    SetSalt, Tag, TagSetBuilder,
};

const LIST: usize = 20_000;
const BATCH: usize = 1024;

fn main() {
    let names = KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Contact, epoch: 1 };
    let seed = EpochSeed::new([3; 32]);
    let keys: Vec<MatchKey> = (0..LIST)
        .map(|n| format!("person{n}@example.org"))
        .map(|text| {
            Canonical::parse(Kind::Email, text.as_str()).unwrap().keys().first().unwrap().clone()
        })
        .collect();
    let inputs: Vec<&[u8]> = keys.iter().map(MatchKey::as_bytes).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut counts = vec![1];
    counts.extend((cores > 1).then_some(cores));
    for workers in counts {
        println!("on {workers} of {cores} cores");
        let sender = Sender::derive(&seed, &names).unwrap().with_workers(workers);
        let mut tags = sender.evaluate_tags(&inputs, workers).unwrap();
        let time = best(workers, || drop(sender.evaluate_tags(&inputs, workers).unwrap()));
        rate("tags of the own list", LIST, time);
        let salt = SetSalt::derive(&seed, &names, 1);
        let time = best(workers, || tag_set(&tags, &salt, workers));
        rate("tag set: sort, pad, commit", LIST, time);
        tags.sort_unstable();
        for size in [1, 8, 64, BATCH] {
            batch(keys.get(..size).unwrap(), &sender, &tags, workers);
        }
    }
}

fn tag_set(tags: &[Tag], salt: &SetSalt, workers: usize) {
    let mut builder = TagSetBuilder::with_capacity(tags.len());
    for (tag, number) in tags.iter().zip(0u128..) {
        builder.add(*tag, RecordRef { id: number.to_be_bytes(), version: [4; 32] });
    }
    drop(builder.build(salt, [5; 32], workers).unwrap());
}

/// Blinds, evaluates and finalizes, each timed alone, all in this process and one after another;
/// elements are decoded from bytes as they are when they come over a wire.
fn batch(keys: &[MatchKey], sender: &Sender, tags: &[Tag], workers: usize) {
    let rounds = (4 * BATCH / keys.len()).min(400);
    let [mut blind, mut evaluate, mut finalize] = [Duration::ZERO; 3];
    for _ in 0..rounds {
        let start = clock(workers);
        let receiver = Receiver::blind_with(keys, [6; 32], workers).unwrap();
        let sent: Vec<[u8; 32]> = receiver.blinded().iter().map(|e| *e.as_bytes()).collect();
        let blinded = clock(workers);
        let elements: Vec<BlindedElement> =
            sent.iter().map(|bytes| BlindedElement::decode(bytes).unwrap()).collect();
        let answer = sender.blind_evaluate(&elements, [7; 32]).unwrap();
        let sent: Vec<[u8; 32]> = answer.elements.iter().map(|e| *e.as_bytes()).collect();
        let evaluated = clock(workers);
        let elements: Vec<EvaluatedElement> =
            sent.iter().map(|bytes| EvaluatedElement::decode(bytes).unwrap()).collect();
        let answer = Evaluated { elements, proof: answer.proof };
        let hits = receiver.finalize(&answer, sender.public_key(), tags).unwrap();
        finalize += clock(workers) - evaluated;
        evaluate += evaluated - blinded;
        blind += blinded - start;
        assert_eq!(hits.len(), keys.len());
    }
    let per_batch = |time: Duration| time / u32::try_from(rounds).unwrap();
    let [blind, evaluate, finalize] = [blind, evaluate, finalize].map(per_batch);
    let count = keys.len();
    println!(
        "  batch of {count}: blind {blind:.2?}, evaluate {evaluate:.2?}, finalize {finalize:.2?}"
    );
    rate("  end to end, nothing overlapping", count, blind + evaluate + finalize);
}

/// Time on the processor for one worker, time of day for more.
fn clock(workers: usize) -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let own = (workers == 1).then(|| std::fs::read_to_string("/proc/thread-self/schedstat").ok());
    let nanos = own.flatten().and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn best(workers: usize, mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let start = clock(workers);
        run();
        clock(workers) - start
    };
    (0..3).map(time).min().unwrap_or_default()
}

fn rate(what: &str, count: usize, time: Duration) {
    let per_second = count as f64 / time.as_secs_f64();
    println!("  {what}: {per_second:.0}/s, {:.1} µs each", 1e6 / per_second);
}
