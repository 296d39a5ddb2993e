//! Kernel entries on a GPU, by stage and end to end: `benches/gpu.sh`, or
//! `EKERNEL_ADAPTER=NAME cargo bench --bench wgpu -- --noplot`.
//!
//! `fused` times whole networks with their stage in one dispatch, and says what part of the device's measured issue ceiling
//! (multiply-adds alone, `shaders/peak.wgsl`) the operations of `shaders/tests/instruction_count.rs` take; `layered` times the
//! same and single ops over materialised tensors. A throughput element is a position behind an activation.

use std::{hint::black_box, time::Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ekernel::{
    core::{Backend, Control, Kinds, Network, Pairs, Plan, Samples, plan::Op},
    wgpu::{AdapterChoice, Device, StrategyChoice, WgpuBackend, WgpuOptions, wgpu},
};
use ndarray::Array4;

/// Instructions per position and layer, as counted by `shaders/tests/instruction_count.rs`.
const INSTRUCTIONS: f64 = 108.0;

fn device() -> Option<Device> {
    let Ok(choice) = std::env::var("EKERNEL_ADAPTER")
        .map_or(Ok(AdapterChoice::Hardware), |name| name.parse::<AdapterChoice>());
    Device::open_blocking(&choice).inspect_err(|e| eprintln!("nothing is timed: {e}")).ok()
}

fn images(network: &Network, count: usize) -> Samples {
    let shape = network.input().shape();
    let noise = |i: usize, r: usize, c: usize, k: usize| {
        let hash = (i * 7919 + r * 104_729 + c * 1_299_709 + k * 15_485_863 + 1).wrapping_mul(2_654_435_761);
        f64::from((hash % (1 << 24)) as u32) / f64::from(1 << 24)
    };
    let shape = (count, shape[0], shape[1], shape[2]);
    Samples::Images(Array4::from_shape_fn(shape, |(i, r, c, k)| noise(i, r, c, k)))
}

/// Positions behind activations, of one pair.
fn elements(plan: &Plan) -> u64 {
    let cost = plan.cost();
    let stage = |(stage, orbit): (&ekernel::core::plan::Stage, &u64)| -> u64 {
        let duals = stage.ops.iter().filter(|op| matches!(op.op, Op::Dual(_)));
        let along = |op: &ekernel::core::plan::PlaneOp, axis: usize| -> u64 {
            stage.offsets[axis].iter().map(|d| op.span(axis, d * op.step[axis] as isize).len() as u64).sum()
        };
        orbit * duals.map(|op| along(op, 0) * along(op, 1)).sum::<u64>()
    };
    plan.stages.iter().zip(&cost.orbit).map(stage).sum()
}

/// Multiply-adds per second that the device issues, the best of three.
fn peak(device: &Device) -> f64 {
    let (gpu, queue) = (device.wgpu(), device.queue());
    let source = wgpu::ShaderSource::Wgsl(ekernel_shaders::peak().into());
    let module =
        gpu.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("ekernel.peak"), source });
    let pipeline = gpu.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("ekernel.peak"),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let usage = wgpu::BufferUsages::STORAGE;
    let buffer = gpu.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4096,
        usage,
        mapped_at_creation: false,
    });
    let group = gpu.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });
    let mut workgroups = 64;
    let mut best = 0f64;
    for _ in 0..6 {
        let start = Instant::now();
        let mut encoder = gpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(workgroups, 1, 1);
        drop(pass);
        queue.submit([encoder.finish()]);
        if gpu.poll(wgpu::PollType::wait_indefinitely()).is_err() {
            return best;
        }
        let took = start.elapsed().as_secs_f64();
        let operations = ekernel_shaders::PEAK_OPERATIONS as f64 * 256.0 * f64::from(workgroups);
        best = best.max(operations / took);
        // Long enough to hide the launch, short enough for any driver.
        if took < 0.02 {
            workgroups = (workgroups * 8).min(65_535);
        }
    }
    best
}

fn time(
    c: &mut Criterion,
    device: &Device,
    name: &str,
    text: &str,
    strategy: StrategyChoice,
    count: usize,
) -> Option<f64> {
    let network: Network = text.parse().expect("a network");
    let plan = Plan::new(&network, Kinds::Both).expect("a plan");
    let options = WgpuOptions { strategy, ..WgpuOptions::default() };
    let backend = WgpuBackend::from_plan(plan.clone(), options, device.clone())
        .inspect_err(|e| eprintln!("{name}: {e}"))
        .ok()?;
    let samples = images(&network, count);
    let control = Control::new();
    let session = backend.prepare(Pairs::Between(&samples, &samples), &control).expect("prepared");
    let run = || black_box(session.tile(0..count, 0..count, &control).expect("computed"));
    run();
    let start = Instant::now();
    run();
    let took = start.elapsed().as_secs_f64();
    let pairs = (count * count) as u64;
    let mut group = c.benchmark_group(format!("{strategy:?}").to_lowercase());
    group.throughput(Throughput::Elements(pairs * elements(&plan)));
    group.sample_size(10);
    group.bench_function(name, |b| b.iter(run));
    group.finish();
    let rate = (pairs * elements(&plan)) as f64 / took;
    println!("{name}: {:.4} ms per entry, {:.3e} positions/s", 1e3 * took / pairs as f64, rate);
    Some(rate)
}

fn bench(c: &mut Criterion) {
    let Some(device) = device() else { return };
    let count = std::env::var("EKERNEL_IMAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(64);
    let peak = peak(&device);
    println!("{}: {peak:.3e} multiply-adds/s", device.describe());
    for (name, text) in [
        ("table1_cnn", include_str!("../examples/architectures/table1_cnn.toml")),
        ("table1_cnn_same", include_str!("../examples/architectures/table1_cnn_same.toml")),
        ("table1_c4", include_str!("../examples/architectures/table1_c4.toml")),
        ("cnn21_gap", include_str!("../examples/architectures/cnn21_gap.toml")),
    ] {
        if let Some(rate) = time(c, &device, name, text, StrategyChoice::Fused, count) {
            println!(
                "{name}: {:.0} % of the issue ceiling, {:.0} % of peak float32 operations",
                100.0 * INSTRUCTIONS * rate / peak,
                // 56 operations a position, a multiply-add counted as two.
                100.0 * 28.0 * rate / peak
            );
        }
    }
    let few = (count / 16).max(1);
    time(
        c,
        &device,
        "table1_cnn_same",
        include_str!("../examples/architectures/table1_cnn_same.toml"),
        StrategyChoice::Layered,
        few,
    );
    time(
        c,
        &device,
        "myrtle5",
        include_str!("../examples/architectures/myrtle5.toml"),
        StrategyChoice::Layered,
        few,
    );
    for activation in ["relu", "leaky_relu", "erf", "gelu", "sin", "rbf", "exp", "gaussian", "sign"] {
        let text = format!(
            "[input]\nspace = 'image'\nshape = [16, 16, 3]\n[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n\
             [[layers]]\nop = '{activation}'\n[[layers]]\nop = 'global_avg_pool'\n"
        );
        time(c, &device, activation, &text, StrategyChoice::Layered, few);
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
