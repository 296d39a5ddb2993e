//! Stages on SO(3): a network with filters on all of S² and SO(3) is the orbit of a plain one under U ∈ SO(3).
//!
//! K(R, R') = k(U), U = R R'⁻¹, on every layer: the lift is one cross-correlation of the two signals, later convolutions leave
//! k as it is (or drop its high degrees), nonlinearities act on each value k(U), and the variances are constants. The pooling
//! is one quadrature over U, on a grid that U ↦ U⁻¹ maps to itself.

use super::{Graph, SphereOp};
use crate::ArchError;

/// How finely k(U) is sampled: the number B of Gauss-Legendre nodes in β; α and γ take 2B equidistant values each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quadrature {
    /// B = max(12, 4L) for signals lifted at bandlimit L: kernels of different samples are good to 1e-9, a sample's with
    /// itself to 1e-6 (relu has a kink at k = q there).
    #[default]
    Accurate,
    /// B = 2L: 4e-5 and 1e-4, an eighth of the points.
    Fast,
    /// This many nodes, at least L.
    Nodes(usize),
}

impl Quadrature {
    /// The largest number of nodes.
    pub const MAX_NODES: usize = 1024;

    /// The number of nodes for a lifted bandlimit.
    ///
    /// Errors: [`ArchError::Quadrature`] if they cannot carry the bandlimit or are absurdly many.
    pub fn nodes(self, bandlimit: usize) -> Result<usize, ArchError> {
        let accurate = (4 * bandlimit).max(12);
        let nodes = match self {
            Quadrature::Accurate => accurate,
            Quadrature::Fast => 2 * bandlimit,
            Quadrature::Nodes(nodes) => nodes,
        };
        if (bandlimit..=Self::MAX_NODES).contains(&nodes) {
            return Ok(nodes);
        }
        Err(ArchError::Quadrature { nodes, bandlimit, accurate, max: Self::MAX_NODES })
    }
}

/// A run of layers on SO(3), from the signals of a pair to the mean of k and Θ over the group.
#[derive(Clone, Debug, PartialEq)]
pub struct RotationStage {
    /// The largest bandlimit L at which signals are lifted.
    pub bandlimit: usize,
    /// B: Gauss-Legendre nodes in β; the grid is B × 2B × 2B (β, α, γ).
    pub nodes: usize,
    /// The ops; the value of the stage is (1/8π²) ∫ k(U) dU of the last.
    pub ops: Graph<SphereOp>,
}

impl RotationStage {
    /// Number of grid points, B·2B·2B.
    pub fn points(&self) -> usize {
        4 * self.nodes * self.nodes * self.nodes
    }

    /// Whether a sample's variances need its kernel with itself on the whole grid: k_trunc(e) of an [`SphereOp::Truncate`].
    pub fn truncates(&self) -> bool {
        self.ops.iter().any(|op| matches!(op.op, SphereOp::Truncate { .. }))
    }
}
