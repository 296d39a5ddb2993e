//! What is broken on purpose on planes and on SO(3) alike.

use ekernel_core::{
    Activation, Plan,
    plan::{Op as _, Pointwise},
};

use crate::{
    broken::Broken,
    falsify::{Breakage, Falsifier},
};

/// w² off by 0.1 %.
pub const WRONG_WEIGHTS: Falsifier = Falsifier {
    what: "w² off by 0.1 %",
    how: Breakage::Plan(|plan| {
        last_pointwise(plan, |op| match op {
            Pointwise::Affine(affine) => {
                affine.w2 *= 1.001;
                affine.ntk_scale *= 1.001;
                true
            }
            _ => false,
        })
    }),
    least: 2,
};

/// What a weighted layer adds to Θ.
pub const DROPPED_NTK: Falsifier = Falsifier {
    what: "a layer's part of the NTK dropped",
    how: Breakage::Plan(|plan| {
        last_pointwise(plan, |op| match op {
            Pointwise::Affine(affine) => {
                affine.ntk_scale = 0.0;
                true
            }
            _ => false,
        })
    }),
    least: 2,
};

/// A leaky relu in place of an activation.
pub const OTHER_ACTIVATION: Falsifier = Falsifier {
    what: "another activation",
    how: Breakage::Plan(|plan| {
        last_pointwise(plan, |op| match op {
            Pointwise::Dual(activation) => {
                *activation = Activation::LeakyRelu { alpha: 0.01 };
                true
            }
            _ => false,
        })
    }),
    least: 2,
};

/// The second sample for the first.
pub const SWAPPED_SLOTS: Falsifier =
    Falsifier { what: "the slots swapped", how: Breakage::Backend(Broken::swapped_slots, scaled), least: 2 };

/// No NTK.
pub const ZEROED_NTK: Falsifier =
    Falsifier { what: "the NTK zeroed", how: Breakage::Backend(Broken::zeroed_ntk, scaled), least: 2 };

/// Two equal samples for one.
pub const IGNORED_SAMENESS: Falsifier = Falsifier {
    what: "a sample with itself taken for two equal ones",
    how: Breakage::Backend(Broken::ignored_sameness, |plan| {
        plan.pointwise().any(|op| matches!(op, Pointwise::Dropout(keep) if *keep < 1.0))
    }),
    least: 1,
};

/// Whether there are stages, and no layer_norm or sign that would hide a scale.
pub(crate) fn scaled(plan: &Plan) -> bool {
    let hides = |op: &Pointwise| matches!(op, Pointwise::Normalize(_) | Pointwise::Dual(Activation::Sign));
    let empty = plan.stages.is_empty() && plan.rotations.is_empty();
    !(empty || plan.pointwise().any(hides))
}

/// Breaks the last op at each position, of planes or on SO(3), for which `change` returns that it did.
fn last_pointwise(plan: &mut Plan, change: impl Fn(&mut Pointwise) -> bool) -> bool {
    scaled(plan)
        && plan.changed(|plan| {
            let planes = plan.stages.iter_mut().rev().flat_map(|stage| stage.ops.iter_mut().rev());
            let rotations = plan.rotations.iter_mut().flat_map(|stage| stage.ops.iter_mut().rev());
            let mut all = planes
                .filter_map(|node| node.op.pointwise_mut())
                .chain(rotations.filter_map(|node| node.op.pointwise_mut()));
            all.any(change)
        })
}
