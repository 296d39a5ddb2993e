//! Sets of nearly equal images, where float32 has most pairs computed in float64: as exact as elsewhere, not slower than float64
//! by more than the first attempt, and interruptible.

mod parity;

use std::{thread, time::Instant};

use ekernel::{
    core::{Backend, BackendError, Control, KernelSet, Network, Pairs, Samples},
    cpu::{CpuBackend, CpuOptions, Precision},
};
use ndarray::Array4;
use parity::disagreement;

/// A network of the paper's Table 1, padded, for 14×14×3 images.
fn network(group: bool) -> Network {
    let first = if group { "op = \"lift\"\ngroup = \"C4\"" } else { "op = \"conv\"" };
    let (conv, pool) = if group { ("group_conv", "group_pool") } else { ("conv", "global_avg_pool") };
    let mut text = format!(
        "[input]\nspace = \"image\"\nshape = [14, 14, 3]\n[[layers]]\n{first}\nfilter = [3, 3]\npadding = \"same\"\n[[layers]]\nop = \"relu\"\n"
    );
    for _ in 0..4 {
        text += &format!(
            "[[layers]]\nop = \"{conv}\"\nfilter = [3, 3]\npadding = \"same\"\n[[layers]]\nop = \"relu\"\n"
        );
    }
    text += &format!("[[layers]]\nop = \"{pool}\"\n");
    for op in ["dense", "relu", "dense"] {
        text += &format!("[[layers]]\nop = \"{op}\"\n");
    }
    text.parse().expect("a network")
}

fn backend(group: bool, precision: Precision) -> CpuBackend {
    let options = CpuOptions { precision, threads: 1, ..CpuOptions::default() };
    CpuBackend::new(&network(group), KernelSet::Both, options).expect("a plan")
}

/// One image of noise and `count` - 1 that differ from it by up to `spread`.
fn near(count: usize, spread: f64) -> Samples {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let image: Vec<f64> = (0..14 * 14 * 3).map(|_| noise()).collect();
    let values = (0..count).flat_map(|i| {
        let spread = if i == 0 { 0.0 } else { spread };
        image.iter().map(|x| x + spread * noise()).collect::<Vec<_>>()
    });
    Samples::Images(Array4::from_shape_vec((count, 14, 14, 3), values.collect()).expect("images"))
}

/// Measured 5.5e-8 at most.
#[test]
fn float32_keeps_its_digits() {
    for group in [false, true] {
        for exponent in 2..9 {
            let samples = near(8, 10_f64.powi(-exponent));
            let (single, double) = (backend(group, Precision::F32), backend(group, Precision::F64));
            let error = disagreement(&single, &double, &samples);
            println!("C4: {group}, spread 1e-{exponent}: {error:.1e}");
            assert!(error <= 1e-6, "C4: {group}, spread 1e-{exponent}: {error:e}");
        }
    }
}

/// Every pair is computed twice, once in each precision: measured 1.3 times as long as float64 alone. Pair by pair it was 8 times.
#[test]
fn float32_does_not_crawl() {
    let samples = near(48, 1e-4);
    let seconds = |precision| {
        let backend = backend(false, precision);
        let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("prepared");
        let run = || {
            let started = Instant::now();
            session.tile(0..16, 0..48, &Control::new()).expect("computed");
            started.elapsed().as_secs_f64()
        };
        (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
    };
    let (single, double) = (seconds(Precision::F32), seconds(Precision::F64));
    println!("float32 {single:.3} s, float64 {double:.3} s");
    assert!(single < 3.0 * double, "float32 {single:.3} s, float64 {double:.3} s");
}

/// Most of the time of a tile is spent on pairs in float64; it can be stopped there.
#[test]
fn float64_pairs_can_be_interrupted() {
    let samples = near(96, 1e-4);
    let backend = backend(false, Precision::F32);
    let control = Control::new();
    let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
    let started = Instant::now();
    session.tile(0..16, 0..96, &control).expect("computed");
    let whole = started.elapsed();
    let stopped = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(whole.mul_f64(0.5));
            control.cancel();
        });
        session.tile(0..16, 0..96, &control)
    });
    assert!(matches!(stopped, Err(BackendError::Cancelled)), "not stopped in {whole:?}");
}
