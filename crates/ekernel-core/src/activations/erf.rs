//! a·erf(bx) + c (Williams 1997). With v, v', K scaled by b² and P = (1+2v)(1+2v'):
//! K_σ = a²(2/π)·asin(2K/√P) + c², K̇ = a²b²(4/π)/√(P − 4K²).

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::dual::Dual;
use crate::geometric_mean;

pub(super) fn dual(a: f64, b: f64, c: f64, v: f64, vp: f64, k: f64) -> Dual {
    let [v, vp, k] = [v, vp, k].map(|x| b * b * x);
    let p = (1.0 + 2.0 * v) * (1.0 + 2.0 * vp);
    // P − 4K² = 1 + 2(v + v') + 4(vv' − K²) ≥ 1, summed without cancellation.
    let bound = geometric_mean(v, vp);
    let rest = (1.0 + 2.0 * (v + vp) + 4.0 * (bound - k) * (bound + k)).sqrt();
    let angle = if p.is_finite() { (2.0 * k).atan2(rest) } else { k.signum() * FRAC_PI_2 };
    Dual { cov: a * a * FRAC_2_PI * angle + c * c, dot: 2.0 * a * a * b * b * FRAC_2_PI / rest }
}

/// v·E σ''²/E σ'² = 4x²/(1 + 4x), x = b²v.
pub(super) fn curvature(b: f64, v: f64) -> f64 {
    let x = b * b * v;
    4.0 * x * x / (1.0 + 4.0 * x)
}
