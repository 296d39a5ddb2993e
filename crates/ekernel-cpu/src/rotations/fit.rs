//! Functions of cos θ as Chebyshev series, as short as the precision asks for.

use std::{f64::consts::PI, sync::OnceLock};

use super::{moments::STEP, pointwise::Value, variable::Variable};

/// The largest degree.
const MAX_DEGREE: usize = 256;

/// A function F, A, B of cos θ (see [`Value`]) as series in T_n(x), all of one degree, a multiple of [`STEP`].
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) cov: Vec<f64>,
    pub(super) carry: Vec<f64>,
    pub(super) own: Vec<f64>,
}

impl Fit {
    /// Interpolates in the points x = cos(πj/N), N = 16, 32, … until the series ends at `tolerance` of the function's
    /// largest value. Nothing if it does not end.
    pub(super) fn new(
        variable: Variable,
        tolerance: f64,
        mut function: impl FnMut(f64) -> Value,
    ) -> Option<Fit> {
        let mut degree = 16;
        let mut at = |j: usize, degree: usize| function(variable.cosine(turn(j * MAX_DEGREE / degree)));
        let mut samples: Vec<Value> = (0..=degree).map(|j| at(j, degree)).collect();
        loop {
            let parts = [|v: &Value| v.cov, |v: &Value| v.carry, |v: &Value| v.own]
                .map(|part| Part::new(&samples, part));
            if parts.iter().any(|part| !part.scale.is_finite()) {
                return None;
            }
            let series = parts.map(Part::series);
            if series.iter().all(|series| series.ends(tolerance)) {
                let cut = series.iter().map(|series| series.degree(tolerance)).max().unwrap_or(STEP);
                let [cov, carry, own] = series.map(|series| series.cut(cut));
                return Some(Fit { cov, carry, own });
            }
            degree *= 2;
            if degree > MAX_DEGREE {
                return None;
            }
            let mut finer = Vec::with_capacity(degree + 1);
            for (j, sample) in samples.into_iter().enumerate() {
                if j > 0 {
                    finer.push(at(2 * j - 1, degree));
                }
                finer.push(sample);
            }
            samples = finer;
        }
    }

    /// Zero.
    pub(super) fn constant() -> Fit {
        let [cov, carry, own] = [0; 3].map(|_| vec![0.0; STEP + 1]);
        Fit { cov, carry, own }
    }

    /// The degree of the series.
    pub(super) fn degree(&self) -> usize {
        self.cov.len() - 1
    }
}

/// The derivative of Σ a_n T_n: a'_{n−1} = 2n a_n + a'_{n+1}, a'_0 halved.
pub(super) fn derivative(series: &[f64]) -> Vec<f64> {
    let mut slopes = vec![0.0; series.len() + 1];
    for n in (1..series.len()).rev() {
        slopes[n - 1] = 2.0 * n as f64 * series[n] + slopes[n + 1];
    }
    slopes[0] *= 0.5;
    slopes
}

/// One of the functions, at the points, and its largest value.
struct Part {
    samples: Vec<f64>,
    scale: f64,
}

impl Part {
    fn new(samples: &[Value], part: fn(&Value) -> f64) -> Part {
        let samples: Vec<f64> = samples.iter().map(part).collect();
        let larger = |a: f64, b: &f64| if b.is_finite() { a.max(b.abs()) } else { f64::INFINITY };
        Part { scale: samples.iter().fold(0.0, larger), samples }
    }

    fn is_constant(&self) -> bool {
        self.samples.iter().all(|sample| *sample == self.samples[0])
    }

    /// a_n = (2/N) Σ''_j f_j cos(πnj/N), the first and last terms of the sum and of the series halved.
    fn series(self) -> Series {
        let mut coefficients = vec![0.0; self.samples.len()];
        if self.is_constant() {
            coefficients[0] = self.samples[0];
        } else {
            // All sums side by side, each in the order of its terms.
            for (sample, row) in self.samples.iter().zip(cosines(self.samples.len() - 1)) {
                coefficients.iter_mut().zip(row).for_each(|(sum, cosine)| *sum += sample * cosine);
            }
            let degree = self.samples.len() - 1;
            let half = |n: usize| if n == 0 || n == degree { 0.5 } else { 1.0 };
            coefficients.iter_mut().enumerate().for_each(|(n, sum)| *sum *= half(n) * 2.0 / degree as f64);
        }
        Series { coefficients, scale: self.scale }
    }
}

/// One series and the largest value it was made from.
struct Series {
    coefficients: Vec<f64>,
    scale: f64,
}

impl Series {
    /// Whether the last terms are nothing.
    fn ends(&self, tolerance: f64) -> bool {
        let last = &self.coefficients[self.coefficients.len() - 3..];
        last.iter().all(|a| a.abs() <= 0.5 * tolerance * self.scale)
    }

    /// The degree, a multiple of [`STEP`], behind which the terms add up to nothing.
    fn degree(&self, tolerance: f64) -> usize {
        let mut rest = 0.0;
        for (n, a) in self.coefficients.iter().enumerate().rev() {
            rest += a.abs();
            if rest > tolerance * self.scale {
                return n.next_multiple_of(STEP).max(STEP);
            }
        }
        STEP
    }

    fn cut(mut self, degree: usize) -> Vec<f64> {
        self.coefficients.resize(degree + 1, 0.0);
        self.coefficients
    }
}

/// cos(πnj/N) at row j and column n, N a power of 2 from 16 to [`MAX_DEGREE`]; the first and the last row halved.
fn cosines(degree: usize) -> std::slice::ChunksExact<'static, f64> {
    static TABLES: [OnceLock<Vec<f64>>; 5] = [const { OnceLock::new() }; 5];
    let table = TABLES[(degree / 16).ilog2() as usize].get_or_init(|| {
        let step = MAX_DEGREE / degree;
        let half = |j: usize| if j == 0 || j == degree { 0.5 } else { 1.0 };
        let row = |j: usize| (0..=degree).map(move |n| half(j) * turn(n * j * step % (2 * MAX_DEGREE)));
        (0..=degree).flat_map(row).collect()
    });
    table.chunks_exact(degree + 1)
}

/// cos(πk/[`MAX_DEGREE`]), k < 2·[`MAX_DEGREE`].
fn turn(k: usize) -> f64 {
    static TABLE: std::sync::LazyLock<Vec<f64>> = std::sync::LazyLock::new(|| {
        // By the sine of the smaller angle, so that the table is symmetric and zero where it is zero.
        let half = MAX_DEGREE as isize / 2;
        (0..2 * MAX_DEGREE as isize)
            .map(|k| {
                let k = k.min(2 * MAX_DEGREE as isize - k);
                (PI * (half - k) as f64 / MAX_DEGREE as f64).sin()
            })
            .collect()
    });
    TABLE[k]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(series: &[f64], x: f64) -> f64 {
        series.iter().enumerate().map(|(n, a)| a * (n as f64 * x.acos()).cos()).sum()
    }

    #[test]
    fn series_are_the_functions() {
        for (variable, tolerance) in
            [(Variable::Cosine, 1e-7), (Variable::Cosine, 1e-13), (Variable::Angle, 1e-13)]
        {
            let function = |c: f64| Value { cov: (2.0 * c).exp(), carry: 1.0 / (1.3 - c), own: 3.0 };
            let fit = Fit::new(variable, tolerance, function).expect("a smooth function");
            for i in 0..=100 {
                let x = f64::from(i) / 50.0 - 1.0;
                let value = function(variable.cosine(x));
                let found = [sum(&fit.cov, x), sum(&fit.carry, x), sum(&fit.own, x)];
                for (found, value) in found.into_iter().zip([value.cov, value.carry, value.own]) {
                    assert!((found - value).abs() <= 10.0 * tolerance, "{variable:?} {x} {found} {value}");
                }
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_series() {
        let series = [0.5, -1.0, 0.25, 0.125, -0.5];
        for x in [-0.9, -0.2, 0.4, 0.8] {
            let step = 1e-5;
            let difference = (sum(&series, x + step) - sum(&series, x - step)) / (2.0 * step);
            assert!((sum(&derivative(&series), x) - difference).abs() < 1e-8, "{x}");
        }
    }

    #[test]
    fn a_corner_has_no_series() {
        let corner = |c: f64| Value { cov: (c - 0.3).abs(), carry: 0.0, own: 0.0 };
        assert!(Fit::new(Variable::Cosine, 1e-7, corner).is_none());
        assert!(
            Fit::new(Variable::Cosine, 1e-7, |c| Value { cov: 1.0 / (c - 1.0), carry: 0.0, own: 0.0 })
                .is_none()
        );
    }
}
