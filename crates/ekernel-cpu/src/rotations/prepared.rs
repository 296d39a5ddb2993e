//! Prepared spheres and molecules.

use ekernel_core::{
    BackendError,
    plan::{Plan, Readout},
};
use ekernel_harmonic::Harmonics;
use ekernel_pairs::{self as pairs, Hints, Lane, Units, Watch, Workers};

use super::{
    engine::{Engine, Unit, Variances, WIDE},
    pack::Number,
};
use crate::{CpuOptions, Precision, simd::Isa};

/// Seconds a tile should take, and a point of a pair takes in float32 on one core of a common processor.
const TILE_SECONDS: f64 = 0.25;
const POINT_SECONDS: f64 = 1e-9;

/// Rows and columns of a tile at most.
const MOST: usize = 64;

/// The units of all samples, `W` pairs of them at a time in precision `T`.
pub(crate) struct Rotations<T, const W: usize> {
    engine: Engine<T, W>,
    /// What each unit readout of the plan reads, if it is a stage.
    stages: Vec<Option<usize>>,
    /// Of molecules a pair of samples may fill a register.
    of_atoms: bool,
    concurrency: usize,
    table_bytes: u64,
    /// `[set][unit]`
    units: Vec<Vec<Unit<T>>>,
}

impl<T: Number, const W: usize> Rotations<T, W> {
    /// Prepares units.
    ///
    /// # Errors
    /// Sizes that the transforms refuse, and [`BackendError::Cancelled`].
    pub(crate) fn new(
        units: &Units,
        isa: Isa,
        workers: Workers,
        watch: Watch<'_>,
    ) -> Result<Rotations<T, W>, BackendError> {
        let plan = units.plan();
        let (engine, variances) = (Engine::<T, W>::new(plan, isa)?, Variances::new(plan, isa)?);
        let readouts = plan.unit_readouts();
        let stage = |readout: &Readout| match readout {
            Readout::Rotations { stage } => Some(*stage),
            _ => None,
        };
        let sets = units.sets();
        let mut prepared = Vec::new();
        for set in 0..sets {
            let starts: Vec<usize> = (0..units.len(set)).step_by(WIDE).collect();
            let found = watch.part(set..set + 1, sets, |watch| {
                workers.map(starts.len(), watch, |at, watch| {
                    let end = (starts[at] + WIDE).min(units.len(set));
                    let signal = |index| units.harmonics(pairs::Unit { set, index });
                    let signals: Vec<Harmonics> = (starts[at]..end).map(signal).collect::<Result<_, _>>()?;
                    engine.units(&signals, &variances, watch.control)
                })
            })?;
            prepared.push(found.into_iter().flatten().collect());
        }
        Ok(Rotations {
            table_bytes: engine.table_bytes() + variances.table_bytes(),
            engine,
            stages: readouts.iter().map(stage).collect(),
            of_atoms: plan.atoms.is_some(),
            concurrency: workers.count(),
            units: prepared,
        })
    }

    /// Bytes of one unit, and of a thread.
    pub(crate) fn bytes(plan: &Plan, isa: Isa) -> Result<[u64; 2], BackendError> {
        let engine = Engine::<T, W>::new(plan, isa)?;
        Ok([engine.unit_bytes(), engine.thread_bytes()])
    }
}

impl<T: Number, const W: usize> pairs::Engine for Rotations<T, W> {
    fn evaluate(
        &self,
        readout: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let stage = self.stages[readout].expect("engines are asked for readouts of stages alone");
        let units = |lane: &Lane| lane.units.map(|unit| &self.units[unit.set][unit.index]);
        self.engine.evaluate(stage, &lanes.iter().map(units).collect::<Vec<_>>(), watch)
    }

    fn spoils(&self, _: pairs::Unit) -> bool {
        false
    }

    fn hints(&self, lanes_per_pair: f64) -> Hints {
        let count: usize = self.units.iter().map(Vec::len).sum();
        Hints {
            pairs: TILE_SECONDS / (POINT_SECONDS * self.engine.points() as f64 * lanes_per_pair),
            width: if self.of_atoms { 1 } else { W },
            most: MOST,
            concurrency: self.concurrency,
            held: count as u64 * self.engine.unit_bytes() + self.table_bytes,
            per_tile: self.engine.thread_bytes(),
        }
    }
}

/// Arithmetic operations per pair of signals, a multiply-add counted as two, where they are counted.
pub(crate) fn operations(plan: &Plan, options: &CpuOptions) -> Option<u64> {
    match options.precision {
        Precision::F32 => Engine::<f32, 16>::new(plan, options.isa).ok()?.operations(),
        Precision::F64 => Engine::<f64, WIDE>::new(plan, options.isa).ok()?.operations(),
    }
}
