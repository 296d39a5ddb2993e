//! What can go wrong in a backend.

use thiserror::Error;

use crate::{ArchError, Bytes, SamplesError};

/// What can go wrong in a backend.
#[derive(Debug, Error)]
pub enum BackendError {
    /// The samples do not fit the network, or the network the backend.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// The samples themselves are not fit for computing.
    #[error("{set}: {source}")]
    Samples {
        /// Which set: the first or the second.
        set: &'static str,
        /// What is wrong.
        source: SamplesError,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A kernel value is not finite: the network's kernel does not exist there, or overflows.
    #[error("the kernel of sample {row} and sample {col} is {value}: {reason}")]
    NotFinite {
        /// Index of the first sample.
        row: usize,
        /// Index of the second sample.
        col: usize,
        /// NaN or an infinity.
        value: f64,
        /// What would do.
        reason: String,
    },
    /// More memory is needed than there is.
    #[error(
        "{what} needs {} of memory, more than the {} that are available; {remedy}",
        Bytes(*needed),
        Bytes(*available)
    )]
    Memory {
        /// What needs it.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
        /// What would do.
        remedy: String,
    },
    /// The device failed.
    #[error("{device}: {problem}; {remedy}")]
    Device {
        /// Which device.
        device: String,
        /// What happened.
        problem: String,
        /// What would do.
        remedy: String,
    },
}
