//! Heads: scalar ops in float64, the same for every backend.

use super::{Graph, HeadOp, Pointwise};
use crate::{BackendError, LayerNorm};

/// The values of one pair at a node: K, Θ and both self variances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scalar {
    /// K.
    pub nngp: f64,
    /// Θ.
    pub ntk: f64,
    /// K of the first sample with itself.
    pub v: f64,
    /// K of the second sample with itself.
    pub vp: f64,
}

/// Where 1 − |cos θ| of two values is below this, float32 does not know the angle.
const PARALLEL: f64 = 1e-3;

/// Below this two values are equal but for the rounding of the division.
const EQUAL: f64 = 1e-13;

impl Scalar {
    /// The value of a sample with itself; Θ is left out.
    pub(super) fn of_itself(v: f64) -> Scalar {
        Scalar { nngp: v, ntk: 0.0, v, vp: v }
    }

    /// 1 − K/√(vv') = 1 − cos θ; not a number where a sample is black, which nothing is parallel to.
    pub fn defect(&self) -> f64 {
        1.0 - self.nngp / (self.v.sqrt() * self.vp.sqrt())
    }

    /// Parallel or opposite but not equal, so that float32 does not know the angle: its root is at both ends.
    pub fn is_parallel(&self) -> bool {
        let cos = self.nngp / (self.v.sqrt() * self.vp.sqrt());
        (EQUAL..PARALLEL).contains(&(1.0 - cos.abs()).abs())
    }

    /// This value, if K and Θ are numbers, of the samples `row` and `col`.
    ///
    /// Errors: [`BackendError::NotFinite`].
    pub fn finite(self, row: usize, col: usize) -> Result<Scalar, BackendError> {
        match [self.nngp, self.ntk].into_iter().find(|x| !x.is_finite()) {
            None => Ok(self),
            Some(value) => Err(BackendError::NotFinite {
                row,
                col,
                value,
                reason:
                    "the expectation does not exist or overflows there; scale the data or the weights down"
                        .to_owned(),
            }),
        }
    }
}

/// The values of all ops of a head.
pub(super) fn run(head: &Graph<HeadOp>, readouts: &[Scalar], same: bool) -> Vec<Scalar> {
    let mut values: Vec<Scalar> = Vec::with_capacity(head.len());
    for node in head {
        values.push(match &node.op {
            HeadOp::Readout(i) => readouts[*i],
            HeadOp::Pointwise(Pointwise::Sum) => {
                node.inputs.iter().fold(Scalar::default(), |sum, &i| Scalar {
                    nngp: sum.nngp + values[i].nngp,
                    ntk: sum.ntk + values[i].ntk,
                    v: sum.v + values[i].v,
                    vp: sum.vp + values[i].vp,
                })
            }
            HeadOp::Pointwise(op) => step(op, values[node.inputs[0]], same),
        });
    }
    values
}

/// A value behind an op that reads one.
fn step(op: &Pointwise, x: Scalar, same: bool) -> Scalar {
    match op {
        Pointwise::Affine(affine) => Scalar {
            nngp: affine.w2 * x.nngp + affine.b2,
            ntk: affine.w2 * x.ntk + affine.ntk_scale * x.nngp + affine.ntk_shift,
            v: affine.w2 * x.v + affine.b2,
            vp: affine.w2 * x.vp + affine.b2,
        },
        Pointwise::Dual(activation) => {
            let dual = activation.dual(x.v, x.vp, x.nngp);
            Scalar {
                nngp: dual.cov,
                ntk: x.ntk * dual.dot,
                v: activation.variance(x.v),
                vp: activation.variance(x.vp),
            }
        }
        // A scalar has one position, so the mean over positions is the value itself.
        Pointwise::Normalize(_) => {
            let [a, b] = [x.v + LayerNorm::EPSILON, x.vp + LayerNorm::EPSILON];
            let norm = (a * b).sqrt();
            Scalar { nngp: x.nngp / norm, ntk: x.ntk / norm, v: x.v / a, vp: x.vp / b }
        }
        Pointwise::Dropout(keep) => {
            // The same division for K and v: a sample with itself stays exactly parallel, which a kinked dual would see.
            let own = |value: f64| if same { value / keep } else { value };
            Scalar { nngp: own(x.nngp), ntk: own(x.ntk), v: x.v / keep, vp: x.vp / keep }
        }
        Pointwise::Sum => x,
    }
}
