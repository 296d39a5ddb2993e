//! The variable x ∈ [−1, 1] in which pointwise functions of a kernel value are polynomials.
//!
//! k(U) = √(qq')·cos θ; what is carried is the defect d = 1 − cos θ ∈ [0, 2], which keeps its digits where the samples
//! are parallel. Kinked activations are smooth in the angle θ, smooth ones in the cosine.

use std::f64::consts::FRAC_PI_2;

use pulp::Simd;

use crate::simd::Real;

/// What x is; x = 1 where the samples are parallel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// x = 1 − 2θ/π.
    Angle,
    /// x = cos θ.
    Cosine,
}

impl Variable {
    /// cos θ at x.
    pub(super) fn cosine(self, x: f64) -> f64 {
        match self {
            // cos(π/2·(1−x)), with an exact zero at x = 0.
            Variable::Angle => (FRAC_PI_2 * x).sin(),
            Variable::Cosine => x,
        }
    }

    /// Arithmetic operations of [`of_defects`], a multiply-add counted as two.
    pub(super) fn operations<T: Real>(self) -> usize {
        match self {
            Variable::Angle => 2 * (T::ANGLE.len() - 1) + 8,
            Variable::Cosine => 3,
        }
    }
}

/// x at defects; `ANGLE` chooses the variable.
#[inline(always)]
pub(super) fn of_defects<S: Simd, T: Real, const ANGLE: bool, const P: usize>(
    s: S,
    d: [T::Lanes<S>; P],
) -> [T::Lanes<S>; P] {
    let (zero, one, two) = (T::default(), T::of(1.0), T::of(2.0));
    let (zero, one, two) = (T::splat(s, zero), T::splat(s, one), T::splat(s, two));
    if !ANGLE {
        let mut x = d;
        for i in 0..P {
            x[i] = T::sub(s, one, T::min(s, T::max(s, d[i], zero), two));
        }
        return x;
    }
    // θ/π = √d Q(d) up to d = 1; beyond, π − θ in the same way.
    let mut near = d;
    let mut root = d;
    for i in 0..P {
        near[i] = T::max(s, T::min(s, d[i], T::sub(s, two, d[i])), zero);
        root[i] = T::sqrt(s, near[i]);
    }
    let degree = T::ANGLE.len() - 1;
    let mut q = [T::splat(s, T::ANGLE[degree]); P];
    for &c in T::ANGLE[..degree].iter().rev() {
        let c = T::splat(s, c);
        for i in 0..P {
            q[i] = T::fma(s, q[i], near[i], c);
        }
    }
    let mut x = d;
    for i in 0..P {
        let twice = T::add(s, root[i], root[i]);
        let acute = T::fnma(s, twice, q[i], one);
        let obtuse = T::sub(s, zero, acute);
        x[i] = T::select_less(s, (d[i], one), acute, obtuse);
    }
    x
}
