//! Prepared spheres and molecules, and the tiles computed from them.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ekernel_core::{
    BackendError, Control, Entries, Kernels, Pairs, Prepared, Progress, Samples, assemble,
    plan::{AtomPlan, HeadOp, Plan, Readout, Scalar as HeadValue},
};
use ekernel_harmonic::Harmonics;
use ekernel_signals::{Signals, refused};
use rayon::prelude::*;

use super::{
    engine::{Engine, Unit},
    pack::Number,
    stage::Workspace,
};
use crate::{CpuOptions, Precision};

/// Pairs side by side in float64: a register of AVX-512.
const WIDE: usize = 8;

/// Samples per unit of preparation.
const BATCH: usize = 8;

/// Seconds a tile should take, and a point of a pair takes in float32 on one core of a common processor.
const TILE_SECONDS: f64 = 0.25;
const POINT_SECONDS: f64 = 1e-9;

/// Prepares samples for a plan.
pub(crate) fn prepare(
    plan: &Arc<Plan>,
    options: CpuOptions,
    pool: &rayon::ThreadPool,
    pairs: &Pairs,
    control: &Control,
) -> Result<Box<dyn Prepared>, BackendError> {
    Ok(match options.precision {
        Precision::F32 => Box::new(RotationSession::<f32, 16>::new(plan, options, pool, pairs, control)?),
        Precision::F64 => Box::new(RotationSession::<f64, WIDE>::new(plan, options, pool, pairs, control)?),
    })
}

/// Arithmetic operations per pair of signals, a multiply-add counted as two, where they are counted.
pub(crate) fn operations(plan: &Plan, options: &CpuOptions) -> Option<u64> {
    fn of<T: Number, const W: usize>(plan: &Plan, options: &CpuOptions) -> Option<u64> {
        let mut engine = Engine::<T, W>::new(plan, options.isa).ok()?;
        engine.tune(std::iter::empty());
        engine.operations()
    }
    match options.precision {
        Precision::F32 => of::<f32, 16>(plan, options),
        Precision::F64 => of::<f64, WIDE>(plan, options),
    }
}

/// One prepared sample.
struct Sample<T> {
    units: Vec<Unit<T>>,
    /// The atomic numbers of the units, where these are atoms.
    charges: Vec<u8>,
    /// The same in float64, where the session is delicate.
    wide: Vec<Unit<f64>>,
    /// Each unit's value with itself, `[unit][readout]`, where the head reads it.
    own_units: Vec<Vec<f64>>,
    /// The sample's value with itself at each readout of the plan, likewise.
    own: Vec<f64>,
}

/// Samples prepared for one plan, `W` pairs of units at a time in precision `T`.
struct RotationSession<T, const W: usize> {
    plan: Arc<Plan>,
    threads: usize,
    engine: Engine<T, W>,
    wide: Engine<f64, WIDE>,
    sets: Vec<Vec<Sample<T>>>,
    symmetric: bool,
    /// Whether a head reads angles, which float32 would spoil where values are nearly parallel.
    delicate: bool,
}

/// Two units that are compared: indices into the units of two samples.
type UnitPair = (usize, usize);

impl<T: Number, const W: usize> RotationSession<T, W> {
    fn new(
        plan: &Arc<Plan>,
        options: CpuOptions,
        pool: &rayon::ThreadPool,
        pairs: &Pairs,
        control: &Control,
    ) -> Result<RotationSession<T, W>, BackendError> {
        let reads_angles = |head: &[HeadOp]| head.iter().any(|op| op.op.wants_defect());
        let in_atoms = plan.atoms.as_ref().is_some_and(|atoms| reads_angles(&atoms.head));
        let mut session = RotationSession {
            plan: Arc::clone(plan),
            threads: pool.current_num_threads(),
            engine: Engine::new(plan, options.isa)?,
            wide: Engine::new(plan, options.isa)?,
            sets: Vec::new(),
            symmetric: pairs.is_symmetric(),
            delicate: T::DIGITS < 53 && (reads_angles(&plan.head) || in_atoms),
        };
        let samples = pairs.sets();
        let of = samples.iter().map(|set| set.len()).sum();
        let done = AtomicUsize::new(0);
        let signals = Signals::new(&plan.input).map_err(refused("cpu"))?;
        for set in samples {
            let prepared = pool.install(|| session.prepare(&signals, set, (&done, of), control))?;
            session.sets.push(prepared);
        }
        let RotationSession { engine, wide, sets, .. } = &mut session;
        let all = || sets.iter().flatten();
        engine.tune(all().flat_map(|sample| &sample.units));
        wide.tune(all().flat_map(|sample| &sample.wide));
        let atoms_need = plan.atoms.as_ref().is_some_and(|atoms| atoms.needs_self);
        if plan.needs_self || atoms_need {
            let mut sets = std::mem::take(&mut session.sets);
            let reference = &session;
            pool.install(|| {
                sets.par_iter_mut().flatten().try_for_each(|sample| reference.fill_own(sample, control))
            })?;
            session.sets = sets;
        }
        Ok(session)
    }

    fn prepare(
        &self,
        from: &Signals,
        samples: &Samples,
        (done, of): (&AtomicUsize, usize),
        control: &Control,
    ) -> Result<Vec<Sample<T>>, BackendError> {
        let starts: Vec<usize> = (0..samples.len()).step_by(BATCH).collect();
        let batch = |start: usize| {
            control.check()?;
            let end = (start + BATCH).min(samples.len());
            let counts: Vec<usize> = (start..end).map(|index| from.count(samples, index)).collect();
            let places = (start..end).zip(&counts).flat_map(|(index, n)| (0..*n).map(move |at| (index, at)));
            let signal = |(index, at)| from.harmonics(samples, index, at).map_err(refused("cpu"));
            let signals: Vec<Harmonics> = places.map(signal).collect::<Result<_, _>>()?;
            let mut workspaces = self.wide.workspaces();
            let (mut wide, mut units) = (Vec::new(), Vec::new());
            for chunk in signals.chunks(WIDE) {
                let found = self.wide.units(chunk.to_vec(), &mut workspaces, control)?;
                units.extend(self.engine.narrowed(&self.wide, chunk, &found));
                wide.extend(if self.delicate { found } else { vec![] });
            }
            let (mut units, mut wide) = (units.into_iter(), wide.into_iter());
            let sample = |(index, count): (usize, usize)| Sample {
                units: units.by_ref().take(count).collect(),
                charges: from.charges(samples, index),
                wide: wide.by_ref().take(count).collect(),
                own_units: Vec::new(),
                own: Vec::new(),
            };
            let prepared: Vec<Sample<T>> = (start..end).zip(counts).map(sample).collect();
            let done = done.fetch_add(prepared.len(), Ordering::Relaxed) + prepared.len();
            control.report(Progress::Prepared { done, of });
            Ok(prepared)
        };
        let batches: Vec<Vec<Sample<T>>> =
            starts.into_par_iter().map(batch).collect::<Result<_, BackendError>>()?;
        Ok(batches.into_iter().flatten().collect())
    }

    /// Finds the values of a sample with itself.
    fn fill_own(&self, sample: &mut Sample<T>, control: &Control) -> Result<(), BackendError> {
        if self.delicate {
            let mut workspaces = self.wide.workspaces();
            self.own(&self.wide, |sample| &sample.wide, sample, &mut workspaces, control)
        } else {
            let mut workspaces = self.engine.workspaces();
            self.own(&self.engine, |sample| &sample.units, sample, &mut workspaces, control)
        }
    }

    fn own<U: Number, const V: usize>(
        &self,
        engine: &Engine<U, V>,
        units: impl Fn(&Sample<T>) -> &[Unit<U>],
        sample: &mut Sample<T>,
        workspaces: &mut [Workspace<U, V>],
        control: &Control,
    ) -> Result<(), BackendError> {
        let with_itself: Vec<(&Unit<U>, &Unit<U>)> = units(sample).iter().map(|unit| (unit, unit)).collect();
        let values = engine.evaluate(&with_itself, workspaces, control)?;
        sample.own_units =
            values.iter().map(|values| values.iter().map(|[nngp, _]| *nngp).collect()).collect();
        let Some(atoms) = &self.plan.atoms else {
            sample.own = sample.own_units.first().cloned().unwrap_or_default();
            return Ok(());
        };
        if self.plan.needs_self {
            let pairs = unit_pairs(atoms, sample, sample);
            let list: Vec<(&Unit<U>, &Unit<U>)> =
                pairs.iter().map(|&(i, j)| (&units(sample)[i], &units(sample)[j])).collect();
            let values = engine.evaluate(&list, workspaces, control)?;
            let sums = add_up(atoms, (sample, sample), &pairs, &values, true);
            sample.own = self.outputs(&sums).map(|sum| sum.nngp).collect();
        }
        Ok(())
    }

    fn sets(&self) -> [&[Sample<T>]; 2] {
        [&self.sets[0], &self.sets[self.sets.len() - 1]]
    }

    /// The units of two samples that are compared.
    fn pairs(&self, first: &Sample<T>, second: &Sample<T>) -> Vec<UnitPair> {
        self.plan.atoms.as_ref().map_or_else(|| vec![(0, 0)], |atoms| unit_pairs(atoms, first, second))
    }

    /// The sums over pairs of atoms that each readout of the plan asks for.
    fn outputs<'s>(&self, sums: &'s [HeadValue]) -> impl Iterator<Item = HeadValue> + use<'s, '_, T, W> {
        self.plan.readouts.iter().map(|readout| match readout {
            Readout::Atoms { output } => sums[*output],
            _ => HeadValue { nngp: f64::NAN, ..HeadValue::default() },
        })
    }

    /// The readouts of the plan for two samples, from the values of their pairs of units.
    fn readouts(
        &self,
        (first, second): (&Sample<T>, &Sample<T>),
        pairs: &[UnitPair],
        values: &[Vec<[f64; 2]>],
        same: bool,
    ) -> Vec<HeadValue> {
        let own = |sample: &Sample<T>, at: usize| sample.own.get(at).copied().unwrap_or_default();
        let with_own = |(at, mut value): (usize, HeadValue)| {
            (value.v, value.vp) = (own(first, at), own(second, at));
            value
        };
        match &self.plan.atoms {
            None => {
                let value = |&[nngp, ntk]: &[f64; 2]| HeadValue { nngp, ntk, v: 0.0, vp: 0.0 };
                values.iter().flatten().map(value).enumerate().map(with_own).collect()
            }
            Some(atoms) => {
                let sums = add_up(atoms, (first, second), pairs, values, same);
                self.outputs(&sums).enumerate().map(with_own).collect()
            }
        }
    }

    /// The readouts of two samples, all in float64.
    fn precise(&self, row: usize, col: usize, control: &Control) -> Result<Vec<HeadValue>, BackendError> {
        let [x, y] = self.sets();
        let (first, second) = (&x[row], &y[col]);
        let pairs = self.pairs(first, second);
        let list: Vec<(&Unit<f64>, &Unit<f64>)> =
            pairs.iter().map(|&(i, j)| (&first.wide[i], &second.wide[j])).collect();
        let values = self.wide.evaluate(&list, &mut self.wide.workspaces(), control)?;
        Ok(self.readouts((first, second), &pairs, &values, self.symmetric && row == col))
    }

    /// Whether a head reads an angle that float32 does not know.
    fn concerns(
        &self,
        (first, second): (&Sample<T>, &Sample<T>),
        pairs: &[UnitPair],
        values: &[Vec<[f64; 2]>],
        readouts: &[HeadValue],
    ) -> bool {
        let unit = |(&(i, j), values): (&UnitPair, &Vec<[f64; 2]>)| {
            let own = first.own_units[i].iter().zip(&second.own_units[j]);
            values
                .iter()
                .zip(own)
                .any(|(&[nngp, ntk], (&v, &vp))| HeadValue { nngp, ntk, v, vp }.is_parallel())
        };
        self.delicate
            && (readouts.iter().any(HeadValue::is_parallel)
                || (self.plan.atoms.is_some() && pairs.iter().zip(values).any(unit)))
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        workspaces: &mut [Workspace<T, W>],
        control: &Control,
    ) -> Result<Entries, BackendError> {
        let [x, y] = self.sets();
        let mut entries = Vec::new();
        for row in rows.clone() {
            let columns: Vec<(usize, Vec<UnitPair>)> = cols
                .clone()
                .filter(|&col| wanted(row, col))
                .map(|col| (col, self.pairs(&x[row], &y[col])))
                .collect();
            let units = |(col, pairs): &'_ (usize, Vec<UnitPair>)| -> Vec<(&Unit<T>, &Unit<T>)> {
                pairs.iter().map(|&(i, j)| (&x[row].units[i], &y[*col].units[j])).collect()
            };
            let list: Vec<(&Unit<T>, &Unit<T>)> = columns.iter().flat_map(units).collect();
            let values = self.engine.evaluate(&list, workspaces, control)?;
            let mut rest = &values[..];
            for (col, pairs) in columns {
                let (values, after) = rest.split_at(pairs.len());
                rest = after;
                let samples = (&x[row], &y[col]);
                let same = self.symmetric && row == col;
                let mut readouts = self.readouts(samples, &pairs, values, same);
                if self.concerns(samples, &pairs, values, &readouts) {
                    readouts = self.precise(row, col, control)?;
                }
                entries.push((row, col, self.finish(&readouts, row, col)?));
            }
        }
        Ok(entries)
    }

    /// The head's result for one pair of samples.
    fn finish(&self, readouts: &[HeadValue], row: usize, col: usize) -> Result<HeadValue, BackendError> {
        self.plan.run_head(readouts, self.symmetric && row == col).finite(row, col)
    }

    /// Pairs of units per pair of samples, on average.
    fn unit_pairs_per_pair(&self) -> f64 {
        let [x, y] = self.sets();
        let charges = |set: &'_ [Sample<T>]| -> Vec<Vec<u8>> {
            set.iter().map(|sample| sample.charges.clone()).collect()
        };
        let mean = |atoms: &AtomPlan| atoms.pairing.mean_pairs(&charges(x), &charges(y));
        self.plan.atoms.as_ref().map_or(1.0, mean)
    }
}

/// The atoms of two molecules that are compared.
fn unit_pairs<T>(atoms: &AtomPlan, first: &Sample<T>, second: &Sample<T>) -> Vec<UnitPair> {
    atoms.pairing.pairs(&first.charges, &second.charges).collect()
}

/// The sum of each output of the atoms' head over pairs of atoms, in their order.
fn add_up<T>(
    atoms: &AtomPlan,
    (first, second): (&Sample<T>, &Sample<T>),
    pairs: &[UnitPair],
    values: &[Vec<[f64; 2]>],
    same: bool,
) -> Vec<HeadValue> {
    let own = |sample: &Sample<T>, unit: usize, at: usize| {
        sample.own_units.get(unit).and_then(|own| own.get(at)).copied().unwrap_or_default()
    };
    let readouts = |(&(i, j), values): (&UnitPair, &Vec<[f64; 2]>)| {
        let readout = |(at, &[nngp, ntk]): (usize, &[f64; 2])| HeadValue {
            nngp,
            ntk,
            v: own(first, i, at),
            vp: own(second, j, at),
        };
        ([i, j], values.iter().enumerate().map(readout).collect::<Vec<HeadValue>>())
    };
    atoms.sums(pairs.iter().zip(values).map(readouts), same)
}

impl<T: Number, const W: usize> Prepared for RotationSession<T, W> {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let mut workspaces = self.engine.workspaces();
        assemble(self.symmetric, self.plan.kinds, (&rows, &cols), |block, wanted| {
            self.block(block, wanted, &mut workspaces, control)
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        let pair = POINT_SECONDS * self.engine.points() as f64 * self.unit_pairs_per_pair();
        let pairs = (TILE_SECONDS / pair) as usize;
        // Whole registers of columns, unless a pair of samples fills one.
        let least = if self.plan.atoms.is_some() { 1 } else { W };
        let cols = pairs.isqrt().next_multiple_of(least).clamp(least, 64);
        [(pairs / cols).clamp(1, 64), cols]
    }

    fn concurrency(&self) -> usize {
        self.threads
    }

    fn memory(&self) -> [u64; 2] {
        let units: usize = self.sets.iter().flatten().map(|sample| sample.units.len()).sum();
        let samples: usize = self.sets.iter().map(Vec::len).sum();
        let wide = if self.delicate { self.wide.unit_bytes() } else { 0 };
        let [_, cols] = self.tile_shape();
        // Per pair of units of a row of the tile: two references, two indices, the values.
        let values = 64 + 24 * self.plan.readouts.len();
        let row = cols as f64 * self.unit_pairs_per_pair() * values as f64;
        let wide_thread = if self.delicate { self.wide.thread_bytes() } else { 0 };
        [
            units as u64 * (self.engine.unit_bytes() + wide)
                + (samples * size_of::<Sample<T>>()) as u64
                + self.engine.table_bytes()
                + self.wide.table_bytes(),
            self.engine.thread_bytes() + wide_thread + row as u64,
        ]
    }
}
