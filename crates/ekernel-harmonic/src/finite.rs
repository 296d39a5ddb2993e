//! Reports the index of non-finite input.

use ndarray::{ArrayView, Dimension, IntoDimension};
use rustfft::num_complex::Complex;
use rustfft::num_traits::Float;

use crate::error::HarmonicError;
use crate::real::Real;

/// The coefficients given to an inverse transform.
pub(crate) fn check_coefficients<T: Real>(coefficients: &[Complex<T>]) -> Result<(), HarmonicError> {
    match coefficients.iter().position(|&c| !is_finite(c)) {
        None => Ok(()),
        Some(at) => Err(not_finite("the coefficients", vec![at], complex_parts(coefficients[at]))),
    }
}

/// The coefficients made by a forward transform. NaN among the samples reaches the coefficients, so the samples are searched
/// only if a coefficient is not finite; `parts` are the real and imaginary part of one.
pub(crate) fn check_transformed<T: Real, E: Copy, D: Dimension>(
    coefficients: &[Complex<T>],
    samples: ArrayView<'_, E, D>,
    parts: impl Fn(E) -> [f64; 2],
) -> Result<(), HarmonicError> {
    if coefficients.iter().all(|&c| is_finite(c)) {
        return Ok(());
    }
    let what = "the samples";
    let mut largest = 0.0f64;
    for (index, &value) in samples.indexed_iter() {
        let parts = parts(value);
        if !parts.iter().all(|part| part.is_finite()) {
            return Err(not_finite(what, index.into_dimension().slice().to_vec(), parts));
        }
        largest = parts.iter().fold(largest, |a, part| a.max(part.abs()));
    }
    Err(HarmonicError::Overflow { what, largest })
}

fn is_finite<T: Real>(value: Complex<T>) -> bool {
    Float::is_finite(value.re) && Float::is_finite(value.im)
}

pub(crate) fn complex_parts<T: Real>(value: Complex<T>) -> [f64; 2] {
    [value.re.wide(), value.im.wide()]
}

pub(crate) fn real_parts<T: Real>(value: T) -> [f64; 2] {
    [value.wide(), 0.0]
}

fn not_finite(what: &'static str, index: Vec<usize>, [re, im]: [f64; 2]) -> HarmonicError {
    HarmonicError::NotFinite { what, index, value: if re.is_finite() { im } else { re } }
}
