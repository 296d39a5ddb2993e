use std::sync::Arc;

use ekernel_core::{
    ArchError, Backend, BackendError, Control, KernelSet, Network, Numerics, Pairs, Plan, Prepared,
    plan::Readout,
};

use ekernel_pairs::{Blocks, Engine, Float32, PairSession, Setup, Units, Watch, Workers};

use crate::{
    CpuOptions, Precision, chain,
    engine::Planes,
    float64,
    fused::{FusedStage, Whole},
    rotations::{self, Rotations, WIDE},
};

/// What the planes know in float32: K, a sum over many values, to some 4e-9 of itself or better. At the bound that is 2e-6 in θ,
/// 3e-7 in the NTK. Smooth duals hand over defects in
/// float64.
const FLOAT32: Float32 = Float32 { parallel: 2e-6, smooth_subtract: false };

/// Computes kernels on the CPU: planes with O(HW) working memory per pair and thread, functions on SO(3) ring by ring, SIMD
/// across pairs, threads across tiles.
///
/// ```
/// use ekernel_core::{Backend, Control, KernelSet, Network, Pairs, Samples};
/// use ekernel_cpu::{CpuBackend, CpuOptions};
///
/// let network: Network = "
///     [input]
///     space = 'image'
///     shape = [8, 8, 1]
///     [[layers]]
///     op = 'conv'
///     filter = [3, 3]
///     [[layers]]
///     op = 'relu'
///     [[layers]]
///     op = 'global_avg_pool'
/// ".parse()?;
/// let images = Samples::Images(ndarray::Array4::from_shape_fn((3, 8, 8, 1), |(n, r, c, _)| (n + r * c) as f64));
/// let backend = CpuBackend::new(&network, KernelSet::Both, CpuOptions::default())?;
/// let session = backend.prepare(Pairs::within(images), &Control::new())?;
/// let kernels = session.tile(0..3, 0..3, &Control::new())?;
/// assert_eq!(kernels.nngp.dim(), (3, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CpuBackend {
    plan: Arc<Plan>,
    options: CpuOptions,
}

impl CpuBackend {
    /// A backend for one network.
    ///
    /// Errors: those of [`Plan::new`], and [`BackendError::Device`] if the threads cannot be started.
    pub fn new(network: &Network, kinds: KernelSet, options: CpuOptions) -> Result<CpuBackend, BackendError> {
        CpuBackend::from_plan(
            Plan::new(network, kinds).map_err(|e: ArchError| BackendError::Arch(e))?,
            options,
        )
    }

    /// A backend for a plan.
    ///
    /// Errors: [`BackendError::Device`] if the threads cannot be started.
    pub fn from_plan(plan: Plan, options: CpuOptions) -> Result<CpuBackend, BackendError> {
        Ok(CpuBackend { plan: Arc::new(plan), options })
    }

    /// The plan it executes.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Floating point operations that a pair of images without negative pixels executes, a fused multiply-add counted as
    /// two; of signals on the sphere, that a pair of them (of atoms) executes. Nothing where some are not counted.
    pub fn operations_per_pair(&self) -> Option<u64> {
        if self.plan.input.is_spherical() {
            return rotations::operations(&self.plan, &self.options);
        }
        let kind = chain::Kind::of(self.plan.kinds);
        let mut operations = 0;
        for readout in &self.plan.readouts {
            let Readout::Planes { stage, orbit } = readout else { continue };
            let stage = &self.plan.stages[*stage];
            let fused = FusedStage::new(&self.plan, stage, &self.options);
            let Whole { chains: [_, chain], offsets, .. } = fused.whole(stage)?;
            let offsets = offsets.iter().copied();
            let block = match self.options.precision {
                Precision::F32 => chain.operations::<f32>(offsets, kind),
                Precision::F64 => chain.operations::<f64>(offsets, kind),
            }?;
            let firsts = if self.options.all_blocks { orbit.len() } else { 1 };
            operations += block * (firsts * orbit.len()) as u64;
        }
        Some(operations)
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        Workers::new(self.options.threads).count()
    }
}

impl Backend for CpuBackend {
    fn plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn numerics(&self) -> Numerics {
        Numerics::new("cpu")
            .with("precision", self.options.precision.name())
            .with("instructions", self.options.isa)
            .with("blocks", if self.options.all_blocks { "all" } else { "orbit" })
            .with("kernels", if self.options.fused { "fused" } else { "op by op" })
            .with_quadrature(&self.plan)
    }

    fn describe(&self) -> String {
        let blocks = if self.options.all_blocks { ", all blocks" } else { "" };
        let fused = if self.options.fused { "" } else { ", op by op" };
        format!("cpu {} {}{blocks}{fused}", self.options.precision.name(), self.options.isa)
    }

    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        let (options, workers) = (self.options, Workers::new(self.options.threads));
        let single = options.precision == Precision::F32;
        let setup = Setup {
            plan: Arc::clone(&self.plan),
            blocks: if options.all_blocks { Blocks::All } else { Blocks::Orbit },
            preparing: workers,
            // Tiles are computed side by side.
            within: Workers::one(),
            float32: single
                .then(|| float64::precise(&self.plan, options).map(|way| (FLOAT32, way)))
                .transpose()?,
        };
        match (self.plan.input.is_spherical(), single) {
            (false, true) => boxed(setup, pairs, control, |units, watch| {
                Planes::<f32>::new(units, &options, workers, watch)
            }),
            (false, false) => boxed(setup, pairs, control, |units, watch| {
                Planes::<f64>::new(units, &options, workers, watch)
            }),
            (true, true) => boxed(setup, pairs, control, |units, watch| {
                Rotations::<f32, 16>::new(units, options.isa, workers, watch)
            }),
            (true, false) => boxed(setup, pairs, control, |units, watch| {
                Rotations::<f64, WIDE>::new(units, options.isa, workers, watch)
            }),
        }
    }
}

fn boxed<E: Engine + 'static>(
    setup: Setup,
    pairs: Pairs,
    control: &Control,
    make: impl FnOnce(&Arc<Units>, Watch<'_>) -> Result<E, BackendError>,
) -> Result<Box<dyn Prepared>, BackendError> {
    Ok(Box::new(PairSession::new(setup, pairs, control, make)?))
}
