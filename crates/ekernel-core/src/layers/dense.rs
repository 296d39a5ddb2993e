//! dense: K ↦ w²K + b², Θ ↦ K_out + w²Θ.

use super::{Incoming, Weights, weights::weight_setters};
use crate::{Domain, arch::ArchError};

/// A fully connected layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dense {
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(Dense);

impl Dense {
    /// w_std = 1, no bias.
    pub fn new() -> Dense {
        Dense::default()
    }
}

pub(super) fn output(input: &Incoming<'_>) -> Result<Domain, ArchError> {
    match input.domain {
        Domain::Vector => Ok(Domain::Vector),
        _ => Err(input.wrong_domain(
            "a vector (global_avg_pool, group_pool or flatten make one; a 1×1 conv is dense at every pixel)",
        )),
    }
}
