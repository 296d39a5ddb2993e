//! Wigner's D-matrices at one rotation: rotating functions, and evaluating one on SO(3) at a point.

use std::f64::consts::PI;

use rustfft::num_complex::Complex64;

use crate::error::{HarmonicError, check_bandlimit, check_length};
use crate::euler::Euler;
use crate::packed::{orders, rotation_index, rotation_len, sphere_index, sphere_len};
use crate::wigner::WignerTable;

/// D^l_mn(R) = e^{-imα} d^l_mn(β) e^{-inγ} for all l below a bandlimit, at one rotation.
#[derive(Clone, Debug)]
pub struct WignerD {
    bandlimit: usize,
    euler: Euler,
    table: WignerTable<f64>,
}

impl WignerD {
    /// The matrices of the rotation `euler` for the degrees below `bandlimit`.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`]; [`HarmonicError::NotFinite`] (index 0, 1, 2 for α, β, γ).
    pub fn new(bandlimit: usize, euler: Euler) -> Result<Self, HarmonicError> {
        check_bandlimit("Wigner matrices", bandlimit)?;
        for (at, value) in [euler.alpha, euler.beta, euler.gamma].into_iter().enumerate() {
            if !value.is_finite() {
                return Err(HarmonicError::NotFinite { what: "the Euler angles", index: vec![at], value });
            }
        }
        Ok(Self { bandlimit, euler, table: WignerTable::new(bandlimit, &[euler.beta])? })
    }

    /// D^l_mn.
    ///
    /// # Panics
    /// If l is not below the bandlimit, or |m| or |n| exceeds l.
    pub fn get(&self, l: usize, m: isize, n: isize) -> Complex64 {
        let phase = -(m as f64 * self.euler.alpha + n as f64 * self.euler.gamma);
        Complex64::from_polar(1.0, phase) * self.table.get(0, l, m, n)
    }

    /// The coefficients of R·f, (R·f)(x) = f(R⁻¹x): Σ_n D^l_mn f_ln. Both arrays are packed as
    /// [`sphere_index`].
    ///
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn rotate(&self, coefficients: &[Complex64], rotated: &mut [Complex64]) -> Result<(), HarmonicError> {
        check_length("the coefficients", coefficients.len(), sphere_len(self.bandlimit))?;
        check_length("the rotated coefficients", rotated.len(), sphere_len(self.bandlimit))?;
        for l in 0..self.bandlimit {
            for m in orders(l) {
                rotated[sphere_index(l, m)] =
                    orders(l).map(|n| self.get(l, m, n) * coefficients[sphere_index(l, n)]).sum();
            }
        }
        Ok(())
    }

    /// The value at this rotation of the function on SO(3) with the coefficients F^l_mn, packed as
    /// [`rotation_index`]: Σ (2l+1)/8π² F^l_mn conj(D^l_mn).
    ///
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn evaluate(&self, coefficients: &[Complex64]) -> Result<Complex64, HarmonicError> {
        check_length("the coefficients", coefficients.len(), rotation_len(self.bandlimit))?;
        let mut value = Complex64::default();
        for l in 0..self.bandlimit {
            let mut degree = Complex64::default();
            for m in orders(l) {
                for n in orders(l) {
                    degree += coefficients[rotation_index(l, m, n)] * self.get(l, m, n).conj();
                }
            }
            value += degree * degree_weight(l);
        }
        Ok(value)
    }
}

/// The value at the identity, Σ_l (2l+1)/8π² tr F^l: the variance of a sample with itself.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn value_at_identity(bandlimit: usize, coefficients: &[Complex64]) -> Result<Complex64, HarmonicError> {
    check_bandlimit("the value at the identity", bandlimit)?;
    check_length("the coefficients", coefficients.len(), rotation_len(bandlimit))?;
    Ok((0..bandlimit)
        .map(|l| {
            orders(l).map(|m| coefficients[rotation_index(l, m, m)]).sum::<Complex64>() * degree_weight(l)
        })
        .sum())
}

/// (2l+1)/8π², the weight of degree l in an inverse transform.
pub(crate) fn degree_weight(l: usize) -> f64 {
    (2 * l + 1) as f64 / (8.0 * PI * PI)
}
