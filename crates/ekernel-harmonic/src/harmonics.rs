//! Spherical harmonics at a single direction.

use std::f64::consts::PI;

use rustfft::num_complex::Complex64;

use crate::error::{HarmonicError, check_bandlimit, check_length};
use crate::packed::{sphere_index, sphere_len};

/// Y_lm(r̂) = √((2l+1)/4π) d^l_m0(θ) e^{imφ} for all l below `bandlimit`, packed as [`sphere_index`].
///
/// `direction` is any vector along r̂; its length does not matter. At the poles φ does not either.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`],
/// [`HarmonicError::ZeroDirection`].
pub fn spherical_harmonics(
    bandlimit: usize,
    direction: [f64; 3],
    harmonics: &mut [Complex64],
) -> Result<(), HarmonicError> {
    check_length("the harmonics", harmonics.len(), checked_len(bandlimit)?)?;
    visit(bandlimit, direction, |l, m, value| harmonics[sphere_index(l, m)] = value)
}

/// Adds the zonal function `amplitude`·g(x̂·r̂) to packed coefficients: f_lm += amplitude · c_l · conj(Y_lm(r̂)),
/// with c_l from [`zonal_coefficients`](crate::zonal_coefficients). The bandlimit is the number of `profile` entries.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`],
/// [`HarmonicError::ZeroDirection`].
pub fn add_zonal(
    amplitude: f64,
    profile: &[f64],
    direction: [f64; 3],
    coefficients: &mut [Complex64],
) -> Result<(), HarmonicError> {
    check_length("the coefficients", coefficients.len(), checked_len(profile.len())?)?;
    if !amplitude.is_finite() {
        return Err(HarmonicError::NotFinite { what: "the amplitude", index: vec![], value: amplitude });
    }
    visit(profile.len(), direction, |l, m, value| {
        coefficients[sphere_index(l, m)] += value.conj() * (amplitude * profile[l]);
    })
}

fn checked_len(bandlimit: usize) -> Result<usize, HarmonicError> {
    check_bandlimit("spherical harmonics", bandlimit)?;
    Ok(sphere_len(bandlimit))
}

/// Calls `visit(l, m, Y_lm)` for every coefficient.
///
/// With u = (x+iy)/r = sinθ e^{iφ}, Y_mm is u^m times a number, so neither θ nor φ is ever computed.
pub(crate) fn visit(
    bandlimit: usize,
    direction: [f64; 3],
    mut visit: impl FnMut(usize, isize, Complex64),
) -> Result<(), HarmonicError> {
    if let Some(at) = direction.iter().position(|x| !x.is_finite()) {
        return Err(HarmonicError::NotFinite {
            what: "the direction",
            index: vec![at],
            value: direction[at],
        });
    }
    // Scaled by the largest entry first: squares of 1e200 or 1e-200 leave the range of f64.
    let scale = direction.iter().fold(0.0f64, |a, x| a.max(x.abs()));
    if scale == 0.0 {
        return Err(HarmonicError::ZeroDirection);
    }
    let [x, y, z] = direction.map(|x| x / scale);
    let radius = (x * x + y * y + z * z).sqrt();
    let (u, cos) = (Complex64::new(x, y) / radius, z / radius);
    let mut seed = Complex64::new(1.0, 0.0);
    for m in 0..bandlimit {
        if m > 0 {
            seed *= u * -((2 * m - 1) as f64 / (2 * m) as f64).sqrt();
        }
        let (m2, sign) = ((m * m) as f64, if m % 2 == 0 { 1.0 } else { -1.0 });
        let (mut before, mut value) = (Complex64::default(), seed);
        for l in m..bandlimit {
            let harmonic = value * ((2 * l + 1) as f64 / (4.0 * PI)).sqrt();
            visit(l, m as isize, harmonic);
            if m > 0 {
                visit(l, -(m as isize), harmonic.conj() * sign);
            }
            let (low, high) = ((l * l) as f64 - m2, ((l + 1) * (l + 1)) as f64 - m2);
            (before, value) =
                (value, (value * ((2 * l + 1) as f64 * cos) - before * low.sqrt()) / high.sqrt());
        }
    }
    Ok(())
}
