//! What is prepared once per signal: its harmonic coefficients, normalised for each lift of a stage.

use std::f64::consts::PI;

use ekernel_harmonic::{Complex64, HarmonicError, sphere_len, sphere_to_real};
use ndarray::ArrayView2;

use crate::planes::Scalar;

/// Coefficients a_lm of a real signal in the real orthonormal basis, `[packed lm][channel]`, over √(4πC): the product of two
/// is K⁰ averaged over the sphere.
#[derive(Clone, Debug)]
pub(super) struct Harmonics {
    pub(super) values: Vec<f64>,
    pub(super) channels: usize,
}

impl Harmonics {
    /// From complex coefficients `[channel][packed lm]`.
    pub(super) fn new(
        bandlimit: usize,
        complex: ArrayView2<'_, Complex64>,
    ) -> Result<Harmonics, HarmonicError> {
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
    pub(super) fn inner(&self, other: &Harmonics) -> f64 {
        self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum()
    }
}

/// A signal as one lift sees it: its degrees below L, divided by √q.
#[derive(Clone, Debug)]
pub(super) struct Lifted<T> {
    /// `[packed lm][channel]`, squares adding up to 1; zeros if the signal is dark.
    pub(super) values: Vec<T>,
    /// The degree 0 of each channel, in float64.
    pub(super) constants: Vec<f64>,
    /// The sum of squares of all other degrees.
    pub(super) rest: f64,
    /// q, the variance of the lifted kernel before weights and biases.
    pub(super) variance: f64,
}

impl<T: Scalar> Lifted<T> {
    pub(super) fn new(harmonics: &Harmonics, bandlimit: usize) -> Lifted<T> {
        let channels = harmonics.channels;
        let values = &harmonics.values[..sphere_len(bandlimit) * channels];
        let squares = |values: &[f64]| values.iter().map(|a| a * a).sum::<f64>();
        let variance = squares(values);
        let norm = if variance > 0.0 { variance.sqrt() } else { f64::INFINITY };
        let unit: Vec<f64> = values.iter().map(|a| a / norm).collect();
        Lifted {
            values: unit.iter().map(|&a| T::new(a)).collect(),
            constants: unit[..channels].to_vec(),
            rest: squares(&unit[channels..]),
            variance,
        }
    }

    /// The mean of the defect d = 1 − cos θ over the group, without the cancellation of 1 − ⟨f_0, f'_0⟩ where both signals
    /// are nearly constant: ½(|f_0 − f'_0|² + what is not constant in each).
    pub(super) fn mean_defect(&self, other: &Lifted<T>) -> f64 {
        if self.variance == 0.0 || other.variance == 0.0 {
            return 1.0;
        }
        let apart: f64 = self.constants.iter().zip(&other.constants).map(|(a, b)| (a - b) * (a - b)).sum();
        0.5 * (apart + self.rest + other.rest)
    }

    /// Bytes it takes.
    pub(super) fn bytes(bandlimit: usize, channels: usize) -> u64 {
        ((sphere_len(bandlimit) * size_of::<T>() + size_of::<f64>()) * channels) as u64
    }
}
