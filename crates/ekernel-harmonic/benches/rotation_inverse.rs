//! SO(3) inverse transforms of real signals: one at a time by FFT, and a register of them by small matrix products.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ekernel_harmonic::{
    Complex, LaneBuffer, LaneTransform, Real, RotationGrid, RotationTransform, rotation_len,
};
use ndarray::Array3;

/// Bandlimits with the number of β nodes of their grid: the default one up to L = 16, the fast one for all.
fn grids() -> Vec<(usize, usize)> {
    vec![(6, 12), (6, 24), (8, 16), (12, 24), (16, 32), (16, 64), (24, 48), (32, 64)]
}

fn one_signal(c: &mut Criterion) {
    let mut group = c.benchmark_group("one signal, FFT, f64");
    for (bandlimit, nodes) in grids() {
        let grid = RotationGrid::gauss_legendre(nodes).unwrap();
        let plan = RotationTransform::<f64>::new(bandlimit, &grid).unwrap();
        let coefficients: Vec<_> =
            (0..rotation_len(bandlimit)).map(|i| Complex::new((i as f64).sin(), 0.1)).collect();
        let mut scratch = plan.scratch();
        let mut samples = Array3::zeros(grid.shape());
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(format!("L={bandlimit} B={nodes}")), |b| {
            b.iter(|| plan.inverse_real(black_box(&coefficients), &mut scratch, samples.view_mut()).unwrap());
        });
    }
}

fn lanes<T: Real, const W: usize>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(name);
    for (bandlimit, nodes) in grids() {
        let grid = RotationGrid::gauss_legendre(nodes).unwrap();
        let plan = LaneTransform::<T>::new(bandlimit, &grid).unwrap();
        let mut coefficients = LaneBuffer::<T, W>::zeros(plan.coefficients_len());
        for (i, slot) in coefficients.iter_mut().enumerate() {
            *slot = [T::of((i as f64).sin()); W];
        }
        let mut workspace = plan.workspace::<W>();
        let mut ring = LaneBuffer::<T, W>::zeros(plan.ring_len());
        group.throughput(Throughput::Elements(W as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("L={bandlimit} B={nodes}")), |b| {
            b.iter(|| {
                plan.load(black_box(&coefficients), &mut workspace).unwrap();
                for j in 0..plan.rings() {
                    plan.inverse_ring(j, &mut workspace, &mut ring).unwrap();
                    black_box(&ring);
                }
            });
        });
        group.bench_function(BenchmarkId::from_parameter(format!("L={bandlimit} B={nodes}, forward")), |b| {
            b.iter(|| {
                plan.clear(&mut workspace).unwrap();
                for j in 0..plan.rings() {
                    plan.forward_ring(j, black_box(&ring), &mut workspace).unwrap();
                }
                plan.store(&workspace, &mut coefficients).unwrap();
            });
        });
    }
}

/// The contraction of a pair, with ten channels.
fn correlation(c: &mut Criterion) {
    const W: usize = 16;
    let mut group = c.benchmark_group("correlation, 10 channels, 16 lanes, f32");
    for bandlimit in [6, 12] {
        let plan = LaneTransform::<f32>::new(bandlimit, &RotationGrid::fast(bandlimit).unwrap()).unwrap();
        let first = vec![0.5; bandlimit * bandlimit * 10];
        let second = LaneBuffer::<f32, W>::zeros(bandlimit * bandlimit * 10);
        let mut out = LaneBuffer::<f32, W>::zeros(plan.coefficients_len());
        group.throughput(Throughput::Elements(W as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("L={bandlimit}")), |b| {
            b.iter(|| plan.correlate([1.0, 0.0], 10, black_box(&first), &second, &mut out).unwrap());
        });
    }
}

fn all(c: &mut Criterion) {
    one_signal(c);
    lanes::<f32, 16>(c, "16 lanes, f32");
    lanes::<f64, 8>(c, "8 lanes, f64");
    correlation(c);
}

criterion_group!(benches, all);
criterion_main!(benches);
