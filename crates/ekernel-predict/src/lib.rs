//! Exact predictors of kernel machines, given arrays.
mod cholesky;
mod classes;
mod covariance;
mod error;
mod fit;
mod folds;
mod machine;
mod regression;
mod ridge;
mod ridge_search;
mod spectrum;
mod time;
mod validate;

pub use classes::{accuracy, argmax, confusion, one_hot_centered};
pub use covariance::Nngp;
pub use error::PredictError;
pub use faer::Par;
pub use fit::{Fit, FitFrom};
pub use folds::Folds;
pub use machine::Machine;
pub use regression::{RegressionScores, TargetMean};
pub use ridge::Ridge;
pub use ridge_search::{RIDGES, RidgeScore, RidgeSearch, Targets};
pub use spectrum::Spectrum;
pub use time::Time;
