//! flatten: the mean over equal positions t of K(t, t) and Θ(t, t). On the sphere (1/4π) ∫ K⁰(x, x) dx =
//! (1/4πC) Σ_c Σ_lm f_{c,lm} conj(f'_{c,lm}): the signals as plain vectors, which know nothing of rotations.

use super::Incoming;
use crate::{Domain, PerAtom, arch::ArchError};

pub(super) fn output(input: &Incoming<'_>) -> Result<Domain, ArchError> {
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
