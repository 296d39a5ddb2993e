//! What is broken on purpose on SO(3).

use ekernel_core::{Plan, plan::SphereOp};

pub use crate::falsifiers::{
    DROPPED_NTK, IGNORED_SAMENESS, OTHER_ACTIVATION, SWAPPED_SLOTS, WRONG_WEIGHTS, ZEROED_NTK,
};
use crate::{
    falsifiers::scaled,
    falsify::{Breakage, Falsifier},
};

/// The highest degree of the signals.
pub const DROPPED_DEGREE: Falsifier = Falsifier {
    what: "a degree dropped at the lift",
    how: Breakage::Plan(|plan| {
        last_op(plan, |op| match op {
            SphereOp::Correlate { bandlimit } => {
                *bandlimit -= 1;
                true
            }
            _ => false,
        })
    }),
    least: 2,
};

/// The highest degree that a truncation keeps.
pub const DROPPED_TRUNCATED_DEGREE: Falsifier = Falsifier {
    what: "a degree dropped at the truncation",
    how: Breakage::Plan(|plan| {
        last_op(plan, |op| match op {
            SphereOp::Truncate { bandlimit } => {
                *bandlimit -= 1;
                true
            }
            _ => false,
        })
    }),
    least: 2,
};

/// Half of the nodes.
pub const COARSE_GRID: Falsifier = Falsifier {
    what: "a coarse grid",
    how: Breakage::Plan(|plan| {
        plan.rotations.iter_mut().for_each(|stage| stage.nodes = stage.bandlimit);
        scaled(plan)
    }),
    least: 2,
};

fn last_op(plan: &mut Plan, change: impl Fn(&mut SphereOp) -> bool) -> bool {
    scaled(plan)
        && plan.rotations.iter_mut().flat_map(|stage| stage.ops.iter_mut().rev()).any(|op| change(&mut op.op))
}
