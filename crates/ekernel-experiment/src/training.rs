//! From kernels to predictions.

use std::{fmt, str::FromStr};

use ekernel_data::Targets;
use ekernel_predict::{
    Center, FINE_RIDGES, Fit, Folds, KernelMachine, Nngp, PredictError, RIDGES, Ridge, RidgeSearch,
    TargetMean, TrainingTime, Workers, most_likely_ridge, one_hot_centered,
};
use ndarray::{Array1, Array2, ArrayView2};

use crate::kind::Kind;

/// The ridge, given or to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RidgeChoice {
    /// As given.
    Given(Ridge),
    /// The best of [`RIDGES`] on five folds of the training set.
    Auto,
    /// The best of [`FINE_RIDGES`] on them.
    Fine,
    /// The noise under which the training targets are most likely, see [`most_likely_ridge`]; of values alone.
    Likelihood,
}

/// The amplitude of the prior covariance of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Amplitude {
    /// The kernel as it is.
    #[default]
    AsComputed,
    /// The one under which the training targets are most likely. It changes covariances, not means.
    Fit,
}

/// Folds of the search for a ridge.
const FOLDS: usize = 5;

/// How a machine is trained.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// The kernel.
    pub kind: Kind,
    /// What is added to its diagonal.
    pub ridge: RidgeChoice,
    /// How long gradient descent runs.
    pub time: TrainingTime,
    /// What is taken off regression targets.
    pub center: Center,
    /// Whether regression targets are divided by their standard deviation, and predictions multiplied by it.
    pub standardize: bool,
    /// Of values with the NNGP kernel, the amplitude of the prior.
    pub amplitude: Amplitude,
    /// Threads to solve on.
    pub threads: usize,
}

/// What a trained machine predicts of the test set.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Centred one-hot scores (n_test, classes), or values (n_test, m).
    pub mean: Array2<f64>,
    /// (n_test, n_test), if asked for: of each output, in units of its square; of several outputs that were standardised, in
    /// units of the squares of their [`scale`](Prediction::scale).
    pub covariance: Option<Array2<f64>>,
    /// The standard deviation (n_test, outputs) of each prediction, without noise, beside the covariance.
    pub std: Option<Array2<f64>>,
    /// The ridge that was given or chosen.
    pub ridge: Ridge,
    /// What each output was divided by before training.
    pub scale: Array1<f64>,
    /// Of values with the NNGP kernel at infinite time: how likely the training targets are.
    pub likelihood: Option<Likelihood>,
}

/// The training targets under the Gaussian process of the NNGP kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Likelihood {
    /// The log of the marginal likelihood of the targets as they are stored.
    pub log: f64,
    /// The amplitude of kernel and ridge; 1 for both as computed.
    pub amplitude: f64,
    /// Standard deviation of the noise of each output, in its units: the ridge as a variance.
    pub noise_std: Array1<f64>,
}

impl Training {
    /// Trains on the kernel (n, n) of the training set and predicts from the kernel (n_test, n); with NNGP kernels also
    /// the covariance. `workers` are [`Training::threads`] threads, or others.
    ///
    /// # Errors
    /// Those of [`RidgeSearch`], [`KernelMachine`] and [`Fit`].
    pub fn predict(
        &self,
        train: ArrayView2<'_, f64>,
        cross: ArrayView2<'_, f64>,
        targets: &Targets,
        nngp: Option<&Nngp<'_>>,
        workers: &Workers,
    ) -> Result<Prediction, PredictError> {
        let (trained, mean) = self.outputs(targets)?;
        let (ridge, machine) = self.machine(train, targets, &mean, workers)?;
        let fit = machine.fit(trained.view())?;
        let likelihood = self.likelihood(&machine, targets, &trained, &mean)?;
        let amplitude = likelihood.as_ref().map_or(1.0, |likelihood| likelihood.amplitude);
        let scale = mean.scale().to_owned();
        // Of one output, in its own units.
        let unit = if scale.len() == 1 { scale[0] * scale[0] } else { 1.0 };
        let covariance = self.covariance(&fit, cross, nngp)?.map(|covariance| covariance * amplitude);
        let std = covariance.as_ref().map(|covariance| {
            let deviations = covariance.diag().mapv(f64::sqrt);
            Array2::from_shape_fn((deviations.len(), scale.len()), |(i, k)| deviations[i] * scale[k])
        });
        let covariance = covariance.map(|covariance| covariance * unit);
        let predicted = fit.mean(cross)?;
        let predicted = match targets {
            Targets::Classes { .. } => predicted,
            Targets::Regression(_) => mean.restored(predicted)?,
        };
        Ok(Prediction { mean: predicted, covariance, std, ridge, scale, likelihood })
    }

    /// What noise of these standard deviations adds to the diagonal of the training kernel: their squares, in units of the scale
    /// of the targets. Outputs of several scales share the mean of it.
    ///
    /// # Errors
    /// Those of [`TargetMean::scaled_by`].
    pub(crate) fn noise_variances(
        &self,
        targets: &Targets,
        noise: Array1<f64>,
    ) -> Result<Array1<f64>, PredictError> {
        let (_, mean) = self.outputs(targets)?;
        let unit = mean.scale().iter().map(|scale| scale.powi(-2)).sum::<f64>() / mean.scale().len() as f64;
        Ok(noise.mapv(|deviation| deviation * deviation * unit))
    }

    /// What a machine is trained on, and what leads back from its outputs to the targets.
    ///
    /// # Errors
    /// Those of [`one_hot_centered`], [`Center::of`] and [`TargetMean::scaled_by`].
    pub fn outputs(&self, targets: &Targets) -> Result<(Array2<f64>, TargetMean), PredictError> {
        match targets {
            Targets::Classes { labels, n_classes, .. } => {
                let outputs = one_hot_centered(labels, *n_classes)?;
                let mean = Center::None.of(outputs.view())?;
                Ok((outputs, mean))
            }
            Targets::Regression(values) => {
                let mean = self.center.of(values.view())?;
                let mean = if self.standardize { mean.scaled_by(values.view())? } else { mean };
                Ok((mean.centered(values.view())?, mean))
            }
        }
    }

    /// Of values with the NNGP kernel at infinite time, the marginal likelihood.
    fn likelihood(
        &self,
        machine: &KernelMachine,
        targets: &Targets,
        trained: &Array2<f64>,
        mean: &TargetMean,
    ) -> Result<Option<Likelihood>, PredictError> {
        if self.kind != Kind::Nngp || !self.time.is_infinite() || !matches!(targets, Targets::Regression(_)) {
            return Ok(None);
        }
        let evidence = machine.evidence(trained.view())?;
        let amplitude = match self.amplitude {
            Amplitude::Fit if evidence.best_amplitude() > 0.0 => evidence.best_amplitude(),
            Amplitude::Fit | Amplitude::AsComputed => 1.0,
        };
        // Of the density of the targets, not of that in units of their scale.
        let units = evidence.samples as f64 * mean.scale().iter().map(|scale| scale.ln()).sum::<f64>();
        let log = evidence.log_likelihood(amplitude) - units;
        let noise_std = mean.scale().mapv(|scale| scale * (amplitude * machine.ridge()).sqrt());
        Ok(Some(Likelihood { log, amplitude, noise_std }))
    }

    fn covariance(
        &self,
        fit: &Fit<'_>,
        cross: ArrayView2<'_, f64>,
        nngp: Option<&Nngp<'_>>,
    ) -> Result<Option<Array2<f64>>, PredictError> {
        let Some(nngp) = nngp else { return Ok(None) };
        match self.kind {
            Kind::Nngp => fit.posterior_covariance(nngp.cross, nngp.test),
            Kind::Ntk => fit.ensemble_covariance(cross, nngp),
        }
        .map(Some)
    }

    /// The machine on all training samples, with the given ridge or the best one with which there is a machine.
    ///
    /// # Errors
    /// Those of [`RidgeSearch`] and [`KernelMachine`].
    pub fn machine(
        &self,
        train: ArrayView2<'_, f64>,
        targets: &Targets,
        mean: &TargetMean,
        workers: &Workers,
    ) -> Result<(Ridge, KernelMachine), PredictError> {
        let given = |ridge| Ok((ridge, KernelMachine::new(train, ridge, self.time, workers)?));
        let best = |ridges: &[Ridge]| {
            self.search(train, targets, mean, ridges, workers)?.machine(train, self.time, workers)
        };
        match self.ridge {
            RidgeChoice::Given(ridge) => given(ridge),
            RidgeChoice::Auto => best(&RIDGES),
            RidgeChoice::Fine => best(&FINE_RIDGES),
            RidgeChoice::Likelihood => {
                let (outputs, _) = self.outputs(targets)?;
                given(most_likely_ridge(train, outputs.view(), workers)?)
            }
        }
    }

    fn search(
        &self,
        train: ArrayView2<'_, f64>,
        targets: &Targets,
        mean: &TargetMean,
        ridges: &[Ridge],
        workers: &Workers,
    ) -> Result<RidgeSearch, PredictError> {
        let folds = FOLDS.min(targets.len());
        // Each output counts in units of its scale, which is 1 without standardisation.
        let scaled = match targets {
            Targets::Regression(values) => values / &mean.scale(),
            Targets::Classes { .. } => Array2::zeros((0, 0)),
        };
        let (targets, folds) = match targets {
            Targets::Classes { labels, n_classes, .. } => (
                ekernel_predict::Targets::Classes { labels, classes: *n_classes },
                Folds::stratified(labels, folds)?,
            ),
            Targets::Regression(values) => {
                let folds = Folds::strided(values.nrows(), folds)?;
                match self.center {
                    Center::Mean => (ekernel_predict::Targets::Values(scaled.view()), folds),
                    Center::None => (ekernel_predict::Targets::Uncentered(scaled.view()), folds),
                }
            }
        };
        RidgeSearch::new(train, &targets, ridges, self.time, &folds, workers)
    }
}

impl FromStr for RidgeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<RidgeChoice, String> {
        match text {
            "auto" => return Ok(RidgeChoice::Auto),
            "fine" => return Ok(RidgeChoice::Fine),
            "likelihood" => return Ok(RidgeChoice::Likelihood),
            _ => {}
        }
        let (number, ridge): (&str, fn(f64) -> Ridge) = match text.strip_suffix(":absolute") {
            Some(number) => (number, Ridge::Absolute),
            None => (text, Ridge::Relative),
        };
        match number.parse::<f64>() {
            Ok(value) if value >= 0.0 && value.is_finite() => Ok(RidgeChoice::Given(ridge(value))),
            _ => Err(
                "give auto, fine, likelihood, a number of at least 0 (relative to the mean diagonal), or NUMBER:absolute"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for RidgeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RidgeChoice::Given(ridge) => ridge.fmt(f),
            RidgeChoice::Auto => write!(f, "chosen by {FOLDS}-fold cross-validation"),
            RidgeChoice::Fine => write!(f, "chosen by {FOLDS}-fold cross-validation, two in a decade"),
            RidgeChoice::Likelihood => f.write_str("of the largest marginal likelihood"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ridges_are_relative_or_absolute() {
        let read = |text: &str| text.parse::<RidgeChoice>();
        assert_eq!(read("0.01"), Ok(RidgeChoice::Given(Ridge::Relative(0.01))));
        assert_eq!(read("0.01:absolute"), Ok(RidgeChoice::Given(Ridge::Absolute(0.01))));
        assert_eq!(read("auto"), Ok(RidgeChoice::Auto));
        assert_eq!(read("likelihood"), Ok(RidgeChoice::Likelihood));
        for wrong in ["", "-1", "nan", "inf", "1:relative", ":absolute", "-1:absolute", "auto:absolute"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
