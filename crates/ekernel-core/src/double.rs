//! Numbers of twice the precision of f64, as unevaluated sums of two. Only what the
//! standard deviations of a run of layers need.

use std::ops::Add;

/// hi + lo with |lo| at most half a unit in the last place of hi.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Double {
    /// The number rounded to f64.
    pub hi: f64,
    /// What rounding has left.
    pub lo: f64,
}

impl Double {
    /// a + b for |a| ≥ |b|, exactly.
    fn renormalised(a: f64, b: f64) -> Self {
        let hi = a + b;
        Self { hi, lo: b - (hi - a) }
    }

    /// x², exactly.
    #[inline]
    pub fn square(x: f64) -> Self {
        let hi = x * x;
        Self { hi, lo: x.mul_add(x, -hi) }
    }

    /// √self for self ≥ 0, to about 2^-100.
    #[inline]
    pub fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::default();
        }
        let root = self.hi.sqrt();
        let rest = (-root).mul_add(root, self.hi) + self.lo;
        Self::renormalised(root, rest / (2.0 * root))
    }

    /// self · 2^exponent, exactly unless it leaves the range of f64.
    #[inline]
    pub fn scaled(self, exponent: i32) -> Self {
        Self { hi: scaled(self.hi, exponent), lo: scaled(self.lo, exponent) }
    }
}

impl From<f64> for Double {
    fn from(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = self.hi + other.hi;
        let part = sum - self.hi;
        let rest = (self.hi - (sum - part)) + (other.hi - part);
        Self::renormalised(sum, rest + (self.lo + other.lo))
    }
}

/// x · 2^exponent, in steps that cannot leave the range before the result does.
#[inline]
pub fn scaled(mut x: f64, mut exponent: i32) -> f64 {
    while exponent != 0 && x != 0.0 && x.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        x *= 2f64.powi(step);
        exponent -= step;
    }
    x
}

/// ⌊log₂ x⌋ for finite x > 0.
#[inline]
pub fn exponent(x: f64) -> i32 {
    let biased = ((x.to_bits() >> 52) & 0x7ff) as i32;
    if biased == 0 { exponent(x * 2f64.powi(64)) - 64 } else { biased - 1023 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_sum_of_squares_squares_back() {
        let mut v = Double::default();
        for i in 1..=9 {
            v = v + Double::square(0.1 + f64::from(i) / 3.0);
        }
        let s = v.sqrt();
        let back = Double::square(s.hi) + Double::from(2.0 * s.hi * s.lo);
        // Measured 0: the next term s.lo² is 2^-106 of the whole.
        assert!(((back.hi - v.hi) + (back.lo - v.lo)).abs() < 1e-30 * v.hi);
        assert_eq!(Double::default().sqrt(), Double::default());
    }

    #[test]
    fn exponents() {
        for (x, e) in
            [(1.0, 0), (1.99, 0), (0.5, -1), (0.49, -2), (1e300, 996), (f64::MIN_POSITIVE / 8.0, -1025)]
        {
            assert_eq!(exponent(x), e, "{x:e}");
        }
        assert_eq!(scaled(f64::MIN_POSITIVE / 8.0, 1025), 1.0);
        assert_eq!(scaled(1.5, -2000), 0.0);
    }
}
