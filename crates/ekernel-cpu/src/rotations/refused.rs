//! What signals are refused for.

use ekernel_core::BackendError;
use ekernel_harmonic::HarmonicError;

/// Signals that the transforms refuse.
pub(super) fn refused(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "cpu".to_owned(),
        problem: error.to_string(),
        remedy: "rescale the data or choose a smaller bandlimit".to_owned(),
    }
}
