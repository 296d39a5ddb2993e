//! How likely the training targets are under the Gaussian process of the kernel.

use std::f64::consts::TAU;

use ndarray::ArrayView2;

use crate::{
    KernelMachine, PredictError, Ridge, Spectrum, Workers,
    diagonal::{Spread, mean_diagonal},
    validate,
};

/// The marginal likelihood of targets Y (n, m), independent outputs of N(0, a·K̃), K̃ the kernel with its ridge:
/// log p(Y) = -½ tr(YᵀK̃⁻¹Y)/a - (m/2) log|K̃| - (nm/2) log(2πa).
///
/// Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equation (2.30).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// tr(YᵀK̃⁻¹Y).
    pub quadratic: f64,
    /// log|K̃|.
    pub log_determinant: f64,
    /// Training samples n.
    pub samples: usize,
    /// Outputs m.
    pub outputs: usize,
}

impl Evidence {
    /// log p(Y) for the amplitude a of kernel and ridge; 1 for both as they are.
    pub fn log_likelihood(&self, amplitude: f64) -> f64 {
        let (n, m) = (self.samples as f64, self.outputs as f64);
        -0.5 * (self.quadratic / amplitude + m * self.log_determinant + n * m * (TAU * amplitude).ln())
    }

    /// The amplitude of the largest likelihood: tr(YᵀK̃⁻¹Y)/nm; 0 for targets that are all 0.
    pub fn best_amplitude(&self) -> f64 {
        self.quadratic / (self.samples as f64 * self.outputs as f64)
    }
}

impl KernelMachine {
    /// The evidence of targets Y (n, m) for this kernel and ridge, whatever the training time.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite) for targets
    /// that do not fit; [`Overflow`](PredictError::Overflow); [`Cancelled`](PredictError::Cancelled).
    pub fn evidence(&self, targets: ArrayView2<'_, f64>) -> Result<Evidence, PredictError> {
        const LIKE: (&str, &str) = ("training samples", "targets' columns");
        validate::array("targets", &targets, (self.n(), targets.ncols()), LIKE)?;
        let half = self.whitened(targets)?;
        let quadratic: f64 = half.iter().map(|x| x * x).sum();
        let log_determinant = self.log_determinant();
        validate::representable("marginal likelihood", [quadratic, log_determinant].iter())?;
        Ok(Evidence { quadratic, log_determinant, samples: self.n(), outputs: targets.ncols() })
    }
}

/// Relative ridges between which the most likely one is sought.
pub const LIKELY_RIDGES: [f64; 2] = [1e-10, 1e3];

/// Ridges tried in each decade before the best is refined.
const PER_DECADE: usize = 4;

/// Steps of the golden section, each 0.62 of the one before: 0.5 decades become 1e-6.
const REFINED: usize = 27;

impl Spectrum {
    /// The ridge under which targets Y (n, m) are most likely, the amplitude of the kernel being that of the largest likelihood
    /// for each ridge: the noise variance of a Gaussian process, relative to its mean variance, between [`LIKELY_RIDGES`].
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite) for targets
    /// that do not fit; [`NoScale`](PredictError::NoScale) for a kernel without a positive mean diagonal;
    /// [`NoSignal`](PredictError::NoSignal) for targets that are all 0.
    pub fn most_likely_ridge(&self, targets: ArrayView2<'_, f64>) -> Result<Ridge, PredictError> {
        const LIKE: (&str, &str) = ("training samples", "targets' columns");
        let n = self.eigenvalues().len();
        validate::array("targets", &targets, (n, targets.ncols()), LIKE)?;
        if targets.iter().all(|target| *target == 0.0) {
            return Err(PredictError::NoSignal);
        }
        let squares: Vec<f64> = self.in_basis(targets)?.rows().into_iter().map(|row| row.dot(&row)).collect();
        let spread = Spread::new(self.eigenvalues(), self.mean_diagonal());
        let scale = Ridge::Relative(1.0).on_diagonal(self.mean_diagonal())?;
        let log_likelihood = |log_ridge: f64| {
            let ridge = scale * log_ridge.exp();
            // Below, the eigenvalues of the kernel are rounding.
            if spread.smallest + ridge <= 10.0 * spread.rounding() {
                return f64::NEG_INFINITY;
            }
            let (mut quadratic, mut log_determinant) = (0.0, 0.0);
            for (square, s) in squares.iter().zip(self.eigenvalues()) {
                quadratic += square / (s + ridge);
                log_determinant += (s + ridge).ln();
            }
            let evidence = Evidence { quadratic, log_determinant, samples: n, outputs: targets.ncols() };
            evidence.log_likelihood(evidence.best_amplitude())
        };
        let [low, high] = LIKELY_RIDGES.map(f64::ln);
        let step = 10f64.ln() / PER_DECADE as f64;
        let tried = (0..=((high - low) / step).round() as usize).map(|i| low + i as f64 * step);
        let best = tried.map(|at| (at, log_likelihood(at))).filter(|(_, value)| value.is_finite());
        let best = best.max_by(|(_, a), (_, b)| a.total_cmp(b)).ok_or(PredictError::NoRidges)?.0;
        let refined = golden_section((best - step).max(low), (best + step).min(high), &log_likelihood);
        // At an end of the range the section comes near it and not onto it.
        let refined =
            [best, refined].into_iter().max_by(|a, b| log_likelihood(*a).total_cmp(&log_likelihood(*b)));
        Ok(Ridge::Relative(rounded(refined.expect("there are two").exp())))
    }
}

/// The argument of the largest value between `low` and `high`, of a function with one maximum there.
fn golden_section(mut low: f64, mut high: f64, value: &impl Fn(f64) -> f64) -> f64 {
    let share = (5f64.sqrt() - 1.0) / 2.0;
    for _ in 0..REFINED {
        let (left, right) = (high - share * (high - low), low + share * (high - low));
        if value(left) < value(right) { low = left } else { high = right }
    }
    0.5 * (low + high)
}

/// Three significant digits: more say nothing of a maximum.
fn rounded(ridge: f64) -> f64 {
    format!("{ridge:.2e}").parse().unwrap_or(ridge)
}

/// The most likely ridge of a training kernel (n, n), see [`Spectrum::most_likely_ridge`].
///
/// # Errors
/// Those of [`Spectrum::new`] and [`Spectrum::most_likely_ridge`].
pub fn most_likely_ridge(
    kernel: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    workers: impl Into<Workers>,
) -> Result<Ridge, PredictError> {
    let _scale = Ridge::Relative(1.0).on_diagonal(mean_diagonal(kernel))?;
    Spectrum::new(kernel, workers)?.most_likely_ridge(targets)
}
