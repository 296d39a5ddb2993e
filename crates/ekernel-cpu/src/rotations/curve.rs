//! Functions of cos θ on a ring, a function of its own in each lane.

use ekernel_harmonic::LaneBuffer;
use pulp::{Simd, WithSimd};

use super::{fit::Fit, pack::Number, variable::Variable};
use crate::planes::{Scalar, polynomial};

/// Series in T_n(x) of u = √(vv') − K and of the two parts of Θ, `[n][lane]`; empty where they are not asked for.
pub(super) struct Curve<T, const W: usize> {
    pub(super) defect: LaneBuffer<T, W>,
    pub(super) carry: LaneBuffer<T, W>,
    pub(super) own: LaneBuffer<T, W>,
}

impl<T: Number, const W: usize> Curve<T, W> {
    /// From the fit and the bound √(vv') of each lane; `carry`: Θ of the field is not zero.
    pub(super) fn new(lanes: &[(Option<Fit>, f64)], carry: bool, ntk: bool) -> Curve<T, W> {
        let degree = lanes.iter().flat_map(|(fit, _)| fit).map(Fit::degree).max().unwrap_or(0);
        let zeros = |wanted: bool| LaneBuffer::zeros(if wanted { degree + 1 } else { 0 });
        let mut curve = Curve { defect: zeros(true), carry: zeros(carry && ntk), own: zeros(ntk) };
        for (lane, (fit, bound)) in lanes.iter().enumerate() {
            let Some(fit) = fit else { continue };
            for (n, a) in fit.cov.iter().enumerate() {
                curve.defect[n][lane] = T::new(if n == 0 { bound - a } else { -a });
            }
            for (to, series) in [(&mut curve.carry, &fit.carry), (&mut curve.own, &fit.own)] {
                to.iter_mut().zip(series).for_each(|(to, a)| to[lane] = T::new(*a));
            }
        }
        curve
    }
}

/// u and Θ at every point, from d and Θ of the field.
pub(super) struct Evaluate<'a, T, const W: usize> {
    pub(super) variable: Variable,
    pub(super) curve: &'a Curve<T, W>,
    pub(super) defects: &'a [[T; W]],
    /// Empty if zero.
    pub(super) field_ntk: &'a [[T; W]],
    pub(super) out: &'a mut [[T; W]],
    /// Empty if not asked for.
    pub(super) out_ntk: &'a mut [[T; W]],
}

impl<T: Scalar, const W: usize> WithSimd for Evaluate<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { variable, curve, defects, field_ntk, out, out_ntk } = self;
        for (at, d) in defects.iter().enumerate() {
            let mut x = [T::zero(); W];
            for i in 0..W {
                x[i] = of_defect(variable, d[i]);
            }
            out[at] = clenshaw(&curve.defect, &x);
            if out_ntk.is_empty() {
                continue;
            }
            let mut ntk = clenshaw(&curve.own, &x);
            if !field_ntk.is_empty() {
                let carry = clenshaw(&curve.carry, &x);
                for i in 0..W {
                    ntk[i] += carry[i] * field_ntk[at][i];
                }
            }
            out_ntk[at] = ntk;
        }
    }
}

/// [`super::variable::of_defects`] for one number.
#[inline(always)]
fn of_defect<T: Scalar>(variable: Variable, d: T) -> T {
    let (zero, one, two) = (T::zero(), T::one(), T::new(2.0));
    if variable == Variable::Cosine {
        return one - d.max(zero).min(two);
    }
    let near = d.min(two - d).max(zero);
    let root = near.sqrt();
    let acute = one - (root + root) * polynomial(T::ANGLE, near);
    if d < one { acute } else { -acute }
}

/// Σ a_n T_n(x) by Clenshaw's recursion.
#[inline(always)]
fn clenshaw<T: Scalar, const W: usize>(series: &[[T; W]], x: &[T; W]) -> [T; W] {
    let (mut b, mut before) = ([T::zero(); W], [T::zero(); W]);
    for a in series[1..].iter().rev() {
        for i in 0..W {
            let next = (a[i] - before[i]) + (x[i] + x[i]) * b[i];
            before[i] = b[i];
            b[i] = next;
        }
    }
    let mut sum = series[0];
    for i in 0..W {
        sum[i] = (sum[i] - before[i]) + x[i] * b[i];
    }
    sum
}
