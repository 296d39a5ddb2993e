//! box_mean: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a). As a defect
//! u_o = Au + ½s_o s'_o·(1/q₁q₂) Σ_a (s_a/s_o − s'_a/s'_o)², with s = u = 0 outside the image.

use ekernel_core::{
    Window,
    plan::{Form, PlaneNode},
};
use pulp::{Simd, WithSimd};

use super::{
    Plane, Scalar,
    compensated::{self, add_all},
    geometry::Run,
    pack::OpMaps,
};

pub(super) struct BoxMean<'a, T> {
    pub(super) window: Window,
    pub(super) form: Form,
    /// The input op and this one.
    pub(super) ops: [&'a PlaneNode; 2],
    /// Maps of the input op.
    pub(super) before: [&'a OpMaps<T>; 2],
    /// Maps of this op.
    pub(super) after: [&'a OpMaps<T>; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) input: &'a Plane<T>,
    pub(super) out: &'a mut Plane<T>,
}

/// Consecutive output columns of a run whose tap lies at consecutive input columns of either image, or outside of it.
#[derive(Clone, Copy, Debug)]
struct Segment {
    at: usize,
    len: usize,
    columns: [Option<usize>; 2],
}

/// A run of output columns (in both images) and, per tap, its segments.
struct Columns {
    starts: [usize; 2],
    len: usize,
    taps: Vec<Vec<Segment>>,
}

/// A window over an input extent.
#[derive(Clone, Copy)]
struct Taps {
    window: Window,
    extent: [usize; 2],
}

impl Taps {
    fn columns(&self, starts: [usize; 2], len: usize) -> Columns {
        let segments = |a: usize| {
            let mut segments: Vec<Segment> = Vec::new();
            for at in 0..len {
                let columns = starts.map(|start| self.window.tap(self.extent, 1, start + at, a));
                let follows = segments.last().is_some_and(|last| {
                    let next = |side: usize| last.columns[side].map(|column| column + last.len);
                    self.window.strides[1] == 1 && columns == [next(0), next(1)]
                });
                match segments.last_mut() {
                    Some(last) if follows => last.len += 1,
                    _ => segments.push(Segment { at, len: 1, columns }),
                }
            }
            segments
        };
        Columns { starts, len, taps: (0..self.window.size[1]).map(segments).collect() }
    }
}

impl<T: Scalar> WithSimd for BoxMean<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.lanes;
        let taps = Taps { window: self.window, extent: self.ops[0].at.extent };
        let [width, wide] = [self.ops[0].at.extent[1], self.ops[1].at.extent[1]];
        let mean = T::new(1.0 / self.window.area() as f64);
        let half = T::new(0.5);
        let has_ntk = !self.out.ntk.as_slice().is_empty();
        let [s, sp] = self.before.map(|maps| maps.std.as_slice());
        let mut pieces: Vec<Columns> = Vec::new();
        let mut spread = vec![T::zero(); wide * lanes];
        for run in self.runs {
            let starts = [run.first % wide, run.second % wide];
            let known = pieces.iter().position(|piece| piece.starts == starts && piece.len == run.len);
            let known = known.unwrap_or_else(|| {
                pieces.push(taps.columns(starts, run.len));
                pieces.len() - 1
            });
            let piece = &pieces[known];
            let len = run.len * lanes;
            let (first, second) = (run.first * lanes, run.second * lanes);
            let r = &self.after[0].inverse.as_slice()[first..][..len];
            let rp = &self.after[1].inverse.as_slice()[second..][..len];
            let cov = &mut self.out.cov.as_mut_slice()[first..][..len];
            let spread = &mut spread[..len];
            cov.fill(T::zero());
            spread.fill(T::zero());
            // What rounding has added to the sums of K, Θ and the spread.
            let mut excess: [Vec<T>; 3] =
                std::array::from_fn(|_| compensated::excess(self.window.area(), len));
            if has_ntk {
                self.out.ntk.as_mut_slice()[first..][..len].fill(T::zero());
            }
            for a in 0..self.window.size[0] {
                let rows =
                    [run.first / wide, run.second / wide].map(|row| taps.window.tap(taps.extent, 0, row, a));
                for segment in piece.taps.iter().flatten() {
                    let place = |side: usize| {
                        rows[side]
                            .zip(segment.columns[side])
                            .map(|(row, column)| (row * width + column) * lanes)
                    };
                    let (from, count) = (segment.at * lanes, segment.len * lanes);
                    let (one, two) = (place(0), place(1));
                    let [of_cov, of_ntk, of_spread] =
                        excess.each_mut().map(|all| all.get_mut(from..from + count).unwrap_or_default());
                    if let (Some(t), Some(_)) = (one, two) {
                        let input = &self.input.cov.as_slice()[t..][..count];
                        add_all(&mut cov[from..][..count], of_cov, input.iter().copied());
                        if has_ntk {
                            let theta = &mut self.out.ntk.as_mut_slice()[first + from..][..count];
                            let input = &self.input.ntk.as_slice()[t..][..count];
                            add_all(theta, of_ntk, input.iter().copied());
                        }
                    }
                    if self.form == Form::Defect {
                        let spread = &mut spread[from..][..count];
                        let one = one.map(|t| s[t..][..count].iter().zip(&r[from..][..count]));
                        let two = two.map(|t| sp[t..][..count].iter().zip(&rp[from..][..count]));
                        match (one, two) {
                            (Some(one), Some(two)) => add_all(
                                spread,
                                of_spread,
                                one.zip(two).map(|((s, r), (sp, rp))| square(*s * *r - *sp * *rp)),
                            ),
                            (Some(ratio), None) | (None, Some(ratio)) => {
                                add_all(spread, of_spread, ratio.map(|(s, r)| square(*s * *r)));
                            }
                            (None, None) => {}
                        }
                    }
                }
            }
            match self.form {
                Form::Cov => cov.iter_mut().for_each(|x| *x *= mean),
                Form::Defect => {
                    let so = &self.after[0].std.as_slice()[first..][..len];
                    let sop = &self.after[1].std.as_slice()[second..][..len];
                    for i in 0..len {
                        cov[i] = mean * (cov[i] + half * so[i] * sop[i] * spread[i]);
                    }
                }
            }
            if has_ntk {
                self.out.ntk.as_mut_slice()[first..][..len].iter_mut().for_each(|x| *x *= mean);
            }
        }
    }
}

#[inline(always)]
fn square<T: Scalar>(x: T) -> T {
    x * x
}
