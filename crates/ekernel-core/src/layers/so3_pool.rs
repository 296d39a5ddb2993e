//! so3_pool: (1/8π²)² ∬ K(R, R') dR dR', which is the mean (1/8π²) ∫ k(U) dU.

use super::kind::{Incoming, Kind};
use crate::{ArchError, Domain, PerAtom};

/// The layer, which has no keys.
pub(super) struct So3Pool;

impl Kind for So3Pool {
    fn name(&self) -> &'static str {
        "so3_pool"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Rotations { .. } => Ok(Domain::Vector),
            Domain::Atoms(PerAtom::Rotations { .. }) => Ok(Domain::Atoms(PerAtom::Vector)),
            Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => {
                Err(input.wrong_domain("rotations (put s2_conv before it)"))
            }
            Domain::Vector
            | Domain::Grid { .. }
            | Domain::GroupGrid { .. }
            | Domain::Atoms(PerAtom::Vector) => Err(input.wrong_domain("rotations")),
        }
    }
}
