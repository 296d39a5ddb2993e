//! Experiments with kernel machines: from kernels and targets to scores, learning curves and reports.
//!
//! A [`Problem`] is a training set and a test set, prepared alike. [`Draws`] are the subsets of the training set that
//! machines are trained on, the same for every network. [`learn`] trains one machine on every draw, from the
//! [`ProblemKernels`] of a network, and gives a [`Curve`]. An [`Outcome`] holds the curves of several networks; its
//! [`Document`] is what programs read, and [`Outcome::write`] stores predictions and scores in an .npz file.
//!
//! The crate computes no kernels, prints nothing and draws nothing.
//!
//! ```
//! use ekernel_core::{Control, Samples};
//! use ekernel_data::{Normalizer, Targets};
//! use ekernel_experiment::{Amplitude, Draws, Kind, Problem, ProblemKernels, RidgeChoice, Training, learn};
//! use ekernel_predict::{Center, Ridge, TrainingTime};
//! use ndarray::array;
//!
//! let (train, test) = (array![[1.0, 0.1], [0.9, -0.2], [-1.0, 0.3], [-0.8, 0.0]], array![[0.7, 0.4], [-0.6, 0.2]]);
//! let classes = |labels: &[usize]| Targets::Classes { labels: labels.to_vec(), n_classes: 2, names: None, numbered: true };
//! let kernels = ProblemKernels::new(train.dot(&train.t()).mapv(f64::exp), test.dot(&train.t()).mapv(f64::exp));
//! let problem = Problem::new(
//!     (Samples::Vectors(train), classes(&[1, 1, 0, 0])),
//!     (Samples::Vectors(test), Some(classes(&[1, 0]))),
//!     Normalizer::None,
//! );
//! let training = Training {
//!     kind: Kind::Ntk,
//!     ridge: RidgeChoice::Given(Ridge::Relative(1e-4)),
//!     time: TrainingTime::INFINITE,
//!     center: Center::Mean,
//!     standardize: false,
//!     amplitude: Amplitude::AsComputed,
//!     threads: 1,
//! };
//! let curve = learn(&problem, &Draws::whole(4), &training, &kernels, &Control::new())?;
//! assert_eq!(curve.points[0].mean(), Some(1.0));
//! # Ok::<(), ekernel_experiment::ExperimentError>(())
//! ```

mod composition;
mod curve;
mod document;
mod draws;
mod error;
mod kernels;
mod kind;
mod measure;
mod outcome;
mod problem;
mod random;
mod score;
mod store;
mod training;

pub use composition::{Composition, References};
pub use curve::{Curve, Point, learn};
pub use document::{
    Document, ErrorsDocument, Facts, LabelDocument, LikelihoodDocument, MoleculeFacts, NetworkDocument,
    PointDocument, RidgeFacts, ScoreDocument, SetFacts, Time, TimeDocument,
};
pub use draws::{DrawOptions, Draws, balanced};
pub use error::ExperimentError;
pub use kernels::{NngpKernels, ProblemKernels, Work};
pub use kind::Kind;
pub use measure::Measure;
pub use outcome::{NetworkFacts, NetworkOutcome, Outcome, TimePoint};
pub use problem::Problem;
pub use random::SplitMix64;
pub use score::Score;
pub use training::{Amplitude, Likelihood, Prediction, RidgeChoice, Training};
