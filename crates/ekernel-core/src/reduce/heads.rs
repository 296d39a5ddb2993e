//! The heads: ops on scalars, and below them a readout for every step from a domain with positions to a vector.

use super::{orbit, order::Make, pointwise::pointwise, rotations, stages, wraps::Wraps};
use crate::{
    ArchError, Domain, Layer, Network, PerAtom, PoolKind, Source,
    plan::{AtomPlan, AtomReadout, Graph, HeadOp, Node, Plan, Quadrature, Readout, Sink},
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
            self.input = Some(readout(self.plan, Readout::Vector, "input"));
            return Ok(());
        };
        let node = &self.network.nodes()[i];
        let below = node.inputs[0];
        let from = self.network.domain(below);
        let label = node.place.op.as_str();
        let op = match (from, &node.layer) {
            (Domain::Atoms(PerAtom::Vector), Layer::AtomSum) => {
                let summed = self.made(below);
                let outputs = &mut self.atoms().outputs;
                outputs.push(summed);
                let output = outputs.len() - 1;
                readout(self.plan, Readout::Atoms { output }, label)
            }
            (Domain::Vector | Domain::Atoms(PerAtom::Vector), _) => self.scalar(node),
            (Domain::Rotations { .. }, _) => {
                let stage = self.rotations(below)?;
                readout(self.plan, Readout::Rotations { stage }, label)
            }
            (Domain::Atoms(PerAtom::Rotations { .. }), _) => {
                let stage = self.rotations(below)?;
                atom_readout(self.atoms(), AtomReadout::Rotations { stage }, label)
            }
            (Domain::Sphere { .. }, _) => readout(self.plan, Readout::Sphere, label),
            (Domain::Atoms(PerAtom::Sphere { .. }), _) => {
                atom_readout(self.atoms(), AtomReadout::Sphere, label)
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
                readout(self.plan, Readout::Planes { stage, orbit }, label)
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

    /// What is computed per pair of atoms.
    fn atoms(&mut self) -> &mut AtomPlan {
        self.plan.atoms.as_mut().expect("only molecules have atoms, and their plans")
    }

    /// Appends the stage that gives k(U) at `below`.
    fn rotations(&mut self, below: Source) -> Result<usize, ArchError> {
        self.plan.rotations.push(rotations::stage(self.network, below, self.quadrature)?);
        Ok(self.plan.rotations.len() - 1)
    }

    fn scalar(&mut self, node: &crate::Node) -> usize {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| self.made(*input)).collect();
        match pointwise(node) {
            None => inputs[0],
            Some(op) => {
                let label = node.place.op.clone();
                level(self.plan, node.domain).push(Node { op: HeadOp::Pointwise(op), inputs, at: (), label })
            }
        }
    }
}

/// The head that values on this domain belong to.
fn level(plan: &mut Plan, domain: Domain) -> &mut Graph<HeadOp> {
    match (&mut plan.atoms, domain.per_atom()) {
        (Some(atoms), Some(_)) => &mut atoms.head,
        _ => &mut plan.head,
    }
}

fn readout(plan: &mut Plan, readout: Readout, label: &str) -> usize {
    plan.readouts.push(readout);
    let op = HeadOp::Readout(plan.readouts.len() - 1);
    plan.head.push(Node { op, inputs: vec![], at: (), label: label.to_owned() })
}

fn atom_readout(atoms: &mut AtomPlan, readout: AtomReadout, label: &str) -> usize {
    atoms.readouts.push(readout);
    let op = HeadOp::Readout(atoms.readouts.len() - 1);
    atoms.head.push(Node { op, inputs: vec![], at: (), label: label.to_owned() })
}

/// How the layer that leaves the spatial domain reads the planes.
fn sink(node: &crate::Node, from: Domain) -> Sink {
    match &node.layer {
        Layer::GlobalPool(pool) if pool.kind == PoolKind::Sum => {
            let positions = from.positions() as f64;
            Sink::Mean { scale: positions * positions }
        }
        Layer::Flatten => Sink::Diagonal,
        _ => Sink::Mean { scale: 1.0 },
    }
}
