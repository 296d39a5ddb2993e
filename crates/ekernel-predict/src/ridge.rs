//! The amount added to the diagonal of the training kernel.

use std::fmt;

use crate::PredictError;

/// The ridge λ of Θ̃ = Θ(X,X) + λ_abs·1.
///
/// Displays as words, for messages: `1e-4 of the mean diagonal`, `0.02 absolute`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ridge {
    /// λ_abs = λ·tr Θ(X,X)/n: free of the kernel's scale, and the meaning of `--ridge`.
    Relative(f64),
    /// λ_abs = λ, in units of the kernel. Theorem 5 (training on all rotations equals averaging the kernel) needs this
    /// form: the augmented machine has |H| times the absolute ridge of the averaged one.
    Absolute(f64),
}

impl Ridge {
    /// No ridge at all.
    pub const NONE: Ridge = Ridge::Relative(0.0);

    /// The number alone, whichever of the two it is.
    pub fn value(self) -> f64 {
        match self {
            Ridge::Relative(value) | Ridge::Absolute(value) => value,
        }
    }

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

impl fmt::Display for Ridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ridge::Relative(value) => write!(f, "{value:?} of the mean diagonal"),
            Ridge::Absolute(value) => write!(f, "{value:?} absolute"),
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
    /// Eigenvalues below this are rounding: n·ε·(largest in size).
    pub(crate) fn rounding(&self) -> f64 {
        self.n as f64 * f64::EPSILON * self.largest.abs().max(self.smallest.abs())
    }
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
