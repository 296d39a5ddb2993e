//! What is prepared once per signal: its harmonic coefficients, normalised for each lift of a stage.

use ekernel_harmonic::{Harmonics, sphere_len};

use crate::planes::Scalar;

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
