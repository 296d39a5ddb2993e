//! From kernels to predictions.

use std::{fmt, str::FromStr};

use ekernel_data::Targets;
use ekernel_predict::{
    Center, FINE_RIDGES, Fit, Folds, KernelMachine, Nngp, PredictError, RIDGES, Ridge, RidgeSearch,
    TrainingTime, Workers, one_hot_centered,
};
use ndarray::{Array2, ArrayView2};

use crate::kind::Kind;

/// The ridge, given or to be found by cross-validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RidgeChoice {
    /// As given.
    Given(Ridge),
    /// The best of [`RIDGES`] on five folds of the training set.
    Auto,
    /// The best of [`FINE_RIDGES`] on them.
    Fine,
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
    /// Threads to solve on.
    pub threads: usize,
}

/// What a trained machine predicts of the test set.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Centred one-hot scores (n_test, classes), or values (n_test, m).
    pub mean: Array2<f64>,
    /// (n_test, n_test), if asked for.
    pub covariance: Option<Array2<f64>>,
    /// The ridge that was given or chosen.
    pub ridge: Ridge,
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
        let (ridge, machine) = self.machine(train, targets, workers)?;
        match targets {
            Targets::Classes { labels, n_classes, .. } => {
                let fit = machine.fit(one_hot_centered(labels, *n_classes)?.view())?;
                let covariance = self.covariance(&fit, cross, nngp)?;
                Ok(Prediction { mean: fit.mean(cross)?, covariance, ridge })
            }
            Targets::Regression(values) => {
                let mean = self.center.of(values.view())?;
                let fit = machine.fit(mean.centered(values.view())?.view())?;
                let covariance = self.covariance(&fit, cross, nngp)?;
                Ok(Prediction { mean: mean.restored(fit.mean(cross)?)?, covariance, ridge })
            }
        }
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
    fn machine(
        &self,
        train: ArrayView2<'_, f64>,
        targets: &Targets,
        workers: &Workers,
    ) -> Result<(Ridge, KernelMachine), PredictError> {
        match self.ridge {
            RidgeChoice::Given(ridge) => Ok((ridge, KernelMachine::new(train, ridge, self.time, workers)?)),
            RidgeChoice::Auto => {
                self.search(train, targets, &RIDGES, workers)?.machine(train, self.time, workers)
            }
            RidgeChoice::Fine => {
                self.search(train, targets, &FINE_RIDGES, workers)?.machine(train, self.time, workers)
            }
        }
    }

    fn search(
        &self,
        train: ArrayView2<'_, f64>,
        targets: &Targets,
        ridges: &[Ridge],
        workers: &Workers,
    ) -> Result<RidgeSearch, PredictError> {
        let folds = FOLDS.min(targets.len());
        let (targets, folds) = match targets {
            Targets::Classes { labels, n_classes, .. } => (
                ekernel_predict::Targets::Classes { labels, classes: *n_classes },
                Folds::stratified(labels, folds)?,
            ),
            Targets::Regression(values) => {
                let folds = Folds::strided(values.nrows(), folds)?;
                match self.center {
                    Center::Mean => (ekernel_predict::Targets::Values(values.view()), folds),
                    Center::None => (ekernel_predict::Targets::Uncentered(values.view()), folds),
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
            _ => {}
        }
        let (number, ridge): (&str, fn(f64) -> Ridge) = match text.strip_suffix(":absolute") {
            Some(number) => (number, Ridge::Absolute),
            None => (text, Ridge::Relative),
        };
        match number.parse::<f64>() {
            Ok(value) if value >= 0.0 && value.is_finite() => Ok(RidgeChoice::Given(ridge(value))),
            _ => Err(
                "give auto, fine, a number of at least 0 (relative to the mean diagonal), or NUMBER:absolute"
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
        for wrong in ["", "-1", "nan", "inf", "1:relative", ":absolute", "-1:absolute", "auto:absolute"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
