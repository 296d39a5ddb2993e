//! Deep networks on the CPU: no stack ends them, and every op is visited once.

use ekernel::{
    core::{
        Activation, Backend, Control, Conv, Input, KernelSet, Layer, LayerNorm, Network, NetworkBuilder,
        Padding, Pairs, Plan, Pool, PoolKind, Samples, Window,
    },
    cpu::{CpuBackend, CpuOptions},
};
use ndarray::Array4;

fn image() -> NetworkBuilder {
    Network::builder(Input::Image { height: 4, width: 4, channels: 2 })
}

fn conv() -> Layer {
    Conv::new([3, 3]).padding(Padding::Circular).w_std(2_f64.sqrt()).into()
}

fn backend(builder: NetworkBuilder) -> CpuBackend {
    let options = CpuOptions { threads: 1, ..CpuOptions::default() };
    CpuBackend::new(&builder.build().expect("a network"), KernelSet::Both, options).expect("a plan")
}

/// Kernels of two images with themselves and each other.
fn computed(backend: &CpuBackend) -> [f64; 2] {
    let pixel =
        |n: usize, y: usize, x: usize, c: usize| ((n * 31 + y * 17 + x * 7 + c * 3) as f64 * 0.7).sin();
    let images = Samples::Images(Array4::from_shape_fn((2, 4, 4, 2), |(n, y, x, c)| pixel(n, y, x, c)));
    let control = Control::new();
    let session = backend.prepare(Pairs::within(images), &control).expect("prepared");
    let kernels = session.tile(0..2, 0..2, &control).expect("computed");
    [kernels.nngp[[0, 1]], kernels.ntk.expect("asked for")[[0, 1]]]
}

/// s_i = layer_norm(s_{i−1} + conv(relu(s_{i−1}))), `blocks` times.
fn tower(blocks: usize) -> NetworkBuilder {
    let mut builder = image().layer(conv()).named("s0");
    for i in 1..=blocks {
        let (below, branch) = (format!("s{}", i - 1), format!("c{i}"));
        builder = builder
            .layer(Activation::Relu)
            .layer(Conv::new([3, 3]).padding(Padding::Circular))
            .named(&branch);
        builder = builder.layer(Layer::Sum).reads([below.as_str(), branch.as_str()]);
        builder = builder.layer(LayerNorm::over_channels()).named(&format!("s{i}"));
    }
    builder.layer(Layer::Flatten)
}

#[test]
fn ten_thousand_layers() {
    let layers = (0..5000).flat_map(|_| [conv(), Activation::Relu.into()]);
    let [nngp, ntk] = computed(&backend(image().serial(layers).layer(Layer::Flatten)));
    println!("K {nngp:e}, Θ {ntk:e}");
    assert!(nngp > 0.0 && ntk > 0.0);
}

/// The most local pools that are planned one behind the other, each a stage that feeds the next.
#[test]
fn pools_behind_pools() {
    let window = Window { size: [1, 2], strides: [1, 1], padding: Padding::Same };
    let pools = |n| {
        let pool = Pool { kind: PoolKind::Mean, window };
        image()
            .layer(conv())
            .serial((0..n).map(|_| pool.into()))
            .layer(Activation::Relu)
            .layer(Layer::Flatten)
    };
    let [nngp, _] = computed(&backend(pools(Plan::MOST_NESTED)));
    assert!(nngp > 0.0, "{nngp}");
    let network = pools(Plan::MOST_NESTED + 1).build().expect("a network");
    let said = Plan::new(&network, KernelSet::Both).expect_err("refused").to_string();
    assert!(said.contains("129 local pools one behind the other"), "{said}");
}

/// A walk along every path would take 2⁸⁰⁰ steps; measured 0.03 s.
#[test]
fn residual_towers_are_walked_once() {
    let [nngp, ntk] = computed(&backend(tower(800)));
    println!("K {nngp:e}, Θ {ntk:e}");
    assert!(nngp.is_finite() && ntk.is_finite());
}
