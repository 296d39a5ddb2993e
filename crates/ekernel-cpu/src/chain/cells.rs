use std::marker::PhantomData;

use pulp::Simd;

use crate::simd::Real;

/// Registers per position of the planes: hi, m and T.
pub(crate) const CELL: usize = 3;

/// What a kernel is compiled for.
pub(crate) trait Variant {
    /// Θ is carried too.
    const NTK: bool;
    /// The planes are the input's (hi, lo).
    const INPUT: bool;
    /// Angles may be obtuse.
    const OBTUSE: bool;
    /// A bias is added behind the window sums.
    const BIAS: bool;
    /// Each lane has a first image of its own.
    const LANEWISE: bool;
}

/// All variants.
pub(crate) struct Is<
    const NTK: bool,
    const INPUT: bool,
    const OBTUSE: bool,
    const BIAS: bool,
    const LANEWISE: bool,
>;

impl<const NTK: bool, const INPUT: bool, const OBTUSE: bool, const BIAS: bool, const LANEWISE: bool> Variant
    for Is<NTK, INPUT, OBTUSE, BIAS, LANEWISE>
{
    const NTK: bool = NTK;
    const INPUT: bool = INPUT;
    const OBTUSE: bool = OBTUSE;
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
    /// [`super::kink::numbers`] numbers of the activation.
    pub(crate) kink: *const T,
    pub(crate) window: [usize; 2],
    pub(crate) strides: [usize; 2],
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
pub(crate) struct Constants<V, T> {
    kink: *const T,
    round: V,
    bias_grid: V,
    bias_rest: V,
    bias: V,
}

impl<V: Copy, T: Real> Constants<V, T> {
    /// # Safety
    /// `level.numbers` points to [`super::scales::NUMBERS`] aligned registers.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd>(level: &Level<T>) -> Self
    where
        T: Real<Lanes<S> = V>,
    {
        let (lanes, numbers) = (T::lanes::<S>(), level.numbers);
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                kink: level.kink,
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

/// c₀ + c₁ x + c₂ x² + … up to x^`degree` in lockstep.
///
/// # Safety
/// `coefficients` points to `degree + 1` numbers.
#[inline(always)]
unsafe fn polynomials<S: Simd, T: Real, const N: usize>(
    s: S,
    (coefficients, degree): (*const T, usize),
    x: &[T::Lanes<S>; N],
) -> [T::Lanes<S>; N] {
    // SAFETY: the caller's promise.
    let coefficient = |power: usize| T::splat(s, unsafe { *coefficients.add(power) });
    let mut values = [coefficient(degree); N];
    for power in (0..degree).rev() {
        let c = coefficient(power);
        for i in 0..N {
            values[i] = T::fma(s, values[i], x[i], c);
        }
    }
    values
}

/// `N` positions behind the convolution and the activation: hi, m and κ, from the window sums of hi and m (of hi and lo for
/// the input). `first` and `second` point to the maps of the two images there.
///
/// The positions go in lockstep: one alone is a chain of some 90 cycles, and a processor's scheduler is too small
/// to find the next one's instructions behind it.
///
/// # Safety
/// Each `second` points to three aligned registers; each `first` to three numbers, or three aligned registers if
/// `K::LANEWISE`.
#[inline(always)]
pub(crate) unsafe fn conv_kink<S: Simd, T: Real, K: Variant, const N: usize>(
    s: S,
    constants: &Constants<T::Lanes<S>, T>,
    [grid_sums, rest_sums]: &[[T::Lanes<S>; N]; 2],
    first: &[*const T; N],
    second: &[*const T; N],
) -> [[T::Lanes<S>; N]; 3] {
    let lanes = T::lanes::<S>();
    let zero = T::splat(s, T::default());
    let one = T::splat(s, T::of(1.0));

    // ss' = hi + lo, and 1/ss'.
    let (mut hi, mut lo, mut inverse) = ([zero; N], [zero; N], [zero; N]);
    for i in 0..N {
        // SAFETY: the caller's promise.
        let ([a, a_rest, a_inverse], [b, b_rest, b_inverse]) = unsafe {
            let (first, second) = (first[i], second[i]);
            let a = if K::LANEWISE {
                [
                    Registers::<S, T>::load(first),
                    Registers::<S, T>::load(first.add(lanes)),
                    Registers::<S, T>::load(first.add(2 * lanes)),
                ]
            } else {
                [T::splat(s, *first), T::splat(s, *first.add(1)), T::splat(s, *first.add(2))]
            };
            let b = [
                Registers::<S, T>::load(second),
                Registers::<S, T>::load(second.add(lanes)),
                Registers::<S, T>::load(second.add(2 * lanes)),
            ];
            (a, b)
        };
        hi[i] = T::sub(s, T::fma(s, a, b, constants.round), constants.round);
        lo[i] = T::residual(s, a, b, hi[i]);
        lo[i] = T::fma(s, a, b_rest, lo[i]);
        lo[i] = T::fma(s, a_rest, b, lo[i]);
        inverse[i] = T::mul(s, a_inverse, b_inverse);
    }

    // u behind the convolution. The window sums of the input are those of K⁰ = hi + lo, of a layer of hi and m.
    // An obtuse angle is π less an acute one, whose defect is ss' + K.
    let (mut u, mut acute, mut w) = ([zero; N], [zero; N], [zero; N]);
    let mut opposite = [zero; N];
    for i in 0..N {
        let (grid_sum, rest_sum) = (grid_sums[i], rest_sums[i]);
        let (mut above, mut below) = (hi[i], lo[i]);
        if K::BIAS {
            above = T::sub(s, above, constants.bias_grid);
            below = T::sub(s, below, constants.bias_rest);
        }
        above = T::sub(s, above, grid_sum);
        below = if K::INPUT { T::sub(s, below, rest_sum) } else { T::add(s, below, rest_sum) };
        u[i] = T::add(s, above, below);
        let mut nearest = u[i];
        if K::OBTUSE {
            let mut above = T::add(s, hi[i], grid_sum);
            let mut below = if K::INPUT { T::add(s, lo[i], rest_sum) } else { T::sub(s, lo[i], rest_sum) };
            if K::BIAS {
                above = T::add(s, above, constants.bias_grid);
                below = T::add(s, below, constants.bias_rest);
            }
            opposite[i] = T::add(s, above, below);
            nearest = T::min(s, nearest, opposite[i]);
        }
        nearest = T::max(s, nearest, zero);
        acute[i] = T::mul(s, nearest, inverse[i]);
        w[i] = T::sqrt(s, acute[i]);
        if !K::OBTUSE {
            u[i] = nearest;
        }
    }

    // The activation. Without obtuse angles d exceeds 1 by rounding alone; the polynomials bear that.
    let (sectors, angles) = (T::SECTOR.len(), T::ANGLE.len());
    // SAFETY: the level's numbers of its kink: `sectors`, `angles` and three more.
    let (sector, angle, [both, opposed, straight]) = unsafe {
        let rest = constants.kink.add(sectors + angles);
        (
            polynomials::<S, T, N>(s, (constants.kink, sectors - 1), &acute),
            polynomials::<S, T, N>(s, (constants.kink.add(sectors), angles - 1), &acute),
            [*rest, *rest.add(1), *rest.add(2)],
        )
    };
    let (mut m, mut kappa) = ([zero; N], [zero; N]);
    for i in 0..N {
        let u_new;
        if K::OBTUSE {
            let obtuse = (opposite[i], u[i]);
            let nearest = T::max(s, T::min(s, u[i], opposite[i]), zero);
            let product = T::mul(s, T::splat(s, both), T::add(s, hi[i], lo[i]));
            let turned = T::fma(s, T::splat(s, opposed), nearest, product);
            let base = T::select_less(s, obtuse, turned, nearest);
            u_new = T::fnma(s, T::mul(s, nearest, w[i]), sector[i], base);
            let angle = T::mul(s, w[i], angle[i]);
            let turned = T::add(s, T::splat(s, straight), angle);
            kappa[i] = T::select_less(s, obtuse, turned, T::sub(s, one, angle));
        } else {
            u_new = T::fnma(s, T::mul(s, u[i], w[i]), sector[i], u[i]);
            kappa[i] = T::fnma(s, w[i], angle[i], one);
        }
        m[i] = T::sub(s, u_new, lo[i]);
    }
    [hi, m, kappa]
}

/// T of the output, from Σ T of the input and the result of [`conv_kink`].
#[inline(always)]
pub(crate) fn ntk<S: Simd, T: Real, K: Variant, const N: usize>(
    s: S,
    constants: &Constants<T::Lanes<S>, T>,
    mut theta: [T::Lanes<S>; N],
    [hi, m, kappa]: &[[T::Lanes<S>; N]; 3],
) -> [T::Lanes<S>; N] {
    for i in 0..N {
        if K::BIAS {
            theta[i] = T::add(s, theta[i], constants.bias);
        }
        theta[i] = T::fma(s, theta[i], kappa[i], T::sub(s, hi[i], m[i]));
    }
    theta
}
