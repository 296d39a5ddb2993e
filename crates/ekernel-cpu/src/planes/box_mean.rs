//! box_mean: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a). As a defect
//! u_o = Au + ½s_o s'_o·(1/q₁q₂) Σ_a (s_a/s_o − s'_a/s'_o)², with s = u = 0 outside the image.

use ekernel_core::{
    Padding, Window,
    plan::{Form, PlaneOp},
};
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::OpMaps};

pub(super) struct BoxMean<'a, T> {
    pub(super) window: Window,
    pub(super) form: Form,
    /// The input op and this one.
    pub(super) ops: [&'a PlaneOp; 2],
    /// Maps of the input op.
    pub(super) before: [&'a OpMaps<T>; 2],
    /// Maps of this op.
    pub(super) after: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) input: &'a Plane<T>,
    pub(super) out: &'a mut Plane<T>,
}

/// The taps of one output position: index into the input image, or none outside of it.
struct Taps {
    rows: Vec<Option<usize>>,
    cols: Vec<Option<usize>>,
}

impl<T: Scalar> BoxMean<'_, T> {
    fn taps(&self, position: usize) -> Taps {
        let (extent, output) = (self.ops[0].extent, self.ops[1].extent);
        let low = self.window.low(extent);
        let axis = |axis: usize, index: usize| {
            (0..self.window.size[axis])
                .map(|a| {
                    let at = (index * self.window.strides[axis] + a) as isize - low[axis] as isize;
                    let n = extent[axis] as isize;
                    match self.window.padding {
                        Padding::Circular => Some(at.rem_euclid(n) as usize),
                        _ => (0..n).contains(&at).then_some(at as usize),
                    }
                })
                .collect()
        };
        Taps { rows: axis(0, position / output[1]), cols: axis(1, position % output[1]) }
    }
}

impl<T: Scalar> WithSimd for BoxMean<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        let width = self.ops[0].extent[1];
        let mean = T::new(1.0 / self.window.area() as f64);
        let half = T::new(0.5);
        let has_ntk = !self.out.ntk.as_slice().is_empty();
        let [s, sp] = self.before.map(|maps| maps.std.as_slice());
        let zeros = vec![T::zero(); lanes];
        let mut spread = vec![T::zero(); lanes];
        let (mut k, mut theta) = (vec![T::zero(); lanes], vec![T::zero(); lanes]);
        for run in self.runs {
            for position in 0..run.len {
                let (first, second) = (run.first + position, run.second + position);
                let (taps, others) = (self.taps(first), self.taps(second));
                let (r, rp) = (
                    &self.after[0].inverse.as_slice()[first * lanes..][..lanes],
                    &self.after[1].inverse.as_slice()[second * lanes..][..lanes],
                );
                k.fill(T::zero());
                theta.fill(T::zero());
                spread.fill(T::zero());
                for (row, row2) in taps.rows.iter().zip(&others.rows) {
                    for (col, col2) in taps.cols.iter().zip(&others.cols) {
                        let inside = row.zip(*col).map(|(row, col)| row * width + col);
                        let inside2 = row2.zip(*col2).map(|(row, col)| row * width + col);
                        if let (Some(t), Some(_)) = (inside, inside2) {
                            let cov = &self.input.cov.as_slice()[t * lanes..][..lanes];
                            for i in 0..lanes {
                                k[i] += cov[i];
                            }
                            if has_ntk {
                                let ntk = &self.input.ntk.as_slice()[t * lanes..][..lanes];
                                for i in 0..lanes {
                                    theta[i] += ntk[i];
                                }
                            }
                        }
                        if self.form == Form::Defect {
                            let a = inside.map_or(&zeros[..], |t| &s[t * lanes..][..lanes]);
                            let b = inside2.map_or(&zeros[..], |t| &sp[t * lanes..][..lanes]);
                            for i in 0..lanes {
                                let difference = a[i] * r[i] - b[i] * rp[i];
                                spread[i] += difference * difference;
                            }
                        }
                    }
                }
                let out = &mut self.out.cov.as_mut_slice()[first * lanes..][..lanes];
                match self.form {
                    Form::Cov => {
                        for i in 0..lanes {
                            out[i] = mean * k[i];
                        }
                    }
                    Form::Defect => {
                        let so = &self.after[0].std.as_slice()[first * lanes..][..lanes];
                        let sop = &self.after[1].std.as_slice()[second * lanes..][..lanes];
                        for i in 0..lanes {
                            out[i] = mean * (k[i] + half * so[i] * sop[i] * spread[i]);
                        }
                    }
                }
                if has_ntk {
                    let out = &mut self.out.ntk.as_mut_slice()[first * lanes..][..lanes];
                    for i in 0..lanes {
                        out[i] = mean * theta[i];
                    }
                }
            }
        }
    }
}
