//! Whom a case trusts.

use ekernel_core::{Backend, BackendError, KernelSet, Kernels, Network, Pairs, Plan, Quadrature};
use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
use ekernel_reference::{ReferenceBackend, RotationMode};

use crate::kernels;

/// What computes the kernels that a case expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// The literal recursions. Where patches are parallel it loses half of its digits, since it carries K.
    Reference,
    /// The CPU in float64, op by op, which the suite proves by the reference: for what the reference has no memory or no digits.
    Double,
}

impl Trusted {
    pub(crate) fn kernels(
        self,
        network: &Network,
        quadrature: Quadrature,
        pairs: Pairs,
    ) -> Result<Kernels, BackendError> {
        let backend: Box<dyn Backend> = match self {
            Trusted::Reference => Box::new(
                ReferenceBackend::new(network, KernelSet::Both)
                    .with_rotations(RotationMode::Grid(quadrature)),
            ),
            Trusted::Double => {
                let plan = Plan::with_quadrature(network, KernelSet::Both, quadrature)?;
                let options = CpuOptions {
                    precision: Precision::F64,
                    fused: false,
                    threads: 1,
                    ..CpuOptions::default()
                };
                Box::new(CpuBackend::from_plan(plan, options)?)
            }
        };
        kernels(backend.as_ref(), pairs)
    }
}
