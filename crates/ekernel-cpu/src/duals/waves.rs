//! Duals of exponentials: sin and cos, rbf, exp. With e of an image (-b²v/2, -γv or b²v/2):
//!
//! sine         s± = exp(e + e' ± b²K),  K_σ = a²/2 (s₊ - cos(2c) s₋),  K̇ = a²b²/2 (s₊ + cos(2c) s₋)
//! exponential  K_σ = p exp(ρK + e + e'),  K̇ = ρK_σ;  p = 1, ρ = 2γ for rbf, p = a², ρ = b² for exp

use pulp::Simd;

use super::{
    elementary::{exp, exp_deficit},
    family::{Family, NUMBERS, Units},
};
use crate::simd::{Lockstep, Real};

#[derive(Clone, Copy)]
pub(super) struct Sine {
    a: f64,
    b: f64,
    /// 2 sin²c and 2 cos²c
    squares: [f64; 2],
}

impl Sine {
    pub(super) fn new(a: f64, b: f64, c: f64) -> Self {
        Self { a, b, squares: [2.0 * c.sin().powi(2), 2.0 * c.cos().powi(2)] }
    }
}

impl<T: Real> Family<T> for Sine {
    const NUMBERS: usize = 1;

    fn units(self) -> Units {
        let (rate, scale) = (self.b * self.b, 0.5 * self.a * self.a);
        Units { rate, scale, slope: scale * rate }
    }

    /// s₊ - s₋ from the larger of the two, and 1 ∓ cos(2c) as squares: small variances keep their digits.
    #[inline(always)]
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        [e, _]: [Lockstep<S, T, N>; NUMBERS],
        [ep, _]: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2] {
        let zero = k.like(T::default());
        let size = k.if_less(zero, -k, k);
        let larger = exp(size + (e + ep));
        let gap = larger * exp_deficit(-(size + size));
        let minus = k.if_less(zero, larger, larger - gap);
        let difference = k.if_less(zero, -gap, gap);
        let [sine, cosine] = self.squares;
        [
            minus.times_plus(k.like(T::of(sine)), difference),
            minus.times_plus(k.like(T::of(cosine)), difference),
        ]
    }
}

/// scale · e^{rate · K + e + e'}
#[derive(Clone, Copy)]
pub(super) struct Exponential {
    pub(super) scale: f64,
    pub(super) rate: f64,
}

impl<T: Real> Family<T> for Exponential {
    const NUMBERS: usize = 1;

    fn units(self) -> Units {
        Units { rate: self.rate, scale: self.scale, slope: self.scale * self.rate }
    }

    #[inline(always)]
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        [e, _]: [Lockstep<S, T, N>; NUMBERS],
        [ep, _]: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2] {
        let power = exp(k + (e + ep));
        [power, power]
    }
}
