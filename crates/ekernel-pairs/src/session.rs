//! Prepared samples, and the tiles computed from them.

use std::{ops::Range, sync::Arc};

use ekernel_core::{
    BackendError, Control, Entries, Kernels, Pairs, Plan, Prepared, Progress, assemble, plan::Scalar,
};

use crate::{
    Blocks, Engine, Float32, Precise, Units, Watch, Workers,
    compared::{Compared, Job, Ready, reads_self},
    policy::Policy,
};

/// How a session computes.
pub struct Setup {
    /// What is executed.
    pub plan: Arc<Plan>,
    /// Which blocks of a group network are averaged.
    pub blocks: Blocks,
    /// Threads that prepare samples.
    pub preparing: Workers,
    /// Threads that share a tile.
    pub within: Workers,
    /// What the engine knows if it computes in float32, and how pairs are computed in float64 that it would spoil.
    pub float32: Option<(Float32, Precise)>,
}

/// Samples prepared for one plan by one engine.
pub struct PairSession<E> {
    ready: Ready<E>,
    plan: Arc<Plan>,
    blocks: Blocks,
    within: Workers,
    symmetric: bool,
    float32: Option<(Policy, Precise)>,
}

impl<E: Engine> PairSession<E> {
    /// Checks samples, has an engine made for their units, and compares them with themselves where the head reads that.
    ///
    /// # Errors
    /// Samples that do not fit the plan; those of `make` and of the engine; [`BackendError::Cancelled`].
    pub fn new(
        setup: Setup,
        pairs: Pairs,
        control: &Control,
        make: impl FnOnce(&Arc<Units>, Watch<'_>) -> Result<E, BackendError>,
    ) -> Result<PairSession<E>, BackendError> {
        let Setup { plan, blocks, preparing, within, float32 } = setup;
        pairs.check(&plan.input)?;
        let of: usize = pairs.sets().iter().map(|samples| samples.len()).sum();
        let tell =
            |part: f64| control.report(Progress::Prepared { done: (part * of as f64).round() as usize, of });
        let watch = Watch { control, tell: &tell };
        let float32 = float32.map(|(float32, precise)| (Policy::new(&plan, float32), precise));
        let compares = float32.as_ref().is_some_and(|(policy, _)| policy.compares());
        let symmetric = pairs.is_symmetric();
        // Looking at samples takes a small part of the time that preparing them takes.
        let units = Units::new(&plan, pairs, compares, preparing, Watch::silent(control))?;
        let units = Arc::new(units);
        let steps = 1 + usize::from(reads_self(&plan));
        let engine = watch.part(0..1, steps, |watch| make(&units, watch))?;
        let own = |watch: Watch<'_>| Ready::new(units, engine, blocks, preparing, true, watch);
        let ready = watch.part(1..2, steps, own)?.shared_by(within);
        tell(1.0);
        Ok(PairSession { ready, plan, blocks, within, symmetric, float32 })
    }

    /// The engine.
    pub fn engine(&self) -> &E {
        &self.ready.engine
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds, of a tile of which `begun` pairs are done.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        begun: usize,
        control: &Control,
    ) -> Result<Entries, BackendError> {
        let last = self.ready.units.sets() - 1;
        let jobs: Vec<Job> = rows
            .clone()
            .flat_map(|row| cols.clone().map(move |col| (row, col)))
            .filter(|&(row, col)| wanted(row, col))
            .map(|(row, col)| Job::new([(0, row), (last, col)], self.symmetric && row == col))
            .collect();
        let count = jobs.len() as f64;
        let tell = |part: f64| control.report(Progress::Tile { pairs: begun as f64 + part * count });
        let compared = self.ready.compare(&jobs, Watch { control, tell: &tell })?;
        let silent = Watch::silent(control);
        let values = match &self.float32 {
            None => jobs.iter().zip(&compared).map(|(job, found)| self.ready.finish(job, found).0).collect(),
            Some((policy, precise)) => self.doubted(&jobs, compared, (*policy, precise), silent)?,
        };
        let entry = |(job, value): (&Job, Scalar)| {
            let [(_, row), (_, col)] = job.samples;
            let scale = self.ready.units.scale(job.samples);
            let value = Scalar { nngp: value.nngp * scale, ntk: value.ntk * scale, ..value };
            Ok((row, col, value.finite(row, col)?))
        };
        jobs.iter().zip(values).map(entry).collect()
    }

    /// The head's results, of which what float32 would spoil is computed again.
    fn doubted(
        &self,
        jobs: &[Job],
        mut compared: Vec<Compared>,
        (policy, precise): (Policy, &Precise),
        watch: Watch<'_>,
    ) -> Result<Vec<Scalar>, BackendError> {
        // Pairs of atoms first: a pair of molecules may be sound with them.
        let atoms: Vec<(usize, Vec<usize>)> = compared
            .iter()
            .map(|found| policy.doubtful_atoms(&self.plan, &found.values))
            .enumerate()
            .filter(|(_, doubtful)| !doubtful.is_empty())
            .collect();
        let some = |(at, only): &(usize, Vec<usize>)| Job { only: Some(only.clone()), ..jobs[*at].clone() };
        let better =
            self.precise(&atoms.iter().map(some).collect::<Vec<Job>>(), precise, watch, |_, _, found| found)?;
        for ((at, only), better) in atoms.into_iter().zip(better) {
            let width = better.values.len() / only.len();
            for (place, values) in only.into_iter().zip(better.values.chunks(width)) {
                compared[at].values[place * width..][..width].copy_from_slice(values);
            }
        }
        let judged = self.within.map(jobs.len(), watch, |at, _| {
            let (value, readouts) = self.ready.finish(&jobs[at], &compared[at]);
            Ok((value, policy.doubts(&self.ready.units, &jobs[at], &readouts, &value)))
        })?;
        let again: Vec<usize> = (0..jobs.len()).filter(|&at| judged[at].1).collect();
        let list: Vec<Job> = again.iter().map(|&at| jobs[at].clone()).collect();
        let found = self.precise(&list, precise, watch, |ready, job, found| ready.finish(job, &found).0)?;
        let mut values: Vec<Scalar> = judged.into_iter().map(|(value, _)| value).collect();
        again.into_iter().zip(found).for_each(|(at, value)| values[at] = value);
        Ok(values)
    }

    /// Pairs of samples in float64. Samples are prepared anew and forgotten again, so that memory does not grow with the number
    /// of such pairs.
    fn precise<T>(
        &self,
        jobs: &[Job],
        precise: &Precise,
        watch: Watch<'_>,
        take: impl Fn(&Ready<Box<dyn Engine>>, &Job, Compared) -> T,
    ) -> Result<Vec<T>, BackendError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let sides = [0, 1].map(|side| {
            let mut samples: Vec<usize> = jobs.iter().map(|job| job.samples[side].1).collect();
            samples.sort_unstable();
            samples.dedup();
            samples
        });
        let units = self.ready.units.select([&sides[0], &sides[1]], self.within, watch)?;
        let units = Arc::new(units);
        let engine = (precise.make)(&units, self.within, watch)?;
        let whole = jobs.iter().any(|job| job.only.is_none());
        let ready = Ready::new(units, engine, self.blocks, self.within, whole, watch)?;
        let place = |side: usize, sample: usize| {
            sides[side].binary_search(&sample).expect("the samples of all jobs are listed")
        };
        let renamed = |job: &Job| Job {
            samples: [(0, place(0, job.samples[0].1)), (1, place(1, job.samples[1].1))],
            ..job.clone()
        };
        let jobs: Vec<Job> = jobs.iter().map(renamed).collect();
        let compared = ready.compare(&jobs, watch)?;
        Ok(jobs.iter().zip(compared).map(|(job, found)| take(&ready, job, found)).collect())
    }
}

impl<E: Engine> Prepared for PairSession<E> {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let mut begun = 0;
        assemble(self.symmetric, self.plan.kinds, (&rows, &cols), |block, wanted| {
            let found = self.block(block, wanted, begun, control)?;
            begun += found.len();
            Ok(found)
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        let hints = self.ready.engine.hints(self.ready.lanes_per_pair());
        let pairs = hints.pairs.clamp(1.0, 1e9) as usize;
        let cols = pairs.isqrt().next_multiple_of(hints.width).min(hints.most).max(1);
        [(pairs / cols).clamp(1, hints.most), cols]
    }

    fn concurrency(&self) -> usize {
        self.ready.engine.hints(1.0).concurrency
    }

    fn memory(&self) -> [u64; 2] {
        let lanes_per_pair = self.ready.lanes_per_pair();
        let hints = self.ready.engine.hints(lanes_per_pair);
        let [rows, cols] = self.tile_shape();
        // Per lane itself and its value, per pair of units its values at each readout.
        let values = size_of::<Compared>() + self.plan.readouts.len() * size_of::<Scalar>();
        let lane = size_of::<crate::Lane>() + size_of::<[f64; 2]>() + values;
        let mut tile = hints.per_tile + ((rows * cols) as f64 * lanes_per_pair * lane as f64) as u64;
        if let Some((_, precise)) = &self.float32 {
            let units: usize = (0..self.ready.units.sets()).map(|set| self.ready.units.len(set)).sum();
            let samples: usize = (0..self.ready.units.sets()).map(|set| self.ready.units.samples(set)).sum();
            let prepared = (rows + cols).min(2 * samples) * units.div_ceil(samples.max(1));
            tile += prepared as u64 * precise.unit_bytes + self.within.count() as u64 * precise.thread_bytes;
        }
        [hints.held + self.ready.units.bytes() + self.ready.bytes(), tile]
    }
}
