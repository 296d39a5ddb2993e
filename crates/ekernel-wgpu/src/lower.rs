//! The plan as this backend executes it: defects handed through smooth duals too.
//!
//! A smooth dual that must give a defect finds it by subtraction if it gets K. In float32 that costs 1e-4 on constant images; the
//! shaders give u_o without cancellation where they get u.

use ekernel_core::plan::{Form, Op as _, Plan, PlaneNode, PlaneOp, Pointwise};

/// Asks for defects wherever an op gives one.
pub(crate) fn lower(mut plan: Plan) -> Plan {
    for stage in (0..plan.stages.len()).rev() {
        forms(&mut plan.stages[stage].ops);
        let sources: Vec<usize> = plan.stages[stage]
            .ops
            .iter()
            .filter(|op| op.at.form == Form::Defect)
            .filter_map(|op| if let PlaneOp::Pooled(source) = op.op { Some(source) } else { None })
            .collect();
        for source in sources {
            if let Some(last) = plan.stages[source].ops.last_mut() {
                last.at.form = Form::Defect;
            }
        }
    }
    plan
}

fn forms(ops: &mut [PlaneNode]) {
    for i in (0..ops.len()).rev() {
        if ops[i].at.form == Form::Defect || ops[i].op.pointwise().is_some_and(Pointwise::wants_defect) {
            for input in ops[i].inputs.clone() {
                ops[input].at.form = Form::Defect;
            }
        }
    }
}
