//! Real Fourier sums along one circle as small matrix products, a register of lanes at a time.
//!
//! A real function on a circle of n points has 2L-1 coefficients: of cos mα for m < L and of sin mα for 1 ≤ m < L. They
//! are kept in four classes, in this order: even cosines, odd cosines, even sines, odd sines. At α, -α, π-α and π+α the
//! classes are the same four sums up to signs, so only the first quarter of an even circle is summed (the first half of
//! an odd one, whose points do not come in fours):
//!
//! ```text
//!            even cos  odd cos  even sin  odd sin
//!     α         +         +        +         +
//!    -α         +         +        -         -
//!    π-α        +         -        -         +
//!    π+α        +         -        +         -
//! ```

use std::f64::consts::FRAC_PI_4;

use super::madd::madd;
use crate::real::Real;

/// The trigonometric tables of one circle.
#[derive(Clone, Debug)]
pub(super) struct Circle<T> {
    points: usize,
    /// Whether the number of points is even, so that they come in fours.
    fours: bool,
    classes: [std::ops::Range<usize>; 4],
    /// Where the sums at point p go: p, -p, π-p, π+p (the last two repeat the first two when n is odd).
    orbits: Vec<[usize; 4]>,
    /// `[orbit][coefficient]`: cos or sin of the order times the angle of the first point.
    synthesis: Vec<T>,
    /// `[coefficient][orbit]`: the same over how often the orbit names each of its points.
    analysis: Vec<T>,
}

impl<T: Real> Circle<T> {
    pub(super) fn new(bandlimit: usize, points: usize) -> Self {
        let (even, odd) = (bandlimit.div_ceil(2), bandlimit / 2);
        let bounds = [0, even, even + odd, 2 * even - 1 + odd, 2 * bandlimit - 1];
        let classes = std::array::from_fn(|class| bounds[class]..bounds[class + 1]);
        let width = 2 * bandlimit - 1;
        let fours = points.is_multiple_of(2);
        let quarter = if fours { points / 4 } else { (points - 1) / 2 };
        let (mut orbits, mut synthesis) = (Vec::new(), Vec::new());
        for p in 0..=quarter {
            let opposite = (points - p) % points;
            orbits.push(if fours {
                [p, opposite, points / 2 - p, points / 2 + p]
            } else {
                [p, opposite, p, opposite]
            });
            synthesis.resize(synthesis.len() + width, T::zero());
            let row = synthesis.len() - width;
            for m in 0..bandlimit {
                let (sin, cos) = root_of_unity(m * p % points, points);
                synthesis[row + cosine(bandlimit, m)] = T::of(cos);
                if m > 0 {
                    synthesis[row + sine(bandlimit, m)] = T::of(sin);
                }
            }
        }
        let analysis = (0..width)
            .flat_map(|at| orbits.iter().enumerate().map(move |(row, orbit)| (at, row, orbit)))
            .map(|(at, row, orbit)| {
                let names = if fours { &orbit[..] } else { &orbit[..2] };
                let times = names.iter().filter(|&&p| p == orbit[0]).count();
                synthesis[row * width + at] / T::of(times as f64)
            })
            .collect();
        Self { points, fours, classes, orbits, synthesis, analysis }
    }

    /// The number of coefficients, 2L-1.
    pub(super) fn width(&self) -> usize {
        self.classes[3].end
    }

    /// The number of points n.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// Lanes of working memory that [`Circle::analyse`] needs.
    pub(super) fn fold_len(&self) -> usize {
        4 * self.orbits.len()
    }

    /// Coefficients to points: `line[c]` to `out[p * stride]`.
    #[inline(always)]
    pub(super) fn synthesise<const W: usize, const FUSED: bool>(
        &self,
        line: &[[T; W]],
        out: &mut [[T; W]],
        stride: usize,
    ) {
        let [c0, c1, s0, s1] = &self.classes;
        let (even_cos, odd_cos) = (&line[c0.clone()], &line[c1.clone()]);
        let (even_sin, odd_sin) = (&line[s0.clone()], &line[s1.clone()]);
        for (orbit, trig) in self.orbits.iter().zip(self.synthesis.chunks_exact(line.len())) {
            let ce = dot::<T, W, FUSED>(&trig[c0.clone()], even_cos);
            let co = dot::<T, W, FUSED>(&trig[c1.clone()], odd_cos);
            let se = dot::<T, W, FUSED>(&trig[s0.clone()], even_sin);
            let so = dot::<T, W, FUSED>(&trig[s1.clone()], odd_sin);
            let (cos, sin) = (add(ce, co), add(se, so));
            out[orbit[0] * stride] = add(cos, sin);
            out[orbit[1] * stride] = sub(cos, sin);
            if self.fours {
                let (cos, sin) = (sub(ce, co), sub(se, so));
                out[orbit[2] * stride] = sub(cos, sin);
                out[orbit[3] * stride] = add(cos, sin);
            }
        }
    }

    /// Points to Σ_p f_p cos mα_p and Σ_p f_p sin mα_p: `values[p * stride]` to `line[c]`.
    #[inline(always)]
    pub(super) fn analyse<const W: usize, const FUSED: bool>(
        &self,
        values: &[[T; W]],
        stride: usize,
        fold: &mut [[T; W]],
        line: &mut [[T; W]],
    ) {
        let count = self.orbits.len();
        for (at, orbit) in self.orbits.iter().enumerate() {
            let (a, b) = (values[orbit[0] * stride], values[orbit[1] * stride]);
            let (mut cos, mut sin) = ([add(a, b); 2], [sub(a, b); 2]);
            if self.fours {
                let (c, d) = (values[orbit[2] * stride], values[orbit[3] * stride]);
                let (sum, difference) = (add(c, d), sub(d, c));
                cos = [add(cos[0], sum), sub(cos[1], sum)];
                sin = [add(sin[0], difference), sub(sin[1], difference)];
            }
            fold[at] = cos[0];
            fold[count + at] = cos[1];
            fold[2 * count + at] = sin[0];
            fold[3 * count + at] = sin[1];
        }
        for (class, range) in self.classes.iter().enumerate() {
            let folded = &fold[class * count..(class + 1) * count];
            for at in range.clone() {
                line[at] = dot::<T, W, FUSED>(&self.analysis[at * count..(at + 1) * count], folded);
            }
        }
    }

    /// Multiply-adds and additions of one [`Circle::synthesise`], for each lane.
    pub(super) fn synthesis_cost(&self) -> [usize; 2] {
        let additions = if self.fours { 8 } else { 4 };
        [self.orbits.len() * self.width(), self.orbits.len() * additions]
    }
}

/// Where cos mα stands among the coefficients.
pub(super) fn cosine(bandlimit: usize, m: usize) -> usize {
    if m.is_multiple_of(2) { m / 2 } else { bandlimit.div_ceil(2) + m / 2 }
}

/// Where sin mα stands among the coefficients, m ≥ 1.
pub(super) fn sine(bandlimit: usize, m: usize) -> usize {
    let (even, odd) = (bandlimit.div_ceil(2), bandlimit / 2);
    if m.is_multiple_of(2) { even + odd + m / 2 - 1 } else { 2 * even - 1 + odd + m / 2 }
}

/// (sin, cos) of 2πk/n, k < n, with exact zeros: the argument is brought to the first octant in integers.
fn root_of_unity(k: usize, n: usize) -> (f64, f64) {
    let octant = 8 * k / n;
    // Distance to the nearest multiple of a quarter turn, in units of 2π/8n.
    let rest = if octant.is_multiple_of(2) { 8 * k - octant * n } else { (octant + 1) * n - 8 * k };
    let (s, c) = (FRAC_PI_4 * rest as f64 / n as f64).sin_cos();
    match octant {
        0 => (s, c),
        1 => (c, s),
        2 => (c, -s),
        3 => (s, -c),
        4 => (-s, -c),
        5 => (-c, -s),
        6 => (-c, s),
        _ => (-s, c),
    }
}

#[inline(always)]
fn dot<T: Real, const W: usize, const FUSED: bool>(factors: &[T], values: &[[T; W]]) -> [T; W] {
    let mut sum = [T::zero(); W];
    for (&factor, value) in factors.iter().zip(values) {
        for i in 0..W {
            sum[i] = madd::<T, FUSED>(factor, value[i], sum[i]);
        }
    }
    sum
}

#[inline(always)]
fn add<T: Real, const W: usize>(mut a: [T; W], b: [T; W]) -> [T; W] {
    for i in 0..W {
        a[i] += b[i];
    }
    a
}

#[inline(always)]
fn sub<T: Real, const W: usize>(mut a: [T; W], b: [T; W]) -> [T; W] {
    for i in 0..W {
        a[i] -= b[i];
    }
    a
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn roots_of_unity_are_accurate_and_exact_on_the_axes() {
        for n in [1, 2, 3, 4, 7, 8, 12, 24, 48, 95] {
            for k in 0..n {
                let (sin, cos) = root_of_unity(k, n);
                let angle = TAU * k as f64 / n as f64;
                // Measured: 6e-16, of which the reduction of the argument in sin and cos is the larger part.
                assert!((sin - angle.sin()).abs() < 1e-15 && (cos - angle.cos()).abs() < 1e-15, "{k}/{n}");
                if 4 * k % n == 0 {
                    assert!(sin == 0.0 || cos == 0.0, "{k}/{n}");
                }
            }
        }
    }

    #[test]
    fn both_directions_are_the_sums_they_claim() {
        for (bandlimit, points) in [(1, 1), (1, 2), (2, 3), (2, 4), (3, 6), (5, 9), (6, 12), (4, 14), (7, 24)]
        {
            let circle = Circle::<f64>::new(bandlimit, points);
            let width = circle.width();
            let angle = |m: usize, p: usize| TAU * (m * p % points) as f64 / points as f64;
            let matrix = |at: usize, p: usize| match (0..bandlimit).find(|&m| cosine(bandlimit, m) == at) {
                Some(m) => angle(m, p).cos(),
                None => angle((1..bandlimit).find(|&m| sine(bandlimit, m) == at).unwrap(), p).sin(),
            };
            let mut fold = vec![[0.0]; circle.fold_len()];
            for at in 0..width {
                let mut line = vec![[0.0]; width];
                line[at] = [1.0];
                let mut values = vec![[f64::NAN]; points];
                circle.synthesise::<1, false>(&line, &mut values, 1);
                for (p, value) in values.iter().enumerate() {
                    assert!((value[0] - matrix(at, p)).abs() < 2e-15, "{bandlimit} {points} {at} {p}");
                }
            }
            for p in 0..points {
                let mut values = vec![[0.0]; points];
                values[p] = [1.0];
                let mut line = vec![[f64::NAN]; width];
                circle.analyse::<1, false>(&values, 1, &mut fold, &mut line);
                for (at, value) in line.iter().enumerate() {
                    assert!((value[0] - matrix(at, p)).abs() < 2e-15, "{bandlimit} {points} {at} {p}");
                }
            }
        }
    }
}
