//! The head of a plan: scalar ops in float64, the same for every backend.

use super::{HeadOp, Op, Plan, Readout, Sink};
use crate::{BackendError, KernelSet, LayerNorm};

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

impl Plan {
    /// Of how many values the readout of fewest is a mean, for one element of the orbit; infinitely many where all are of vectors,
    /// which are multiplied in float64.
    pub fn fewest_values(&self) -> f64 {
        let values = |readout: &Readout| {
            let Readout::Planes { stage, .. } = readout else { return f64::INFINITY };
            let stage = &self.stages[*stage];
            let positions = stage.ops.last().map_or(1, |op| op.extent[0] * op.extent[1]) as f64;
            match stage.sink {
                Sink::Diagonal => positions,
                _ => positions * positions,
            }
        };
        self.readouts.iter().map(values).fold(f64::INFINITY, f64::min)
    }

    /// Runs the head on one pair. `readouts[i]` holds the pair's value at readout i, with the self values v and v' where
    /// [`Plan::needs_self`]; `same` says that both are one sample of a symmetric Gram matrix, for dropout.
    pub fn run_head(&self, readouts: &[Scalar], same: bool) -> Scalar {
        let mut last = run(&self.head, readouts, same).pop().unwrap_or_default();
        if self.kinds == KernelSet::Nngp {
            last.ntk = 0.0;
        }
        last
    }
}

/// The values of all ops of a head.
pub(super) fn run(head: &[HeadOp], readouts: &[Scalar], same: bool) -> Vec<Scalar> {
    let mut values: Vec<Scalar> = Vec::with_capacity(head.len());
    for op in head {
        let value = step(op, readouts, &values, same);
        values.push(value);
    }
    values
}

fn step(op: &HeadOp, readouts: &[Scalar], values: &[Scalar], same: bool) -> Scalar {
    let input = || values[op.inputs[0]];
    match op.op {
        Op::Readout(i) => readouts[i],
        Op::Affine(affine) => {
            let x = input();
            Scalar {
                nngp: affine.w2 * x.nngp + affine.b2,
                ntk: affine.w2 * x.ntk + affine.ntk_scale * x.nngp + affine.ntk_shift,
                v: affine.w2 * x.v + affine.b2,
                vp: affine.w2 * x.vp + affine.b2,
            }
        }
        Op::Dual(activation) => {
            let x = input();
            let dual = activation.dual(x.v, x.vp, x.nngp);
            Scalar {
                nngp: dual.cov,
                ntk: x.ntk * dual.dot,
                v: activation.variance(x.v),
                vp: activation.variance(x.vp),
            }
        }
        // A scalar has one position, so the mean over positions is the value itself.
        Op::Normalize(_) => {
            let x = input();
            let [a, b] = [x.v + LayerNorm::EPSILON, x.vp + LayerNorm::EPSILON];
            let norm = (a * b).sqrt();
            Scalar { nngp: x.nngp / norm, ntk: x.ntk / norm, v: x.v / a, vp: x.vp / b }
        }
        Op::Dropout(keep) => {
            let x = input();
            // The same division for K and v: a sample with itself stays exactly parallel, which a kinked dual would see.
            let own = |value: f64| if same { value / keep } else { value };
            Scalar { nngp: own(x.nngp), ntk: own(x.ntk), v: x.v / keep, vp: x.vp / keep }
        }
        Op::Sum => op.inputs.iter().fold(Scalar::default(), |sum, &i| Scalar {
            nngp: sum.nngp + values[i].nngp,
            ntk: sum.ntk + values[i].ntk,
            v: sum.v + values[i].v,
            vp: sum.vp + values[i].vp,
        }),
        Op::Correlate | Op::CorrelateSphere { .. } | Op::Truncate { .. } | Op::Pooled(_) | Op::BoxMean(_) => {
            Scalar::default()
        }
    }
}
