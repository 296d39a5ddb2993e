//! The marginal likelihood, and the ridge under which targets are most likely.

use std::f64::consts::TAU;

use ekernel_predict::{Evidence, KernelMachine, Par, PredictError, Ridge, TrainingTime, most_likely_ridge};
use ndarray::{Array2, array};

/// By hand for n = 2: K̃ = [[2, 1], [1, 2]] has determinant 3 and inverse [[2, -1], [-1, 2]]/3.
#[test]
fn evidence_by_hand() {
    let kernel = array![[1.5, 1.0], [1.0, 1.5]];
    let targets = array![[1.0, 0.0], [2.0, 1.0]];
    let by_hand =
        Evidence { quadratic: 6.0 / 3.0 + 2.0 / 3.0, log_determinant: 3f64.ln(), samples: 2, outputs: 2 };
    for time in [TrainingTime::INFINITE, TrainingTime::new(3.0).unwrap()] {
        let machine = KernelMachine::new(kernel.view(), Ridge::Absolute(0.5), time, Par::Seq).unwrap();
        let found = machine.evidence(targets.view()).unwrap();
        assert!((found.quadratic - by_hand.quadratic).abs() < 1e-14, "{found:?}");
        assert!((found.log_determinant - by_hand.log_determinant).abs() < 1e-14, "{found:?}");
    }
    let log = -0.5 * by_hand.quadratic - by_hand.log_determinant - 2.0 * TAU.ln();
    assert!((by_hand.log_likelihood(1.0) - log).abs() < 1e-14);
    let best = by_hand.best_amplitude();
    assert!(by_hand.log_likelihood(best) > by_hand.log_likelihood(1.01 * best));
    assert!(by_hand.log_likelihood(best) > by_hand.log_likelihood(0.99 * best));
}

/// Targets drawn from a process of a known noise: the likelihood finds it, and no neighbour is likelier.
#[test]
fn the_most_likely_ridge_is_that_of_the_noise() {
    let n = 400;
    // A kernel of eigenvalues that fall geometrically, in the basis of cosines.
    let basis = Array2::from_shape_fn((n, n), |(i, k)| {
        let norm = if k == 0 { 1.0 } else { 2.0_f64 };
        (norm / n as f64).sqrt() * (std::f64::consts::PI * (i as f64 + 0.5) * k as f64 / n as f64).cos()
    });
    let eigenvalue = |k: usize| 100.0 * 0.9f64.powi(k as i32);
    let kernel = (&basis * &ndarray::Array1::from_shape_fn(n, eigenvalue)).dot(&basis.t());
    let kernel = 0.5 * (&kernel + &kernel.t());
    let mean = kernel.diag().mean().unwrap();
    for noise in [0.03, 0.5] {
        // Coefficients of the size that the process gives them, with alternating signs.
        let sizes = ndarray::Array1::from_shape_fn(n, |k| {
            (7.0 * (eigenvalue(k) + noise * mean)).sqrt() * if k % 2 == 0 { 1.0 } else { -1.0 }
        });
        let targets = basis.dot(&sizes).insert_axis(ndarray::Axis(1));
        let ridge = most_likely_ridge(kernel.view(), targets.view(), Par::Seq).unwrap();
        let Ridge::Relative(found) = ridge else { panic!("{ridge:?}") };
        assert!((found / noise - 1.0).abs() < 0.01, "{found} for {noise}");
        let machine =
            |ridge| KernelMachine::new(kernel.view(), ridge, TrainingTime::INFINITE, Par::Seq).unwrap();
        let evidence = machine(ridge).evidence(targets.view()).unwrap();
        assert!((evidence.best_amplitude() - 7.0).abs() < 0.1, "{}", evidence.best_amplitude());
        let best = evidence.log_likelihood(evidence.best_amplitude());
        for factor in [0.8, 1.25] {
            let other = machine(Ridge::Relative(factor * found)).evidence(targets.view()).unwrap();
            assert!(other.log_likelihood(other.best_amplitude()) < best, "{factor}");
        }
    }
    let none = Array2::zeros((n, 1));
    assert_eq!(most_likely_ridge(kernel.view(), none.view(), Par::Seq), Err(PredictError::NoSignal));
}
