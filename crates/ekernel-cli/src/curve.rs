//! Learning curves: scores of machines trained on random draws of every size.

use anyhow::Context;
use ekernel_data::Targets;
use ekernel_predict::{PredictError, Ridge};
use ndarray::{Array2, Axis};

use crate::{
    draws::balanced,
    inputs::Problem,
    learner::{Prediction, Score, Spread, Training},
    progress::Task,
    report::counted,
};

/// The draws that all networks are trained on.
pub(crate) struct Draws {
    /// Sizes in rising order.
    sizes: Vec<usize>,
    /// For every size the draws, as positions in the pool.
    positions: Vec<Vec<Vec<usize>>>,
    /// The samples that kernels are computed of, as positions in the training set.
    pub(crate) pool: Vec<usize>,
}

/// One point of a curve.
pub(crate) struct Point {
    pub(crate) n: usize,
    /// The score of each draw, as the problem measures it.
    pub(crate) scores: Vec<f64>,
    pub(crate) ridges: Vec<Ridge>,
}

/// A curve, and in full the prediction of its last draw of the largest size.
pub(crate) struct Curve {
    pub(crate) points: Vec<Point>,
    /// Of molecules, the scores of what their numbers of atoms alone say, for the same draws.
    pub(crate) composition: Vec<Point>,
    pub(crate) last: Prediction,
    pub(crate) last_score: Option<Score>,
}

impl Draws {
    /// A pool of `pool` training samples, and from it `draws` balanced draws of every size; only one where a size takes
    /// the whole pool.
    pub(crate) fn new(targets: &Targets, sizes: &[usize], pool: usize, draws: usize, seed: u64) -> Draws {
        let all: Vec<usize> = (0..targets.len()).collect();
        let pool = balanced(targets, &all, pool, seed);
        let of_pool = targets.select(&pool);
        let within: Vec<usize> = (0..pool.len()).collect();
        let mut sizes = sizes.to_vec();
        sizes.sort_unstable();
        sizes.dedup();
        let positions = sizes
            .iter()
            .map(|&n| {
                let count = if n >= pool.len() { 1 } else { draws };
                (0..count as u64).map(|draw| balanced(&of_pool, &within, n, seed + 1 + draw)).collect()
            })
            .collect();
        Draws { sizes, positions, pool }
    }

    /// All training samples at once.
    pub(crate) fn whole(n: usize) -> Draws {
        let all: Vec<usize> = (0..n).collect();
        Draws { sizes: vec![n], positions: vec![vec![all.clone()]], pool: all }
    }

    /// Whether there is more than one size.
    pub(crate) fn is_curve(&self) -> bool {
        self.sizes.len() > 1
    }

    /// Trains on every draw, from the kernels of the pool (n, n) and of the test set with it (n_test, n).
    pub(crate) fn curve(
        &self,
        training: &Training,
        [train, cross]: [&Array2<f64>; 2],
        problem: &Problem,
        spread: Option<&Spread<'_>>,
        task: &Task,
    ) -> anyhow::Result<Curve> {
        let truth = problem.test_targets.as_ref();
        let measured = |score: &Score| problem.measure.value(score);
        let (mut points, mut composition) = (Vec::new(), Vec::new());
        let mut last = None;
        for (&n, draws) in self.sizes.iter().zip(&self.positions) {
            let (mut scores, mut ridges, mut of_atoms) = (Vec::new(), Vec::new(), Vec::new());
            for positions in draws {
                task.control().check()?;
                let block = train.select(Axis(0), positions).select(Axis(1), positions);
                let columns = cross.select(Axis(1), positions);
                let drawn: Vec<usize> = positions.iter().map(|&position| self.pool[position]).collect();
                let (prediction, alone) = beside_composition(problem, &drawn, |targets| {
                    training.predict(block.view(), columns.view(), targets, spread)
                })
                .with_context(|| format!("trained on {}", counted(n as u64, "sample", "samples")))?;
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
        let (last, last_score) =
            last.ok_or_else(|| crate::failure::mistake("--n: there is no number of training samples"))?;
        Ok(Curve { points, composition, last, last_score })
    }
}

/// Trains on what the composition of the molecules `drawn` leaves of their targets, and puts it back on the prediction. Second
/// comes what the composition predicts by itself; for other samples there is nothing to take off.
fn beside_composition(
    problem: &Problem,
    drawn: &[usize],
    train: impl Fn(&Targets) -> Result<Prediction, PredictError>,
) -> Result<(Prediction, Option<Array2<f64>>), PredictError> {
    let targets = problem.train_targets.select(drawn);
    let (Some(composition), Targets::Regression(values)) = (&problem.composition, &targets) else {
        return Ok((train(&targets)?, None));
    };
    let [taken, restored] = composition.offsets(drawn, values)?;
    let left = values - &taken;
    let mean = left.mean_axis(Axis(0)).unwrap_or_default();
    let mut prediction = train(&Targets::Regression(left))?;
    prediction.mean += &restored;
    Ok((prediction, Some(restored + &mean)))
}

impl Point {
    pub(crate) fn mean(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }

    /// Standard deviation over the draws (divisor k − 1); absent for a single draw.
    pub(crate) fn std(&self) -> Option<f64> {
        let k = self.scores.len();
        (k > 1).then(|| {
            let mean = self.mean();
            (self.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (k - 1) as f64).sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_come_from_the_pool_and_repeat() {
        let targets =
            Targets::Classes { labels: (0..40).map(|i| i % 4).collect(), n_classes: 4, names: None };
        let draws = Draws::new(&targets, &[8, 4, 20], 20, 3, 0);
        assert_eq!(draws.sizes, [4, 8, 20]);
        assert_eq!(draws.positions.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(draws.pool.len(), 20);
        assert_eq!(draws.positions[2][0], (0..20).collect::<Vec<_>>());
        assert_ne!(draws.positions[1][0], draws.positions[1][1]);
        let again = Draws::new(&targets, &[8, 4, 20], 20, 3, 0);
        assert_eq!((draws.pool, draws.positions), (again.pool, again.positions));
    }

    #[test]
    fn spread_needs_two_draws() {
        let point = |scores: &[f64]| Point { n: 1, scores: scores.to_vec(), ridges: Vec::new() };
        assert_eq!(point(&[0.5]).std(), None);
        assert_eq!(point(&[0.25, 0.75]).mean(), 0.5);
        assert!((point(&[0.25, 0.75]).std().unwrap() - 0.125_f64.sqrt()).abs() < 1e-15);
    }
}
