//! The one number by which predictions are compared.

use ekernel_data::{Targets, molecules::Unit};

use crate::{learner::Score, report::number};

/// What is told of a score on tables, curves and plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measure {
    /// The share of classes that are right.
    Accuracy,
    /// The root of the mean squared error, in units of the targets.
    Rmse,
    /// The mean absolute error of a property of molecules: of energies in meV.
    Mae {
        /// The unit the targets are stored in.
        stored: Unit,
    },
}

impl Measure {
    /// For targets that are not of molecules.
    pub(crate) fn of_targets(targets: &Targets) -> Measure {
        match targets {
            Targets::Classes { .. } => Measure::Accuracy,
            Targets::Regression(_) => Measure::Rmse,
        }
    }

    /// From units of the targets to those that errors are told in.
    pub(crate) fn factor(self) -> f64 {
        match self {
            Measure::Accuracy | Measure::Rmse => 1.0,
            Measure::Mae { stored } => stored.milli_electron_volts().unwrap_or(1.0),
        }
    }

    /// The unit that errors are told in, where it has a name.
    pub(crate) fn unit(self) -> Option<&'static str> {
        match self {
            Measure::Mae { stored } if stored.milli_electron_volts().is_some() => Some("meV"),
            _ => None,
        }
    }

    /// The number itself: a share, or an error in [`Measure::unit`].
    pub(crate) fn value(self, score: &Score) -> f64 {
        match (self, score) {
            (_, Score::Classes { accuracy, .. }) => *accuracy,
            (Measure::Mae { .. }, Score::Values(scores)) => scores.mae * self.factor(),
            (_, Score::Values(scores)) => scores.rmse,
        }
    }

    /// The unit of the targets and predictions.
    pub(crate) fn stored_unit(self) -> String {
        match self {
            Measure::Mae { stored } => stored.to_string(),
            Measure::Accuracy | Measure::Rmse => Unit::AsStored.to_string(),
        }
    }

    /// Its name, for tables and axes.
    pub(crate) fn title(self) -> String {
        match (self, self.unit()) {
            (Measure::Accuracy, _) => "accuracy in %".to_owned(),
            (Measure::Rmse, _) => "RMSE".to_owned(),
            (Measure::Mae { .. }, Some(unit)) => format!("MAE in {unit}"),
            (Measure::Mae { .. }, None) => "MAE".to_owned(),
        }
    }

    /// From [`Measure::value`] to what is shown under the title.
    pub(crate) fn scale(self) -> f64 {
        if self == Measure::Accuracy { 100.0 } else { 1.0 }
    }

    /// The number in words.
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            Measure::Accuracy => format!("{:.1}", value * self.scale()),
            Measure::Rmse | Measure::Mae { .. } => number(value),
        }
    }

    /// Whether plots have a logarithmic axis: errors fall by powers of n.
    pub(crate) fn is_logarithmic(self) -> bool {
        matches!(self, Measure::Mae { .. })
    }
}
