//! Every entry is the same bit for bit, whatever other samples are computed with it.

mod gpu;
mod parity;

use ekernel::{
    core::{Backend, Group, Input, KernelSet, Kernels, Network, Pairs, Plan, Samples},
    cpu::{CpuBackend, CpuOptions, Precision},
    wgpu::{WgpuBackend, WgpuOptions},
};
use ekernel_reference::ReferenceBackend;
use ekernel_testnets::{network, noise_for, signals_for, sphere_network};
use ndarray::{Array4, Axis, concatenate};
use parity::kernels;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// Samples of every kind that a session might treat alike because others are of that kind: signed, without negative numbers, faint,
/// bright, parallel, opposite, nearly parallel, equal.
fn mixed(samples: Samples) -> Samples {
    let images = |x: Array4<f64>| {
        let parts = [
            x.clone(),
            x.mapv(f64::abs),
            &x * 1e-22,
            &x * 1e5,
            &x * -0.75,
            &x + &x.mapv(|x| 1e-6 * (1e3 * x).sin()),
            x.slice_axis(Axis(0), (0..1).into()).to_owned(),
        ];
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).expect("one shape")
    };
    match samples {
        Samples::Images(x) => Samples::Images(images(x)),
        Samples::Spheres(x) => Samples::Spheres(images(x)),
        Samples::Vectors(x) => {
            let (n, features) = x.dim();
            let x = images(x.into_shape_with_order((n, features, 1, 1)).expect("as many numbers"));
            let n = x.len_of(Axis(0));
            Samples::Vectors(x.into_shape_with_order((n, features)).expect("as many numbers"))
        }
        Samples::Molecules(molecules) => {
            let moved = molecules.iter().cloned().map(|mut molecule| {
                molecule.positions.mapv_inplace(|x| x * (1.0 + 1e-7));
                molecule
            });
            Samples::Molecules(
                molecules.iter().cloned().chain(moved).chain(molecules.iter().take(1).cloned()).collect(),
            )
        }
    }
}

fn bits(kernels: &Kernels, rows: &[usize], cols: &[usize]) -> Vec<u64> {
    let matrices = std::iter::once(&kernels.nngp).chain(&kernels.ntk);
    let entries = matrices.flat_map(|matrix| {
        rows.iter().flat_map(move |&row| cols.iter().map(move |&col| matrix[[row, col]].to_bits()))
    });
    entries.collect()
}

/// Compares parts computed alone with the same parts of the whole; how many parts were computed.
fn check(backend: &dyn Backend, samples: &Samples, what: &str) -> usize {
    let n = samples.len();
    let parts: Vec<Vec<usize>> = vec![
        vec![0],
        vec![n - 1, 0],
        (0..n).step_by(2).collect(),
        (n / 3..n).collect(),
        (0..n / 2).rev().collect(),
    ];
    let mut computed = 0;
    let first: Vec<usize> = (0..n.div_ceil(2)).collect();
    let whole = kernels(backend, Pairs::within(samples.clone()));
    let cross = kernels(backend, Pairs::cross(samples.clone(), samples.select(&first)));
    for part in &parts {
        let mut sorted = part.clone();
        sorted.sort_unstable();
        let alone = kernels(backend, Pairs::within(samples.select(&sorted)));
        if let (Ok(whole), Ok(alone)) = (&whole, &alone) {
            let own: Vec<usize> = (0..sorted.len()).collect();
            assert_eq!(bits(alone, &own, &own), bits(whole, &sorted, &sorted), "{what}\n{sorted:?}");
            computed += 1;
        }
        let cols: Vec<usize> = part.iter().copied().filter(|col| first.contains(col)).collect();
        if cols.is_empty() {
            continue;
        }
        let alone = kernels(backend, Pairs::cross(samples.select(part), samples.select(&cols)));
        if let (Ok(cross), Ok(alone)) = (&cross, &alone) {
            let own = [part.len(), cols.len()].map(|n| (0..n).collect::<Vec<usize>>());
            assert_eq!(bits(alone, &own[0], &own[1]), bits(cross, part, &cols), "{what}\n{part:?} {cols:?}");
            computed += 1;
        }
    }
    computed
}

/// Networks whose fast ways look at samples: fused chains, smooth functions on SO(3).
fn chosen() -> Vec<(Network, Samples)> {
    let image = |layers: &str, group: Option<Group>| {
        let lift = group.map_or(String::new(), |group| {
            format!("[[layers]]\nop = 'lift'\ngroup = '{group}'\nfilter = [3, 3]\n")
        });
        let text = format!("[input]\nspace = 'image'\nshape = [8, 8, 2]\n{lift}{layers}");
        text.parse::<Network>().expect("a network")
    };
    let conv = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\nb_std = 0.1\n[[layers]]\nop = 'relu'\n";
    let pool = "[[layers]]\nop = 'global_avg_pool'\n";
    let sphere = |layers: &[&str]| {
        let layers: String = layers.iter().map(|layer| format!("[[layers]]\nop = '{layer}'\n")).collect();
        format!("[input]\nspace = 'sphere'\nbandlimit = 4\nchannels = 2\n{layers}")
            .parse()
            .expect("a network")
    };
    let networks: Vec<Network> = vec![
        image(&format!("{conv}{conv}{pool}"), None),
        image(&format!("{conv}[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n{conv}{pool}"), None),
        sphere(&["s2_conv", "erf", "so3_conv", "erf", "so3_pool"]),
        sphere(&["s2_conv", "gelu", "so3_pool"]),
        sphere(&["s2_conv", "relu", "so3_conv", "relu", "so3_pool", "dense", "relu", "dense"]),
    ];
    let with_samples = |network: Network| {
        let noise = |n: usize, shape: [usize; 3]| {
            Array4::from_shape_fn((n, shape[0], shape[1], shape[2]), |(n, r, c, k)| {
                ((1 + n) as f64 * 1.7 + r as f64 * 3.1 + c as f64 * 5.3 + k as f64 * 7.7).sin()
            })
        };
        let samples = match *network.input() {
            Input::Image { height, width, channels } => Samples::Images(noise(3, [height, width, channels])),
            Input::Sphere { bandlimit, channels } => {
                Samples::Spheres(noise(3, [2 * bandlimit, 2 * bandlimit - 1, channels]))
            }
            _ => unreachable!("images and spheres"),
        };
        (network, mixed(samples))
    };
    networks.into_iter().map(with_samples).collect()
}

fn random(cases: u32, mut test: impl FnMut(Network, Samples)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let planar = network().prop_flat_map(|network| {
        let samples = noise_for(&network);
        (Just(network), samples)
    });
    let spherical = sphere_network().prop_flat_map(|network| {
        let samples = signals_for(&network);
        (Just(network), samples)
    });
    let cases_ = prop_oneof![2 => planar.boxed(), 1 => spherical.boxed()];
    for _ in 0..cases {
        let (network, samples) =
            proptest::strategy::ValueTree::current(&cases_.new_tree(&mut runner).expect("a network"));
        test(network, mixed(samples));
    }
}

#[test]
fn on_the_cpu() {
    let mut computed = 0;
    let mut test = |network: Network, samples: Samples| {
        for precision in [Precision::F32, Precision::F64] {
            let options = CpuOptions { precision, threads: 1, ..CpuOptions::default() };
            let backend = CpuBackend::new(&network, KernelSet::Both, options).expect("a plan");
            computed += check(&backend, &samples, &format!("{} {network}", precision.name()));
        }
    };
    chosen().into_iter().for_each(|(network, samples)| test(network, samples));
    random(120, test);
    assert!(computed >= 1500, "{computed}");
}

#[test]
fn in_the_reference() {
    let mut computed = 0;
    random(12, |network, samples| {
        computed += check(&ReferenceBackend::new(&network, KernelSet::Both), &samples, &network.to_string());
    });
    assert!(computed >= 50, "{computed}");
}

#[test]
fn on_a_gpu() {
    let Some(device) = gpu::device() else { return };
    let mut computed = 0;
    let mut test = |network: Network, samples: Samples| {
        let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
        let backend = WgpuBackend::from_plan(plan, WgpuOptions::default(), device.clone()).expect("shaders");
        computed += check(&backend, &samples, &network.to_string());
    };
    chosen().into_iter().for_each(|(network, samples)| test(network, samples));
    random(12, test);
    assert!(computed >= 100, "{computed}");
}
