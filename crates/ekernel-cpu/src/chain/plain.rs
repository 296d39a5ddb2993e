//! Layers of smooth activations, whose planes carry K and T = K + Θ themselves.
//!
//! In front of an activation of units (ρ, k, l) ([`Units`]) a layer multiplies the window sums of what is stored, K divided by the
//! scale of the layer before, so that its dual finds ρ(w²K̄ + b²), and (l/k)(w²T̄ + b²) what the derivative is multiplied with.

use super::scale::Scale;
use crate::duals::{Smooth, Units};

/// A smooth activation and what stands in front of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    pub(crate) smooth: Smooth,
    /// K ↦ `cov[0]` ΣK + `cov[1]`, the argument of the dual.
    pub(crate) cov: [f64; 2],
    /// T ↦ `ntk[0]` ΣT + `ntk[1]`
    pub(crate) ntk: [f64; 2],
    /// w²/(q₁q₂) and b²
    affine: [f64; 2],
    /// True kernel = scale · stored one, behind the activation.
    pub(crate) scale: Scale,
}

impl Plain {
    /// With w²/(q₁q₂) and b², behind planes in units of `before`; nothing if a factor leaves the range of numbers.
    pub(crate) fn new(smooth: Smooth, affine: [f64; 2], before: Scale) -> Option<Self> {
        let Units { rate, scale, slope } = smooth.units();
        let [variance, shift] = affine;
        let weight = variance * before.value();
        let usable = |x: f64| (1e-75..=1e75).contains(&x.abs());
        if ![rate, scale, slope, weight].into_iter().all(usable) {
            return None;
        }
        let factors = |unit: f64| [unit * weight, unit * shift];
        Some(Self {
            smooth,
            cov: factors(rate),
            ntk: factors(slope / scale),
            affine,
            scale: Scale::new(scale),
        })
    }

    /// The variance in front of the activation, of the sum of true variances over a window.
    pub(crate) fn variance(&self, sum: f64) -> f64 {
        self.affine[0] * sum + self.affine[1]
    }
}
