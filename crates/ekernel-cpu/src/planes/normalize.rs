//! normalize: K, u and Θ times n(t)·n'(t'), n = 1/√(v + ε).

use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::OpMaps};

pub(super) struct Normalize<'a, T> {
    pub(super) maps: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) plane: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Normalize<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        for run in self.runs {
            let len = run.len * lanes;
            let n = &self.maps[0].norm.as_slice()[run.first * lanes..][..len];
            let np = &self.maps[1].norm.as_slice()[run.second * lanes..][..len];
            for values in [&mut self.plane.cov, &mut self.plane.ntk] {
                if values.as_slice().is_empty() {
                    continue;
                }
                let values = &mut values.as_mut_slice()[run.first * lanes..][..len];
                for i in 0..len {
                    values[i] *= n[i] * np[i];
                }
            }
        }
    }
}
