//! The scalar types transforms run in.

use std::iter::Sum;

use rustfft::FftNum;
use rustfft::num_traits::{Float, NumAssign};

/// `f32` or `f64`. Tables and weights are computed in `f64` and rounded once.
pub trait Real: FftNum + Float + NumAssign + Sum + Default + sealed::Sealed {
    /// Rounds to this type.
    fn of(x: f64) -> Self;

    /// The same value in `f64`.
    fn wide(self) -> f64;
}

impl Real for f32 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
