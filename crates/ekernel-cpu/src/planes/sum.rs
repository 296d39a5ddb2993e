//! sum of independent branches: ΣK_i, ΣΘ_i. As a defect Σu_i + ½s_o s'_o·Σ_i (s_i/s_o − s'_i/s'_o)².

use ekernel_core::plan::Form;
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::OpMaps};

pub(super) struct Sum<'a, T> {
    pub(super) form: Form,
    /// Each branch: its plane and its maps.
    pub(super) branches: Vec<(&'a Plane<T>, [&'a OpMaps<T>; 2])>,
    /// Maps of this op.
    pub(super) after: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) out: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        let half = T::new(0.5);
        for run in self.runs {
            let len = run.len * lanes;
            let (first, second) = (run.first * lanes, run.second * lanes);
            let cov = &mut self.out.cov.as_mut_slice()[first..][..len];
            cov.fill(T::zero());
            let [so, r] =
                [&self.after[0].std, &self.after[0].inverse].map(|map| &map.as_slice()[first..][..len]);
            let [sop, rp] =
                [&self.after[1].std, &self.after[1].inverse].map(|map| &map.as_slice()[second..][..len]);
            for (plane, maps) in &self.branches {
                let u = &plane.cov.as_slice()[first..][..len];
                match self.form {
                    Form::Cov => {
                        for i in 0..len {
                            cov[i] += u[i];
                        }
                    }
                    Form::Defect => {
                        let s = &maps[0].std.as_slice()[first..][..len];
                        let sp = &maps[1].std.as_slice()[second..][..len];
                        for i in 0..len {
                            let difference = s[i] * r[i] - sp[i] * rp[i];
                            cov[i] += u[i] + half * so[i] * sop[i] * difference * difference;
                        }
                    }
                }
            }
            if self.out.ntk.as_slice().is_empty() {
                continue;
            }
            let ntk = &mut self.out.ntk.as_mut_slice()[first..][..len];
            ntk.fill(T::zero());
            for (plane, _) in &self.branches {
                let theta = &plane.ntk.as_slice()[first..][..len];
                for i in 0..len {
                    ntk[i] += theta[i];
                }
            }
        }
    }
}
