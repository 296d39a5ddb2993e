//! a·sin(bx + c): s± = exp(−b²(v+v')/2 ± b²K), K_σ = a²/2·(s₊ − cos(2c)·s₋), K̇ = a²b²/2·(s₊ + cos(2c)·s₋).
//! The Gaussian (RBF) kernel is the case a = √2, b = √(2γ), c = π/4 (Rahimi and Recht 2007):
//! K_σ = exp(γ(2K − v − v')), K̇ = 2γK_σ.

use std::f64::consts::{FRAC_PI_4, SQRT_2};

use super::dual::Dual;

pub(super) fn dual(a: f64, b: f64, c: f64, v: f64, vp: f64, k: f64) -> Dual {
    let b2 = b * b;
    let plus = (b2 * (k - 0.5 * (v + vp))).exp();
    let minus = (-b2 * (k + 0.5 * (v + vp))).exp();
    // s₊ − s₋ from the larger of the two, and 1 ∓ cos(2c) as squares: small variances keep their digits.
    let difference = if k > 0.0 { -plus * (-2.0 * b2 * k).exp_m1() } else { minus * (2.0 * b2 * k).exp_m1() };
    let (sine, cosine) = c.sin_cos();
    let scale = 0.5 * a * a;
    Dual {
        cov: scale * (difference + 2.0 * sine * sine * minus),
        dot: scale * b2 * (difference + 2.0 * cosine * cosine * minus),
    }
}

pub(super) fn rbf_dual(gamma: f64, v: f64, vp: f64, k: f64) -> Dual {
    let cov = (gamma * (2.0 * k - v - vp)).exp();
    Dual { cov, dot: 2.0 * gamma * cov }
}

pub(super) fn rbf_value(gamma: f64, x: f64) -> f64 {
    SQRT_2 * ((2.0 * gamma).sqrt() * x + FRAC_PI_4).sin()
}

pub(super) fn rbf_derivative(gamma: f64, x: f64) -> f64 {
    let rate = (2.0 * gamma).sqrt();
    SQRT_2 * rate * (rate * x + FRAC_PI_4).cos()
}

/// v·E σ''²/E σ'² = b²v(1 − s)/(1 + s), s = cos(2c)·exp(−2b²v), the sums without cancellation.
pub(super) fn curvature(b: f64, c: f64, v: f64) -> f64 {
    let (x, cos) = (b * b * v, (2.0 * c).cos());
    let rest = -(-2.0 * x).exp_m1();
    let [minus, plus] = [1.0 - cos, 1.0 + cos].map(f64::abs);
    let denominator = plus - cos * rest;
    if denominator == 0.0 { 1.0 } else { x * (minus + cos * rest) / denominator }
}
