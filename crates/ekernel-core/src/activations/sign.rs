//! sign(x): K_σ = 1 − (2/π)·φ with the angle φ of the arc-cosine kernel of degree 0; K̇ = 0.

use std::f64::consts::FRAC_2_PI;

use super::{dual::Dual, kinked::sine_and_angle};

pub(super) fn dual(v: f64, vp: f64, k: f64) -> Dual {
    let (_, angle) = sine_and_angle(v, vp, k);
    Dual { cov: 1.0 - FRAC_2_PI * angle, dot: 0.0 }
}
