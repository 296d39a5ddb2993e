//! Which pairs float32 would spoil.
//!
//! Nearly parallel ones behind a pool or a smooth dual, whose angle is the root of a small difference of large numbers; values that
//! are no numbers; and those of units that an engine cannot hold ([`crate::Engine::spoils`]). Every decision is about one pair of
//! samples alone, so that a part of a Gram matrix is the same whatever else is computed with it.

use ekernel_core::plan::{Form, Graph, HeadOp, Plan, PlaneOp, Pointwise, Scalar};

use crate::{Units, compared::Job};

/// What an engine in float32 knows of a kernel. Thresholds are measured (docs/numerics.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Float32 {
    /// Readouts of planes whose relative defect 1 − |cos θ| is below this are computed in float64: float32 knows K, a sum over
    /// many values, to some 1e-8 of itself or better, and θ is the root of the defect.
    pub parallel: f64,
    /// Whether smooth duals find their defect by subtracting.
    pub smooth_subtract: bool,
}

/// The bound for a readout of a single value, known to 6e-8; errors of several values average out, and the bound falls with
/// their number.
const PARALLEL_VALUES: f64 = 1e-3;

/// Samples whose relative defect is below this are computed in float64 where a plan subtracts within its stages: a value there is
/// a sum over few positions, known to some 6e-8.
const PARALLEL_SAMPLES: f64 = 1e-4;

/// What in a plan reads an angle that float32 may not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    /// Below which defect readouts of planes are doubtful, where a kinked activation in the head reads them.
    planes: Option<f64>,
    /// A kinked activation in the head reads signals' readouts, or sums over atoms.
    signals: bool,
    /// The same in the head of atoms.
    atoms: bool,
    /// A kinked activation behind a local pool, or behind a smooth dual.
    samples: bool,
}

impl Policy {
    pub(crate) fn new(plan: &Plan, float32: Float32) -> Policy {
        let subtracts = |op: &PlaneOp| match op {
            PlaneOp::Pooled(_) => true,
            PlaneOp::Pointwise(Pointwise::Dual(activation)) => {
                float32.smooth_subtract && activation.kink().is_none()
            }
            PlaneOp::Correlate | PlaneOp::BoxMean(_) | PlaneOp::Pointwise(_) => false,
        };
        let reads_angles = |head: &Graph<HeadOp>| head.pointwise().any(Pointwise::wants_defect);
        let head = reads_angles(&plan.head);
        let bound = float32.parallel.max(PARALLEL_VALUES / plan.fewest_values());
        let mut ops = plan.stages.iter().flat_map(|stage| &stage.ops);
        Policy {
            planes: (!plan.stages.is_empty() && head).then_some(bound),
            signals: !plan.rotations.is_empty() && head,
            atoms: !plan.rotations.is_empty()
                && plan.atoms.as_ref().is_some_and(|atoms| reads_angles(&atoms.head)),
            samples: ops.any(|node| node.at.form == Form::Defect && subtracts(&node.op)),
        }
    }

    /// Whether samples are told apart by their numbers.
    pub(crate) fn compares(self) -> bool {
        self.samples
    }

    /// Whether a pair is doubtful as a whole: by its value, its readouts, or its samples.
    pub(crate) fn doubts(self, units: &Units, job: &Job, readouts: &[Scalar], value: &Scalar) -> bool {
        if !(value.nngp.is_finite() && value.ntk.is_finite()) {
            return true;
        }
        // Equal images are closed: they are their own value, and their planes begin with u = 0 at equal positions. Of others
        // the defect that float32 finds is rounding alone where it matters most, and may be negative.
        let near = |bound: f64| readouts.iter().any(|value| value.defect() < bound);
        let planes = self.planes.is_some_and(|bound| near(bound) && !job.is_closed(units));
        planes
            || (self.signals && readouts.iter().any(Scalar::is_parallel))
            || (self.samples && job.is_beside(units, PARALLEL_SAMPLES))
    }

    /// The pairs of atoms of a pair of molecules whose angles float32 does not know.
    pub(crate) fn doubtful_atoms(self, plan: &Plan, values: &[Scalar]) -> Vec<usize> {
        if !self.atoms {
            return Vec::new();
        }
        let atoms = values.chunks(plan.unit_readouts().len()).enumerate();
        let doubtful = |(_, values): &(usize, &[Scalar])| values.iter().any(Scalar::is_parallel);
        atoms.filter(doubtful).map(|(at, _)| at).collect()
    }
}
