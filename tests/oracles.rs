//! The CPU backend against published kernels.

mod fixture;
mod parity;

use ekernel::{
    core::{KernelSet, Pairs},
    cpu::{CpuBackend, CpuOptions, Precision},
};
use ndarray::Array2;
use parity::kernels;

/// Largest difference relative to the largest entry, over entries where `keep`.
fn error(found: &Array2<f64>, expected: &Array2<f64>, keep: impl Fn(usize, usize) -> bool) -> f64 {
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs())).max(f64::MIN_POSITIVE);
    found
        .indexed_iter()
        .filter(|((i, j), _)| keep(*i, *j))
        .fold(0.0_f64, |worst, ((i, j), x)| worst.max((x - expected[[i, j]]).abs() / largest))
}

/// Worst error of all fixtures: (apart from repeats, at repeats).
fn worst(options: CpuOptions) -> (f64, f64) {
    let mut worst = (0.0_f64, 0.0_f64);
    for fixture in fixture::planar() {
        let backend = CpuBackend::new(&fixture.network, KernelSet::Both, options).expect("a backend");
        let cross = kernels(&backend, fixture.pairs()).expect("computed");
        let own = kernels(&backend, Pairs::within(fixture.x1.clone())).expect("computed");
        // x2[0] repeats x1[1].
        let repeats = |i: usize, j: usize| (i, j) == (1, 0);
        let ntk = cross.ntk.expect("asked for");
        let own_ntk = own.ntk.expect("asked for");
        let apart = [
            error(&cross.nngp, &fixture.nngp, |i, j| !repeats(i, j)),
            error(&ntk, &fixture.ntk, |i, j| !repeats(i, j)),
            error(&own.nngp, &fixture.nngp11, |i, j| i != j),
            error(&own_ntk, &fixture.ntk11, |i, j| i != j),
        ];
        let at = [
            error(&cross.nngp, &fixture.nngp, repeats),
            error(&ntk, &fixture.ntk, repeats),
            error(&own.nngp, &fixture.nngp11, |i, j| i == j),
            error(&own_ntk, &fixture.ntk11, |i, j| i == j),
        ];
        let [apart, at] = [apart, at].map(|errors| errors.into_iter().fold(0.0, f64::max));
        println!("{:<28} {apart:9.1e} {at:9.1e}", fixture.name);
        worst = (worst.0.max(apart), worst.1.max(at));
    }
    worst
}

#[test]
fn float64_op_by_op() {
    let (apart, repeats) =
        worst(CpuOptions { precision: Precision::F64, fused: false, threads: 1, ..Default::default() });
    assert!(apart <= 1e-12 && repeats <= 1e-9, "{apart:e} {repeats:e}");
}

#[test]
fn float64_fused() {
    let (apart, repeats) = worst(CpuOptions { precision: Precision::F64, threads: 1, ..Default::default() });
    assert!(apart <= 1e-12 && repeats <= 1e-9, "{apart:e} {repeats:e}");
}

#[test]
fn float32() {
    for fused in [false, true] {
        let (apart, repeats) = worst(CpuOptions { fused, threads: 1, ..Default::default() });
        assert!(apart <= 1e-6 && repeats <= 1e-6, "{apart:e} {repeats:e}");
    }
}
