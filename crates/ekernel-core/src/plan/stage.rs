//! Stages on planes: a run of ops and how it ends.

use super::{Graph, Node, PlaneOp};
use crate::Window;

/// How a value is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// K itself.
    Cov,
    /// The defect u = √(vv') − K ≥ 0, which keeps its digits where K comes close to √(vv'); what a kinked activation reads.
    Defect,
}

/// The planes of an op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planes {
    /// Height and width of its domain.
    pub extent: [usize; 2],
    /// Its planes lie at offset step·D for the sink's offset D, per axis.
    pub step: [usize; 2],
    /// Whether its offsets wrap around: the plane d holds K(t, (t + d) mod n) for all t.
    pub cyclic: bool,
    /// How its output is carried.
    pub form: Form,
}

/// One op of a stage, on planes.
pub type PlaneNode = Node<PlaneOp, Planes>;

/// How a stage ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sink {
    /// The mean over all pairs of positions, times `scale`.
    Mean {
        /// 1 for a mean; |P|² for a sum.
        scale: f64,
    },
    /// The mean over equal positions: offset 0 alone.
    Diagonal,
    /// Mean over a window of each slot separately, times `scale`:
    /// P'_D(T) = (1/|w|²) Σ_{a,a'} K(sT − low + a, s(T + D) − low + a').
    LocalPool {
        /// Window, strides, padding.
        window: Window,
        /// 1 for a mean; |w|² for a sum.
        scale: f64,
    },
    /// The same values, offsets counted modulo the extent from here on.
    Rewrap,
}

/// A run of ops on planes and how it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The ops; the last one feeds the sink.
    pub ops: Graph<PlaneOp, Planes>,
    /// How the stage ends.
    pub sink: Sink,
    /// Height and width of the sink's output (\[1, 1\] for a readout).
    pub output: [usize; 2],
    /// Whether the sink's output counts offsets modulo its extent.
    pub output_cyclic: bool,
    /// The offsets D of the *last op* that the sink needs, per axis in ascending order; residues if that op is cyclic.
    pub offsets: [Vec<isize>; 2],
}

impl Stage {
    /// The op that feeds the sink.
    pub fn last(&self) -> &PlaneNode {
        self.ops.last().expect("a stage has at least one op")
    }

    /// Whether its local pool adds up defects.
    pub fn pools_defects(&self) -> bool {
        matches!(self.sink, Sink::LocalPool { .. }) && self.last().at.form == Form::Defect
    }
}

impl Planes {
    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.extent[0] * self.extent[1]
    }

    /// The rows (axis 0) or columns (axis 1) t at which K(t, t + d) exists, for the op's own offset d.
    pub fn span(&self, axis: usize, d: isize) -> std::ops::Range<usize> {
        let n = self.extent[axis];
        if self.cyclic {
            return 0..n;
        }
        let low = (-d).max(0) as usize;
        let high = n.saturating_sub(d.max(0) as usize);
        low.min(high)..high
    }
}
