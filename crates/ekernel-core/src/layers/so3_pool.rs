//! so3_pool: (1/8π²)² ∬ K(R, R') dR dR', which is the mean (1/8π²) ∫ k(U) dU.

use super::Incoming;
use crate::{Domain, PerAtom, arch::ArchError};

pub(super) fn output(input: &Incoming<'_>) -> Result<Domain, ArchError> {
    match input.domain {
        Domain::Rotations { .. } => Ok(Domain::Vector),
        Domain::Atoms(PerAtom::Rotations { .. }) => Ok(Domain::Atoms(PerAtom::Vector)),
        Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => {
            Err(input.wrong_domain("rotations (put s2_conv before it)"))
        }
        Domain::Vector | Domain::Grid { .. } | Domain::GroupGrid { .. } | Domain::Atoms(PerAtom::Vector) => {
            Err(input.wrong_domain("rotations"))
        }
    }
}
