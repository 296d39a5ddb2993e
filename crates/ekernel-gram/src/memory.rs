//! How much memory a Gram matrix needs, and how much there is.

use std::fmt;

use ekernel_core::{KernelSet, Prepared};
use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::Grid;

/// Bytes of memory a Gram matrix needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The result: 8 bytes per entry and kernel.
    pub result: u64,
    /// What the backend holds for the prepared samples.
    pub session: u64,
    /// The tiles in the making, one per thread: the backend's working memory and the tile itself.
    pub tiles: u64,
}

/// A number of bytes, written for people.
pub(crate) struct Bytes(pub(crate) u64);

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

/// What the Gram matrix of `grid` needs in `session` when `threads` tiles are computed at the same time.
///
/// A tile larger than the session's own tile shape is taken to need more of the session's memory in proportion.
pub fn estimate(session: &dyn Prepared, grid: &Grid, kinds: KernelSet, threads: usize) -> Memory {
    let [held, per_tile] = session.memory();
    let area = |[rows, cols]: [usize; 2]| (rows as u64).saturating_mul(cols as u64).max(1);
    let growth = area(grid.tile_shape()).div_ceil(area(session.tile_shape()));
    let tile =
        per_tile.saturating_mul(growth).saturating_add(entries(grid.tile_shape(), kinds).saturating_mul(8));
    Memory {
        session: held,
        tiles: tile.saturating_mul(threads.min(grid.tiles().len()) as u64),
        ..Memory::of_result(grid.shape(), kinds)
    }
}

/// Bytes of memory that this process may still take: what the system has available and, on Linux, what its control
/// group leaves. `None` where the system does not say.
pub fn available() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    let group = sysinfo::get_current_pid().ok().and_then(|pid| {
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            ProcessRefreshKind::nothing(),
        );
        // Not its `free_memory`: that counts the page cache, which the system gives back under pressure, as taken.
        system.process(pid)?.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss))
    });
    machine.into_iter().chain(group).min()
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

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (160_000_000_000, "149.0 GiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn absurd_sizes_saturate() {
        let memory = Memory::of_result([usize::MAX, usize::MAX], KernelSet::Both);
        assert_eq!(memory.total(), u64::MAX);
        let memory = Memory { session: u64::MAX, tiles: 7, ..memory };
        assert_eq!(memory.total(), u64::MAX);
    }

    #[test]
    fn this_machine_says_how_much_memory_it_has() {
        // At least a page and less than an exbibyte: the unit is bytes.
        assert!(available().is_none_or(|bytes| (4096..1 << 60).contains(&bytes)), "{:?}", available());
    }
}
