//! From the words on the command line to a backend.

use ekernel_core::{Backend, BackendError, KernelSet, Network, Plan};
use ekernel_cpu::{CpuBackend, CpuOptions};
use ekernel_finite::{FiniteBackend, FiniteNetwork, Options};
use ekernel_reference::{ReferenceBackend, RotationMode};
use ekernel_wgpu::{AdapterChoice, Device, GpuError, StrategyChoice, WgpuBackend, WgpuOptions};

use crate::{
    args::{BackendName, Blocks, Compute, Gpu, Precision},
    failure::mistake,
    output, tuning,
};

/// What computes a network, and in which precision.
pub(crate) struct Chosen {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) precision: Precision,
}

/// Takes the backend that was asked for. `auto` is a hardware GPU where there is one and nothing speaks for the CPU (f64, a
/// number of threads, a plan for which it is not [worthwhile](WgpuBackend::is_worthwhile)) and it takes the network, else the
/// CPU; an adapter that is named is a wish for the GPU.
pub(crate) fn choose(compute: &Compute, network: &Network, kinds: KernelSet) -> anyhow::Result<Chosen> {
    if let (BackendName::Cpu | BackendName::Reference | BackendName::Finite, Some(option)) =
        (compute.backend, compute.gpu.given())
    {
        return Err(mistake(format!(
            "{option}: only --backend wgpu and auto compute on an adapter; leave {option} out"
        )));
    }
    match (compute.backend, &compute.gpu.adapter) {
        (BackendName::Auto, None) if compute.gpu.strategy.is_some() => {
            Err(mistake("--strategy: say --backend wgpu too, or name the --adapter"))
        }
        (BackendName::Auto, None) => {
            let for_cpu = compute.precision == Some(Precision::F64)
                || compute.threads.is_some()
                || !WgpuBackend::is_worthwhile(&Plan::new(network, kinds)?);
            let Some(device) = (if for_cpu { None } else { hardware() }) else {
                return cpu(compute, network, kinds);
            };
            gpu(compute, network, kinds, device).or_else(|error| match error.downcast_ref() {
                Some(BackendError::Device { device, problem, .. }) => {
                    let text = format!("{device}: {problem}; the CPU computes instead");
                    output::note(compute.talk.quiet, &text);
                    cpu(compute, network, kinds)
                }
                _ => Err(error),
            })
        }
        (BackendName::Cpu, _) => cpu(compute, network, kinds),
        (BackendName::Wgpu, _) | (BackendName::Auto, Some(_)) => {
            if compute.precision == Some(Precision::F64) {
                return Err(mistake(
                    "--precision f64: GPUs compute in f32 only; leave --precision out, or use --backend cpu",
                ));
            }
            gpu(compute, network, kinds, open(compute.gpu.adapter.as_ref())?)
        }
        (BackendName::Finite, _) => {
            let precision = compute.precision.unwrap_or(Precision::F32);
            Ok(Chosen { backend: Box::new(finite(compute, network, kinds)?), precision })
        }
        (BackendName::Reference, _) => {
            if compute.precision == Some(Precision::F32) {
                return Err(mistake(
                    "--precision f32: the reference computes in f64 only; leave --precision out",
                ));
            }
            let mode = RotationMode::Grid(compute.quadrature);
            let backend = ReferenceBackend::new(network, kinds).with_rotations(mode);
            Ok(Chosen { backend: Box::new(backend), precision: Precision::F64 })
        }
    }
}

/// Networks that are sampled as the words say.
///
/// Errors: a layer without a width or without a form at finite width.
pub(crate) fn finite(
    compute: &Compute,
    network: &Network,
    kinds: KernelSet,
) -> anyhow::Result<FiniteBackend> {
    let precision = match compute.precision {
        Some(Precision::F64) => ekernel_finite::Precision::F64,
        _ => ekernel_finite::Precision::F32,
    };
    let options = compute.sampled.options(network, kinds, compute.thread_count());
    FiniteNetwork::<f32>::new(network, options.widths, 1)?;
    Ok(FiniteBackend::new(network, kinds, Options { precision, ..options }))
}

/// The adapter that was asked for, or a hardware one. No adapter is a mistake that the words can mend.
pub(crate) fn open(adapter: Option<&AdapterChoice>) -> anyhow::Result<Device> {
    Device::open_blocking(adapter.unwrap_or(&AdapterChoice::Hardware)).map_err(|error| match error {
        GpuError::NoAdapter { .. }
        | GpuError::OnlySoftware { .. }
        | GpuError::UnknownAdapter { .. }
        | GpuError::Unusable { .. } => mistake(error.to_string()),
        error => error.into(),
    })
}

/// A hardware GPU, if there is one that works.
pub(crate) fn hardware() -> Option<Device> {
    Device::open_blocking(&AdapterChoice::Hardware).ok()
}

/// What the words say and what was found best on the device.
pub(crate) fn gpu_options(gpu: &Gpu, device: &Device, quiet: bool) -> WgpuOptions {
    WgpuOptions {
        strategy: gpu.strategy(),
        tuning: tuning::of(&device.describe(), gpu.tuning.as_deref(), quiet),
        ..WgpuOptions::default()
    }
}

/// The backend of a plan.
///
/// Errors: [`BackendError::Device`] also for a strategy that cannot serve the plan; [`not_served`] says so in words.
pub(crate) fn gpu_backend(
    plan: Plan,
    options: WgpuOptions,
    device: Device,
) -> Result<WgpuBackend, BackendError> {
    if plan.input.is_spherical() && options.strategy != StrategyChoice::Auto {
        return Err(BackendError::Device {
            device: device.describe(),
            problem: "networks on the sphere are computed in one way; leave --strategy out".to_owned(),
            remedy: "or use the cpu backend".to_owned(),
        });
    }
    WgpuBackend::from_plan(plan, options, device)
}

/// The error of [`gpu_backend`]: with a strategy that was named, a mistake that other words can mend.
pub(crate) fn not_served(error: BackendError, strategy: StrategyChoice) -> anyhow::Error {
    let named = match strategy {
        StrategyChoice::Auto => return error.into(),
        StrategyChoice::Fused => "--strategy fused",
        StrategyChoice::Layered => "--strategy layered",
    };
    match error {
        BackendError::Device { problem, .. } => mistake(format!("{named}: {problem}")),
        error => error.into(),
    }
}

fn gpu(compute: &Compute, network: &Network, kinds: KernelSet, device: Device) -> anyhow::Result<Chosen> {
    let mut options = gpu_options(&compute.gpu, &device, compute.talk.quiet);
    options.all_blocks = compute.blocks == Blocks::All;
    let plan = Plan::with_quadrature(network, kinds, compute.quadrature)?;
    let backend = gpu_backend(plan, options, device).map_err(|error| not_served(error, options.strategy))?;
    Ok(Chosen { backend: Box::new(backend), precision: Precision::F32 })
}

fn cpu(compute: &Compute, network: &Network, kinds: KernelSet) -> anyhow::Result<Chosen> {
    let precision = compute.precision.unwrap_or(Precision::F32);
    let options = CpuOptions {
        precision: precision.of_backend(),
        threads: compute.thread_count(),
        all_blocks: compute.blocks == Blocks::All,
        ..CpuOptions::default()
    };
    let plan = Plan::with_quadrature(network, kinds, compute.quadrature)?;
    Ok(Chosen { backend: Box::new(CpuBackend::from_plan(plan, options)?), precision })
}
