//! The tests; [`conformance!`](crate::conformance) makes a `#[test]` of each.

use std::sync::LazyLock;

use ekernel_core::{Input, KernelSet, Network, Pairs, Plan, Quadrature, Samples};
use ndarray::array;

use super::{NETWORKS, awkward_signals, molecules, network, published};
use crate::{
    Case, Draw, Subject, Tally, Verdict, draws, error, falsify::Falsifier, identity, judge, kernels, work,
};

/// Published values.
pub fn oracles(subject: &Subject) {
    // Of their relus, whose kernels with themselves converge last.
    let bound = (2.0 * subject.tolerances.exact).max(1e-10);
    Tally::of(subject, "published signals", published(), bound).finish(published().len());
}

/// Every network on noise and on awkward signals.
pub fn awkward_signals_under_all_networks(subject: &Subject) {
    let cases = signals();
    Tally::of(subject, "awkward signals", cases, subject.tolerances.close).finish(cases.len());
}

fn signals() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let all = NETWORKS.iter().flat_map(|(name, bandlimit, layers)| {
            let network = network(&Input::Sphere { bandlimit: *bandlimit, channels: 2 }, layers);
            awkward_signals(*bandlimit, 2).into_iter().map(move |(kind, samples)| {
                Case::new(format!("{name}, {kind}"), network.clone(), samples.select(&[0, 1, 2, 4]))
            })
        });
        // Behind a sign the angle of parallel signals is the root of a root of what the reference loses.
        all.filter(|case| case.name != "no series, constant").collect()
    });
    &CASES
}

/// Random networks on signals and molecules.
pub fn random_networks(subject: &Subject) {
    draws::fixed(subject, Draw::Sphere, subject.tolerances.close);
}

/// Random networks whose kernels are constant on the group somewhere: a sample with itself has the angle 0 at all points, which a
/// truncation that made it so knows to 5e-4 in float32.
pub fn random_networks_of_constants(subject: &Subject) {
    draws::fixed(subject, Draw::ConstantSphere, subject.tolerances.close);
}

/// New random networks in every run.
pub fn fresh_random_networks(subject: &Subject) {
    draws::fresh(subject, Draw::Sphere, subject.tolerances.chance);
}

/// All ways of pairing atoms; heads that read values with themselves, of atoms and of molecules.
pub fn atoms_of_molecules(subject: &Subject) {
    let cases = atoms();
    Tally::of(subject, "atoms", cases, subject.tolerances.close).finish(cases.len());
}

fn atoms() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let mut cases = Vec::new();
        for layers in [
            "s2_conv|relu|so3_conv|relu|so3_pool|atom_sum|dense",
            "s2_conv|erf|so3_pool|dense|relu|dense|atom_sum|dense|relu",
            "flatten|dense|erf|atom_sum|dense",
            "s2_conv bandlimit=3|relu|so3_conv bandlimit=2|relu|so3_pool|atom_sum",
            "s2_conv|cos|so3_pool|dense|rbf gamma=3|atom_sum|dense",
        ] {
            for pairing in ["shared", "indexed", "elements"] {
                let shared = network(&Input::Vector { features: 1 }, layers).to_string();
                let network: Network =
                    shared.replace("\"shared\"", &format!("\"{pairing}\"")).parse().expect("a network");
                cases.push(Case::new(format!("{pairing}, {layers}"), network, molecules()));
            }
        }
        cases
    });
    &CASES
}

/// Turned molecules change kernels by no more than the quadrature's error.
pub fn rotated_copies(subject: &Subject) {
    let mut tally = Tally::new(subject, "rotated copies");
    for layers in [
        "s2_conv|relu|so3_conv|relu|so3_pool|atom_sum|dense",
        "s2_conv|erf|so3_conv bandlimit=2|relu|so3_pool|atom_sum",
    ] {
        let network = network(&Input::Vector { features: 1 }, layers);
        let backend = subject.backend(Plan::new(&network, KernelSet::Both).expect("a plan"));
        let [found, expected] = [turned(), molecules()].map(|first| {
            // The third is on a line: its kernels have a cone along circles, which a quadrature sees more of.
            let [first, second] = [first, molecules()].map(|samples| samples.select(&[0, 1, 3]));
            kernels(backend.as_ref(), Pairs::cross(first, second)).expect("computed")
        });
        // Measured 1.5e-5, which is the quadrature's, in float64 too.
        tally.compare(layers, error(&found.nngp, &expected.nngp), 5e-5);
    }
    tally.finish(2);
}

/// The molecules about two axes.
fn turned() -> Samples {
    let Samples::Molecules(mut all) = molecules() else { unreachable!("molecules are molecules") };
    let (sin, cos) = 0.7_f64.sin_cos();
    let about_z = array![[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]];
    let about_x = array![[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]];
    for molecule in &mut all {
        molecule.positions = molecule.positions.dot(&about_z).dot(&about_x);
    }
    Samples::Molecules(all)
}

/// Signals of 1e14 and weights of 1e6: values beyond float32.
pub fn values_that_float32_cannot_hold(subject: &Subject) {
    let cases = [Case::new(
        "large",
        network(&Input::Sphere { bandlimit: 2, channels: 1 }, "s2_conv w_std=1e6 b_std=0.1|relu|so3_pool"),
        large(),
    )];
    Tally::of(subject, "large values", &cases, subject.tolerances.close).finish(1);
}

fn large() -> Samples {
    let Samples::Spheres(waves) = awkward_signals(2, 1).swap_remove(0).1 else { unreachable!("signals") };
    Samples::Spheres(1e14 * waves)
}

/// Where an expectation does not exist there is no kernel.
pub fn undefined_kernels_are_errors(subject: &Subject) {
    let network = network(&Input::Sphere { bandlimit: 2, channels: 1 }, "s2_conv|gaussian b=0.5|so3_pool");
    let case = Case::new("undefined", network, large());
    let verdict = judge(subject.backend(case.plan()).as_ref(), &case);
    assert!(matches!(verdict, Verdict::Undefined), "{}: {verdict:?}", subject.name);
}

/// The NNGP alone is the NNGP, and no NTK.
pub fn the_nngp_alone(subject: &Subject) {
    let mut tally = Tally::new(subject, "the NNGP alone");
    for case in small() {
        let alone = Plan::with_quadrature(&case.network, KernelSet::Nngp, Quadrature::Fast).expect("a plan");
        let pairs = Pairs::within(case.samples.clone());
        let [found, both] = [alone, case.plan()]
            .map(|plan| kernels(subject.backend(plan).as_ref(), pairs.clone()).expect("computed"));
        assert!(found.ntk.is_none(), "{}: an NTK that nobody asked for", case.name);
        tally.compare(&case.name, error(&found.nngp, &both.nngp), subject.tolerances.exact);
    }
    tally.finish(small().len());
}

/// One network of each kind, on signals and on molecules.
fn small() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let on_signals =
            ["s2_conv|relu|so3_conv bandlimit=3|erf|so3_conv bandlimit=2|relu|so3_pool", NETWORKS[7].2];
        let on_molecules = [
            "s2_conv|erf|so3_conv bandlimit=3|relu|so3_pool|atom_sum|dense|relu|dense",
            "s2_conv|erf|so3_conv|relu|so3_pool|atom_sum|dense|relu|dense",
        ];
        let signals = awkward_signals(4, 2).swap_remove(0).1;
        let signals = on_signals.map(|layers| {
            let network = network(&Input::Sphere { bandlimit: 4, channels: 2 }, layers);
            Case::new(layers, network, signals.clone())
        });
        let molecules = on_molecules
            .map(|layers| Case::new(layers, network(&Input::Vector { features: 1 }, layers), molecules()));
        signals.into_iter().chain(molecules).collect()
    });
    &CASES
}

/// An entry is the same to the last bit in whatever tile.
pub fn tiles_do_not_show(subject: &Subject) {
    identity::tiles(subject, small());
}

/// Every instruction set gives the same kernels to rounding.
pub fn variants_agree(subject: &Subject) {
    identity::variants(subject, small(), subject.tolerances.close);
}

/// An entry is the same to the last bit with whatever threads and buffers.
pub fn threads_and_buffers_do_not_show(subject: &Subject) {
    identity::twins(subject, small());
}

/// An entry is the same to the last bit among whatever other samples.
pub fn other_samples_do_not_show(subject: &Subject) {
    identity::sub_matrices(subject, small(), small().len());
    identity::sub_matrices(subject, &draws::mixed(subject, Draw::Sphere), 1);
}

/// Work that was cancelled before it began does not begin.
pub fn cancelled_work_does_not_begin(subject: &Subject) {
    work::cancelled_before(subject, &small()[0]);
}

/// Little is reported after a tile was cancelled: of a pair on a fine grid.
pub fn cancelled_tiles_end(subject: &Subject) {
    let layers = format!("s2_conv|erf|{}so3_pool", "so3_conv|erf|".repeat(40));
    let network = network(&Input::Sphere { bandlimit: 2, channels: 1 }, &layers);
    let samples = awkward_signals(2, 1).swap_remove(0).1;
    let case = Case::new("a fine grid", network, samples).on(Quadrature::Nodes(128));
    work::cancelled_within(subject, &case, subject.silent_tiles);
}

/// A falsifier must show on noise under one of the networks.
pub fn falsified(subject: &Subject, falsifier: &Falsifier) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let with_dropout = ("dropout", 4, "s2_conv|relu|so3_pool|dropout keep_rate=0.5|dense");
        let all = NETWORKS.iter().copied().chain([with_dropout]).map(|(name, bandlimit, layers)| {
            let samples = awkward_signals(bandlimit, 2).swap_remove(0).1.select(&[0, 1, 2]);
            Case::new(name, network(&Input::Sphere { bandlimit, channels: 2 }, layers), samples)
        });
        all.collect()
    });
    falsifier.run(subject, &*CASES, subject.tolerances.close);
}
