//! Quadrature in the polar angle: Driscoll-Healy and Gauss-Legendre.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::error::{HarmonicError, check_bandlimit, check_nodes};

/// Angles in (0, π), ascending, with weights for ∫₀^π g(θ) sinθ dθ ≈ Σ_t w_t g(θ_t); the weights add up to 2.
///
/// Both rules are symmetric under θ → π - θ to the last bit: ring `n-1-t` is ring `t` seen from the other pole.
#[derive(Clone, Debug, PartialEq)]
pub struct PolarRule {
    angles: Vec<f64>,
    weights: Vec<f64>,
    per_bandlimit: usize,
}

impl PolarRule {
    /// The rule of Driscoll and Healy for `bandlimit` L: 2L equidistant angles θ_t = (2t+1)π/4L with weights
    /// (2/L) sinθ_t Σ_{k<L} sin((2k+1)θ_t)/(2k+1), exact for polynomials in cosθ of degree below 2L.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`].
    pub fn driscoll_healy(bandlimit: usize) -> Result<Self, HarmonicError> {
        check_bandlimit("Driscoll-Healy rule", bandlimit)?;
        let (angles, weights) = symmetric(2 * bandlimit, |t| {
            let angle = (2 * t + 1) as f64 * PI / (4 * bandlimit) as f64;
            let series: f64 = (0..bandlimit).map(|k| odd_sine(k, t, bandlimit) / (2 * k + 1) as f64).sum();
            (angle, 2.0 / bandlimit as f64 * angle.sin() * series)
        });
        Ok(Self { angles, weights, per_bandlimit: 2 })
    }

    /// The Gauss-Legendre rule with `nodes` angles, exact for polynomials in cosθ of degree below 2·`nodes`.
    ///
    /// The zeros of P_n(cosθ) are found by Newton's method in θ itself, so that no arc cosine
    /// rounds the angles near the poles.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn gauss_legendre(nodes: usize) -> Result<Self, HarmonicError> {
        check_nodes("Gauss-Legendre rule", "theta", nodes)?;
        let (angles, weights) = symmetric(nodes, |k| legendre_zero(nodes, k));
        Ok(Self { angles, weights, per_bandlimit: 1 })
    }

    /// The angles θ_t in radians, ascending.
    pub fn angles(&self) -> &[f64] {
        &self.angles
    }

    /// The weights w_t.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The number of angles.
    #[expect(clippy::len_without_is_empty, reason = "a rule has at least one angle")]
    pub fn len(&self) -> usize {
        self.angles.len()
    }

    /// The number of angles this kind of rule needs to integrate products of two functions below `bandlimit`.
    pub fn nodes_for(&self, bandlimit: usize) -> usize {
        self.per_bandlimit * bandlimit
    }
}

/// Fills the northern half with `node(t)` and mirrors it.
fn symmetric(count: usize, node: impl Fn(usize) -> (f64, f64)) -> (Vec<f64>, Vec<f64>) {
    let mut angles = vec![0.0; count];
    let mut weights = vec![0.0; count];
    for t in 0..count.div_ceil(2) {
        let mirror = count - 1 - t;
        let (angle, weight) = node(t);
        angles[t] = if mirror == t { FRAC_PI_2 } else { angle };
        angles[mirror] = if mirror == t { FRAC_PI_2 } else { PI - angle };
        weights[t] = weight;
        weights[mirror] = weight;
    }
    (angles, weights)
}

/// sin((2k+1)θ_t) of the Driscoll-Healy rule, its argument reduced in integers: (2k+1)(2t+1) quarters of π/L.
fn odd_sine(k: usize, t: usize, bandlimit: usize) -> f64 {
    let period = 8 * bandlimit;
    let quarters = (2 * k + 1) * (2 * t + 1) % period;
    (quarters as f64 * PI / (4 * bandlimit) as f64).sin()
}

/// The k-th zero of P_n(cosθ) from the north pole, and its weight 2/(dP_n/dθ)².
fn legendre_zero(n: usize, k: usize) -> (f64, f64) {
    let mut angle = (4 * k + 3) as f64 * PI / (4 * n + 2) as f64;
    if 2 * k + 1 == n {
        angle = FRAC_PI_2;
    }
    // The starting point is off by 1/n³ and convergence is quadratic: four steps are one more than needed.
    for _ in 0..4 {
        let (value, slope) = legendre_in_angle(n, angle);
        angle -= value / slope;
    }
    let (_, slope) = legendre_in_angle(n, angle);
    (angle, 2.0 / (slope * slope))
}

/// P_n(cosθ) and its derivative with respect to θ, n ≥ 1.
///
/// The recursion runs on the differences P_l - P_{l-1} and on 1 - cosθ = 2 sin²(θ/2), which keeps the zeros next to
/// the pole as accurate as the others; with cosθ itself they lose a digit at n = 200.
fn legendre_in_angle(n: usize, angle: f64) -> (f64, f64) {
    let half = (0.5 * angle).sin();
    let defect = 2.0 * half * half;
    let (mut value, mut difference) = (1.0, 0.0);
    for l in 0..n {
        difference = (l as f64 * difference - (2 * l + 1) as f64 * defect * value) / (l + 1) as f64;
        value += difference;
    }
    (value, n as f64 * (difference - defect * value) / angle.sin())
}
