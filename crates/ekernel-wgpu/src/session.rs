//! Prepared samples on a GPU and the tiles computed from them.

mod precise;

use std::{ops::Range, sync::Arc};

use ekernel_core::{
    BackendError, Control, GroupElement, Kernels, Pairs, Prepared, assemble,
    plan::{Plan, Readout, Scalar},
};

use crate::{
    Device, GpuError, WgpuOptions,
    copies::Set,
    host::{Delicate, DelicateSamples, Image},
    resident::Resident,
    run::{Chunked, Lane, Working},
    strategy::Strategy,
    threads::on_all_cores,
    watch::{Watch, prepared, under_way},
};

/// A pair of samples: of the first set and of the last.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// Set and sample, twice.
    samples: [(usize, usize); 2],
    /// Whether both are one sample of a symmetric Gram matrix.
    same: bool,
}

/// Samples prepared for one plan.
pub(crate) struct WgpuSession {
    plan: Arc<Plan>,
    options: WgpuOptions,
    pairs: Pairs,
    /// Every element of an orbit, each once; the identity first.
    elements: Vec<GroupElement>,
    sets: Vec<Set>,
    delicate: Delicate,
    working: Working<Box<dyn Strategy>>,
    delicate_samples: DelicateSamples,
}

impl WgpuSession {
    pub(crate) fn new(
        device: &Device,
        plan: &Arc<Plan>,
        options: WgpuOptions,
        pairs: Pairs,
        control: &Control,
    ) -> Result<WgpuSession, BackendError> {
        let mut elements = vec![GroupElement::IDENTITY];
        for readout in &plan.readouts {
            if let Readout::Planes { orbit, .. } = readout {
                elements.extend(orbit.iter().filter(|g| **g != GroupElement::IDENTITY));
            }
        }
        elements.sort_unstable();
        elements.dedup();
        let first = elements.iter().position(|g| *g == GroupElement::IDENTITY).unwrap_or(0);
        elements.swap(0, first);
        let delicate = Delicate::new(plan);
        let samples: Vec<_> = pairs.sets().into_iter().cloned().collect();
        let sets = samples
            .iter()
            .map(|set| Set::new(plan, set, &elements, delicate.stages, control))
            .collect::<Result<Vec<Set>, BackendError>>()?;
        // Samples are uploaded and, where the head needs it, compared with themselves.
        let count = samples.iter().map(|set| set.len()).sum();
        let tell = prepared(control, count);
        let (watch, steps) = (Watch { control, tell: &tell }, 1 + usize::from(plan.needs_self));
        let resident = watch.part(0..1, steps, |watch| {
            device.surviving(|device| {
                Resident::<Box<dyn Strategy>>::new(device, plan, &options, (&pairs, &elements), watch)
            })
        })?;
        let mut session = WgpuSession {
            plan: Arc::clone(plan),
            options,
            pairs,
            elements,
            sets,
            delicate,
            working: Working::new(resident, options.chunk_bytes),
            delicate_samples: DelicateSamples::default(),
        };
        if plan.needs_self {
            let mut begun = 0;
            for (set, samples) in samples.iter().enumerate() {
                let itself = |index| Job { samples: [(set, index); 2], same: true };
                let jobs: Vec<Job> = (0..samples.len()).map(itself).collect();
                let own = watch.part(1..2, steps, |watch| {
                    watch.part(begun..begun + jobs.len(), count, |watch| session.readouts(&jobs, watch))
                })?;
                let nngp = |values: Vec<[f64; 2]>| values.into_iter().map(|value| value[0]).collect();
                session.sets[set].own = own.into_iter().map(nngp).collect();
                begun += jobs.len();
            }
        }
        Ok(session)
    }

    fn last_set(&self) -> usize {
        self.sets.len() - 1
    }

    /// Every readout of every pair.
    fn readouts(&self, jobs: &[Job], watch: Watch<'_>) -> Result<Vec<Vec<[f64; 2]>>, BackendError> {
        let count = self.plan.readouts.len();
        let mut values = vec![vec![[0.0; 2]; count]; jobs.len()];
        for (index, readout) in self.plan.readouts.iter().enumerate() {
            match readout {
                Readout::Vector => {
                    for (job, values) in jobs.iter().zip(&mut values) {
                        values[index] = [self.inner(job, watch.control)?, 0.0];
                    }
                }
                Readout::Planes { orbit, .. } => {
                    let lanes: Vec<Lane> = jobs.iter().flat_map(|job| self.lanes(job, orbit)).collect();
                    let per_pair = lanes.len() / jobs.len().max(1);
                    let results =
                        watch.part(index..index + 1, count, |watch| self.run(index, &lanes, watch))?;
                    for (values, results) in values.iter_mut().zip(results.chunks(per_pair.max(1))) {
                        values[index] = mean(results);
                    }
                }
                Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => {}
            }
        }
        Ok(values)
    }

    /// K⁰ of two vectors.
    fn inner(&self, job: &Job, control: &Control) -> Result<f64, BackendError> {
        let numbers = |(set, index): (usize, usize)| self.image(set, index, GroupElement::IDENTITY, control);
        let [first, second] = [numbers(job.samples[0])?.features, numbers(job.samples[1])?.features];
        Ok(first.iter().zip(&second).map(|(x, y)| x * y).sum::<f64>() / first.len() as f64)
    }

    fn image(
        &self,
        set: usize,
        index: usize,
        element: GroupElement,
        control: &Control,
    ) -> Result<Image, BackendError> {
        let samples = if set == 0 { self.pairs.first() } else { self.pairs.second() };
        Image::new(&self.plan, samples, (index, element), self.sets[set].sizes[index], control)
    }

    fn element(&self, g: &GroupElement) -> usize {
        self.elements.iter().position(|e| e == g).unwrap_or(0)
    }

    /// The blocks of one pair whose mean is the readout: (f, g·f') for g in the orbit, or all (h·f, g·f').
    fn blocks<'b>(
        &self,
        orbit: &'b [GroupElement],
    ) -> impl Iterator<Item = (&'b GroupElement, &'b GroupElement)> {
        let firsts = if self.options.all_blocks { orbit } else { &orbit[..1] };
        firsts.iter().flat_map(move |h| orbit.iter().map(move |g| (h, g)))
    }

    fn lanes<'b>(&'b self, job: &'b Job, orbit: &'b [GroupElement]) -> impl Iterator<Item = Lane> + 'b {
        let copy = |side: usize, g: &GroupElement| {
            let (set, index) = job.samples[side];
            (set, index * self.elements.len() + self.element(g))
        };
        self.blocks(orbit).map(move |(h, g)| {
            let copies = [copy(0, h), copy(1, g)];
            let [first, second] = copies.map(|(set, copy)| self.sets[set].prints[copy]);
            let flags = u32::from(first == second) | u32::from(job.same && h == g) << 1;
            Lane { places: copies, flags }
        })
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds, of a tile of which `begun` pairs are done.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        begun: usize,
        control: &Control,
    ) -> Result<Vec<(usize, usize, Scalar)>, BackendError> {
        let pairs: Vec<(usize, usize)> = rows
            .clone()
            .flat_map(|row| cols.clone().map(move |col| (row, col)))
            .filter(|(row, col)| wanted(*row, *col))
            .collect();
        let last = self.last_set();
        let job = |&(row, col): &(usize, usize)| Job {
            samples: [(0, row), (last, col)],
            same: self.pairs.is_symmetric() && row == col,
        };
        let jobs: Vec<Job> = pairs.iter().map(job).collect();
        let tell = under_way(control, begun, jobs.len());
        let found = self.readouts(&jobs, Watch { control, tell: &tell })?;
        let judged = on_all_cores(jobs.len(), control, |at| {
            let job = &jobs[at];
            let readouts = self.with_own(job, &found[at]);
            let value = self.plan.run_head(&readouts, job.same);
            let finite = value.nngp.is_finite() && value.ntk.is_finite();
            let doubtful = !finite
                || (!self.twins(job) && self.delicate.reads(&readouts))
                || self.beside(job)
                || self.faint(job);
            Ok((value, doubtful))
        })?;
        let again: Vec<usize> = (0..jobs.len()).filter(|&at| judged[at].1).collect();
        let mut values: Vec<Scalar> = judged.into_iter().map(|(value, _)| value).collect();
        let precise = on_all_cores(again.len(), control, |i| self.precise(&jobs[again[i]], control))?;
        for (at, value) in again.into_iter().zip(precise) {
            values[at] = value;
        }
        pairs.into_iter().zip(values).map(|((row, col), value)| self.scaled(row, col, value)).collect()
    }

    fn with_own(&self, job: &Job, readouts: &[[f64; 2]]) -> Vec<Scalar> {
        let own = |side: usize, i: usize| {
            let (set, index) = job.samples[side];
            self.sets[set].own.get(index).map_or(0.0, |own| own[i])
        };
        let scalar = |(i, [nngp, ntk]): (usize, &[f64; 2])| Scalar {
            nngp: *nngp,
            ntk: *ntk,
            v: own(0, i),
            vp: own(1, i),
        };
        readouts.iter().enumerate().map(scalar).collect()
    }

    /// Whether both samples are bit for bit equal.
    fn twins(&self, job: &Job) -> bool {
        let [first, second] =
            job.samples.map(|(set, index)| self.sets[set].prints[index * self.elements.len()]);
        first == second
    }

    /// Whether float32 cannot compute one of them.
    fn faint(&self, job: &Job) -> bool {
        job.samples.iter().any(|(set, index)| self.sets[*set].faint[*index])
    }

    /// Whether the first sample is nearly parallel to a copy of the second that is not equal to it, where that matters.
    fn beside(&self, job: &Job) -> bool {
        if !self.delicate.stages {
            return false;
        }
        let [(set, row), (other, col)] = job.samples;
        let count = self.elements.len();
        let [first, second] = [&self.sets[set], &self.sets[other]];
        (col * count..(col + 1) * count).any(|copy| {
            first.prints[row * count] != second.prints[copy]
                && self.delicate.compares(&first.directions[row * count], &second.directions[copy])
        })
    }

    /// A value in the samples' own size.
    fn scaled(
        &self,
        row: usize,
        col: usize,
        mut value: Scalar,
    ) -> Result<(usize, usize, Scalar), BackendError> {
        let size = self.sets[0].sizes[row] * self.sets[self.last_set()].sizes[col];
        (value.nngp, value.ntk) = (value.nngp * size, value.ntk * size);
        Ok((row, col, value.finite(row, col)?))
    }
}

impl Chunked for WgpuSession {
    type Strategy = Box<dyn Strategy>;

    fn working(&self) -> &Working<Box<dyn Strategy>> {
        &self.working
    }

    fn upload(&self, device: &Device, watch: Watch<'_>) -> Result<Resident<Box<dyn Strategy>>, BackendError> {
        let copies = (&self.pairs, &self.elements[..]);
        Ok(Resident::<Box<dyn Strategy>>::new(device, &self.plan, &self.options, copies, watch)?)
    }

    fn value(
        &self,
        strategy: &Box<dyn Strategy>,
        words: &[u32],
        _: (usize, &Lane),
        device: &str,
    ) -> Result<[f64; 2], GpuError> {
        strategy.value(words, device)
    }
}

impl Prepared for WgpuSession {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let mut begun = 0;
        assemble(self.pairs.is_symmetric(), self.plan.kinds, (&rows, &cols), |block, wanted| {
            let found = self.block(block, wanted, begun, control)?;
            begun += found.len();
            Ok(found)
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        // A second or so of a card that does 1e12 operations in one, or of a processor, but one pair at least: progress is
        // reported and results are kept tile by tile.
        let second = if self.working.resident().device.is_software() { 2e9 } else { 5e11 };
        let pairs = second / self.plan.cost().flops.max(1) as f64;
        let side = (pairs.sqrt() as usize).next_power_of_two().clamp(1, 256);
        [side, side]
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn memory(&self) -> [u64; 2] {
        let resident = self.working.resident();
        let host = self.sets.iter().map(Set::bytes).sum::<u64>() + self.delicate_samples.bytes();
        [resident.bytes() + host, resident.working_bytes(self.working.chunk_bytes())]
    }
}

/// The mean of the blocks of a pair.
fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    let share = 1.0 / values.len().max(1) as f64;
    values.iter().fold([0.0; 2], |sum, value| [sum[0] + value[0] * share, sum[1] + value[1] * share])
}
