//! Architectures of infinitely wide networks as a DAG, and their exact reduction to a plan.
mod samples;
pub use samples::{Samples, SamplesError};
