use pulp::Simd;

use super::{
    cells::{CELL, Cells, Constants, Level, Variant, conv_kink, ntk},
    kink::MAPS,
};
use crate::simd::Real;

/// A convolution of any window and the activation behind it, in place: row by row, the column sums of the row in
/// `scratch` first.
///
/// # Safety
/// As for [`super::conv_3x3::conv_3x3`]; `scratch` has room for `columns + window - 1` cells.
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
    let [before, left] = level.before.map(|n| n as isize);
    // SAFETY: the caller's promise.
    unsafe {
        let constants = Constants::load::<S>(level);
        for row in 0..rows {
            let source = row as isize - before;
            for y in 0..height {
                let from = cells.row::<S>(source + y as isize).offset(-left * CELL as isize);
                for at in 0..(columns + width - 1) * CELL {
                    let sum = scratch.add(at);
                    *sum = if y == 0 { *from.add(at) } else { T::add(s, *sum, *from.add(at)) };
                }
            }
            let (first, second, into) =
                (level.first.row(row), level.second.row(row), cells.place::<S>(source));
            for column in 0..columns {
                let mut sums = [T::splat(s, T::default()); CELL];
                for x in 0..width {
                    for (plane, sum) in sums.iter_mut().enumerate() {
                        *sum = T::add(s, *sum, *scratch.add((column + x) * CELL + plane));
                    }
                }
                let [grid, rest, mut theta] = sums;
                let lanes = T::lanes::<S>();
                let first = first.add(column * MAPS * if K::LANEWISE { lanes } else { 1 });
                let second = second.add(column * MAPS * lanes);
                let out = conv_kink::<S, T, K, 1>(s, &constants, &[[grid], [rest]], &[first], &[second]);
                let into = into.add(column * CELL);
                if K::NTK {
                    if K::INPUT {
                        theta = T::add(s, grid, rest);
                    }
                    [*into.add(2)] = ntk::<S, T, K, 1>(s, &constants, [theta], &out);
                }
                [[*into], [*into.add(1)], _] = out;
            }
        }
    }
}
