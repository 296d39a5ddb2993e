//! a·exp(bx): K_σ = a²·exp(b²((v+v')/2 + K)), K̇ = b²K_σ.

use super::dual::Dual;

pub(super) fn dual(a: f64, b: f64, v: f64, vp: f64, k: f64) -> Dual {
    let cov = a * a * (b * b * (0.5 * (v + vp) + k)).exp();
    Dual { cov, dot: b * b * cov }
}
