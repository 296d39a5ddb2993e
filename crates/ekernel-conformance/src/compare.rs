//! What a backend makes of a case.

use ekernel_core::{Backend, BackendError};

use crate::{Case, kernel_error, kernels};

/// What comparing a backend on a case found.
#[derive(Debug)]
pub enum Verdict {
    /// Both computed: the largest error relative to the largest entry, infinite where a value is NaN.
    Computed(f64),
    /// Neither computed, since the kernel does not exist: agreement, of which no number was compared.
    Undefined,
    /// One alone refused, or for another reason than that the kernel does not exist.
    Refused(String),
}

/// Compares a backend with what a case expects.
pub fn judge(tested: &dyn Backend, case: &Case) -> Verdict {
    let mut worst = None;
    for (pairs, expected) in case.checks() {
        match (kernels(tested, pairs.clone()), expected) {
            (Ok(found), Ok(expected)) => {
                worst = Some(kernel_error(&found, expected).max(worst.unwrap_or(0.0)));
            }
            (Err(BackendError::NotFinite { .. }), Err(BackendError::NotFinite { .. })) => {}
            (Err(tested), Ok(_)) => return Verdict::Refused(format!("refused: {tested}")),
            (Ok(_), Err(trusted)) => {
                return Verdict::Refused(format!("computed what the trusted backend refuses: {trusted}"));
            }
            (Err(tested), Err(trusted)) => {
                return Verdict::Refused(format!("refused: {tested}; the trusted backend: {trusted}"));
            }
        }
    }
    worst.map_or(Verdict::Undefined, Verdict::Computed)
}
