//! The float64 code of this backend, for pairs that float32 would spoil: in its own sessions, and in those of GPUs.

use std::sync::Arc;

use ekernel_core::{BackendError, Plan};
use ekernel_pairs::{Engine, Precise, Units, Watch, Workers};

use crate::{
    CpuOptions, Precision,
    engine::Planes,
    rotations::{Rotations, WIDE},
};
pub use crate::{image::Image, rotations::Variances};

/// How pairs of a plan are computed in float64.
///
/// # Errors
/// Sizes that the transforms refuse.
pub fn precise(plan: &Arc<Plan>, options: CpuOptions) -> Result<Precise, BackendError> {
    let options = CpuOptions { precision: Precision::F64, ..options };
    let [unit_bytes, thread_bytes] = if plan.input.is_spherical() {
        Rotations::<f64, WIDE>::bytes(plan, options.isa)?
    } else {
        Planes::<f64>::bytes(plan, &options)
    };
    let make =
        move |units: &Arc<Units>, workers: Workers, watch: Watch<'_>| engine(units, &options, workers, watch);
    Ok(Precise { make: Arc::new(make), unit_bytes, thread_bytes })
}

fn engine(
    units: &Units,
    options: &CpuOptions,
    workers: Workers,
    watch: Watch<'_>,
) -> Result<Box<dyn Engine>, BackendError> {
    Ok(if units.plan().input.is_spherical() {
        Box::new(Rotations::<f64, WIDE>::new(units, options.isa, workers, watch)?)
    } else {
        Box::new(Planes::<f64>::new(units, options, workers, watch)?)
    })
}
