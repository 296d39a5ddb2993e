//! Theorems as compiler passes: from a network to its plan.
//!
//! 1. *orbit*: a group-equivariant network is a plain one averaged over the orbit of the second input ([`orbit`]);
//! 2. *stages*: maximal runs of offset-preserving layers, cut where local pooling mixes offsets ([`stages`]);
//! 3. *rotations*: networks on SO(3) are orbits under U ∈ SO(3), a stage on k(U) ([`rotations`]);
//! 4. *demand*: which offsets of each stage are needed, and in which form values are carried ([`demand`]).

mod demand;
mod orbit;
mod rotations;
mod stages;

use crate::{
    ArchError, Domain, Input, Network, Node, Parameterization, PerAtom, PoolKind, Source,
    layers::Layer,
    plan::{Affine, AtomPlan, HeadOp, KernelSet, Op, Plan, Quadrature, Readout, Sink},
};

pub(crate) fn reduce(network: &Network, kinds: KernelSet, quadrature: Quadrature) -> Result<Plan, ArchError> {
    let group = orbit::group(network)?;
    let atoms = match network.input() {
        Input::Molecule { atoms, .. } => Some(AtomPlan {
            pairing: *atoms,
            readouts: Vec::new(),
            head: Vec::new(),
            outputs: Vec::new(),
            needs_self: false,
        }),
        Input::Vector { .. } | Input::Image { .. } | Input::Sphere { .. } => None,
    };
    let mut plan = Plan {
        input: network.input().clone(),
        kinds,
        group,
        stages: Vec::new(),
        rotations: Vec::new(),
        atoms,
        readouts: Vec::new(),
        head: Vec::new(),
        needs_self: false,
    };
    let mut scalars = Scalars { network, quadrature, done: vec![None; network.nodes().len()], input: None };
    scalars.op(network.output(), &mut plan)?;
    demand::propagate(&mut plan.stages);
    plan.needs_self = reads_variances(&plan.head);
    if let Some(atoms) = &mut plan.atoms {
        atoms.needs_self = plan.needs_self || reads_variances(&atoms.head);
    }
    Ok(plan)
}

fn reads_variances(head: &[HeadOp]) -> bool {
    head.iter().any(|op| matches!(op.op, Op::Dual(_) | Op::Normalize(_)))
}

/// Builds the heads, and below them a readout for every step from a domain with positions to a vector.
struct Scalars<'a> {
    network: &'a Network,
    quadrature: Quadrature,
    done: Vec<Option<usize>>,
    input: Option<usize>,
}

impl Scalars<'_> {
    /// The op that gives the value at a source that is a vector, in the head of the atoms if it is one for every atom.
    fn op(&mut self, source: Source, plan: &mut Plan) -> Result<usize, ArchError> {
        let (index, node) = match source {
            Source::Input => {
                let op = match self.input {
                    Some(op) => op,
                    None => readout(plan, Domain::Vector, Readout::Vector, "input"),
                };
                self.input = Some(op);
                return Ok(op);
            }
            Source::Node(i) => match self.done[i] {
                Some(op) => return Ok(op),
                None => (i, &self.network.nodes()[i]),
            },
        };
        let below = node.inputs[0];
        let from = self.network.domain(below);
        let label = node.place.op.as_str();
        let op = match (from, &node.layer) {
            (Domain::Atoms(PerAtom::Vector), Layer::AtomSum) => {
                let summed = self.op(below, plan)?;
                let output = plan.atoms.as_mut().map_or(0, |atoms| {
                    atoms.outputs.push(summed);
                    atoms.outputs.len() - 1
                });
                readout(plan, node.domain, Readout::Atoms { output }, label)
            }
            (Domain::Vector | Domain::Atoms(PerAtom::Vector), _) => self.scalar(node, plan)?,
            (Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }), _) => {
                plan.rotations.push(rotations::stage(self.network, below, self.quadrature)?);
                let stage = plan.rotations.len() - 1;
                readout(plan, node.domain, Readout::Rotations { stage }, label)
            }
            (Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }), _) => {
                readout(plan, node.domain, Readout::Sphere, label)
            }
            (Domain::Grid { .. } | Domain::GroupGrid { .. }, _) => {
                let stage = stages::chain(self.network, below, sink(node, from), plan);
                let orbit = orbit::elements(node, from);
                readout(plan, node.domain, Readout::Planes { stage, orbit }, label)
            }
        };
        self.done[index] = Some(op);
        Ok(op)
    }

    fn scalar(&mut self, node: &Node, plan: &mut Plan) -> Result<usize, ArchError> {
        let inputs: Vec<usize> =
            node.inputs.iter().map(|input| self.op(*input, plan)).collect::<Result<_, _>>()?;
        Ok(match pointwise(node) {
            None => inputs[0],
            Some(op) => {
                let (_, head) = level(plan, node.domain);
                head.push(HeadOp { op, inputs, label: node.place.op.clone() });
                head.len() - 1
            }
        })
    }
}

/// The readouts and the head that values on this domain belong to.
fn level(plan: &mut Plan, domain: Domain) -> (&mut Vec<Readout>, &mut Vec<HeadOp>) {
    match (&mut plan.atoms, domain.per_atom()) {
        (Some(atoms), Some(_)) => (&mut atoms.readouts, &mut atoms.head),
        _ => (&mut plan.readouts, &mut plan.head),
    }
}

fn readout(plan: &mut Plan, domain: Domain, readout: Readout, label: &str) -> usize {
    let (readouts, head) = level(plan, domain);
    readouts.push(readout);
    let op = Op::Readout(readouts.len() - 1);
    head.push(HeadOp { op, inputs: vec![], label: label.to_owned() });
    head.len() - 1
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
        Layer::Dense(_)
        | Layer::Conv(_)
        | Layer::Lift(_)
        | Layer::GroupConv(_)
        | Layer::S2Conv(_)
        | Layer::So3Conv(_) => affine(node).map(Op::Affine),
        Layer::Activation(activation) => Some(Op::Dual(*activation)),
        Layer::LayerNorm(norm) => Some(Op::Normalize(norm.over)),
        Layer::Dropout(dropout) => (dropout.keep_rate < 1.0).then_some(Op::Dropout(dropout.keep_rate)),
        Layer::Sum => Some(Op::Sum),
        Layer::Identity
        | Layer::GroupPool
        | Layer::Pool(_)
        | Layer::GlobalPool(_)
        | Layer::Flatten
        | Layer::So3Pool
        | Layer::AtomSum => None,
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
