//! Kinked layers one by one, as defects.
//!
//! With biases, relu's of two signals of nearly equal variance have singularities close by, so that no short series exists.
//! The variances are constants, so every layer is a few operations per point: u ↦ w²u + const, and the dual.

use ekernel_core::{
    geometric_mean,
    plan::{Pointwise, RotationStage, SphereOp},
};
use pulp::{Simd, WithSimd};

use super::{pack::Number, pointwise::Function};
use crate::planes::{Scalar, kinked_element};

/// One layer in every lane.
enum Step<T, const W: usize> {
    /// u ↦ scale·u + shift, Θ ↦ scale·Θ + α·K + β with K = bound − u.
    Linear { scale: [T; W], shift: [T; W], bound: [T; W], alpha: T, beta: T },
    /// A dual, at d = inverse·u.
    Kinked { inverse: [T; W], half_jump: T, slope: T, product: T },
    /// The sum of further ops and a constant.
    Sum { others: Vec<usize>, shift: [T; W] },
}

/// The layers from a field to an op.
pub(super) struct Layers<T, const W: usize> {
    /// √(qq') of the field.
    bound: [T; W],
    /// Where the field's values go.
    origin: usize,
    /// The op, its first input, and what it does.
    steps: Vec<(usize, usize, Step<T, W>)>,
    ops: usize,
}

impl<T: Number, const W: usize> Layers<T, W> {
    /// For lanes with these variances behind each op; `function` must be layered.
    pub(super) fn new(
        stage: &RotationStage,
        function: &Function,
        variances: &[Vec<Vec<f64>>; 2],
    ) -> Layers<T, W> {
        let [first, second] = variances;
        let lanes = |value: &dyn Fn(&[f64], &[f64]) -> f64| {
            let mut lanes = [T::zero(); W];
            for (lane, (v, vp)) in lanes.iter_mut().zip(first.iter().zip(second)) {
                *lane = T::new(value(v, vp));
            }
            lanes
        };
        let bound = |op: usize| move |v: &[f64], vp: &[f64]| geometric_mean(v[op], vp[op]);
        let step = |&at: &usize| {
            let op = &stage.ops[at];
            let input = op.inputs[0];
            let step = match op.op {
                SphereOp::Pointwise(Pointwise::Dual(activation)) => {
                    let [a, b] = activation.kink().expect("only kinked duals go layer by layer");
                    Step::Kinked {
                        inverse: lanes(&|v, vp| {
                            let bound = bound(input)(v, vp);
                            if bound > 0.0 { bound.recip() } else { 0.0 }
                        }),
                        half_jump: T::new(0.5 * (a - b) * (a - b)),
                        slope: T::new(0.5 * (a * a + b * b)),
                        product: T::new(a * b),
                    }
                }
                SphereOp::Pointwise(Pointwise::Sum) => {
                    let rest = |v: &[f64], vp: &[f64]| {
                        let sum: f64 = op.inputs.iter().map(|&input| bound(input)(v, vp)).sum();
                        (bound(at)(v, vp) - sum).max(0.0)
                    };
                    Step::Sum { others: op.inputs[1..].to_vec(), shift: lanes(&rest) }
                }
                _ => {
                    // K ↦ scale·K + b².
                    let scale = |v: &[f64], vp: &[f64]| match op.op {
                        SphereOp::Pointwise(Pointwise::Affine(affine)) => affine.w2,
                        SphereOp::Pointwise(Pointwise::Normalize(_)) => {
                            let epsilon = ekernel_core::LayerNorm::EPSILON;
                            ((v[input] + epsilon) * (vp[input] + epsilon)).sqrt().recip()
                        }
                        _ => 1.0,
                    };
                    let [b2, alpha, beta] = match op.op {
                        SphereOp::Pointwise(Pointwise::Affine(affine)) => {
                            [affine.b2, affine.ntk_scale, affine.ntk_shift]
                        }
                        _ => [0.0; 3],
                    };
                    let shift = |v: &[f64], vp: &[f64]| {
                        (bound(at)(v, vp) - scale(v, vp) * bound(input)(v, vp) - b2).max(0.0)
                    };
                    Step::Linear {
                        scale: lanes(&scale),
                        shift: lanes(&shift),
                        bound: lanes(&bound(input)),
                        alpha: T::new(alpha),
                        beta: T::new(beta),
                    }
                }
            };
            (at, input, step)
        };
        let origin = function.origin();
        Layers {
            bound: lanes(&bound(origin)),
            origin,
            steps: function.path().iter().map(step).collect(),
            ops: stage.ops.len(),
        }
    }
}

/// u and Θ at every point, from d and Θ of the field.
pub(super) struct Through<'a, T, const W: usize> {
    pub(super) layers: &'a Layers<T, W>,
    pub(super) defects: &'a [[T; W]],
    /// Empty if zero.
    pub(super) field_ntk: &'a [[T; W]],
    pub(super) out: &'a mut [[T; W]],
    /// Empty if not asked for.
    pub(super) out_ntk: &'a mut [[T; W]],
}

impl<T: Scalar, const W: usize> WithSimd for Through<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { layers, defects, field_ntk, out, out_ntk } = self;
        let zero = [T::zero(); W];
        let mut values = vec![[zero; 2]; layers.ops];
        let last = layers.steps.last().map_or(layers.origin, |(at, ..)| *at);
        for (point, d) in defects.iter().enumerate() {
            let mut field = [zero; 2];
            for i in 0..W {
                field[0][i] = layers.bound[i] * d[i].max(T::zero()).min(T::new(2.0));
            }
            if let Some(ntk) = field_ntk.get(point) {
                field[1] = *ntk;
            }
            values[layers.origin] = field;
            for (at, input, step) in &layers.steps {
                let [mut u, mut ntk] = values[*input];
                match step {
                    Step::Linear { scale, shift, bound, alpha, beta } => {
                        for i in 0..W {
                            ntk[i] = scale[i] * ntk[i] + (*alpha * (bound[i] - u[i]) + *beta);
                            u[i] = scale[i] * u[i] + shift[i];
                        }
                    }
                    Step::Kinked { inverse, half_jump, slope, product } => {
                        for i in 0..W {
                            let (angle, out) = kinked_element(u[i], inverse[i], *half_jump, *product);
                            u[i] = out;
                            ntk[i] *= *slope - *half_jump * angle;
                        }
                    }
                    Step::Sum { others, shift } => {
                        for i in 0..W {
                            u[i] += shift[i];
                        }
                        for other in others {
                            let [more, more_ntk] = &values[*other];
                            for i in 0..W {
                                u[i] += more[i];
                                ntk[i] += more_ntk[i];
                            }
                        }
                    }
                }
                values[*at] = [u, ntk];
            }
            let [u, ntk] = values[last];
            out[point] = u;
            if let Some(slot) = out_ntk.get_mut(point) {
                *slot = ntk;
            }
        }
    }
}
