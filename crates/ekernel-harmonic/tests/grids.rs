//! Nodes and weights against published and high-precision values, and what the rules integrate exactly.

mod support;

use std::f64::consts::PI;

use ekernel_harmonic::{HarmonicError, MAX_BANDLIMIT, MAX_NODES, PolarRule, RotationGrid, SphereGrid};
use ndarray::{Array1, Array2, Array3, Ix1};
use support::{oracle, within};

fn gap(ours: &[f64], theirs: &Array1<f64>) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn driscoll_healy_matches_the_published_nodes() {
    for bandlimit in [2, 3, 4, 6, 8] {
        let rule = PolarRule::driscoll_healy(bandlimit).unwrap();
        // Measured: 4.4e-16 on angles up to π, 2.4e-16 on weights.
        within("angle", gap(rule.angles(), &oracle::<f64, Ix1>(&format!("dh_theta_{bandlimit}"))), 5e-16);
        within("weight", gap(rule.weights(), &oracle::<f64, Ix1>(&format!("dh_wtheta_{bandlimit}"))), 4e-16);
    }
}

#[test]
fn gauss_legendre_matches_the_published_nodes() {
    for nodes in [4, 8, 12] {
        let rule = PolarRule::gauss_legendre(nodes).unwrap();
        // Measured: 4.4e-16 on both.
        within("angle", gap(rule.angles(), &oracle::<f64, Ix1>(&format!("gl_beta_{nodes}"))), 1e-15);
        within("weight", gap(rule.weights(), &oracle::<f64, Ix1>(&format!("gl_w_{nodes}"))), 1e-15);
    }
}

/// (nodes, k, θ_k, w_k) computed with 40 digits (mpmath, Newton on the recursion of P_n).
#[expect(clippy::excessive_precision, reason = "the digits as computed")]
const PRECISE: [(usize, usize, f64, f64); 8] = [
    (64, 0, 0.037283743740316131834, 0.0017832807216964329473),
    (64, 1, 0.085581748836544838047, 0.0041470332605624676353),
    (64, 31, 1.546443627125265522, 0.048690957009139720383),
    (200, 0, 0.01199413000067684418, 0.00018459009747129744397),
    (200, 50, 0.79519420697507240548, 0.011187442349738355656),
    (200, 99, 1.5629619555106475588, 0.015668261715832254808),
    (1024, 0, 0.0023473162149632256192, 7.0700764101825898713e-6),
    (1024, 300, 0.92223922210118924298, 0.0024438372306525067265),
];

#[test]
fn gauss_legendre_matches_forty_digit_values() {
    for (nodes, k, angle, weight) in PRECISE {
        let rule = PolarRule::gauss_legendre(nodes).unwrap();
        // Measured: 1.1e-16, and 3.4e-15 (n = 1024, 9e-16 at n = 200), which is 7e-17 at most.
        within("angle", (rule.angles()[k] - angle).abs(), 2e-16);
        within("weight, relative", (rule.weights()[k] / weight - 1.0).abs(), 7e-15);
        within("weight", (rule.weights()[k] - weight).abs(), 2e-16);
    }
}

/// The largest error of Σ w P_l(cosθ) = 2 δ_{l0} over the degrees a rule promises.
fn legendre_moments(rule: &PolarRule, degrees: usize) -> f64 {
    let mut worst = 0.0f64;
    for l in 0..degrees {
        let sum: f64 = rule.angles().iter().zip(rule.weights()).map(|(a, w)| w * legendre(l, a.cos())).sum();
        worst = worst.max((sum - if l == 0 { 2.0 } else { 0.0 }).abs());
    }
    worst
}

fn legendre(l: usize, x: f64) -> f64 {
    let (mut before, mut value) = (1.0, x);
    if l == 0 {
        return 1.0;
    }
    for k in 1..l {
        (before, value) = (value, ((2 * k + 1) as f64 * x * value - k as f64 * before) / (k + 1) as f64);
    }
    value
}

#[test]
fn rules_are_exact_for_the_degrees_they_promise_and_no_further() {
    // Measured: 1.6e-15 (n = 256), 9e-16.
    for n in [1, 2, 3, 7, 24, 65, 256] {
        let gauss = PolarRule::gauss_legendre(n).unwrap();
        within("Gauss-Legendre", legendre_moments(&gauss, 2 * n), 4e-15);
        let beyond: f64 =
            gauss.angles().iter().zip(gauss.weights()).map(|(a, w)| w * legendre(2 * n, a.cos())).sum();
        assert!(beyond.abs() > 1e-3, "{n} nodes integrate degree {} too: {beyond}", 2 * n);
        let equidistant = PolarRule::driscoll_healy(n).unwrap();
        within("Driscoll-Healy", legendre_moments(&equidistant, 2 * n), 4e-15);
    }
}

#[test]
fn rules_are_symmetric_to_the_bit() {
    for rule in [PolarRule::gauss_legendre(25).unwrap(), PolarRule::driscoll_healy(9).unwrap()] {
        let n = rule.len();
        for t in 0..n {
            assert_eq!(rule.weights()[t], rule.weights()[n - 1 - t]);
            if 2 * t + 1 < n {
                assert_eq!(rule.angles()[n - 1 - t], PI - rule.angles()[t]);
            }
            assert!(t == 0 || rule.angles()[t] > rule.angles()[t - 1]);
        }
    }
}

#[test]
fn volumes_add_up() {
    for grid in [SphereGrid::driscoll_healy(6).unwrap(), SphereGrid::gauss_legendre(5).unwrap()] {
        let ones = Array2::ones(grid.shape());
        within("4π", (grid.integrate(ones.view()).unwrap() - 4.0 * PI).abs(), 2e-14);
    }
    for grid in [
        RotationGrid::driscoll_healy(6).unwrap(),
        RotationGrid::gauss_legendre(5).unwrap(),
        RotationGrid::with_circles(PolarRule::gauss_legendre(4).unwrap(), 3, 8).unwrap(),
    ] {
        let ones = Array3::ones(grid.shape());
        within("8π²", (grid.integrate(ones.view()).unwrap() - 8.0 * PI * PI).abs(), 2e-13);
        within("mean", (grid.mean(ones.view()).unwrap() - 1.0).abs(), 1e-14);
    }
}

#[test]
fn named_grids_have_the_stated_shapes() {
    assert_eq!(SphereGrid::driscoll_healy(6).unwrap().shape(), [12, 11]);
    assert_eq!(RotationGrid::production(2).unwrap().shape(), [12, 24, 24]);
    assert_eq!(RotationGrid::production(6).unwrap().shape(), [24, 48, 48]);
    assert_eq!(RotationGrid::fast(6).unwrap().shape(), [12, 24, 24]);
    assert_eq!(RotationGrid::driscoll_healy(4).unwrap().shape(), [8, 7, 7]);
}

#[test]
fn impossible_grids_are_refused() {
    let max = MAX_BANDLIMIT;
    assert_eq!(
        SphereGrid::driscoll_healy(0).unwrap_err(),
        HarmonicError::Bandlimit { what: "Driscoll-Healy rule", bandlimit: 0, max }
    );
    assert_eq!(
        RotationGrid::driscoll_healy(max + 1).unwrap_err(),
        HarmonicError::Bandlimit { what: "Driscoll-Healy rule", bandlimit: max + 1, max }
    );
    let refused = |axis, count| HarmonicError::Nodes { what: "rotation grid", axis, count, max: MAX_NODES };
    assert_eq!(RotationGrid::gauss_legendre(0).unwrap_err(), refused("beta", 0));
    assert_eq!(RotationGrid::production(usize::MAX).unwrap_err(), refused("beta", usize::MAX));
    assert_eq!(RotationGrid::fast(0).unwrap_err(), refused("beta", 0));
    let polar = PolarRule::gauss_legendre(4).unwrap();
    assert_eq!(RotationGrid::with_circles(polar.clone(), 0, 3).unwrap_err(), refused("alpha", 0));
    assert_eq!(
        RotationGrid::with_circles(polar, 3, MAX_NODES + 1).unwrap_err(),
        refused("gamma", MAX_NODES + 1)
    );
    assert_eq!(
        SphereGrid::gauss_legendre(0).unwrap_err(),
        HarmonicError::Nodes { what: "sphere grid", axis: "theta", count: 0, max: MAX_NODES }
    );
    let grid = SphereGrid::driscoll_healy(3).unwrap();
    assert_eq!(
        grid.integrate(Array2::zeros((5, 6)).view()).unwrap_err(),
        HarmonicError::Shape { what: "the samples", shape: vec![5, 6], needed: vec![6, 5] }
    );
}
