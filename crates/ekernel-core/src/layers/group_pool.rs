//! group_pool: the mean over both group slots, H and space.

use super::kind::{Incoming, Kind};
use crate::{ArchError, Domain, PerAtom};

/// The layer, which has no keys.
pub(super) struct GroupPool;

impl Kind for GroupPool {
    fn name(&self) -> &'static str {
        "group_pool"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::GroupGrid { .. } => Ok(Domain::Vector),
            Domain::Grid { .. } => {
                Err(input.wrong_domain("a group grid (on a plain grid use global_avg_pool)"))
            }
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a group grid (on rotations use so3_pool)"))
            }
            Domain::Vector | Domain::Sphere { .. } | Domain::Atoms(_) => {
                Err(input.wrong_domain("a group grid"))
            }
        }
    }
}
