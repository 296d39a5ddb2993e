//! The fused strategy against the literal recursions in float64: every way to lay planes out, every padding, all kinds of
//! pairs.

mod device;

use device::device;
use ekernel_conformance::{Case, Verdict, judge, kernel_error, kernels};
use ekernel_core::{Backend, KernelSet, Network, Pairs, Samples};
use ekernel_reference::ReferenceBackend;
use ekernel_wgpu::{Adapter, Device, StrategyChoice, Tuning, WgpuBackend, WgpuOptions, wgpu};
use ndarray::Array4;
use pollster::block_on;

/// Error relative to the largest entry.
const BOUND: f64 = 1e-6;

/// A network of `layers` convolutions of `filter` and ReLUs.
fn network(shape: [usize; 3], layers: usize, filter: [usize; 2], padding: &str, more: &str) -> Network {
    network_of("relu'", shape, layers, filter, padding, more)
}

fn network_of(
    activation: &str,
    shape: [usize; 3],
    layers: usize,
    filter: [usize; 2],
    padding: &str,
    more: &str,
) -> Network {
    let [height, width, channels] = shape;
    let [rows, cols] = filter;
    let mut text = format!("[input]\nspace = 'image'\nshape = [{height}, {width}, {channels}]\n");
    for _ in 0..layers {
        text += &format!(
            "[[layers]]\nop = 'conv'\nfilter = [{rows}, {cols}]\npadding = '{padding}'\n{more}\n[[layers]]\nop = '{activation}\n"
        );
    }
    text += "[[layers]]\nop = 'global_avg_pool'\n";
    text.parse().expect("a network")
}

/// Noise twice, almost the same noise, constant, half black, collinear, opposite and black images.
fn images([height, width, channels]: [usize; 3]) -> Samples {
    let noise = |seed: usize, r: usize, c: usize, k: usize| {
        let hash =
            (seed * 7919 + r * 104_729 + c * 1_299_709 + k * 15_485_863 + 1).wrapping_mul(2_654_435_761);
        f64::from((hash % (1 << 24)) as u32) / f64::from(1 << 23) - 0.8
    };
    Samples::Images(Array4::from_shape_fn((9, height, width, channels), |(i, r, c, k)| match i {
        0 | 1 => noise(0, r, c, k),
        2 => noise(0, r, c, k) + 1e-4 * noise(1, r, c, k),
        3 => 0.7,
        4 if c < width / 2 => 0.0,
        4 => 0.7,
        5 => 0.3 * noise(0, r, c, k),
        6 => -noise(0, r, c, k),
        7 => 0.0,
        _ => noise(2, r, c, k),
    }))
}

fn error(device: &Device, network: &Network, kinds: KernelSet, samples: &Samples) -> f64 {
    error_tuned(device, network, kinds, samples, Tuning::default())
}

fn error_tuned(
    device: &Device,
    network: &Network,
    kinds: KernelSet,
    samples: &Samples,
    tuning: Tuning,
) -> f64 {
    let options = WgpuOptions { strategy: StrategyChoice::Fused, tuning, ..WgpuOptions::default() };
    let tested = WgpuBackend::new(network, kinds, options, device.clone()).expect("a fused plan");
    let [found, expected]: [&dyn Backend; 2] = [&tested, &ReferenceBackend::new(network, kinds)];
    let [found, expected] =
        [found, expected].map(|backend| kernels(backend, Pairs::within(samples.clone())).expect("computed"));
    let worst = kernel_error(&found, &expected);
    println!("    {worst:.1e}");
    worst
}

#[test]
fn every_padding_and_window() {
    let Some(device) = device() else { return };
    for padding in ["valid", "same", "circular"] {
        for (shape, layers, filter) in [
            ([8, 8, 3], 3, [3, 3]),
            ([9, 7, 2], 2, [3, 3]),
            ([7, 10, 1], 2, [2, 4]),
            ([9, 10, 4], 2, [5, 5]),
            ([5, 5, 1], 1, [1, 3]),
            ([1, 1, 3], 1, [1, 1]),
        ] {
            for (kinds, more) in [
                (KernelSet::Both, ""),
                (KernelSet::Nngp, "b_std = 0.7"),
                (KernelSet::Both, "b_std = 0.05\nw_std = 1.4"),
            ] {
                let network = network(shape, layers, filter, padding, more);
                let worst = error(&device, &network, kinds, &images(shape));
                println!("{padding:<9} {shape:?} {layers} × {filter:?} {more:?} {kinds:?}: {worst:.1e}");
                assert!(worst < BOUND, "{padding} {shape:?} {filter:?}: {worst:e}");
            }
        }
    }
}

/// Workgroups of every size add up the same planes.
#[test]
fn every_tuning() {
    let Some(device) = device() else { return };
    let shape = [9, 8, 2];
    for padding in ["valid", "same", "circular"] {
        let network = network(shape, 2, [3, 3], padding, "");
        for (invocations, in_turn) in [(1, 1), (64, 3), (1024, 64)] {
            let tuning = Tuning { invocations, in_turn };
            let worst = error_tuned(&device, &network, KernelSet::Both, &images(shape), tuning);
            assert!(worst < BOUND, "{padding} {tuning:?}: {worst:e}");
        }
    }
}

#[test]
fn other_kinks() {
    let Some(device) = device() else { return };
    for activation in ["leaky_relu'\nalpha = 0.2", "leaky_relu'\nalpha = -0.3", "abs'"] {
        for (kinds, more) in [(KernelSet::Both, ""), (KernelSet::Both, "b_std = 0.3")] {
            let network = network_of(activation, [7, 8, 2], 3, [3, 3], "same", more);
            let worst = error(&device, &network, kinds, &images([7, 8, 2]));
            println!("{activation:?} {more:?}: {worst:.1e}");
            assert!(worst < BOUND, "{activation} {more}: {worst:e}");
        }
    }
}

#[test]
fn smooth_activations() {
    let Some(device) = device() else { return };
    for activation in [
        "gelu'",
        "erf'\na = 1.3\nb = 0.7\nc = 0.2",
        "sin'\nb = 1.2\nc = 0.4",
        "cos'\na = 0.8",
        "rbf'\ngamma = 0.6",
        "exp'\nb = 0.4",
        "gaussian'\nb = -0.7",
    ] {
        for (filter, padding, more) in [
            ([3, 3], "same", "b_std = 0.3"),
            ([2, 3], "valid", "parameterization = 'standard'\nwidth = 7\nw_std = 1.2"),
        ] {
            let network = network_of(activation, [7, 8, 2], 3, filter, padding, more);
            let worst = error(&device, &network, KernelSet::Both, &images([7, 8, 2]));
            println!("{activation:?} {more:?}: {worst:.1e}");
            assert!(worst < BOUND, "{activation} {more}: {worst:e}");
        }
    }
}

/// Some of the images.
fn some(shape: [usize; 3], which: &[usize]) -> Samples {
    images(shape).select(which)
}

/// Planes wider than a workgroup or larger than its memory, cut across either axis.
#[test]
fn planes_in_pieces() {
    let Some(device) = device() else { return };
    for (padding, shape, filter) in [
        ("valid", [1, 1100, 1], [1, 3]),
        ("same", [1, 1100, 1], [1, 3]),
        ("circular", [1, 1100, 1], [1, 3]),
        ("same", [480, 6, 1], [3, 3]),
    ] {
        let network = network(shape, 2, filter, padding, "b_std = 0.1");
        let worst = error(&device, &network, KernelSet::Both, &some(shape, &[0, 3]));
        println!("{padding:<9} {shape:?}: {worst:.1e}");
        assert!(worst < BOUND, "{padding} {shape:?}: {worst:e}");
    }
}

/// A device that grants workgroups this many bytes of memory.
fn device_granting(workgroup_bytes: u32) -> Option<Device> {
    let chosen = block_on(Adapter::choose(&device::choice()?)).expect("an adapter");
    let instance = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let backends = instance.backends;
    let adapters = block_on(wgpu::Instance::new(instance).enumerate_adapters(backends));
    let adapter = adapters.into_iter().find(|adapter| adapter.get_info() == chosen.info).expect("the same");
    let required_limits =
        wgpu::Limits { max_compute_workgroup_storage_size: workgroup_bytes, ..adapter.limits() };
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..wgpu::DeviceDescriptor::default() };
    let (device, queue) = block_on(adapter.request_device(&descriptor)).expect("a device");
    Some(Device::from_wgpu(device, queue).expect("limits that do"))
}

/// Planes of 64×64 pixels in the memory that every device grants its workgroups; and smaller ones in so little that they are cut
/// along both axes.
#[test]
fn planes_in_little_memory() {
    for (shape, layers, workgroup_bytes, both) in
        [([64, 64, 2], 1, 16_384, false), ([33, 31, 2], 3, 2_048, true)]
    {
        let Some(device) = device_granting(workgroup_bytes) else { return };
        let network = network(shape, layers, [3, 3], "valid", "b_std = 0.1");
        let options = WgpuOptions { strategy: StrategyChoice::Fused, ..WgpuOptions::default() };
        let tested = WgpuBackend::new(&network, KernelSet::Both, options, device).expect("it is fused");
        let [stage] = &tested.strategies().expect("shaders")[..] else { panic!("one readout") };
        let cuts = stage.detail.matches("strips of").count();
        assert!(cuts == 2 || (cuts == 1 && !both), "{stage}");
        let case = Case::new(format!("{shape:?}"), network, some(shape, &[0, 8])).against_double();
        let verdict = judge(&tested, &case);
        println!("{shape:?} in {workgroup_bytes} bytes: {verdict:?}, {stage}");
        assert!(matches!(verdict, Verdict::Computed(error) if error < BOUND), "{shape:?}: {verdict:?}");
    }
}

#[test]
fn deep_chains() {
    let Some(device) = device() else { return };
    for (shape, layers, more) in
        [([9, 9, 3], 21, "w_std = 1.4142135623730951"), ([5, 6, 1], 40, ""), ([4, 4, 1], 60, "b_std = 2.0")]
    {
        let network = network(shape, layers, [3, 3], "same", more);
        let worst = error(&device, &network, KernelSet::Both, &images(shape));
        println!("{shape:?} {layers} layers {more:?}: {worst:.1e}");
        assert!(worst < BOUND, "{shape:?} {layers}: {worst:e}");
    }
}

/// Sizes of pixels that leave float32 when they are squared, and flatten instead of a mean.
#[test]
fn sizes_and_diagonals() {
    let Some(device) = device() else { return };
    let text = "[input]\nspace = 'image'\nshape = [7, 6, 2]\n[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n\
                [[layers]]\nop = 'relu'\n[[layers]]\nop = 'flatten'\n[[layers]]\nop = 'dense'\n";
    let network: Network = text.parse().expect("a network");
    let Samples::Images(x) = images([7, 6, 2]) else { panic!("images") };
    for size in [1.0, 1e12, 1e-12] {
        let worst = error(&device, &network, KernelSet::Both, &Samples::Images(x.mapv(|x| x * size)));
        assert!(worst < BOUND, "{size:e}: {worst:e}");
    }
}

#[test]
fn what_is_not_a_chain_is_refused_with_a_reason() {
    let Some(device) = device() else { return };
    let conv = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\n";
    for (layers, reason) in [
        (format!("{conv}strides = [2, 2]\n[[layers]]\nop = 'relu'\n"), "stride"),
        (format!("{conv}[[layers]]\nop = 'relu'\n{conv}[[layers]]\nop = 'gelu'\n"), "families"),
        (
            format!("{conv}parameterization = 'standard'\nwidth = 8\n[[layers]]\nop = 'relu'\n"),
            "parameterisation",
        ),
    ] {
        let text = format!(
            "[input]\nspace = 'image'\nshape = [8, 8, 1]\n{layers}[[layers]]\nop = 'global_avg_pool'\n"
        );
        let network: Network = text.parse().expect("a network");
        let options = WgpuOptions { strategy: StrategyChoice::Fused, ..WgpuOptions::default() };
        let refused = WgpuBackend::new(&network, KernelSet::Both, options, device.clone()).map(|_| ());
        let refused = refused.expect_err("a refusal").to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}
