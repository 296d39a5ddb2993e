//! The circle of γ, four points at a time.
//!
//! A line of an SO(3) transform is Σ_n c_n cos nγ + Σ_n s_n sin nγ with its coefficients in four classes (even and odd
//! cosines, even and odd sines). At γ, −γ, π−γ and π+γ the classes are the same four sums up to signs, so n points take
//! n/4 sums. The points 0, π and ±π/2 come in twos.

use std::{f64::consts::TAU, ops::Range};

use pulp::Simd;

use crate::simd::Real;

/// The trigonometric tables of an even circle.
#[derive(Clone, Debug)]
pub(super) struct Circle<T> {
    classes: [Range<usize>; 4],
    /// `[orbit][coefficient]` at the first angle of each orbit of four points.
    fours: Vec<T>,
    /// The even and odd cosines at 0, where the sines vanish: the points 0 and π.
    axis: Vec<T>,
    /// Even cosines and odd sines at π/2, where the others vanish: the points ±π/2. Empty if they are not on the circle.
    quarter: Vec<T>,
}

impl<T: Real> Circle<T> {
    /// For orders below `bandlimit` on `points` equidistant angles, an even number of them.
    pub(super) fn new(bandlimit: usize, points: usize) -> Circle<T> {
        debug_assert!(points.is_multiple_of(2));
        let orders = |sine: bool, odd: usize| {
            (usize::from(sine)..bandlimit).filter(move |n| n % 2 == odd).map(move |n| (sine, n))
        };
        let terms =
            [orders(false, 0), orders(false, 1), orders(true, 0), orders(true, 1)].map(Vec::from_iter);
        let mut end = 0;
        let classes = terms.each_ref().map(|class| {
            end += class.len();
            end - class.len()..end
        });
        let terms: Vec<(bool, usize)> = terms.into_iter().flatten().collect();
        let row = |p: usize| {
            terms.iter().map(move |&(sine, n)| {
                let (sin, cos) = (TAU * (n * p % points) as f64 / points as f64).sin_cos();
                T::of(if sine { sin } else { cos })
            })
        };
        let on_axis = points.is_multiple_of(4);
        let quarter = points / 4;
        Circle {
            classes,
            fours: (1..=quarter - usize::from(on_axis)).flat_map(row).collect(),
            axis: row(0).collect(),
            quarter: if on_axis { row(quarter).collect() } else { Vec::new() },
        }
    }

    /// Coefficients of a line.
    pub(super) fn width(&self) -> usize {
        self.classes[3].end
    }

    /// The rows of the orbits of four points.
    #[inline(always)]
    pub(super) fn fours(&self) -> std::slice::ChunksExact<'_, T> {
        self.fours.chunks_exact(self.width())
    }

    /// Whether ±π/2 are on the circle.
    #[inline(always)]
    pub(super) fn has_quarter(&self) -> bool {
        !self.quarter.is_empty()
    }

    /// The values at 0 and π.
    #[inline(always)]
    pub(super) fn at_axis<S: Simd>(&self, s: S, line: &Line<'_, T>) -> [T::Lanes<S>; 2] {
        let even = line.sum(s, &self.axis, &self.classes[0]);
        let odd = line.sum(s, &self.axis, &self.classes[1]);
        [T::add(s, even, odd), T::sub(s, even, odd)]
    }

    /// The values at ±π/2.
    #[inline(always)]
    pub(super) fn at_quarter<S: Simd>(&self, s: S, line: &Line<'_, T>) -> [T::Lanes<S>; 2] {
        let even = line.sum(s, &self.quarter, &self.classes[0]);
        let odd = line.sum(s, &self.quarter, &self.classes[3]);
        [T::add(s, even, odd), T::sub(s, even, odd)]
    }

    /// The values at γ, −γ, π−γ and π+γ, of the row of γ.
    #[inline(always)]
    pub(super) fn at_four<S: Simd>(&self, s: S, line: &Line<'_, T>, row: &[T]) -> [T::Lanes<S>; 4] {
        // One by one: in a closure they would not be compiled for the instruction set.
        let ce = line.sum(s, row, &self.classes[0]);
        let co = line.sum(s, row, &self.classes[1]);
        let se = line.sum(s, row, &self.classes[2]);
        let so = line.sum(s, row, &self.classes[3]);
        let (cos, sin) = (T::add(s, ce, co), T::add(s, se, so));
        let (cos_back, sin_back) = (T::sub(s, ce, co), T::sub(s, se, so));
        [
            T::add(s, cos, sin),
            T::sub(s, cos, sin),
            T::sub(s, cos_back, sin_back),
            T::add(s, cos_back, sin_back),
        ]
    }

    /// Arithmetic operations of one line, a multiply-add counted as two.
    pub(super) fn operations(&self) -> usize {
        let fours = self.fours.len() / self.width();
        let [even, odd] = [&self.classes[0], &self.classes[1]].map(Range::len);
        let twos = 2 * (even + odd)
            + 2
            + if self.has_quarter() { 2 * (even + self.classes[3].len()) + 2 } else { 0 };
        fours * (2 * self.width() + 8) + twos
    }
}

/// One line of coefficients `[coefficient][lane]`, of which the lanes of one register are looked at.
#[derive(Clone, Copy)]
pub(super) struct Line<'a, T> {
    coefficients: &'a [T],
    /// Numbers from one coefficient to the next.
    stride: usize,
    /// The first lane of the register.
    first: usize,
}

impl<'a, T: Real> Line<'a, T> {
    /// The lanes from `first` on of coefficients that are `stride` numbers apart.
    pub(super) fn new(coefficients: &'a [T], stride: usize, first: usize) -> Line<'a, T> {
        Line { coefficients, stride, first }
    }

    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, factors: &[T], class: &Range<usize>) -> T::Lanes<S> {
        let lanes = T::lanes::<S>();
        let mut sum = T::splat(s, T::default());
        let mut start = class.start * self.stride + self.first;
        for &factor in &factors[class.start..class.end] {
            let value = load::<S, T>(&self.coefficients[start..start + lanes]);
            sum = T::fma(s, T::splat(s, factor), value, sum);
            start += self.stride;
        }
        sum
    }
}

/// The first register of `numbers`.
///
/// # Panics
/// If there are fewer.
#[inline(always)]
pub(super) fn load<S: Simd, T: Real>(numbers: &[T]) -> T::Lanes<S> {
    assert!(numbers.len() >= T::lanes::<S>());
    // SAFETY: a register is that many numbers side by side, and so many are there.
    unsafe { numbers.as_ptr().cast::<T::Lanes<S>>().read_unaligned() }
}

/// Overwrites the first register of `numbers`.
///
/// # Panics
/// If there are fewer.
#[inline(always)]
pub(super) fn store<S: Simd, T: Real>(numbers: &mut [T], register: T::Lanes<S>) {
    assert!(numbers.len() >= T::lanes::<S>());
    // SAFETY: as in `load`.
    unsafe { numbers.as_mut_ptr().cast::<T::Lanes<S>>().write_unaligned(register) }
}
