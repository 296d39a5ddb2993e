//! local_pool: fine planes add to coarse ones,
//! P'_D(T) = (1/|w|²) Σ_{a,a'} K(sT − low + a, s(T + D) − low + a'). Of the fine plane d = sD + e, e = a' − a, every coarse
//! plane D with |e| < w takes the taps with both a and a + e in the window. Long sums are compensated: a window of w positions
//! adds up w² taps, one fine plane after the other.

use ekernel_core::{Padding, Window, plan::PlaneNode};
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, compensated::room};
use crate::simd::Real;

/// A coarse plane being added up: the sums, and what rounding has added to them, if that is not let be.
#[derive(Clone)]
pub(super) struct PooledPlane<T> {
    pub(super) sum: Plane<T>,
    excess: Plane<T>,
}

impl<T: Scalar> PooledPlane<T> {
    /// For the sums of `terms` taps each.
    pub(super) fn zeros(len: usize, ntk: bool, terms: usize) -> PooledPlane<T> {
        PooledPlane { sum: Plane::zeros(len, ntk), excess: Plane::zeros(room(terms, len), ntk) }
    }
}

pub(super) struct LocalPool<'a, T> {
    pub(super) window: Window,
    /// (1/|w|²)·scale.
    pub(super) weight: f64,
    /// The op that gives the fine planes.
    pub(super) op: &'a PlaneNode,
    /// Offset of the fine plane, not reduced.
    pub(super) fine: [isize; 2],
    /// Offset of the coarse plane.
    pub(super) coarse: [isize; 2],
    pub(super) output: [usize; 2],
    pub(super) output_cyclic: bool,
    pub(super) lanes: usize,
    pub(super) input: &'a Plane<T>,
    pub(super) out: &'a mut PooledPlane<T>,
}

impl<T: Scalar> LocalPool<'_, T> {
    /// For one axis: pairs of (coarse position, fine position) that add up.
    fn taps(&self, axis: usize) -> Vec<(usize, usize)> {
        let [n, output] = [self.op.at.extent[axis], self.output[axis]].map(|n| n as isize);
        let [size, stride] = [self.window.size[axis], self.window.strides[axis]].map(|n| n as isize);
        let low = self.window.low(self.op.at.extent)[axis] as isize;
        let e = self.fine[axis] - stride * self.coarse[axis];
        let mut taps = Vec::new();
        for at in 0..output {
            let mut second = at + self.coarse[axis];
            if self.output_cyclic {
                second = second.rem_euclid(output);
            } else if !(0..output).contains(&second) {
                continue;
            }
            for a in (0..size).filter(|a| (0..size).contains(&(a + e))) {
                let [one, other] = [stride * at - low + a, stride * second - low + a + e];
                if self.window.padding == Padding::Circular {
                    taps.push((at as usize, one.rem_euclid(n) as usize));
                } else if (0..n).contains(&one) && (0..n).contains(&other) {
                    taps.push((at as usize, one as usize));
                }
            }
        }
        taps
    }
}

impl<T: Scalar> WithSimd for LocalPool<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (rows, cols) = (self.taps(0), self.taps(1));
        let weight = <T as Real>::splat(s, T::new(self.weight));
        let (width, wide) = (self.output[1], self.op.at.extent[1]);
        debug_assert_eq!(self.lanes, <T as Real>::lanes::<S>());
        let PooledPlane { sum, excess } = self.out;
        for (sum, excess, input) in [
            (&mut sum.cov, &mut excess.cov, &self.input.cov),
            (&mut sum.ntk, &mut excess.ntk, &self.input.ntk),
        ] {
            // Planes are registers side by side, one for each position.
            let sum: &mut [<T as Real>::Lanes<S>] = bytemuck::cast_slice_mut(sum.as_mut_slice());
            let excess: &mut [T::Lanes<S>] = bytemuck::cast_slice_mut(excess.as_mut_slice());
            let input: &[T::Lanes<S>] = bytemuck::cast_slice(input.as_slice());
            if sum.is_empty() {
                continue;
            }
            for &(row, fine_row) in &rows {
                let sum = &mut sum[row * width..][..width];
                let input = &input[fine_row * wide..][..wide];
                if excess.is_empty() {
                    for &(col, fine_col) in &cols {
                        sum[col] =
                            <T as Real>::add(s, sum[col], <T as Real>::mul(s, weight, input[fine_col]));
                    }
                    continue;
                }
                let excess = &mut excess[row * width..][..width];
                for &(col, fine_col) in &cols {
                    // Kahan's rule.
                    let term = <T as Real>::sub(s, <T as Real>::mul(s, weight, input[fine_col]), excess[col]);
                    let next = <T as Real>::add(s, sum[col], term);
                    excess[col] = <T as Real>::sub(s, <T as Real>::sub(s, next, sum[col]), term);
                    sum[col] = next;
                }
            }
        }
    }
}
