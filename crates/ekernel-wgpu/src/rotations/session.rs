//! Prepared spheres and molecules on a GPU, and the tiles computed from them.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use ekernel_core::{
    BackendError, Control, Entries, Kernels, Pairs, Plan, Prepared, Samples, assemble,
    plan::{HeadOp, Readout, Scalar},
};
use ekernel_signals::{Signals, refused};

use super::{
    passes::Passes,
    precise::Precise,
    resident::{Maker, Unit},
    stage::Stage,
};
use crate::{
    Device, GpuError, WgpuOptions,
    device::lock,
    resident::Resident,
    run::{Chunked, Lane, Working},
    threads::on_all_cores,
    watch::{Watch, prepared, under_way},
};

/// Products of signals that a thread computes at once.
const INNER_LANES: usize = 1 << 10;

/// Pairs of units of a tile, at most.
const TILE_UNITS: f64 = 5e5;

/// One set of samples.
struct Set {
    /// The units of each sample, side by side.
    places: Vec<Range<usize>>,
    /// The atomic numbers of the units of each sample, where these are atoms.
    charges: Vec<Vec<u8>>,
    units: Vec<Unit>,
    /// Each unit's value with itself, `[unit][readout]`, where the head reads it.
    own_units: Vec<Vec<f64>>,
    /// Each sample's value with itself at each readout of the plan, likewise.
    own: Vec<Vec<f64>>,
}

/// A pair of samples: of the first set and of the last.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// Set and sample, twice.
    samples: [(usize, usize); 2],
    /// Whether both are one sample of a symmetric Gram matrix.
    same: bool,
}

/// A pair of units of two samples: the indices of the units within them, and their values at each readout.
#[derive(Clone, Debug)]
struct Compared {
    units: [usize; 2],
    values: Vec<Scalar>,
}

/// Samples prepared for one plan.
pub(crate) struct RotationSession {
    plan: Arc<Plan>,
    pairs: Pairs,
    signals: Signals,
    /// Per stage.
    precise: Vec<Precise>,
    sets: Vec<Set>,
    working: Working<Stage>,
    /// Whether a head reads angles of pairs of atoms, and of samples, which float32 would spoil where they are small.
    delicate: [bool; 2],
    /// Values of units with themselves in float64, found for delicate pairs.
    precise_units: Mutex<HashMap<(usize, usize), Vec<f64>>>,
    /// The same of samples.
    precise_own: Mutex<HashMap<(usize, usize), Vec<f64>>>,
}

impl RotationSession {
    pub(crate) fn new(
        device: &Device,
        plan: &Arc<Plan>,
        options: WgpuOptions,
        pairs: Pairs,
        control: &Control,
    ) -> Result<RotationSession, BackendError> {
        let reads_angles = |head: &[HeadOp]| head.iter().any(|op| op.op.wants_defect());
        let pools = !plan.rotations.is_empty();
        let in_atoms = plan.atoms.as_ref().is_some_and(|atoms| reads_angles(&atoms.head));
        let precise = |stage| Precise::new(stage, &Passes::new(stage, plan.input.channels(), plan.kinds));
        let precise: Vec<Precise> = plan.rotations.iter().map(precise).collect::<Result<_, _>>()?;
        let signals = Signals::new(&plan.input).map_err(refused("wgpu"))?;
        let owned = pairs.clone();
        let samples = owned.sets();
        let readouts = readouts(plan);
        let maker = Maker { plan, readouts, signals: &signals, precise: &precise, sets: &samples };
        // Samples are uploaded and, where a head needs it, compared with themselves.
        let tell = prepared(control, samples.iter().map(|set| set.len()).sum());
        let needs_self = plan.needs_self || plan.atoms.as_ref().is_some_and(|atoms| atoms.needs_self);
        let (watch, steps) = (Watch { control, tell: &tell }, 1 + usize::from(needs_self));
        let (resident, made) = watch.part(0..1, steps, |watch| {
            device.surviving(|device| Resident::<Stage>::new(device, &maker, watch))
        })?;
        let set = |(samples, units): (&&Arc<Samples>, Vec<Unit>)| {
            let mut next = 0;
            let place = |index| {
                let start = next;
                next += signals.count(samples, index);
                start..next
            };
            let places = (0..samples.len()).map(place).collect();
            let charges = (0..samples.len()).map(|index| signals.charges(samples, index)).collect();
            Set { places, charges, units, own_units: Vec::new(), own: Vec::new() }
        };
        let mut session = RotationSession {
            plan: Arc::clone(plan),
            pairs,
            sets: samples.iter().zip(made).map(set).collect(),
            working: Working::new(resident, options.chunk_bytes),
            delicate: [pools && in_atoms, pools && reads_angles(&plan.head)],
            precise_units: Mutex::default(),
            precise_own: Mutex::default(),
            signals,
            precise,
        };
        if needs_self {
            watch.part(1..2, steps, |watch| session.fill_own(watch))?;
        }
        Ok(session)
    }

    /// Finds the values of units and of samples with themselves.
    fn fill_own(&mut self, watch: Watch<'_>) -> Result<(), BackendError> {
        let atoms = self.plan.atoms.as_ref();
        // Of each set its units; with molecules whose heads read angles, its samples too.
        let steps = 1 + usize::from(atoms.is_some() && self.plan.needs_self);
        let all = self.sets.len() * steps;
        for set in 0..self.sets.len() {
            let units = set * steps;
            let lanes: Vec<Lane> = (0..self.sets[set].units.len())
                .map(|unit| Lane { places: [(set, unit); 2], flags: 0 })
                .collect();
            let mut own_units = Vec::new();
            let parts: Vec<&[Lane]> = lanes.chunks(TILE_UNITS as usize).collect();
            for (at, lanes) in parts.iter().enumerate() {
                let values = watch.part(units..units + 1, all, |watch| {
                    watch.part(at..at + 1, parts.len(), |watch| self.values(lanes, watch))
                })?;
                own_units
                    .extend(values.into_iter().map(|values| values.iter().map(|value| value[0]).collect()));
            }
            self.sets[set].own_units = own_units;
            if atoms.is_none() {
                self.sets[set].own = self.sets[set].own_units.clone();
            } else if self.plan.needs_self {
                let itself = |index| Job { samples: [(set, index); 2], same: true };
                let jobs: Vec<Job> = (0..self.sets[set].places.len()).map(itself).collect();
                let at_once = (TILE_UNITS / self.unit_pairs_per_pair()).max(1.0) as usize;
                let mut own = Vec::new();
                let parts: Vec<&[Job]> = jobs.chunks(at_once).collect();
                for (at, jobs) in parts.iter().enumerate() {
                    let compared = watch.part(units + 1..units + 2, all, |watch| {
                        watch.part(at..at + 1, parts.len(), |watch| self.compared(jobs, watch))
                    })?;
                    own.extend(compared.iter().map(|compared| self.own(compared)));
                }
                self.sets[set].own = own;
            }
        }
        Ok(())
    }

    /// A sample's values with itself, of its units'.
    fn own(&self, compared: &[Compared]) -> Vec<f64> {
        self.readouts(compared, None, true).iter().map(|value| value.nngp).collect()
    }

    /// `[lane][readout]`: (K, Θ).
    fn values(&self, lanes: &[Lane], watch: Watch<'_>) -> Result<Vec<Vec<[f64; 2]>>, BackendError> {
        let mut values = vec![Vec::new(); lanes.len()];
        let readouts = readouts(&self.plan);
        for (at, readout) in readouts.iter().enumerate() {
            let found = match readout {
                Readout::Rotations { stage } => {
                    watch.part(at..at + 1, readouts.len(), |watch| self.run(*stage, lanes, watch))?
                }
                Readout::Sphere => {
                    let parts: Vec<&[Lane]> = lanes.chunks(INNER_LANES).collect();
                    on_all_cores(parts.len(), watch.control, |part| {
                        Ok(parts[part].iter().map(|lane| [self.inner(lane), 0.0]).collect::<Vec<_>>())
                    })?
                    .concat()
                }
                Readout::Vector | Readout::Planes { .. } | Readout::Atoms { .. } => {
                    vec![[f64::NAN; 2]; lanes.len()]
                }
            };
            values.iter_mut().zip(found).for_each(|(values, value)| values.push(value));
        }
        Ok(values)
    }

    fn unit(&self, (set, unit): (usize, usize)) -> &Unit {
        &self.sets[set].units[unit]
    }

    fn inner(&self, lane: &Lane) -> f64 {
        match lane.places.map(|unit| &self.unit(unit).harmonics) {
            [Some(first), Some(second)] => first.inner(second),
            _ => f64::NAN,
        }
    }

    /// The pairs of units of each pair of samples, with their values.
    fn compared(&self, jobs: &[Job], watch: Watch<'_>) -> Result<Vec<Vec<Compared>>, BackendError> {
        let pairs: Vec<Vec<(usize, usize)>> = jobs.iter().map(|job| self.unit_pairs(job)).collect();
        let lane = |(job, pairs): (&Job, &Vec<(usize, usize)>)| -> Vec<Lane> {
            pairs.iter().map(|&(i, j)| Lane { places: self.places(job, [i, j]), flags: 0 }).collect()
        };
        let lanes: Vec<Lane> = jobs.iter().zip(&pairs).flat_map(lane).collect();
        let values = self.values(&lanes, watch)?;
        let own = |(set, unit): (usize, usize)| self.sets[set].own_units.get(unit).map(Vec::as_slice);
        let mut found =
            lanes.iter().zip(&values).map(|(lane, values)| with_own(values, lane.places.map(own)));
        let mut one = |(i, j)| Compared { units: [i, j], values: found.next().unwrap_or_default() };
        let mut compared = Vec::with_capacity(pairs.len());
        for pairs in pairs {
            compared.push(pairs.into_iter().map(&mut one).collect());
        }
        Ok(compared)
    }

    fn unit_pairs(&self, job: &Job) -> Vec<(usize, usize)> {
        let [first, second] = job.samples.map(|(set, index)| &self.sets[set].charges[index]);
        match &self.plan.atoms {
            None => vec![(0, 0)],
            Some(atoms) => atoms.pairing.pairs(first, second).collect(),
        }
    }

    /// Units of two samples by their sets and their numbers in them.
    fn places(&self, job: &Job, units: [usize; 2]) -> [(usize, usize); 2] {
        [0, 1].map(|side| {
            let (set, index) = job.samples[side];
            (set, self.sets[set].places[index].start + units[side])
        })
    }

    /// The readouts of the plan for two samples, from those of their units and the samples' values with themselves.
    fn readouts(&self, compared: &[Compared], own: Option<[&[f64]; 2]>, same: bool) -> Vec<Scalar> {
        let found: Vec<Scalar> = match &self.plan.atoms {
            None => compared.first().map(|compared| compared.values.clone()).unwrap_or_default(),
            Some(atoms) => {
                let pairs = compared.iter().map(|compared| (compared.units, &compared.values));
                let sums = atoms.sums(pairs, same);
                let output = |readout: &Readout| match readout {
                    Readout::Atoms { output } => sums[*output],
                    _ => Scalar { nngp: f64::NAN, ..Scalar::default() },
                };
                self.plan.readouts.iter().map(output).collect()
            }
        };
        let Some(own) = own else { return found };
        let values: Vec<[f64; 2]> = found.iter().map(|value| [value.nngp, value.ntk]).collect();
        with_own(&values, own.map(Some))
    }

    /// The head's results for the pairs (row, col) of a block for which `wanted` holds, of a tile of which `begun` pairs are done.
    fn block(
        &self,
        (rows, cols): (&Range<usize>, &Range<usize>),
        wanted: &dyn Fn(usize, usize) -> bool,
        begun: usize,
        control: &Control,
    ) -> Result<Entries, BackendError> {
        let pairs: Vec<(usize, usize)> = rows
            .clone()
            .flat_map(|row| cols.clone().map(move |col| (row, col)))
            .filter(|(row, col)| wanted(*row, *col))
            .collect();
        let last = self.sets.len() - 1;
        let job = |&(row, col): &(usize, usize)| Job {
            samples: [(0, row), (last, col)],
            same: self.pairs.is_symmetric() && row == col,
        };
        let jobs: Vec<Job> = pairs.iter().map(job).collect();
        let tell = under_way(control, begun, jobs.len());
        let compared = self.compared(&jobs, Watch { control, tell: &tell })?;
        let found = on_all_cores(jobs.len(), control, |at| self.finish(&jobs[at], &compared[at], control))?;
        pairs
            .into_iter()
            .zip(found)
            .map(|((row, col), value)| Ok((row, col, value.finite(row, col)?)))
            .collect()
    }

    /// The head's result for two samples, of which what float32 would spoil is computed again.
    fn finish(&self, job: &Job, compared: &[Compared], control: &Control) -> Result<Scalar, BackendError> {
        let own =
            job.samples.map(|(set, index)| self.sets[set].own.get(index).map_or(&[][..], Vec::as_slice));
        let run = |compared: &[Compared]| {
            let readouts = self.readouts(compared, Some(own), job.same);
            let value = self.plan.run_head(&readouts, job.same);
            let delicate = self.delicate[1] && readouts.iter().any(Scalar::is_parallel);
            (value, delicate || !(value.nngp.is_finite() && value.ntk.is_finite()))
        };
        let (value, again) = run(compared);
        if again {
            return self.precise(job, control);
        }
        let turned = |compared: &Compared| compared.values.iter().any(Scalar::is_parallel);
        if !self.delicate[0] || !compared.iter().any(turned) {
            return Ok(value);
        }
        let better = |compared: &Compared| {
            if turned(compared) {
                self.precise_units(job, compared.units, control)
            } else {
                Ok(compared.clone())
            }
        };
        let compared: Vec<Compared> = compared.iter().map(better).collect::<Result<_, _>>()?;
        let (value, again) = run(&compared);
        if again { self.precise(job, control) } else { Ok(value) }
    }

    /// The head's result for two samples, all in float64.
    fn precise(&self, job: &Job, control: &Control) -> Result<Scalar, BackendError> {
        let compared = self.precise_compared(job, control)?;
        let mut own: [Vec<f64>; 2] = Default::default();
        if self.plan.needs_self {
            for (own, key) in own.iter_mut().zip(job.samples) {
                let known = lock(&self.precise_own).get(&key).cloned();
                *own = match known {
                    Some(known) => known,
                    None => {
                        let itself =
                            self.precise_compared(&Job { samples: [key; 2], same: true }, control)?;
                        let found = self.own(&itself);
                        lock(&self.precise_own).insert(key, found.clone());
                        found
                    }
                };
            }
        }
        let own = [&own[0][..], &own[1][..]];
        Ok(self.plan.run_head(&self.readouts(&compared, Some(own), job.same), job.same))
    }

    fn precise_compared(&self, job: &Job, control: &Control) -> Result<Vec<Compared>, BackendError> {
        self.unit_pairs(job).into_iter().map(|(i, j)| self.precise_units(job, [i, j], control)).collect()
    }

    /// Two units in float64.
    fn precise_units(
        &self,
        job: &Job,
        units: [usize; 2],
        control: &Control,
    ) -> Result<Compared, BackendError> {
        let places = self.places(job, units);
        let signal = |side: usize| {
            let (set, index) = job.samples[side];
            self.signals.harmonics(self.pairs.sets()[set], index, units[side]).map_err(refused("wgpu"))
        };
        let signals = [signal(0)?, signal(1)?];
        let values = self.precise_values(places, [&signals[0], &signals[1]], control)?;
        let atoms_need = self.plan.atoms.as_ref().is_some_and(|atoms| atoms.needs_self);
        if !self.plan.needs_self && !atoms_need {
            return Ok(Compared { units, values: with_own(&values, [None, None]) });
        }
        let mut own: [Vec<f64>; 2] = Default::default();
        for ((own, place), signal) in own.iter_mut().zip(places).zip(&signals) {
            let known = lock(&self.precise_units).get(&place).cloned();
            *own = match known {
                Some(known) => known,
                None => {
                    let itself = self.precise_values([place; 2], [signal; 2], control)?;
                    let found: Vec<f64> = itself.into_iter().map(|[nngp, _]| nngp).collect();
                    lock(&self.precise_units).insert(place, found.clone());
                    found
                }
            };
        }
        Ok(Compared { units, values: with_own(&values, [Some(&own[0]), Some(&own[1])]) })
    }

    fn precise_values(
        &self,
        places: [(usize, usize); 2],
        signals: [&ekernel_harmonic::Harmonics; 2],
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let value = |readout: &Readout| match readout {
            Readout::Rotations { stage } => {
                let variances = places.map(|place| self.unit(place).variances[*stage].as_slice());
                if variances.iter().any(|v| v.iter().any(|v| !v.is_finite())) {
                    return Ok([f64::NAN; 2]);
                }
                self.precise[*stage].mean(signals, variances, control)
            }
            Readout::Sphere => Ok([signals[0].inner(signals[1]), 0.0]),
            Readout::Vector | Readout::Planes { .. } | Readout::Atoms { .. } => Ok([f64::NAN; 2]),
        };
        readouts(&self.plan).iter().map(value).collect()
    }

    /// Pairs of units per pair of samples, on average.
    fn unit_pairs_per_pair(&self) -> f64 {
        let [first, second] = [&self.sets[0], &self.sets[self.sets.len() - 1]].map(|set| &set.charges);
        self.plan.atoms.as_ref().map_or(1.0, |atoms| atoms.pairing.mean_pairs(first, second))
    }
}

impl Chunked for RotationSession {
    type Strategy = Stage;

    fn working(&self) -> &Working<Stage> {
        &self.working
    }

    fn upload(&self, device: &Device, watch: Watch<'_>) -> Result<Resident<Stage>, BackendError> {
        let (sets, readouts) = (self.pairs.sets(), readouts(&self.plan));
        let (signals, precise) = (&self.signals, &self.precise[..]);
        let maker = Maker { plan: &self.plan, readouts, signals, precise, sets: &sets };
        Ok(Resident::<Stage>::new(device, &maker, watch)?.0)
    }

    fn value(
        &self,
        stage: &Stage,
        words: &[u32],
        (index, lane): (usize, &Lane),
        device: &str,
    ) -> Result<[f64; 2], GpuError> {
        let [first, second] = lane.places.map(|unit| self.unit(unit));
        let [v, vp] = [first, second].map(|unit| unit.variances[index].last().copied().unwrap_or(0.0));
        let size = first.size * second.size;
        let value = stage.value(words, v.sqrt() * vp.sqrt() / size, device)?;
        // What is not a number is computed again in float64.
        let fits = first.fits && second.fits;
        Ok(value.map(|x| if fits { x * size } else { f64::NAN }))
    }
}

impl Prepared for RotationSession {
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
        // A second or so of a card that does 1e12 operations in one, or of a processor; cancelling does not wait for a tile.
        let units = self.unit_pairs_per_pair();
        let second = if self.working.resident().device.is_software() { 2e9 } else { 5e11 };
        let pairs = (second / (self.plan.cost().flops.max(1) as f64 * units)).min(TILE_UNITS / units);
        let side = (pairs.sqrt() as usize).clamp(1, 256);
        [side, side]
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn memory(&self) -> [u64; 2] {
        let unit = |unit: &Unit| {
            let numbers: usize = unit.variances.iter().map(Vec::len).sum();
            let harmonics = unit.harmonics.as_ref().map_or(0, |harmonics| harmonics.values.len());
            (size_of::<Unit>() + size_of::<f64>() * (numbers + harmonics)) as u64
        };
        let units: u64 = self.sets.iter().flat_map(|set| &set.units).map(unit).sum();
        let resident = self.working.resident();
        let held = resident.bytes() + resident.table_bytes() + units;
        let [height, width] = self.tile_shape();
        let values = size_of::<Compared>() + readouts(&self.plan).len() * size_of::<Scalar>();
        let tile = (height * width) as f64 * self.unit_pairs_per_pair() * values as f64;
        [held, resident.working_bytes(self.working.chunk_bytes()) + tile as u64]
    }
}

/// The values that are computed for each pair of units.
fn readouts(plan: &Plan) -> &[Readout] {
    plan.atoms.as_ref().map_or(&plan.readouts, |atoms| &atoms.readouts)
}

fn with_own(values: &[[f64; 2]], [first, second]: [Option<&[f64]>; 2]) -> Vec<Scalar> {
    let of = |own: Option<&[f64]>, at: usize| own.and_then(|own| own.get(at)).copied().unwrap_or_default();
    let one =
        |(at, &[nngp, ntk]): (usize, &[f64; 2])| Scalar { nngp, ntk, v: of(first, at), vp: of(second, at) };
    values.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use ekernel_core::{KernelSet, Network, plan::Quadrature};
    use ekernel_testnets::gpu;
    use ndarray::Array4;

    use super::*;
    use crate::WgpuBackend;

    /// A truncation on a grid as coarse as the signals, whose working buffers are all of one size, fits into what it says it needs.
    #[test]
    fn working_buffers_are_counted() {
        let Some(adapter) = gpu::adapter() else { return };
        let Ok(choice) = adapter.parse();
        let device = gpu::opened(Device::open_blocking(&choice));
        let layers = ["s2_conv'", "erf'", "so3_conv'\nbandlimit = 2", "relu'", "so3_pool'"];
        let layers = layers.map(|layer| format!("[[layers]]\nop = '{layer}\n")).concat();
        let text = format!("[input]\nspace = 'sphere'\nbandlimit = 3\nchannels = 1\n{layers}");
        let network: Network = text.parse().expect("a network");
        let plan = Plan::with_quadrature(&network, KernelSet::Both, Quadrature::Nodes(3)).expect("a plan");
        let options = WgpuOptions { chunk_bytes: 1, ..WgpuOptions::default() };
        let backend = WgpuBackend::from_plan(plan, options, device.clone()).expect("shaders");
        let signals = Array4::from_shape_fn((3, 6, 5, 1), |(n, r, c, _)| (1.0 + (n * r + c) as f64).sin());
        let samples = Samples::Spheres(signals);
        let control = Control::new();
        let session =
            RotationSession::new(&device, backend.executed(), options, Pairs::within(samples), &control);
        let session = session.expect("prepared");
        let needed = session.working.resident().working_bytes(session.working.chunk_bytes());
        assert!(session.memory()[1] > needed);
        device.limit_memory(needed);
        session.tile(0..3, 0..3, &control).expect("computed within what it needs");
    }
}
