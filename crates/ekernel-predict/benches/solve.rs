//! Factoring and predicting at sizes where each takes milliseconds; n = 10 000 is `examples/solve.rs`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ekernel_predict::{Folds, KernelMachine, Par, RIDGES, Ridge, RidgeSearch, Targets, TrainingTime};
use ndarray::{Array2, s};

/// exp(-|i - j|/100) with a slowly varying diagonal: positive definite, and no two leading blocks alike.
fn kernel(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| {
        let distance = i.abs_diff(j) as f64;
        (-distance / 100.0).exp() + if i == j { 1e-3 * (i as f64).sin().abs() } else { 0.0 }
    })
}

fn targets(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 9), |(i, j)| ((i * (j + 1)) as f64 * 0.1).sin())
}

fn factor(c: &mut Criterion) {
    let mut group = c.benchmark_group("factor and fit");
    group.sample_size(10);
    let ridge = Ridge::Relative(1e-4);
    for n in [250, 500, 1000] {
        let (kernel, y) = (kernel(n), targets(n));
        for (name, time) in [("cholesky", f64::INFINITY), ("eigenbasis", 100.0)] {
            for threads in [1, 2] {
                let par = if threads == 1 { Par::Seq } else { Par::rayon(threads) };
                let time = TrainingTime::new(time).expect("a time");
                group.bench_function(BenchmarkId::new(format!("{name}, {threads} threads"), n), |b| {
                    b.iter(|| {
                        let machine =
                            KernelMachine::new(black_box(kernel.view()), ridge, time, par).expect("positive");
                        machine.fit(y.view()).expect("finite").weights().sum()
                    });
                });
            }
        }
    }
    group.finish();
}

fn learning_curve(c: &mut Criterion) {
    let (kernel, y) = (kernel(600), targets(600));
    let mut group = c.benchmark_group("learning curve");
    group.sample_size(10);
    group.bench_function("20, 40 … 600 samples", |b| {
        b.iter(|| {
            for n in (20..=600).step_by(20) {
                let block = kernel.slice(s![..n, ..n]);
                let machine =
                    KernelMachine::new(block, Ridge::Relative(1e-4), TrainingTime::INFINITE, Par::Seq)
                        .expect("positive");
                black_box(machine.fit(y.slice(s![..n, ..])).expect("finite").weights().sum());
            }
        });
    });
    group.finish();
}

fn ridge_search(c: &mut Criterion) {
    let (kernel, y) = (kernel(600), targets(600));
    let folds = Folds::strided(600, 5).expect("five folds");
    let mut group = c.benchmark_group("ridge search");
    group.sample_size(10);
    group.bench_function("10 ridges, 5 folds, 600 samples", |b| {
        b.iter(|| {
            let targets = Targets::Values(y.view());
            RidgeSearch::new(kernel.view(), &targets, &RIDGES, TrainingTime::INFINITE, &folds, Par::Seq)
                .expect("a ridge")
        });
    });
    group.finish();
}

criterion_group!(solve, factor, learning_curve, ridge_search);
criterion_main!(solve);
