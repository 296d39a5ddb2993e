//! The numbers of a piecewise linear activation of slopes a (x < 0) and b (x > 0), folded so that it conserves variances.
//!
//! With h = (a-b)²/(a²+b²), which is 1 for relu, 2 for abs and less for leaky_relu: u ← u - h u (sin θ - θ cos θ)/(πd) and
//! κ = 1 - hθ/π. An obtuse angle is π less an acute one of defect d': u ← (2-h)ss' + (h-1)u' - h u'(…)', κ = 1 - h + hθ'/π.

use crate::simd::Real;

/// Maps per position behind a layer with a kink: the leading and the trailing part of s, and 1/s.
pub(crate) const MAPS: usize = 3;

/// What folding takes out of a dual, and h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kink {
    /// (a² + b²)/2, the variance behind the activation over the one before.
    pub(crate) gain: f64,
    /// h = (a-b)²/(a²+b²)
    pub(crate) bend: f64,
}

impl Kink {
    pub(crate) fn new([a, b]: [f64; 2]) -> Self {
        let squares = a * a + b * b;
        Self { gain: 0.5 * squares, bend: (a - b) * (a - b) / squares }
    }

    /// Whether K ≥ 0 behind it, whatever it is before.
    pub(crate) fn is_nonnegative(&self) -> bool {
        self.bend >= 1.0
    }

    /// hR, then hQ, then the numbers 2-h, h-1 and 1-h; [`numbers`] of them.
    pub(crate) fn numbers<T: Real>(&self) -> impl Iterator<Item = T> {
        let h = self.bend;
        let scaled = T::SECTOR.iter().chain(T::ANGLE).map(move |c| T::of(h * c.wide()));
        scaled.chain([2.0 - h, h - 1.0, 1.0 - h].map(T::of))
    }
}

/// How many numbers [`Kink::numbers`] gives.
pub(crate) const fn numbers<T: Real>() -> usize {
    T::SECTOR.len() + T::ANGLE.len() + 3
}
