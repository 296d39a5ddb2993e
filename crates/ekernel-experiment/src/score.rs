//! How good a prediction is.

use ekernel_data::Targets;
use ekernel_predict::{PredictError, RegressionScores, accuracy, argmax, confusion};
use ndarray::Array2;

/// How good a prediction is.
#[derive(Clone, Debug, PartialEq)]
pub enum Score {
    /// Of classes.
    Classes {
        /// Share of samples whose predicted class is the true one.
        accuracy: f64,
        /// Counts (true class, predicted class).
        confusion: Array2<usize>,
    },
    /// Errors in units of the targets.
    Values(RegressionScores),
}

impl Score {
    /// Compares a mean with the truth.
    ///
    /// # Errors
    /// Those of [`argmax`], [`accuracy`], [`confusion`] and [`RegressionScores::new`].
    pub fn new(mean: &Array2<f64>, truth: &Targets) -> Result<Score, PredictError> {
        match truth {
            Targets::Classes { labels, n_classes, .. } => {
                let predicted = argmax(mean.view())?;
                Ok(Score::Classes {
                    accuracy: accuracy(&predicted, labels)?,
                    confusion: confusion(&predicted, labels, *n_classes)?,
                })
            }
            Targets::Regression(values) => {
                Ok(Score::Values(RegressionScores::new(mean.view(), values.view())?))
            }
        }
    }
}
