//! The amount added to the diagonal of the training kernel.

use std::fmt;

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
}

impl fmt::Display for Ridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ridge::Relative(value) => write!(f, "{value:?} of the mean diagonal"),
            Ridge::Absolute(value) => write!(f, "{value:?} absolute"),
        }
    }
}
