//! Computes readouts of lanes: by the fused kernel where the stage is one run of convolutions and ReLUs, else op by op.

use std::sync::Arc;

use ekernel_core::{
    GroupElement, Samples,
    plan::{Plan, Readout},
};

use crate::{
    CpuOptions,
    fused::FusedStage,
    images::{Image, fill_variances, readout},
    planes::{Lanes, Pack, Scalar},
    relu_chain::{self, First, ImageMaps, Kind, Workspace, sum_planes},
    simd::Isa,
};

/// One copy g·f of a sample, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Copy<T> {
    image: Image,
    spoiled: bool,
    /// Maps of the fused kernel, for each readout that uses it.
    maps: Vec<Option<ImageMaps<T>>>,
}

impl<T: Scalar> Copy<T> {
    /// The copy g·f of a sample divided by `size`; [`Engine::prepare`] does the rest.
    pub(crate) fn new(samples: &Samples, index: usize, element: GroupElement, size: f64) -> Copy<T> {
        Copy { image: Image::new(samples, index, element, size), spoiled: false, maps: Vec::new() }
    }

    /// The same copy in another precision, its maps still to be found.
    pub(crate) fn converted<U>(&self) -> Copy<U> {
        Copy { image: self.image.clone(), spoiled: self.spoiled, maps: Vec::new() }
    }

    /// Whether both hold the same numbers, bit for bit.
    pub(crate) fn equals(&self, other: &Copy<T>) -> bool {
        self.image.equals(&other.image)
    }

    /// Whether float32 does not hold what it leads to where it is computed op by op.
    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    /// Σ f f' over all numbers, divided by how many there are: K⁰ of two vectors.
    pub(crate) fn inner(&self, other: &Copy<T>) -> f64 {
        let sum: f64 = self.image.features.iter().zip(&other.image.features).map(|(x, y)| x * y).sum();
        sum / self.image.features.len() as f64
    }
}

/// One pair of copies.
#[derive(Clone, Copy)]
pub(crate) struct Lane<'b, T> {
    pub(crate) first: &'b Copy<T>,
    pub(crate) second: &'b Copy<T>,
    /// Whether they are one sample in one orientation.
    pub(crate) same: bool,
}

/// Second images side by side, prepared for one readout.
pub(crate) struct Register<'b, T> {
    index: usize,
    seconds: Vec<&'b Copy<T>>,
    pack: Packed<T>,
}

enum Packed<T> {
    Fused(relu_chain::Pack<T>),
    General(Pack<T>),
}

/// The first images of a register's lanes.
#[derive(Clone, Copy)]
pub(crate) enum Firsts<'b, T> {
    /// One for all lanes.
    One(&'b Copy<T>),
    /// Each lane's second image.
    Itself,
}

/// How each readout of a plan is computed.
pub(crate) struct Engine {
    plan: Arc<Plan>,
    isa: Isa,
    /// Per readout the fused stage, if it is one.
    fused: Vec<Option<FusedStage>>,
}

impl Engine {
    /// `nonnegative` promises that no number of any sample is negative.
    pub(crate) fn new(plan: &Arc<Plan>, options: &CpuOptions, nonnegative: bool) -> Engine {
        let fused = plan
            .readouts
            .iter()
            .map(|readout| match readout {
                Readout::Planes { stage, .. } if options.fused => {
                    FusedStage::new(plan, &plan.stages[*stage], nonnegative, options.precision)
                }
                _ => None,
            })
            .collect();
        Engine { plan: Arc::clone(plan), isa: options.isa, fused }
    }

    /// Whether some readout is computed op by op.
    fn has_general(&self) -> bool {
        self.plan
            .readouts
            .iter()
            .zip(&self.fused)
            .any(|(readout, fused)| matches!(readout, Readout::Planes { .. }) && fused.is_none())
    }

    /// Finds the variance maps of a batch of copies.
    pub(crate) fn prepare<T: Scalar>(&self, mut copies: Vec<Copy<T>>) -> Vec<Copy<T>> {
        if self.has_general() {
            let mut images: Vec<Image> = copies.iter().map(|copy| copy.image.clone()).collect();
            fill_variances(&self.plan, self.isa, &mut images);
            for (copy, image) in copies.iter_mut().zip(images) {
                (copy.spoiled, copy.image) = (image.spoils_float32(&self.plan), image);
            }
        }
        for copy in &mut copies {
            let pixels: Vec<T> = copy.image.features.iter().map(|x| T::new(*x)).collect();
            copy.maps = self
                .fused
                .iter()
                .map(|fused| fused.as_ref().and_then(|fused| fused.chain.maps(&pixels).ok()))
                .collect();
        }
        copies
    }

    /// (K, Θ) of each lane at a readout, whatever the lanes hold.
    pub(crate) fn evaluate<T: Scalar>(&self, index: usize, lanes: &[Lane<'_, T>]) -> Vec<[f64; 2]> {
        let width = self.isa.lanes::<T>();
        let mut workspace = None;
        let mut values = Vec::with_capacity(lanes.len());
        let itself = |lane: &Lane<'_, T>| std::ptr::eq(lane.first, lane.second);
        for chunk in lanes.chunks(width) {
            let seconds = chunk.iter().map(|lane| lane.second).collect();
            let same: Vec<bool> = chunk.iter().map(|lane| lane.same).collect();
            if chunk.iter().all(itself) {
                let register = self.register(index, seconds);
                values.extend(self.run(&register, Firsts::Itself, &same, &mut workspace));
                continue;
            }
            for group in chunk.chunk_by(|a, b| std::ptr::eq(a.first, b.first)) {
                let register = self.register(index, group.iter().map(|lane| lane.second).collect());
                let same: Vec<bool> = group.iter().map(|lane| lane.same).collect();
                values.extend(self.run(&register, Firsts::One(group[0].first), &same, &mut workspace));
            }
        }
        values
    }

    /// Second images of one register, interleaved once for many first images.
    pub(crate) fn register<'b, T: Scalar>(&self, index: usize, seconds: Vec<&'b Copy<T>>) -> Register<'b, T> {
        let width = self.isa.lanes::<T>();
        let pack = match &self.fused[index] {
            Some(_) => {
                let maps: Vec<&ImageMaps<T>> =
                    seconds.iter().filter_map(|copy| copy.maps[index].as_ref()).collect();
                Packed::Fused(relu_chain::Pack::new(width, &maps))
            }
            None => {
                let images: Vec<&Image> = seconds.iter().map(|copy| &copy.image).collect();
                Packed::General(Pack::new(&self.plan, &images, width))
            }
        };
        Register { index, seconds, pack }
    }

    /// (K, Θ) of first images against a register; `same` says which lanes hold one sample in one orientation.
    pub(crate) fn run<T: Scalar>(
        &self,
        register: &Register<'_, T>,
        firsts: Firsts<'_, T>,
        same: &[bool],
        workspace: &mut Option<Workspace<T>>,
    ) -> Vec<[f64; 2]> {
        let count = register.seconds.len();
        match (&register.pack, &self.fused[register.index]) {
            (Packed::Fused(pack), Some(fused)) => {
                let first = match firsts {
                    Firsts::One(copy) => {
                        copy.maps[register.index].as_ref().map_or(First::Itself, First::Image)
                    }
                    Firsts::Itself => First::Itself,
                };
                let workspace = workspace.get_or_insert_with(|| Workspace::new(self.isa, &fused.chain));
                let kind = Kind::of(self.plan.kinds);
                let offsets = fused.offsets.iter().copied();
                let sums = sum_planes(self.isa, &fused.chain, (first, pack), offsets, kind, workspace);
                (0..count).map(|i| [sums.nngp[i] * fused.scale, sums.ntk[i] * fused.scale]).collect()
            }
            (Packed::General(pack), _) => self.general(register, pack, firsts, same),
            (Packed::Fused(_), None) => unreachable!("a register is packed for the readout it belongs to"),
        }
    }

    fn general<T: Scalar>(
        &self,
        register: &Register<'_, T>,
        second: &Pack<T>,
        firsts: Firsts<'_, T>,
        same: &[bool],
    ) -> Vec<[f64; 2]> {
        let Readout::Planes { stage, .. } = self.plan.readouts[register.index] else { return vec![] };
        let width = self.isa.lanes::<T>();
        let firsts: Vec<&Image> = match firsts {
            Firsts::One(copy) => vec![&copy.image; register.seconds.len()],
            Firsts::Itself => register.seconds.iter().map(|copy| &copy.image).collect(),
        };
        let flags = |flag: &dyn Fn(usize) -> bool| -> Vec<T> {
            let lit = |lane| if lane < firsts.len() && flag(lane) { T::one() } else { T::zero() };
            (0..width).map(lit).collect()
        };
        let job = Lanes {
            plan: &self.plan,
            isa: self.isa,
            lanes: width,
            first: &Pack::new(&self.plan, &firsts, width),
            second,
            twins: flags(&|lane| firsts[lane].equals(&register.seconds[lane].image)),
            same: flags(&|lane| same[lane]),
        };
        let mut values = readout(&job, stage);
        values.truncate(firsts.len());
        values
    }

    /// Copies that fit into a register.
    pub(crate) fn width<T: Scalar>(&self) -> usize {
        self.isa.lanes::<T>()
    }

    /// Bytes a prepared copy takes.
    pub(crate) fn bytes_per_copy<T: Scalar>(&self) -> u64 {
        let maps: usize =
            self.fused.iter().flatten().map(|fused| fused.chain.map_len() * size_of::<T>()).sum();
        let general = if self.has_general() { Image::bytes(&self.plan) } else { 0 };
        maps as u64 + general + 8 * self.plan.input.shape().iter().product::<usize>() as u64
    }

    /// Bytes a thread needs for its planes and packs.
    pub(crate) fn bytes_per_thread<T: Scalar>(&self) -> u64 {
        let lanes = self.isa.lanes::<T>() as u64;
        let planes = self.plan.cost().bytes / 4 * size_of::<T>() as u64;
        (planes + 2 * Pack::<T>::bytes_per_image(&self.plan)) * lanes
    }
}
