//! Legendre polynomials and the harmonic coefficients of functions of one direction.

use std::f64::consts::TAU;

use crate::error::{HarmonicError, check_bandlimit};
use crate::polar::PolarRule;

/// P_0(x), …, P_{L-1}(x) for `bandlimit` L, by Bonnet's recursion.
///
/// # Errors
/// [`HarmonicError::Bandlimit`].
pub fn legendre(bandlimit: usize, x: f64) -> Result<Vec<f64>, HarmonicError> {
    check_bandlimit("Legendre polynomials", bandlimit)?;
    let mut values = Vec::with_capacity(bandlimit);
    let (mut before, mut value) = (0.0, 1.0);
    for l in 0..bandlimit {
        values.push(value);
        (before, value) = (value, ((2 * l + 1) as f64 * x * value - l as f64 * before) / (l + 1) as f64);
    }
    Ok(values)
}

/// c_l = 2π ∫_{-1}^{1} g(x) P_l(x) dx for l < `bandlimit`, by Gauss-Legendre quadrature with `nodes` nodes.
///
/// They turn a profile into a function on the sphere: f(x̂) = g(x̂·r̂) has the coefficients f_lm = c_l conj(Y_lm(r̂)),
/// for every direction r̂ (Funk and Hecke). Exact when g is a polynomial of degree at most 2·`nodes` - `bandlimit`;
/// otherwise take as many nodes as the sharpness of g asks for.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Nodes`], [`HarmonicError::NotFinite`] with the number of the node
/// if g is not finite there.
pub fn zonal_coefficients(
    bandlimit: usize,
    nodes: usize,
    g: impl Fn(f64) -> f64,
) -> Result<Vec<f64>, HarmonicError> {
    check_bandlimit("zonal coefficients", bandlimit)?;
    let rule = PolarRule::gauss_legendre(nodes)?;
    let mut coefficients = vec![0.0; bandlimit];
    for (k, (&angle, &weight)) in rule.angles().iter().zip(rule.weights()).enumerate() {
        let x = angle.cos();
        let value = g(x);
        if !value.is_finite() {
            return Err(HarmonicError::NotFinite {
                what: "the profile of a zonal function",
                index: vec![k],
                value,
            });
        }
        for (c, p) in coefficients.iter_mut().zip(legendre(bandlimit, x)?) {
            *c += TAU * weight * value * p;
        }
    }
    Ok(coefficients)
}
