//! Fourier transforms along one circle, batched over rows, with scratch space that is allocated once.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::real::Real;

/// The transforms of one circle with `n` points. Neither direction is normalised.
#[derive(Clone)]
pub(crate) struct Circle<T: Real> {
    /// X_m = Σ_p x_p e^{-2πi mp/n}.
    analysis: Arc<dyn Fft<T>>,
    /// x_p = Σ_m X_m e^{+2πi mp/n}.
    synthesis: Arc<dyn Fft<T>>,
}

impl<T: Real> Circle<T> {
    pub(crate) fn new(n: usize) -> Self {
        let mut planner = FftPlanner::new();
        Self { analysis: planner.plan_fft_forward(n), synthesis: planner.plan_fft_inverse(n) }
    }

    pub(crate) fn len(&self) -> usize {
        self.analysis.len()
    }

    pub(crate) fn scratch_len(&self) -> usize {
        self.analysis.get_inplace_scratch_len().max(self.synthesis.get_inplace_scratch_len())
    }

    /// Transforms every row of `rows` (a multiple of `n` long) from points to orders.
    pub(crate) fn analyse(&self, rows: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        self.analysis.process_with_scratch(rows, scratch);
    }

    /// Transforms every row of `rows` (a multiple of `n` long) from orders to points.
    pub(crate) fn synthesise(&self, rows: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        self.synthesis.process_with_scratch(rows, scratch);
    }

    /// The bin of order m: m itself, negative orders counted from the end.
    pub(crate) fn bin(&self, m: isize) -> usize {
        if m < 0 { self.len() - m.unsigned_abs() } else { m as usize }
    }
}

/// The orders m and -m of two real rows a, b from the transform z of a + ib: (A_m, B_m), given z_m and z_{-m}.
pub(crate) fn split_real_pair<T: Real>(z: Complex<T>, mirrored: Complex<T>) -> (Complex<T>, Complex<T>) {
    let half = T::of(0.5);
    let (sum, difference) = (z + mirrored.conj(), z - mirrored.conj());
    (sum.scale(half), Complex::new(difference.im, -difference.re).scale(half))
}

/// The bins m and -m of a + ib from the orders (A_m, B_m) of two real rows.
pub(crate) fn join_real_pair<T: Real>(a: Complex<T>, b: Complex<T>) -> (Complex<T>, Complex<T>) {
    let turned = Complex::new(-b.im, b.re);
    let mirrored = Complex::new(b.im, b.re);
    (a + turned, a.conj() + mirrored)
}
