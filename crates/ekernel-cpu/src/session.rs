//! Prepared samples on the CPU and the tiles computed from them.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ekernel_core::{
    BackendError, Control, Entries, GroupElement, Kernels, Pairs, Prepared, Progress, Samples, assemble,
    plan::{Plan, Readout, Scalar as HeadValue},
};
use rayon::prelude::*;

use crate::{
    CpuOptions,
    engine::{Copy, Engine, Firsts, Lane},
    planes::Scalar,
    precise::Delicate,
};

/// Samples per unit of preparation.
const BATCH: usize = 16;

/// Rows and columns of a tile.
const TILE: [usize; 2] = [16, 64];

/// The prepared copies of one set of samples.
struct Set<T> {
    /// `[sample][element]`, elements as in [`CpuSession::elements`].
    copies: Vec<Vec<Copy<T>>>,
    /// Each sample's value with itself at each readout, where the head needs it.
    own: Vec<Vec<f64>>,
    /// What each sample was divided by.
    sizes: Vec<f64>,
}

/// One sample in float64, for pairs that T would spoil.
struct Precise {
    /// `[element]`
    copies: Vec<Copy<f64>>,
    /// Its value with itself at each readout, where the head needs it.
    own: Vec<f64>,
}

/// Pairs (row, col) and what the head reads of them.
type PreciseValues = Vec<((usize, usize), Vec<HeadValue>)>;

/// Samples prepared for one plan, in precision `T`.
pub(crate) struct CpuSession<T> {
    plan: Arc<Plan>,
    options: CpuOptions,
    threads: usize,
    engine: Engine,
    /// Every element of an orbit, each once; the identity first.
    elements: Vec<GroupElement>,
    sets: Vec<Set<T>>,
    symmetric: bool,
    delicate: Delicate,
}

impl<T: Scalar> CpuSession<T> {
    pub(crate) fn new(
        plan: &Arc<Plan>,
        options: CpuOptions,
        pool: &rayon::ThreadPool,
        pairs: &Pairs,
        control: &Control,
    ) -> Result<CpuSession<T>, BackendError> {
        let mut elements = vec![GroupElement::IDENTITY];
        for readout in &plan.readouts {
            if let Readout::Planes { orbit, .. } = readout {
                for g in orbit {
                    if !elements.contains(g) {
                        elements.push(*g);
                    }
                }
            }
        }
        let samples = pairs.sets();
        // One answer for all samples, so that an entry does not depend on the tile it is computed in.
        let nonnegative = samples.iter().all(|set| nonnegative(set));
        let mut session = CpuSession {
            plan: Arc::clone(plan),
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
        let copies = session.sets.iter().flat_map(|set| &set.copies).flatten();
        session.delicate = session.delicate.of(copies);
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
        if self.plan.is_homogeneous() { samples.root_mean_square(index) } else { 1.0 }
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
        orbit: &[GroupElement],
        same: bool,
    ) -> Vec<Lane<'b, U>> {
        let index = |g: &GroupElement| self.elements.iter().position(|e| e == g).unwrap_or(0);
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

    /// What the head reads of one pair with these readouts.
    fn head_values(&self, readouts: &[[f64; 2]], row: usize, col: usize) -> Vec<HeadValue> {
        let [x, y] = self.sets();
        let own = |set: &Set<T>, index: usize, i: usize| set.own.get(index).map_or(0.0, |own| own[i]);
        let value = |(i, [nngp, ntk]): (usize, &[f64; 2])| HeadValue {
            nngp: *nngp,
            ntk: *ntk,
            v: own(x, row, i),
            vp: own(y, col, i),
        };
        readouts.iter().enumerate().map(value).collect()
    }

    /// The head's result for one pair.
    fn finish(&self, values: &[HeadValue], row: usize, col: usize) -> Result<HeadValue, BackendError> {
        let [x, y] = self.sets();
        let mut value = self.plan.run_head(values, self.symmetric && row == col);
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
        let [x, y] = self.sets();
        let (mut values, mut delicate) = (Vec::new(), Vec::new());
        for row in rows.clone() {
            for col in cols.clone().filter(|&col| wanted(row, col)) {
                let at = (row - rows.start) * cols.len() + col - cols.start;
                let pair = self.head_values(&readouts[at], row, col);
                if self.delicate.concerns(&pair, &x.copies[row][0], &y.copies[col]) {
                    delicate.push((row, col));
                } else {
                    values.push((row, col, self.finish(&pair, row, col)?));
                }
            }
        }
        for ((row, col), pair) in self.precise(&delicate, control)? {
            values.push((row, col, self.finish(&pair, row, col)?));
        }
        Ok(values)
    }

    /// What the head reads of pairs (row, col), sorted by row, computed in float64. Samples are prepared anew and forgotten
    /// again, so that memory does not grow with the number of such pairs.
    fn precise(&self, pairs: &[(usize, usize)], control: &Control) -> Result<PreciseValues, BackendError> {
        let mut rows: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        let mut cols: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
        for indices in [&mut rows, &mut cols] {
            indices.sort_unstable();
            indices.dedup();
        }
        let [x, y] = self.sets();
        let (first, second) =
            (self.prepare_precise(x, &rows, control)?, self.prepare_precise(y, &cols, control)?);
        let mut results = Vec::with_capacity(pairs.len());
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            let f = &first[&group[0].0];
            let lanes = self.elements.len() * if self.options.all_blocks { self.elements.len() } else { 1 };
            for some in group.chunks((self.engine.width::<f64>() / lanes).max(1)) {
                control.check()?;
                let head_value = |(row, col): (usize, usize), i: usize, [nngp, ntk]: [f64; 2]| HeadValue {
                    nngp,
                    ntk,
                    v: first[&row].own.get(i).copied().unwrap_or(0.0),
                    vp: second[&col].own.get(i).copied().unwrap_or(0.0),
                };
                let mut values: PreciseValues = some.iter().map(|pair| (*pair, Vec::new())).collect();
                for (i, readout) in self.plan.readouts.iter().enumerate() {
                    let found: Vec<[f64; 2]> = match readout {
                        Readout::Vector => some
                            .iter()
                            .map(|(_, col)| [f.copies[0].inner(&second[col].copies[0]), 0.0])
                            .collect(),
                        Readout::Planes { orbit, .. } => {
                            let lanes: Vec<Lane<'_, f64>> = some
                                .iter()
                                .flat_map(|(row, col)| {
                                    let same = self.symmetric && row == col;
                                    self.lanes(&f.copies, &second[col].copies, orbit, same)
                                })
                                .collect();
                            let per_pair = lanes.len() / some.len();
                            self.engine.evaluate(i, &lanes).chunks(per_pair).map(mean).collect()
                        }
                        Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => {
                            vec![[0.0; 2]; some.len()]
                        }
                    };
                    for ((pair, values), found) in values.iter_mut().zip(found) {
                        values.push(head_value(*pair, i, found));
                    }
                }
                results.append(&mut values);
            }
        }
        Ok(results)
    }

    /// These samples of a set, prepared in float64.
    fn prepare_precise(
        &self,
        set: &Set<T>,
        indices: &[usize],
        control: &Control,
    ) -> Result<BTreeMap<usize, Precise>, BackendError> {
        let mut prepared = BTreeMap::new();
        for some in indices.chunks(BATCH) {
            control.check()?;
            let all = some.iter().flat_map(|&index| set.copies[index].iter().map(Copy::converted::<f64>));
            let mut all = self.engine.prepare(all.collect()).into_iter();
            let copies: Vec<Vec<Copy<f64>>> =
                some.iter().map(|_| all.by_ref().take(self.elements.len()).collect()).collect();
            let own = if self.plan.needs_self { self.own(&copies) } else { vec![vec![]; some.len()] };
            let samples = copies.into_iter().zip(own).map(|(copies, own)| Precise { copies, own });
            prepared.extend(some.iter().copied().zip(samples));
        }
        Ok(prepared)
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
        orbit: &[GroupElement],
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        control: &Control,
        readouts: &mut [Vec<[f64; 2]>],
    ) -> Result<(), BackendError> {
        let [x, y] = self.sets();
        let element = |g: &GroupElement| self.elements.iter().position(|e| e == g).unwrap_or(0);
        let firsts = if self.options.all_blocks { orbit } else { &orbit[..1] };
        let share = 1.0 / (firsts.len() * orbit.len()) as f64;
        let lanes: Vec<(usize, &GroupElement)> =
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

impl<T: Scalar> Prepared for CpuSession<T> {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        assemble(self.symmetric, self.plan.kinds, (&rows, &cols), |block, wanted| {
            self.block(block, wanted, control)
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        // Whole registers of columns; small enough for a tile to take a second or so.
        TILE
    }

    fn concurrency(&self) -> usize {
        self.threads
    }

    fn memory(&self) -> [u64; 2] {
        let samples: usize = self.sets.iter().map(|set| set.copies.len()).sum();
        let copies = |samples: usize| (samples * self.elements.len()) as u64;
        let mut tile = self.engine.bytes_per_thread::<T>();
        if self.delicate.is_possible() {
            tile += copies(TILE[0] + TILE[1]) * self.engine.bytes_per_copy::<f64>();
            tile += self.engine.bytes_per_thread::<f64>();
        }
        [copies(samples) * self.engine.bytes_per_copy::<T>(), tile]
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
