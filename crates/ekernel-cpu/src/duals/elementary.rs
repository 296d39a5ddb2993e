//! Exponentials of registers.

use pulp::Simd;

use crate::simd::{Lockstep, Real};

/// 2^(n-1) and e^r - 1 of z = n ln 2 + r, |r| ≤ ln(2)/2.
#[inline(always)]
fn reduced<S: Simd, T: Real, const N: usize>(z: Lockstep<S, T, N>) -> [Lockstep<S, T, N>; 2] {
    let [lowest, highest] = T::EXPONENTS;
    let z = z.at_least(z.like(lowest)).at_most(z.like(highest));
    let integer = z.like(T::INTEGER);
    let shifted = z.times_plus(z.like(T::of(std::f64::consts::LOG2_E)), integer);
    let n = shifted - integer;
    let [high, low] = T::LN_2;
    let r = n.times_from(z.like(low), n.times_from(z.like(high), z));
    [shifted.half_power(), (r * r).times_plus(r.polynomial(T::EXPONENTIAL), r)]
}

/// e^z
#[inline(always)]
pub(super) fn exp<S: Simd, T: Real, const N: usize>(z: Lockstep<S, T, N>) -> Lockstep<S, T, N> {
    let [half, rest] = reduced(z);
    let value = half.times_plus(rest, half);
    value + value
}

/// 1 - e^z for z ≤ 0, to a relative error.
#[inline(always)]
pub(super) fn exp_deficit<S: Simd, T: Real, const N: usize>(z: Lockstep<S, T, N>) -> Lockstep<S, T, N> {
    let [half, rest] = reduced(z);
    let power = half + half;
    power.times_from(rest, z.like(T::of(1.0)) - power)
}
