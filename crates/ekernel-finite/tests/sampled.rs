//! Sampled kernels of random networks over all layers meet the recursions.

use ekernel_core::{Backend, Control, KernelSet, Network, Pairs, Samples};
use ekernel_finite::{FiniteError, Options, Widths, sample};
use ekernel_reference::ReferenceBackend;
use ndarray::Array2;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// The exact NNGP and NTK of all pairs of samples.
fn exact(network: &Network, samples: &Samples) -> [Array2<f64>; 2] {
    let n = samples.len();
    let backend = ReferenceBackend::new(network, KernelSet::Both);
    let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("prepared");
    let kernels = session.tile(0..n, 0..n, &Control::new()).expect("computed");
    [kernels.nngp, kernels.ntk.expect("asked for")]
}

/// The largest of |K̂ − K| / (4 standard errors + 4·max |K|/width).
///
/// 4 standard errors: of some 600 entries the largest is at 3.6 on average. 4/width: beside them 2.1/width was measured to be needed at
/// the sizes below; where a layer norm leaves no chance it is the whole distance.
fn worst(exact: &Array2<f64>, [mean, error]: &[Array2<f64>; 2], width: usize) -> f64 {
    let scale = exact.iter().fold(1e-12_f64, |most, k| most.max(k.abs()));
    let allowed = |at| 4.0 * error[at] + 4.0 * scale / width as f64;
    exact.indexed_iter().map(|(at, k)| (mean[at] - k).abs() / allowed(at)).fold(0.0, f64::max)
}

/// Draws cases until `count` networks have been compared; those without finite form are counted apart.
fn check(cases: impl Strategy<Value = (Network, Samples)>, [count, width, networks]: [usize; 3]) -> usize {
    let mut runner = TestRunner::deterministic();
    let (mut compared, mut refused) = (0, 0);
    while compared < count {
        let (network, samples) = cases.new_tree(&mut runner).expect("a case").current();
        let network = network.with_width(width).expect("widths");
        let options = Options { threads: 2, ..Options::new(Widths::all(width), networks) };
        let pairs = Pairs::within(samples.clone());
        let found = match sample(&network, &pairs, KernelSet::Both, &options, &Control::new()) {
            Ok(found) => found,
            Err(FiniteError::NoForm { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{error}\n{}", network.to_toml()),
        };
        compared += 1;
        let [nngp, ntk] = exact(&network, &samples);
        let ratios =
            [worst(&nngp, &found.nngp, width), worst(&ntk, found.ntk.as_ref().expect("asked for"), width)];
        eprintln!("{compared}: {ratios:.2?}");
        assert!(ratios.iter().all(|ratio| *ratio < 1.0), "{ratios:?}\n{}", network.to_toml());
    }
    refused
}

#[test]
fn thirty_planar_networks_meet_the_recursions() {
    assert_eq!(check(ekernel_testnets::cases(), [30, 20, 60]), 0);
}

#[test]
fn networks_on_the_sphere_and_on_molecules_meet_the_recursions() {
    // Dropout on rotations has no finite form.
    let refused = check(ekernel_testnets::sphere_cases(), [6, 8, 40]);
    assert!(refused < 10, "{refused}");
}
