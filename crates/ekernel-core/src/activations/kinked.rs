//! Piecewise linear activations: slope a for x < 0, b for x > 0.
//!
//! With the angle φ = atan2(√(vv' − K²), K): K̇ = (a²+b²)/2 − (a−b)²φ/2π and
//! K_σ = (a−b)²√(vv' − K²)/2π + K̇·K (Cho and Saul 2009, the arc-cosine kernel of degree 1).

use std::f64::consts::TAU;

use super::dual::Dual;

/// √(vv' − K²) without losing it to the squares, and the angle φ ∈ [0, π]; π/2 where vv' = 0.
pub(super) fn sine_and_angle(v: f64, vp: f64, k: f64) -> (f64, f64) {
    let bound = (v * vp).sqrt();
    if bound == 0.0 {
        return (0.0, 0.25 * TAU);
    }
    let sine = ((bound - k) * (bound + k)).max(0.0).sqrt();
    (sine, sine.atan2(k))
}

pub(super) fn dual([a, b]: [f64; 2], v: f64, vp: f64, k: f64) -> Dual {
    let (sine, angle) = sine_and_angle(v, vp, k);
    let jump = (a - b) * (a - b);
    let dot = 0.5 * (a * a + b * b) - jump * angle / TAU;
    Dual { cov: jump * sine / TAU + dot * k, dot }
}
