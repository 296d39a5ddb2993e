//! atom_sum: Σ_i k(f_i, f'_i) over atoms with networks of their own (`indexed`), or Σ_i Σ_j k(f_i, f'_j) over the atoms of one
//! network (`shared`) or of the network of their element (`elements`).
//!
//! `indexed` and `elements` line up the features of the atoms or elements, so that a weighted layer after it gives each of
//! these weights of its own.

use super::kind::{Incoming, Kind};
use crate::{ArchError, Domain, PerAtom};

/// The layer, which has no keys.
pub(super) struct AtomSum;

impl Kind for AtomSum {
    fn name(&self) -> &'static str {
        "atom_sum"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Atoms(PerAtom::Vector) => Ok(Domain::Vector),
            Domain::Atoms(PerAtom::Sphere { .. }) => {
                Err(input
                    .wrong_domain("a vector for every atom (s2_conv and so3_pool, or flatten, make one)"))
            }
            Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a vector for every atom (so3_pool makes one)"))
            }
            _ => Err(input.wrong_domain("a vector for every atom (space = \"molecule\" in [input])")),
        }
    }
}
