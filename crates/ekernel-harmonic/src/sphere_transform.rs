//! Fourier transforms on the sphere: samples on a grid ↔ coefficients f_lm.

use ndarray::{ArrayView2, ArrayViewMut2};
use rustfft::num_complex::Complex;

use crate::circle::{Circle, join_real_pair, split_real_pair};
use crate::error::{HarmonicError, check_bandlimit, check_length, check_shape};
use crate::finite::{check_coefficients, check_transformed, complex_parts, real_parts};
use crate::grid::SphereGrid;
use crate::harmonics::visit;
use crate::packed::{sphere_index, sphere_len};
use crate::real::Real;

/// The transform of one bandlimit on one grid. Build it once, use it for any number of signals and from any thread;
/// each caller brings its own [`SphereScratch`], and no call allocates.
///
/// - forward: f_lm = ∫ f conj(Y_lm) dx = Σ_tp area_t f\[t,p\] conj(Y_lm(θ_t, φ_p)), exact when f is band-limited;
/// - inverse: f\[t,p\] = Σ_lm f_lm Y_lm(θ_t, φ_p).
///
/// Samples are `[θ][φ]`, coefficients packed by [`sphere_index`]. Cost O(L²) for each ring after one FFT along φ. Rings
/// t and n-1-t share their Legendre functions, and in the real transforms also one complex FFT.
#[derive(Clone)]
pub struct SphereTransform<T: Real> {
    bandlimit: usize,
    shape: [usize; 2],
    areas: Vec<T>,
    /// √((2l+1)/4π) d^l_m0(θ_t), `[t][m][l]` with m ≥ 0, l from m, on the northern rings.
    legendre: Vec<T>,
    circle: Circle<T>,
}

/// Working memory of a [`SphereTransform`].
#[derive(Clone, Debug)]
pub struct SphereScratch<T: Real> {
    rings: Vec<Complex<T>>,
    fft: Vec<Complex<T>>,
}

impl<T: Real> SphereTransform<T> {
    /// Plans the transform of `bandlimit` on `grid`.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`]; [`HarmonicError::GridTooSmall`] when the grid cannot carry the bandlimit.
    pub fn new(bandlimit: usize, grid: &SphereGrid) -> Result<Self, HarmonicError> {
        check_bandlimit("sphere transform", bandlimit)?;
        grid.check_bandlimit(bandlimit)?;
        let [n_theta, n_phi] = grid.shape();
        let mut legendre = Vec::new();
        for &theta in &grid.polar().angles()[..n_theta.div_ceil(2)] {
            let (sin, cos) = theta.sin_cos();
            visit(bandlimit, [sin, 0.0, cos], |_, m, value| {
                if m >= 0 {
                    legendre.push(T::of(value.re));
                }
            })?;
        }
        let areas = (0..n_theta).map(|t| T::of(grid.area(t))).collect();
        Ok(Self { bandlimit, shape: [n_theta, n_phi], areas, legendre, circle: Circle::new(n_phi) })
    }

    /// The bandlimit L.
    pub fn bandlimit(&self) -> usize {
        self.bandlimit
    }

    /// The shape `[n_θ, n_φ]` of the samples.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Working memory for this transform.
    pub fn scratch(&self) -> SphereScratch<T> {
        SphereScratch {
            rings: vec![Complex::default(); 2 * self.shape[1]],
            fft: vec![Complex::default(); self.circle.scratch_len()],
        }
    }

    /// Samples of a complex function to its coefficients.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`], [`HarmonicError::Overflow`].
    pub fn forward(
        &self,
        samples: ArrayView2<'_, Complex<T>>,
        scratch: &mut SphereScratch<T>,
        coefficients: &mut [Complex<T>],
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(scratch, coefficients)?;
        coefficients.fill(Complex::default());
        for t in 0..self.north() {
            let mirror = self.shape[0] - 1 - t;
            for (ring, at) in scratch.rings.chunks_exact_mut(self.shape[1]).zip([t, mirror]) {
                ring.iter_mut().zip(samples.row(at)).for_each(|(slot, &value)| *slot = value);
            }
            self.circle.analyse(&mut scratch.rings, &mut scratch.fft);
            let (north, south) = scratch.rings.split_at(self.shape[1]);
            let last = self.bandlimit as isize - 1;
            for m in -last..=last {
                let bin = self.circle.bin(m);
                self.accumulate(t, m, north[bin], south[bin], coefficients);
            }
        }
        check_transformed(coefficients, samples, complex_parts)
    }

    /// Samples of a real function to its coefficients, f_{l,-m} = (-1)^m conj(f_lm) included. Half the work of
    /// [`SphereTransform::forward`].
    ///
    /// # Errors
    /// As [`SphereTransform::forward`].
    pub fn forward_real(
        &self,
        samples: ArrayView2<'_, T>,
        scratch: &mut SphereScratch<T>,
        coefficients: &mut [Complex<T>],
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(scratch, coefficients)?;
        coefficients.fill(Complex::default());
        let ring = &mut scratch.rings[..self.shape[1]];
        for t in 0..self.north() {
            let pair = samples.row(t).into_iter().zip(samples.row(self.shape[0] - 1 - t));
            ring.iter_mut().zip(pair).for_each(|(slot, (&n, &s))| *slot = Complex::new(n, s));
            self.circle.analyse(ring, &mut scratch.fft);
            for m in 0..self.bandlimit as isize {
                let (north, south) = split_real_pair(ring[m as usize], ring[self.circle.bin(-m)]);
                self.accumulate(t, m, north, south, coefficients);
            }
        }
        for l in 1..self.bandlimit {
            for m in 1..=l as isize {
                let value = coefficients[sphere_index(l, m)].conj();
                coefficients[sphere_index(l, -m)] = if m % 2 == 0 { value } else { -value };
            }
        }
        check_transformed(coefficients, samples, real_parts)
    }

    /// Coefficients to samples of a complex function.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`].
    pub fn inverse(
        &self,
        coefficients: &[Complex<T>],
        scratch: &mut SphereScratch<T>,
        mut samples: ArrayViewMut2<'_, Complex<T>>,
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(scratch, coefficients)?;
        check_coefficients(coefficients)?;
        let last = self.bandlimit as isize - 1;
        for t in 0..self.north() {
            scratch.rings.fill(Complex::default());
            let (north, south) = scratch.rings.split_at_mut(self.shape[1]);
            for m in -last..=last {
                let bin = self.circle.bin(m);
                (north[bin], south[bin]) = self.orders(t, m, coefficients);
            }
            self.circle.synthesise(&mut scratch.rings, &mut scratch.fft);
            for (ring, at) in scratch.rings.chunks_exact(self.shape[1]).zip([t, self.shape[0] - 1 - t]) {
                samples.row_mut(at).iter_mut().zip(ring).for_each(|(slot, &value)| *slot = value);
            }
        }
        Ok(())
    }

    /// Coefficients to samples of a real function; only f_lm with m ≥ 0 is read, and only the real part of f_l0.
    ///
    /// # Errors
    /// As [`SphereTransform::inverse`].
    pub fn inverse_real(
        &self,
        coefficients: &[Complex<T>],
        scratch: &mut SphereScratch<T>,
        mut samples: ArrayViewMut2<'_, T>,
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(scratch, coefficients)?;
        check_coefficients(coefficients)?;
        let ring = &mut scratch.rings[..self.shape[1]];
        for t in 0..self.north() {
            ring.fill(Complex::default());
            let (north, south) = self.orders(t, 0, coefficients);
            ring[0] = Complex::new(north.re, south.re);
            for m in 1..self.bandlimit as isize {
                let (north, south) = self.orders(t, m, coefficients);
                (ring[m as usize], ring[self.circle.bin(-m)]) = join_real_pair(north, south);
            }
            self.circle.synthesise(ring, &mut scratch.fft);
            for (p, value) in ring.iter().enumerate() {
                samples[[t, p]] = value.re;
                samples[[self.shape[0] - 1 - t, p]] = value.im;
            }
        }
        Ok(())
    }

    /// The number of rings that are processed, each with its mirror image.
    fn north(&self) -> usize {
        self.shape[0].div_ceil(2)
    }

    fn check(&self, scratch: &SphereScratch<T>, coefficients: &[Complex<T>]) -> Result<(), HarmonicError> {
        check_length("the scratch space of the rings", scratch.rings.len(), 2 * self.shape[1])?;
        check_length("the scratch space of the FFT", scratch.fft.len(), self.circle.scratch_len())?;
        check_length("the coefficients", coefficients.len(), sphere_len(self.bandlimit))
    }

    /// √((2l+1)/4π) d^l_|m|0(θ_t) for l = |m|..L.
    fn degrees(&self, t: usize, m: usize) -> &[T] {
        let l = self.bandlimit;
        let start = t * (l * (l + 1) / 2) + m * l - m * m.saturating_sub(1) / 2;
        &self.legendre[start..start + l - m]
    }

    /// Adds the share of order m on ring t and its mirror image to the coefficients, using
    /// d^l_m0(π-θ) = (-1)^(l+m) d^l_m0(θ) and d^l_(-m)0 = (-1)^m d^l_m0.
    fn accumulate(&self, t: usize, m: isize, north: Complex<T>, south: Complex<T>, out: &mut [Complex<T>]) {
        let area = if m < 0 && m % 2 != 0 { -self.areas[t] } else { self.areas[t] };
        let middle = 2 * t + 1 == self.shape[0];
        let [even, odd] = if middle { [north, north] } else { [north + south, north - south] };
        let shares = [even.scale(area), odd.scale(area)];
        let first = m.unsigned_abs();
        for (i, &d) in self.degrees(t, first).iter().enumerate() {
            out[sphere_index(first + i, m)] += shares[i % 2].scale(d);
        }
    }

    /// Order m of the function on ring t and on its mirror image.
    fn orders(&self, t: usize, m: isize, coefficients: &[Complex<T>]) -> (Complex<T>, Complex<T>) {
        let first = m.unsigned_abs();
        let mut sums = [Complex::<T>::default(); 2];
        for (i, &d) in self.degrees(t, first).iter().enumerate() {
            sums[i % 2] += coefficients[sphere_index(first + i, m)].scale(d);
        }
        let [even, odd] = if m < 0 && m % 2 != 0 { sums.map(|sum| -sum) } else { sums };
        (even + odd, even - odd)
    }
}
