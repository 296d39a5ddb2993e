//! dropout with keep rate ρ: variances /ρ (so u ↦ u + ss'(1/ρ − 1)), K and Θ unchanged, except that a sample with itself
//! at equal positions has K, u and Θ all /ρ.

use ekernel_core::plan::Form;
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::OpMaps};

pub(super) struct Dropout<'a, T> {
    pub(super) keep: f64,
    pub(super) form: Form,
    /// Maps of the input op.
    pub(super) before: [&'a OpMaps<T>; 2],
    /// Per lane: 1 where both are one sample and the plane is the one of equal positions, else 0.
    pub(super) same: &'a [T],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) plane: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Dropout<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        let extra = T::new(self.keep.recip() - 1.0);
        for run in self.runs {
            for position in 0..run.len {
                let (first, second) = ((run.first + position) * lanes, (run.second + position) * lanes);
                let s = &self.before[0].std.as_slice()[first..][..lanes];
                let sp = &self.before[1].std.as_slice()[second..][..lanes];
                let cov = &mut self.plane.cov.as_mut_slice()[first..][..lanes];
                for i in 0..lanes {
                    let same = self.same[i];
                    cov[i] += match self.form {
                        Form::Cov => extra * same * cov[i],
                        Form::Defect => extra * (same * cov[i] + (T::one() - same) * s[i] * sp[i]),
                    };
                }
                if !self.plane.ntk.as_slice().is_empty() {
                    let ntk = &mut self.plane.ntk.as_mut_slice()[first..][..lanes];
                    for (theta, same) in ntk.iter_mut().zip(self.same) {
                        *theta += extra * *same * *theta;
                    }
                }
            }
        }
    }
}
