//! Plans broken on purpose, which every parity suite must see.

use ekernel::core::{
    Activation, Plan,
    plan::{Op as _, PlaneOp, Pointwise, Readout},
};

/// What is broken, and how; false where the plan has nothing of the kind.
pub(crate) type Sabotage = (&'static str, fn(&mut Plan) -> bool);

/// Breaks the last op for which `change` says that it did (behind a first one a layer_norm may hide a scale).
fn last_op(plan: &mut Plan, change: impl Fn(&mut PlaneOp) -> bool) -> bool {
    plan.changed(|plan| {
        plan.stages.iter_mut().rev().flat_map(|stage| stage.ops.iter_mut().rev()).any(|op| change(&mut op.op))
    })
}

/// The same for ops at each position.
fn last_pointwise(plan: &mut Plan, change: impl Fn(&mut Pointwise) -> bool) -> bool {
    last_op(plan, |op| op.pointwise_mut().is_some_and(&change))
}

/// w² off by 0.1 %.
pub(crate) fn scale_weights(op: &mut Pointwise) -> bool {
    let Pointwise::Affine(affine) = op else { return false };
    affine.w2 *= 1.001;
    affine.ntk_scale *= 1.001;
    true
}

/// What a weighted layer adds to Θ, dropped.
pub(crate) fn drop_ntk(op: &mut Pointwise) -> bool {
    let Pointwise::Affine(affine) = op else { return false };
    affine.ntk_scale = 0.0;
    true
}

pub(crate) const SABOTAGES: [Sabotage; 6] = [
    ("w² off by 0.1 %", |plan| last_pointwise(plan, scale_weights)),
    ("ntk dropped", |plan| last_pointwise(plan, drop_ntk)),
    ("a tap dropped", |plan| {
        last_op(plan, |op| match op {
            PlaneOp::BoxMean(window) if window.size[0] > 1 => {
                window.size[0] -= 1;
                true
            }
            _ => false,
        })
    }),
    ("a plane dropped", |plan| {
        plan.stages.iter_mut().any(|stage| stage.offsets[0].len() > 1 && stage.offsets[0].pop().is_some())
    }),
    ("a rotation taken for another", |plan| {
        plan.readouts.iter_mut().any(|readout| match readout {
            Readout::Planes { orbit, .. } if orbit.len() > 1 => {
                orbit[1] = orbit[0];
                true
            }
            _ => false,
        })
    }),
    ("another activation", |plan| {
        last_pointwise(plan, |op| match op {
            Pointwise::Dual(activation) => {
                *activation = Activation::LeakyRelu { alpha: 0.01 };
                true
            }
            _ => false,
        })
    }),
];
