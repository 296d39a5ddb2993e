//! Pairs that float32 would spoil: nearly parallel ones behind a pool, whose angle is the root of a small difference of large
//! sums. They are computed in float64, one by one; data sets have few of them.

use ekernel_core::plan::{Form, Op, Plan, Scalar as HeadValue};

use crate::{engine::Copy, planes::Scalar};

/// Readouts whose relative defect 1 - cos θ is below this are computed in float64. Float32 knows K, a sum over many positions, to
/// some 4e-9 of itself or better; at the bound that is 2e-6 in θ, 3e-7 in the NTK.
const PARALLEL_READOUTS: f64 = 2e-6;

/// Images whose relative defect is below this are, behind local pools: a pooled value is a sum over few positions, known to
/// some 6e-8.
const PARALLEL_IMAGES: f64 = 1e-4;

/// Below this two sums are equal but for the rounding of the division.
const EQUAL: f64 = 1e-13;

/// What in a plan reads the angle of pooled values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delicate {
    /// A kinked activation behind a local pool.
    pools: bool,
    /// A kinked activation in the head.
    head: bool,
}

impl Delicate {
    pub(crate) fn new<T: Scalar>(plan: &Plan) -> Delicate {
        let single = T::DIGITS < 53;
        let mut ops = plan.stages.iter().flat_map(|stage| &stage.ops);
        let pooled = ops.any(|op| matches!(op.op, Op::Pooled(_)) && op.form == Form::Defect);
        let head = !plan.stages.is_empty() && plan.head.iter().any(|op| op.op.wants_defect());
        Delicate { pools: single && pooled, head: single && head }
    }

    /// Whether a pair is to be computed in float64: by its readouts, or by the copies (f, g·f') of its images.
    pub(crate) fn concerns<T: Scalar>(
        self,
        readouts: &[HeadValue],
        first: &Copy<T>,
        seconds: &[Copy<T>],
    ) -> bool {
        let turned = |value: &HeadValue| {
            let defect = defect(value.nngp, value.v, value.vp);
            (EQUAL..PARALLEL_READOUTS).contains(&defect)
        };
        // Equal images are closed: their pooled planes begin with u = 0 at equal positions.
        let beside = |second: &Copy<T>| {
            defect(first.inner(second), first.inner(first), second.inner(second)) < PARALLEL_IMAGES
                && !first.equals(second)
        };
        (self.head && readouts.iter().any(turned)) || (self.pools && seconds.iter().any(beside))
    }
}

/// 1 - cos θ; not a number for black images, which nothing is parallel to.
fn defect(inner: f64, v: f64, vp: f64) -> f64 {
    1.0 - inner / (v.sqrt() * vp.sqrt())
}
