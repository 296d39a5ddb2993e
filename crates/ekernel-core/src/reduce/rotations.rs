//! Everything between the signals on the sphere and a pooling over SO(3), as one stage on k(U).

use super::{order::Make, pointwise::pointwise};
use crate::{
    ArchError, Domain, Layer, Network, PerAtom, Source,
    plan::{Graph, Node, Quadrature, RotationStage, SphereOp},
};

/// The stage whose last op gives k(U) at `source`, a domain of rotations.
pub(super) fn stage(
    network: &Network,
    source: Source,
    quadrature: Quadrature,
) -> Result<RotationStage, ArchError> {
    let mut builder = Builder { network, ops: Graph::default(), done: vec![None; network.nodes().len()] };
    builder.make_all(source)?;
    let ops = builder.ops;
    let lifted = ops.iter().filter_map(|op| match op.op {
        SphereOp::Correlate { bandlimit } => Some(bandlimit),
        _ => None,
    });
    let bandlimit = lifted.max().expect("only a lift leads from a sphere to rotations");
    // All stages of a network share one grid, that of the largest lift.
    let nodes = network.nodes().iter().filter_map(|node| self::bandlimit(node.domain));
    Ok(RotationStage { bandlimit, nodes: quadrature.nodes(nodes.fold(bandlimit, usize::max))?, ops })
}

struct Builder<'a> {
    network: &'a Network,
    ops: Graph<SphereOp>,
    /// The op that gives k(U) at a node.
    done: Vec<Option<usize>>,
}

impl Make for Builder<'_> {
    type Key = Source;

    fn is_made(&self, source: Source) -> bool {
        self.place(source).is_some()
    }

    fn needs(&self, source: Source) -> Vec<Source> {
        let Source::Node(i) = source else {
            unreachable!("the input is a sphere, which only the lift reads")
        };
        let node = &self.network.nodes()[i];
        if let Layer::S2Conv(_) = node.layer { vec![] } else { node.inputs.clone() }
    }

    fn make(&mut self, source: Source) -> Result<(), ArchError> {
        let Source::Node(i) = source else {
            unreachable!("the input is a sphere, which only the lift reads")
        };
        let node = &self.network.nodes()[i];
        let label = node.place.op.as_str();
        let made = |source: &Source| self.place(*source).expect("an op is made after those it reads");
        let inputs: Vec<usize> = match &node.layer {
            Layer::S2Conv(_) => {
                let bandlimit = bandlimit(node.domain).expect("s2_conv leads to rotations");
                vec![self.push(SphereOp::Correlate { bandlimit }, vec![], label)]
            }
            Layer::So3Conv(conv) => {
                let input = made(&node.inputs[0]);
                match conv.bandlimit {
                    None => vec![input],
                    Some(bandlimit) => vec![self.push(SphereOp::Truncate { bandlimit }, vec![input], label)],
                }
            }
            _ => node.inputs.iter().map(made).collect(),
        };
        let op = match pointwise(node) {
            None => inputs[0],
            Some(op) => self.push(SphereOp::Pointwise(op), inputs, label),
        };
        self.done[i] = Some(op);
        Ok(())
    }
}

impl Builder<'_> {
    fn place(&self, source: Source) -> Option<usize> {
        match source {
            Source::Input => None,
            Source::Node(i) => self.done[i],
        }
    }

    fn push(&mut self, op: SphereOp, inputs: Vec<usize>, label: &str) -> usize {
        self.ops.push(Node { op, inputs, at: (), label: label.to_owned() })
    }
}

/// The bandlimit of a domain of rotations.
fn bandlimit(domain: Domain) -> Option<usize> {
    match domain {
        Domain::Rotations { bandlimit } | Domain::Atoms(PerAtom::Rotations { bandlimit }) => Some(bandlimit),
        _ => None,
    }
}
