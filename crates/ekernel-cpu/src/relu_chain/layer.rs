use pulp::Simd;

use super::cells::{CELL, Cells, Constants, Level, Variant, conv_relu};
use crate::simd::Real;

/// A 3×3 convolution and the ReLU behind it, in place. Two rows go together; along them the sums of three rows of
/// each column are formed once and pass from window to window in registers.
///
/// # Safety
/// `cells` holds the planes of the level before and what lies outside them as far as windows reach; `level`
/// describes maps that cover the output.
#[inline(always)]
pub(crate) unsafe fn conv_relu_3x3<S: Simd, T: Real, K: Variant>(s: S, cells: &Cells<T>, level: &Level<T>) {
    let [rows, columns] = level.out;
    // SAFETY: the caller's promise, row by row.
    unsafe {
        let constants = Constants::load::<S, T>(level.numbers);
        let mut row = 0;
        while row + 1 < rows {
            row_block::<S, T, K, 2>(s, cells, level, &constants, row, columns);
            row += 2;
        }
        if row < rows {
            row_block::<S, T, K, 1>(s, cells, level, &constants, row, columns);
        }
    }
}

/// The planes that a window sum runs over: the input has no T.
#[inline(always)]
fn summed<K: Variant>() -> usize {
    if K::NTK && !K::INPUT { CELL } else { 2 }
}

/// Sums of three rows at one column, for each of the windows that begin in `R` neighbouring rows.
///
/// # Safety
/// The first `R + 2` rows have this column.
#[inline(always)]
unsafe fn column_sums<S: Simd, T: Real, K: Variant, const R: usize>(
    s: S,
    rows: &[*const T::Lanes<S>; 4],
    column: isize,
) -> [[T::Lanes<S>; CELL]; R] {
    let mut sums = [[T::splat(s, T::default()); CELL]; R];
    #[expect(clippy::needless_range_loop, reason = "the plane counts into the cells too")]
    for plane in 0..summed::<K>() {
        let at = column * CELL as isize + plane as isize;
        // SAFETY: the caller's promise.
        unsafe {
            let shared = T::add(s, *rows[1].offset(at), *rows[2].offset(at));
            sums[0][plane] = T::add(s, *rows[0].offset(at), shared);
            if R == 2 {
                sums[1][plane] = T::add(s, shared, *rows[3].offset(at));
            }
        }
    }
    sums
}

#[inline(always)]
fn join<S: Simd, T: Real, K: Variant>(
    s: S,
    a: [T::Lanes<S>; CELL],
    b: [T::Lanes<S>; CELL],
) -> [T::Lanes<S>; CELL] {
    let mut sum = a;
    for plane in 0..summed::<K>() {
        sum[plane] = T::add(s, a[plane], b[plane]);
    }
    sum
}

/// `R` rows of the output from row `top` on.
///
/// # Safety
/// As for [`conv_relu_3x3`].
#[inline(always)]
unsafe fn row_block<S: Simd, T: Real, K: Variant, const R: usize>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    constants: &Constants<T::Lanes<S>>,
    top: usize,
    columns: usize,
) {
    let [before, left] = level.before;
    let source = top as isize - before as isize;
    let rows: [*const T::Lanes<S>; 4] =
        std::array::from_fn(
            |y| if y < R + 2 { cells.row::<S>(source + y as isize) } else { cells.zeros.cast() },
        );
    let into: [*mut T::Lanes<S>; R] = std::array::from_fn(|y| cells.place::<S>(source + y as isize));
    let first: [*const T; R] = std::array::from_fn(|y| level.first.row(top + y));
    let second: [*const T; R] = std::array::from_fn(|y| level.second.row(top + y));
    let left = left as isize;
    // SAFETY: the caller's promise; the cells written at columns c, c+1 are read by no later window of these rows,
    // whose column sums are already formed, nor by later rows.
    unsafe {
        let mut a = column_sums::<S, T, K, R>(s, &rows, -left);
        let mut b = column_sums::<S, T, K, R>(s, &rows, 1 - left);
        let mut column = 0;
        while R == 2 && column + 1 < columns {
            let c = column_sums::<S, T, K, R>(s, &rows, column as isize + 2 - left);
            let d = column_sums::<S, T, K, R>(s, &rows, column as isize + 3 - left);
            for y in 0..R {
                let shared = join::<S, T, K>(s, b[y], c[y]);
                let sums = [join::<S, T, K>(s, a[y], shared), join::<S, T, K>(s, shared, d[y])];
                for (x, sums) in [0, 1].into_iter().zip(sums) {
                    position::<S, T, K>(s, constants, sums, first[y], second[y], into[y], column + x);
                }
            }
            (a, b) = (c, d);
            column += 2;
        }
        while column < columns {
            let c = column_sums::<S, T, K, R>(s, &rows, column as isize + 2 - left);
            for y in 0..R {
                let sums = join::<S, T, K>(s, a[y], join::<S, T, K>(s, b[y], c[y]));
                position::<S, T, K>(s, constants, sums, first[y], second[y], into[y], column);
            }
            (a, b) = (b, c);
            column += 1;
        }
    }
}

/// One column of one row.
///
/// # Safety
/// The pointers are rows that have this column.
#[inline(always)]
pub(crate) unsafe fn position<S: Simd, T: Real, K: Variant>(
    s: S,
    constants: &Constants<T::Lanes<S>>,
    sums: [T::Lanes<S>; CELL],
    first: *const T,
    second: *const T,
    into: *mut T::Lanes<S>,
    column: usize,
) {
    let lanes = T::lanes::<S>();
    // SAFETY: the caller's promise.
    unsafe {
        let first = first.add(column * super::maps::MAPS * if K::LANEWISE { lanes } else { 1 });
        let second = second.add(column * super::maps::MAPS * lanes);
        let [hi, m, t] = conv_relu::<S, T, K>(s, constants, sums, first, second);
        let into = into.add(column * CELL);
        *into = hi;
        *into.add(1) = m;
        if K::NTK {
            *into.add(2) = t;
        }
    }
}
