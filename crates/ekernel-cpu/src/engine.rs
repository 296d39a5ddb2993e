//! Prepared copies of images, and the readouts of pairs of them: by the fused kernel where the stage is one run of convolutions and
//! activations, else op by op, runs of them still by the fused kernel.

use std::sync::Arc;

use ekernel_core::{
    BackendError,
    plan::{Plan, Readout},
};
use ekernel_pairs::{Engine, Hints, Lane, Unit, Units, Watch, Workers};

use crate::{
    CpuOptions, Precision,
    chain::{self, Chain, ImageMaps, Kind, Workspace, sum_planes},
    fused::{FusedStage, Segment, Whole},
    image::Image,
    planes::{Beat, Lanes, Pack, Runner, Scalar, SegmentImages},
    registers::{First, Register, Run, registers},
    simd::Isa,
};

/// Seconds that a tile should take, and nominal operations of a second of one core: fused, and op by op.
const TILE_SECONDS: f64 = 0.25;
const FUSED: f64 = 2e10;
const GENERAL: f64 = 1e9;

/// Rows and columns of a tile at most.
const MOST: usize = 64;

/// As [`Plan::MOST_AMPLIFIED`] where duals are float32 too: errors reach 1e-7 times the amplification.
const MOST_AMPLIFIED: f64 = Plan::MOST_AMPLIFIED / 6.0;

/// The amplification up to which chains of smooth activations, which form v − K of K, keep 1e-12 in float64. Beyond it a copy is
/// computed op by op, where defects are handed over.
const MOST_AMPLIFIED_DOUBLE: f64 = 1e3;

/// One copy g·f of a sample, prepared.
#[derive(Clone, Debug)]
struct Copy<T> {
    /// Where variances are asked for.
    image: Image,
    /// Maps of the fused kernel, `[stage][segment]`.
    maps: Vec<Vec<ImageMaps<T>>>,
    /// Whether no pixel is negative.
    nonnegative: bool,
    /// Whether T cannot hold its variances where it is computed op by op.
    spoiled: bool,
    /// Whether T cannot hold v − K in chains of smooth activations, so that it is computed op by op.
    steep: bool,
}

/// The copies of all samples, and how each readout of a plan is computed.
pub(crate) struct Planes<T> {
    plan: Arc<Plan>,
    isa: Isa,
    concurrency: usize,
    /// Per stage the runs of ops that the fused kernel computes.
    fused: Vec<FusedStage>,
    /// The stages with no run of ops that the fused kernel computes, for steep copies.
    op_by_op: Vec<FusedStage>,
    /// `[set][unit]`
    copies: Vec<Vec<Copy<T>>>,
}

impl<T: Scalar> Planes<T> {
    /// Prepares units, in registers of them.
    ///
    /// # Errors
    /// [`BackendError::Cancelled`].
    pub(crate) fn new(
        units: &Units,
        options: &CpuOptions,
        workers: Workers,
        watch: Watch<'_>,
    ) -> Result<Planes<T>, BackendError> {
        let mut planes = Planes::bare(units.plan(), options);
        planes.concurrency = workers.count();
        let (batch, sets) = (options.isa.lanes::<f64>(), units.sets());
        for set in 0..sets {
            let starts: Vec<usize> = (0..units.len(set)).step_by(batch).collect();
            let prepared = watch.part(set..set + 1, sets, |watch| {
                workers.map(starts.len(), watch, |at, watch| {
                    let end = (starts[at] + batch).min(units.len(set));
                    let numbers = |index| units.numbers(Unit { set, index });
                    planes.prepare((starts[at]..end).map(numbers).collect(), watch)
                })
            })?;
            planes.copies.push(prepared.into_iter().flatten().collect());
        }
        Ok(planes)
    }

    /// No units yet.
    fn bare(plan: &Arc<Plan>, options: &CpuOptions) -> Planes<T> {
        let precision = if T::DIGITS < 53 { Precision::F32 } else { Precision::F64 };
        let options = CpuOptions { precision, ..*options };
        let op_by_op = CpuOptions { fused: false, ..options };
        let stages =
            |options| plan.stages.iter().map(|stage| FusedStage::new(plan, stage, options)).collect();
        Planes {
            plan: Arc::clone(plan),
            isa: options.isa,
            concurrency: 1,
            fused: stages(&options),
            op_by_op: stages(&op_by_op),
            copies: Vec::new(),
        }
    }

    /// Bytes of one prepared copy, and those that a thread needs for its planes and packs.
    pub(crate) fn bytes(plan: &Arc<Plan>, options: &CpuOptions) -> [u64; 2] {
        let planes = Planes::<T>::bare(plan, options);
        [planes.bytes_per_copy(), planes.bytes_per_thread()]
    }

    /// The stage as one chain, if it is that.
    fn whole(&self, stage: usize) -> Option<Whole<'_>> {
        self.fused[stage].whole(&self.plan.stages[stage])
    }

    /// The chains of all stages.
    fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.fused.iter().flat_map(|fused| &fused.segments).map(Segment::chain)
    }

    /// Whether some readout is not one chain.
    fn has_general(&self) -> bool {
        let general = |readout: &Readout| match readout {
            Readout::Planes { stage, .. } => self.whole(*stage).is_none(),
            _ => false,
        };
        self.plan.readouts.iter().any(general)
    }

    /// Whether some chain has smooth activations.
    fn has_plain(&self) -> bool {
        self.chains().any(Chain::is_plain)
    }

    /// Whether the variances behind every op are asked for: by stages that are computed op by op, and to tell whether float32
    /// holds what smooth activations make of a sample.
    fn needs_variances(&self) -> bool {
        self.has_general() || self.has_plain()
    }

    fn prepare(&self, numbers: Vec<Vec<f64>>, watch: Watch<'_>) -> Result<Vec<Copy<T>>, BackendError> {
        if !self.needs_variances() {
            let of_chains = |numbers: Vec<f64>| self.copy_of(&numbers, Image::default());
            return Ok(numbers.into_iter().map(of_chains).collect());
        }
        let (single, plain) = (T::DIGITS < 53, self.has_plain());
        let with_variances = |image: Image| {
            let amplification = if plain { self.plan.amplification(&image.variances) } else { 1.0 };
            let spoiled = single && (image.spoils_float32(&self.plan) || amplification > MOST_AMPLIFIED);
            let steep = !single && amplification > MOST_AMPLIFIED_DOUBLE;
            let numbers = image.features.clone();
            Copy { spoiled, steep, ..self.copy_of(&numbers, image) }
        };
        Ok(Image::all(&self.plan, self.isa, numbers, watch)?.into_iter().map(with_variances).collect())
    }

    fn copy_of(&self, numbers: &[f64], image: Image) -> Copy<T> {
        let pixels: Vec<T> = numbers.iter().map(|x| T::new(*x)).collect();
        let maps = |stage: usize, segment: &Segment| {
            if segment.reads_pixels() {
                let maps = segment.chain().maps(&pixels);
                return maps.expect("units have the numbers of the input, of any sign");
            }
            segment.chain().maps_behind(&image.variances[stage][segment.source])
        };
        let of_stage = |(at, fused): (usize, &FusedStage)| {
            fused.segments.iter().map(|segment| maps(at, segment)).collect()
        };
        let maps = self.fused.iter().enumerate().map(of_stage).collect();
        let nonnegative = numbers.iter().all(|x| *x >= 0.0);
        Copy { image, maps, nonnegative, spoiled: false, steep: false }
    }

    fn copy(&self, unit: Unit) -> &Copy<T> {
        &self.copies[unit.set][unit.index]
    }

    fn bytes_per_copy(&self) -> u64 {
        let chains = self.chains().map(Chain::map_len);
        let general = if self.needs_variances() { Image::bytes(&self.plan) } else { 0 };
        (chains.sum::<usize>() * size_of::<T>() + size_of::<Copy<T>>()) as u64 + general
    }

    fn bytes_per_thread(&self) -> u64 {
        let lanes = self.isa.lanes::<T>() as u64;
        let planes = self.plan.cost().bytes / 4 * size_of::<T>() as u64;
        let chains = self.chains().map(|chain| chain.map_len() * size_of::<T>());
        (planes + 2 * Pack::<T>::bytes_per_image(&self.plan) + chains.sum::<usize>() as u64) * lanes
    }
}

/// One readout of some lanes under way.
struct Work<'a, T> {
    planes: &'a Planes<T>,
    stage: usize,
    lanes: &'a [Lane],
    beat: &'a Beat<'a>,
}

impl<T: Scalar> Work<'_, T> {
    /// The sums of a register with the first copies that it meets, by the number of the lane.
    fn fused(
        &self,
        (chain, whole): (&Chain, &Whole<'_>),
        register: &Register,
        workspace: &mut Workspace<T>,
        values: &mut [[f64; 2]],
    ) {
        let isa = self.planes.isa;
        let pack = self.chain_pack([self.stage, 0], register);
        let kind = Kind::of(self.planes.plan.kinds);
        for run in &register.runs {
            let first = self.chain_first([self.stage, 0], run.first);
            let offsets = whole.offsets.iter().copied().take_while(|_| self.beat.plane());
            let sums = sum_planes(isa, chain, (first, &pack), offsets, kind, workspace);
            for &(place, at) in &run.lanes {
                values[at] = [sums.nngp[place] * whole.scale, sums.ntk[place] * whole.scale];
            }
        }
    }

    /// The maps of a copy for a segment of a stage.
    fn maps(&self, [stage, segment]: [usize; 2], unit: Unit) -> &ImageMaps<T> {
        &self.planes.copy(unit).maps[stage][segment]
    }

    fn chain_first(&self, segment: [usize; 2], first: First) -> chain::First<'_, T> {
        match first {
            First::One(unit) => chain::First::Image(self.maps(segment, unit)),
            First::Itself => chain::First::Itself,
        }
    }

    fn chain_pack(&self, segment: [usize; 2], register: &Register) -> chain::Pack<T> {
        let seconds: Vec<&ImageMaps<T>> =
            register.seconds.iter().map(|unit| self.maps(segment, *unit)).collect();
        chain::Pack::new(self.planes.isa.lanes::<T>(), &seconds)
    }

    /// The readouts of a register op by op, but for what `fused` computes; `runner` serves one register after the other.
    fn general(
        &self,
        fused: &[FusedStage],
        register: &Register,
        runner: &mut Option<Runner<T>>,
        values: &mut [[f64; 2]],
    ) {
        let Planes { plan, isa, .. } = self.planes;
        let width = isa.lanes::<T>();
        let image = |unit: Unit| &self.planes.copy(unit).image;
        let seconds: Vec<&Image> = register.seconds.iter().map(|unit| image(*unit)).collect();
        let second = Pack::new(plan, fused, &seconds, width);
        let packs_of = |stage: usize| -> Vec<chain::Pack<T>> {
            (0..fused[stage].segments.len()).map(|at| self.chain_pack([stage, at], register)).collect()
        };
        let packs: Vec<Vec<chain::Pack<T>>> = (0..fused.len()).map(packs_of).collect();
        for Run { first, lanes } in &register.runs {
            let firsts = match first {
                First::One(unit) => vec![image(*unit); seconds.len()],
                First::Itself => seconds.clone(),
            };
            let flags = |flag: &dyn Fn(&Lane) -> bool| -> Vec<T> {
                let mut flags = vec![T::zero(); width];
                let lit = lanes.iter().filter(|(_, at)| flag(&self.lanes[*at]));
                lit.for_each(|(place, _)| flags[*place] = T::one());
                flags
            };
            let images = packs.iter().enumerate().map(|(stage, packs)| -> Vec<SegmentImages<'_, T>> {
                let first = |at: usize| self.chain_first([stage, at], *first);
                packs.iter().enumerate().map(|(at, pack)| (first(at), pack)).collect()
            });
            let job = Lanes {
                plan,
                isa: *isa,
                lanes: width,
                first: &Pack::new(plan, fused, &firsts, width),
                second: &second,
                fused,
                images: images.collect(),
                identical: flags(&|lane| lane.identical),
                same: flags(&|lane| lane.same),
                beat: self.beat,
            };
            let new = || Runner::new(&job, self.stage, plan.stages[self.stage].offsets.clone());
            let runner = runner.get_or_insert_with(new);
            runner.restart();
            let found = runner.readout(&job);
            lanes.iter().for_each(|&(place, at)| values[at] = found[place]);
        }
    }
}

impl<T: Scalar> Engine for Planes<T> {
    fn evaluate(
        &self,
        index: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let Readout::Planes { stage, .. } = self.plan.readouts[index] else {
            unreachable!("images are read out by planes")
        };
        let width = self.isa.lanes::<T>();
        // Pairs without negative pixels are computed in a way of their own, whatever other pairs there are.
        let nonnegative = |lane: &Lane| lane.units.iter().all(|unit| self.copy(*unit).nonnegative);
        let steep = |lane: &Lane| lane.units.iter().any(|unit| self.copy(*unit).steep);
        let whole = self.whole(stage);
        let is_fused = whole.is_some();
        let (steep, others): (Vec<usize>, Vec<usize>) = (0..lanes.len()).partition(|&at| steep(&lanes[at]));
        let (special, any): (Vec<usize>, Vec<usize>) =
            others.into_iter().partition(|&at| is_fused && nonnegative(&lanes[at]));
        let whole = |part: usize| whole.as_ref().map(|whole| (&whole.chains[part], whole));
        let parts =
            [(any, whole(0), &self.fused), (special, whole(1), &self.fused), (steep, None, &self.op_by_op)]
                .map(|(numbers, whole, fused)| (registers(lanes, &numbers, width), whole, fused));
        let runs: usize =
            parts.iter().flat_map(|(registers, ..)| registers).map(|register| register.runs.len()).sum();
        let offsets = self.plan.stages[stage].offsets.iter().map(Vec::len).product::<usize>();
        let values_per_plane =
            width as f64 * self.plan.cost().stages[stage].elements as f64 / offsets.max(1) as f64;
        let beat = Beat::new(watch, runs * offsets, values_per_plane);
        let work = Work { planes: self, stage, lanes, beat: &beat };
        let mut values = vec![[0.0; 2]; lanes.len()];
        let mut workspace = None;
        for (registers, whole, fused) in &parts {
            let mut runner = None;
            for register in registers {
                watch.check()?;
                match whole {
                    Some((chain, whole)) => {
                        let new = || Workspace::new(self.isa, chain);
                        work.fused((chain, whole), register, workspace.get_or_insert_with(new), &mut values);
                    }
                    None => work.general(fused, register, &mut runner, &mut values),
                }
            }
        }
        watch.check()?;
        Ok(values)
    }

    fn spoils(&self, unit: Unit) -> bool {
        // Of vectors alone no copies are prepared.
        self.copies[unit.set][unit.index].spoiled
    }

    fn hints(&self, _: f64) -> Hints {
        let rate = if self.fused.iter().all(FusedStage::is_fused) { FUSED } else { GENERAL };
        let rate = if T::DIGITS < 53 { rate } else { rate / 2.0 };
        let copies: usize = self.copies.iter().map(Vec::len).sum();
        Hints {
            pairs: TILE_SECONDS * rate / self.plan.cost().flops.max(1) as f64,
            width: self.isa.lanes::<T>(),
            most: MOST,
            concurrency: self.concurrency,
            held: copies as u64 * self.bytes_per_copy(),
            per_tile: self.bytes_per_thread(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ekernel_core::{Control, KernelSet, Network, Pairs, Samples};
    use ndarray::Array4;

    use super::*;
    use crate::planes::counted;

    /// Two convolutions, with a local pool between them or without, on images that take long.
    fn units(pool: &str, activation: &str) -> Units {
        let conv = format!(
            "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n[[layers]]\nop = '{activation}'\n"
        );
        let text = format!(
            "[input]\nspace = 'image'\nshape = [16, 16, 1]\n{conv}{pool}{conv}[[layers]]\nop = 'global_avg_pool'\n"
        );
        let network: Network = text.parse().expect("a network");
        let plan = Arc::new(Plan::new(&network, KernelSet::Both).expect("a plan"));
        let images = Array4::from_shape_fn((3, 16, 16, 1), |(n, r, c, _)| (1 + n * r + c) as f64);
        let control = Control::new();
        let watch = Watch::silent(&control);
        Units::new(&plan, Pairs::within(Samples::Images(images)), false, Workers::one(), watch)
            .expect("units")
    }

    const POOL: &str = "[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n";

    /// Work is counted in planes, not in time: cancelled at a plane, no other one is computed.
    #[test]
    fn preparing_stops_within_a_sample() {
        let (units, control) = (units(POOL, "relu"), Control::new());
        let mut result = None;
        let planes = counted::planes(7, &control.cancel, || {
            let watch = Watch::silent(&control);
            result =
                Some(Planes::<f32>::new(&units, &CpuOptions::default(), Workers::one(), watch).map(drop));
        });
        assert!(matches!(result, Some(Err(BackendError::Cancelled))), "{result:?}");
        assert_eq!(planes, 7);
    }

    #[test]
    fn comparing_stops_within_a_pair() {
        for (pool, activation, extra) in [("", "relu", 0), ("", "erf", 0), (POOL, "erf", 1)] {
            let (units, control) = (units(pool, activation), Control::new());
            let watch = Watch::silent(&control);
            let engine = Planes::<f32>::new(&units, &CpuOptions::default(), Workers::one(), watch);
            let engine = engine.expect("prepared");
            let unit = |index| Unit { set: 0, index };
            let lane = Lane { units: [unit(0), unit(1)], identical: false, same: false };
            let whole = counted::planes(usize::MAX, &control.cancel, || {
                engine.evaluate(0, &[lane], watch).expect("computed");
            });
            assert!(whole > 200, "{whole}");
            let mut result = None;
            let planes = counted::planes(40, &control.cancel, || {
                result = Some(engine.evaluate(0, &[lane], watch));
            });
            assert!(matches!(result, Some(Err(BackendError::Cancelled))), "{result:?}");
            // The plane that reads pooled ones is still asked about.
            assert!(planes <= 40 + extra, "{planes}");
        }
    }

    /// A pair of large images reports how far it is.
    #[test]
    fn reports_come_within_a_pair() {
        let heard = Mutex::new(Vec::new());
        let tell = |part: f64| heard.lock().expect("no panic").push(part);
        let control = Control::new();
        let beat = Beat::new(Watch { control: &control, tell: &tell }, 1000, 1e6);
        assert!((0..1000).all(|_| beat.plane()));
        let heard = heard.into_inner().expect("no panic");
        assert!(heard.len() == 50 && heard.is_sorted() && heard.last() == Some(&1.0), "{heard:?}");
    }
}
