//! The last axis: one ring of samples `[α][γ]` ↔ columns `[n][α]`.

use ndarray::{ArrayView2, ArrayViewMut2};
use rustfft::num_complex::Complex;

use super::{RotationScratch, RotationTransform};
use crate::circle::{join_real_pair, split_real_pair};
use crate::real::Real;

impl<T: Real> RotationTransform<T> {
    pub(super) fn columns_to_complex_ring(
        &self,
        half: usize,
        scratch: &mut RotationScratch<T>,
        mut ring: ArrayViewMut2<'_, Complex<T>>,
    ) {
        let n_gamma = self.shape[2];
        scratch.rows.fill(Complex::default());
        for n in self.all_orders() {
            let bin = self.gamma.bin(n);
            for (p, &value) in scratch.columns[self.column(half, n)].iter().enumerate() {
                scratch.rows[p * n_gamma + bin] = value;
            }
        }
        self.gamma.synthesise(&mut scratch.rows, &mut scratch.fft);
        for (mut points, row) in ring.rows_mut().into_iter().zip(scratch.rows.chunks_exact(n_gamma)) {
            points.iter_mut().zip(row).for_each(|(slot, &value)| *slot = value);
        }
    }

    pub(super) fn complex_ring_to_columns(
        &self,
        half: usize,
        ring: ArrayView2<'_, Complex<T>>,
        scratch: &mut RotationScratch<T>,
    ) {
        let n_gamma = self.shape[2];
        scratch.rows.iter_mut().zip(ring).for_each(|(slot, &value)| *slot = value);
        self.gamma.analyse(&mut scratch.rows, &mut scratch.fft);
        for n in self.all_orders() {
            let bin = self.gamma.bin(n);
            for (p, slot) in scratch.columns[self.column(half, n)].iter_mut().enumerate() {
                *slot = scratch.rows[p * n_gamma + bin];
            }
        }
    }

    /// Two rows of γ share one FFT: the second rides along as the imaginary part.
    pub(super) fn columns_to_real_ring(
        &self,
        half: usize,
        scratch: &mut RotationScratch<T>,
        mut ring: ArrayViewMut2<'_, T>,
    ) {
        let [_, n_alpha, n_gamma] = self.shape;
        let rows = &mut scratch.rows[..n_alpha.div_ceil(2) * n_gamma];
        rows.fill(Complex::default());
        for n in self.half_orders() {
            let (bin, opposite) = (self.gamma.bin(n), self.gamma.bin(-n));
            let column = &scratch.columns[self.column(half, n)];
            for (row, pair) in rows.chunks_exact_mut(n_gamma).zip(column.chunks(2)) {
                let (first, second) = (pair[0], pair.get(1).copied().unwrap_or_default());
                if n == 0 {
                    row[0] = Complex::new(first.re, second.re);
                } else {
                    (row[bin], row[opposite]) = join_real_pair(first, second);
                }
            }
        }
        self.gamma.synthesise(rows, &mut scratch.fft);
        for (p, mut points) in ring.rows_mut().into_iter().enumerate() {
            let row = &rows[p / 2 * n_gamma..][..n_gamma];
            points
                .iter_mut()
                .zip(row)
                .for_each(|(slot, value)| *slot = if p % 2 == 0 { value.re } else { value.im });
        }
    }

    pub(super) fn real_ring_to_columns(
        &self,
        half: usize,
        ring: ArrayView2<'_, T>,
        scratch: &mut RotationScratch<T>,
    ) {
        let [_, n_alpha, n_gamma] = self.shape;
        let rows = &mut scratch.rows[..n_alpha.div_ceil(2) * n_gamma];
        for (p, points) in ring.rows().into_iter().enumerate() {
            let row = &mut rows[p / 2 * n_gamma..][..n_gamma];
            row.iter_mut().zip(points).for_each(|(slot, &value)| {
                if p % 2 == 0 { *slot = Complex::new(value, T::zero()) } else { slot.im = value }
            });
        }
        self.gamma.analyse(rows, &mut scratch.fft);
        for n in self.half_orders() {
            let (bin, opposite) = (self.gamma.bin(n), self.gamma.bin(-n));
            let column = self.column(half, n);
            for (pair, row) in scratch.columns[column].chunks_mut(2).zip(rows.chunks_exact(n_gamma)) {
                let (first, second) = split_real_pair(row[bin], row[opposite]);
                pair[0] = first;
                if let Some(slot) = pair.get_mut(1) {
                    *slot = second;
                }
            }
        }
    }
}
