//! The heads: ops on scalars, and below them a readout for every step from a domain with positions to a vector.

use super::{orbit, order::Make, pointwise::pointwise, rotations, stages, wraps::Wraps};
use crate::{
    ArchError, Domain, Layer, Network, Node, PerAtom, PoolKind, Source,
    plan::{HeadOp, Op, Plan, Quadrature, Readout, Sink},
};

/// Appends the heads, the readouts and their stages.
pub(super) fn build(network: &Network, quadrature: Quadrature, plan: &mut Plan) -> Result<(), ArchError> {
    let wraps = Wraps::new(network);
    let done = vec![None; network.nodes().len()];
    Heads { network, wraps, quadrature, plan, laid_out: 0, done, input: None }.make_all(network.output())
}

struct Heads<'a> {
    network: &'a Network,
    wraps: Wraps,
    quadrature: Quadrature,
    plan: &'a mut Plan,
    /// Ops of all stages so far.
    laid_out: usize,
    /// Where the value of a node stands, in the head of the atoms if it is one for every atom.
    done: Vec<Option<usize>>,
    input: Option<usize>,
}

impl Make for Heads<'_> {
    type Key = Source;

    fn is_made(&self, source: Source) -> bool {
        self.place(source).is_some()
    }

    fn needs(&self, source: Source) -> Vec<Source> {
        let Source::Node(i) = source else { return vec![] };
        let inputs = &self.network.nodes()[i].inputs;
        let is_scalar = |input: &&Source| {
            matches!(self.network.domain(**input), Domain::Vector | Domain::Atoms(PerAtom::Vector))
        };
        inputs.iter().filter(is_scalar).copied().collect()
    }

    fn make(&mut self, source: Source) -> Result<(), ArchError> {
        let Source::Node(i) = source else {
            self.input = Some(readout(self.plan, Domain::Vector, Readout::Vector, "input"));
            return Ok(());
        };
        let node = &self.network.nodes()[i];
        let below = node.inputs[0];
        let from = self.network.domain(below);
        let label = node.place.op.as_str();
        let op = match (from, &node.layer) {
            (Domain::Atoms(PerAtom::Vector), Layer::AtomSum) => {
                let summed = self.made(below);
                let atoms = self.plan.atoms.as_mut().expect("only molecules have atoms, and their plans");
                atoms.outputs.push(summed);
                let output = atoms.outputs.len() - 1;
                readout(self.plan, node.domain, Readout::Atoms { output }, label)
            }
            (Domain::Vector | Domain::Atoms(PerAtom::Vector), _) => self.scalar(node),
            (Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }), _) => {
                self.plan.rotations.push(rotations::stage(self.network, below, self.quadrature)?);
                let stage = self.plan.rotations.len() - 1;
                readout(self.plan, node.domain, Readout::Rotations { stage }, label)
            }
            (Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }), _) => {
                readout(self.plan, node.domain, Readout::Sphere, label)
            }
            (Domain::Grid { .. } | Domain::GroupGrid { .. }, _) => {
                let stage = stages::readout(
                    self.network,
                    &self.wraps,
                    below,
                    sink(node, from),
                    (self.plan, &mut self.laid_out),
                )?;
                let orbit = orbit::elements(node, from);
                readout(self.plan, node.domain, Readout::Planes { stage, orbit }, label)
            }
        };
        self.done[i] = Some(op);
        Ok(())
    }
}

impl Heads<'_> {
    fn place(&self, source: Source) -> Option<usize> {
        match source {
            Source::Input => self.input,
            Source::Node(i) => self.done[i],
        }
    }

    fn made(&self, source: Source) -> usize {
        self.place(source).expect("a head op is made after those it needs")
    }

    fn scalar(&mut self, node: &Node) -> usize {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| self.made(*input)).collect();
        match pointwise(node) {
            None => inputs[0],
            Some(op) => {
                let (_, head) = level(self.plan, node.domain);
                head.push(HeadOp { op, inputs, label: node.place.op.clone() });
                head.len() - 1
            }
        }
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
