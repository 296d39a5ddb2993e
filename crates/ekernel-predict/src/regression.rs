//! Regression: mean and scale of the targets, which a kernel does not carry, and errors of predictions.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::{PredictError, validate};

/// The mean of each column of the training targets, taken off before training and put back on predictions.
///
/// A kernel machine has no intercept: far from the training inputs, and with a large ridge, it predicts zero. With the
/// mean taken off it predicts the mean there.
/// ```
/// use ekernel_predict::{KernelMachine, Par, Ridge, TargetMean, TrainingTime};
/// use ndarray::array;
///
/// let targets = array![[10.0], [12.0]];
/// let mean = TargetMean::of(targets.view())?;
/// let machine = KernelMachine::new(array![[1.0, 0.2], [0.2, 1.0]].view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq)?;
/// let fit = machine.fit(mean.centered(targets.view())?.view())?;
/// let predicted = mean.restored(fit.mean(array![[0.0, 0.0]].view())?)?;
/// assert_eq!(predicted, array![[11.0]]);
/// # Ok::<(), ekernel_predict::PredictError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TargetMean {
    mean: Array1<f64>,
    /// What differences from the mean are divided by; 1 without standardisation.
    scale: Array1<f64>,
}

/// What is taken off regression targets before training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Center {
    /// Their mean, which a kernel without bias cannot carry.
    #[default]
    Mean,
    /// Nothing: the formulas as they are written, and what neural-tangents computes.
    None,
}

impl std::fmt::Display for Center {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Center::Mean => "mean",
            Center::None => "none",
        })
    }
}

impl Center {
    /// What is taken off training targets (n, m), one number for each column.
    ///
    /// # Errors
    /// [`PredictError::Empty`], [`NonFinite`](PredictError::NonFinite) or [`Overflow`](PredictError::Overflow).
    pub fn of(self, targets: ArrayView2<'_, f64>) -> Result<TargetMean, PredictError> {
        let mean = TargetMean::of(targets)?;
        Ok(match self {
            Center::Mean => mean,
            Center::None => TargetMean { mean: Array1::zeros(mean.mean.len()), ..mean },
        })
    }
}

impl TargetMean {
    /// The column means of training targets (n, m).
    ///
    /// # Errors
    /// [`PredictError::Empty`], [`NonFinite`](PredictError::NonFinite) or [`Overflow`](PredictError::Overflow).
    pub fn of(targets: ArrayView2<'_, f64>) -> Result<TargetMean, PredictError> {
        validate::not_empty("targets", &targets)?;
        validate::finite("targets", &targets)?;
        let n = targets.nrows() as f64;
        let mean: Array1<f64> =
            targets.columns().into_iter().map(|column| column.iter().map(|y| y / n).sum()).collect();
        Ok(TargetMean { scale: Array1::ones(mean.len()), mean })
    }

    /// The same with the scale of the targets (n, m): differences are divided by the root of their mean square in each column,
    /// which is the standard deviation where the mean is taken off; a column without differences is not divided.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`] if there are not m columns; [`Overflow`](PredictError::Overflow).
    pub fn scaled_by(self, targets: ArrayView2<'_, f64>) -> Result<TargetMean, PredictError> {
        let centered = self.centered(targets)?;
        let n = centered.nrows().max(1) as f64;
        let scale: Array1<f64> = centered
            .columns()
            .into_iter()
            .map(|column| column.iter().map(|y| y * y / n).sum::<f64>().sqrt())
            .map(|scale| if scale > 0.0 { scale } else { 1.0 })
            .collect();
        validate::representable("scale of the targets", scale.iter())?;
        Ok(TargetMean { scale, ..self })
    }

    /// What differences from the means are divided by (m); 1 without [`TargetMean::scaled_by`].
    pub fn scale(&self) -> ndarray::ArrayView1<'_, f64> {
        self.scale.view()
    }

    /// The means themselves (m).
    pub fn values(&self) -> ndarray::ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// Targets (any number, m) minus the means, in units of the scale.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`] if there are not m columns.
    pub fn centered(&self, targets: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        self.check("targets", targets.ncols())?;
        Ok((&targets - &self.mean) / &self.scale)
    }

    /// Predictions (any number, m) in units of the targets, plus the means.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`] if there are not m columns.
    pub fn restored(&self, predicted: Array2<f64>) -> Result<Array2<f64>, PredictError> {
        self.check("prediction", predicted.ncols())?;
        Ok(predicted * &self.scale + &self.mean)
    }

    fn check(&self, what: &'static str, columns: usize) -> Result<(), PredictError> {
        validate::length(what, "columns", columns, self.mean.len(), "the targets that the mean is of")
    }
}

/// How far predictions (n, m) lie from the truth, over all samples and outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionScores {
    /// Mean absolute error, in units of the targets.
    pub mae: f64,
    /// Root of the mean squared error, in units of the targets.
    pub rmse: f64,
    /// 1 - Σ(y - ŷ)²/Σ(y - ȳ)², ȳ being the mean of each output over these samples: 1 is perfect, 0 no better than that mean.
    /// `None` where the truth does not vary.
    pub r2: Option<f64>,
}

impl RegressionScores {
    /// Compares predictions with the truth, both (n, m).
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite);
    /// [`Overflow`](PredictError::Overflow) if a square leaves the range of f64.
    pub fn new(
        predicted: ArrayView2<'_, f64>,
        truth: ArrayView2<'_, f64>,
    ) -> Result<RegressionScores, PredictError> {
        const LIKE: (&str, &str) = ("true targets", "true targets' columns");
        validate::array("true targets", &truth, truth.dim(), LIKE)?;
        validate::array("prediction", &predicted, truth.dim(), LIKE)?;
        let entries = truth.len() as f64;
        let errors = &predicted - &truth;
        let residual: f64 = errors.iter().map(|e| e * e).sum();
        let centered = TargetMean::of(truth)?.centered(truth)?;
        let total: f64 = centered.iter().map(|y| y * y).sum();
        let mae = errors.iter().map(|e| e.abs()).sum::<f64>() / entries;
        validate::representable("regression scores", [mae, residual, total].iter())?;
        // A constant column leaves rounding behind when its mean is taken off.
        let varies = truth.axis_iter(Axis(1)).any(|column| column.iter().any(|y| *y != column[0]));
        let r2 = varies.then(|| 1.0 - residual / total).filter(|r2| r2.is_finite());
        Ok(RegressionScores { mae, rmse: (residual / entries).sqrt(), r2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn scores_by_hand() {
        let truth = array![[1.0, 10.0], [3.0, 10.0], [5.0, 16.0]];
        let predicted = array![[2.0, 10.0], [3.0, 10.0], [5.0, 13.0]];
        // Errors 1 and 3 of six entries; totals 8 about the mean 3 and 24 about the mean 12.
        let scores = RegressionScores::new(predicted.view(), truth.view()).unwrap();
        assert_eq!(scores.mae, 4.0 / 6.0);
        assert_eq!(scores.rmse, (10.0_f64 / 6.0).sqrt());
        assert_eq!(scores.r2, Some(1.0 - 10.0 / 32.0));
    }

    #[test]
    fn truth_that_does_not_vary_has_no_r2() {
        let truth = array![[0.1], [0.1], [0.1]];
        let scores = RegressionScores::new(array![[0.1], [0.2], [0.1]].view(), truth.view()).unwrap();
        assert_eq!(scores.r2, None);
        assert_eq!(RegressionScores::new(array![[1.0]].view(), array![[1.0]].view()).unwrap().r2, None);
    }

    #[test]
    fn mean_is_taken_off_and_put_back() {
        let mean = TargetMean::of(array![[1.0, -1.0], [3.0, -5.0]].view()).unwrap();
        assert_eq!(mean.values(), array![2.0, -3.0]);
        assert_eq!(mean.centered(array![[2.0, 0.0]].view()), Ok(array![[0.0, 3.0]]));
        assert_eq!(mean.restored(array![[0.0, 3.0]]), Ok(array![[2.0, 0.0]]));
        let scaled = mean.clone().scaled_by(array![[1.0, -1.0], [3.0, -1.0]].view()).unwrap();
        assert_eq!(scaled.scale(), array![1.0, 2.0]);
        assert_eq!(scaled.centered(array![[2.0, 1.0]].view()), Ok(array![[0.0, 2.0]]));
        assert_eq!(scaled.restored(array![[0.0, 2.0]]), Ok(array![[2.0, 1.0]]));
        let constant = TargetMean::of(array![[5.0], [5.0]].view()).unwrap();
        assert_eq!(constant.scaled_by(array![[5.0], [5.0]].view()).unwrap().scale(), array![1.0]);
        let found = mean.restored(array![[0.0]]);
        assert!(matches!(found, Err(PredictError::Mismatch { found: 1, needed: 2, .. })), "{found:?}");
    }
}
