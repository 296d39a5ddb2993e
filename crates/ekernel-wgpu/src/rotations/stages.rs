//! All stages on SO(3) of a plan.

use ekernel_core::Plan;

use super::{shape::Shape, stage};
use crate::{Device, GpuError, strategy::StageStrategy};

/// Compiles the shaders of every stage on SO(3) of a plan.
///
/// Errors: [`GpuError::Refused`] with the compiler's words.
pub(crate) fn compile(device: &Device, plan: &Plan) -> Result<(), GpuError> {
    plan.rotations.iter().try_for_each(|stage| stage::compile(device, plan, stage))
}

/// How each stage on SO(3) of a plan is computed.
pub(crate) fn strategies(device: &Device, plan: &Plan, chunk_bytes: u64) -> Vec<StageStrategy> {
    let chunk_bytes = device.chunk_bytes(chunk_bytes);
    let described = |(number, stage)| {
        let shape = Shape::new(plan, stage);
        let passes = match shape.passes.passes.len() - 1 {
            0 => "points in registers".to_owned(),
            1 => "one pass over all points for a truncation, the last one in registers".to_owned(),
            more => format!("{more} passes over all points for truncations, the last one in registers"),
        };
        let lanes = shape.max_lanes(chunk_bytes);
        let detail =
            format!("{passes}; chunks of at most {lanes} pairs in buffers of {} MiB", chunk_bytes >> 20);
        StageStrategy { stage: number, name: "rotations", detail }
    };
    plan.rotations.iter().enumerate().map(described).collect()
}
