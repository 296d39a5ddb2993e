//! The kernels of a backend, entry by entry.

use ekernel_core::{Backend, BackendError, Control, Kernels, Pairs};
use ndarray::Array2;

/// Whether an error is above a bound; NaN is above all.
pub(crate) fn exceeds(error: f64, bound: f64) -> bool {
    error.is_nan() || error > bound
}

/// All kernel entries of a set of pairs in one tile.
///
/// # Errors
/// Those of [`Backend::prepare`] and of a tile.
pub fn kernels(backend: &dyn Backend, pairs: Pairs) -> Result<Kernels, BackendError> {
    let control = Control::new();
    let (rows, cols) = (pairs.first().len(), pairs.second().len());
    backend.prepare(pairs, &control)?.tile(0..rows, 0..cols, &control)
}

/// The largest difference relative to the largest expected entry; infinite where a value found is NaN.
///
/// # Panics
/// If the shapes differ.
pub fn error(found: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    error_where(found, expected, |_, _| true)
}

/// The same over the entries for which `keep` holds, relative to the largest of all.
pub(crate) fn error_where(
    found: &Array2<f64>,
    expected: &Array2<f64>,
    keep: impl Fn(usize, usize) -> bool,
) -> f64 {
    assert_eq!(found.dim(), expected.dim(), "shapes");
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let kept = found.indexed_iter().filter(|((i, j), _)| keep(*i, *j));
    let errors = kept.map(|(at, x)| (x - expected[at]).abs() / largest);
    errors.fold(0.0, |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) })
}

/// The larger of both kernels' errors; infinite where one of them has no NTK.
pub fn kernel_error(found: &Kernels, expected: &Kernels) -> f64 {
    let nngp = error(&found.nngp, &expected.nngp);
    match (&found.ntk, &expected.ntk) {
        (Some(found), Some(expected)) => nngp.max(error(found, expected)),
        (None, None) => nngp,
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn errors_are_relative_to_the_largest_entry_and_see_nan() {
        let expected = array![[4.0, 1.0], [1.0, -8.0]];
        assert_eq!(error(&array![[4.0, 1.0], [2.0, -8.0]], &expected), 0.125);
        assert_eq!(error(&array![[4.0, f64::NAN], [1.0, -8.0]], &expected), f64::INFINITY);
        assert_eq!(error(&array![[f64::NAN, 1.0], [1.0, -7.0]], &expected), f64::INFINITY);
        assert_eq!(error(&array![[0.0]], &array![[0.0]]), 0.0);
    }

    #[test]
    fn a_missing_ntk_is_an_error() {
        let nngp = Kernels { nngp: array![[1.0]], ntk: None };
        let both = Kernels { ntk: Some(array![[1.0]]), ..nngp.clone() };
        assert_eq!(kernel_error(&nngp, &both), f64::INFINITY);
        assert_eq!(kernel_error(&nngp, &nngp), 0.0);
    }
}
