//! x·Φ(x) (Tsuchida et al. 2021). P₁ = (1+v)(1+v'), Δ² = P₁ − K², p = vv':
//! K_σ = K/4 + [(K² + pΔ²)/(P₁Δ) + K·atan2(K, Δ)]/2π,
//! K̇ = 1/4 + atan2(K, Δ)/2π + K/(2πΔ)·[1/Δ² + (1 − p)/P₁ + 1].

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use super::dual::Dual;

pub(super) fn dual(v: f64, vp: f64, k: f64) -> Dual {
    let p = v * vp;
    let p1 = (1.0 + v) * (1.0 + vp);
    let bound = p.sqrt();
    let delta2 = 1.0 + v + vp + (bound - k) * (bound + k);
    let delta = delta2.sqrt();
    let angle = k.atan2(delta);
    let cov = 0.25 * k + ((k * k + p * delta2) / (p1 * delta) + k * angle) / TAU;
    let dot = 0.25 + angle / TAU + k / (TAU * delta) * (1.0 / delta2 + (1.0 - p) / p1 + 1.0);
    Dual { cov, dot }
}

pub(super) fn value(x: f64) -> f64 {
    0.5 * x * libm::erfc(-x * FRAC_1_SQRT_2)
}

pub(super) fn derivative(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2) + x * (-0.5 * x * x).exp() / TAU.sqrt()
}

/// v·E σ''², σ''(x) = φ(x)(2 − x²): with w = v/(1 + 2v) that is v(4 − 4w + 3w²)/(2π√(1 + 2v)).
pub(super) fn curvature(v: f64) -> f64 {
    let w = v / (1.0 + 2.0 * v);
    v * (4.0 - 4.0 * w + 3.0 * w * w) / (TAU * (1.0 + 2.0 * v).sqrt())
}
