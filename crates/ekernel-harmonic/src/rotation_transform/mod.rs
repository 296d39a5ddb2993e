//! Fourier transforms on SO(3): samples on a rotation grid ↔ coefficients F^l_mn.

mod rings;

use ndarray::{ArrayView3, ArrayViewMut3, Axis};
use rustfft::num_complex::Complex;

use crate::circle::Circle;
use crate::error::{HarmonicError, check_bandlimit, check_length, check_shape};
use crate::finite::{check_coefficients, check_transformed, complex_parts, real_parts};
use crate::grid::RotationGrid;
use crate::packed::{orders, rotation_index, rotation_len};
use crate::real::Real;
use crate::rotation::degree_weight;
use crate::wigner::WignerTable;

/// The transform of one bandlimit on one grid. Build it once, use it for any number of signals and from any thread;
/// each caller brings its own [`RotationScratch`], and no call allocates.
///
/// - inverse: f\[j,p,r\] = Σ_l (2l+1)/8π² Σ_mn F^l_mn conj(D^l_mn(α_p, β_j, γ_r));
/// - forward: F^l_mn = ∫ f D^l_mn dU = Σ_jpr volume_j f\[j,p,r\] D^l_mn(α_p, β_j, γ_r), exact when f is band-limited.
///
/// Samples are `[β][α][γ]`, coefficients packed by [`rotation_index`]. One sum over l for each order pair and ring, then
/// FFTs along α and γ: O(L³) for each ring, O(L⁴) in all. The real transforms work on the orders n ≥ 0 only, and send
/// two real rows of γ through one complex FFT.
///
/// ```text
///   F[l][m][n]  ──Σ_l d^l_mn(β_j)──►  G_j[n][m]  ──FFT m→α──►  H_j[n][α]  ──FFT n→γ──►  f[j][α][γ]
/// ```
#[derive(Clone)]
pub struct RotationTransform<T: Real> {
    bandlimit: usize,
    shape: [usize; 3],
    volumes: Vec<T>,
    /// The northern rings; the southern ones follow by symmetry.
    table: WignerTable<T>,
    alpha: Circle<T>,
    gamma: Circle<T>,
    /// Where the degrees of (m, n) start in the spectrum: `[L-1+m][L-1+n]`.
    starts: Vec<usize>,
}

/// Working memory of a [`RotationTransform`].
#[derive(Clone, Debug)]
pub struct RotationScratch<T: Real> {
    /// The coefficients by order pair, so that the sum over degrees runs through memory: `[m][n][l]`.
    spectrum: Vec<Complex<T>>,
    /// `[north, south][n][α]`.
    columns: Vec<Complex<T>>,
    /// `[α][γ]`.
    rows: Vec<Complex<T>>,
    fft: Vec<Complex<T>>,
}

impl<T: Real> RotationTransform<T> {
    /// Plans the transform of `bandlimit` on `grid`.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`]; [`HarmonicError::GridTooSmall`] when the grid cannot carry the bandlimit;
    /// [`HarmonicError::TableTooLarge`].
    pub fn new(bandlimit: usize, grid: &RotationGrid) -> Result<Self, HarmonicError> {
        check_bandlimit("rotation transform", bandlimit)?;
        grid.check_bandlimit(bandlimit)?;
        let shape @ [n_beta, n_alpha, n_gamma] = grid.shape();
        let table = WignerTable::new(bandlimit, &grid.polar().angles()[..n_beta.div_ceil(2)])?;
        let mut starts = Vec::new();
        let mut next = 0;
        for m in orders(bandlimit - 1) {
            for n in orders(bandlimit - 1) {
                starts.push(next);
                next += bandlimit - m.unsigned_abs().max(n.unsigned_abs());
            }
        }
        let volumes = (0..n_beta).map(|j| T::of(grid.volume(j))).collect();
        Ok(Self {
            bandlimit,
            shape,
            volumes,
            table,
            alpha: Circle::new(n_alpha),
            gamma: Circle::new(n_gamma),
            starts,
        })
    }

    /// The bandlimit L.
    pub fn bandlimit(&self) -> usize {
        self.bandlimit
    }

    /// The shape `[n_β, n_α, n_γ]` of the samples.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Working memory for this transform.
    pub fn scratch(&self) -> RotationScratch<T> {
        let zeros = |n| vec![Complex::default(); n];
        RotationScratch {
            spectrum: zeros(rotation_len(self.bandlimit)),
            columns: zeros(2 * (2 * self.bandlimit - 1) * self.shape[1]),
            rows: zeros(self.shape[1] * self.shape[2]),
            fft: zeros(self.alpha.scratch_len().max(self.gamma.scratch_len())),
        }
    }

    /// Coefficients to samples of a complex function.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`].
    pub fn inverse(
        &self,
        coefficients: &[Complex<T>],
        scratch: &mut RotationScratch<T>,
        mut samples: ArrayViewMut3<'_, Complex<T>>,
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.load(coefficients, scratch)?;
        for j in 0..self.north() {
            self.degrees_to_columns(j, self.all_orders(), scratch);
            for (half, ring) in self.mirrored(j) {
                self.columns_to_complex_ring(half, scratch, samples.index_axis_mut(Axis(0), ring));
            }
        }
        Ok(())
    }

    /// Coefficients to samples of a real function; only F^l_mn with n ≥ 0 is read.
    ///
    /// # Errors
    /// As [`RotationTransform::inverse`].
    pub fn inverse_real(
        &self,
        coefficients: &[Complex<T>],
        scratch: &mut RotationScratch<T>,
        mut samples: ArrayViewMut3<'_, T>,
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.load(coefficients, scratch)?;
        for j in 0..self.north() {
            self.degrees_to_columns(j, self.half_orders(), scratch);
            for (half, ring) in self.mirrored(j) {
                self.columns_to_real_ring(half, scratch, samples.index_axis_mut(Axis(0), ring));
            }
        }
        Ok(())
    }

    /// Samples of a complex function to its coefficients.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`], [`HarmonicError::Length`], [`HarmonicError::NotFinite`], [`HarmonicError::Overflow`].
    pub fn forward(
        &self,
        samples: ArrayView3<'_, Complex<T>>,
        scratch: &mut RotationScratch<T>,
        coefficients: &mut [Complex<T>],
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(coefficients, scratch)?;
        scratch.spectrum.fill(Complex::default());
        for j in 0..self.north() {
            for (half, ring) in self.mirrored(j) {
                self.complex_ring_to_columns(half, samples.index_axis(Axis(0), ring), scratch);
            }
            self.columns_to_degrees(j, self.all_orders(), scratch);
        }
        self.store(self.all_orders(), scratch, coefficients);
        check_transformed(coefficients, samples, complex_parts)
    }

    /// Samples of a real function to its coefficients, F^l_(-m,-n) = (-1)^(m-n) conj(F^l_mn) included.
    ///
    /// # Errors
    /// As [`RotationTransform::forward`].
    pub fn forward_real(
        &self,
        samples: ArrayView3<'_, T>,
        scratch: &mut RotationScratch<T>,
        coefficients: &mut [Complex<T>],
    ) -> Result<(), HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape)?;
        self.check(coefficients, scratch)?;
        scratch.spectrum.fill(Complex::default());
        for j in 0..self.north() {
            for (half, ring) in self.mirrored(j) {
                self.real_ring_to_columns(half, samples.index_axis(Axis(0), ring), scratch);
            }
            self.columns_to_degrees(j, self.half_orders(), scratch);
        }
        self.store(self.half_orders(), scratch, coefficients);
        check_transformed(coefficients, samples, real_parts)
    }

    /// The orders n a complex function has.
    fn all_orders(&self) -> std::ops::Range<isize> {
        1 - self.bandlimit as isize..self.bandlimit as isize
    }

    /// The orders n that determine a real function.
    fn half_orders(&self) -> std::ops::Range<isize> {
        0..self.bandlimit as isize
    }

    /// The number of rings that are processed, each with its mirror image.
    fn north(&self) -> usize {
        self.shape[0].div_ceil(2)
    }

    /// Ring j and its mirror image with their halves of the columns; the equator is its own.
    fn mirrored(&self, j: usize) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let mirror = self.shape[0] - 1 - j;
        [(0, j), (1, mirror)].into_iter().take(if mirror == j { 1 } else { 2 })
    }

    fn start(&self, m: isize, n: isize) -> usize {
        let width = 2 * self.bandlimit - 1;
        let at = |order: isize| (self.bandlimit - 1).wrapping_add_signed(order);
        self.starts[at(m) * width + at(n)]
    }

    /// The places of order n in one half of the columns.
    fn column(&self, half: usize, n: isize) -> std::ops::Range<usize> {
        let width = 2 * self.bandlimit - 1;
        let row = if n < 0 { width - n.unsigned_abs() } else { n as usize };
        let start = (half * width + row) * self.shape[1];
        start..start + self.shape[1]
    }

    fn check(&self, coefficients: &[Complex<T>], scratch: &RotationScratch<T>) -> Result<(), HarmonicError> {
        let len = rotation_len(self.bandlimit);
        check_length("the coefficients", coefficients.len(), len)?;
        check_length("the scratch space of the spectrum", scratch.spectrum.len(), len)?;
        let columns = 2 * (2 * self.bandlimit - 1) * self.shape[1];
        check_length("the scratch space of the columns", scratch.columns.len(), columns)?;
        check_length("the scratch space of the rows", scratch.rows.len(), self.shape[1] * self.shape[2])?;
        let fft = self.alpha.scratch_len().max(self.gamma.scratch_len());
        check_length("the scratch space of the FFT", scratch.fft.len(), fft)
    }

    /// Coefficients to the spectrum, (2l+1)/8π² included.
    fn load(
        &self,
        coefficients: &[Complex<T>],
        scratch: &mut RotationScratch<T>,
    ) -> Result<(), HarmonicError> {
        self.check(coefficients, scratch)?;
        check_coefficients(coefficients)?;
        for l in 0..self.bandlimit {
            let weight = T::of(degree_weight(l));
            for m in orders(l) {
                for n in orders(l) {
                    let at = self.start(m, n) + l - m.unsigned_abs().max(n.unsigned_abs());
                    scratch.spectrum[at] = coefficients[rotation_index(l, m, n)].scale(weight);
                }
            }
        }
        Ok(())
    }

    /// The spectrum to coefficients; the orders n that were left out follow from those of a real function.
    fn store(
        &self,
        computed: std::ops::Range<isize>,
        scratch: &RotationScratch<T>,
        coefficients: &mut [Complex<T>],
    ) {
        for l in 0..self.bandlimit {
            for m in orders(l) {
                for n in orders(l) {
                    let (flip, m0, n0) = if computed.contains(&n) { (false, m, n) } else { (true, -m, -n) };
                    let at = self.start(m0, n0) + l - m.unsigned_abs().max(n.unsigned_abs());
                    let value = scratch.spectrum[at];
                    coefficients[rotation_index(l, m, n)] = match (flip, (m - n) % 2 == 0) {
                        (false, _) => value,
                        (true, true) => value.conj(),
                        (true, false) => -value.conj(),
                    };
                }
            }
        }
    }

    /// Sums over the degrees on ring j and its mirror image, then transforms along α.
    ///
    /// d^l_mn(π-β) = (-1)^(l+m) d^l_(m,-n)(β): the mirror image takes the row of -n, with every other degree negated.
    fn degrees_to_columns(&self, j: usize, n: std::ops::Range<isize>, scratch: &mut RotationScratch<T>) {
        for n in n {
            let (north, south) = (self.column(0, n), self.column(1, n));
            scratch.columns[north.clone()].fill(Complex::default());
            scratch.columns[south.clone()].fill(Complex::default());
            for m in self.all_orders() {
                let (here, sign) = self.table.degrees(j, m, n);
                let (there, mirror_sign) = self.mirror_degrees(j, m, n);
                let start = self.start(m, n);
                let spectrum = &scratch.spectrum[start..start + here.len()];
                let mut sum = Complex::<T>::default();
                let mut alternating = [Complex::<T>::default(); 2];
                for (i, &f) in spectrum.iter().enumerate() {
                    sum += f.scale(here[i]);
                    alternating[i % 2] += f.scale(there[i]);
                }
                let bin = self.alpha.bin(m);
                scratch.columns[north.start + bin] = sum.scale(sign);
                scratch.columns[south.start + bin] = (alternating[0] - alternating[1]).scale(mirror_sign);
            }
            self.alpha.synthesise(&mut scratch.columns[north], &mut scratch.fft);
            self.alpha.synthesise(&mut scratch.columns[south], &mut scratch.fft);
        }
    }

    /// Transforms along α, then adds the share of ring j and its mirror image to every degree of the spectrum.
    fn columns_to_degrees(&self, j: usize, n: std::ops::Range<isize>, scratch: &mut RotationScratch<T>) {
        let equator = 2 * j + 1 == self.shape[0];
        for n in n {
            let (north, south) = (self.column(0, n), self.column(1, n));
            self.alpha.analyse(&mut scratch.columns[north.clone()], &mut scratch.fft);
            if equator {
                scratch.columns[south.clone()].fill(Complex::default());
            } else {
                self.alpha.analyse(&mut scratch.columns[south.clone()], &mut scratch.fft);
            }
            for m in self.all_orders() {
                let bin = self.alpha.bin(m);
                let (here, sign) = self.table.degrees(j, m, n);
                let (there, mirror_sign) = self.mirror_degrees(j, m, n);
                let start = self.start(m, n);
                let spectrum = &mut scratch.spectrum[start..start + here.len()];
                let share = scratch.columns[north.start + bin].scale(sign * self.volumes[j]);
                let mirrored = scratch.columns[south.start + bin].scale(mirror_sign * self.volumes[j]);
                let mirrored = [mirrored, -mirrored];
                for (i, f) in spectrum.iter_mut().enumerate() {
                    *f += share.scale(here[i]) + mirrored[i % 2].scale(there[i]);
                }
            }
        }
    }

    /// The values whose alternating sum over the degrees is taken on the mirror image of ring j, with their sign.
    fn mirror_degrees(&self, j: usize, m: isize, n: isize) -> (&[T], T) {
        let (values, sign) = self.table.degrees(j, m, -n);
        let first = m.unsigned_abs().max(n.unsigned_abs()) as isize;
        (values, if (first + m) % 2 == 0 { sign } else { -sign })
    }
}
