use pulp::Simd;

use super::{
    cells::{CELL, Cells, Constants, Level, Variant, conv_kink, ntk},
    kink::MAPS,
};
use crate::simd::Real;

/// A 3×3 convolution and the activation behind it, in place. Two rows go together; along them the sums of three rows of
/// each column are formed once and pass from window to window in registers.
///
/// # Safety
/// `cells` holds the planes of the level before and what lies outside them as far as windows reach; `level`
/// describes maps that cover the output.
#[inline(always)]
pub(crate) unsafe fn conv_3x3<S: Simd, T: Real, K: Variant>(s: S, cells: &Cells<T>, level: &Level<T>) {
    let [rows, columns] = level.out;
    // SAFETY: the caller's promise, row by row.
    unsafe {
        let constants = Constants::load::<S>(level);
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

/// Sums over three rows of one plane (0: hi, 1: m, 2: T) at the last two columns that the windows have reached, for
/// windows that begin in `R` neighbouring rows.
#[derive(Clone, Copy)]
struct Slide<V, const R: usize> {
    columns: [[V; R]; 2],
    plane: isize,
}

impl<V: Copy, const R: usize> Slide<V, R> {
    /// The windows' first two columns.
    ///
    /// # Safety
    /// The first `R + 2` rows have them.
    #[inline(always)]
    unsafe fn new<S: Simd, T: Real<Lanes<S> = V>>(
        s: S,
        rows: &[*const V; 4],
        plane: isize,
        column: isize,
    ) -> Self {
        let mut slide = Self { columns: [[T::splat(s, T::default()); R]; 2], plane };
        // SAFETY: the caller's promise.
        unsafe {
            slide.columns =
                [slide.column::<S, T>(s, rows, column), slide.column::<S, T>(s, rows, column + 1)];
        }
        slide
    }

    /// Sums of one column.
    ///
    /// # Safety
    /// The first `R + 2` rows have it.
    #[inline(always)]
    unsafe fn column<S: Simd, T: Real<Lanes<S> = V>>(
        &self,
        s: S,
        rows: &[*const V; 4],
        column: isize,
    ) -> [V; R] {
        let at = column * CELL as isize + self.plane;
        let mut sums = [T::splat(s, T::default()); R];
        // SAFETY: the caller's promise.
        unsafe {
            let shared = T::add(s, *rows[1].offset(at), *rows[2].offset(at));
            sums[0] = T::add(s, *rows[0].offset(at), shared);
            if R == 2 {
                sums[1] = T::add(s, shared, *rows[3].offset(at));
            }
        }
        sums
    }

    /// The windows that end at `column` and, for N = 2 R, at the next one, row by row; moves there.
    ///
    /// # Safety
    /// The first `R + 2` rows have these columns.
    #[inline(always)]
    unsafe fn windows<S: Simd, T: Real<Lanes<S> = V>, const N: usize>(
        &mut self,
        s: S,
        rows: &[*const V; 4],
        column: isize,
    ) -> [V; N] {
        let [a, b] = self.columns;
        let mut sums = [T::splat(s, T::default()); N];
        // SAFETY: the caller's promise.
        unsafe {
            let c = self.column::<S, T>(s, rows, column);
            if N == 2 * R {
                let d = self.column::<S, T>(s, rows, column + 1);
                for y in 0..R {
                    let shared = T::add(s, b[y], c[y]);
                    sums[2 * y] = T::add(s, a[y], shared);
                    sums[2 * y + 1] = T::add(s, shared, d[y]);
                }
                self.columns = [c, d];
            } else {
                for y in 0..R {
                    sums[y] = T::add(s, a[y], T::add(s, b[y], c[y]));
                }
                self.columns = [b, c];
            }
        }
        sums
    }
}

/// `R` rows of the output from row `top` on.
///
/// # Safety
/// As for [`conv_3x3`].
#[inline(always)]
unsafe fn row_block<S: Simd, T: Real, K: Variant, const R: usize>(
    s: S,
    cells: &Cells<T>,
    level: &Level<T>,
    constants: &Constants<T::Lanes<S>, T>,
    top: usize,
    columns: usize,
) {
    let [before, left] = level.before;
    let source = top as isize - before as isize;
    let left = left as isize;
    // For R = 1 the last row stands in for ones that are not there.
    let row = |y: isize| cells.row::<S>(source + y);
    let rows = [row(0), row(1), row(2), row(R as isize + 1)];
    let last = R - 1;
    let ends = Rows {
        first: [level.first.row(top), level.first.row(top + last)],
        second: [level.second.row(top), level.second.row(top + last)],
        into: [cells.place::<S>(source), cells.place::<S>(source + last as isize)],
    };
    // SAFETY: the caller's promise; the cells written at columns c, c+1 are read by no later window of these rows,
    // whose column sums are already formed, nor by later rows.
    unsafe {
        let mut slides = [
            Slide::<_, R>::new::<S, T>(s, &rows, 0, -left),
            Slide::<_, R>::new::<S, T>(s, &rows, 1, -left),
            Slide::<_, R>::new::<S, T>(s, &rows, if carries_t::<K>() { 2 } else { 0 }, -left),
        ];
        let mut column = 0;
        while R == 2 && column + 1 < columns {
            step::<S, T, K, R, 4>(s, constants, &rows, &mut slides, &ends, column, left);
            column += 2;
        }
        while column < columns {
            step::<S, T, K, R, R>(s, constants, &rows, &mut slides, &ends, column, left);
            column += 1;
        }
    }
}

/// Whether the layer reads Θ; behind the input Θ is K.
#[inline(always)]
fn carries_t<K: Variant>() -> bool {
    K::NTK && !K::INPUT
}

/// The rows of maps and output that go together.
struct Rows<T, V> {
    first: [*const T; 2],
    second: [*const T; 2],
    into: [*mut V; 2],
}

/// One column of `R` rows, or two of them for `N` = 2 `R`.
///
/// # Safety
/// As for [`conv_3x3`].
#[inline(always)]
unsafe fn step<S: Simd, T: Real, K: Variant, const R: usize, const N: usize>(
    s: S,
    constants: &Constants<T::Lanes<S>, T>,
    rows: &[*const T::Lanes<S>; 4],
    slides: &mut [Slide<T::Lanes<S>, R>; 3],
    ends: &Rows<T, T::Lanes<S>>,
    column: usize,
    left: isize,
) {
    let lanes = T::lanes::<S>();
    let stride = MAPS * if K::LANEWISE { lanes } else { 1 };
    let across = N / R;
    // SAFETY: the caller's promise.
    unsafe {
        let (mut first, mut second, mut into) = ([ends.first[0]; N], [ends.second[0]; N], [ends.into[0]; N]);
        for i in 0..N {
            let (y, column) = (i / across, column + i % across);
            first[i] = ends.first[y].add(column * stride);
            second[i] = ends.second[y].add(column * MAPS * lanes);
            into[i] = ends.into[y].add(column * CELL);
        }
        let end = column as isize + 2 - left;
        let grid = slides[0].windows::<S, T, N>(s, rows, end);
        let rest = slides[1].windows::<S, T, N>(s, rows, end);
        let out = conv_kink::<S, T, K, N>(s, constants, &[grid, rest], &first, &second);
        if K::NTK {
            let mut theta = grid;
            if carries_t::<K>() {
                theta = slides[2].windows::<S, T, N>(s, rows, end);
            } else {
                for i in 0..N {
                    theta[i] = T::add(s, grid[i], rest[i]);
                }
            }
            let t = ntk::<S, T, K, N>(s, constants, theta, &out);
            for i in 0..N {
                *into[i].add(2) = t[i];
            }
        }
        for i in 0..N {
            *into[i] = out[0][i];
            *into[i].add(1) = out[1][i];
        }
    }
}
