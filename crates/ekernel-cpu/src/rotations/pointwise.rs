//! One op as a function of its field, at one value of cos θ, in float64.

use std::sync::Arc;

use ekernel_core::{
    LayerNorm, geometric_mean,
    plan::{Op as _, Pointwise, RotationStage, SphereOp},
};

use super::fields::Fields;

/// K and the two parts of Θ = `carry`·Θ_field + `own`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Value {
    pub(super) cov: f64,
    pub(super) carry: f64,
    pub(super) own: f64,
}

/// An op as a function of its field.
#[derive(Clone, Debug)]
pub(super) struct Function {
    stage: Arc<RotationStage>,
    origin: usize,
    op: usize,
    path: Vec<usize>,
}

impl Function {
    pub(super) fn new(stage: &Arc<RotationStage>, fields: &Fields, op: usize) -> Function {
        Function { stage: Arc::clone(stage), origin: fields.field(op).op, op, path: fields.path(stage, op) }
    }

    /// √(vv') behind the op, from the variances of the two samples behind each op.
    pub(super) fn bound(&self, v: &[f64], vp: &[f64]) -> f64 {
        geometric_mean(v[self.op], vp[self.op])
    }

    /// Whether the variances on the way are numbers; [`Function::at`] needs that.
    pub(super) fn is_sound(&self, v: &[f64]) -> bool {
        v[self.origin].is_finite() && self.path.iter().all(|&at| v[at].is_finite())
    }

    /// The op's value where the field's kernel is √(qq')·`cosine`. `values` is room for a value per op.
    pub(super) fn at(&self, cosine: f64, v: &[f64], vp: &[f64], values: &mut Vec<Value>) -> Value {
        values.resize(self.stage.ops.len(), Value::default());
        let cov = geometric_mean(v[self.origin], vp[self.origin]) * cosine;
        values[self.origin] = Value { cov, carry: 1.0, own: 0.0 };
        for &at in &self.path {
            let op = &self.stage.ops[at];
            let [first, ..] = op.inputs[..] else { continue };
            let x = values[first];
            values[at] = match op.op {
                SphereOp::Pointwise(Pointwise::Affine(affine)) => Value {
                    cov: affine.w2 * x.cov + affine.b2,
                    carry: affine.w2 * x.carry,
                    own: affine.w2 * x.own + affine.ntk_scale * x.cov + affine.ntk_shift,
                },
                SphereOp::Pointwise(Pointwise::Dual(activation)) => {
                    let dual = activation.dual(v[first], vp[first], x.cov);
                    Value { cov: dual.cov, carry: x.carry * dual.dot, own: x.own * dual.dot }
                }
                SphereOp::Pointwise(Pointwise::Normalize(_)) => {
                    let norm = ((v[first] + LayerNorm::EPSILON) * (vp[first] + LayerNorm::EPSILON)).sqrt();
                    Value { cov: x.cov / norm, carry: x.carry / norm, own: x.own / norm }
                }
                SphereOp::Pointwise(Pointwise::Sum) => {
                    op.inputs.iter().fold(Value::default(), |sum, &input| Value {
                        cov: sum.cov + values[input].cov,
                        carry: sum.carry + values[input].carry,
                        own: sum.own + values[input].own,
                    })
                }
                // Dropout keeps K of different positions; nothing else acts on a value alone.
                _ => x,
            };
        }
        values[self.op]
    }

    /// Whether F(q, q', c) = √(qq')·F(1, 1, c), and Θ likewise.
    pub(super) fn is_homogeneous(&self) -> bool {
        self.path.iter().all(|&at| self.stage.ops[at].op.pointwise().is_some_and(Pointwise::is_homogeneous))
    }

    /// The op of its field.
    pub(super) fn origin(&self) -> usize {
        self.origin
    }

    /// The ops from there on, itself the last.
    pub(super) fn path(&self) -> &[usize] {
        &self.path
    }

    /// Whether all its duals are of kinked activations, which go layer by layer as defects.
    pub(super) fn is_layered(&self) -> bool {
        self.path.iter().all(|&at| match self.stage.ops[at].op {
            SphereOp::Pointwise(Pointwise::Dual(activation)) => activation.kink().is_some(),
            SphereOp::Pointwise(_) => true,
            SphereOp::Correlate { .. } | SphereOp::Truncate { .. } => false,
        })
    }

    /// Whether it has a kink at the ends of cos θ ∈ [−1, 1], where it is smooth in θ.
    pub(super) fn is_kinked(&self) -> bool {
        self.path.iter().any(|&at| self.stage.ops[at].op.pointwise().is_some_and(Pointwise::wants_defect))
    }
}
