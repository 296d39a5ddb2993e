//! dense: K ↦ w²K + b², Θ ↦ K_out + w²Θ.

use super::{
    Weights,
    kind::{Incoming, Kind},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, PerAtom,
    keys::{Keys, Section},
};

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

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Dense, ArchError> {
        Ok(Dense { weights: Weights::read(keys)? })
    }
}

impl Kind for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => Ok(input.domain),
            Domain::Grid { .. } | Domain::GroupGrid { .. } => Err(input.wrong_domain(
                "a vector (global_avg_pool, group_pool or flatten make one; a 1×1 conv is dense at every pixel)",
            )),
            Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => {
                Err(input.wrong_domain("a vector (s2_conv and so3_pool, or flatten, make one)"))
            }
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input
                    .wrong_domain("a vector (so3_pool makes one; so3_conv is a weighted layer on rotations)"))
            }
        }
    }

    fn write(&self, section: &mut Section) {
        self.weights.write(section);
    }

    fn weights(&self) -> Option<&Weights> {
        Some(&self.weights)
    }
}
