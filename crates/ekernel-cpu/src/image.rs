//! What is computed once per copy of an image: the variance behind every op at every position, in float64.

use ekernel_core::plan::{Plan, Variances};

/// One copy of an image and the variances along the plan.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Pixels `[row][col][channel]` of g·f.
    pub features: Vec<f64>,
    /// K_ff(t, t) behind every op of every stage, `[stage][op][position]`.
    pub variances: Variances,
}

impl Image {
    /// Whether float32 does not hold what its pairs are made of ([`Plan::spoils_float32`]).
    pub fn spoils_float32(&self, plan: &Plan) -> bool {
        plan.spoils_float32(&self.variances)
    }

    /// Bytes an image takes.
    pub(crate) fn bytes(plan: &Plan) -> u64 {
        let positions: usize = plan.stages.iter().flat_map(|s| &s.ops).map(|op| op.at.positions()).sum();
        8 * (positions + plan.input.shape().iter().product::<usize>()) as u64
    }
}
