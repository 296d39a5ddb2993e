//! What can go wrong with networks of finite width.

use ekernel_core::{ArchError, BackendError, Group, Place};
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
    /// A molecule of more atoms than the network has places for.
    #[error(
        "molecule {molecule} has an atom in place {place}, and the network has {places} places; make it with the largest \
         molecule that it will read"
    )]
    Places {
        /// Which molecule, counted from 0.
        molecule: usize,
        /// The place, counted from 1.
        place: usize,
        /// Places of the network.
        places: usize,
    },
    /// Turned copies of what is no image.
    #[error("copies turned by {} are those of images, and these samples are none; train without copies", .group.name())]
    NoImages {
        /// The group.
        group: Group,
    },
    /// Quarter turns of images that are not square.
    #[error(
        "copies turned by {} are those of square images, and these are {height} × {width}; D2 turns them into images of \
         the same size", .group.name()
    )]
    NotSquare {
        /// The group.
        group: Group,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
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
