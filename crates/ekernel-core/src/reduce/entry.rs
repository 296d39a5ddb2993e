//! The way in: a plan of a network.

use super::{demand, heads, limits, orbit};
use crate::{
    ArchError, Input, KernelSet, Network,
    plan::{AtomPlan, Graph, Plan, Pointwise, Quadrature},
};

impl Plan {
    /// Reduces a network to its plan.
    ///
    /// # Errors
    ///
    /// [`ArchError::NoKernel`] for a layer whose kernel has no closed form; [`ArchError::NotEquivariant`], [`ArchError::UnequalShifts`] and [`ArchError::BeforeLift`] where a group network is
    /// not equivariant, so that it has no orbit form; [`ArchError::TooLarge`] where a pair needs more than
    /// [`Plan::MOST_FLOPS`] operations, [`Plan::MOST_BYTES`] bytes or [`Plan::MOST_OFFSETS`] offsets, or the plan more than
    /// [`Plan::MOST_OPS`] ops or [`Plan::MOST_NESTED`] local pools one behind the other.
    pub fn new(network: &Network, kinds: KernelSet) -> Result<Plan, ArchError> {
        Plan::with_quadrature(network, kinds, Quadrature::default())
    }

    /// The same with another grid on SO(3); planar networks have none.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`]; [`ArchError::Quadrature`].
    pub fn with_quadrature(
        network: &Network,
        kinds: KernelSet,
        quadrature: Quadrature,
    ) -> Result<Plan, ArchError> {
        network.ensure_kernel()?;
        let group = orbit::group(network)?;
        let atoms = match network.input() {
            Input::Molecule { atoms, .. } => Some(AtomPlan {
                pairing: *atoms,
                readouts: Vec::new(),
                head: Graph::default(),
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
            head: Graph::default(),
            needs_self: false,
            facts: Default::default(),
        };
        heads::build(network, quadrature, &mut plan)?;
        demand::propagate(&mut plan.stages)?;
        plan.needs_self = plan.head.pointwise().any(Pointwise::reads_variances);
        if let Some(atoms) = &mut plan.atoms {
            atoms.needs_self = plan.needs_self || atoms.head.pointwise().any(Pointwise::reads_variances);
        }
        plan.find_facts();
        limits::affordable(&plan)?;
        Ok(plan)
    }
}
