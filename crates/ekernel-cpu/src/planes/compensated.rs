//! Sums whose error does not grow with their length.

use super::Scalar;

/// Terms of a sum up to which rounding errors are let grow: half a unit in the last place each.
const PLAIN: usize = 16;

/// sum += x by Kahan's rule; `excess` is what rounding has added to the sum so far.
#[inline(always)]
fn add_to<T: Scalar>(sum: &mut T, excess: &mut T, x: T) {
    let x = x - *excess;
    let next = *sum + x;
    *excess = (next - *sum) - x;
    *sum = next;
}

/// out += terms, element by element, compensated where `excess` has elements.
#[inline(always)]
pub(super) fn add_all<T: Scalar>(out: &mut [T], excess: &mut [T], terms: impl Iterator<Item = T>) {
    if excess.is_empty() {
        for (out, term) in out.iter_mut().zip(terms) {
            *out += term;
        }
    } else {
        for ((out, excess), term) in out.iter_mut().zip(excess).zip(terms) {
            add_to(out, excess, term);
        }
    }
}

/// How many numbers hold what rounding adds to `len` sums of `terms`; none where that is let be.
pub(super) fn room(terms: usize, len: usize) -> usize {
    if terms > PLAIN { len } else { 0 }
}

/// Zeros in that room.
pub(super) fn excess<T: Scalar>(terms: usize, len: usize) -> Vec<T> {
    vec![T::zero(); room(terms, len)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_grow() {
        let (mut plain, mut sum, mut excess) = (0.0_f32, 0.0_f32, 0.0);
        for _ in 0..100_000 {
            plain += 0.1;
            add_to(&mut sum, &mut excess, 0.1);
        }
        let exact = 100_000.0 * 0.1_f32 as f64;
        assert!((f64::from(sum) - exact).abs() < 1e-7 * exact);
        assert!((f64::from(plain) - exact).abs() > 1e-4 * exact);
    }
}
