//! Signals around atoms against their definition, and under rotations; signals on grids against published coefficients.

mod support;

use std::f64::consts::TAU;

use ekernel_harmonic::{
    AtomSignals, Complex64, Euler, HarmonicError, SphereGrid, WignerD, sphere_coefficients, sphere_index,
    spherical_harmonics,
};
use ndarray::{Array2, Array3, Ix3, array, s};
use support::{CASES, oracle, within};

const ELEMENTS: [u8; 3] = [1, 6, 8];
const POWERS: [f64; 2] = [2.0, 6.0];

fn formaldehyde() -> (Vec<u8>, Array2<f64>) {
    let positions = array![[0.0, 0.0, 0.0], [0.1, 0.2, 1.2], [0.94, 0.05, -0.54], [-0.94, 0.0, -0.55]];
    (vec![6, 8, 1, 1], positions)
}

/// Z_i Z_j / r^p for the p of a channel.
fn strength(n: usize, distance: f64, charges: [u8; 2]) -> f64 {
    f64::from(charges[0]) * f64::from(charges[1]) / distance.powf(POWERS[n])
}

/// f_{Z,p}(x) of atom 0, as it is written down.
fn value(x: [f64; 3], element: u8, power: f64) -> f64 {
    let (charges, positions) = formaldehyde();
    let beta = -(45f64.to_radians().cos() - 1.0).powi(2) / 0.05f64.ln();
    let term = |j: usize| {
        let to = [0, 1, 2].map(|k| positions[[j, k]] - positions[[0, k]]);
        let distance = to.iter().map(|d| d * d).sum::<f64>().sqrt();
        let cos = to.iter().zip(x).map(|(d, x)| d * x).sum::<f64>() / distance;
        f64::from(charges[0]) * f64::from(charges[j]) / distance.powf(power)
            * (-(cos - 1.0).powi(2) / beta).exp()
    };
    (1..4).filter(|&j| charges[j] == element).map(term).sum()
}

#[test]
fn the_coefficients_are_those_of_the_definition() {
    let bandlimit = 6;
    let maker = AtomSignals::new(bandlimit, &ELEMENTS, POWERS.len(), 45.0).unwrap();
    assert_eq!((maker.channels(), maker.bandlimit()), (6, bandlimit));
    let (charges, positions) = formaldehyde();
    let found = maker.coefficients(&charges, positions.view(), 0, strength).unwrap();
    // ∫ f conj(Y_lm) on a grid fine enough for the signal itself.
    let grid = SphereGrid::gauss_legendre(100).unwrap();
    let mut expected = Array2::<Complex64>::zeros((6, 36));
    let mut harmonics = vec![Complex64::default(); 36];
    for t in 0..100 {
        let (sin, cos) = grid.polar().angles()[t].sin_cos();
        for p in 0..200 {
            let (s, c) = (TAU * p as f64 / 200.0).sin_cos();
            let x = [sin * c, sin * s, cos];
            spherical_harmonics(bandlimit, x, &mut harmonics).unwrap();
            for (e, element) in ELEMENTS.into_iter().enumerate() {
                for (k, power) in POWERS.into_iter().enumerate() {
                    let weight = grid.area(t) * value(x, element, power);
                    for (sum, y) in expected.row_mut(2 * e + k).iter_mut().zip(&harmonics) {
                        *sum += y.conj() * weight;
                    }
                }
            }
        }
    }
    let largest = expected.iter().map(|x| x.norm()).fold(0.0, f64::max);
    let gap = found.iter().zip(&expected).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    // Measured: 6e-15.
    within("signals by their definition", gap / largest, 1e-13);
    assert!(expected.row(2).iter().all(|x| x.norm() == 0.0), "carbon does not see itself");
}

#[test]
fn turned_molecules_have_turned_signals() {
    let maker = AtomSignals::new(8, &ELEMENTS, POWERS.len(), 45.0).unwrap();
    let (charges, positions) = formaldehyde();
    let euler = Euler::new(0.7, 1.9, -2.3);
    let mut turned = positions.clone();
    for mut row in turned.outer_iter_mut() {
        let moved = euler.apply([row[0] + 1.0, row[1] - 3.0, row[2]]);
        (0..3).for_each(|k| row[k] = moved[k]);
    }
    let turn = WignerD::new(8, euler).unwrap();
    let (mut worst, mut largest) = (0.0f64, 0.0f64);
    for atom in 0..4 {
        let still = maker.coefficients(&charges, positions.view(), atom, strength).unwrap();
        let moved = maker.coefficients(&charges, turned.view(), atom, strength).unwrap();
        for (still, moved) in still.outer_iter().zip(moved.outer_iter()) {
            let mut rotated = vec![Complex64::default(); 64];
            turn.rotate(&still.to_vec(), &mut rotated).unwrap();
            for (a, b) in rotated.iter().zip(moved) {
                worst = worst.max((a - b).norm());
                largest = largest.max(b.norm());
            }
        }
    }
    // Measured: 6e-16.
    within("signals of a turned molecule", worst / largest, 1e-14);
}

/// The profile of one neighbour has fallen to 5 % at the cutoff angle, whatever the angle: with all degrees that matter.
#[test]
fn the_cutoff_angle_is_where_little_is_left() {
    for angle in [45.0, 90.0, 180.0] {
        let maker = AtomSignals::new(64, &[1], 1, angle).unwrap();
        let signal = maker
            .coefficients(&[1, 1], array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]].view(), 0, |_, _, _| 1.0)
            .unwrap();
        let at = |theta: f64| -> f64 {
            let mut harmonics = vec![Complex64::default(); 64 * 64];
            spherical_harmonics(64, [theta.sin(), 0.0, theta.cos()], &mut harmonics).unwrap();
            (0..64).map(|l| (signal[[0, sphere_index(l, 0)]] * harmonics[sphere_index(l, 0)]).re).sum()
        };
        within("1 ahead", (at(0.0) - 1.0).abs(), 1e-6);
        within("0.05 at the cutoff", (at(f64::to_radians(angle)) - 0.05).abs(), 1e-6);
    }
}

#[test]
fn samples_have_the_published_coefficients() {
    for (case, bandlimit, ..) in CASES {
        let samples = oracle::<f64, Ix3>(&format!("{case}/x"));
        let published = oracle::<Complex64, Ix3>(&format!("{case}/xlm"));
        let found = sphere_coefficients(bandlimit, samples.view()).unwrap();
        let mut gap = 0.0f64;
        for (c, row) in found.outer_iter().enumerate() {
            for l in 0..bandlimit {
                for m in -(l as isize)..=l as isize {
                    let column = (bandlimit - 1).wrapping_add_signed(m);
                    gap = gap.max((row[sphere_index(l, m)] - published[[l, column, c]]).norm());
                }
            }
        }
        let largest = published.iter().map(|x| x.norm()).fold(0.0, f64::max);
        // Measured: at most 1.1e-15.
        within(case, gap / largest, 1e-14);
    }
}

#[test]
fn what_is_refused() {
    let maker = AtomSignals::new(2, &ELEMENTS, POWERS.len(), 45.0).unwrap();
    let here = array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]];
    assert_eq!(maker.coefficients(&[1, 1], here.view(), 0, strength), Err(HarmonicError::ZeroDirection));
    let shape = maker.coefficients(&[1], here.view(), 0, strength);
    assert!(matches!(shape, Err(HarmonicError::Shape { .. })), "{shape:?}");
    let nan = maker.coefficients(&[1, 1], array![[0.0, 0.0, 0.0], [0.0, f64::NAN, 1.0]].view(), 0, strength);
    assert!(matches!(nan, Err(HarmonicError::NotFinite { .. })), "{nan:?}");
    let infinite =
        maker.coefficients(&[6, 1], formaldehyde().1.view().slice(s![..2, ..]), 0, |_, _, _| f64::INFINITY);
    assert!(matches!(infinite, Err(HarmonicError::NotFinite { .. })), "{infinite:?}");
    for (bandlimit, angle) in [(0, 45.0), (2, 0.0), (2, f64::NAN)] {
        let refused = AtomSignals::new(bandlimit, &[1], 1, angle).map(|_| ());
        assert!(refused.is_err(), "{bandlimit} {angle}");
    }
    let wrong = sphere_coefficients(3, Array3::zeros((6, 6, 1)).view());
    assert!(matches!(wrong, Err(HarmonicError::Shape { .. })), "{wrong:?}");
}
