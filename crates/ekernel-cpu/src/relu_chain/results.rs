use pulp::Simd;

use super::cells::CELL;
use crate::simd::Real;

/// What becomes of K and T behind the chain.
pub(crate) enum Into<'a> {
    /// They are summed per lane.
    Sums { nngp: &'a mut [f64], t: &'a mut [f64] },
    /// They are appended.
    Copies { nngp: &'a mut Vec<f64>, t: &'a mut Vec<f64> },
}
/// Positions that are summed in T before they are widened: Σ hi stays exact, like that of a window.
pub(crate) const RUN: usize = 8;

/// Adds the K and T of a row up, per lane.
///
/// # Safety
/// `row` is a row of `columns` cells.
#[inline(always)]
pub(crate) unsafe fn add_row<S: Simd, T: Real, const NTK: bool>(
    s: S,
    (row, columns): (*const T::Lanes<S>, usize),
    nngp: &mut [f64],
    t: &mut [f64],
) {
    let lanes = T::lanes::<S>();
    let zero = T::splat(s, T::default());
    for start in (0..columns).step_by(RUN) {
        let mut run = [zero; CELL];
        for column in start..columns.min(start + RUN) {
            for (plane, sum) in run.iter_mut().enumerate().take(if NTK { CELL } else { 2 }) {
                // SAFETY: the caller's promise.
                *sum = T::add(s, *sum, unsafe { *row.add(column * CELL + plane) });
            }
        }
        // SAFETY: registers are numbers side by side.
        let run = unsafe { std::slice::from_raw_parts(run.as_ptr().cast::<T>(), CELL * lanes) };
        let (hi, rest) = run.split_at(lanes);
        let (m, theta) = rest.split_at(lanes);
        for ((sum, hi), m) in nngp.iter_mut().zip(hi).zip(m) {
            *sum += hi.wide() - m.wide();
        }
        for (sum, theta) in t.iter_mut().zip(if NTK { theta } else { &[] }) {
            *sum += theta.wide();
        }
    }
}

/// Appends the K and T of a row, position by position.
///
/// # Safety
/// As for [`add_row`].
#[inline(always)]
pub(crate) unsafe fn copy_row<S: Simd, T: Real, const NTK: bool>(
    (row, columns): (*const T::Lanes<S>, usize),
    nngp: &mut Vec<f64>,
    t: &mut Vec<f64>,
) {
    let lanes = T::lanes::<S>();
    for column in 0..columns {
        // SAFETY: the caller's promise; a register is `lanes` numbers side by side.
        let part = |plane: usize| unsafe {
            std::slice::from_raw_parts(row.wrapping_add(column * CELL + plane).cast::<T>(), lanes)
        };
        nngp.extend(part(0).iter().zip(part(1)).map(|(hi, m)| hi.wide() - m.wide()));
        if NTK {
            t.extend(part(2).iter().map(|t| t.wide()));
        }
    }
}
