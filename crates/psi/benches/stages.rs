//! The stages of a session, at 2^20 items on one worker and on two.
//!
//! Implements spec/psi.md#measuring. `cargo bench -p symbolon-psi`
#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to report")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use symbolon_psi::Item;
use symbolon_psi::stage::{Bins, Elements, columns, correlate};

const COUNT: u64 = 1 << 20;

fn field(criterion: &mut Criterion) {
    let (mut left, right) = (Elements::new(1 << 20, 1), Elements::new(1 << 20, 2));
    let mut group = criterion.benchmark_group("field, 2^20 products");
    group.bench_function("scale and add", |bench| bench.iter(|| left.scale_add(&right)));
    group.bench_function("inner product", |bench| bench.iter(|| left.inner_product(&right)));
    group.finish();
}

fn store(criterion: &mut Criterion) {
    let items: Vec<Item> = (0..COUNT).map(|n| Item::derive(&n.to_le_bytes())).collect();
    let mut group = criterion.benchmark_group("store, 2^20 items");
    group.sample_size(10);
    for workers in [1, 2] {
        let mut bins = Bins::new(&items, COUNT, workers).unwrap();
        let store = bins.solve(workers).unwrap();
        group.bench_function(format!("hash and bin, {workers}"), |bench| {
            bench.iter(|| Bins::new(&items, COUNT, workers).unwrap());
        });
        group.bench_function(format!("encode, {workers}"), |bench| {
            bench.iter(|| bins.solve(workers).unwrap());
        });
        group.bench_function(format!("decode, {workers}"), |bench| {
            bench.iter(|| bins.decode(&store, workers).unwrap());
        });
    }
    let (bins, mut masks) = (Bins::new(&items, COUNT, 1).unwrap(), Elements::new(1 << 20, 3));
    group.bench_function("hash to outputs, 1", |bench| {
        bench.iter(|| bins.outputs(black_box(&items), &mut masks));
    });
    group.finish();
}

fn correlation(criterion: &mut Criterion) {
    let length = columns(COUNT).unwrap();
    let mut group = criterion.benchmark_group("correlation, both sides, for 2^20 items");
    group.sample_size(10);
    for workers in [1, 2] {
        group.bench_function(workers.to_string(), |bench| {
            bench.iter(|| correlate(length, workers).unwrap());
        });
    }
    group.finish();
}

fn result(criterion: &mut Criterion) {
    let (left, right) = (Elements::new(1 << 20, 4), Elements::new(1 << 20, 5));
    let mut group = criterion.benchmark_group("outputs, 2^20");
    group.sample_size(10);
    for workers in [1, 2] {
        group.bench_function(format!("sort and encode, {workers}"), |bench| {
            bench.iter(|| left.sort_and_encode(workers).unwrap());
        });
        group.bench_function(format!("sort both and intersect, {workers}"), |bench| {
            bench.iter(|| left.intersect(&right, workers).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, field, store, correlation, result);
criterion_main!(benches);
