//! How cross-validation divides the training set, without a random seed.

use crate::PredictError;

/// A division of n samples into k folds, each held out once.
///
/// ```
/// use ekernel_predict::Folds;
///
/// // Files are often sorted by class or cycle through the classes; stratified folds do not mind.
/// let folds = Folds::stratified(&[0, 1, 0, 1, 0, 1, 0, 1], 2)?;
/// let (_train, held_out) = folds.split(0);
/// assert_eq!(held_out, [0, 1, 4, 5]);
/// assert_eq!(Folds::strided(8, 2)?.split(0).1, [0, 2, 4, 6]);
/// # Ok::<(), ekernel_predict::PredictError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    fold_of: Vec<usize>,
    count: usize,
}

impl Folds {
    /// Sample i is in fold i mod k. For samples in random order.
    ///
    /// # Errors
    /// [`PredictError::InvalidFolds`] unless 2 ≤ k ≤ n.
    pub fn strided(samples: usize, folds: usize) -> Result<Folds, PredictError> {
        if folds < 2 || folds > samples {
            return Err(PredictError::InvalidFolds { folds, samples });
        }
        Ok(Folds { fold_of: (0..samples).map(|i| i % folds).collect(), count: folds })
    }

    /// The i-th sample of `order`, a permutation of 0..n, is in fold i mod k.
    ///
    /// # Errors
    /// [`PredictError::InvalidFolds`] unless 2 ≤ k ≤ n; [`NotPermutation`](PredictError::NotPermutation).
    pub fn permuted(order: &[usize], folds: usize) -> Result<Folds, PredictError> {
        let samples = order.len();
        let mut divided = Folds::strided(samples, folds)?;
        let mut seen = vec![false; samples];
        for (index, &value) in order.iter().enumerate() {
            if value >= samples || std::mem::replace(&mut seen[value], true) {
                return Err(PredictError::NotPermutation { index, value, samples });
            }
            divided.fold_of[value] = index % folds;
        }
        Ok(divided)
    }

    /// Every class spread evenly over the folds: the samples in order of class, then as [`Folds::permuted`].
    ///
    /// # Errors
    /// [`PredictError::InvalidFolds`] unless 2 ≤ k ≤ n.
    pub fn stratified(labels: &[usize], folds: usize) -> Result<Folds, PredictError> {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&i| labels[i]);
        Folds::permuted(&order, folds)
    }

    /// Folds k.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Samples n.
    pub fn samples(&self) -> usize {
        self.fold_of.len()
    }

    /// Indices of the samples to train on and of those held out, in rising order; `fold` counts modulo k.
    pub fn split(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.samples()).partition(|&i| self.fold_of[i] != fold % self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_held_out_once() {
        for folds in [
            Folds::strided(11, 4),
            Folds::permuted(&[10, 0, 9, 1, 8, 2, 7, 3, 6, 4, 5], 4),
            Folds::stratified(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 4),
        ] {
            let folds = folds.unwrap();
            let mut held: Vec<usize> = (0..4).flat_map(|fold| folds.split(fold).1).collect();
            held.sort_unstable();
            assert_eq!(held, (0..11).collect::<Vec<_>>());
            assert!((0..4).all(|fold| folds.split(fold).0.len() + folds.split(fold).1.len() == 11));
        }
        assert_eq!(Folds::stratified(&[1, 0, 1, 0], 2).unwrap().split(0).1, [0, 1]);
        assert_eq!(Folds::strided(5, 2).unwrap().split(1), (vec![0, 2, 4], vec![1, 3]));
        assert_eq!(Folds::permuted(&[4, 3, 2, 1, 0], 2).unwrap().split(0), (vec![1, 3], vec![0, 2, 4]));
    }

    #[test]
    fn impossible_folds_are_refused() {
        for (samples, folds) in [(1, 2), (5, 1), (5, 6), (0, 0)] {
            assert_eq!(Folds::strided(samples, folds), Err(PredictError::InvalidFolds { folds, samples }));
        }
        let repeated = PredictError::NotPermutation { index: 2, value: 0, samples: 3 };
        assert_eq!(Folds::permuted(&[0, 1, 0], 2), Err(repeated));
        let outside = PredictError::NotPermutation { index: 1, value: 3, samples: 3 };
        assert_eq!(Folds::permuted(&[0, 3, 1], 2), Err(outside));
    }
}
