//! A convolution of any window and the smooth activation behind it, on planes of K and T = K + Θ.

use pulp::{Simd, WithSimd};

use super::{
    cells::{Cells, Level, Registers},
    plain::Plain,
};
use crate::{
    duals::{Family, NUMBERS, Visitor},
    simd::{Lockstep, Real},
};

/// Registers per position of a plain plane: K and T.
pub(crate) const PLAIN_CELL: usize = 2;

/// Positions that go together.
const TOGETHER: usize = 4;

/// The planes K⁰ = T⁰ = Σ_c f_c f'_c, as a function of its own.
pub(crate) struct FillPlain<'a, T> {
    pub(crate) cells: &'a Cells<T>,
    pub(crate) level: &'a Level<T>,
    pub(crate) channels: usize,
}

impl<T: Real> WithSimd for FillPlain<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { cells, level, channels } = self;
        let lanes = T::lanes::<S>();
        for row in 0..cells.rows {
            let mut into = cells.place::<S>(row as isize);
            let (mut first, mut second) = (level.first.row(row), level.second.row(row));
            for _ in 0..cells.columns {
                let mut sum = T::splat(s, T::default());
                for _ in 0..channels {
                    // SAFETY: made by `Pair::through` alone: the level has `channels` registers per position of either image.
                    let (f, g) = unsafe { (Registers::<S, T>::load(first), Registers::<S, T>::load(second)) };
                    sum = T::fma(s, f, g, sum);
                    (first, second) = (first.wrapping_add(lanes), second.wrapping_add(lanes));
                }
                // SAFETY: as above: a cell of the plane.
                unsafe { [*into, *into.add(1)] = [sum; PLAIN_CELL] };
                into = into.wrapping_add(PLAIN_CELL);
            }
        }
    }
}

/// One layer in place.
#[inline(always)]
pub(crate) fn plain_layer<S: Simd, T: Real, const NTK: bool>(
    s: S,
    plain: &Plain,
    (cells, level, scratch): (&Cells<T>, &Level<T>, *mut T),
) {
    plain.smooth.visit(OfFamily::<'_, S, T, NTK> { s, plain, cells, level, scratch });
}

struct OfFamily<'a, S, T, const NTK: bool> {
    s: S,
    plain: &'a Plain,
    cells: &'a Cells<T>,
    level: &'a Level<T>,
    scratch: *mut T,
}

impl<S: Simd, T: Real, const NTK: bool> Visitor<T> for OfFamily<'_, S, T, NTK> {
    type Output = ();

    #[inline(always)]
    fn visit(self, family: impl Family<T>) {
        let Self { s, plain, cells, level, scratch } = self;
        apart(s, Layer::<'_, T, _, NTK> { plain, cells, level, scratch, family });
    }
}

/// In a function of its own for each family.
#[inline(never)]
fn apart<S: Simd>(s: S, layer: impl WithSimd<Output = ()>) {
    s.vectorize(layer);
}

struct Layer<'a, T, F, const NTK: bool> {
    plain: &'a Plain,
    cells: &'a Cells<T>,
    level: &'a Level<T>,
    scratch: *mut T,
    family: F,
}

impl<T: Real, F: Family<T>, const NTK: bool> WithSimd for Layer<'_, T, F, NTK> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { cells, level, scratch, .. } = self;
        let scratch: *mut T::Lanes<S> = scratch.cast();
        for row in 0..level.out[0] {
            let before = level.before[0] as isize;
            let source = (row * level.strides[0]) as isize - before;
            // SAFETY: made by `Pair::through` alone: the cells hold the plane and what lies outside it as far as windows reach,
            // scratch has room for a row of them, and the level describes maps that cover the output.
            unsafe {
                column_sums::<S, T, NTK>(s, cells, level, source, scratch);
                self.duals(s, row, scratch, cells.place::<S>(row as isize - before));
            }
        }
    }
}

/// Sums of `height` rows, column by column, from the first column that a window reaches on.
///
/// # Safety
/// The rows have these columns, and `scratch` has room for them.
#[inline(always)]
unsafe fn column_sums<S: Simd, T: Real, const NTK: bool>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    source: isize,
    scratch: *mut T::Lanes<S>,
) {
    let ([height, width], columns) = (level.window, level.out[1]);
    let left = level.before[1] * PLAIN_CELL;
    let row = |y: usize| cells.row::<S>(source + y as isize).wrapping_sub(left);
    let planes = if NTK { PLAIN_CELL } else { 1 };
    let count = ((columns - 1) * level.strides[1] + width) * PLAIN_CELL;
    // SAFETY: the caller's promise.
    unsafe {
        let mut y = 0;
        while y < height {
            // Three rows at once, or what is left of them; a row of zeros stands in.
            let none = cells.zeros.cast::<T::Lanes<S>>().wrapping_sub(left);
            let rows = [row(y), if y + 1 < height { row(y + 1) } else { none }];
            let third = if y + 2 < height { row(y + 2) } else { none };
            for start in (0..count).step_by(PLAIN_CELL) {
                for at in start..start + planes {
                    let mut sum = T::add(s, *rows[0].add(at), *rows[1].add(at));
                    sum = T::add(s, sum, *third.add(at));
                    let sums = scratch.add(at);
                    *sums = if y == 0 { sum } else { T::add(s, *sums, sum) };
                }
            }
            y += 3;
        }
    }
}

impl<T: Real, F: Family<T>, const NTK: bool> Layer<'_, T, F, NTK> {
    /// A row behind the activation, of the sums of its columns.
    ///
    /// # Safety
    /// As for [`column_sums`]; `into` is a row of the output and both maps have `row`.
    #[inline(always)]
    unsafe fn duals<S: Simd>(&self, s: S, row: usize, scratch: *const T::Lanes<S>, into: *mut T::Lanes<S>) {
        let level = self.level;
        let ([_, width], columns) = (level.window, level.out[1]);
        let numbers = F::NUMBERS * T::lanes::<S>();
        let (first, second) = (level.first.row(row), level.second.row(row));
        let zero = Lockstep::<S, T, TOGETHER>::splat(s, T::default());
        let [cov_weight, cov_shift] = self.plain.cov;
        let [ntk_weight, ntk_shift] = self.plain.ntk;
        let (cov_weight, cov_shift) = (zero.like(T::of(cov_weight)), zero.like(T::of(cov_shift)));
        let (ntk_weight, ntk_shift) = (zero.like(T::of(ntk_weight)), zero.like(T::of(ntk_shift)));
        for start in (0..columns).step_by(TOGETHER) {
            // At the end of a row the last position stands in for ones that are not there.
            let mut at = [0; TOGETHER];
            for (i, at) in at.iter_mut().enumerate() {
                *at = (start + i).min(columns - 1);
            }
            let mut sums = [zero.registers(); PLAIN_CELL];
            let mut maps = [[zero.registers(); NUMBERS]; 2];
            for i in 0..TOGETHER {
                // SAFETY: the caller's promise: the sums of every column that a window reaches.
                unsafe {
                    for x in 0..width {
                        let sum = scratch.add((at[i] * level.strides[1] + x) * PLAIN_CELL);
                        sums[0][i] = T::add(s, sums[0][i], *sum);
                        if NTK {
                            sums[1][i] = T::add(s, sums[1][i], *sum.add(1));
                        }
                    }
                    let [first_maps, second_maps] = &mut maps;
                    for (number, (a, b)) in
                        first_maps.iter_mut().zip(second_maps).enumerate().take(F::NUMBERS)
                    {
                        let place = at[i] * numbers + number * T::lanes::<S>();
                        a[i] = Registers::<S, T>::load(first.add(place));
                        b[i] = Registers::<S, T>::load(second.add(place));
                    }
                }
            }
            let of = |registers| Lockstep::<S, T, TOGETHER>::new(s, registers);
            let k = of(sums[0]).times_plus(cov_weight, cov_shift);
            let [[a, b], [c, d]] = maps;
            let [cov, dot] = self.family.dual(k, [of(a), of(b)], [of(c), of(d)]);
            let theta = of(sums[1]).times_plus(ntk_weight, ntk_shift).times_plus(dot, cov);
            let (cov, theta) = (cov.registers(), theta.registers());
            for i in 0..TOGETHER {
                // SAFETY: the caller's promise. No later window reads the cells: the column sums of this row are formed.
                unsafe {
                    let into = into.add(at[i] * PLAIN_CELL);
                    *into = cov[i];
                    if NTK {
                        *into.add(1) = theta[i];
                    }
                }
            }
        }
    }
}
