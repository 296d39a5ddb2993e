//! Pairs per second of the CPU backend, end to end: one tile of 64 pairs of random images on one thread, NNGP and NTK
//! together, samples prepared beforehand.
//!
//! `cargo bench --bench planar`; criterion reports elements (pairs) per second.

use std::{fs, hint::black_box, path::Path, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ekernel::{
    core::{Backend, Control, Input, KernelSet, Network, Pairs, Samples},
    cpu::{CpuBackend, CpuOptions, Precision, simd::Isa},
};
use ndarray::Array4;

fn network(name: &str) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/architectures/{name}.toml"));
    fs::read_to_string(path).expect("an architecture").parse().expect("a network")
}

/// Uniform noise from a linear congruential generator, the same in every run.
fn noise(network: &Network, count: usize) -> Samples {
    let Input::Image { height, width, channels } = *network.input() else { panic!("images only") };
    let mut state = 1_u64;
    Samples::Images(Array4::from_shape_simple_fn((count, height, width, channels), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    }))
}

fn planar(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planar");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).warm_up_time(Duration::from_secs(1));
    let cases = ["table1_cnn", "table1_cnn_same", "table1_c4", "myrtle5"];
    for isa in Isa::available().into_iter().take(2) {
        for name in cases {
            for precision in [Precision::F32, Precision::F64] {
                let network = network(name);
                let images = noise(&network, 16);
                let options = CpuOptions { precision, threads: 1, isa, ..CpuOptions::default() };
                let backend = CpuBackend::new(&network, KernelSet::Both, options).expect("a backend");
                let control = Control::new();
                let session = backend
                    .prepare(Pairs::cross(images.clone(), images.clone()), &control)
                    .expect("prepared");
                group.throughput(Throughput::Elements(64));
                group.bench_function(format!("{name}/{}/{isa}", precision.name()), |bencher| {
                    bencher.iter(|| black_box(session.tile(0..4, 0..16, &control)).expect("computed"));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, planar);
criterion_main!(benches);
