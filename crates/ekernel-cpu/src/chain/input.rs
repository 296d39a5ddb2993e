use pulp::Simd;

use super::cells::{CELL, Cells, Constants, Level, Registers};
use crate::simd::Real;

/// Fills the planes with K⁰ = Σ_c f_c f'_c = hi + lo, hi on the grid of this level.
///
/// # Safety
/// `cells` has room for the plane, `level` describes pixels that cover it, for `channels` channels.
#[inline(always)]
pub(crate) unsafe fn input_planes<S: Simd, T: Real, const LANEWISE: bool>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    channels: usize,
) {
    // SAFETY: the caller's promise. The two common numbers of channels are compiled for themselves.
    unsafe {
        match channels {
            1 => rows::<S, T, LANEWISE>(s, cells, level, 1),
            3 => rows::<S, T, LANEWISE>(s, cells, level, 3),
            _ => rows::<S, T, LANEWISE>(s, cells, level, channels),
        }
    }
}

/// # Safety
/// As for [`input_planes`].
#[inline(always)]
unsafe fn rows<S: Simd, T: Real, const LANEWISE: bool>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    channels: usize,
) {
    let lanes = T::lanes::<S>();
    // SAFETY: the numbers of every level are registers.
    let constants = unsafe { Constants::load::<S>(level) };
    for row in 0..cells.rows {
        let mut into = cells.place::<S>(row as isize);
        let (mut first, mut second) = (level.first.row(row), level.second.row(row));
        for _ in 0..cells.columns {
            let mut rounded = constants.round();
            let mut lo = T::splat(s, T::default());
            for _ in 0..channels {
                // SAFETY: `channels` numbers per position of the first image and registers of the second ones.
                let (f, g) = unsafe {
                    let f = if LANEWISE { Registers::<S, T>::load(first) } else { T::splat(s, *first) };
                    (f, Registers::<S, T>::load(second))
                };
                let before = rounded;
                rounded = T::fma(s, f, g, rounded);
                lo = T::add(s, lo, T::residual(s, f, g, T::sub(s, rounded, before)));
                first = first.wrapping_add(if LANEWISE { lanes } else { 1 });
                second = second.wrapping_add(lanes);
            }
            // SAFETY: a cell of the plane.
            unsafe {
                *into = T::sub(s, rounded, constants.round());
                *into.add(1) = lo;
            }
            into = into.wrapping_add(CELL);
        }
    }
}
