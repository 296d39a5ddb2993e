//! correlate: K⁰ = (1/C) Σ_c f_c f'_c; as a defect u⁰ = ½ss'·(1/C) Σ_c (f_c/s − f'_c/s')², which is exactly 0 for equal
//! pixels. Θ⁰ = 0.

use ekernel_core::plan::Form;
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, compensated, geometry::Run, pack::OpMaps};

pub(super) struct Correlate<'a, T> {
    pub(super) form: Form,
    pub(super) maps: [&'a OpMaps<T>; 2],
    pub(super) channels: usize,
    pub(super) positions: usize,
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) out: &'a mut Plane<T>,
}

impl<T: Scalar> WithSimd for Correlate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        let mean = T::new(1.0 / self.channels as f64);
        let [f, g] = self.maps.map(|maps| maps.features.as_slice());
        let [s, sp] = self.maps.map(|maps| maps.std.as_slice());
        for run in self.runs {
            let len = run.len * lanes;
            let (first, second) = (run.first * lanes, run.second * lanes);
            let cov = &mut self.out.cov.as_mut_slice()[first..first + len];
            cov.fill(T::zero());
            let mut excess = compensated::excess(self.channels, len);
            for c in 0..self.channels {
                let base = c * self.positions * lanes;
                let (a, b) = (&f[base + first..][..len], &g[base + second..][..len]);
                let both = a.iter().zip(b);
                match self.form {
                    Form::Cov => compensated::add_all(cov, &mut excess, both.map(|(a, b)| *a * *b)),
                    Form::Defect => {
                        compensated::add_all(cov, &mut excess, both.map(|(a, b)| (*a - *b) * (*a - *b)));
                    }
                }
            }
            let (s, sp) = (&s[first..][..len], &sp[second..][..len]);
            match self.form {
                Form::Cov => cov.iter_mut().for_each(|x| *x *= mean),
                Form::Defect => {
                    let half = mean * T::new(0.5);
                    for i in 0..len {
                        cov[i] *= half * s[i] * sp[i];
                    }
                }
            }
            if !self.out.ntk.as_slice().is_empty() {
                self.out.ntk.as_mut_slice()[first..first + len].fill(T::zero());
            }
        }
    }
}
