//! What a ridge adds to the diagonal of a kernel, and which ridge would do.

use ndarray::ArrayView2;

use crate::{PredictError, Ridge};

impl Ridge {
    /// λ_abs for a kernel of this mean diagonal tr Θ/n.
    ///
    /// # Errors
    /// [`PredictError::InvalidRidge`] for a negative, infinite or NaN ridge; [`PredictError::NoScale`] for a positive
    /// relative ridge of a kernel whose mean diagonal is not positive.
    pub fn on_diagonal(self, mean_diagonal: f64) -> Result<f64, PredictError> {
        if !(self.value() >= 0.0 && self.value().is_finite()) {
            return Err(PredictError::InvalidRidge { ridge: self });
        }
        match self {
            Ridge::Relative(value) if value > 0.0 && mean_diagonal <= 0.0 => {
                Err(PredictError::NoScale { mean_diagonal })
            }
            Ridge::Relative(value) => Ok(value * mean_diagonal),
            Ridge::Absolute(value) => Ok(value),
        }
    }

    /// The smallest ridge of one significant digit that lifts every eigenvalue of an n × n kernel clear of rounding,
    /// in the same unit as `self` where the kernel has a scale.
    pub(crate) fn that_would_do(self, spread: &Spread) -> Ridge {
        let clear = 10.0 * spread.rounding();
        let absolute = (clear - spread.smallest).max(clear).max(f64::MIN_POSITIVE);
        match self {
            Ridge::Relative(_) if spread.mean_diagonal > 0.0 => {
                Ridge::Relative(one_digit_up(absolute / spread.mean_diagonal))
            }
            _ => Ridge::Absolute(one_digit_up(absolute)),
        }
    }
}

/// Extreme eigenvalues and mean diagonal of an n × n kernel without ridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) n: usize,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
    pub(crate) mean_diagonal: f64,
}

impl Spread {
    /// From eigenvalues in any order, at least one.
    pub(crate) fn new(eigenvalues: &[f64], mean_diagonal: f64) -> Spread {
        let smallest = eigenvalues.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = eigenvalues.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Spread { n: eigenvalues.len(), smallest, largest, mean_diagonal }
    }

    /// Eigenvalues below this are rounding: n·ε·(largest in size).
    pub(crate) fn rounding(&self) -> f64 {
        self.n as f64 * f64::EPSILON * self.largest.abs().max(self.smallest.abs())
    }
}

/// tr Θ/n; divided first, so that the sum of n large entries does not overflow.
pub(crate) fn mean_diagonal(kernel: ArrayView2<'_, f64>) -> f64 {
    let n = kernel.nrows() as f64;
    kernel.diag().iter().map(|value| value / n).sum()
}

/// `value` > 0 rounded up to one significant digit: 3.2e-7 → 4e-7.
fn one_digit_up(value: f64) -> f64 {
    let exponent = value.log10().floor() as i32;
    let digit = (value / 10f64.powi(exponent)).ceil();
    // Through the decimal text, so that the digit printed is the number meant: 4.0 * 1e-7 is 3.9999999999999998e-7.
    format!("{digit}e{exponent}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_up_keeps_one_digit_and_never_shrinks() {
        for (value, up) in
            [(3.2e-7, 4e-7), (9.5e-3, 1e-2), (1.0, 1.0), (2.0e-16, 2e-16), (123.0, 200.0), (0.5, 0.5)]
        {
            let found = one_digit_up(value);
            assert_eq!(found, up, "{value}");
            assert!(found >= value * (1.0 - 1e-15));
        }
    }

    #[test]
    fn ridge_is_scaled_by_the_mean_diagonal_only_when_relative() {
        assert_eq!(Ridge::Relative(0.5).on_diagonal(4.0), Ok(2.0));
        assert_eq!(Ridge::Absolute(0.5).on_diagonal(4.0), Ok(0.5));
        assert_eq!(Ridge::Absolute(0.5).on_diagonal(0.0), Ok(0.5));
        assert_eq!(Ridge::NONE.on_diagonal(0.0), Ok(0.0));
        assert_eq!(Ridge::Relative(0.5).on_diagonal(0.0), Err(PredictError::NoScale { mean_diagonal: 0.0 }));
    }
}
