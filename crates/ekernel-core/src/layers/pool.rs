//! avg_pool and sum_pool: mean (or sum) of K and Θ over window × window of both slots; `same` divides by the full window.

use super::{
    kind::{Incoming, Kind},
    sliding::{slide, square, write_window},
};
use crate::{
    ArchError, Domain, Padding, Window,
    keys::{Keys, Section},
};

/// Mean or sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Divide by the number of positions.
    Mean,
    /// Do not.
    Sum,
}

/// Pooling over sliding windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Mean or sum.
    pub kind: PoolKind,
    /// Window, strides, padding.
    pub window: Window,
}

impl Pool {
    /// The mean over windows of this size, strides equal to the size, valid padding.
    pub fn mean(size: [usize; 2]) -> Pool {
        Pool { kind: PoolKind::Mean, window: Window { size, strides: size, padding: Padding::Valid } }
    }

    /// The sum over windows of this size, strides equal to the size, valid padding.
    pub fn sum(size: [usize; 2]) -> Pool {
        Pool { kind: PoolKind::Sum, ..Pool::mean(size) }
    }

    pub(super) fn read(kind: PoolKind, keys: &mut Keys<'_>) -> Result<Pool, ArchError> {
        let size = keys.pair("window")?.ok_or_else(|| keys.missing("window", "window = [2, 2]"))?;
        let strides = keys.pair("strides")?.unwrap_or(size);
        Ok(Pool { kind, window: Window { size, strides, padding: keys.padding(Padding::Valid)? } })
    }
}

impl Kind for Pool {
    fn name(&self) -> &'static str {
        match self.kind {
            PoolKind::Mean => "avg_pool",
            PoolKind::Sum => "sum_pool",
        }
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Vector | Domain::Sphere { .. } | Domain::Rotations { .. } | Domain::Atoms(_) => {
                Err(input.wrong_domain("a grid or a group grid"))
            }
            Domain::Grid { .. } => slide(&self.window, input),
            Domain::GroupGrid { group, .. } => {
                square(group, "window", self.window.size, input)?;
                square(group, "stride", self.window.strides, input)?;
                slide(&self.window, input)
            }
        }
    }

    fn write(&self, section: &mut Section) {
        write_window(&self.window, "window", self.window.size, section);
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }
}
