//! Pairs of samples in one precision: lanes, folded to readouts.

use std::{borrow::Cow, sync::Arc};

use ekernel_core::{
    BackendError, GroupElement, Plan,
    plan::{Readout, Scalar},
};

use crate::{Blocks, Engine, Lane, Unit, Units, Watch, Workers};

/// Lanes that are under way at once at most.
const MOST_LANES: f64 = 5e5;

/// Pieces of work for each thread, so that none waits long for the others.
const PIECES: usize = 4;

/// A pair of samples: of which set, and which one in it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) samples: [(usize, usize); 2],
    /// Whether both are one sample of a symmetric Gram matrix.
    pub(crate) same: bool,
    /// Those of the compared pairs of atoms that are computed; all if absent.
    pub(crate) only: Option<Vec<usize>>,
}

/// What was found of a pair of samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared {
    /// The units that were compared, as their numbers within the samples.
    pub(crate) units: Cow<'static, [[usize; 2]]>,
    /// `[pair of units][readout]`
    pub(crate) values: Vec<Scalar>,
}

/// Samples that an engine has prepared, with their values with themselves.
pub(crate) struct Ready<E> {
    plan: Arc<Plan>,
    pub(crate) units: Arc<Units>,
    pub(crate) engine: E,
    blocks: Blocks,
    workers: Workers,
    /// `[set][slot][readout]`: the value of each sample with itself, of molecules of each atom, where a head reads it.
    self_units: Vec<Vec<Vec<f64>>>,
    /// `[set][sample][readout]`: the same of molecules, at the readouts of the plan.
    self_values: Vec<Vec<Vec<f64>>>,
}

impl Job {
    pub(crate) fn new(samples: [(usize, usize); 2], same: bool) -> Job {
        Job { samples, same, only: None }
    }

    /// A sample with itself.
    fn itself(set: usize, sample: usize) -> Job {
        Job::new([(set, sample); 2], true)
    }

    /// Whether the first sample is bit for bit equal to a copy of the second.
    pub(crate) fn is_closed(&self, units: &Units) -> bool {
        self.copies(units).any(|copies| units.identical(copies))
    }

    /// Whether the first sample is nearly parallel to a copy of the second that is not equal to it.
    pub(crate) fn is_beside(&self, units: &Units, bound: f64) -> bool {
        self.copies(units).any(|copies| {
            let [first, second] = copies;
            let [nngp, v, vp] = [copies, [first; 2], [second; 2]].map(|units_| units.inner(units_));
            !units.identical(copies) && Scalar { nngp, ntk: 0.0, v, vp }.defect() < bound
        })
    }

    /// The first copy of the first sample with each copy of the second.
    fn copies(&self, units: &Units) -> impl Iterator<Item = [Unit; 2]> + use<> {
        let [(set, row), (other, col)] = self.samples;
        let first = units.copy(set, row, GroupElement::IDENTITY);
        units.of_sample(other, col).map(move |second| [first, second])
    }
}

impl<E: Engine> Ready<E> {
    /// Compares samples with themselves where a head reads that; without `whole` pairs of samples, of molecules atoms alone.
    ///
    /// # Errors
    /// Those of the engine.
    pub(crate) fn new(
        units: Arc<Units>,
        engine: E,
        blocks: Blocks,
        workers: Workers,
        whole: bool,
        watch: Watch<'_>,
    ) -> Result<Ready<E>, BackendError> {
        let plan = Arc::clone(units.plan());
        let mut ready =
            Ready { plan, units, engine, blocks, workers, self_units: vec![], self_values: vec![] };
        if !reads_self(&ready.plan) {
            return Ok(ready);
        }
        let sets = ready.units.sets();
        // Of molecules first the atoms, then the sums over them, which read the atoms' values.
        let steps = 1 + usize::from(whole && ready.plan.atoms.is_some() && ready.plan.needs_self);
        for set in 0..sets {
            let found = watch.part(set..set + 1, sets * steps, |watch| ready.with_themselves(set, watch))?;
            ready.self_units.push(found);
        }
        for set in 0..if steps == 2 { sets } else { 0 } {
            let found = watch.part(sets + set..sets + set + 1, sets * steps, |watch| {
                let jobs: Vec<Job> =
                    (0..ready.units.samples(set)).map(|sample| Job::itself(set, sample)).collect();
                let compared = ready.compare(&jobs, watch)?;
                let own = |(job, compared): (&Job, &Compared)| {
                    ready.readouts(job, compared).iter().map(|value| value.nngp).collect()
                };
                Ok::<_, BackendError>(jobs.iter().zip(&compared).map(own).collect())
            })?;
            ready.self_values.push(found);
        }
        Ok(ready)
    }

    /// The same samples, of which tiles are shared by other threads than those that prepared them.
    pub(crate) fn shared_by(self, workers: Workers) -> Ready<E> {
        Ready { workers, ..self }
    }

    /// The value of each slot of a set with itself: of samples, or of the atoms of molecules.
    fn with_themselves(&self, set: usize, watch: Watch<'_>) -> Result<Vec<Vec<f64>>, BackendError> {
        if self.plan.atoms.is_none() {
            let jobs: Vec<Job> =
                (0..self.units.samples(set)).map(|sample| Job::itself(set, sample)).collect();
            let compared = self.compare(&jobs, watch)?;
            let nngp = |found: Compared| found.values.iter().map(|value| value.nngp).collect();
            return Ok(compared.into_iter().map(nngp).collect());
        }
        let units: Vec<[Unit; 2]> = (0..self.units.len(set)).map(|index| [Unit { set, index }; 2]).collect();
        let pieces = self.pieces(&units, 1.0);
        let found = self.spread(pieces.len(), watch, |at, watch| {
            let readouts = self.plan.unit_readouts();
            let mut values = vec![Vec::with_capacity(readouts.len()); pieces[at].len()];
            for (index, readout) in readouts.iter().enumerate() {
                let lane = |units: &[Unit; 2]| Lane { units: *units, identical: true, same: true };
                let lanes: Vec<Lane> = pieces[at].iter().map(lane).collect();
                let found = watch.part(index..index + 1, readouts.len(), |watch| {
                    self.evaluate((index, readout), &lanes, watch)
                })?;
                values.iter_mut().zip(found).for_each(|(values, value)| values.push(value[0]));
            }
            Ok(values)
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What every pair of samples has at every readout.
    ///
    /// # Errors
    /// Those of the engine.
    pub(crate) fn compare(&self, jobs: &[Job], watch: Watch<'_>) -> Result<Vec<Compared>, BackendError> {
        let pieces = self.pieces(jobs, self.lanes_per_pair());
        let found = self.spread(pieces.len(), watch, |at, watch| self.compare_some(pieces[at], watch))?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Work for the threads that may call the engine at the same time.
    fn pieces<'w, W>(&self, work: &'w [W], lanes: f64) -> Vec<&'w [W]> {
        let most = (MOST_LANES / lanes).max(1.0) as usize;
        let threads = self.threads();
        let share = if threads > 1 { work.len().div_ceil(PIECES * threads) } else { work.len() };
        work.chunks(share.clamp(1, most)).collect()
    }

    fn threads(&self) -> usize {
        self.workers.count().min(self.engine.hints(1.0).concurrency)
    }

    fn spread<T: Send>(
        &self,
        count: usize,
        watch: Watch<'_>,
        work: impl Fn(usize, Watch<'_>) -> Result<T, BackendError> + Sync,
    ) -> Result<Vec<T>, BackendError> {
        Workers::new(self.threads()).map(count, watch, work)
    }

    /// Lanes of a pair of samples at a readout, on average.
    pub(crate) fn lanes_per_pair(&self) -> f64 {
        let blocks = |readout: &Readout| match readout {
            Readout::Planes { orbit, .. } => orbit.len() * self.firsts(orbit).len(),
            _ => 1,
        };
        let blocks = self.plan.readouts.iter().map(blocks).max().unwrap_or(1);
        self.units.mean_pairs() * blocks as f64
    }

    fn firsts<'b>(&self, orbit: &'b [GroupElement]) -> &'b [GroupElement] {
        match self.blocks {
            Blocks::Orbit => &orbit[..1],
            Blocks::All => orbit,
        }
    }

    fn compare_some(&self, jobs: &[Job], watch: Watch<'_>) -> Result<Vec<Compared>, BackendError> {
        let readouts = self.plan.unit_readouts();
        let blank = |job: &Job| {
            let mut units = self.units.compared(job.samples);
            if let Some(only) = &job.only {
                units = only.iter().map(|&at| units[at]).collect::<Vec<_>>().into();
            }
            Compared { values: vec![Scalar::default(); units.len() * readouts.len()], units }
        };
        let mut compared: Vec<Compared> = jobs.iter().map(blank).collect();
        for (index, readout) in readouts.iter().enumerate() {
            let mut lanes = Vec::new();
            for (job, compared) in jobs.iter().zip(&compared) {
                self.push_lanes(readout, job, compared, &mut lanes);
            }
            let found = watch.part(index..index + 1, readouts.len(), |watch| {
                self.evaluate((index, readout), &lanes, watch)
            })?;
            let slots: usize = compared.iter().map(|compared| compared.units.len()).sum();
            let blocks = found.len() / slots.max(1);
            let mut values = found.chunks(blocks.max(1)).map(mean);
            for (job, compared) in jobs.iter().zip(&mut compared) {
                for at in 0..compared.units.len() {
                    let [nngp, ntk] = values.next().expect("each pair of units has its lanes");
                    let [v, vp] = self.own_units(job.samples, compared.units[at], index);
                    compared.values[at * readouts.len() + index] = Scalar { nngp, ntk, v, vp };
                }
            }
        }
        Ok(compared)
    }

    /// The lanes of a pair of samples: of images the blocks (h·f, g·f') whose mean is the readout.
    fn push_lanes(&self, readout: &Readout, job: &Job, compared: &Compared, lanes: &mut Vec<Lane>) {
        let units = &self.units;
        if let Readout::Planes { orbit, .. } = readout {
            let [(set, row), (other, col)] = job.samples;
            for h in self.firsts(orbit) {
                let first = units.copy(set, row, *h);
                for g in orbit {
                    let units_ = [first, units.copy(other, col, *g)];
                    let identical = units.identical(units_);
                    lanes.push(Lane { units: units_, identical, same: job.same && h == g });
                }
            }
            return;
        }
        for &[i, j] in &*compared.units {
            let units_ = units.places(job.samples, [i, j]);
            lanes.push(Lane { units: units_, identical: units_[0] == units_[1], same: job.same && i == j });
        }
    }

    fn evaluate(
        &self,
        (index, readout): (usize, &Readout),
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        match readout {
            Readout::Vector => Ok(lanes.iter().map(|lane| [self.units.inner(lane.units), 0.0]).collect()),
            Readout::Sphere => Ok(lanes.iter().map(|lane| [self.units.product(lane.units), 0.0]).collect()),
            Readout::Planes { .. } | Readout::Rotations { .. } => {
                let open: Vec<usize> = (0..lanes.len())
                    .filter(|&at| !lanes[at].units.iter().any(|unit| self.engine.spoils(*unit)))
                    .collect();
                if open.len() == lanes.len() {
                    return self.engine.evaluate(index, lanes, watch);
                }
                let some: Vec<Lane> = open.iter().map(|&at| lanes[at]).collect();
                let mut values = vec![[f64::NAN; 2]; lanes.len()];
                for (at, value) in open.into_iter().zip(self.engine.evaluate(index, &some, watch)?) {
                    values[at] = value;
                }
                Ok(values)
            }
            Readout::Atoms { .. } => unreachable!("sums over atoms are read by the head of molecules alone"),
        }
    }

    fn own_units(&self, samples: [(usize, usize); 2], units: [usize; 2], readout: usize) -> [f64; 2] {
        if self.self_units.len() < self.units.sets() {
            return [0.0; 2];
        }
        let slots = match &self.plan.atoms {
            None => samples,
            Some(_) => self.units.places(samples, units).map(|unit| (unit.set, unit.index)),
        };
        slots.map(|(set, slot)| self.self_units[set][slot][readout])
    }

    /// The readouts of the plan for a pair of samples.
    pub(crate) fn readouts<'c>(&self, job: &Job, compared: &'c Compared) -> Cow<'c, [Scalar]> {
        let Some(atoms) = &self.plan.atoms else { return Cow::Borrowed(&compared.values) };
        let values = compared.values.chunks(atoms.readouts.len());
        let sums = atoms.sums(compared.units.iter().copied().zip(values), job.same);
        let known = self.self_values.len() == self.units.sets();
        let output = |(at, readout): (usize, &Readout)| {
            let Readout::Atoms { output } = readout else {
                unreachable!("the head of molecules reads sums over atoms")
            };
            let own =
                |(set, sample): (usize, usize)| if known { self.self_values[set][sample][at] } else { 0.0 };
            let [v, vp] = job.samples.map(own);
            Scalar { v, vp, ..sums[*output] }
        };
        self.plan.readouts.iter().enumerate().map(output).collect()
    }

    /// The head's result for a pair of samples, and what it read.
    pub(crate) fn finish<'c>(&self, job: &Job, compared: &'c Compared) -> (Scalar, Cow<'c, [Scalar]>) {
        let readouts = self.readouts(job, compared);
        (self.plan.run_head(&readouts, job.same), readouts)
    }

    /// Bytes of the values of samples with themselves.
    pub(crate) fn bytes(&self) -> u64 {
        let values = self.self_units.iter().chain(&self.self_values).flatten();
        values.map(|values| (size_of::<Vec<f64>>() + size_of_val(&**values)) as u64).sum()
    }
}

/// Whether a head reads values of samples, or of atoms, with themselves.
pub(crate) fn reads_self(plan: &Plan) -> bool {
    plan.needs_self || plan.atoms.as_ref().is_some_and(|atoms| atoms.needs_self)
}

/// The mean of blocks, in their order.
fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    let share = 1.0 / values.len() as f64;
    values.iter().fold([0.0; 2], |sum, value| [sum[0] + value[0] * share, sum[1] + value[1] * share])
}
