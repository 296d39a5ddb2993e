//! Prepared samples on the CPU and the tiles computed from them.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use ekernel_core::{
    BackendError, Control, Element, Kernels, Pairs, Progress, Samples, Session,
    plan::{Plan, Readout, Scalar as HeadValue},
};
use ndarray::Axis;
use rayon::prelude::*;

use crate::{
    CpuOptions,
    engine::{Copy, Engine, Firsts, Lane},
    planes::Scalar,
    precise::Delicate,
    tile::{self, Entries},
};

/// Samples per unit of preparation.
const BATCH: usize = 16;

/// The prepared copies of one set of samples.
struct Set<T> {
    /// `[sample][element]`, elements as in [`CpuSession::elements`].
    copies: Vec<Vec<Copy<T>>>,
    /// Each sample's value with itself at each readout, where the head needs it.
    own: Vec<Vec<f64>>,
    /// What each sample was divided by.
    sizes: Vec<f64>,
}

/// Samples prepared for one plan, in precision `T`.
pub(crate) struct CpuSession<'a, T> {
    plan: &'a Plan,
    options: CpuOptions,
    threads: usize,
    engine: Engine<'a>,
    /// Every element of an orbit, each once; the identity first.
    elements: Vec<Element>,
    sets: Vec<Set<T>>,
    symmetric: bool,
    delicate: Delicate,
}

impl<'a, T: Scalar> CpuSession<'a, T> {
    pub(crate) fn new(
        plan: &'a Plan,
        options: CpuOptions,
        pool: &rayon::ThreadPool,
        pairs: Pairs<'_>,
        control: &Control,
    ) -> Result<CpuSession<'a, T>, BackendError> {
        let mut elements = vec![Element::IDENTITY];
        for readout in &plan.readouts {
            if let Readout::Planes { orbit, .. } = readout {
                for g in orbit {
                    if !elements.contains(g) {
                        elements.push(*g);
                    }
                }
            }
        }
        let samples =
            if pairs.is_symmetric() { vec![pairs.first()] } else { vec![pairs.first(), pairs.second()] };
        // One answer for all samples, so that an entry does not depend on the tile it is computed in.
        let nonnegative = samples.iter().all(|set| nonnegative(set));
        let mut session = CpuSession {
            plan,
            options,
            threads: pool.current_num_threads(),
            engine: Engine::new(plan, &options, nonnegative),
            elements,
            sets: Vec::new(),
            symmetric: pairs.is_symmetric(),
            delicate: Delicate::new::<T>(plan),
        };
        let of = samples.iter().map(|set| set.len()).sum();
        let done = AtomicUsize::new(0);
        for set in samples {
            let prepared = pool.install(|| session.prepare(set, (&done, of), control))?;
            session.sets.push(prepared);
        }
        Ok(session)
    }

    fn prepare(
        &self,
        samples: &Samples,
        (done, of): (&AtomicUsize, usize),
        control: &Control,
    ) -> Result<Set<T>, BackendError> {
        let starts: Vec<usize> = (0..samples.len()).step_by(BATCH).collect();
        let batches: Vec<Set<T>> = starts
            .into_par_iter()
            .map(|start| {
                control.check()?;
                let end = (start + BATCH).min(samples.len());
                let sizes: Vec<f64> = (start..end).map(|index| self.size(samples, index)).collect();
                let copies = self.copies(samples, start, &sizes);
                let own = if self.plan.needs_self { self.own(&copies) } else { vec![] };
                let done = done.fetch_add(end - start, Ordering::Relaxed) + end - start;
                control.report(Progress::Prepared { done, of });
                Ok(Set { copies, own, sizes })
            })
            .collect::<Result<_, BackendError>>()?;
        let mut set = Set { copies: Vec::new(), own: Vec::new(), sizes: Vec::new() };
        for batch in batches {
            set.copies.extend(batch.copies);
            set.own.extend(batch.own);
            set.sizes.extend(batch.sizes);
        }
        Ok(set)
    }

    /// What a sample is divided by before it is rounded to T: its root mean square if the plan is homogeneous. Parallel
    /// samples are equal then, to the last bit of every plane, and a head that reads their angle finds none.
    fn size(&self, samples: &Samples, index: usize) -> f64 {
        if self.plan.is_homogeneous() { root_mean_square(samples, index) } else { 1.0 }
    }

    /// The copies of the samples from `start` on, each divided by its size.
    fn copies(&self, samples: &Samples, start: usize, sizes: &[f64]) -> Vec<Vec<Copy<T>>> {
        let all = sizes
            .iter()
            .zip(start..)
            .flat_map(|(&size, i)| self.elements.iter().map(move |&g| Copy::new(samples, i, g, size)))
            .collect();
        let mut all = self.engine.prepare(all).into_iter();
        sizes.iter().map(|_| all.by_ref().take(self.elements.len()).collect()).collect()
    }

    /// The value of each sample with itself at each readout.
    fn own<U: Scalar>(&self, copies: &[Vec<Copy<U>>]) -> Vec<Vec<f64>> {
        let mut own = vec![Vec::with_capacity(self.plan.readouts.len()); copies.len()];
        for (index, readout) in self.plan.readouts.iter().enumerate() {
            match readout {
                Readout::Vector => {
                    own.iter_mut().zip(copies).for_each(|(own, copy)| own.push(copy[0].inner(&copy[0])));
                }
                Readout::Planes { orbit, .. } => {
                    let lanes: Vec<Lane<'_, U>> =
                        copies.iter().flat_map(|sample| self.lanes(sample, sample, orbit, true)).collect();
                    let per_pair = lanes.len() / copies.len();
                    let values = self.engine.evaluate(index, &lanes);
                    for (own, values) in own.iter_mut().zip(values.chunks(per_pair)) {
                        own.push(mean(values)[0]);
                    }
                }
                Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => {}
            }
        }
        own
    }

    /// The blocks of one pair whose mean is the readout: (f, g·f') for g in the orbit, or all (h·f, g·f').
    fn lanes<'b, U>(
        &self,
        first: &'b [Copy<U>],
        second: &'b [Copy<U>],
        orbit: &[Element],
        same: bool,
    ) -> Vec<Lane<'b, U>> {
        let index = |g: &Element| self.elements.iter().position(|e| e == g).unwrap_or(0);
        let firsts = if self.options.all_blocks { orbit } else { &orbit[..1] };
        let mut lanes = Vec::with_capacity(firsts.len() * orbit.len());
        for h in firsts {
            for g in orbit {
                lanes.push(Lane { first: &first[index(h)], second: &second[index(g)], same: same && h == g });
            }
        }
        lanes
    }

    fn sets(&self) -> [&Set<T>; 2] {
        [&self.sets[0], &self.sets[self.sets.len() - 1]]
    }

    /// The readouts of one pair, all of them computed in float64.
    fn precise(&self, row: usize, col: usize) -> Vec<HeadValue> {
        let [x, y] = self.sets();
        let prepare =
            |copies: &[Copy<T>]| self.engine.prepare(copies.iter().map(Copy::converted::<f64>).collect());
        let copies = [prepare(&x.copies[row]), prepare(&y.copies[col])];
        let own = if self.plan.needs_self {
            self.own(&copies)
        } else {
            vec![vec![0.0; self.plan.readouts.len()]; copies.len()]
        };
        let readout = |(index, readout): (usize, &Readout)| {
            let [nngp, ntk] = match readout {
                Readout::Vector => [copies[0][0].inner(&copies[1][0]), 0.0],
                Readout::Planes { orbit, .. } => {
                    let lanes = self.lanes(&copies[0], &copies[1], orbit, self.symmetric && row == col);
                    mean(&self.engine.evaluate(index, &lanes))
                }
                Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => [0.0; 2],
            };
            HeadValue { nngp, ntk, v: own[0][index], vp: own[1][index] }
        };
        self.plan.readouts.iter().enumerate().map(readout).collect()
    }

    /// The head's result for one pair with these readouts.
    fn finish(&self, readouts: &[[f64; 2]], row: usize, col: usize) -> Result<HeadValue, BackendError> {
        let [x, y] = self.sets();
        let mut values: Vec<HeadValue> = readouts
            .iter()
            .enumerate()
            .map(|(i, [nngp, ntk])| {
                let own = |set: &Set<T>, index: usize| set.own.get(index).map_or(0.0, |own| own[i]);
                HeadValue { nngp: *nngp, ntk: *ntk, v: own(x, row), vp: own(y, col) }
            })
            .collect();
        if self.delicate.concerns(&values, &x.copies[row][0], &y.copies[col]) {
            values = self.precise(row, col);
        }
        let mut value = self.plan.run_head(&values, self.symmetric && row == col);
        let size = x.sizes[row] * y.sizes[col];
        (value.nngp, value.ntk) = (value.nngp * size, value.ntk * size);
        let bad = [value.nngp, value.ntk].into_iter().find(|x| !x.is_finite());
        match bad {
            None => Ok(value),
            Some(value) => Err(BackendError::NotFinite {
                row,
                col,
                value,
                reason: "the expectation does not exist or overflows there; scale the data or the weights down, or use \
                         precision f64"
                    .to_owned(),
            }),
        }
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        control: &Control,
    ) -> Result<Entries, BackendError> {
        let mut readouts = vec![vec![[0.0; 2]; self.plan.readouts.len()]; rows.len() * cols.len()];
        for (index, readout) in self.plan.readouts.iter().enumerate() {
            match readout {
                Readout::Vector => self.vectors(index, (rows, cols), &mut readouts),
                Readout::Planes { orbit, .. } => {
                    self.planes(index, orbit, (rows, cols), wanted, control, &mut readouts)?;
                }
                Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => {}
            }
        }
        let mut values = Vec::new();
        for row in rows.clone() {
            for col in cols.clone().filter(|&col| wanted(row, col)) {
                let at = (row - rows.start) * cols.len() + col - cols.start;
                values.push((row, col, self.finish(&readouts[at], row, col)?));
            }
        }
        Ok(values)
    }

    fn vectors(
        &self,
        index: usize,
        (rows, cols): (&Range<usize>, &Range<usize>),
        readouts: &mut [Vec<[f64; 2]>],
    ) {
        let [x, y] = self.sets();
        let mut at = 0;
        for row in rows.clone() {
            for col in cols.clone() {
                readouts[at][index] = [x.copies[row][0].inner(&y.copies[col][0]), 0.0];
                at += 1;
            }
        }
    }

    /// The mean over the orbit at one readout, a register of second images at a time.
    fn planes(
        &self,
        index: usize,
        orbit: &[Element],
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        control: &Control,
        readouts: &mut [Vec<[f64; 2]>],
    ) -> Result<(), BackendError> {
        let [x, y] = self.sets();
        let element = |g: &Element| self.elements.iter().position(|e| e == g).unwrap_or(0);
        let firsts = if self.options.all_blocks { orbit } else { &orbit[..1] };
        let share = 1.0 / (firsts.len() * orbit.len()) as f64;
        let lanes: Vec<(usize, &Element)> =
            cols.clone().flat_map(|col| orbit.iter().map(move |g| (col, g))).collect();
        let mut workspace = None;
        for chunk in lanes.chunks(self.engine.width::<T>()) {
            let seconds = chunk.iter().map(|(col, g)| &y.copies[*col][element(g)]).collect();
            let register = self.engine.register(index, seconds);
            for row in rows.clone() {
                if !chunk.iter().any(|(col, _)| wanted(row, *col)) {
                    continue;
                }
                control.check()?;
                for h in firsts {
                    let same: Vec<bool> =
                        chunk.iter().map(|(col, g)| self.symmetric && row == *col && *g == h).collect();
                    let first = Firsts::One(&x.copies[row][element(h)]);
                    let values = self.engine.run(&register, first, &same, &mut workspace);
                    for ((col, _), [nngp, ntk]) in chunk.iter().zip(values) {
                        let sum = &mut readouts[(row - rows.start) * cols.len() + col - cols.start][index];
                        sum[0] += nngp * share;
                        sum[1] += ntk * share;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<T: Scalar> Session for CpuSession<'_, T> {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        tile::assemble(self.symmetric, self.plan.kinds, (&rows, &cols), |block, wanted| {
            self.block(block, wanted, control)
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        // Whole registers of columns; small enough for a tile to take a second or so.
        [16, 64]
    }

    fn concurrency(&self) -> usize {
        self.threads
    }

    fn memory(&self) -> [u64; 2] {
        let samples: usize = self.sets.iter().map(|set| set.copies.len()).sum();
        [
            (samples * self.elements.len()) as u64 * self.engine.bytes_per_copy::<T>(),
            self.engine.bytes_per_thread::<T>(),
        ]
    }
}

/// √(mean x²), of numbers whose squares may leave the range of f64; 1 for zeros alone.
fn root_mean_square(samples: &Samples, index: usize) -> f64 {
    fn of<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
        let largest = values.clone().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        if largest == 0.0 {
            return 1.0;
        }
        let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + (x / largest).powi(2), count + 1));
        largest * (sum / f64::from(count)).sqrt()
    }
    match samples {
        Samples::Vectors(x) => of(x.row(index).iter()),
        Samples::Images(x) | Samples::Spheres(x) => of(x.index_axis(Axis(0), index).iter()),
        Samples::Molecules(_) => 1.0,
    }
}

fn nonnegative(samples: &Samples) -> bool {
    match samples {
        Samples::Vectors(x) => x.iter().all(|x| *x >= 0.0),
        Samples::Images(x) | Samples::Spheres(x) => x.iter().all(|x| *x >= 0.0),
        Samples::Molecules(_) => false,
    }
}

/// The mean of the blocks, added up as [`CpuSession::planes`] does, so that a sample with itself is bit for bit its own
/// value.
fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    let share = 1.0 / values.len() as f64;
    values.iter().fold([0.0; 2], |sum, value| [sum[0] + value[0] * share, sum[1] + value[1] * share])
}
