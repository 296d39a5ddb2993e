//! affine: K ↦ w²K + b², Θ ↦ w²Θ + αK + β. As a defect
//! u_o = w²u + ½s_o s'_o·\[(w s/s_o − w s'/s'_o)² + b²(1/s_o − 1/s'_o)²\]; without a bias just w²u.

use ekernel_core::plan::{self, Form};
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::OpMaps};

pub(super) struct Affine<'a, T> {
    pub(super) affine: plan::Affine,
    pub(super) form: Form,
    /// Maps of the input op.
    pub(super) before: [&'a OpMaps<T>; 2],
    /// Maps of this op.
    pub(super) after: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) plane: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let plan::Affine { w2, b2, ntk_scale, ntk_shift } = self.affine;
        let [w, w2, b2, alpha, beta] = [w2.sqrt(), w2, b2, ntk_scale, ntk_shift].map(T::new);
        let half = T::new(0.5);
        let lanes = self.lanes;
        let Plane { cov, ntk } = self.plane;
        for run in self.runs {
            let len = run.len * lanes;
            let (first, second) = (run.first * lanes, run.second * lanes);
            let cov = &mut cov.as_mut_slice()[first..first + len];
            let (s, sp) = (
                &self.before[0].std.as_slice()[first..][..len],
                &self.before[1].std.as_slice()[second..][..len],
            );
            if !ntk.as_slice().is_empty() {
                let ntk = &mut ntk.as_mut_slice()[first..first + len];
                match self.form {
                    Form::Cov => {
                        for i in 0..len {
                            ntk[i] = w2 * ntk[i] + alpha * cov[i] + beta;
                        }
                    }
                    Form::Defect => {
                        for i in 0..len {
                            ntk[i] = w2 * ntk[i] + alpha * (s[i] * sp[i] - cov[i]) + beta;
                        }
                    }
                }
            }
            match self.form {
                Form::Cov => cov.iter_mut().for_each(|x| *x = w2 * *x + b2),
                Form::Defect if self.affine.b2 == 0.0 => cov.iter_mut().for_each(|x| *x *= w2),
                Form::Defect => {
                    let (so, sop) = (
                        &self.after[0].std.as_slice()[first..][..len],
                        &self.after[1].std.as_slice()[second..][..len],
                    );
                    let (r, rp) = (
                        &self.after[0].inverse.as_slice()[first..][..len],
                        &self.after[1].inverse.as_slice()[second..][..len],
                    );
                    for i in 0..len {
                        let scaled = w * (s[i] * r[i] - sp[i] * rp[i]);
                        let shifted = r[i] - rp[i];
                        cov[i] =
                            w2 * cov[i] + half * so[i] * sop[i] * (scaled * scaled + b2 * shifted * shifted);
                    }
                }
            }
        }
    }
}
