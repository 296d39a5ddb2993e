//! Everything between the signals on the sphere and a pooling over SO(3), as one stage on k(U).

use super::pointwise;
use crate::{
    ArchError, Domain, Network, PerAtom, Source,
    layers::Layer,
    plan::{Op, Quadrature, RotationOp, RotationStage},
};

/// The stage whose last op gives k(U) at `source`, a domain of rotations.
pub(super) fn stage(
    network: &Network,
    source: Source,
    quadrature: Quadrature,
) -> Result<RotationStage, ArchError> {
    let mut builder = Builder { network, ops: Vec::new(), done: vec![None; network.nodes().len()] };
    // Ops are made depth first, so the one asked for comes last.
    builder.op(source);
    let ops = builder.ops;
    let lifted = ops.iter().map(|op| match op.op {
        Op::CorrelateSphere { bandlimit } => bandlimit,
        _ => 0,
    });
    let bandlimit = lifted.max().unwrap_or(0);
    // All stages of a network share one grid, that of the largest lift.
    let largest = (0..network.nodes().len()).map(|i| self::bandlimit(network, Source::Node(i))).max();
    Ok(RotationStage { bandlimit, nodes: quadrature.nodes(largest.unwrap_or(bandlimit))?, ops })
}

struct Builder<'a> {
    network: &'a Network,
    ops: Vec<RotationOp>,
    done: Vec<Option<usize>>,
}

impl Builder<'_> {
    /// The op that gives k(U) at a node on rotations.
    fn op(&mut self, source: Source) -> usize {
        // The input is a sphere, which only the lift reads; the lift asks for nothing below it.
        let Source::Node(i) = source else { return 0 };
        if let Some(op) = self.done[i] {
            return op;
        }
        let node = &self.network.nodes()[i];
        let label = node.place.op.as_str();
        let inputs: Vec<usize> = match &node.layer {
            Layer::S2Conv(_) => {
                let bandlimit = bandlimit(self.network, source);
                vec![self.push(Op::CorrelateSphere { bandlimit }, vec![], label)]
            }
            Layer::So3Conv(conv) => {
                let input = self.op(node.inputs[0]);
                match conv.bandlimit {
                    None => vec![input],
                    Some(bandlimit) => vec![self.push(Op::Truncate { bandlimit }, vec![input], label)],
                }
            }
            _ => node.inputs.iter().map(|&input| self.op(input)).collect(),
        };
        let op = match pointwise(node) {
            None => inputs[0],
            Some(op) => self.push(op, inputs, label),
        };
        self.done[i] = Some(op);
        op
    }

    fn push(&mut self, op: Op, inputs: Vec<usize>, label: &str) -> usize {
        self.ops.push(RotationOp { op, inputs, label: label.to_owned() });
        self.ops.len() - 1
    }
}

/// The bandlimit of a source on rotations.
fn bandlimit(network: &Network, source: Source) -> usize {
    match network.domain(source) {
        Domain::Rotations { bandlimit } | Domain::Atoms(PerAtom::Rotations { bandlimit }) => bandlimit,
        _ => 0,
    }
}
