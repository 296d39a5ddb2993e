//! Positions of planes, of which networks of different layers have different numbers.

use ekernel_core::{
    Plan,
    plan::{PlaneNode, PlaneOp, Stage},
};

/// Positions of all planes behind the convolutions of a pair, orbit included.
pub(super) fn positions(plan: &Plan) -> u64 {
    let stages = plan.stages.iter().zip(plan.cost().orbit);
    stages.map(|(stage, orbit)| orbit * of_stage(stage)).sum()
}

fn of_stage(stage: &Stage) -> u64 {
    let convolution = |op: &&PlaneNode| matches!(op.op, PlaneOp::BoxMean(_));
    let of_op = |op: &PlaneNode| {
        let axis = |axis: usize| -> u64 {
            let offsets = stage.offsets[axis].iter().map(|d| d * op.at.step[axis] as isize);
            offsets.map(|d| op.at.span(axis, d).len() as u64).sum()
        };
        axis(0) * axis(1)
    };
    stage.ops.iter().filter(convolution).map(of_op).sum()
}

#[cfg(test)]
mod tests {
    use ekernel_core::KernelSet;

    use super::*;
    use crate::commands::bench::networks::network;

    #[test]
    fn every_pair_of_positions_counts() {
        let of = |name| positions(&Plan::new(&network(name).unwrap(), KernelSet::Both).unwrap());
        let [fine, coarse] = [32u64.pow(4), 16u64.pow(4)];
        assert_eq!(of("cnn-same"), 5 * fine);
        assert_eq!(of("c4-same"), 4 * 5 * fine);
        assert_eq!(of("myrtle5"), 2 * fine + coarse + 8u64.pow(4));
        // A stride of 2 reads planes of even offsets alone: those between positions of equal parity.
        assert_eq!(of("cnn-strides"), (2 * 16 * 16) * (2 * 16 * 16) + 4 * coarse);
        assert_eq!(of("so3-relu"), 0);
    }
}
