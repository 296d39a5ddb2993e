//! The plan as plain data.

use super::{AtomPlan, Facts, Graph, HeadOp, Pointwise, Readout, RotationStage, Scalar, Sink, Stage, head};
use crate::{Group, Input};

/// Which kernels are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KernelSet {
    /// The NNGP alone; nothing is spent on Θ.
    Nngp,
    /// The NNGP and the NTK (the NTK cannot be had without the NNGP).
    Both,
}

impl KernelSet {
    /// Number of kernels.
    pub fn count(self) -> usize {
        match self {
            KernelSet::Nngp => 1,
            KernelSet::Both => 2,
        }
    }
}

/// What a backend executes for a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the samples must be.
    pub input: Input,
    /// Which kernels are computed.
    pub kinds: KernelSet,
    /// The group whose orbit form was taken.
    pub group: Option<Group>,
    /// The stages; a stage reads earlier ones only.
    pub stages: Vec<Stage>,
    /// The stages on SO(3), per pair of samples or, of molecules, per pair of atoms.
    pub rotations: Vec<RotationStage>,
    /// What is computed per pair of atoms, of molecules.
    pub atoms: Option<AtomPlan>,
    /// The values per pair.
    pub readouts: Vec<Readout>,
    /// The ops on them; the last one is the result.
    pub head: Graph<HeadOp>,
    /// Whether the head needs each sample's value with itself.
    pub needs_self: bool,
    /// What is known of its ops.
    pub(crate) facts: Facts,
}

impl Plan {
    /// Whether the kernels are homogeneous: K(cf, c'f') = cc' K(f, f') for c, c' > 0, and so Θ. Then each sample may be
    /// brought to the same size first, and parallel samples become equal.
    pub fn is_homogeneous(&self) -> bool {
        self.pointwise().all(Pointwise::is_homogeneous)
    }

    /// The values that are computed for each pair of samples or, of molecules, for each pair of atoms.
    pub fn unit_readouts(&self) -> Vec<Readout> {
        match &self.atoms {
            Some(atoms) => atoms.readouts.iter().map(|readout| (*readout).into()).collect(),
            None => self.readouts.clone(),
        }
    }

    /// All ops that act at each position alone, of all stages and heads.
    pub fn pointwise(&self) -> impl Iterator<Item = &Pointwise> {
        let planes = self.stages.iter().flat_map(|stage| stage.ops.pointwise());
        let rotations = self.rotations.iter().flat_map(|stage| stage.ops.pointwise());
        let atoms = self.atoms.iter().flat_map(|atoms| atoms.head.pointwise());
        planes.chain(rotations).chain(atoms).chain(self.head.pointwise())
    }

    /// Of how many values the readout of fewest is a mean, for one element of the orbit; infinitely many where all are of vectors,
    /// which are multiplied in float64.
    pub fn fewest_values(&self) -> f64 {
        let values = |readout: &Readout| {
            let Readout::Planes { stage, .. } = readout else { return f64::INFINITY };
            let stage = &self.stages[*stage];
            let positions = stage.last().at.positions() as f64;
            match stage.sink {
                Sink::Diagonal => positions,
                _ => positions * positions,
            }
        };
        self.readouts.iter().map(values).fold(f64::INFINITY, f64::min)
    }

    /// Runs the head on one pair. `readouts[i]` holds the pair's value at readout i, with the self values v and v' where
    /// [`Plan::needs_self`]; `same` says that both are one sample of a symmetric Gram matrix, for dropout.
    pub fn run_head(&self, readouts: &[Scalar], same: bool) -> Scalar {
        let mut last = head::run(&self.head, readouts, same).pop().expect("a head has at least one op");
        if self.kinds == KernelSet::Nngp {
            last.ntk = 0.0;
        }
        last
    }

    /// What is known of its ops.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Changes the plan's ops and finds the facts anew. For tests that break a plan on purpose.
    pub fn changed<R>(&mut self, change: impl FnOnce(&mut Plan) -> R) -> R {
        let result = change(self);
        self.find_facts();
        result
    }

    /// Fills in the facts, in one pass.
    pub(crate) fn find_facts(&mut self) {
        self.facts = Facts::of_stages(&self.stages);
    }
}
