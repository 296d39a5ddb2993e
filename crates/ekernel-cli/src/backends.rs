//! From the words on the command line to a backend.

use ekernel_core::{Backend, Kinds, Network, Plan};
use ekernel_cpu::{CpuBackend, CpuOptions};
use ekernel_reference::{ReferenceBackend, RotationMode};

use crate::{
    args::{BackendName, Blocks, Compute, Precision},
    failure::mistake,
};

/// What computes a network, and in which precision.
pub(crate) struct Chosen {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) precision: Precision,
}

/// Takes the backend that was asked for; `auto` is the CPU.
pub(crate) fn choose(compute: &Compute, network: &Network, kinds: Kinds) -> anyhow::Result<Chosen> {
    match compute.backend {
        BackendName::Auto | BackendName::Cpu => {
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
        BackendName::Reference => {
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
