//! Networks on the sphere and on molecules against published values (tests/fixtures/README.md says whose).

mod support;

use ekernel_core::{Molecule, Pairs, Quadrature, Samples};
use ekernel_reference::RotationMode;
use ndarray::{Array3, Axis, Ix1, Ix2, Ix5, array};
use support::{kernels, network, oracle, pair, sphere};

/// Name, bandlimits of the input, the lift and the later convolution, the activations, w and b of the convolutions and of
/// dense.
type Case = (&'static str, [usize; 3], [&'static str; 2], [f64; 2], [f64; 2]);

const CASES: [Case; 6] = [
    ("rand_erf_422", [4, 2, 2], ["erf", "erf"], [1.0, 0.0], [1.0, 0.0]),
    ("rand_relu_erf_633", [6, 3, 3], ["relu", "erf"], [1.0, 0.0], [1.0, 0.0]),
    ("rand_relu_erf_444_affine", [4, 4, 4], ["relu", "erf"], [1.3, 0.4], [1.1, 0.2]),
    ("CH4C_H2OO_erf_633", [6, 3, 3], ["erf", "erf"], [1.0, 0.0], [1.0, 0.0]),
    ("CH4C_H2OO_relu_erf_555", [5, 5, 5], ["relu", "erf"], [1.0, 0.0], [1.0, 0.0]),
    ("CH4C_self_erf_444", [4, 4, 4], ["erf", "erf"], [1.0, 0.0], [1.0, 0.0]),
];

const GL40: RotationMode = RotationMode::Grid(Quadrature::Nodes(40));

/// The network of a case, with or without the later bandlimit.
fn text(
    (_, [input, lift, later], [first, second], [w, b], [dense_w, dense_b]): Case,
    channels: usize,
    truncated: bool,
) -> String {
    let later = if truncated { format!("bandlimit = {later}\n") } else { String::new() };
    format!(
        "[input]\nspace = 'sphere'\nbandlimit = {input}\nchannels = {channels}\n\
         [[layers]]\nop = 's2_conv'\nbandlimit = {lift}\nw_std = {w}\nb_std = {b}\n[[layers]]\nop = '{first}'\n\
         [[layers]]\nop = 'so3_conv'\n{later}w_std = {w}\nb_std = {b}\n[[layers]]\nop = '{second}'\n\
         [[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'dense'\nw_std = {dense_w}\nb_std = {dense_b}\n"
    )
}

/// The largest relative error of K and Θ over the cases.
fn worst(mode: RotationMode, truncated: bool, expected: &str) -> f64 {
    let mut worst = 0.0_f64;
    for case in CASES {
        let [x, y]: [Array3<f64>; 2] = ["x", "y"].map(|which| oracle(&format!("{}/{which}", case.0)));
        let network = network(&text(case, x.len_of(Axis(2)), truncated));
        let found = pair(&network, mode, &sphere(&x), &sphere(&y));
        let expected = oracle::<Ix1>(&format!("{}/res_{expected}", case.0));
        let error = (0..2).map(|i| (found[i] / expected[i] - 1.0).abs()).fold(0.0, f64::max);
        eprintln!("{} {mode:?} {error:.1e}", case.0);
        worst = worst.max(error);
    }
    worst
}

#[test]
fn kernels_meet_published_values() {
    let error = worst(GL40, false, "exact_untruncated_gl40");
    // Measured: 2.9e-15.
    assert!(error < 1e-10, "{error:.1e}");
}

#[test]
fn truncated_kernels_meet_published_values() {
    let error = worst(GL40, true, "exact_truncated_gl40");
    // Measured: 8.0e-11 (relu, whose self kernels converge last), 1.3e-14 with erf alone.
    assert!(error < 1e-10, "{error:.1e}");
}

#[test]
fn the_discretisation_of_the_published_code_is_met() {
    let error = worst(RotationMode::RingRule, true, "ring_rule");
    // Measured: 2.9e-15.
    assert!(error < 1e-10, "{error:.1e}");
}

#[test]
fn the_default_and_the_fast_grid() {
    let default = worst(RotationMode::default(), false, "exact_untruncated_gl40");
    let fast = worst(RotationMode::Grid(Quadrature::Fast), false, "exact_untruncated_gl40");
    // Measured: 1.4e-12 and 5.9e-8.
    assert!(default < 1e-9 && fast < 4e-5, "{default:.1e} {fast:.1e}");
}

/// Molecules of the fixture: CH4 and H2O, whose two missing atoms have the signal 0. Atom i has a network of its own, and what
/// the networks share are equal indices.
#[test]
fn molecules_meet_published_values() {
    let signals = oracle::<Ix5>("mol/signals");
    let [nngp, ntk] = ["nngp", "ntk"].map(|kind| oracle::<Ix2>(&format!("mol/exact_{kind}")));
    let case = ("mol", [4, 2, 2], ["erf", "erf"], [1.0, 0.0], [1.0, 0.0]);
    let network = network(&text(case, signals.len_of(Axis(4)), true));
    let atom = |m: usize, i: usize| sphere(&signals.index_axis(Axis(0), m).index_axis(Axis(0), i).to_owned());
    let mut worst = 0.0_f64;
    for m in 0..2 {
        for mp in 0..2 {
            let mut sum = [0.0; 2];
            for i in 0..signals.len_of(Axis(1)) {
                let [k, theta] = pair(&network, GL40, &atom(m, i), &atom(mp, i));
                sum = [sum[0] + k, sum[1] + theta];
            }
            worst = worst.max((sum[0] / nngp[[m, mp]] - 1.0).abs()).max((sum[1] / ntk[[m, mp]] - 1.0).abs());
        }
    }
    eprintln!("molecules {worst:.1e}");
    // Measured: 1.6e-15.
    assert!(worst < 1e-10, "{worst:.1e}");
}

/// Molecules without a common element have no pair of atoms where pairs are those of one element: their kernel is 0, and what stands
/// behind the sum reads that.
#[test]
fn molecules_without_a_common_element() {
    let pair = |charge: u8| Molecule {
        charges: vec![charge; 2],
        positions: array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.5]],
    };
    let samples = Samples::Molecules(vec![pair(6), pair(1)]);
    for (head, expected) in [("", 0.0), ("[[layers]]\nop = 'dense'\nb_std = 0.5\n", 0.25)] {
        let network = network(&format!(
            "[input]\nspace = 'molecule'\nbandlimit = 2\nelements = [1, 6]\natoms = 'elements'\n\
             [[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n\
             [[layers]]\nop = 'atom_sum'\n{head}"
        ));
        let found = kernels(&network, RotationMode::default(), Pairs::within(samples.clone()));
        assert_eq!(found.nngp[[0, 1]], expected, "{head}");
        assert!(found.nngp[[0, 0]] > 0.0 && found.ntk.expect("asked for").iter().all(|x| x.is_finite()));
    }
}
