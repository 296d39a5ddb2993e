use num_traits::{Float, NumAssign};

use crate::chain::Compiled;

/// A [`Compiled`] with ordinary arithmetic, for loops that the compiler vectorises.
pub(crate) trait Scalar: Compiled + Float + NumAssign + std::iter::Sum {
    /// From f64, rounded.
    fn new(x: f64) -> Self {
        Self::of(x)
    }
}

impl Scalar for f32 {}
impl Scalar for f64 {}

/// x, 0 if that is less; `max` would make a number of what is none.
#[inline(always)]
pub(crate) fn nonnegative<T: Scalar>(x: T) -> T {
    if x < T::zero() { T::zero() } else { x }
}

/// c₀ + c₁x + …, by Horner's rule.
#[inline(always)]
pub(crate) fn polynomial<T: Scalar>(coefficients: &[T], x: T) -> T {
    let mut sum = T::zero();
    for &c in coefficients.iter().rev() {
        sum = sum * x + c;
    }
    sum
}
