//! Where a chain begins: planes of kernels that other ops have computed.

use pulp::{Simd, WithSimd};

use super::{
    cells::{CELL, Cells, Constants, Level, Registers},
    kink::MAPS,
    plain_layer::PLAIN_CELL,
    scales::NUMBERS,
};
use crate::simd::Real;

/// A plane of true kernels in the order of the first image's positions, `[position][lane]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a, T> {
    /// ss' - K, or K where a chain of smooth activations reads it.
    pub(crate) cov: &'a [T],
    /// Θ; empty if it is not wanted.
    pub(crate) ntk: &'a [T],
}

/// Fills the planes of one offset.
pub(crate) struct FillBehind<'a, T, const LANEWISE: bool> {
    pub(crate) cells: &'a Cells<T>,
    pub(crate) level: &'a Level<T>,
    pub(crate) source: Source<'a, T>,
    /// Position of the plane's row 0 and column 0, and positions from row to row.
    pub(crate) start: usize,
    pub(crate) stride: usize,
    /// Whether a chain of smooth activations is filled, and from defects.
    pub(crate) plain: Option<bool>,
}

impl<T: Real, const LANEWISE: bool> WithSimd for FillBehind<'_, T, LANEWISE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { cells, level, source, start, stride, plain } = self;
        let (lanes, zero) = (T::lanes::<S>(), T::splat(s, T::default()));
        // SAFETY: the numbers of every level are registers.
        let (constants, factor) = unsafe {
            let factor = level.numbers.wrapping_add((NUMBERS - 1) * lanes);
            (Constants::load::<S>(level), Registers::<S, T>::load(factor))
        };
        for row in 0..cells.rows {
            let mut into = cells.place::<S>(row as isize);
            let (mut first, mut second) = (level.first.row(row), level.second.row(row));
            let numbers = (start + row * stride) * lanes..(start + row * stride + cells.columns) * lanes;
            let cov = source.cov[numbers.clone()].as_ptr();
            let ntk = if source.ntk.is_empty() { None } else { Some(source.ntk[numbers].as_ptr()) };
            for column in 0..cells.columns {
                // SAFETY: made by `Pair::through` alone, for cells and maps that it has measured: the level has one or three
                // registers per position of the second image and of the first, or as many numbers of it, unless the plane holds
                // K. The slices of the source have `cells.columns` registers.
                unsafe {
                    let cov = cov.add(column * lanes).cast::<T::Lanes<S>>().read_unaligned();
                    let theta = ntk
                        .map_or(zero, |ntk| ntk.add(column * lanes).cast::<T::Lanes<S>>().read_unaligned());
                    match plain {
                        Some(defect) => {
                            let mut k = cov;
                            if defect {
                                let of = Registers::<S, T>::load;
                                k = T::sub(s, T::mul(s, of(first), of(second)), cov);
                                (first, second) = (first.add(lanes), second.add(lanes));
                            }
                            *into = k;
                            *into.add(1) = T::add(s, k, theta);
                            into = into.add(PLAIN_CELL);
                        }
                        None => {
                            let maps = |at: *const T, wide: bool| {
                                if wide {
                                    [Registers::<S, T>::load(at), Registers::<S, T>::load(at.add(lanes))]
                                } else {
                                    [T::splat(s, *at), T::splat(s, *at.add(1))]
                                }
                            };
                            let ([a, a_rest], [b, b_rest]) = (maps(first, LANEWISE), maps(second, true));
                            let hi = T::sub(s, T::fma(s, a, b, constants.round()), constants.round());
                            let mut lo = T::residual(s, a, b, hi);
                            lo = T::fma(s, a, b_rest, lo);
                            lo = T::fma(s, a_rest, b, lo);
                            let m = T::sub(s, T::mul(s, cov, factor), lo);
                            *into = hi;
                            *into.add(1) = m;
                            *into.add(2) = T::fma(s, theta, factor, T::sub(s, hi, m));
                            into = into.add(CELL);
                            first = first.add(MAPS * if LANEWISE { lanes } else { 1 });
                            second = second.add(MAPS * lanes);
                        }
                    }
                }
            }
        }
    }
}
