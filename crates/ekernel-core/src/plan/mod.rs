//! The plan: what a backend executes. Plain data, printable, compared in snapshot tests.
//!
//! **Planes.** Layers with stride 1 never mix offsets d = t' − t, so for one pair of images and one offset the plane
//! P_d(t) = K(t, t + d) passes through a whole run of layers alone. A [`Stage`] is such a run: for every offset D of its
//! sink it evaluates its [`PlaneOp`]s in order, each on the plane at offset m·D (m the op's `step`: a convolution of stride s
//! reads the plane s·D and samples it at s·T). Local pooling mixes offsets and ends a stage; the next stage reads the
//! pooled planes through [`PlaneOp::Pooled`].
//!
//! **Rotations.** A [`RotationStage`] is the same for signals on the sphere: a run of layers on k(U), U ∈ SO(3).
//!
//! **Readouts** reduce a last stage to one value per pair, averaged over the orbit of the second input where a group
//! acts. The **head** is what follows on scalars. Molecules have readouts and a head for each pair of atoms, whose values are
//! added up ([`AtomPlan`]), and the head that follows.

mod amplification;
mod atoms;
mod cost;
mod definition;
mod digest;
mod facts;
mod graph;
mod head;
mod op;
mod print;
mod readout;
mod rotations;
mod stage;
mod variances;

pub use atoms::AtomPlan;
pub use cost::{Cost, RotationCost, StageCost};
pub use definition::{KernelSet, Plan};
pub use digest::{Digest, DigestError};
pub use facts::{Facts, OpFacts};
pub use graph::{Graph, Node};
pub use head::Scalar;
pub use op::{Affine, HeadOp, Op, PlaneOp, Pointwise, SphereOp};
pub use readout::{AtomReadout, Readout};
pub use rotations::{Quadrature, RotationStage};
pub use stage::{Form, PlaneNode, Planes, Sink, Stage};
pub use variances::{Variances, inverse_std, pool_loss};
