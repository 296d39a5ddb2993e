//! Prepared samples on a GPU and the tiles computed from them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use ekernel_core::{
    BackendError, Control, Element, Kernels, Kinds, Pairs, Session,
    plan::{Plan, Readout, Scalar},
};
use ndarray::Array2;

use crate::{
    Device, GpuError, WgpuOptions,
    copies::Set,
    device::lock,
    host::{Delicate, Image, Maps, Pair},
    recorder::{Pace, Readback, Recorder},
    resident::Resident,
    strategy::Lanes,
};

/// Working buffers are not made smaller than this.
const SMALLEST_CHUNK: u64 = 1 << 16;

/// Chunks whose results are still under way.
const CHUNKS_IN_FLIGHT: usize = 2;

/// A pair of samples: of the first set and of the last.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// Set and sample, twice.
    samples: [(usize, usize); 2],
    /// Whether both are one sample of a symmetric Gram matrix.
    same: bool,
}

/// A pair of copies: of which set and which copy in it, and flags.
#[derive(Clone, Copy, Debug)]
struct Lane {
    copies: [(usize, usize); 2],
    flags: u32,
}

/// Samples prepared for one plan.
pub(crate) struct WgpuSession<'a> {
    plan: Arc<Plan>,
    options: WgpuOptions,
    pairs: Pairs<'a>,
    /// Every element of an orbit, each once; the identity first.
    elements: Vec<Element>,
    sets: Vec<Set>,
    delicate: Delicate,
    resident: Mutex<Arc<Resident>>,
    chunk_bytes: AtomicU64,
    pace: Pace,
    /// Values of samples with themselves in float64, found for delicate pairs.
    precise_own: Mutex<HashMap<(usize, usize), Vec<f64>>>,
}

impl<'a> WgpuSession<'a> {
    pub(crate) fn new(
        device: Device,
        plan: &Arc<Plan>,
        options: WgpuOptions,
        pairs: Pairs<'a>,
        control: &Control,
    ) -> Result<WgpuSession<'a>, BackendError> {
        let mut elements = vec![Element::IDENTITY];
        for readout in &plan.readouts {
            if let Readout::Planes { orbit, .. } = readout {
                elements.extend(orbit.iter().filter(|g| **g != Element::IDENTITY));
            }
        }
        elements.sort_unstable();
        elements.dedup();
        let first = elements.iter().position(|g| *g == Element::IDENTITY).unwrap_or(0);
        elements.swap(0, first);
        let delicate = Delicate::new(plan);
        let samples =
            if pairs.is_symmetric() { vec![pairs.first()] } else { vec![pairs.first(), pairs.second()] };
        let sets = samples.iter().map(|set| Set::new(plan, set, &elements, delicate.stages)).collect();
        let chunk_bytes = options.chunk_bytes.min(device.largest_binding()).max(SMALLEST_CHUNK);
        let resident = Resident::new(device, plan, &options, (pairs, &elements), control)?;
        let mut session = WgpuSession {
            plan: Arc::clone(plan),
            options,
            pairs,
            elements,
            sets,
            delicate,
            resident: Mutex::new(Arc::new(resident)),
            chunk_bytes: AtomicU64::new(chunk_bytes),
            pace: Pace::new(),
            precise_own: Mutex::default(),
        };
        if plan.needs_self {
            for set in 0..session.sets.len() {
                let itself = |index| Job { samples: [(set, index); 2], same: true };
                let jobs: Vec<Job> = (0..samples[set].len()).map(itself).collect();
                let own = session.readouts(&jobs, control)?;
                let nngp = |values: Vec<[f64; 2]>| values.into_iter().map(|value| value[0]).collect();
                session.sets[set].own = own.into_iter().map(nngp).collect();
            }
        }
        Ok(session)
    }

    fn last_set(&self) -> usize {
        self.sets.len() - 1
    }

    /// Every readout of every pair.
    fn readouts(&self, jobs: &[Job], control: &Control) -> Result<Vec<Vec<[f64; 2]>>, BackendError> {
        let mut values = vec![vec![[0.0; 2]; self.plan.readouts.len()]; jobs.len()];
        for (index, readout) in self.plan.readouts.iter().enumerate() {
            match readout {
                Readout::Vector => {
                    for (job, values) in jobs.iter().zip(&mut values) {
                        values[index] = [self.inner(job), 0.0];
                    }
                }
                Readout::Planes { orbit, .. } => {
                    let lanes: Vec<Lane> = jobs.iter().flat_map(|job| self.lanes(job, orbit)).collect();
                    let per_pair = lanes.len() / jobs.len().max(1);
                    let results = self.run(index, &lanes, control)?;
                    for (values, results) in values.iter_mut().zip(results.chunks(per_pair.max(1))) {
                        values[index] = mean(results);
                    }
                }
            }
        }
        Ok(values)
    }

    /// K⁰ of two vectors.
    fn inner(&self, job: &Job) -> f64 {
        let [first, second] =
            job.samples.map(|(set, index)| self.image(set, index, Element::IDENTITY).features);
        first.iter().zip(&second).map(|(x, y)| x * y).sum::<f64>() / first.len() as f64
    }

    fn image(&self, set: usize, index: usize, element: Element) -> Image {
        let samples = if set == 0 { self.pairs.first() } else { self.pairs.second() };
        Image::new(&self.plan, samples, index, element, self.sets[set].sizes[index])
    }

    fn element(&self, g: &Element) -> usize {
        self.elements.iter().position(|e| e == g).unwrap_or(0)
    }

    /// The blocks of one pair whose mean is the readout: (f, g·f') for g in the orbit, or all (h·f, g·f').
    fn blocks<'b>(&self, orbit: &'b [Element]) -> impl Iterator<Item = (&'b Element, &'b Element)> {
        let firsts = if self.options.all_blocks { orbit } else { &orbit[..1] };
        firsts.iter().flat_map(move |h| orbit.iter().map(move |g| (h, g)))
    }

    fn lanes<'b>(&'b self, job: &'b Job, orbit: &'b [Element]) -> impl Iterator<Item = Lane> + 'b {
        let copy = |side: usize, g: &Element| {
            let (set, index) = job.samples[side];
            (set, index * self.elements.len() + self.element(g))
        };
        self.blocks(orbit).map(move |(h, g)| {
            let copies = [copy(0, h), copy(1, g)];
            let [first, second] = copies.map(|(set, copy)| self.sets[set].prints[copy]);
            let flags = u32::from(first == second) | u32::from(job.same && h == g) << 1;
            Lane { copies, flags }
        })
    }

    /// (K, Θ) of every lane at a readout. A lost device is opened anew once; where memory runs out, chunks are halved.
    fn run(&self, index: usize, lanes: &[Lane], control: &Control) -> Result<Vec<[f64; 2]>, GpuError> {
        let mut results: Vec<Option<[f64; 2]>> = vec![None; lanes.len()];
        let mut revived = false;
        loop {
            let resident = Arc::clone(&lock(&self.resident));
            match self.attempt(&resident, index, lanes, &mut results, control) {
                Ok(()) => return Ok(results.into_iter().map(Option::unwrap_or_default).collect()),
                Err(GpuError::Lost { .. }) if !revived => {
                    revived = true;
                    self.revive(&resident, control)?;
                }
                Err(error @ GpuError::OutOfMemory { .. }) => {
                    let bytes = self.chunk_bytes.load(Ordering::Relaxed);
                    if bytes <= SMALLEST_CHUNK {
                        return Err(error);
                    }
                    tracing::warn!("{error}; chunks are halved to {} bytes", bytes / 2);
                    self.chunk_bytes.store(bytes / 2, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the device anew and uploads everything again, unless another thread has done so.
    fn revive(&self, lost: &Arc<Resident>, control: &Control) -> Result<(), GpuError> {
        let mut resident = lock(&self.resident);
        if Arc::ptr_eq(&resident, lost) {
            tracing::warn!("{} was lost; it is opened anew", lost.device.describe());
            let device = lost.device.reopen()?;
            let anew =
                Resident::new(device, &self.plan, &self.options, (self.pairs, &self.elements), control)?;
            *resident = Arc::new(anew);
        }
        Ok(())
    }

    /// Computes the lanes that have no result yet.
    fn attempt(
        &self,
        resident: &Resident,
        index: usize,
        lanes: &[Lane],
        results: &mut [Option<[f64; 2]>],
        control: &Control,
    ) -> Result<(), GpuError> {
        let Some(readout) = &resident.readouts[index] else { return Ok(()) };
        let strategy = readout.strategy.as_ref();
        let page = |(set, copy): (usize, usize)| (set, copy / resident.per_page);
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, lane) in lanes.iter().enumerate().filter(|(at, _)| results[*at].is_none()) {
            groups.entry(lane.copies.map(page)).or_default().push(at);
        }
        let mut recorder = Recorder::new(&resident.device, &self.pace, control);
        let mut under_way: VecDeque<(Readback, Vec<usize>)> = VecDeque::new();
        let words = strategy.result_words();
        let mut collect = |recorder: &mut Recorder<'_>, (readback, ids): (Readback, Vec<usize>)| {
            let found = recorder.finish(&readback)?;
            for (id, words) in ids.into_iter().zip(found.chunks(words)) {
                results[id] = Some(strategy.value(words, resident.device.name())?);
            }
            Ok::<(), GpuError>(())
        };
        let chunk_bytes = self.chunk_bytes.load(Ordering::Relaxed);
        let full = strategy.max_lanes(chunk_bytes);
        for (pages, ids) in groups {
            for ids in ids.chunks(full as usize) {
                let data: Vec<[u32; 4]> = ids
                    .iter()
                    .map(|&id| {
                        let [first, second] =
                            lanes[id].copies.map(|(_, copy)| (copy % resident.per_page) as u32);
                        [first, second, lanes[id].flags, 0]
                    })
                    .collect();
                let device = &resident.device;
                let lane_buffer = device.upload(
                    "ekernel.lanes",
                    bytemuck::cast_slice(&data),
                    wgpu::BufferUsages::STORAGE,
                )?;
                let bytes = 4 * (words * ids.len()) as u64;
                let output = device.storage("ekernel.results", bytes)?;
                let [first, second] = pages.map(|(set, page)| &readout.pages[set][page]);
                let chunk = Lanes {
                    count: ids.len() as u32,
                    lanes: &lane_buffer,
                    first,
                    second,
                    results: &output,
                    chunk_bytes,
                    full,
                };
                strategy.record(&chunk, &mut recorder)?;
                let readback = recorder.read(&output, bytes)?;
                recorder.submit()?;
                under_way.push_back((readback, ids.to_vec()));
                if under_way.len() > CHUNKS_IN_FLIGHT
                    && let Some(oldest) = under_way.pop_front()
                {
                    collect(&mut recorder, oldest)?;
                }
            }
        }
        under_way.into_iter().try_for_each(|chunk| collect(&mut recorder, chunk))
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
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
        let found = self.readouts(&jobs, control)?;
        let mut values: Vec<Scalar> = Vec::with_capacity(pairs.len());
        let mut again = Vec::new();
        for (at, (job, readouts)) in jobs.iter().zip(&found).enumerate() {
            let readouts = self.with_own(job, readouts);
            let value = self.plan.run_head(&readouts, job.same);
            let finite = value.nngp.is_finite() && value.ntk.is_finite();
            if !finite || self.delicate.reads(&readouts) || self.beside(job) {
                again.push(at);
            }
            values.push(value);
        }
        for (at, value) in self.precise(&jobs, again, control)? {
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

    /// Whether the first sample is nearly parallel to a copy of the second, where that matters.
    fn beside(&self, job: &Job) -> bool {
        let [(set, row), (other, col)] = job.samples;
        let count = self.elements.len();
        self.delicate.stages
            && self.sets[other].features[col * count..][..count]
                .iter()
                .any(|second| self.delicate.compares(&self.sets[set].features[row * count], second))
    }

    /// The head's results of some pairs, computed in float64 on all cores.
    fn precise(
        &self,
        jobs: &[Job],
        again: Vec<usize>,
        control: &Control,
    ) -> Result<Vec<(usize, Scalar)>, BackendError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(again.len());
        let share = again.len().div_ceil(threads.max(1)).max(1);
        let compute = |part: &[usize]| -> Result<Vec<(usize, Scalar)>, BackendError> {
            let one = |&at: &usize| {
                control.check()?;
                Ok((at, self.plan.run_head(&self.precise_readouts(&jobs[at]), jobs[at].same)))
            };
            part.iter().map(one).collect()
        };
        let parts: Vec<Result<Vec<(usize, Scalar)>, BackendError>> = std::thread::scope(|scope| {
            let running: Vec<_> =
                again.chunks(share).map(|part| scope.spawn(move || compute(part))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or(Err(BackendError::Cancelled))).collect()
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn precise_readouts(&self, job: &Job) -> Vec<Scalar> {
        let [first, second] = job.samples.map(|(set, index)| self.precise_maps(set, index));
        let own = |side: usize, maps: &[(Vec<f64>, Maps)]| -> Vec<f64> {
            let key = job.samples[side];
            if !self.plan.needs_self {
                return vec![0.0; self.plan.readouts.len()];
            }
            if let Some(own) = lock(&self.precise_own).get(&key) {
                return own.clone();
            }
            let own: Vec<f64> =
                self.precise_pair([maps, maps], true).into_iter().map(|value| value[0]).collect();
            lock(&self.precise_own).insert(key, own.clone());
            own
        };
        let own = [own(0, &first), own(1, &second)];
        let values = self.precise_pair([&first, &second], job.same);
        let scalar = |(i, [nngp, ntk]): (usize, [f64; 2])| Scalar { nngp, ntk, v: own[0][i], vp: own[1][i] };
        values.into_iter().enumerate().map(scalar).collect()
    }

    /// Numbers and maps of every copy of a sample.
    fn precise_maps(&self, set: usize, index: usize) -> Vec<(Vec<f64>, Maps)> {
        let copy = |g: &Element| {
            let image = self.image(set, index, *g);
            let maps = Maps::new(&self.plan, &image);
            (image.features, maps)
        };
        self.elements.iter().map(copy).collect()
    }

    fn precise_pair(&self, [first, second]: [&[(Vec<f64>, Maps)]; 2], same: bool) -> Vec<[f64; 2]> {
        let readout = |readout: &Readout| match readout {
            Readout::Vector => {
                let [x, y] = [&first[0].0, &second[0].0];
                [x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64, 0.0]
            }
            Readout::Planes { stage, orbit } => {
                let block = |(h, g): (&Element, &Element)| {
                    let [one, two] = [&first[self.element(h)], &second[self.element(g)]];
                    let twins = one.0 == two.0;
                    Pair::new(&self.plan, [&one.1, &two.1], twins, same && h == g).readout(*stage)
                };
                mean(&self.blocks(orbit).map(block).collect::<Vec<_>>())
            }
        };
        self.plan.readouts.iter().map(readout).collect()
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
        match [value.nngp, value.ntk].into_iter().find(|x| !x.is_finite()) {
            None => Ok((row, col, value)),
            Some(value) => Err(BackendError::NotFinite {
                row,
                col,
                value,
                reason:
                    "the expectation does not exist or overflows there; scale the data or the weights down"
                        .to_owned(),
            }),
        }
    }
}

impl Session for WgpuSession<'_> {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let shape = (rows.len(), cols.len());
        let mut nngp = Array2::zeros(shape);
        let mut ntk = (self.plan.kinds == Kinds::Both).then(|| Array2::zeros(shape));
        let mut put = |row: usize, col: usize, value: &Scalar| {
            if rows.contains(&row) && cols.contains(&col) {
                let at = [row - rows.start, col - cols.start];
                nngp[at] = value.nngp;
                if let Some(ntk) = &mut ntk {
                    ntk[at] = value.ntk;
                }
            }
        };
        // An entry of a symmetric Gram matrix is computed with the smaller index first, whatever tile asks for it.
        let symmetric = self.pairs.is_symmetric();
        for (row, col, value) in self.block((&rows, &cols), &|row, col| !symmetric || row <= col, control)? {
            put(row, col, &value);
            if symmetric {
                put(col, row, &value);
            }
        }
        let mirrored = |row: usize, col: usize| rows.contains(&col) && cols.contains(&row);
        let lower = |col: usize, row: usize| symmetric && col < row && !mirrored(row, col);
        if rows.clone().any(|row| cols.clone().any(|col| lower(col, row))) {
            for (col, row, value) in self.block((&cols, &rows), &lower, control)? {
                put(row, col, &value);
            }
        }
        Ok(Kernels { nngp, ntk })
    }

    fn tile_shape(&self) -> [usize; 2] {
        // A second or so of a card that does 1e12 operations in one; progress and cancelling do not wait for a tile.
        let pairs = 5e11 / self.plan.cost().flops.max(1) as f64;
        let side = (pairs.sqrt() as usize).next_power_of_two().clamp(8, 256);
        [side, side]
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn memory(&self) -> [u64; 2] {
        [lock(&self.resident).bytes(), 4 * self.chunk_bytes.load(Ordering::Relaxed)]
    }
}

/// The mean of the blocks of a pair.
fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    let share = 1.0 / values.len().max(1) as f64;
    values.iter().fold([0.0; 2], |sum, value| [sum[0] + value[0] * share, sum[1] + value[1] * share])
}
