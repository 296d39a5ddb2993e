//! Harmonic coefficients of the signals whose kernels are computed.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView2, ArrayView3, Axis};
use rustfft::num_complex::Complex64;

use crate::error::{HarmonicError, check_bandlimit, check_shape};
use crate::grid::SphereGrid;
use crate::harmonics::add_zonal;
use crate::legendre::zonal_coefficients;
use crate::packed::sphere_len;
use crate::real_basis::sphere_to_real;
use crate::sphere_transform::SphereTransform;

/// The coefficients, `[channel][packed lm]`, of real signals `[θ][φ][channel]` on the Driscoll-Healy grid of `bandlimit` L,
/// 2L × (2L-1) points.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Shape`], [`HarmonicError::NotFinite`], [`HarmonicError::Overflow`].
pub fn sphere_coefficients(
    bandlimit: usize,
    signals: ArrayView3<'_, f64>,
) -> Result<Array2<Complex64>, HarmonicError> {
    let grid = SphereGrid::driscoll_healy(bandlimit)?;
    let [rings, points] = grid.shape();
    let channels = signals.len_of(Axis(2));
    check_shape("the signals", signals.shape(), &[rings, points, channels])?;
    let transform = SphereTransform::<f64>::new(bandlimit, &grid)?;
    let mut scratch = transform.scratch();
    let mut coefficients = Array2::zeros((channels, sphere_len(bandlimit)));
    let mut one = vec![Complex64::default(); sphere_len(bandlimit)];
    for (signal, mut row) in signals.axis_iter(Axis(2)).zip(coefficients.outer_iter_mut()) {
        transform.forward_real(signal, &mut scratch, &mut one)?;
        row.iter_mut().zip(&one).for_each(|(to, from)| *to = *from);
    }
    Ok(coefficients)
}

/// The atoms of a molecule as signals on the sphere around each of them.
///
/// In the direction x̂, atom i sees for each element Z and each function n of the distance
///
/// ```text
/// f_{Z,n}(x̂) = Σ_{j≠i, Z_j=Z} h_n(r_ij, Z_i, Z_j) · g(r̂_ij·x̂),   r̂_ij = (r_j - r_i)/r_ij,
/// g(t) = exp(-(t - 1)²/β),   β = -(cos(cutoff) - 1)²/ln 0.05,
/// ```
///
/// so that g has fallen to 0.05 at the cutoff angle. The coefficients are those of the function itself, to rounding, not of
/// its samples on a grid: turning a molecule turns them by Wigner's matrices.
#[derive(Clone, Debug)]
pub struct AtomSignals {
    elements: Vec<u8>,
    radial: usize,
    profile: Vec<f64>,
}

/// Nodes of the quadrature over the profile g: it is entire, and with a cutoff angle of 1° its width in t = cosθ is 9e-5,
/// which Gauss-Legendre nodes resolve at the end t = 1, where they are (π/2n)²/2 apart.
const NODES: usize = 1024;

impl AtomSignals {
    /// The signals of these elements (atomic numbers) and of `radial` functions of the distance, at the degrees below
    /// `bandlimit`; the cutoff angle is in degrees.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`]; [`HarmonicError::NotFinite`] for a cutoff angle that is not finite, and for an angle
    /// of 0.
    pub fn new(
        bandlimit: usize,
        elements: &[u8],
        radial: usize,
        cutoff_angle: f64,
    ) -> Result<AtomSignals, HarmonicError> {
        check_bandlimit("signals around atoms", bandlimit)?;
        let width = cutoff_angle.to_radians().cos() - 1.0;
        let beta = -width * width / 0.05f64.ln();
        if !(beta.is_finite() && beta.recip().is_finite()) {
            let what = "1/β of the profile, which a cutoff angle of 0 makes infinite,";
            return Err(HarmonicError::NotFinite { what, index: vec![], value: beta.recip() });
        }
        let profile = zonal_coefficients(bandlimit, NODES, |t| (-(t - 1.0) * (t - 1.0) / beta).exp())?;
        Ok(AtomSignals { elements: elements.to_vec(), radial, profile })
    }

    /// Number of channels, elements × radial; channel e·radial + n is of element e and function n of the distance.
    pub fn channels(&self) -> usize {
        self.elements.len() * self.radial
    }

    /// The bandlimit L: the degrees are l < L.
    pub fn bandlimit(&self) -> usize {
        self.profile.len()
    }

    /// The coefficients, `[channel][packed lm]`, of the signal around atom `atom`.
    ///
    /// The molecule has the atomic numbers `charges` at `positions`, shape `[atoms][3]`. `strength(n, r, [Z_i, Z_j])` is h_n.
    /// Atoms of other elements contribute nothing.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`]; [`HarmonicError::NotFinite`] for a strength that is not finite; [`HarmonicError::ZeroDirection`] if another atom is at the
    /// same place.
    ///
    /// # Panics
    /// If there is no such atom.
    pub fn coefficients(
        &self,
        charges: &[u8],
        positions: ArrayView2<'_, f64>,
        atom: usize,
        strength: impl Fn(usize, f64, [u8; 2]) -> f64,
    ) -> Result<Array2<Complex64>, HarmonicError> {
        check_shape("the positions", positions.shape(), &[charges.len(), 3])?;
        let mut coefficients = Array2::zeros((self.channels(), sphere_len(self.bandlimit())));
        for (other, &charge) in charges.iter().enumerate() {
            let element = self.elements.iter().position(|&z| z == charge);
            let Some(element) = element.filter(|_| other != atom) else { continue };
            let to: [f64; 3] = std::array::from_fn(|k| positions[[other, k]] - positions[[atom, k]]);
            let distance = to[0].hypot(to[1]).hypot(to[2]);
            if distance == 0.0 {
                return Err(HarmonicError::ZeroDirection);
            }
            for n in 0..self.radial {
                let strength = strength(n, distance, [charges[atom], charge]);
                if !strength.is_finite() {
                    let what = "the strength of an atom's signal";
                    return Err(HarmonicError::NotFinite { what, index: vec![other, n], value: strength });
                }
                let mut row = coefficients.row_mut(element * self.radial + n);
                if let Some(row) = row.as_slice_mut() {
                    add_zonal(strength, &self.profile, to, row)?;
                }
            }
        }
        Ok(coefficients)
    }
}

/// Coefficients a_lm of a real signal in the real orthonormal basis, over √(4πC).
///
/// Their order is `[packed lm][channel]`. The inner product of two signals is the mean of K⁰ over the sphere.
#[derive(Clone, Debug)]
pub struct Harmonics {
    /// The numbers.
    pub values: Vec<f64>,
    /// C.
    pub channels: usize,
}

impl Harmonics {
    /// From complex coefficients `[channel][packed lm]`.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
    pub fn new(bandlimit: usize, complex: ArrayView2<'_, Complex64>) -> Result<Harmonics, HarmonicError> {
        let channels = complex.nrows();
        let len = sphere_len(bandlimit);
        let mut values = vec![0.0; len * channels];
        let mut real = vec![0.0; len];
        let norm = (4.0 * PI * channels as f64).sqrt();
        for (c, row) in complex.outer_iter().enumerate() {
            sphere_to_real(bandlimit, &row.to_vec(), &mut real)?;
            real.iter().enumerate().for_each(|(at, a)| values[at * channels + c] = a / norm);
        }
        Ok(Harmonics { values, channels })
    }

    /// (1/4πC) Σ_c Σ_lm a a'.
    pub fn inner(&self, other: &Harmonics) -> f64 {
        self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum()
    }
}
