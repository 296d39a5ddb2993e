//! From kernels to predictions.

use std::{fmt, str::FromStr};

use ekernel_data::Targets;
use ekernel_predict::{
    FINE_RIDGES, Fit, Folds, KernelMachine, Nngp, Par, PredictError, RIDGES, Ridge, RidgeSearch, TargetMean,
    TrainingTime, one_hot_centered,
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
    fn par(&self) -> Par {
        if self.threads <= 1 { Par::Seq } else { Par::rayon(self.threads) }
    }

    /// Trains on the kernel (n, n) of the training set and predicts from the kernel (n_test, n); with NNGP kernels also
    /// the covariance.
    ///
    /// # Errors
    /// Those of [`RidgeSearch`], [`KernelMachine`] and [`Fit`].
    pub fn predict(
        &self,
        train: ArrayView2<'_, f64>,
        cross: ArrayView2<'_, f64>,
        targets: &Targets,
        nngp: Option<&Nngp<'_>>,
    ) -> Result<Prediction, PredictError> {
        let (ridge, machine) = self.machine(train, targets)?;
        match targets {
            Targets::Classes { labels, n_classes, .. } => {
                let fit = machine.fit(one_hot_centered(labels, *n_classes)?.view())?;
                let covariance = self.covariance(&fit, cross, nngp)?;
                Ok(Prediction { mean: fit.mean(cross)?, covariance, ridge })
            }
            Targets::Regression(values) => {
                let mean = TargetMean::of(values.view())?;
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
    ) -> Result<(Ridge, KernelMachine), PredictError> {
        match self.ridge {
            RidgeChoice::Given(ridge) => {
                Ok((ridge, KernelMachine::new(train, ridge, self.time, self.par())?))
            }
            RidgeChoice::Auto => self.search(train, targets, &RIDGES)?.machine(train, self.time, self.par()),
            RidgeChoice::Fine => {
                self.search(train, targets, &FINE_RIDGES)?.machine(train, self.time, self.par())
            }
        }
    }

    fn search(
        &self,
        train: ArrayView2<'_, f64>,
        targets: &Targets,
        ridges: &[Ridge],
    ) -> Result<RidgeSearch, PredictError> {
        let folds = FOLDS.min(targets.len());
        let (targets, folds) = match targets {
            Targets::Classes { labels, n_classes, .. } => (
                ekernel_predict::Targets::Classes { labels, classes: *n_classes },
                Folds::stratified(labels, folds)?,
            ),
            Targets::Regression(values) => {
                (ekernel_predict::Targets::Values(values.view()), Folds::strided(values.nrows(), folds)?)
            }
        };
        RidgeSearch::new(train, &targets, ridges, self.time, &folds, self.par())
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
        match text.parse::<f64>() {
            Ok(value) if value >= 0.0 && value.is_finite() => Ok(RidgeChoice::Given(Ridge::Relative(value))),
            _ => Err("give auto, fine, or a number of at least 0 (relative to the mean diagonal)".to_owned()),
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
