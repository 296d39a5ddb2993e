//! Pairs of signals per second of the CPU backend on the sphere, end to end: one tile of 64 pairs of random signals on one
//! thread, NNGP and NTK together, samples prepared beforehand.
//!
//! `cargo bench --bench spheres`; criterion reports elements (pairs) per second.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ekernel::{
    core::{Backend, Control, KernelSet, Network, Pairs, Plan, Quadrature, Samples},
    cpu::{CpuBackend, CpuOptions, Precision},
};
use ndarray::Array4;

/// Two nonlinearities, `truncation` a line of the second convolution.
fn network(bandlimit: usize, activation: &str, truncation: &str) -> Network {
    format!(
        "[input]\nspace = 'sphere'\nbandlimit = {bandlimit}\nchannels = 1\n\
         [[layers]]\nop = 's2_conv'\n[[layers]]\nop = '{activation}'\n\
         [[layers]]\nop = 'so3_conv'\n{truncation}\n[[layers]]\nop = '{activation}'\n\
         [[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'dense'\n"
    )
    .parse()
    .expect("a network")
}

/// Uniform noise from a linear congruential generator, the same in every run.
fn noise(bandlimit: usize, count: usize) -> Samples {
    let mut state = 1_u64;
    Samples::Spheres(Array4::from_shape_simple_fn((count, 2 * bandlimit, 2 * bandlimit - 1, 1), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    }))
}

fn spheres(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spheres");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    let mut cases = vec![
        ("relu", 6, Quadrature::Accurate, Precision::F64, ""),
        ("erf", 6, Quadrature::Accurate, Precision::F32, ""),
        ("relu", 6, Quadrature::Accurate, Precision::F32, "bandlimit = 3"),
    ];
    for bandlimit in [6, 8, 12, 16, 24, 32] {
        for quadrature in [Quadrature::Fast, Quadrature::Accurate] {
            cases.push(("relu", bandlimit, quadrature, Precision::F32, ""));
        }
    }
    for (activation, bandlimit, quadrature, precision, truncation) in cases {
        let network = network(bandlimit, activation, truncation);
        let plan = Plan::with_quadrature(&network, KernelSet::Both, quadrature).expect("a plan");
        let options = CpuOptions { precision, threads: 1, ..CpuOptions::default() };
        let nodes = plan.rotations[0].nodes;
        let backend = CpuBackend::from_plan(plan, options).expect("a backend");
        let (signals, control) = (noise(bandlimit, 16), Control::new());
        let session =
            backend.prepare(Pairs::cross(signals.clone(), signals.clone()), &control).expect("prepared");
        group.throughput(Throughput::Elements(64));
        let cut = if truncation.is_empty() { "" } else { "/truncated" };
        let name = format!("{activation}{cut}/L={bandlimit}/B={nodes}/{}", precision.name());
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(session.tile(0..4, 0..16, &control)).expect("computed"));
        });
    }
    group.finish();
}

criterion_group!(benches, spheres);
criterion_main!(benches);
