//! The plan: what a backend executes. Plain data, printable, compared in snapshot tests.
//!
//! **Planes.** Layers with stride 1 never mix offsets d = t' − t, so for one pair of images and one offset the plane
//! P_d(t) = K(t, t + d) passes through a whole run of layers alone. A [`Stage`] is such a run: for every offset D of its
//! sink it evaluates its [`PlaneOp`]s in order, each on the plane at offset m·D (m the op's `step`: a convolution of stride s
//! reads the plane s·D and samples it at s·T). Local pooling mixes offsets and ends a stage; the next stage reads the
//! pooled planes through [`Op::Pooled`].
//!
//! **Rotations.** A [`RotationStage`] is the same for signals on the sphere: a run of layers on k(U), U ∈ SO(3).
//!
//! **Readouts** reduce a last stage to one value per pair, averaged over the orbit of the second input where a group
//! acts. The **head** is what follows on scalars. Molecules have readouts and a head for each pair of atoms, whose values are
//! added up ([`AtomPlan`]), and the head that follows.

mod amplification;
mod atoms;
mod cost;
mod digest;
mod facts;
mod head;
mod print;
mod rotations;
mod variances;

pub use atoms::AtomPlan;
pub use cost::{Cost, RotationCost, StageCost};
pub use digest::{Digest, DigestError};
pub use facts::{Facts, OpFacts};
pub use head::Scalar;
pub use rotations::{Quadrature, RotationOp, RotationStage};
pub use variances::{Variances, inverse_std, pool_loss};

use crate::{Activation, Group, GroupElement, Input, NormAxes, Window};

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

/// One step of a plan. A closed list: a new op does not compile until every backend has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// K⁰ = (1/C) Σ_c f_c f'_c, Θ⁰ = 0.
    Correlate,
    /// k(U) = (1/4πC) Σ_c ⟨f_c, U f'_c⟩ over the degrees l < L, Θ = 0; variances (1/4πC) Σ_c Σ_lm |f_{c,lm}|².
    CorrelateSphere {
        /// L.
        bandlimit: usize,
    },
    /// k and Θ without their degrees l ≥ L: coefficients k^l_mn = ∫ k D^l_mn dU by the stage's quadrature, and back;
    /// variances k(e) = Σ_{l<L} (2l+1)/8π² Σ_m k^l_mm of each sample with itself.
    Truncate {
        /// L.
        bandlimit: usize,
    },
    /// The planes of an earlier stage that ends in [`Sink::LocalPool`].
    Pooled(usize),
    /// The value of a readout (head only).
    Readout(usize),
    /// Mean over a window of both slots, sampled at the strides: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a).
    BoxMean(Window),
    /// The weights and biases of a layer.
    Affine(Affine),
    /// The dual of an activation.
    Dual(Activation),
    /// Division by √((v + ε)(v' + ε)), v at each position or averaged over all.
    Normalize(NormAxes),
    /// Dropout with this keep rate.
    Dropout(f64),
    /// The sum of independent branches.
    Sum,
}

/// K ↦ w²K + b², Θ ↦ w²Θ + αK + β with the incoming K: α = w², β = b² in the NTK parameterisation, which is
/// Θ ↦ K_out + w²Θ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// w².
    pub w2: f64,
    /// b², 0 without bias.
    pub b2: f64,
    /// α: what the layer's own weights add to Θ, per unit of K.
    pub ntk_scale: f64,
    /// β: what the layer's own biases add to Θ.
    pub ntk_shift: f64,
}

/// How a value is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// K itself.
    Cov,
    /// The defect u = √(vv') − K ≥ 0, which keeps its digits where K comes close to √(vv'); what a kinked activation reads.
    Defect,
}

/// One op of a stage, on planes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneOp {
    /// What it does.
    pub op: Op,
    /// The ops of this stage it reads.
    pub inputs: Vec<usize>,
    /// Height and width of its domain.
    pub extent: [usize; 2],
    /// Its planes lie at offset step·D for the sink's offset D, per axis.
    pub step: [usize; 2],
    /// Whether its offsets wrap around: the plane d holds K(t, (t + d) mod n) for all t.
    pub cyclic: bool,
    /// How its output is carried.
    pub form: Form,
    /// The layer it comes from.
    pub label: String,
}

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
    /// The ops, each after those it reads; the last one feeds the sink.
    pub ops: Vec<PlaneOp>,
    /// How the stage ends.
    pub sink: Sink,
    /// Height and width of the sink's output (\[1, 1\] for a readout).
    pub output: [usize; 2],
    /// Whether the sink's output counts offsets modulo its extent.
    pub output_cyclic: bool,
    /// The offsets D of the *last op* that the sink needs, per axis in ascending order; residues if that op is cyclic.
    pub offsets: [Vec<isize>; 2],
}

/// One value per pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Readout {
    /// K⁰ of a vector input, Θ⁰ = 0.
    Vector,
    /// The last stage of a chain, averaged over the orbit.
    Planes {
        /// The stage.
        stage: usize,
        /// The mean runs over K(f, g·f') for these g; the identity alone without a group.
        orbit: Vec<GroupElement>,
    },
    /// (1/8π²) ∫ k(U) dU of a rotation stage, Θ likewise.
    Rotations {
        /// The stage.
        stage: usize,
    },
    /// (1/4πC) Σ_c Σ_lm f_{c,lm} conj(f'_{c,lm}) of two signals on the sphere, Θ = 0.
    Sphere,
    /// The sum of an output of [`Plan::atoms`] over pairs of atoms.
    Atoms {
        /// The index into [`AtomPlan::outputs`].
        output: usize,
    },
}

/// One op of the head, on scalars.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadOp {
    /// What it does: a readout or a pointwise op.
    pub op: Op,
    /// The head ops it reads.
    pub inputs: Vec<usize>,
    /// The layer it comes from.
    pub label: String,
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
    /// The ops on them, each after those it reads; the last one is the result.
    pub head: Vec<HeadOp>,
    /// Whether the head needs each sample's value with itself.
    pub needs_self: bool,
    /// What is known of its ops.
    pub(crate) facts: Facts,
}

impl Plan {
    /// Whether the kernels are homogeneous: K(cf, c'f') = cc' K(f, f') for c, c' > 0, and so Θ. Then each sample may be
    /// brought to the same size first, and parallel samples become equal.
    pub fn is_homogeneous(&self) -> bool {
        let stages = self.stages.iter().flat_map(|stage| &stage.ops).map(|op| &op.op);
        let rotations = self.rotations.iter().flat_map(|stage| &stage.ops).map(|op| &op.op);
        let atoms = self.atoms.iter().flat_map(|atoms| &atoms.head).map(|op| &op.op);
        let head = self.head.iter().map(|op| &op.op);
        stages.chain(rotations).chain(atoms).chain(head).all(Op::is_homogeneous)
    }
}

impl Op {
    fn is_homogeneous(&self) -> bool {
        match self {
            Op::Affine(affine) => affine.b2 == 0.0 && affine.ntk_shift == 0.0,
            Op::Dual(activation) => {
                matches!(activation, Activation::Relu | Activation::LeakyRelu { .. } | Activation::Abs)
            }
            Op::Normalize(_) => false,
            Op::Correlate
            | Op::CorrelateSphere { .. }
            | Op::Truncate { .. }
            | Op::Pooled(_)
            | Op::Readout(_)
            | Op::BoxMean(_)
            | Op::Dropout(_)
            | Op::Sum => true,
        }
    }

    /// Whether a kinked dual (relu, leaky_relu, abs, sign) makes the op want its input as a defect.
    pub fn wants_defect(&self) -> bool {
        matches!(self, Op::Dual(activation) if activation.kink().is_some() || *activation == Activation::Sign)
    }

    /// The op's name, the same in every backend and shader.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Correlate => "correlate",
            Op::CorrelateSphere { .. } => "correlate_sphere",
            Op::Truncate { .. } => "truncate",
            Op::Pooled(_) => "pooled",
            Op::Readout(_) => "readout",
            Op::BoxMean(_) => "box_mean",
            Op::Affine(_) => "affine",
            Op::Dual(_) => "dual",
            Op::Normalize(_) => "normalize",
            Op::Dropout(_) => "dropout",
            Op::Sum => "sum",
        }
    }
}

impl PlaneOp {
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
