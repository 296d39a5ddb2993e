use std::{marker::PhantomData, mem::MaybeUninit};

use pulp::{Simd, WithSimd};

use super::{
    behind::FillBehind,
    cells::{CELL, Cells, Level, Variant},
    conv_3x3::conv_3x3,
    conv_any::conv_any,
    input::input_planes,
    layers::Layer,
};
use crate::simd::Real;

/// The input planes, as a function of its own.
pub(crate) struct Fill<'a, T, const LANEWISE: bool> {
    pub(crate) cells: &'a Cells<T>,
    pub(crate) level: &'a Level<T>,
    pub(crate) channels: usize,
}

impl<T: Real, const LANEWISE: bool> WithSimd for Fill<'_, T, LANEWISE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        // SAFETY: made by `Pair::through` alone, for cells and maps that it has measured.
        unsafe { input_planes::<S, T, LANEWISE>(s, self.cells, self.level, self.channels) }
    }
}

/// One layer, as a function of its own for each variant.
struct Step<'a, T, K> {
    cells: &'a Cells<T>,
    level: &'a Level<T>,
    scratch: *mut T,
    variant: PhantomData<K>,
}

impl<'a, T, K> Step<'a, T, K> {
    fn new((cells, level, scratch): (&'a Cells<T>, &'a Level<T>, *mut T)) -> Self {
        Self { cells, level, scratch, variant: PhantomData }
    }
}

/// In a function of its own, for both kinds of chains.
#[inline(never)]
pub(crate) fn fill_behind<S: Simd, T: Real, const LANEWISE: bool>(s: S, fill: FillBehind<'_, T, LANEWISE>) {
    s.vectorize(fill);
}

/// A variable that makes the compiler align the stack to a register. Otherwise the registers it spills there
/// lie across cache lines. It must be a variable, and mutable: a constant would be moved out of the stack.
#[repr(align(64))]
struct Anchor(#[expect(dead_code, reason = "only where it lies matters")] [u8; 64]);

/// One layer in a function of its own. Inlined beside the other variants, pointers and constants would be spilled.
#[inline(never)]
pub(crate) fn apart<S: Simd, T: Real, K: Variant>(s: S, step: (&Cells<T>, &Level<T>, *mut T)) {
    s.vectorize(Step::<T, K>::new(step));
}

impl<T: Real, K: Variant> WithSimd for Step<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        std::hint::black_box(&mut MaybeUninit::<Anchor>::uninit());
        // SAFETY: made by `Pair::through` alone, for cells and maps that it has measured.
        unsafe {
            if (self.level.window, self.level.strides) == ([3, 3], [1, 1]) {
                conv_3x3::<S, T, K>(s, self.cells, self.level);
            } else {
                conv_any::<S, T, K>(s, self.cells, self.level, self.scratch);
            }
        }
    }
}

/// Zeros `right` numbers behind the first `columns` of each row, where a wider plane may have been before.
///
/// # Safety
/// Rows have them.
pub(crate) unsafe fn clear_right<T: Real>(cells: &Cells<T>, right: usize, columns: usize) {
    for row in 0..cells.ring {
        // SAFETY: the caller's promise.
        unsafe { cells.data.add(row * cells.stride + columns).write_bytes(0, right) };
    }
}

/// Copies the plane's opposite edges around it; a cell has `cell` numbers.
///
/// # Safety
/// The ring has room for them.
pub(crate) unsafe fn wrap<T: Real>(cells: &Cells<T>, cell: usize, layer: &Layer) {
    let [before, left] = layer.before;
    let [behind, right] = layer.behind;
    let (rows, columns) = (cells.rows as isize, cells.columns);
    let place = |row: isize| cells.place::<pulp::Scalar>(row).cast::<T>();
    // SAFETY: the caller's promise. Source and target are disjoint: no window is larger than the plane.
    unsafe {
        for row in (0..rows).map(place) {
            row.sub(left * cell).copy_from_nonoverlapping(row.add((columns - left) * cell), left * cell);
            row.add(columns * cell).copy_from_nonoverlapping(row, right * cell);
        }
        let copy = |to: isize, from: isize| {
            let start = |row| place(row).sub(left * cell);
            start(to).copy_from_nonoverlapping(start(from), (left + columns + right) * cell);
        };
        (1..=before as isize).for_each(|row| copy(-row, rows - row));
        (0..behind as isize).for_each(|row| copy(rows + row, row));
    }
}

/// Multiplies the planes by one factor per lane, a power of two.
///
/// # Safety
/// `factor` points to an aligned register.
#[inline(always)]
pub(crate) unsafe fn rescale<S: Simd, T: Real>(s: S, cells: &Cells<T>, factor: *const T) {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = *factor.cast::<T::Lanes<S>>();
        for row in 0..cells.rows {
            let row = cells.place::<S>(row as isize);
            for at in 0..cells.columns * CELL {
                *row.add(at) = T::mul(s, *row.add(at), factor);
            }
        }
    }
}
