//! Duals of x = ρK/√((1+ρv)(1+ρv')) ∈ (-1, 1): erf (ρ = 2b²), gelu (ρ = 1), gaussian (ρ = -2b).
//!
//! With q = 1/√(1+ρv) of an image, y = qq' and c = √(1-x²):
//! erf       K_σ = (4a²/π) (asin x)/2 + c₀²,  K̇ = (4a²b²/π) y/c
//! gelu      2πK_σ = πK/2 + y x²/c + g c + K asin x,  2πK̇ = π/2 + asin x + (x/c)(1 + y(y(1/c²+1) - g)),  g = vv'qq'
//! gaussian  K_σ = a² y/c,  K̇ = a²ρ x y²/c³
//!
//! 1 - x² ≥ y for ρ > 0 and |K| ≤ √(vv'); rounding may not take it below that. Where a gaussian has no expectation, q is no number
//! or 1 - x² is not positive, and neither is K_σ one.

use std::f64::consts::{FRAC_1_PI, FRAC_PI_2, TAU};

use pulp::Simd;

use super::family::{Family, NUMBERS, Units};
use crate::simd::{Lockstep, Real};

/// 1/c and (asin x)/2 + `offset`, asin x = 2 atan(x/(1+c)), both of one division.
#[inline(always)]
fn inverse_and_half_angle<S: Simd, T: Real, const N: usize>(
    x: Lockstep<S, T, N>,
    c: Lockstep<S, T, N>,
    offset: Lockstep<S, T, N>,
) -> [Lockstep<S, T, N>; 2] {
    let one = x.like(T::of(1.0));
    let above = one + c;
    let both = one / (c * above);
    let tangent = x * (c * both);
    let ratio = (tangent * tangent).polynomial(T::ARC_TANGENT);
    [above * both, tangent.times_plus(ratio, offset)]
}

/// c = √(1-x²), 1-x² at least `floor`.
#[inline(always)]
fn cosine<S: Simd, T: Real, const N: usize>(
    x: Lockstep<S, T, N>,
    floor: Lockstep<S, T, N>,
) -> Lockstep<S, T, N> {
    x.times_from(x, x.like(T::of(1.0))).at_least(floor).sqrt()
}

#[derive(Clone, Copy)]
pub(super) struct Erf {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
}

impl<T: Real> Family<T> for Erf {
    const NUMBERS: usize = 1;

    fn units(self) -> Units {
        let (b2, scale) = (self.b * self.b, 4.0 * FRAC_1_PI * self.a * self.a);
        Units { rate: 2.0 * b2, scale, slope: scale * b2 }
    }

    #[inline(always)]
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        [q, _]: [Lockstep<S, T, N>; NUMBERS],
        [qp, _]: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2] {
        let y = q * qp;
        let x = k * y;
        let offset = k.like(T::of(self.c * self.c / Family::<T>::units(self).scale));
        let [inverse, cov] = inverse_and_half_angle(x, cosine(x, y), offset);
        [cov, y * inverse]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl<T: Real> Family<T> for Gelu {
    const NUMBERS: usize = 2;

    fn units(self) -> Units {
        Units { rate: 1.0, scale: TAU.recip(), slope: TAU.recip() }
    }

    #[inline(always)]
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        [q, w]: [Lockstep<S, T, N>; NUMBERS],
        [qp, wp]: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2] {
        let (zero, one, right) = (k.like(T::default()), k.like(T::of(1.0)), k.like(T::of(FRAC_PI_2)));
        let (y, g) = (q * qp, w * wp);
        let x = k * y;
        let c = cosine(x, y);
        let [inverse, half] = inverse_and_half_angle(x, c, zero);
        let (angle, ratio) = (right + (half + half), x * inverse);
        let cov = (x * y).times_plus(ratio, k.times_plus(angle, g * c));
        let inner = y.times_plus(inverse.times_plus(inverse, one), -g);
        [cov, ratio.times_plus(y.times_plus(inner, one), angle)]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gaussian {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl<T: Real> Family<T> for Gaussian {
    const NUMBERS: usize = 1;

    fn units(self) -> Units {
        let scale = self.a * self.a;
        Units { rate: -2.0 * self.b, scale, slope: -2.0 * scale * self.b }
    }

    #[inline(always)]
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        [q, _]: [Lockstep<S, T, N>; NUMBERS],
        [qp, _]: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2] {
        let y = q * qp;
        let x = k * y;
        // Nothing bounds 1 - x² unless it is a bump.
        let bound = T::of(if self.b < 0.0 { 1.0 } else { f64::NEG_INFINITY });
        let inverse = k.like(T::of(1.0)) / cosine(x, y * k.like(bound));
        let ratio = y * inverse;
        [ratio, x * inverse * (ratio * ratio)]
    }
}
