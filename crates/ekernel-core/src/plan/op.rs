//! The closed lists of ops: those at each position alone, which every kind of stage has, and what planes, SO(3) and
//! scalars add. A new op does not compile until every backend has it.

use crate::{Activation, LayerNorm, NormAxes, Window};

/// An op that acts at each position alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pointwise {
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

/// An op on planes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlaneOp {
    /// K⁰ = (1/C) Σ_c f_c f'_c, Θ⁰ = 0.
    Correlate,
    /// The planes of an earlier stage that ends in [`Sink::LocalPool`](super::Sink) or [`Sink::Rewrap`](super::Sink).
    Pooled(usize),
    /// Mean over a window of both slots, sampled at the strides: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a).
    BoxMean(Window),
    /// At each position alone.
    Pointwise(Pointwise),
}

/// An op on the values k(U), Θ(U) and the variances q, q' of the two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SphereOp {
    /// k(U) = (1/4πC) Σ_c ⟨f_c, U f'_c⟩ over the degrees l < L, Θ = 0; variances (1/4πC) Σ_c Σ_lm |f_{c,lm}|².
    Correlate {
        /// L.
        bandlimit: usize,
    },
    /// k and Θ without their degrees l ≥ L: coefficients k^l_mn = ∫ k D^l_mn dU by the stage's quadrature, and back;
    /// variances k(e) = Σ_{l<L} (2l+1)/8π² Σ_m k^l_mm of each sample with itself.
    Truncate {
        /// L.
        bandlimit: usize,
    },
    /// At each rotation alone.
    Pointwise(Pointwise),
}

/// An op on scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeadOp {
    /// The value of a readout of this head.
    Readout(usize),
    /// On the value.
    Pointwise(Pointwise),
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

impl Pointwise {
    /// The op's name, the same in every backend and shader.
    pub fn name(&self) -> &'static str {
        match self {
            Pointwise::Affine(_) => "affine",
            Pointwise::Dual(_) => "dual",
            Pointwise::Normalize(_) => "normalize",
            Pointwise::Dropout(_) => "dropout",
            Pointwise::Sum => "sum",
        }
    }

    /// Whether a kinked dual (relu, leaky_relu, abs, sign) makes the op want its input as a defect.
    pub fn wants_defect(&self) -> bool {
        matches!(self, Pointwise::Dual(activation) if !activation.is_smooth())
    }

    /// Whether the op is the dual of an activation that is smooth.
    pub fn is_smooth_dual(&self) -> bool {
        matches!(self, Pointwise::Dual(activation) if activation.is_smooth())
    }

    /// Whether the op reads variances, besides K and Θ.
    pub fn reads_variances(&self) -> bool {
        matches!(self, Pointwise::Dual(_) | Pointwise::Normalize(_))
    }

    /// Whether K(cf, c'f') = cc' K(f, f') for c, c' > 0 behind the op if it holds before it, and so of Θ.
    pub fn is_homogeneous(&self) -> bool {
        match self {
            Pointwise::Affine(affine) => affine.b2 == 0.0 && affine.ntk_shift == 0.0,
            Pointwise::Dual(activation) => activation.kink().is_some(),
            Pointwise::Normalize(_) => false,
            Pointwise::Dropout(_) | Pointwise::Sum => true,
        }
    }

    /// The variance behind the op, of those before it: one, or those of the branches of a sum.
    pub fn variance(&self, inputs: &[f64]) -> f64 {
        let v = inputs[0];
        match self {
            Pointwise::Affine(affine) => affine.w2 * v + affine.b2,
            Pointwise::Dual(activation) => activation.variance(v),
            Pointwise::Normalize(_) => v / (v + LayerNorm::EPSILON),
            Pointwise::Dropout(keep) => v / keep,
            Pointwise::Sum => inputs.iter().sum(),
        }
    }

    /// Nominal floating point operations per element of `kinds` kernels, with this many inputs.
    pub(super) fn flops(&self, kinds: u64, inputs: u64) -> u64 {
        match self {
            Pointwise::Affine(_) => 3 * kinds - 1,
            Pointwise::Dual(activation) => activation.flops() + kinds - 2,
            Pointwise::Normalize(_) => 1 + kinds,
            Pointwise::Sum => kinds * (inputs - 1),
            Pointwise::Dropout(_) => 0,
        }
    }
}

/// What the ops of every kind of stage have in common.
pub trait Op {
    /// The op's name, the same in every backend and shader.
    fn name(&self) -> &'static str;

    /// The op, if it acts at each position alone.
    fn pointwise(&self) -> Option<&Pointwise>;

    /// The same to change.
    fn pointwise_mut(&mut self) -> Option<&mut Pointwise>;
}

impl SphereOp {
    /// The variance behind an op that acts at each rotation alone, of those before it; `None` for ops whose variance needs
    /// the signals or their coefficients.
    pub fn variance(&self, inputs: &[f64]) -> Option<f64> {
        self.pointwise().map(|op| op.variance(inputs))
    }
}

impl Op for PlaneOp {
    fn name(&self) -> &'static str {
        match self {
            PlaneOp::Correlate => "correlate",
            PlaneOp::Pooled(_) => "pooled",
            PlaneOp::BoxMean(_) => "box_mean",
            PlaneOp::Pointwise(op) => op.name(),
        }
    }

    fn pointwise(&self) -> Option<&Pointwise> {
        if let PlaneOp::Pointwise(op) = self { Some(op) } else { None }
    }

    fn pointwise_mut(&mut self) -> Option<&mut Pointwise> {
        if let PlaneOp::Pointwise(op) = self { Some(op) } else { None }
    }
}

impl Op for SphereOp {
    fn name(&self) -> &'static str {
        match self {
            SphereOp::Correlate { .. } => "correlate_sphere",
            SphereOp::Truncate { .. } => "truncate",
            SphereOp::Pointwise(op) => op.name(),
        }
    }

    fn pointwise(&self) -> Option<&Pointwise> {
        if let SphereOp::Pointwise(op) = self { Some(op) } else { None }
    }

    fn pointwise_mut(&mut self) -> Option<&mut Pointwise> {
        if let SphereOp::Pointwise(op) = self { Some(op) } else { None }
    }
}

impl Op for HeadOp {
    fn name(&self) -> &'static str {
        match self {
            HeadOp::Readout(_) => "readout",
            HeadOp::Pointwise(op) => op.name(),
        }
    }

    fn pointwise(&self) -> Option<&Pointwise> {
        if let HeadOp::Pointwise(op) = self { Some(op) } else { None }
    }

    fn pointwise_mut(&mut self) -> Option<&mut Pointwise> {
        if let HeadOp::Pointwise(op) = self { Some(op) } else { None }
    }
}
