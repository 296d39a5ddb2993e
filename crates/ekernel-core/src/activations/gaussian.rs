//! a·exp(bx²): D = √((1−2bv)(1−2bv') − 4b²K²), K_σ = a²/D, K̇ = 4a²b²K/D³. Where the expectation does not exist
//! (1 ≤ 2bv, or D² ≤ 0) both are NaN, which every caller reports.

use super::dual::Dual;
use crate::geometric_mean;

pub(super) fn dual(a: f64, b: f64, v: f64, vp: f64, k: f64) -> Dual {
    let bound = geometric_mean(v, vp);
    let d2 = 1.0 - 2.0 * b * (v + vp) + 4.0 * b * b * (bound - k) * (bound + k);
    if !(d2 > 0.0 && 2.0 * b * v < 1.0 && 2.0 * b * vp < 1.0) {
        return Dual { cov: f64::NAN, dot: f64::NAN };
    }
    let d = d2.sqrt();
    Dual { cov: a * a / d, dot: 4.0 * a * a * b * b * k / (d2 * d) }
}

/// v·E σ''²/E σ'² = 1 + 12b²v²/(1 − 4bv).
pub(super) fn curvature(b: f64, v: f64) -> f64 {
    1.0 + 12.0 * b * b * v * v / (1.0 - 4.0 * b * v)
}
