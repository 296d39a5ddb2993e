//! Networks of finite width, from the architectures that give kernels.
//!
//! [`FiniteNetwork`] is an architecture with a number of features for every layer; a [`Name`] draws its parameters.
//! [`sample`] estimates NNGP and NTK as means over networks, with standard errors; [`FiniteBackend`] is the same behind
//! the seam of all backends.
//!
//! Every layer is a list of steps on arrays `[item][position][channel]`: sums over taps with weights (convolutions, on group
//! grids and in harmonic coefficients too), fixed matrices over positions, pointwise functions. The way back goes through the same
//! steps; at steps with weights the empirical NTK contracts the gradients of all pairs of samples.

mod augmentation;
mod backend;
mod backward;
mod batch;
mod compile;
mod contraction;
mod error;
mod estimate;
mod forward;
mod invariance;
mod network;
mod optimizer;
mod parameters;
mod program;
mod random;
mod rotations;
mod rows;
mod scalar;
mod statistics;
mod taps;
mod train;
mod widths;

pub use augmentation::Augmentation;
pub use backend::FiniteBackend;
pub use error::FiniteError;
pub use estimate::{Estimate, Options, Precision, sample, sample_pieces};
pub use invariance::is_invariant;
pub use network::FiniteNetwork;
pub use optimizer::Optimizer;
pub use random::Name;
pub use scalar::{Matrix, Scalar};
pub use train::{Member, TrainOptions, Trainer};
pub use widths::Widths;
