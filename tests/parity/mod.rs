//! One parity suite for every backend: the kernels of two backends, entry by entry.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod awkward;
pub(crate) mod faint;
pub(crate) mod long_sums;
pub(crate) mod opposite;
pub(crate) mod sabotage;
pub(crate) mod steep;
pub(crate) mod undefined;
pub(crate) mod wrapping;

use ekernel::core::{Backend, BackendError, Control, Kernels, Pairs, Samples};
use ndarray::Array2;

/// All kernel entries of a set of pairs in one tile.
pub(crate) fn kernels(backend: &dyn Backend, pairs: Pairs) -> Result<Kernels, BackendError> {
    let control = Control::new();
    let (rows, cols) = (pairs.first().len(), pairs.second().len());
    backend.prepare(pairs, &control)?.tile(0..rows, 0..cols, &control)
}

/// Largest difference relative to the largest entry.
pub(crate) fn error(found: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    assert_eq!(found.dim(), expected.dim());
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    found.iter().zip(expected).fold(0.0, |worst: f64, (x, y)| worst.max((x - y).abs() / largest))
}

/// The larger of both kernels' errors.
pub(crate) fn kernel_error(found: &Kernels, expected: &Kernels) -> f64 {
    let nngp = error(&found.nngp, &expected.nngp);
    match (&found.ntk, &expected.ntk) {
        (Some(found), Some(expected)) => nngp.max(error(found, expected)),
        (None, None) => nngp,
        _ => f64::INFINITY,
    }
}

/// The error of `tested` against `trusted` on samples against themselves and against their first half.
///
/// Errors where both refuse are agreement (0); where one refuses, infinite.
pub(crate) fn disagreement(tested: &dyn Backend, trusted: &dyn Backend, samples: &Samples) -> f64 {
    worst(samples, |pairs| match (kernels(tested, pairs.clone()), kernels(trusted, pairs)) {
        (Ok(found), Ok(expected)) => kernel_error(&found, &expected),
        (Err(_), Err(_)) => 0.0,
        _ => f64::INFINITY,
    })
}

/// The same where both have to compute.
pub(crate) fn computed_disagreement(tested: &dyn Backend, trusted: &dyn Backend, samples: &Samples) -> f64 {
    worst(samples, |pairs| {
        kernel_error(
            &kernels(tested, pairs.clone()).expect("computed"),
            &kernels(trusted, pairs).expect("computed"),
        )
    })
}

/// The largest error with itself and with the first half.
fn worst(samples: &Samples, error: impl Fn(Pairs) -> f64) -> f64 {
    let half: Vec<usize> = (0..samples.len().div_ceil(2)).collect();
    let half = samples.select(&half);
    [Pairs::within(samples.clone()), Pairs::cross(samples.clone(), half.clone())]
        .into_iter()
        .map(error)
        .fold(0.0, f64::max)
}
