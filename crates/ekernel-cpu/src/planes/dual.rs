//! dual: K ↦ K_σ, Θ ↦ Θ·K̇.
//!
//! Slopes (a, b) (relu, leaky_relu, abs), from the defect: with d = u/ss' = 1 − cos θ and
//! g = d − (sin θ − θ cos θ)/π: u_o = ½(a−b)² ss'g + ab·u, K_o = ½(a²+b²)ss' − u_o, K̇ = (a²+b²)/2 − (a−b)²θ/2π.
//! Smooth activations are in `smooth`.

use ekernel_core::{Activation, plan::Form};
use pulp::{Simd, WithSimd};

use super::{
    Plane, Scalar,
    geometry::Run,
    pack::OpMaps,
    scalar::polynomial,
    smooth::{Values, smooth},
};

/// What both kinds of dual work on.
pub(super) struct Dual<'a, T> {
    pub(super) activation: Activation,
    /// Forms of the input and of the output.
    pub(super) forms: [Form; 2],
    /// Maps of the input op.
    pub(super) before: [&'a OpMaps<T>; 2],
    /// Maps of this op.
    pub(super) after: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) plane: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Dual<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match (self.activation.kink(), self.activation) {
            (Some(slopes), _) => kinked(self, slopes),
            (None, Activation::Sign) => sign(self),
            (None, _) => {
                let Dual { after, forms, lanes, runs, plane, .. } = self;
                if let [Some(first), Some(second)] = [&after[0].smooth, &after[1].smooth] {
                    smooth(s, Values { maps: [first, second], forms, lanes, runs, plane });
                }
            }
        }
    }
}

/// 1 − cos θ = uss'⁻¹, which is 2 where it is 2 but for rounding: values that are exactly opposite are a matter of course (a bright and
/// a dark surface in data of mean 0), and the root of a rounding would be their angle.
#[inline(always)]
fn relative<T: Scalar>(u: T, inverse: T) -> T {
    let (d, two) = (u * inverse, T::new(2.0));
    if d < two - T::new(3.0) * T::epsilon() { d } else { two }
}

/// θ/π and (sin θ − θ cos θ)/(πd) at relative defect d ∈ [0, 2].
#[inline(always)]
fn angle_and_sector<T: Scalar>(d: T) -> (T, T) {
    let (one, two) = (T::one(), T::new(2.0));
    let reflected = d > one;
    let near = if reflected { two - d } else { d };
    let root = near.sqrt();
    let angle = root * polynomial(T::ANGLE, near);
    let sector = root * polynomial(T::SECTOR, near);
    if reflected {
        // θ → π − θ: (sin θ − θ cos θ)/π becomes near·sector + (1 − near).
        (one - angle, (near * sector + (one - near)) / d)
    } else {
        (angle, sector)
    }
}

#[inline(always)]
fn kinked<T: Scalar>(this: Dual<'_, T>, [a, b]: [f64; 2]) {
    let Dual { before, after, lanes, runs, plane, forms, .. } = this;
    let half_jump = T::new(0.5 * (a - b) * (a - b));
    let slope = T::new(0.5 * (a * a + b * b));
    let product = T::new(a * b);
    let has_ntk = !plane.ntk.as_slice().is_empty();
    for run in runs {
        let len = run.len * lanes;
        let (first, second) = (run.first * lanes, run.second * lanes);
        let r = &before[0].inverse.as_slice()[first..][..len];
        let rp = &before[1].inverse.as_slice()[second..][..len];
        let so = &after[0].std.as_slice()[first..][..len];
        let sop = &after[1].std.as_slice()[second..][..len];
        let cov = &mut plane.cov.as_mut_slice()[first..][..len];
        // Where an image is dark (s = 0) the angle is π/2 by convention, and every product with ss' is 0.
        if has_ntk {
            let ntk = &mut plane.ntk.as_mut_slice()[first..][..len];
            for i in 0..len {
                let (angle, out) = kinked_element(cov[i], r[i] * rp[i], half_jump, product);
                cov[i] = out;
                ntk[i] *= slope - half_jump * angle;
            }
        } else {
            for i in 0..len {
                cov[i] = kinked_element(cov[i], r[i] * rp[i], half_jump, product).1;
            }
        }
        if forms[1] == Form::Cov {
            for i in 0..len {
                cov[i] = so[i] * sop[i] - cov[i];
            }
        }
    }
}

/// θ/π and u_o.
#[inline(always)]
pub(crate) fn kinked_element<T: Scalar>(u: T, inverse: T, half_jump: T, product: T) -> (T, T) {
    let (angle, sector) = angle_and_sector(relative(u, inverse));
    let angle = if inverse > T::zero() { angle } else { T::new(0.5) };
    (angle, half_jump * (u - u * sector) + product * u)
}

#[inline(always)]
fn sign<T: Scalar>(this: Dual<'_, T>) {
    let Dual { before, after, lanes, runs, plane, forms, .. } = this;
    for run in runs {
        let len = run.len * lanes;
        let (first, second) = (run.first * lanes, run.second * lanes);
        let r = &before[0].inverse.as_slice()[first..][..len];
        let rp = &before[1].inverse.as_slice()[second..][..len];
        // sign(0) = 0: a dark image has variance 0 behind a sign, any other has 1; what is not a number stays none.
        let so = &after[0].std.as_slice()[first..][..len];
        let sop = &after[1].std.as_slice()[second..][..len];
        let cov = &mut plane.cov.as_mut_slice()[first..][..len];
        for i in 0..len {
            let bound = so[i] * sop[i];
            let defect = T::new(2.0) * bound * angle_and_sector(relative(cov[i], r[i] * rp[i])).0;
            cov[i] = match forms[1] {
                Form::Cov => bound - defect,
                Form::Defect => defect,
            };
        }
        if !plane.ntk.as_slice().is_empty() {
            plane.ntk.as_mut_slice()[first..][..len].fill(T::zero());
        }
    }
}
