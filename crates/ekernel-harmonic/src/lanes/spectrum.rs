//! Real coefficients ↔ sums over the degrees, a register of lanes at a time.
//!
//! For orders m, n ≥ 0 the spectrum holds F^l_mn and F^l_(m,-n), each as a real and an imaginary part, degree by degree:
//! four numbers when m, n > 0, two when one of them is zero, one for m = n = 0. Signs that do not depend on the ring are
//! folded in, so that every sum runs over a row of the stored quarter of the Wigner functions: F^l_mn is multiplied by
//! (-1)^(m-n) when m < n. On the mirror image of a ring the two rows change places and every other degree counts
//! negatively.

use std::f64::consts::SQRT_2;

use super::circle::{cosine, sine};
use super::madd::madd;
use crate::packed::{parity, rotation_index};
use crate::real::Real;
use crate::rotation::degree_weight;
use crate::wigner::WignerTable;

/// One ring: a row of the table, and whether it is looked at from the other pole.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a, T> {
    pub(super) table: &'a WignerTable<T>,
    pub(super) row: usize,
    pub(super) mirrored: bool,
}

impl<'a, T: Real> Ring<'a, T> {
    /// The degrees of (m, n) and (m, -n) in the order in which this ring meets the two parts of the spectrum.
    #[inline(always)]
    fn degrees(&self, m: usize, n: usize) -> [&'a [T]; 2] {
        let (large, small) = (m.max(n) as isize, m.min(n) as isize);
        let rows = [small, -small].map(|n| self.table.degrees(self.row, large, n).0);
        if self.mirrored { [rows[1], rows[0]] } else { rows }
    }

    /// The sign of the i-th degree.
    #[inline(always)]
    fn sign(&self, i: usize) -> T {
        if self.mirrored && i % 2 == 1 { -T::one() } else { T::one() }
    }
}

/// The order pairs (m, n) with the numbers each keeps for one degree.
#[inline(always)]
fn order_pairs(bandlimit: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..bandlimit).flat_map(move |m| {
        (0..bandlimit).map(move |n| (m, n, (if m > 0 { 2 } else { 1 }) * (if n > 0 { 2 } else { 1 })))
    })
}

/// Coefficients A^l_mn in the real basis to the spectrum, (2l+1)/8π² and the 2 of a real function included.
#[inline(always)]
pub(super) fn load<T: Real, const W: usize>(
    bandlimit: usize,
    coefficients: &[[T; W]],
    spectrum: &mut [[T; W]],
) {
    let mut next = 0;
    for (m, n, parts) in order_pairs(bandlimit) {
        let (mi, ni) = (m as isize, n as isize);
        let fold = T::of(if m < n { parity(mi - ni) } else { 1.0 });
        let flip = T::of(parity(ni));
        for l in m.max(n)..bandlimit {
            let weight = T::of(degree_weight(l));
            let root = T::of(degree_weight(l) * SQRT_2) * fold;
            let at = |m: isize, n: isize| rotation_index(l, m, n);
            let out = &mut spectrum[next..next + parts];
            next += parts;
            for i in 0..W {
                match (m, n) {
                    (0, 0) => out[0][i] = coefficients[at(0, 0)][i] * weight,
                    (_, 0) => {
                        out[0][i] = coefficients[at(mi, 0)][i] * root;
                        out[1][i] = coefficients[at(-mi, 0)][i] * root;
                    }
                    (0, _) => {
                        out[0][i] = coefficients[at(0, ni)][i] * root;
                        out[1][i] = -coefficients[at(0, -ni)][i] * root;
                    }
                    _ => {
                        let (cc, ss) = (coefficients[at(mi, ni)][i], coefficients[at(-mi, -ni)][i]);
                        let (sc, cs) = (coefficients[at(-mi, ni)][i], coefficients[at(mi, -ni)][i]);
                        out[0][i] = (cc + ss) * weight * fold;
                        out[1][i] = (sc - cs) * weight * fold;
                        out[2][i] = (cc - ss) * weight * flip;
                        out[3][i] = (sc + cs) * weight * flip;
                    }
                }
            }
        }
    }
}

/// The spectrum of a forward transform to coefficients A^l_mn in the real basis.
#[inline(always)]
pub(super) fn store<T: Real, const W: usize>(
    bandlimit: usize,
    spectrum: &[[T; W]],
    coefficients: &mut [[T; W]],
) {
    let mut next = 0;
    for (m, n, parts) in order_pairs(bandlimit) {
        let (mi, ni) = (m as isize, n as isize);
        let fold = T::of(if m < n { parity(mi - ni) } else { 1.0 });
        let root = T::of(SQRT_2) * fold;
        let flip = T::of(parity(ni));
        for l in m.max(n)..bandlimit {
            let at = |m: isize, n: isize| rotation_index(l, m, n);
            let part = &spectrum[next..next + parts];
            next += parts;
            for i in 0..W {
                match (m, n) {
                    (0, 0) => coefficients[at(0, 0)][i] = part[0][i],
                    (_, 0) => {
                        coefficients[at(mi, 0)][i] = part[0][i] * root;
                        coefficients[at(-mi, 0)][i] = part[1][i] * root;
                    }
                    (0, _) => {
                        coefficients[at(0, ni)][i] = part[0][i] * root;
                        coefficients[at(0, -ni)][i] = -part[1][i] * root;
                    }
                    _ => {
                        let (a, b) = (part[0][i] * fold, part[2][i] * flip);
                        let (c, d) = (part[1][i] * fold, part[3][i] * flip);
                        coefficients[at(mi, ni)][i] = a + b;
                        coefficients[at(-mi, -ni)][i] = a - b;
                        coefficients[at(-mi, ni)][i] = d + c;
                        coefficients[at(mi, -ni)][i] = d - c;
                    }
                }
            }
        }
    }
}

/// Sums over the degrees on one ring: the spectrum to the coefficients of products of cosines and sines,
/// `orders[γ coefficient][α coefficient]`.
#[inline(always)]
pub(super) fn to_orders<T: Real, const W: usize, const FUSED: bool>(
    bandlimit: usize,
    ring: Ring<'_, T>,
    spectrum: &[[T; W]],
    orders: &mut [[T; W]],
) {
    let width = 2 * bandlimit - 1;
    let mut next = 0;
    for (m, n, parts) in order_pairs(bandlimit) {
        let [plus, minus] = ring.degrees(m, n);
        let rows = &spectrum[next..next + parts * plus.len()];
        next += rows.len();
        let mut sums = [[T::zero(); W]; 4];
        if parts == 4 {
            for (i, part) in rows.as_chunks::<4>().0.iter().enumerate() {
                let sign = ring.sign(i);
                accumulate::<T, W, FUSED>(sign * plus[i], &part[0], &mut sums[0]);
                accumulate::<T, W, FUSED>(sign * plus[i], &part[1], &mut sums[1]);
                accumulate::<T, W, FUSED>(sign * minus[i], &part[2], &mut sums[2]);
                accumulate::<T, W, FUSED>(sign * minus[i], &part[3], &mut sums[3]);
            }
        } else {
            for (i, part) in rows.chunks_exact(parts).enumerate() {
                for (value, sum) in part.iter().zip(&mut sums) {
                    accumulate::<T, W, FUSED>(ring.sign(i) * plus[i], value, sum);
                }
            }
        }
        let [re, im, re_minus, im_minus] = sums;
        let (cm, cn) = (cosine(bandlimit, m), cosine(bandlimit, n));
        match (m, n) {
            (0, 0) => orders[cn * width + cm] = re,
            (_, 0) => {
                orders[cn * width + cm] = re;
                set(&mut orders[cn * width + sine(bandlimit, m)], im, im, |a, _| -a);
            }
            (0, _) => {
                orders[cn * width + cm] = re;
                set(&mut orders[sine(bandlimit, n) * width + cm], im, im, |a, _| -a);
            }
            _ => {
                let (sm, sn) = (sine(bandlimit, m), sine(bandlimit, n));
                set(&mut orders[cn * width + cm], re, re_minus, |a, b| a + b);
                set(&mut orders[sn * width + sm], re, re_minus, |a, b| b - a);
                set(&mut orders[sn * width + cm], im, im_minus, |a, b| b - a);
                set(&mut orders[cn * width + sm], im, im_minus, |a, b| -a - b);
            }
        }
    }
}

/// Adds one ring, each of whose points stands for `volume`, to the spectrum of a forward transform.
#[inline(always)]
pub(super) fn from_orders<T: Real, const W: usize, const FUSED: bool>(
    bandlimit: usize,
    ring: Ring<'_, T>,
    volume: T,
    orders: &[[T; W]],
    spectrum: &mut [[T; W]],
) {
    let width = 2 * bandlimit - 1;
    let mut next = 0;
    for (m, n, parts) in order_pairs(bandlimit) {
        let [plus, minus] = ring.degrees(m, n);
        let rows = &mut spectrum[next..next + parts * plus.len()];
        next += rows.len();
        let (cm, cn) = (cosine(bandlimit, m), cosine(bandlimit, n));
        let cc = orders[cn * width + cm];
        let mut shares = [cc; 4];
        match (m, n) {
            (0, 0) => {}
            (_, 0) => set(&mut shares[1], orders[cn * width + sine(bandlimit, m)], cc, |a, _| -a),
            (0, _) => set(&mut shares[1], orders[sine(bandlimit, n) * width + cm], cc, |a, _| -a),
            _ => {
                let (sm, sn) = (sine(bandlimit, m), sine(bandlimit, n));
                let (ss, cs, sc) =
                    (orders[sn * width + sm], orders[sn * width + cm], orders[cn * width + sm]);
                set(&mut shares[0], cc, ss, |a, b| a - b);
                set(&mut shares[1], sc, cs, |a, b| -a - b);
                set(&mut shares[2], cc, ss, |a, b| a + b);
                set(&mut shares[3], cs, sc, |a, b| a - b);
            }
        }
        for (i, part) in rows.chunks_exact_mut(parts).enumerate() {
            let factor = ring.sign(i) * volume;
            for (k, value) in part.iter_mut().enumerate() {
                let degree = if k < 2 { plus[i] } else { minus[i] };
                accumulate::<T, W, FUSED>(factor * degree, &shares[k], value);
            }
        }
    }
}

#[inline(always)]
fn accumulate<T: Real, const W: usize, const FUSED: bool>(factor: T, value: &[T; W], sum: &mut [T; W]) {
    for i in 0..W {
        sum[i] = madd::<T, FUSED>(factor, value[i], sum[i]);
    }
}

#[inline(always)]
fn set<T: Real, const W: usize>(out: &mut [T; W], a: [T; W], b: [T; W], combine: impl Fn(T, T) -> T) {
    for i in 0..W {
        out[i] = combine(a[i], b[i]);
    }
}
