use pulp::Simd;

use super::{
    cells::{CELL, Cells, Constants, Level, Variant, conv_kink, ntk},
    kink::MAPS,
};
use crate::simd::Real;

/// Positions that go in lockstep.
const TOGETHER: usize = 4;

/// A convolution of any window and strides and the activation behind it, in place: row by row, the column sums of the
/// row in `scratch` first.
///
/// # Safety
/// As for [`super::conv_3x3::conv_3x3`]; `scratch` has room for the cells that a row of windows reaches.
#[inline(always)]
pub(crate) unsafe fn conv_any<S: Simd, T: Real, K: Variant>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    scratch: *mut T,
) {
    let scratch: *mut T::Lanes<S> = scratch.cast();
    let [rows, columns] = level.out;
    let [height, width] = level.window;
    let [down, across] = level.strides;
    let [before, left] = level.before.map(|n| n as isize);
    let lanes = T::lanes::<S>();
    let stride = MAPS * if K::LANEWISE { lanes } else { 1 };
    // SAFETY: the caller's promise. Row `row` of the output takes the place of row `row - before` of the input, which no later
    // row reads, and its cells are written when their column sums are formed.
    unsafe {
        let constants = Constants::load::<S>(level);
        for row in 0..rows {
            let source = (row * down) as isize - before;
            for y in 0..height {
                let from = cells.row::<S>(source + y as isize).offset(-left * CELL as isize);
                for at in 0..((columns - 1) * across + width) * CELL {
                    let sum = scratch.add(at);
                    *sum = if y == 0 { *from.add(at) } else { T::add(s, *sum, *from.add(at)) };
                }
            }
            let (row_of_first, row_of_second) = (level.first.row(row), level.second.row(row));
            let row_of_cells = cells.place::<S>(row as isize - before);
            for start in (0..columns).step_by(TOGETHER) {
                let mut sums = [[T::splat(s, T::default()); TOGETHER]; CELL];
                let mut first = [row_of_first; TOGETHER];
                let mut second = [row_of_second; TOGETHER];
                let mut into = [row_of_cells; TOGETHER];
                for i in 0..TOGETHER {
                    // At the end of a row the last position stands in for ones that are not there.
                    let column = (start + i).min(columns - 1);
                    for x in 0..width {
                        let sum = scratch.add((column * across + x) * CELL);
                        for (plane, sums) in sums.iter_mut().enumerate() {
                            sums[i] = T::add(s, sums[i], *sum.add(plane));
                        }
                    }
                    first[i] = row_of_first.add(column * stride);
                    second[i] = row_of_second.add(column * MAPS * lanes);
                    into[i] = row_of_cells.add(column * CELL);
                }
                let [grid, rest, mut theta] = sums;
                let out = conv_kink::<S, T, K, TOGETHER>(s, &constants, &[grid, rest], &first, &second);
                if K::NTK {
                    if K::INPUT {
                        for i in 0..TOGETHER {
                            theta[i] = T::add(s, grid[i], rest[i]);
                        }
                    }
                    theta = ntk::<S, T, K, TOGETHER>(s, &constants, theta, &out);
                }
                for i in 0..TOGETHER {
                    *into[i] = out[0][i];
                    *into[i].add(1) = out[1][i];
                    if K::NTK {
                        *into[i].add(2) = theta[i];
                    }
                }
            }
        }
    }
}
