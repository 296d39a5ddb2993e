//! Pairs that float32 would spoil: nearly parallel ones behind a pool, whose angle is the root of a small difference of large
//! sums, and those of samples whose products it does not hold, or whose rounding steep activations amplify. They are computed in float64.

use ekernel_core::plan::{Form, Op, Plan, Scalar as HeadValue};

use crate::{engine::Copy, planes::Scalar};

/// Readouts whose relative defect 1 - cos θ is below this are computed in float64. Float32 knows K, a sum over many values, to
/// some 4e-9 of itself or better; at the bound that is 2e-6 in θ, 3e-7 in the NTK.
const PARALLEL_READOUTS: f64 = 2e-6;

/// The bound for a readout of a single value, known to 6e-8; errors of several values average out, and the bound falls with
/// their number.
const PARALLEL_VALUES: f64 = 1e-3;

/// Images whose relative defect is below this are, behind local pools: a pooled value is a sum over few positions, known to
/// some 6e-8.
const PARALLEL_IMAGES: f64 = 1e-4;

/// What in a plan reads the angle of pooled values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delicate {
    /// A kinked activation behind a local pool.
    pools: bool,
    /// The bound of readouts, where a kinked activation in the head reads them.
    head: Option<f64>,
    /// Some samples spoil float32.
    spoiled: bool,
}

impl Delicate {
    pub(crate) fn new<T: Scalar>(plan: &Plan) -> Delicate {
        let single = T::DIGITS < 53;
        let mut ops = plan.stages.iter().flat_map(|stage| &stage.ops);
        let pooled = ops.any(|op| matches!(op.op, Op::Pooled(_)) && op.form == Form::Defect);
        let head = !plan.stages.is_empty() && plan.head.iter().any(|op| op.op.wants_defect());
        let bound = PARALLEL_READOUTS.max(PARALLEL_VALUES / plan.fewest_values());
        Delicate { pools: single && pooled, head: (single && head).then_some(bound), spoiled: false }
    }

    /// The same for samples of which these are the copies.
    pub(crate) fn of<'a, T: Scalar>(self, mut copies: impl Iterator<Item = &'a Copy<T>>) -> Delicate {
        Delicate { spoiled: T::DIGITS < 53 && copies.any(Copy::is_spoiled), ..self }
    }

    /// Whether a pair is to be computed in float64: by its readouts, or by the copies (f, g·f') of its images.
    pub(crate) fn concerns<T: Scalar>(
        self,
        readouts: &[HeadValue],
        first: &Copy<T>,
        seconds: &[Copy<T>],
    ) -> bool {
        // Equal images are closed: they are their own value, and their pooled planes begin with u = 0 at equal positions. Of
        // others the defect that float32 finds is rounding alone where it matters most, and may be negative.
        let parallel = |bound: f64| {
            readouts.iter().any(|value| value.defect() < bound)
                && !seconds.iter().any(|second| first.equals(second))
        };
        let beside = |second: &Copy<T>| {
            let [nngp, v, vp] = [first.inner(second), first.inner(first), second.inner(second)];
            HeadValue { nngp, ntk: 0.0, v, vp }.defect() < PARALLEL_IMAGES && !first.equals(second)
        };
        let spoiled = || first.is_spoiled() || seconds.iter().any(Copy::is_spoiled);
        self.head.is_some_and(parallel)
            || (self.pools && seconds.iter().any(beside))
            || (self.spoiled && spoiled())
    }

    /// Whether there can be such pairs.
    pub(crate) fn is_possible(self) -> bool {
        self.head.is_some() || self.pools || self.spoiled
    }
}
