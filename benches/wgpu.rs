//! Kernel entries on a GPU, by stage and end to end: `benches/gpu.sh`, or
//! `EKERNEL_ADAPTER=NAME cargo bench --bench wgpu -- --noplot`.
//!
//! `fused` times whole networks with their stage in one dispatch, and says what part of the device's measured issue ceiling
//! (multiply-adds alone, `Device::peak`) the operations of `shaders/tests/instruction_count.rs` take; `layered` times the
//! same and single stages over materialised tensors; `cpu` is one thread of the CPU backend on the same. A throughput element is a
//! position behind an activation. `EKERNEL_IMAGES` (64) sets the size: the square of it is computed at once;
//! `EKERNEL_WORKGROUPS=128x4` are sizes that `ekernel bench --tune` found.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ekernel::{
    core::{
        Backend, BackendError, Control, KernelSet, Network, Pairs, Plan, Samples,
        plan::{PlaneNode, PlaneOp, Pointwise},
    },
    cpu::{CpuBackend, CpuOptions, Precision},
    wgpu::{AdapterChoice, Device, StrategyChoice, Tuning, WgpuBackend, WgpuOptions},
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
        let duals = stage.ops.iter().filter(|op| matches!(op.op, PlaneOp::Pointwise(Pointwise::Dual(_))));
        let along = |op: &PlaneNode, axis: usize| -> u64 {
            stage.offsets[axis]
                .iter()
                .map(|d| op.at.span(axis, d * op.at.step[axis] as isize).len() as u64)
                .sum()
        };
        orbit * duals.map(|op| along(op, 0) * along(op, 1)).sum::<u64>()
    };
    plan.stages.iter().zip(&cost.orbit).map(stage).sum()
}

/// What computes a case.
enum On<'a> {
    Gpu(&'a Device, StrategyChoice),
    /// One thread, the widest instruction set.
    Cpu,
}

impl On<'_> {
    fn group(&self) -> String {
        match self {
            On::Gpu(_, strategy) => format!("{strategy:?}").to_lowercase(),
            On::Cpu => "cpu".to_owned(),
        }
    }

    fn backend(&self, plan: Plan) -> Result<Box<dyn Backend>, BackendError> {
        Ok(match self {
            On::Gpu(device, strategy) => {
                let options = WgpuOptions { strategy: *strategy, tuning: tuning(), ..WgpuOptions::default() };
                Box::new(WgpuBackend::from_plan(plan, options, (*device).clone())?)
            }
            On::Cpu => {
                let options = CpuOptions { precision: Precision::F32, threads: 1, ..CpuOptions::default() };
                Box::new(CpuBackend::from_plan(plan, options)?)
            }
        })
    }
}

/// The sizes of workgroups that `EKERNEL_WORKGROUPS` names, `128x4`: invocations, and runs of planes in turn.
fn tuning() -> Tuning {
    let Ok(words) = std::env::var("EKERNEL_WORKGROUPS") else { return Tuning::default() };
    let sizes = words.split_once('x').and_then(|(invocations, in_turn)| {
        Some(Tuning { invocations: invocations.parse().ok()?, in_turn: in_turn.parse().ok()? })
    });
    sizes.unwrap_or_else(|| panic!("EKERNEL_WORKGROUPS={words}: write 128x4"))
}

/// Times all pairs of `count` images, and gives positions per second in the best iteration; nothing where the case is filtered
/// out.
fn time(c: &mut Criterion, on: &On<'_>, name: &str, text: &str, count: usize) -> Option<f64> {
    let network: Network = text.parse().expect("a network");
    let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
    let positions = ((count * count) as u64 * elements(&plan)) as f64;
    let samples = images(&network, count);
    let control = Control::new();
    let mut best = Duration::MAX;
    let mut group = c.benchmark_group(on.group());
    group.throughput(Throughput::Elements(positions as u64)).sample_size(10);
    group.bench_function(name, |bencher| {
        let backend = on.backend(plan.clone()).expect("a backend");
        let session =
            backend.prepare(Pairs::cross(samples.clone(), samples.clone()), &control).expect("prepared");
        // The first tile compiles shaders and learns how much the device does at once.
        session.tile(0..1, 0..1, &control).expect("computed");
        bencher.iter_custom(|iterations| {
            let mut all = Duration::ZERO;
            for _ in 0..iterations {
                let started = Instant::now();
                black_box(session.tile(0..count, 0..count, &control).expect("computed"));
                let took = started.elapsed();
                (best, all) = (best.min(took), all + took);
            }
            all
        });
    });
    group.finish();
    if best == Duration::MAX {
        return None;
    }
    let (seconds, entries) = (best.as_secs_f64(), (count * count) as f64);
    println!("{name}: {:.4} ms per entry, {:.3e} positions/s", 1e3 * seconds / entries, positions / seconds);
    Some(positions / seconds)
}

fn bench(c: &mut Criterion) {
    let Some(device) = device() else { return };
    let count = std::env::var("EKERNEL_IMAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(64);
    let peak = device.peak(&Control::new()).expect("a peak");
    println!("{}: {peak:.3e} multiply-adds/s, {:?}", device.describe(), tuning());
    let few = (count / 16).max(1);
    let fused = On::Gpu(&device, StrategyChoice::Fused);
    let layered = On::Gpu(&device, StrategyChoice::Layered);
    let same = include_str!("../examples/architectures/table1_cnn_same.toml");
    let myrtle5 = include_str!("../examples/architectures/myrtle5.toml");
    for (name, text) in [
        ("table1_cnn", include_str!("../examples/architectures/table1_cnn.toml")),
        ("table1_cnn_same", same),
        ("table1_c4", include_str!("../examples/architectures/table1_c4.toml")),
        ("cnn21_gap", include_str!("../examples/architectures/cnn21_gap.toml")),
    ] {
        if let Some(rate) = time(c, &fused, name, text, count) {
            println!(
                "{name}: {:.0} % of the issue ceiling, {:.0} % of peak float32 operations",
                100.0 * INSTRUCTIONS * rate / peak,
                // 56 operations a position, a multiply-add counted as two.
                100.0 * 28.0 * rate / peak
            );
        }
        time(c, &On::Cpu, name, text, few);
    }
    time(c, &layered, "table1_cnn_same", same, few);
    time(c, &layered, "myrtle5", myrtle5, few);
    time(c, &On::Cpu, "myrtle5", myrtle5, few);
    for activation in ["relu", "leaky_relu", "erf", "gelu", "sin", "rbf", "exp", "gaussian", "sign"] {
        let text = format!(
            "[input]\nspace = 'image'\nshape = [16, 16, 3]\n[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n\
             [[layers]]\nop = '{activation}'\n[[layers]]\nop = 'global_avg_pool'\n"
        );
        for on in [&layered, &fused, &On::Cpu] {
            // The sign has no slope to chain.
            if activation != "sign" || !matches!(on, On::Gpu(_, StrategyChoice::Fused)) {
                time(c, on, activation, &text, few);
            }
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
