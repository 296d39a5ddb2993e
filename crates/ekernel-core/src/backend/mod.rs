//! The seam between a network and what computes its kernels.

mod control;
mod error;
mod numerics;
mod pairs;
mod seam;

pub use control::{CancelToken, Control, Progress, ProgressSink};
pub use error::BackendError;
pub use numerics::{NotNumerics, Numerics};
pub use pairs::Pairs;
pub use seam::{Backend, Kernels, Prepared};
