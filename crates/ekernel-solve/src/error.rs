//! What can keep a system from being solved.

use ekernel_gram::GramError;
use thiserror::Error;

/// Why there is no solution.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// The kernel could not be read.
    #[error(transparent)]
    Store(#[from] GramError),
    /// The kernel of a caller's own could not be read.
    #[error("{0}")]
    Read(Box<dyn std::error::Error + Send + Sync>),
    /// Arrays whose shapes do not fit.
    #[error("{what} has shape {found:?}; {needed}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// What it must be.
        needed: String,
    },
    /// A number that is NaN or infinite.
    #[error("{what} holds NaN or an infinity; every number must be finite")]
    NotFinite {
        /// Which array.
        what: &'static str,
    },
    /// A ridge that does not outweigh rounding.
    #[error("the ridge is {0:e}; conjugate gradients need a positive one")]
    Ridge(f64),
    /// A direction in which the system is not positive.
    #[error(
        "the kernel with a ridge of {ridge:.3e} is not positive definite: a direction has curvature {curvature:.3e}; take a \
         larger ridge, or a kernel in float64"
    )]
    Indefinite {
        /// The ridge, in units of the kernel.
        ridge: f64,
        /// The curvature, in units of the kernel.
        curvature: f64,
    },
    /// A state of another system.
    #[error("the state belongs to {found}, and this system is {needed}; start anew, or solve that system")]
    OtherSystem {
        /// What the state says.
        found: String,
        /// What is solved.
        needed: String,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}
