//! pooled: the planes of an earlier stage, in the form of the op that reads them.

use ekernel_core::plan::{Form, Plan};

use super::{geometry::gather, params::Params};

pub(super) fn params(params: Params, plan: &Plan, source: usize) -> Params {
    let stage = &plan.stages[source];
    let carried = stage.ops.last().map_or(Form::Cov, |last| last.at.form);
    Params {
        pooled: stage.pools_defects().into(),
        input_defect: (carried == Form::Defect).into(),
        numbers: [gather(plan, source).1 as f32, 0.0, 0.0, 0.0],
        ..params
    }
}
