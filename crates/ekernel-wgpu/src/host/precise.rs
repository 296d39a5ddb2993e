//! Pairs that float32 would spoil: nearly parallel ones behind a pool or a smooth dual, whose angle is the root of a small
//! difference of large numbers. The host computes them in float64, one by one; data sets have few of them.

use ekernel_core::plan::{Form, Op, Plan, Scalar};

/// Readouts whose relative defect 1 − cos θ is below this are computed in float64. Float32 planes know K, a sum over many
/// positions, to some 1e-8 of itself; at the bound that is 2e-6 in θ, 3e-7 in the NTK.
const PARALLEL_READOUTS: f64 = 2e-5;

/// The bound for a readout of a single value, which is known to 6e-8; it falls with the number of values, whose errors average out.
const PARALLEL_VALUES: f64 = 1e-3;

/// Samples whose relative defect is below this are, where a plan subtracts within its stages: a value there is known to 6e-8.
const PARALLEL_SAMPLES: f64 = 1e-4;

/// What in a plan reads the angle of differences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delicate {
    /// A kinked activation behind a local pool or a smooth dual.
    pub(crate) stages: bool,
    /// The bound of readouts, where a kinked activation in the head reads them.
    pub(crate) head: Option<f64>,
}

impl Delicate {
    pub(crate) fn new(plan: &Plan) -> Delicate {
        let subtracts = |op: &Op| match op {
            Op::Pooled(_) => true,
            Op::Dual(activation) => activation.kink().is_none(),
            _ => false,
        };
        let mut ops = plan.stages.iter().flat_map(|stage| &stage.ops);
        let stages = ops.any(|op| op.form == Form::Defect && subtracts(&op.op));
        let head = !plan.stages.is_empty() && plan.head.iter().any(|op| op.op.wants_defect());
        Delicate {
            stages,
            head: head.then_some(PARALLEL_READOUTS.max(PARALLEL_VALUES / plan.fewest_values())),
        }
    }

    /// Whether the angle between two samples that are not equal is too small for float32 at some readout. It may come out
    /// as 0 or less; of equal ones it is 0 exactly.
    pub(crate) fn reads(self, readouts: &[Scalar]) -> bool {
        self.head.is_some_and(|bound| readouts.iter().any(|value| value.defect() < bound))
    }

    /// Whether two directions, of copies that are not equal, are nearly parallel.
    pub(crate) fn compares(self, first: &[f64], second: &[f64]) -> bool {
        let cosine = || first.iter().zip(second).map(|(x, y)| x * y).sum::<f64>();
        self.stages && !first.is_empty() && !second.is_empty() && 1.0 - cosine() < PARALLEL_SAMPLES
    }
}
