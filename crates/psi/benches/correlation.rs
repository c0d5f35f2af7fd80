//! The parts of a correlation: trees and code at the length for 2^20 items, and whole small ones.
//!
//! Implements spec/psi.md#measuring. `cargo bench -p symbolon-psi --bench correlation`
#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to report")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use symbolon_psi::stage::{LongVector, columns, correlate};

fn parts(criterion: &mut Criterion) {
    let mut vector = LongVector::new(columns(1 << 20).unwrap()).unwrap();
    let mut group = criterion.benchmark_group("one long vector, for 2^20 items");
    group.sample_size(10);
    group.bench_function("trees of the sender", |bench| bench.iter(|| vector.grow()));
    group.bench_function("trees of the receiver", |bench| bench.iter(|| vector.grow_punctured()));
    group.bench_function("convolution", |bench| bench.iter(|| vector.convolve()));
    for workers in [1, 2] {
        group.bench_function(format!("expansion, {workers}"), |bench| {
            bench.iter(|| black_box(vector.expand(workers).unwrap()));
        });
    }
    group.finish();
}

fn small(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("correlation, both sides");
    group.sample_size(10);
    for count in [1 << 10, 1 << 16] {
        let length = columns(count).unwrap();
        group.bench_function(format!("{count} items, 1"), |bench| {
            bench.iter(|| correlate(length, 1).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, parts, small);
criterion_main!(benches);
