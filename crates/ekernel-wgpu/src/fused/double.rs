//! Numbers of twice the precision of f64, as unevaluated sums of two: only what the standard deviations of a chain need.

use std::ops::Add;

/// hi + lo with |lo| at most half a unit in the last place of hi.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Double {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

impl Double {
    /// a + b for |a| ≥ |b|, exactly.
    fn renormalised(a: f64, b: f64) -> Double {
        let hi = a + b;
        Double { hi, lo: b - (hi - a) }
    }

    /// x², exactly.
    pub(super) fn square(x: f64) -> Double {
        let hi = x * x;
        Double { hi, lo: x.mul_add(x, -hi) }
    }

    /// √self for self ≥ 0, to about 2⁻¹⁰⁰.
    pub(super) fn sqrt(self) -> Double {
        if self.hi <= 0.0 {
            return Double::default();
        }
        let root = self.hi.sqrt();
        let rest = (-root).mul_add(root, self.hi) + self.lo;
        Double::renormalised(root, rest / (2.0 * root))
    }

    /// self·2^exponent.
    pub(super) fn scaled(self, exponent: i32) -> Double {
        Double { hi: scaled(self.hi, exponent), lo: scaled(self.lo, exponent) }
    }
}

impl From<f64> for Double {
    fn from(hi: f64) -> Double {
        Double { hi, lo: 0.0 }
    }
}

impl Add for Double {
    type Output = Double;

    fn add(self, other: Double) -> Double {
        let sum = self.hi + other.hi;
        let part = sum - self.hi;
        let rest = (self.hi - (sum - part)) + (other.hi - part);
        Double::renormalised(sum, rest + (self.lo + other.lo))
    }
}

/// x·2^exponent, in steps that cannot leave the range before the result does.
pub(super) fn scaled(mut x: f64, mut exponent: i32) -> f64 {
    while exponent != 0 && x != 0.0 && x.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        x *= 2f64.powi(step);
        exponent -= step;
    }
    x
}

/// ⌊log₂ x⌋ for finite x > 0.
pub(super) fn exponent(x: f64) -> i32 {
    let biased = ((x.to_bits() >> 52) & 0x7ff) as i32;
    if biased == 0 { exponent(x * 2f64.powi(64)) - 64 } else { biased - 1023 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_sum_of_squares_squares_back() {
        let sum = (1..=9).map(|i| Double::square(0.1 + f64::from(i) / 3.0)).fold(Double::default(), Add::add);
        let s = sum.sqrt();
        let back = Double::square(s.hi) + Double::from(2.0 * s.hi * s.lo);
        assert!(((back.hi - sum.hi) + (back.lo - sum.lo)).abs() < 1e-30 * sum.hi);
        assert_eq!(scaled(1.5, -2000), 0.0);
        assert_eq!([exponent(1.99), exponent(0.49), exponent(f64::MIN_POSITIVE / 8.0)], [0, -2, -1025]);
    }
}
