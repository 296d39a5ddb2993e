//! The NNGP has the same bytes with and without the NTK, which lets the tiles of one serve the
//! other.

use ekernel::core::{Backend, Control, KernelSet, Network, Pairs, Plan, Samples};
use ekernel::cpu::{CpuBackend, CpuOptions, Precision};
use ekernel_testnets::{cases, sphere_cases};
use ndarray::Array4;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestRunner},
};

/// Random networks, the same ones in every run.
fn random(cases: impl Strategy<Value = (Network, Samples)>, count: usize) -> Vec<(Network, Samples)> {
    let config = Config { rng_seed: RngSeed::Fixed(11), ..Config::default() };
    let mut runner = TestRunner::new(config);
    (0..count).map(|_| cases.new_tree(&mut runner).expect("a case").current()).collect()
}

fn nngp(network: &Network, kinds: KernelSet, precision: Precision, samples: &Samples) -> Vec<u64> {
    let options = CpuOptions { precision, threads: 1, ..CpuOptions::default() };
    let backend = CpuBackend::new(network, kinds, options).expect("a plan");
    let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("samples that fit");
    let n = samples.len();
    let kernels = session.tile(0..n, 0..n, &Control::new()).expect("kernels");
    kernels.nngp.iter().map(|value| value.to_bits()).collect()
}

/// The digest of what is computed, whichever kernels are asked for.
fn digest(network: &Network, kinds: KernelSet) -> String {
    let mut plan = Plan::new(network, kinds).expect("a plan");
    plan.kinds = KernelSet::Both;
    plan.digest().to_string()
}

/// A network whose NNGP float32 holds and whose NTK it does not: the rounding of a steep erf grows
/// by 13 in K and by 400 in K̇.
fn steep() -> (Network, Samples) {
    let layers = ["conv\"\nfilter = [3, 3]\n", "erf\"\nb = 20.0\n", "global_avg_pool\"\n", "dense\"\n"];
    let layers: String = layers.iter().map(|layer| format!("[[layers]]\nop = \"{layer}")).collect();
    let network =
        format!("[input]\nspace = \"image\"\nshape = [6, 6, 2]\n{layers}").parse().expect("a network");
    let pixel =
        |(n, i, j, c): (usize, usize, usize, usize)| ((72 * n + 12 * i + 2 * j + c) as f64 * 0.7).sin();
    (network, Samples::Images(Array4::from_shape_fn((4, 6, 6, 2), pixel)))
}

#[test]
fn the_nngp_has_the_same_bytes_with_and_without_the_ntk() {
    let all = random(cases(), 96).into_iter().chain(random(sphere_cases(), 24)).chain([steep()]);
    for (network, samples) in all {
        let text = network.to_toml();
        let [alone, both] = [KernelSet::Nngp, KernelSet::Both].map(|kinds| digest(&network, kinds));
        assert_eq!(alone, both, "{text}");
        for precision in [Precision::F32, Precision::F64] {
            let [alone, both] =
                [KernelSet::Nngp, KernelSet::Both].map(|kinds| nngp(&network, kinds, precision, &samples));
            assert_eq!(alone, both, "{precision:?}: {text}");
        }
    }
}
