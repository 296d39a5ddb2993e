//! The means of T_n(x(U)) over the group, from which the mean of every function of k(U) follows.
//!
//! A readout is linear in the function: with F(x) = Σ a_n T_n(x), (1/8π²) ∫ F(x(U)) dU = Σ a_n M_n. The moments
//! M_n = (1/8π²) ∫ T_n(x(U)) dU serve the NNGP and the NTK of all pointwise layers at once, whatever these are.
//!
//! T_1 … T_4 and every fourth T_4i are evaluated at a point, and sums of products Σ T_4i T_j, 1 ≤ j ≤ 4, are kept: a
//! multiply-add per moment and point. T_4i T_j = (T_{4i+j} + T_{4i−j})/2 gives the moments.

use pulp::{Simd, WithSimd};

use super::{
    circle::{Circle, Line, load, store},
    variable::{Variable, of_defects},
};
use crate::simd::Real;

/// T_1 to T_4.
pub(super) const STEP: usize = 4;

/// Lines whose sums are added up in T before they are added to the moments in f64.
const LINES: usize = 2;

/// Sums over the points of a ring, of `W` pairs side by side.
pub(super) struct RingMoments<'a, T> {
    /// The defects on the ring as sums along γ, `[α][coefficient][lane]`.
    pub(super) lines: &'a [T],
    pub(super) circle: &'a Circle<T>,
    /// W.
    pub(super) lanes: usize,
    pub(super) variable: Variable,
    /// The highest moment is 4·`blocks`.
    pub(super) blocks: usize,
    /// What each point counts.
    pub(super) weight: f64,
    /// Room for `[4·blocks][lane]` numbers.
    pub(super) sums: &'a mut [T],
    /// Σ weight · ±T_4i T_j, `[i][j − 1][lane]`; see [`moments`].
    pub(super) products: &'a mut [f64],
}

impl<T: Real> WithSimd for RingMoments<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match self.variable {
            Variable::Angle => self.run::<S, true>(s),
            Variable::Cosine => self.run::<S, false>(s),
        }
    }
}

impl<T: Real> RingMoments<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const ANGLE: bool>(self, s: S) {
        let Self { lines, circle, lanes, blocks, weight, sums, products, .. } = self;
        let len = circle.width() * lanes;
        let sums = &mut sums[..STEP * blocks * lanes];
        for group in lines.chunks(LINES * len) {
            sums.fill(T::default());
            for line in group.chunks_exact(len) {
                for first in (0..lanes).step_by(T::lanes::<S>()) {
                    let line = Line::new(line, lanes, first);
                    let mut sums = Sums { sums: &mut *sums, lanes, first, blocks };
                    let axis = circle.at_axis(s, &line);
                    if circle.has_quarter() {
                        let quarter = circle.at_quarter(s, &line);
                        sums.add::<S, ANGLE, 4>(s, [axis[0], axis[1], quarter[0], quarter[1]]);
                    } else {
                        sums.add::<S, ANGLE, 2>(s, axis);
                    }
                    for row in circle.fours() {
                        let defects = circle.at_four(s, &line, row);
                        sums.add::<S, ANGLE, 4>(s, defects);
                    }
                }
            }
            for (product, sum) in products.iter_mut().zip(&*sums) {
                *product += weight * sum.wide();
            }
        }
    }
}

/// The sums of one register of lanes.
struct Sums<'a, T> {
    /// `[i][j − 1][lane]`.
    sums: &'a mut [T],
    lanes: usize,
    first: usize,
    blocks: usize,
}

impl<T: Real> Sums<'_, T> {
    /// Adds the points with these defects.
    #[inline(always)]
    fn add<S: Simd, const ANGLE: bool, const P: usize>(&mut self, s: S, defects: [T::Lanes<S>; P]) {
        let one = T::splat(s, T::of(1.0));
        let x = of_defects::<S, T, ANGLE, P>(s, defects);
        // Recursions T_{n+1} = 2x T_n − T_{n−1} without a sign change in between: +T_1, −T_2, −T_3, +T_4.
        let mut low = [x; STEP];
        let mut twice = x;
        for p in 0..P {
            let x2 = T::add(s, x[p], x[p]);
            low[1][p] = T::fnma(s, x2, x[p], one);
            low[2][p] = T::fma(s, x2, low[1][p], x[p]);
            low[3][p] = T::fnma(s, x2, low[2][p], low[1][p]);
            twice[p] = T::add(s, low[3][p], low[3][p]);
        }
        for (j, low) in low.iter().enumerate() {
            let at = self.at::<S>(0, j);
            let mut sum = load::<S, T>(at);
            for value in low {
                sum = T::add(s, sum, *value);
            }
            store::<S, T>(at, sum);
        }
        let (mut before, mut high) = ([one; P], low[3]);
        for i in 1..self.blocks {
            for (j, low) in low.iter().enumerate() {
                let at = self.at::<S>(i, j);
                let mut sum = load::<S, T>(at);
                for p in 0..P {
                    sum = T::fma(s, high[p], low[p], sum);
                }
                store::<S, T>(at, sum);
            }
            let mut next = high;
            for p in 0..P {
                next[p] = if i % 2 == 1 {
                    T::fnma(s, twice[p], high[p], before[p])
                } else {
                    T::fma(s, twice[p], high[p], before[p])
                };
            }
            (before, high) = (high, next);
        }
    }

    #[inline(always)]
    fn at<S: Simd>(&mut self, i: usize, j: usize) -> &mut [T] {
        let start = (STEP * i + j) * self.lanes + self.first;
        &mut self.sums[start..start + T::lanes::<S>()]
    }
}

/// M_0, M_1, … of one lane, from the products of a whole grid whose weights add up to 1.
pub(super) fn moments(products: &[f64], lanes: usize, lane: usize) -> Vec<f64> {
    let sign = |n: usize| if matches!(n % 4, 0 | 1) { 1.0 } else { -1.0 };
    let mut moments = vec![1.0];
    for (at, product) in products.iter().skip(lane).step_by(lanes).enumerate() {
        let (i, j) = (at / STEP, at % STEP + 1);
        let product = sign(i) * sign(j) * product;
        moments.push(if i == 0 { product } else { 2.0 * product - moments[STEP * i - j] });
    }
    moments
}

/// Arithmetic operations at one point, a multiply-add counted as two.
pub(super) fn operations<T: Real>(variable: Variable, blocks: usize) -> usize {
    let low = 2 + 2 * (STEP - 1) + STEP;
    variable.operations::<T>() + low + (blocks - 1) * (2 * STEP + 2)
}
