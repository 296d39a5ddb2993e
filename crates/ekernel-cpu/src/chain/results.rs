use pulp::Simd;

use super::{
    cells::{CELL, Level, Registers},
    kink::MAPS,
    plain_layer::PLAIN_CELL,
};
use crate::simd::Real;

/// What becomes of K and T behind the chain.
pub(crate) enum Into<'a, T> {
    /// They are summed per lane.
    Sums { nngp: &'a mut [f64], t: &'a mut [f64] },
    /// They are appended.
    Copies { nngp: &'a mut Vec<f64>, t: &'a mut Vec<f64> },
    /// They are written where they belong.
    Scattered(Scattered<'a, T>),
}

/// A plane of true kernels in the order of the first image's positions, `[position][lane]`.
pub(crate) struct Scattered<'a, T> {
    /// K, or ss' - K.
    pub(crate) cov: &'a mut [T],
    /// Θ; empty if it is not wanted.
    pub(crate) ntk: &'a mut [T],
    pub(crate) defect: bool,
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

/// The same for a row of K and T themselves.
///
/// # Safety
/// `row` is a row of `columns` plain cells.
#[inline(always)]
pub(crate) unsafe fn plain_row<S: Simd, T: Real, const NTK: bool>(
    s: S,
    (row, columns): (*const T::Lanes<S>, usize),
    into: &mut Into<'_, T>,
) {
    let lanes = T::lanes::<S>();
    // SAFETY: the caller's promise; a register is `lanes` numbers side by side.
    let cell = |column: usize| unsafe { [*row.add(column * PLAIN_CELL), *row.add(column * PLAIN_CELL + 1)] };
    for start in (0..columns).step_by(RUN) {
        let run = start..columns.min(start + RUN);
        match into {
            Into::Sums { nngp, t } => {
                let mut sums = [T::splat(s, T::default()); PLAIN_CELL];
                for column in run {
                    let cell = cell(column);
                    sums = [T::add(s, sums[0], cell[0]), T::add(s, sums[1], cell[1])];
                }
                let [k, theta] = sums;
                widen::<S, T>(&[k], nngp);
                if NTK {
                    widen::<S, T>(&[theta], t);
                }
            }
            Into::Copies { nngp, t } => {
                for column in run {
                    let [k, theta] = cell(column);
                    nngp.resize(nngp.len() + lanes, 0.0);
                    let last = nngp.len() - lanes;
                    widen::<S, T>(&[k], &mut nngp[last..]);
                    if NTK {
                        t.resize(t.len() + lanes, 0.0);
                        let last = t.len() - lanes;
                        widen::<S, T>(&[theta], &mut t[last..]);
                    }
                }
            }
            Into::Scattered(_) => unreachable!("whole rows are scattered"),
        }
    }
}

/// sums += register, lane by lane.
#[inline(always)]
fn widen<S: Simd, T: Real>(register: &[T::Lanes<S>; 1], sums: &mut [f64]) {
    for (sum, x) in sums.iter_mut().zip(bytemuck::cast_slice::<_, T>(register)) {
        *sum += x.wide();
    }
}

/// Writes a row of cells, `row` of the plane, to the positions from `at` on. `scale` are the true kernels over the folded ones.
///
/// # Safety
/// `cells` is a row of the plane of `level`, plain or not, and `scale` a register.
#[inline(always)]
pub(crate) unsafe fn scatter_row<S: Simd, T: Real, const LANEWISE: bool>(
    s: S,
    (cells, plain): (*const T::Lanes<S>, bool),
    (level, row): (&Level<T>, usize),
    scale: T::Lanes<S>,
    (into, at): (&mut Scattered<'_, T>, usize),
) {
    let lanes = T::lanes::<S>();
    let columns = level.out[1];
    let (first, second) = (level.first.row(row), level.second.row(row));
    let has_ntk = !into.ntk.is_empty();
    let cov = &mut into.cov[at * lanes..][..columns * lanes];
    let ntk = if has_ntk { &mut into.ntk[at * lanes..][..columns * lanes] } else { &mut [] };
    for column in 0..columns {
        // SAFETY: the caller's promise; the slices have a register of numbers from `column * lanes` on.
        unsafe {
            let to = cov.as_mut_ptr().add(column * lanes).cast::<T::Lanes<S>>();
            let (k, t) = if plain {
                let cell = cells.add(column * PLAIN_CELL);
                let k = T::mul(s, *cell, scale);
                *to = k;
                (k, *cell.add(1))
            } else {
                let cell = cells.add(column * CELL);
                let (hi, m) = (*cell, *cell.add(1));
                let k = T::mul(s, T::sub(s, hi, m), scale);
                *to = k;
                if into.defect {
                    let [a, a_rest] = if LANEWISE {
                        let first = first.add(column * MAPS * lanes);
                        [Registers::<S, T>::load(first), Registers::<S, T>::load(first.add(lanes))]
                    } else {
                        let first = first.add(column * MAPS);
                        [T::splat(s, *first), T::splat(s, *first.add(1))]
                    };
                    let second = second.add(column * MAPS * lanes);
                    let [b, b_rest] =
                        [Registers::<S, T>::load(second), Registers::<S, T>::load(second.add(lanes))];
                    // u = m + lo, of ss' = hi + lo
                    let mut lo = T::residual(s, a, b, hi);
                    lo = T::fma(s, a, b_rest, lo);
                    lo = T::fma(s, a_rest, b, lo);
                    let u = T::max(s, T::add(s, m, lo), T::splat(s, T::default()));
                    *to = T::mul(s, u, scale);
                }
                (k, *cell.add(2))
            };
            if has_ntk {
                let to = ntk.as_mut_ptr().add(column * lanes).cast::<T::Lanes<S>>();
                *to = T::sub(s, T::mul(s, t, scale), k);
            }
        }
    }
}
