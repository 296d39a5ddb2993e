//! What is known of the ops of a plan before any sample: found once, by one pass, when the plan is made.

use super::{Op, PlaneOp, Pointwise, Stage};

/// What one pass over a plan finds. Consumers look up and do not walk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// `[stage][op]`.
    stages: Vec<Vec<OpFacts>>,
}

/// What is known of an op of a stage on planes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpFacts {
    /// Whether a dropout stands at or above it, in earlier stages too: there a repeated sample is a different draw.
    pub behind_dropout: bool,
    /// The last op of its stage that reads it; none reads the stage's last op.
    pub last_reader: Option<usize>,
    /// Whether a smooth dual reads it, which wants variances besides standard deviations.
    pub variance_read: bool,
}

impl Facts {
    /// What is known of the ops of a stage.
    pub fn of(&self, stage: usize) -> &[OpFacts] {
        &self.stages[stage]
    }

    pub(super) fn of_stages(plan: &[Stage]) -> Facts {
        let mut stages: Vec<Vec<OpFacts>> = Vec::with_capacity(plan.len());
        for stage in plan {
            let last_readers = stage.ops.last_readers();
            let mut facts: Vec<OpFacts> = Vec::with_capacity(stage.ops.len());
            for (node, last_reader) in stage.ops.iter().zip(last_readers) {
                let above = |input: &usize| facts[*input].behind_dropout;
                let behind_dropout = match node.op {
                    PlaneOp::Pointwise(Pointwise::Dropout(_)) => true,
                    PlaneOp::Pooled(source) => stages[source].last().is_some_and(|last| last.behind_dropout),
                    PlaneOp::Correlate | PlaneOp::BoxMean(_) | PlaneOp::Pointwise(_) => {
                        node.inputs.iter().any(above)
                    }
                };
                if node.op.pointwise().is_some_and(Pointwise::is_smooth_dual) {
                    node.inputs.iter().for_each(|&input| facts[input].variance_read = true);
                }
                facts.push(OpFacts { behind_dropout, last_reader, variance_read: false });
            }
            stages.push(facts);
        }
        Facts { stages }
    }
}
