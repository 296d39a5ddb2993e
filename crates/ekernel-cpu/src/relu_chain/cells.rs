use std::marker::PhantomData;

use pulp::Simd;

use crate::simd::Real;

/// Registers per position of the planes: hi, m and T.
pub(crate) const CELL: usize = 3;

/// What a kernel is compiled for.
pub(crate) trait Variant {
    /// Θ is carried too.
    const NTK: bool;
    /// The planes are the input's (hi, lo), whose angles may be obtuse; afterwards no K is negative.
    const INPUT: bool;
    /// A bias is added behind the window sums.
    const BIAS: bool;
    /// Each lane has a first image of its own.
    const LANEWISE: bool;
}

/// All variants.
pub(crate) struct Is<const NTK: bool, const INPUT: bool, const BIAS: bool, const LANEWISE: bool>;

impl<const NTK: bool, const INPUT: bool, const BIAS: bool, const LANEWISE: bool> Variant
    for Is<NTK, INPUT, BIAS, LANEWISE>
{
    const NTK: bool = NTK;
    const INPUT: bool = INPUT;
    const BIAS: bool = BIAS;
    const LANEWISE: bool = LANEWISE;
}

/// The planes, [row][column][hi, m, T][lane], in a ring of rows. A layer writes its output over its input: row r
/// of the output takes the place of row r - `before` of the input, which no later row reads.
#[derive(Clone, Copy)]
pub(crate) struct Cells<T> {
    /// The cell of column 0 of the ring's first row. Columns left and right of the plane are part of a row, as
    /// far as windows reach.
    pub(crate) data: *mut T,
    /// A row of zeros, from the same column on.
    pub(crate) zeros: *const T,
    /// Numbers from row to row.
    pub(crate) stride: usize,
    /// Rows in the ring.
    pub(crate) ring: usize,
    /// Place of the plane's row 0 in the ring.
    pub(crate) top: usize,
    /// Rows of the plane.
    pub(crate) rows: usize,
    /// Columns of the plane.
    pub(crate) columns: usize,
    /// Rows outside the plane are stored in the ring, rather than zero.
    pub(crate) wrapped: bool,
}

impl<T: Real> Cells<T> {
    /// Row `row` of the plane, which may lie outside by less than a window.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(&self, row: isize) -> *const T::Lanes<S> {
        if !self.wrapped && (row < 0 || row >= self.rows as isize) {
            return self.zeros.cast();
        }
        self.place::<S>(row)
    }

    /// Where row `row` is stored.
    #[inline(always)]
    pub(crate) fn place<S: Simd>(&self, row: isize) -> *mut T::Lanes<S> {
        let place = (self.top + self.ring).wrapping_add_signed(row) % self.ring;
        self.data.wrapping_add(place * self.stride).cast()
    }
}

/// The maps of one level along a plane, or the pixels.
#[derive(Clone, Copy)]
pub(crate) struct View<T> {
    /// Position (0, column of the plane's column 0).
    pub(crate) start: *const T,
    /// Numbers from row to row.
    pub(crate) stride: usize,
    /// Row of the plane's row 0.
    pub(crate) top: usize,
    /// Rows of the image; further ones wrap.
    pub(crate) rows: usize,
}

impl<T> View<T> {
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> *const T {
        let row = self.top + row;
        let row = if row < self.rows { row } else { row - self.rows };
        self.start.wrapping_add(row * self.stride)
    }
}

/// One level of a pair, as the kernels see it.
#[derive(Clone, Copy)]
pub(crate) struct Level<T> {
    pub(crate) first: View<T>,
    pub(crate) second: View<T>,
    /// [`super::scales::NUMBERS`] registers.
    pub(crate) numbers: *const T,
    pub(crate) window: [usize; 2],
    pub(crate) before: [usize; 2],
    /// Rows and columns that come out.
    pub(crate) out: [usize; 2],
}

/// Registers of an instruction set, loaded and stored through pointers to numbers.
pub(crate) struct Registers<S, T>(PhantomData<(S, T)>);

impl<S: Simd, T: Real> Registers<S, T> {
    /// # Safety
    /// `at` points to a register's worth of initialised numbers, aligned to a register.
    #[inline(always)]
    pub(crate) unsafe fn load(at: *const T) -> T::Lanes<S> {
        // SAFETY: the caller's promise; registers are plain numbers side by side.
        unsafe { *at.cast::<T::Lanes<S>>() }
    }
}

/// Numbers of one level that stay in registers along a row.
#[derive(Clone, Copy)]
pub(crate) struct Constants<V> {
    round: V,
    bias_grid: V,
    bias_rest: V,
    bias: V,
}

impl<V: Copy> Constants<V> {
    /// # Safety
    /// `numbers` points to [`super::scales::NUMBERS`] aligned registers.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd, T: Real<Lanes<S> = V>>(numbers: *const T) -> Self {
        let lanes = T::lanes::<S>();
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                round: Registers::<S, T>::load(numbers),
                bias_grid: Registers::<S, T>::load(numbers.add(lanes)),
                bias_rest: Registers::<S, T>::load(numbers.add(2 * lanes)),
                bias: Registers::<S, T>::load(numbers.add(3 * lanes)),
            }
        }
    }

    /// The number whose addition rounds to the grid.
    #[inline(always)]
    pub(crate) fn round(&self) -> V {
        self.round
    }
}

/// c₀ + c₁ x + c₂ x² + …
#[inline(always)]
fn polynomial<S: Simd, T: Real>(s: S, coefficients: &'static [T], x: T::Lanes<S>) -> T::Lanes<S> {
    let degree = coefficients.len() - 1;
    let mut value = T::splat(s, coefficients[degree]);
    for &c in coefficients[..degree].iter().rev() {
        value = T::fma(s, value, x, T::splat(s, c));
    }
    value
}

/// One position behind the convolution and the ReLU: (hi, m, T) from the window sums of the same. `first` and
/// `second` point to the maps of the two images there.
///
/// # Safety
/// `second` points to three aligned registers; `first` to three numbers, or three aligned registers if
/// `K::LANEWISE`.
#[inline(always)]
pub(crate) unsafe fn conv_relu<S: Simd, T: Real, K: Variant>(
    s: S,
    constants: &Constants<T::Lanes<S>>,
    sums: [T::Lanes<S>; CELL],
    first: *const T,
    second: *const T,
) -> [T::Lanes<S>; CELL] {
    let lanes = T::lanes::<S>();
    // SAFETY: the caller's promise.
    let [a, a_rest, a_inverse, b, b_rest, b_inverse] = unsafe {
        let own = |map: usize| {
            if K::LANEWISE {
                Registers::<S, T>::load(first.add(map * lanes))
            } else {
                T::splat(s, *first.add(map))
            }
        };
        let other = |map: usize| Registers::<S, T>::load(second.add(map * lanes));
        [own(0), own(1), own(2), other(0), other(1), other(2)]
    };
    // ss' = hi + lo
    let hi = T::sub(s, T::fma(s, a, b, constants.round), constants.round);
    let lo = T::residual(s, a, b, hi);
    let lo = T::fma(s, a, b_rest, lo);
    let lo = T::fma(s, a_rest, b, lo);

    // u behind the convolution. The window sums of the input are those of K⁰ = hi + lo, of a layer of hi and m.
    let [grid_sum, rest_sum, t_sum] = sums;
    let (mut above, mut below) = (hi, lo);
    if K::BIAS {
        above = T::sub(s, above, constants.bias_grid);
        below = T::sub(s, below, constants.bias_rest);
    }
    let above = T::sub(s, above, grid_sum);
    let below = if K::INPUT { T::sub(s, below, rest_sum) } else { T::add(s, below, rest_sum) };
    let zero = T::splat(s, T::default());
    let u = T::max(s, T::add(s, above, below), zero);
    let mut theta = if K::INPUT { T::add(s, grid_sum, rest_sum) } else { t_sum };
    if K::BIAS {
        theta = T::add(s, theta, constants.bias);
    }

    // The ReLU. An obtuse angle θ is π less an acute one, of relative defect 2 - d.
    let one = T::splat(s, T::of(1.0));
    let d = T::mul(s, u, T::mul(s, a_inverse, b_inverse));
    let (u_new, kappa);
    if K::INPUT {
        let two = T::splat(s, T::of(2.0));
        let obtuse = (one, d);
        let d = T::min(s, d, T::max(s, T::sub(s, two, d), zero));
        let w = T::sqrt(s, d);
        let ss = T::add(s, hi, lo);
        let sector = T::mul(s, w, polynomial::<S, T>(s, T::SECTOR, d));
        let base = T::select_less(s, obtuse, ss, u);
        let cut = T::select_less(s, obtuse, T::mul(s, d, ss), u);
        u_new = T::fnma(s, cut, sector, base);
        let angle = T::mul(s, w, polynomial::<S, T>(s, T::ANGLE, d));
        kappa = T::select_less(s, obtuse, angle, T::sub(s, one, angle));
    } else {
        let d = T::min(s, d, one);
        let w = T::sqrt(s, d);
        u_new = T::fnma(s, T::mul(s, u, w), polynomial::<S, T>(s, T::SECTOR, d), u);
        kappa = T::fnma(s, w, polynomial::<S, T>(s, T::ANGLE, d), one);
    }
    let m = T::sub(s, u_new, lo);
    let t = if K::NTK { T::fma(s, theta, kappa, T::sub(s, hi, m)) } else { zero };
    [hi, m, t]
}
