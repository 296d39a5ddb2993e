//! The one number by which predictions are compared.

use ekernel_data::{Targets, molecules::Unit};

use crate::score::Score;

/// Which number stands for a score in tables, curves and plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
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
    pub fn of_targets(targets: &Targets) -> Measure {
        match targets {
            Targets::Classes { .. } => Measure::Accuracy,
            Targets::Regression(_) => Measure::Rmse,
        }
    }

    /// From units of the targets to those of reported errors.
    pub fn factor(self) -> f64 {
        match self {
            Measure::Accuracy | Measure::Rmse => 1.0,
            Measure::Mae { stored } => stored.milli_electron_volts().unwrap_or(1.0),
        }
    }

    /// The unit of reported errors, where it has a name.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Measure::Mae { stored } if stored.milli_electron_volts().is_some() => Some("meV"),
            _ => None,
        }
    }

    /// The number itself: a share, or an error in [`Measure::unit`].
    pub fn value(self, score: &Score) -> f64 {
        match (self, score) {
            (_, Score::Classes { accuracy, .. }) => *accuracy,
            (Measure::Mae { .. }, Score::Values { total, .. }) => total.mae * self.factor(),
            (_, Score::Values { total, .. }) => total.rmse,
        }
    }

    /// The unit of the targets and predictions.
    pub fn stored_unit(self) -> String {
        match self {
            Measure::Mae { stored } => stored.to_string(),
            Measure::Accuracy | Measure::Rmse => Unit::AsStored.to_string(),
        }
    }

    /// Its name, for tables and axes.
    pub fn title(self) -> String {
        match (self, self.unit()) {
            (Measure::Accuracy, _) => "accuracy in %".to_owned(),
            (Measure::Rmse, _) => "RMSE".to_owned(),
            (Measure::Mae { .. }, Some(unit)) => format!("MAE in {unit}"),
            (Measure::Mae { .. }, None) => "MAE".to_owned(),
        }
    }

    /// From [`Measure::value`] to what is shown under the title.
    pub fn scale(self) -> f64 {
        if self == Measure::Accuracy { 100.0 } else { 1.0 }
    }

    /// Whether plots have a logarithmic axis: errors fall by powers of n.
    pub fn is_logarithmic(self) -> bool {
        matches!(self, Measure::Mae { .. })
    }
}
