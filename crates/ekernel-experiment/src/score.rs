//! How good a prediction is.

use ekernel_data::Targets;
use ekernel_predict::{
    LabelScore, PredictError, RegressionScores, accuracy, argmax, confusion, label_scores,
};
use ndarray::{Array2, Axis};

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
    Values {
        /// Over all outputs.
        total: RegressionScores,
        /// Of each output.
        outputs: Vec<RegressionScores>,
        /// Of each output as a label, where all targets are 0 or 1.
        labels: Option<Vec<LabelScore>>,
    },
}

impl Score {
    /// Compares a mean with the truth.
    ///
    /// # Errors
    /// Those of [`argmax`], [`accuracy`], [`confusion`], [`label_scores`] and [`RegressionScores::new`].
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
                let column = |k: usize| {
                    let [predicted, truth] = [mean, values].map(|all| all.column(k).insert_axis(Axis(1)));
                    RegressionScores::new(predicted, truth)
                };
                Ok(Score::Values {
                    total: RegressionScores::new(mean.view(), values.view())?,
                    outputs: (0..values.ncols()).map(column).collect::<Result<_, _>>()?,
                    labels: label_scores(mean.view(), values.view())?,
                })
            }
        }
    }
}
