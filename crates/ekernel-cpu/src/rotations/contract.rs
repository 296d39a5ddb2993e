//! Coefficients of the defect d(U) = 1 − cos θ(U) of pairs of lifted signals, side by side.

use std::f64::consts::PI;

use ekernel_harmonic::{rotation_len, sphere_len};
use pulp::{Simd, WithSimd};

use crate::planes::Scalar;

/// D^l_mn = −8π²/(2l+1) Σ_c a_{c,lm} a'_{c,ln} in the real basis, for l ≥ 1; D_000 = 8π² · `means`.
pub(super) struct Contract<'a, T, const W: usize> {
    pub(super) bandlimit: usize,
    pub(super) channels: usize,
    /// `[packed lm][channel][lane]`.
    pub(super) first: &'a [[T; W]],
    /// `[packed lm][channel][lane]`.
    pub(super) second: &'a [[T; W]],
    /// Mean defect of each lane.
    pub(super) means: &'a [f64],
    /// `[packed lmn][lane]`.
    pub(super) coefficients: &'a mut [[T; W]],
}

impl<T: Scalar, const W: usize> WithSimd for Contract<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let channels = self.channels;
        for (value, mean) in self.coefficients[0].iter_mut().zip(self.means) {
            *value = T::new(8.0 * PI * PI * mean);
        }
        for l in 1..self.bandlimit {
            let gain = T::new(-8.0 * PI * PI / (2 * l + 1) as f64);
            let degree = sphere_len(l) * channels..sphere_len(l + 1) * channels;
            let (first, second) = (&self.first[degree.clone()], &self.second[degree]);
            let out = &mut self.coefficients[rotation_len(l)..rotation_len(l + 1)];
            let rows = first.chunks_exact(channels);
            for (row, out) in rows.zip(out.chunks_exact_mut(2 * l + 1)) {
                for (column, out) in second.chunks_exact(channels).zip(out) {
                    let mut sum = [T::zero(); W];
                    for (a, b) in row.iter().zip(column) {
                        for i in 0..W {
                            sum[i] += a[i] * b[i];
                        }
                    }
                    for i in 0..W {
                        out[i] = sum[i] * gain;
                    }
                }
            }
        }
    }
}
