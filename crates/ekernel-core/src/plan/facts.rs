//! What is known of the ops of a plan before any sample: found once, by one pass, when the plan is made.

use super::{Op, Plan};

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
}

impl Plan {
    /// What is known of its ops.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The plan after a change of its ops, with facts to match. For tests that break a plan on purpose.
    pub fn changed<R>(&mut self, change: impl FnOnce(&mut Plan) -> R) -> R {
        let result = change(self);
        self.find_facts();
        result
    }

    /// Fills in the facts, in one pass.
    pub(crate) fn find_facts(&mut self) {
        let mut stages: Vec<Vec<OpFacts>> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let mut facts = vec![OpFacts::default(); stage.ops.len()];
            for (i, op) in stage.ops.iter().enumerate() {
                let smooth = matches!(op.op, Op::Dual(activation) if activation.is_smooth());
                facts[i].behind_dropout = match op.op {
                    Op::Dropout(_) => true,
                    Op::Pooled(source) => stages[source].last().is_some_and(|last| last.behind_dropout),
                    _ => op.inputs.iter().any(|&input| facts[input].behind_dropout),
                };
                for &input in &op.inputs {
                    facts[input].last_reader = Some(i);
                    facts[input].variance_read |= smooth;
                }
            }
            stages.push(facts);
        }
        self.facts = Facts { stages };
    }
}
