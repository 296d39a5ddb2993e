//! The fused strategy against the literal recursions in float64: every way to lay planes out, every padding, all kinds of
//! pairs.

use ekernel_core::{Backend, Control, Kernels, Kinds, Network, Pairs, Samples};
use ekernel_reference::ReferenceBackend;
use ekernel_wgpu::{AdapterChoice, Device, StrategyChoice, WgpuBackend, WgpuOptions};
use ndarray::{Array2, Array4};

/// Error relative to the largest entry.
const BOUND: f64 = 1e-6;

/// A network of `layers` convolutions of `filter` and ReLUs.
fn network(shape: [usize; 3], layers: usize, filter: [usize; 2], padding: &str, more: &str) -> Network {
    let [height, width, channels] = shape;
    let [rows, cols] = filter;
    let mut text = format!("[input]\nspace = 'image'\nshape = [{height}, {width}, {channels}]\n");
    for _ in 0..layers {
        text += &format!("[[layers]]\nop = 'conv'\nfilter = [{rows}, {cols}]\npadding = '{padding}'\n{more}\n[[layers]]\nop = 'relu'\n");
    }
    text += "[[layers]]\nop = 'global_avg_pool'\n";
    text.parse().expect("a network")
}

/// Noise twice, almost the same noise, constant, half black, collinear, opposite and black images.
fn images([height, width, channels]: [usize; 3]) -> Samples {
    let noise = |seed: usize, r: usize, c: usize, k: usize| {
        let hash = (seed * 7919 + r * 104_729 + c * 1_299_709 + k * 15_485_863 + 1).wrapping_mul(2_654_435_761);
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

fn device() -> Device {
    Device::open_blocking(&AdapterChoice::Name("llvmpipe".to_owned())).expect("a software adapter")
}

fn kernels(backend: &dyn Backend, samples: &Samples) -> Kernels {
    let control = Control::new();
    let session = backend.prepare(Pairs::Symmetric(samples), &control).expect("prepared");
    session.tile(0..samples.len(), 0..samples.len(), &control).expect("computed")
}

/// Largest difference relative to the largest entry, and where it is.
fn difference(found: &Array2<f64>, expected: &Array2<f64>) -> (f64, (usize, usize)) {
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let errors = found.indexed_iter().map(|(at, x)| ((x - expected[at]).abs() / largest, at));
    errors.fold((0.0, (0, 0)), |a, b| if b.0 > a.0 { b } else { a })
}

fn error(device: &Device, network: &Network, kinds: Kinds, samples: &Samples) -> f64 {
    let options = WgpuOptions { strategy: StrategyChoice::Fused, ..WgpuOptions::default() };
    let tested = WgpuBackend::new(network, kinds, options, device.clone()).expect("a fused plan");
    let found = kernels(&tested, samples);
    let expected = kernels(&ReferenceBackend::new(network, kinds), samples);
    let mut worst = difference(&found.nngp, &expected.nngp);
    if let (Some(found), Some(expected)) = (&found.ntk, &expected.ntk) {
        let ntk = difference(found, expected);
        worst = if ntk.0 > worst.0 { ntk } else { worst };
    }
    println!("    {:.1e} at {:?}", worst.0, worst.1);
    worst.0
}

#[test]
fn every_padding_and_window() {
    let device = device();
    for padding in ["valid", "same", "circular"] {
        for (shape, layers, filter) in [
            ([8, 8, 3], 3, [3, 3]),
            ([9, 7, 2], 2, [3, 3]),
            ([7, 10, 1], 2, [2, 4]),
            ([11, 11, 4], 2, [5, 5]),
            ([5, 5, 1], 1, [1, 3]),
            ([1, 1, 3], 1, [1, 1]),
        ] {
            for (kinds, more) in [(Kinds::Both, ""), (Kinds::Nngp, "b_std = 0.7"), (Kinds::Both, "b_std = 0.05\nw_std = 1.4")] {
                let network = network(shape, layers, filter, padding, more);
                let worst = error(&device, &network, kinds, &images(shape));
                println!("{padding:<9} {shape:?} {layers} × {filter:?} {more:?} {kinds:?}: {worst:.1e}");
                assert!(worst < BOUND, "{padding} {shape:?} {filter:?}: {worst:e}");
            }
        }
    }
}
