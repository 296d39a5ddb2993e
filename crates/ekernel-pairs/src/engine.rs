//! What a backend brings.

use std::sync::Arc;

use ekernel_core::BackendError;

use crate::{Unit, Units, Watch, Workers};

/// A pair of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The first and the second.
    pub units: [Unit; 2],
    /// Whether both are bit for bit equal copies.
    pub identical: bool,
    /// Whether both are one copy of one sample of a symmetric Gram matrix, for dropout.
    pub same: bool,
}

/// Which blocks of a group network are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Blocks {
    /// (f, g·f') for each g of the orbit.
    #[default]
    Orbit,
    /// (h·f, g·f') for all h and g: the same mean, |H| times the work. For comparing.
    All,
}

/// Prepared units, and how pairs of them are computed.
pub trait Engine: Send + Sync {
    /// (K, Θ) of each lane at a readout of planes or on SO(3), given by its place among the unit readouts of the plan.
    ///
    /// A lane's value does not depend on the other lanes, bit by bit. The watch hears how far the work is, and is asked within
    /// each lane that takes long.
    ///
    /// # Errors
    /// A device that fails, and [`BackendError::Cancelled`].
    fn evaluate(
        &self,
        readout: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError>;

    /// Whether the engine's numbers cannot hold what a unit leads to, so that its lanes are computed in float64.
    fn spoils(&self, unit: Unit) -> bool;

    /// How it wants to be used, where a pair of samples has `lanes_per_pair` lanes on average.
    fn hints(&self, lanes_per_pair: f64) -> Hints;
}

/// How an engine wants to be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hints {
    /// Pairs of samples that a tile should have, so that it takes a fraction of a second or so.
    pub pairs: f64,
    /// A number of which the columns of a tile should be a multiple.
    pub width: usize,
    /// Rows and columns of a tile at most.
    pub most: usize,
    /// How many threads may usefully call [`Engine::evaluate`] at the same time.
    pub concurrency: usize,
    /// Bytes that the engine holds.
    pub held: u64,
    /// Bytes that each tile computed at the same time adds.
    pub per_tile: u64,
}

/// How units are prepared and compared in float64, where float32 would spoil a pair.
pub struct Precise {
    /// Prepares these units.
    pub make: Arc<MakePrecise>,
    /// Bytes of one unit.
    pub unit_bytes: u64,
    /// Bytes that comparing adds for each thread.
    pub thread_bytes: u64,
}

/// Prepares units in float64, by these threads.
pub type MakePrecise =
    dyn Fn(&Arc<Units>, Workers, Watch<'_>) -> Result<Box<dyn Engine>, BackendError> + Send + Sync;

impl Engine for Box<dyn Engine> {
    fn evaluate(
        &self,
        readout: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        (**self).evaluate(readout, lanes, watch)
    }

    fn spoils(&self, unit: Unit) -> bool {
        (**self).spoils(unit)
    }

    fn hints(&self, lanes_per_pair: f64) -> Hints {
        (**self).hints(lanes_per_pair)
    }
}
