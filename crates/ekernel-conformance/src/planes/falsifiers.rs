//! What is broken on purpose on planes.

use ekernel_core::{
    GroupElement, Plan,
    plan::{Form, PlaneOp, Readout},
};

pub use crate::falsifiers::{
    DROPPED_NTK, IGNORED_SAMENESS, OTHER_ACTIVATION, SWAPPED_SLOTS, WRONG_WEIGHTS, ZEROED_NTK,
};
use crate::{
    falsifiers::scaled,
    falsify::{Breakage, Falsifier},
};

/// A row of a window.
pub const DROPPED_TAP: Falsifier = Falsifier {
    what: "a tap dropped",
    how: Breakage::Plan(|plan| {
        last_op(plan, |op| match op {
            PlaneOp::BoxMean(window) if window.size[0] > 1 => {
                window.size[0] -= 1;
                true
            }
            _ => false,
        })
    }),
    least: 5,
};

/// The largest offset.
pub const DROPPED_PLANE: Falsifier = Falsifier {
    what: "a plane dropped",
    how: Breakage::Plan(|plan| {
        scaled(plan)
            && plan
                .stages
                .iter_mut()
                .any(|stage| stage.offsets[0].len() > 1 && stage.offsets[0].pop().is_some())
    }),
    least: 5,
};

/// The identity in place of another element of the group.
pub const MISSING_ROTATION: Falsifier = Falsifier {
    what: "a rotation taken for another",
    how: Breakage::Plan(|plan| {
        orbits(plan, |orbit| {
            orbit.len() > 1 && {
                orbit[1] = orbit[0];
                true
            }
        })
    }),
    least: 5,
};

/// A quarter turn the wrong way.
pub const FLIPPED_ROTATION: Falsifier = Falsifier {
    what: "a rotation the wrong way",
    how: Breakage::Plan(|plan| {
        orbits(plan, |orbit| {
            let turn = orbit.iter_mut().find(|g| g.inverse() != **g);
            turn.map(|g: &mut GroupElement| *g = g.inverse()).is_some()
        })
    }),
    least: 4,
};

/// A convolution that reads neighbours where it should step over them.
pub const WRONG_STRIDES: Falsifier = Falsifier {
    what: "strides left out",
    how: Breakage::Plan(|plan| {
        last_op(plan, |op| match op {
            PlaneOp::BoxMean(window) if window.strides != [1, 1] => {
                window.strides = [1, 1];
                true
            }
            _ => false,
        })
    }),
    least: 3,
};

/// K in place of u.
pub const DROPPED_DEFECTS: Falsifier = Falsifier {
    what: "defects dropped",
    how: Breakage::Plan(|plan| {
        plan.changed(|plan| {
            let ops = plan.stages.iter_mut().flat_map(|stage| stage.ops.iter_mut());
            ops.for_each(|op| op.at.form = Form::Cov);
        });
        true
    }),
    least: 2,
};

/// Breaks the last op for which `change` returns that it did.
fn last_op(plan: &mut Plan, change: impl Fn(&mut PlaneOp) -> bool) -> bool {
    scaled(plan)
        && plan.changed(|plan| {
            let ops = plan.stages.iter_mut().rev().flat_map(|stage| stage.ops.iter_mut().rev());
            ops.map(|op| &mut op.op).any(change)
        })
}

/// Breaks the first orbit for which `change` returns that it did.
fn orbits(plan: &mut Plan, change: impl Fn(&mut Vec<GroupElement>) -> bool) -> bool {
    scaled(plan)
        && plan.readouts.iter_mut().any(|readout| match readout {
            Readout::Planes { orbit, .. } => change(orbit),
            _ => false,
        })
}
