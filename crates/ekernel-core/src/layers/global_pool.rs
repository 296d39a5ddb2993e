//! global_avg_pool and global_sum_pool: mean (or sum) of K and Θ over all pairs of positions.

use super::{
    PoolKind,
    kind::{Incoming, Kind},
};
use crate::{ArchError, Domain, PerAtom};

/// Pooling over the whole grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlobalPool {
    /// Mean or sum.
    pub kind: PoolKind,
}

impl GlobalPool {
    /// global_avg_pool.
    pub fn mean() -> GlobalPool {
        GlobalPool { kind: PoolKind::Mean }
    }

    /// global_sum_pool.
    pub fn sum() -> GlobalPool {
        GlobalPool { kind: PoolKind::Sum }
    }
}

impl Kind for GlobalPool {
    fn name(&self) -> &'static str {
        match self.kind {
            PoolKind::Mean => "global_avg_pool",
            PoolKind::Sum => "global_sum_pool",
        }
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Grid { .. } => Ok(Domain::Vector),
            Domain::GroupGrid { .. } => Err(input.wrong_domain("a grid (on a group grid use group_pool)")),
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a grid (on rotations use so3_pool)"))
            }
            Domain::Vector | Domain::Sphere { .. } | Domain::Atoms(_) => Err(input.wrong_domain("a grid")),
        }
    }
}
