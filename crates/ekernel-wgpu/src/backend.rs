use std::sync::Arc;

use ekernel_core::{
    Backend, BackendError, Control, KernelSet, Network, Numerics, Pairs, Prepared,
    plan::{Plan, Readout},
};
use ekernel_cpu::{CpuOptions, float64};
use ekernel_pairs::{Blocks, Float32, PairSession, Setup, Watch, Workers};

use crate::{
    Device, GpuError, Tuning, WgpuOptions, fused,
    lower::lower,
    planes::Planes,
    resident::{strategies, strategy_name},
    rotations::{self, Rotations},
    strategy::{StageStrategy, Strategy},
};

/// What float32 planes know: K, a sum over many positions, to some 1e-8 of itself; at the bound that is 2e-6 in θ, 3e-7 in the
/// NTK. Smooth duals that get K find their defect by subtracting.
const FLOAT32: Float32 = Float32 { parallel: 2e-5, smooth_subtract: true };

/// Computes kernels on a GPU: planes in float32, sums over planes and the head in float64.
///
/// ```no_run
/// use ekernel_core::{Backend, Control, KernelSet, Network, Pairs, Samples};
/// use ekernel_wgpu::{AdapterChoice, Device, WgpuBackend, WgpuOptions};
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
/// let device = Device::open_blocking(&AdapterChoice::Hardware)?;
/// let backend = WgpuBackend::new(&network, KernelSet::Both, WgpuOptions::default(), device)?;
/// let session = backend.prepare(Pairs::within(images), &Control::new())?;
/// let kernels = session.tile(0..3, 0..3, &Control::new())?;
/// assert_eq!(kernels.nngp.dim(), (3, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WgpuBackend {
    plan: Arc<Plan>,
    options: WgpuOptions,
    device: Device,
}

impl WgpuBackend {
    /// A backend for one network on a device, which may serve other backends too.
    ///
    /// Errors: those of [`Plan::new`] and [`WgpuBackend::from_plan`].
    pub fn new(
        network: &Network,
        kinds: KernelSet,
        options: WgpuOptions,
        device: Device,
    ) -> Result<WgpuBackend, BackendError> {
        WgpuBackend::from_plan(Plan::new(network, kinds)?, options, device)
    }

    /// A backend for a plan.
    ///
    /// Errors: [`BackendError::Device`] if the device refuses the shaders or the strategy cannot serve the plan.
    pub fn from_plan(plan: Plan, options: WgpuOptions, device: Device) -> Result<WgpuBackend, BackendError> {
        let backend = WgpuBackend { plan: Arc::new(lower(plan)), options, device };
        backend.compiled()?;
        backend.device.surviving(|device| rotations::compile(device, &backend.plan))?;
        Ok(backend)
    }

    /// Whether a GPU is worth choosing for a plan where nobody asks for one: not for networks on the sphere, whose sums over
    /// rotations a CPU does in few operations, and not for networks without planes.
    pub fn is_worthwhile(plan: &Plan) -> bool {
        !plan.input.is_spherical() && !plan.stages.is_empty()
    }

    /// The plan as it is executed.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How each readout is computed, with its shaders compiled.
    fn compiled(&self) -> Result<Vec<Option<Box<dyn Strategy>>>, GpuError> {
        self.device.surviving(|device| strategies(device, &self.plan, &self.options))
    }

    /// The device it was made with. After a loss it computes on what is [`Device::current`] then.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How each stage that a readout reads is computed on this device.
    ///
    /// Errors: [`BackendError::Device`] if the device refuses the shaders.
    pub fn strategies(&self) -> Result<Vec<StageStrategy>, BackendError> {
        let found = self.compiled()?;
        let named = self.plan.readouts.iter().zip(found).filter_map(|(readout, strategy)| match readout {
            Readout::Planes { stage, .. } => Some(self.described(*stage, strategy?.as_ref())),
            _ => None,
        });
        let planes: Vec<StageStrategy> = named.collect();
        let rotations = rotations::strategies(&self.device, &self.plan, self.options.chunk_bytes);
        Ok([planes, rotations].concat())
    }

    /// How each stage that a readout reads is computed, found without compiling a shader.
    fn strategy_names(&self) -> Vec<&'static str> {
        let planes = self.plan.readouts.iter().filter_map(|readout| match readout {
            Readout::Planes { stage, .. } => {
                Some(strategy_name(&self.device, &self.plan, *stage, &self.options))
            }
            _ => None,
        });
        planes.chain(self.plan.rotations.iter().map(|_| "rotations")).collect()
    }

    fn described(&self, stage: usize, strategy: &dyn Strategy) -> StageStrategy {
        let chunk_bytes = self.device.chunk_bytes(self.options.chunk_bytes);
        let fits = fused::fits(self.device.limits(), &self.plan, stage, self.options.tuning);
        let layout = strategy.describe(chunk_bytes);
        let detail = match (strategy.name(), fits) {
            ("layered", Err(reason)) => format!("{layout}; not fused: {reason}"),
            ("layered", Ok(())) => format!("{layout}; it could be fused"),
            _ => layout,
        };
        StageStrategy { stage, name: strategy.name(), detail }
    }
}

impl Backend for WgpuBackend {
    fn plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn numerics(&self) -> Numerics {
        let names = self.strategy_names();
        let numerics = Numerics::new("wgpu")
            .with("precision", "f32")
            .with("adapter", self.device.describe())
            .with("blocks", if self.options.all_blocks { "all" } else { "orbit" })
            .with_quadrature(&self.plan);
        let Tuning { invocations, in_turn } = self.options.tuning;
        let tuned = |numerics: Numerics| numerics.with("tuning", format!("{invocations}x{in_turn}"));
        let numerics = if names.contains(&"fused") { tuned(numerics) } else { numerics };
        if names.is_empty() { numerics } else { numerics.with("kernels", names.join(", ")) }
    }

    fn describe(&self) -> String {
        let blocks = if self.options.all_blocks { ", all blocks" } else { "" };
        let mut names = self.strategy_names();
        names.sort_unstable();
        names.dedup();
        let Tuning { invocations, in_turn } = self.options.tuning;
        let tuned = names.contains(&"fused") && self.options.tuning != Tuning::default();
        let tuned = if tuned { format!("tuned to {invocations}x{in_turn} ") } else { String::new() };
        // A plan without a stage has no strategy to name.
        let names = if names.is_empty() { String::new() } else { format!("{} ", names.join(" and ")) };
        format!("wgpu f32 {names}{tuned}{}{blocks}", self.device.describe())
    }

    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        let (options, device) = (self.options, &self.device);
        let setup = Setup {
            plan: Arc::clone(&self.plan),
            blocks: if options.all_blocks { Blocks::All } else { Blocks::Orbit },
            preparing: Workers::new(0),
            within: Workers::new(0),
            float32: Some((FLOAT32, float64::precise(&self.plan, CpuOptions::default())?)),
        };
        Ok(if self.plan.input.is_spherical() {
            let make = |units: &_, watch: Watch<'_>| Rotations::new(device, options, units, watch);
            Box::new(PairSession::new(setup, pairs, control, make)?)
        } else {
            let make = |units: &_, watch: Watch<'_>| Planes::new(device, options, units, watch);
            Box::new(PairSession::new(setup, pairs, control, make)?)
        })
    }
}
