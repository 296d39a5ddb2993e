//! The coefficients of cross-correlations.

use std::f64::consts::PI;

use super::{isa::Kernel, madd::madd, transform::LaneTransform};
use crate::error::{HarmonicError, check_length};
use crate::packed::{rotation_index, rotation_len, sphere_index, sphere_len};
use crate::real::Real;

impl<T: Real> LaneTransform<T> {
    /// The cross-correlation of one signal on the sphere with `W` others: coefficients of
    /// `gain`·Σ_c ⟨f_c, U·f'_c⟩ + `offset` in the real basis,
    /// A^l_mn = `gain`·8π²/(2l+1) Σ_c a_{c,lm} a'_{c,ln} + 8π² `offset` δ_l0.
    ///
    /// `first` is `[packed lm][channel]`, `second` is `[packed lm][channel][lane]`, both in the real basis of
    /// [`sphere_to_real`](crate::sphere_to_real); degrees from the bandlimit on are left out. A lifted kernel has
    /// `gain` = w²/4πC and `offset` = b².
    ///
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn correlate<const W: usize>(
        &self,
        [gain, offset]: [T; 2],
        channels: usize,
        first: &[T],
        second: &[[T; W]],
        coefficients: &mut [[T; W]],
    ) -> Result<(), HarmonicError> {
        let needed = sphere_len(self.bandlimit) * channels;
        for (what, length) in [("the first signal", first.len()), ("the second signals", second.len())] {
            if length < needed {
                check_length(what, length, needed)?;
            }
        }
        check_length("the coefficients", coefficients.len(), self.coefficients_len())?;
        let bandlimit = self.bandlimit;
        self.isa.run(Correlate { bandlimit, gain, offset, channels, first, second, coefficients });
        Ok(())
    }
}

struct Correlate<'a, T, const W: usize> {
    bandlimit: usize,
    gain: T,
    offset: T,
    channels: usize,
    first: &'a [T],
    second: &'a [[T; W]],
    coefficients: &'a mut [[T; W]],
}

impl<T: Real, const W: usize> Kernel for Correlate<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let channels = self.channels;
        for l in 0..self.bandlimit {
            let gain = self.gain * T::of(8.0 * PI * PI / (2 * l + 1) as f64);
            let degree = sphere_index(l, -(l as isize)) * channels..sphere_len(l + 1) * channels;
            let (first, second) = (&self.first[degree.clone()], &self.second[degree]);
            let out = &mut self.coefficients[rotation_len(l)..rotation_len(l + 1)];
            for (row, out) in out.chunks_exact_mut(2 * l + 1).enumerate() {
                let a = &first[row * channels..(row + 1) * channels];
                for (column, out) in out.iter_mut().enumerate() {
                    let b = &second[column * channels..(column + 1) * channels];
                    let mut sum = [T::zero(); W];
                    for (&a, b) in a.iter().zip(b) {
                        for i in 0..W {
                            sum[i] = madd::<T, FUSED>(a, b[i], sum[i]);
                        }
                    }
                    for i in 0..W {
                        out[i] = sum[i] * gain;
                    }
                }
            }
        }
        let offset = self.offset * T::of(8.0 * PI * PI);
        for value in &mut self.coefficients[rotation_index(0, 0, 0)] {
            *value += offset;
        }
    }
}
