//! What signals and tables are refused for.

use ekernel_core::BackendError;
use ekernel_harmonic::HarmonicError;

/// Signals or sizes that the transforms on the host refuse.
pub(super) fn refused(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "wgpu".to_owned(),
        problem: error.to_string(),
        remedy: "rescale the data or choose a smaller bandlimit".to_owned(),
    }
}
