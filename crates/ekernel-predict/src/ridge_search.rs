//! Choosing a ridge by cross-validation on the training kernel alone.

use ndarray::{Array2, ArrayView2, Axis};

use crate::{
    Center, Folds, KernelMachine, PredictError, Ridge, Spectrum, TargetMean, TrainingTime, Workers, argmax,
    classes::check_labels, one_hot_centered, time::filter, validate,
};

/// Ridges worth trying when nothing is known: relative, each decade from 1e-8 to 10.
pub const RIDGES: [Ridge; 10] = [
    Ridge::Relative(1e-8),
    Ridge::Relative(1e-7),
    Ridge::Relative(1e-6),
    Ridge::Relative(1e-5),
    Ridge::Relative(1e-4),
    Ridge::Relative(1e-3),
    Ridge::Relative(1e-2),
    Ridge::Relative(1e-1),
    Ridge::Relative(1.0),
    Ridge::Relative(10.0),
];

/// The same with one more in each decade, for kernels whose best ridge lies next to where their rounding begins.
pub const FINE_RIDGES: [Ridge; 19] = [
    Ridge::Relative(1e-8),
    Ridge::Relative(3e-8),
    Ridge::Relative(1e-7),
    Ridge::Relative(3e-7),
    Ridge::Relative(1e-6),
    Ridge::Relative(3e-6),
    Ridge::Relative(1e-5),
    Ridge::Relative(3e-5),
    Ridge::Relative(1e-4),
    Ridge::Relative(3e-4),
    Ridge::Relative(1e-3),
    Ridge::Relative(3e-3),
    Ridge::Relative(1e-2),
    Ridge::Relative(3e-2),
    Ridge::Relative(1e-1),
    Ridge::Relative(3e-1),
    Ridge::Relative(1.0),
    Ridge::Relative(3.0),
    Ridge::Relative(10.0),
];

/// What the training samples are to be predicted as.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// Classes: trained on [`one_hot_centered`], judged by the share of wrong classes.
    Classes {
        /// The class of each sample, below `classes`.
        labels: &'a [usize],
        /// Number of classes.
        classes: usize,
    },
    /// Values (n, m): trained on the differences from the [`TargetMean`] of each fold's training part, judged by the
    /// mean squared error.
    Values(ArrayView2<'a, f64>),
    /// The same, trained as they are: [`Center::None`].
    Uncentered(ArrayView2<'a, f64>),
}

/// How one ridge did on the samples held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeScore {
    /// The ridge.
    pub ridge: Ridge,
    /// Squared error, mean over samples and outputs; for classes that of the centred one-hot targets. Infinite where
    /// a fold's kernel is not positive definite with this ridge.
    pub mean_squared_error: f64,
    /// Share of wrong classes; `None` for values. 1 where a fold's kernel is not positive definite with this ridge.
    pub error_rate: Option<f64>,
}

/// The scores of all ridges tried, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeSearch {
    /// One score for each ridge.
    pub scores: Vec<RidgeScore>,
    /// Of the finite scores, the best first; not empty.
    ranking: Vec<usize>,
}

impl RidgeSearch {
    /// Predicts every fold from the others with each ridge, at training time `time`.
    ///
    /// `kernel` is the kernel (n, n) of the training set with itself. Each fold costs one eigendecomposition of its training
    /// part and O(n²) for each ridge; no sample is predicted by a machine that saw it, and nothing is drawn at random.
    ///
    /// # Errors
    /// [`PredictError::NoRidges`]; those of [`Spectrum::new`]; [`Mismatch`](PredictError::Mismatch) if kernel, targets
    /// and folds disagree about n; what [`one_hot_centered`] and [`TargetMean::of`] refuse; [`Ridge::on_diagonal`]'s;
    /// [`Indefinite`](PredictError::Indefinite) if no ridge makes every fold positive definite, for the largest of them;
    /// [`Cancelled`](PredictError::Cancelled).
    pub fn new(
        kernel: ArrayView2<'_, f64>,
        targets: &Targets<'_>,
        ridges: &[Ridge],
        time: TrainingTime,
        folds: &Folds,
        workers: impl Into<Workers>,
    ) -> Result<RidgeSearch, PredictError> {
        validate::symmetric("training kernel", &kernel)?;
        let workers = workers.into();
        let n = kernel.nrows();
        validate::length("division into folds", "samples", folds.samples(), n, "training samples")?;
        let problem = Problem::new(targets, n)?;
        let mut tallies = vec![Tally::default(); ridges.len()];
        let mut refused = None;
        for fold in 0..folds.count() {
            let (train, held_out) = folds.split(fold);
            let block = kernel.select(Axis(0), &train);
            let spectrum = Spectrum::new(block.select(Axis(1), &train).view(), &workers)?;
            let cross = kernel.select(Axis(0), &held_out).select(Axis(1), &train);
            let (inputs, mean) = problem.training(&train)?;
            // Q is applied once for all ridges: μ = (Θ(x,X)Q) diag(φ(s̃)) (QᵀY).
            let cross = spectrum.in_basis(cross.t())?;
            let inputs = spectrum.in_basis(inputs.view())?;
            let tau = time.eta_t() / inputs.len() as f64;
            for (tally, &ridge) in tallies.iter_mut().zip(ridges) {
                workers.check()?;
                let shifted = match spectrum.shifted(ridge, time) {
                    Ok((shifted, _)) => shifted,
                    Err(error @ PredictError::Indefinite { .. }) => {
                        tally.refused = true;
                        refused = Some(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let mut weights = inputs.clone();
                for (mut row, &s) in weights.rows_mut().into_iter().zip(&shifted) {
                    row *= filter(s, tau);
                }
                let predicted = mean.restored(cross.t().dot(&weights))?;
                problem.judge(predicted, &held_out, tally)?;
            }
        }
        let scores: Vec<RidgeScore> =
            tallies.iter().zip(ridges).map(|(tally, &ridge)| problem.score(tally, ridge)).collect();
        let ranking = ranking(&scores);
        match (ranking.is_empty(), refused) {
            (false, _) => Ok(RidgeSearch { scores, ranking }),
            (true, Some(error)) => Err(error),
            (true, None) => Err(PredictError::NoRidges),
        }
    }

    /// The best score: the lowest error rate, then the lowest squared error, then the largest ridge.
    pub fn best(&self) -> &RidgeScore {
        &self.scores[self.ranking[0]]
    }

    /// The machine on all training samples, whose kernel this is again, with the best ridge that outweighs what is negative in
    /// it: a kernel has no negative eigenvalues, so that one of −ε shows errors of that size, and they are larger among all
    /// samples than among the training parts of the folds. Ridges below 4/3 ε, which would leave less than a quarter of
    /// themselves, are taken last. Costs one more Cholesky factor for each ridge tried.
    ///
    /// # Errors
    /// Those of [`KernelMachine::new`]; [`NotPositiveDefinite`](PredictError::NotPositiveDefinite) and
    /// [`Indefinite`](PredictError::Indefinite) only if every ridge that was finite on the folds is refused, for the best.
    pub fn machine(
        &self,
        kernel: ArrayView2<'_, f64>,
        time: TrainingTime,
        workers: impl Into<Workers>,
    ) -> Result<(Ridge, KernelMachine), PredictError> {
        let workers = workers.into();
        let outweighs = |ridge: Ridge| {
            let most = match ridge {
                Ridge::Relative(value) => Ridge::Relative(MOST * value),
                Ridge::Absolute(value) => Ridge::Absolute(MOST * value),
            };
            match KernelMachine::new(kernel, most, TrainingTime::INFINITE, &workers) {
                Err(PredictError::Cancelled) => Err(PredictError::Cancelled),
                other => Ok(other.is_ok()),
            }
        };
        let ridges = || self.ranking.iter().map(|&i| self.scores[i].ridge);
        // The first that does is the answer in almost all cases, so that few are tried.
        for ridge in ridges() {
            if outweighs(ridge)? {
                return KernelMachine::new(kernel, ridge, time, &workers).map(|machine| (ridge, machine));
            }
        }
        let mut refused = None;
        for ridge in ridges() {
            match KernelMachine::new(kernel, ridge, time, &workers) {
                Err(error @ (PredictError::Indefinite { .. } | PredictError::NotPositiveDefinite { .. })) => {
                    refused = refused.or(Some(error))
                }
                other => return other.map(|machine| (ridge, machine)),
            }
        }
        Err(refused.unwrap_or(PredictError::NoRidges))
    }
}

/// The part of a ridge that negative eigenvalues may use up.
const MOST: f64 = 0.75;

/// Indices of the scores that are finite, the best first.
fn ranking(scores: &[RidgeScore]) -> Vec<usize> {
    let mut finite: Vec<usize> =
        (0..scores.len()).filter(|&i| scores[i].mean_squared_error.is_finite()).collect();
    finite.sort_by(|&i, &j| {
        let (a, b) = (&scores[i], &scores[j]);
        let rate = |score: &RidgeScore| score.error_rate.unwrap_or(0.0);
        rate(a)
            .total_cmp(&rate(b))
            .then(a.mean_squared_error.total_cmp(&b.mean_squared_error))
            .then(b.ridge.value().total_cmp(&a.ridge.value()))
    });
    finite
}

/// Errors of one ridge, summed over the folds seen so far.
#[derive(Clone, Debug, Default)]
struct Tally {
    squares: f64,
    wrong: usize,
    refused: bool,
}

/// Targets of all samples, with their labels if they are classes.
struct Problem<'a> {
    values: Array2<f64>,
    labels: Option<&'a [usize]>,
    center: Center,
}

impl<'a> Problem<'a> {
    fn new(targets: &Targets<'a>, n: usize) -> Result<Problem<'a>, PredictError> {
        match *targets {
            Targets::Classes { labels, classes } => {
                validate::length("set of labels", "entries", labels.len(), n, "training samples")?;
                check_labels(labels, classes)?;
                let values = one_hot_centered(labels, classes)?;
                Ok(Problem { values, labels: Some(labels), center: Center::None })
            }
            Targets::Values(values) => Problem::of_values(values, Center::Mean, n),
            Targets::Uncentered(values) => Problem::of_values(values, Center::None, n),
        }
    }

    fn of_values(values: ArrayView2<'_, f64>, center: Center, n: usize) -> Result<Problem<'a>, PredictError> {
        validate::array("targets", &values, (n, values.ncols()), ("training samples", "targets"))?;
        Ok(Problem { values: values.to_owned(), labels: None, center })
    }

    /// The targets to train on, and the mean to put back on what they predict: zero for classes, whose one-hot is
    /// centred by itself.
    fn training(&self, train: &[usize]) -> Result<(Array2<f64>, TargetMean), PredictError> {
        let values = self.values.select(Axis(0), train);
        let mean = self.center.of(values.view())?;
        Ok((mean.centered(values.view())?, mean))
    }

    fn judge(
        &self,
        predicted: Array2<f64>,
        held_out: &[usize],
        tally: &mut Tally,
    ) -> Result<(), PredictError> {
        validate::representable("mean prediction", predicted.iter())?;
        if let Some(labels) = self.labels {
            let classes = argmax(predicted.view())?;
            tally.wrong += classes.iter().zip(held_out).filter(|&(&class, &i)| class != labels[i]).count();
        }
        let errors = predicted - self.values.select(Axis(0), held_out);
        tally.squares += errors.iter().map(|e| e * e).sum::<f64>();
        Ok(())
    }

    fn score(&self, tally: &Tally, ridge: Ridge) -> RidgeScore {
        let n = self.values.nrows() as f64;
        let (squares, rate) =
            if tally.refused { (f64::INFINITY, 1.0) } else { (tally.squares, tally.wrong as f64 / n) };
        RidgeScore {
            ridge,
            mean_squared_error: squares / self.values.len() as f64,
            error_rate: self.labels.map(|_| rate),
        }
    }
}
