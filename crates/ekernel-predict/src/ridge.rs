//! The amount added to the diagonal of the training kernel.

use std::fmt;

/// The ridge λ of Θ̃ = Θ(X,X) + λ_abs·1.
///
/// Displays as words, for messages: `0.0001 of the mean diagonal`, `0.02 absolute`.
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
}

impl fmt::Display for Ridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ridge::Relative(value) => write!(f, "{} of the mean diagonal", short(*value)),
            Ridge::Absolute(value) => write!(f, "{} absolute", short(*value)),
        }
    }
}

/// Six significant digits: `0.05²` is 0.0025 and not 0.0025000000000000005.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let text = format!("{rounded:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ridges_are_shown_with_digits_that_count() {
        for (value, shown) in [
            (0.05 * 0.05, "0.0025"),
            (0.0, "0"),
            (2.0, "2"),
            (1e-12, "1e-12"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333"),
            (-1e-3, "-0.001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (1e300, "1e300"),
        ] {
            assert_eq!(Ridge::Absolute(value).to_string(), format!("{shown} absolute"));
        }
        assert_eq!(Ridge::Relative(0.965).to_string(), "0.965 of the mean diagonal");
    }
}
