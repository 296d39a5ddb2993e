use pulp::Simd;

use crate::simd::{Lockstep, Real};

/// Numbers per position of an image at most.
pub(crate) const NUMBERS: usize = 2;

/// One form of a dual, in units of its own: K_σ = scale · k̂(rate · K) and K̇ = slope · κ̂(rate · K), so that layers fold the
/// factors into what they multiply with anyway.
pub(crate) trait Family<T: Real>: Copy {
    /// Numbers per position of an image that it reads.
    const NUMBERS: usize;

    /// The factors.
    fn units(self) -> Units;

    /// k̂ and κ̂ of rate · K and the numbers of two images.
    fn dual<S: Simd, const N: usize>(
        self,
        k: Lockstep<S, T, N>,
        first: [Lockstep<S, T, N>; NUMBERS],
        second: [Lockstep<S, T, N>; NUMBERS],
    ) -> [Lockstep<S, T, N>; 2];
}

/// The units of a dual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Units {
    pub(crate) rate: f64,
    pub(crate) scale: f64,
    pub(crate) slope: f64,
}

/// Code for any family.
pub(crate) trait Visitor<T: Real> {
    /// What comes of it.
    type Output;

    fn visit(self, family: impl Family<T>) -> Self::Output;
}
