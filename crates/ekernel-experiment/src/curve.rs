//! Learning curves: scores of machines trained on random draws of every size.

use ekernel_core::{BackendError, Control};
use ekernel_data::Targets;
use ekernel_predict::{Center, Nngp, PredictError, Ridge, Workers};
use ndarray::{Array1, Array2, Axis};

use crate::{
    draws::Draws,
    error::ExperimentError,
    kernels::{NngpKernels, ProblemKernels, block, columns},
    problem::Problem,
    score::Score,
    training::{Prediction, Training},
};

/// One point of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Training samples.
    pub n: usize,
    /// The score of each draw, as the problem measures it; empty without test targets.
    pub scores: Vec<f64>,
    /// The ridge of each draw.
    pub ridges: Vec<Ridge>,
}

/// A curve, and in full the prediction of its last draw of the largest size.
#[derive(Clone, Debug)]
pub struct Curve {
    /// One for every size, in rising order.
    pub points: Vec<Point>,
    /// Of molecules, the scores of what their numbers of atoms alone say, for the same draws.
    pub composition: Vec<Point>,
    /// What the last machine predicts.
    pub last: Prediction,
    /// How good that is, where the test targets are known.
    pub last_score: Option<Score>,
}

/// Trains on every draw, from the kernels of the pool.
///
/// # Errors
/// [`ExperimentError::Training`] with the size of the draw whose machine is refused, [`ExperimentError::Score`],
/// [`ExperimentError::NoDraws`], [`ExperimentError::Stopped`] once `control` is cancelled.
pub fn learn(
    problem: &Problem,
    draws: &Draws,
    training: &Training,
    kernels: &ProblemKernels,
    control: &Control,
) -> Result<Curve, ExperimentError> {
    let workers = Workers::new(training.threads).cancelled_by(&control.cancel);
    let truth = problem.test_targets.as_ref();
    let measured = |score: &Score| problem.measure.value(score);
    let (mut points, mut composition) = (Vec::new(), Vec::new());
    let mut last = None;
    for (n, round) in draws.rounds() {
        let (mut scores, mut ridges, mut of_atoms) = (Vec::new(), Vec::new(), Vec::new());
        for positions in round {
            control.check()?;
            let drawn: Vec<usize> = positions.iter().map(|&position| draws.pool()[position]).collect();
            let (prediction, alone) = beside_composition(problem, training.center, &drawn, |targets| {
                let noise = problem.noise.as_ref().map(|noise| noise.select(Axis(0), &drawn));
                train_on(positions, training, kernels, (targets, noise), &workers)
            })
            .map_err(|source| match source {
                PredictError::Cancelled => BackendError::Cancelled.into(),
                source => ExperimentError::Training { n, source },
            })?;
            let score = truth.map(|truth| Score::new(&prediction.mean, truth)).transpose()?;
            scores.extend(score.as_ref().map(measured));
            if let (Some(alone), Some(truth)) = (alone, truth) {
                of_atoms.push(measured(&Score::new(&alone, truth)?));
            }
            ridges.push(prediction.ridge);
            last = Some((prediction, score));
        }
        if !of_atoms.is_empty() {
            composition.push(Point { n, scores: of_atoms, ridges: Vec::new() });
        }
        points.push(Point { n, scores, ridges });
    }
    let (last, last_score) = last.ok_or(ExperimentError::NoDraws)?;
    Ok(Curve { points, composition, last, last_score })
}

fn train_on(
    positions: &[usize],
    training: &Training,
    kernels: &ProblemKernels,
    (targets, noise): (&Targets, Option<Array1<f64>>),
    workers: &Workers,
) -> Result<Prediction, PredictError> {
    let (mut noisy, cross) = (block(&kernels.train, positions), columns(&kernels.cross, positions));
    if let Some(noise) = noise {
        let variances = training.noise_variances(targets, noise)?;
        noisy.diag_mut().zip_mut_with(&variances, |value, variance| *value += variance);
    }
    let predict =
        |nngp: Option<&Nngp<'_>>| training.predict(noisy.view(), cross.view(), targets, nngp, workers);
    let Some(NngpKernels { train, cross, test }) = &kernels.nngp else { return predict(None) };
    let (train, cross) = (block(train, positions), columns(cross, positions));
    predict(Some(&Nngp { train: train.view(), cross: cross.view(), test: test.view() }))
}

/// Trains on what the composition of the molecules `drawn` leaves of their targets, and puts it back on the prediction. Second
/// comes what the composition predicts by itself; for other samples there is nothing to take off.
fn beside_composition(
    problem: &Problem,
    center: Center,
    drawn: &[usize],
    train: impl Fn(&Targets) -> Result<Prediction, PredictError>,
) -> Result<(Prediction, Option<Array2<f64>>), PredictError> {
    let targets = problem.train_targets.select(drawn);
    let (Some(composition), Targets::Regression(values)) = (&problem.composition, &targets) else {
        return Ok((train(&targets)?, None));
    };
    let [taken, restored] = composition.offsets(drawn, values)?;
    let left = values - &taken;
    let alone = center.of(left.view())?.restored(restored.clone())?;
    let mut prediction = train(&Targets::Regression(left))?;
    prediction.mean += &restored;
    Ok((prediction, Some(alone)))
}

impl Point {
    /// Mean over the draws; `None` without scores.
    pub fn mean(&self) -> Option<f64> {
        let k = self.scores.len();
        (k > 0).then(|| self.scores.iter().sum::<f64>() / k as f64)
    }

    /// Standard deviation over the draws (divisor k − 1); `None` for fewer than two.
    pub fn std(&self) -> Option<f64> {
        let (k, mean) = (self.scores.len(), self.mean()?);
        (k > 1).then(|| {
            (self.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (k - 1) as f64).sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_needs_two_draws() {
        let point = |scores: &[f64]| Point { n: 1, scores: scores.to_vec(), ridges: Vec::new() };
        assert_eq!((point(&[]).mean(), point(&[]).std()), (None, None));
        assert_eq!(point(&[0.5]).std(), None);
        assert_eq!(point(&[0.25, 0.75]).mean(), Some(0.5));
        assert!((point(&[0.25, 0.75]).std().unwrap() - 0.125_f64.sqrt()).abs() < 1e-15);
    }
}
