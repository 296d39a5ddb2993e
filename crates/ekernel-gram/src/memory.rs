//! How much memory a Gram matrix needs, and how much there is.

use std::fmt;

use ekernel_core::{Bytes, KernelSet, Prepared};

use crate::Grid;

/// Bytes of memory a Gram matrix needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The result: 8 bytes per entry and kernel. Of one that stays in a store, the rows that are
    /// read at a time.
    pub result: u64,
    /// What the backend holds for the prepared samples.
    pub session: u64,
    /// The tiles in the making, one per thread: the backend's working memory and the tile itself.
    pub tiles: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.result.saturating_add(self.session).saturating_add(self.tiles)
    }

    /// What the result alone needs.
    pub(crate) fn of_result([rows, cols]: [usize; 2], kinds: KernelSet) -> Memory {
        Memory { result: entries([rows, cols], kinds).saturating_mul(8), ..Memory::default() }
    }
}

/// What the Gram matrix of `grid` needs in `session` when `threads` tiles are computed at the same
/// time.
///
/// A tile larger than the session's own tile shape is taken to need more of the session's memory in
/// proportion.
pub fn estimate(session: &dyn Prepared, grid: &Grid, kinds: KernelSet, threads: usize) -> Memory {
    Memory {
        result: Memory::of_result(grid.shape(), kinds).result,
        ..of_work(Some(session), grid.tile_shape(), kinds, threads.min(grid.tiles().len()))
    }
}

/// The same of `at_a_time` tiles, without the result; without a session nothing is left to be
/// computed.
pub(crate) fn of_work(
    session: Option<&dyn Prepared>,
    tile_shape: [usize; 2],
    kinds: KernelSet,
    at_a_time: usize,
) -> Memory {
    let Some(session) = session else { return Memory::default() };
    let [held, per_tile] = session.memory();
    let area = |[rows, cols]: [usize; 2]| (rows as u64).saturating_mul(cols as u64).max(1);
    let growth = area(tile_shape).div_ceil(area(session.tile_shape()));
    let tile = per_tile.saturating_mul(growth).saturating_add(entries(tile_shape, kinds).saturating_mul(8));
    let tiles = tile.saturating_mul(at_a_time as u64);
    Memory { session: held, tiles, result: 0 }
}

fn entries([rows, cols]: [usize; 2], kinds: KernelSet) -> u64 {
    (rows as u64).saturating_mul(cols as u64).saturating_mul(kinds.count() as u64)
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of memory ({} for the result, {} for the prepared samples, {} for the tiles in the making)",
            Bytes(self.total()),
            Bytes(self.result),
            Bytes(self.session),
            Bytes(self.tiles)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_sizes_saturate() {
        let memory = Memory::of_result([usize::MAX, usize::MAX], KernelSet::Both);
        assert_eq!(memory.total(), u64::MAX);
        let memory = Memory { session: u64::MAX, tiles: 7, ..memory };
        assert_eq!(memory.total(), u64::MAX);
    }
}
