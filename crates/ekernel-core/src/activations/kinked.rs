//! Piecewise linear activations: slope a for x < 0, b for x > 0.
//!
//! With the angle φ = atan2(√(vv' − K²), K): K̇ = (a²+b²)/2 − (a−b)²φ/2π and
//! K_σ = (a−b)²√(vv' − K²)/2π + K̇·K (Cho and Saul 2009, the arc-cosine kernel of degree 1).

use std::f64::consts::TAU;

use super::dual::Dual;
use crate::geometric_mean;

/// √(vv' − K²) without losing it to the squares, and the angle φ ∈ [0, π]; π/2 where vv' = 0.
pub(super) fn sine_and_angle(v: f64, vp: f64, k: f64) -> (f64, f64) {
    let bound = geometric_mean(v, vp);
    if bound == 0.0 {
        return (0.0, 0.25 * TAU);
    }
    let sine = geometric_mean((bound - k).max(0.0), (bound + k).max(0.0));
    (sine, sine.atan2(k))
}

pub(super) fn dual([a, b]: [f64; 2], v: f64, vp: f64, k: f64) -> Dual {
    let (sine, angle) = sine_and_angle(v, vp, k);
    let jump = (a - b) * (a - b);
    let dot = 0.5 * (a * a + b * b) - jump * angle / TAU;
    Dual { cov: jump * sine / TAU + dot * k, dot }
}

#[cfg(test)]
mod tests {
    use crate::Activation;

    /// Piecewise linear activations are homogeneous, and the others are linear, at the smallest variances and at the largest.
    #[test]
    fn duals_of_any_scale_are_those_of_one() {
        let kinked = [Activation::Relu, Activation::LeakyRelu { alpha: 0.2 }, Activation::Abs];
        for activation in kinked {
            for (v, vp, k) in [(1.0, 2.0, 0.7), (1.0, 1.0, -0.9), (0.5, 3.0, 0.0), (2.0, 2.0, 2.0)] {
                let one = activation.dual(v, vp, k);
                for scale in [1e-300, 1e-164, 1e-60, 1e60, 1e164, 1e300] {
                    let found = activation.dual(v * scale, vp * scale, k * scale);
                    assert!((found.cov / scale - one.cov).abs() < 1e-14, "{activation:?} {scale} {k}");
                    assert!((found.dot - one.dot).abs() < 1e-14, "{activation:?} {scale} {k}");
                }
            }
        }
        let smooth = [
            Activation::Erf { a: 1.0, b: 1.0, c: 0.0 },
            Activation::Gelu,
            Activation::Sin { a: 1.0, b: 1.0, c: 0.0 },
        ];
        for activation in smooth {
            let [small, tiny] = [1e-60, 1e-164].map(|scale| activation.dual(scale, 2.0 * scale, 0.7 * scale));
            assert!((tiny.cov / 1e-164 / (small.cov / 1e-60) - 1.0).abs() < 1e-13, "{activation:?} {tiny:?}");
            assert!(tiny.cov > 0.0 && (tiny.dot - small.dot).abs() < 1e-13, "{activation:?}");
        }
    }
}
