//! Theorems as compiler passes: from a network to its plan.
//!
//! 1. *orbit*: a group-equivariant network is a plain one averaged over the orbit of the second input ([`orbit`]);
//! 2. *stages*: maximal runs of offset-preserving layers, cut where local pooling mixes offsets ([`stages`]);
//! 3. *demand*: which offsets of each stage are needed, and in which form values are carried ([`demand`]).

mod demand;
mod orbit;
mod stages;

use crate::{
    ArchError, Domain, Input, Network, Node, Parameterization, PoolKind, Source,
    layers::Layer,
    plan::{Affine, HeadOp, Kinds, Op, Plan, Readout, Sink},
};

pub(crate) fn reduce(network: &Network, kinds: Kinds) -> Result<Plan, ArchError> {
    let group = orbit::group(network)?;
    let mut plan = Plan {
        input: *network.input(),
        kinds,
        group,
        stages: Vec::new(),
        readouts: Vec::new(),
        head: Vec::new(),
        needs_self: false,
    };
    let mut scalars = Scalars { network, done: vec![None; network.nodes().len()], input: None };
    scalars.op(network.output(), &mut plan);
    demand::propagate(&mut plan.stages);
    plan.needs_self = plan.head.iter().any(|op| matches!(op.op, Op::Dual(_) | Op::Normalize(_)));
    Ok(plan)
}

/// Builds the head, and below it a readout for every step from a spatial domain to a vector.
struct Scalars<'a> {
    network: &'a Network,
    done: Vec<Option<usize>>,
    input: Option<usize>,
}

impl Scalars<'_> {
    /// The head op that gives the value at a source on the vector domain.
    fn op(&mut self, source: Source, plan: &mut Plan) -> usize {
        let node = match source {
            Source::Input => {
                return match self.input {
                    Some(op) => op,
                    None => {
                        let op = readout(plan, Readout::Vector, "input");
                        self.input = Some(op);
                        op
                    }
                };
            }
            Source::Node(i) => match self.done[i] {
                Some(op) => return op,
                None => &self.network.nodes()[i],
            },
        };
        let from = self.network.domain(node.inputs[0]);
        let op = if from == Domain::Vector {
            self.scalar(node, plan)
        } else {
            let stage = stages::chain(self.network, node.inputs[0], sink(node, from), plan);
            let orbit = orbit::elements(node, from);
            readout(plan, Readout::Planes { stage, orbit }, &node.place.op)
        };
        if let Source::Node(i) = source {
            self.done[i] = Some(op);
        }
        op
    }

    fn scalar(&mut self, node: &Node, plan: &mut Plan) -> usize {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| self.op(*input, plan)).collect();
        match pointwise(node) {
            None => inputs[0],
            Some(op) => {
                plan.head.push(HeadOp { op, inputs, label: node.place.op.clone() });
                plan.head.len() - 1
            }
        }
    }
}

fn readout(plan: &mut Plan, readout: Readout, label: &str) -> usize {
    plan.readouts.push(readout);
    let op = Op::Readout(plan.readouts.len() - 1);
    plan.head.push(HeadOp { op, inputs: vec![], label: label.to_owned() });
    plan.head.len() - 1
}

/// How the layer that leaves the spatial domain reads the planes.
fn sink(node: &Node, from: Domain) -> Sink {
    match &node.layer {
        Layer::GlobalPool(pool) if pool.kind == PoolKind::Sum => {
            let positions = from.positions() as f64;
            Sink::Mean { scale: positions * positions }
        }
        Layer::Flatten => Sink::Diagonal,
        _ => Sink::Mean { scale: 1.0 },
    }
}

/// The op of a layer that acts at each position alone; `None` for layers that do nothing. Convolutions are their affine
/// part here; the window is the stage's.
fn pointwise(node: &Node) -> Option<Op> {
    match &node.layer {
        Layer::Dense(_) | Layer::Conv(_) | Layer::Lift(_) | Layer::GroupConv(_) => {
            affine(node).map(Op::Affine)
        }
        Layer::Activation(activation) => Some(Op::Dual(*activation)),
        Layer::LayerNorm(norm) => Some(Op::Normalize(norm.over)),
        Layer::Dropout(dropout) => (dropout.rate < 1.0).then_some(Op::Dropout(dropout.rate)),
        Layer::Sum => Some(Op::Sum),
        Layer::Identity | Layer::GroupPool | Layer::Pool(_) | Layer::GlobalPool(_) | Layer::Flatten => None,
    }
}

/// A layer's weights as an affine map of (K, Θ).
fn affine(node: &Node) -> Option<Affine> {
    let weights = node.layer.weights()?;
    let w2 = weights.w_std * weights.w_std;
    let b2 = weights.b_std.map_or(0.0, |b| b * b);
    let (ntk_scale, ntk_shift) = match weights.parameterization {
        Parameterization::Ntk => (w2, b2),
        Parameterization::Standard => {
            let taps = match (&node.layer, node.domain) {
                (Layer::Conv(conv), _) => conv.window.area(),
                (Layer::Lift(lift), _) => lift.window.area(),
                (Layer::GroupConv(conv), Domain::GroupGrid { group, .. }) => {
                    group.order() * conv.window.area()
                }
                _ => 1,
            };
            let fan_in = node.features_in.unwrap_or(1) * taps;
            (fan_in as f64 / weights.width_scale, if weights.b_std.is_some() { 1.0 } else { 0.0 })
        }
    };
    Some(Affine { w2, b2, ntk_scale, ntk_shift })
}

/// The input's extent; vectors count as one position.
fn input_extent(input: &Input) -> [usize; 2] {
    input.domain().extent().unwrap_or([1, 1])
}
