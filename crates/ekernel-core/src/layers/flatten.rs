//! flatten: the mean over equal positions t of K(t, t) and Θ(t, t). On the sphere (1/4π) ∫ K⁰(x, x) dx =
//! (1/4πC) Σ_c Σ_lm f_{c,lm} conj(f'_{c,lm}): the signals as plain vectors, which know nothing of rotations.

use super::kind::{Incoming, Kind};
use crate::{ArchError, Domain, PerAtom};

/// The layer, which has no keys.
pub(super) struct Flatten;

impl Kind for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Grid { .. } | Domain::GroupGrid { .. } | Domain::Sphere { .. } => Ok(Domain::Vector),
            Domain::Atoms(PerAtom::Sphere { .. }) => Ok(Domain::Atoms(PerAtom::Vector)),
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a grid, a group grid or a sphere (on rotations use so3_pool)"))
            }
            Domain::Atoms(PerAtom::Vector) => {
                Err(input.wrong_domain("a sphere for every atom (its vectors are flat already)"))
            }
            Domain::Vector => Err(input.wrong_domain("a grid or a group grid (a vector is flat already)")),
        }
    }

    fn destroys_gaussian(&self) -> Option<&'static str> {
        Some("flatten lines up features of different positions, which are not identically distributed")
    }
}
