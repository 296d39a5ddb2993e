//! What can go wrong with networks of finite width.

use ekernel_core::{ArchError, BackendError, Place};
use ekernel_harmonic::HarmonicError;
use thiserror::Error;

/// What can go wrong with networks of finite width.
#[derive(Debug, Error)]
pub enum FiniteError {
    /// The network or the samples do not fit.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// Cancelled, unfit samples, or too little memory.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A layer has no number of features.
    #[error(
        "{place} has no width, and a network of finite width needs one: write width = 256 there, or give one width for all layers"
    )]
    WidthMissing {
        /// The layer.
        place: Place,
    },
    /// A width of zero.
    #[error("a width of 0 has no features; give a whole number from 1 to {most}")]
    WidthZero {
        /// The largest width.
        most: usize,
    },
    /// Branches of a sum have different numbers of features.
    #[error("{place} adds branches of {first} and {second} features; give them one width")]
    Branches {
        /// The sum.
        place: Place,
        /// Features of the first branch.
        first: usize,
        /// Features of another.
        second: usize,
    },
    /// The network's outputs are not as many as the targets.
    #[error(
        "the network ends with {features} features, and there are {targets} targets for a sample; end it with a dense layer"
    )]
    Outputs {
        /// Output features.
        features: usize,
        /// Targets of a sample.
        targets: usize,
    },
    /// A layer that has no form at finite width.
    #[error("{place} has no form at finite width: {why}")]
    NoForm {
        /// The layer.
        place: Place,
        /// The reason.
        why: &'static str,
    },
    /// A grid on SO(3) that cannot be made.
    #[error(transparent)]
    Harmonic(#[from] HarmonicError),
    /// A network has values or a loss that are not finite.
    #[error("network {network}: {what} is {value}; {remedy}")]
    NotFinite {
        /// Which network: its number.
        network: u64,
        /// What is not finite, and when.
        what: String,
        /// NaN or an infinity.
        value: f64,
        /// What would do.
        remedy: &'static str,
    },
}
