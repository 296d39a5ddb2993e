//! Classification: labels to targets, outputs to labels, and how often they are right.

use ndarray::{Array2, ArrayView2};

use crate::{PredictError, validate};

/// Targets (n, classes) for labels 0..classes: one-hot minus 1/classes, so that every row sums to zero.
///
/// # Errors
/// [`PredictError::TooFewClasses`] below two classes, [`Empty`](PredictError::Empty) without labels,
/// [`LabelOutOfRange`](PredictError::LabelOutOfRange) for the first label that is not below `classes`.
pub fn one_hot_centered(labels: &[usize], classes: usize) -> Result<Array2<f64>, PredictError> {
    check_labels(labels, classes)?;
    let mut targets = Array2::from_elem((labels.len(), classes), -1.0 / classes as f64);
    for (sample, &label) in labels.iter().enumerate() {
        targets[(sample, label)] += 1.0;
    }
    Ok(targets)
}

/// The class of the largest output in each row of (n, classes); the lowest of several that tie.
///
/// # Errors
/// [`PredictError::Empty`] or [`NonFinite`](PredictError::NonFinite).
pub fn argmax(outputs: ArrayView2<'_, f64>) -> Result<Vec<usize>, PredictError> {
    const WHAT: &str = "outputs to choose classes from";
    validate::not_empty(WHAT, &outputs)?;
    validate::finite(WHAT, &outputs)?;
    let largest = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().enumerate().fold(0, |best, (class, &value)| if value > row[best] { class } else { best })
    };
    Ok(outputs.rows().into_iter().map(largest).collect())
}

/// Share of samples whose predicted class is the true one, in 0..=1.
///
/// # Errors
/// [`PredictError::Mismatch`] or [`Empty`](PredictError::Empty).
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> Result<f64, PredictError> {
    check_pair(predicted, truth)?;
    let right = predicted.iter().zip(truth).filter(|(p, t)| p == t).count();
    Ok(right as f64 / truth.len() as f64)
}

/// Counts (classes, classes): entry (i, j) is the number of samples of class i that were predicted as class j.
///
/// # Errors
/// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty), [`TooFewClasses`](PredictError::TooFewClasses) or
/// [`LabelOutOfRange`](PredictError::LabelOutOfRange).
pub fn confusion(
    predicted: &[usize],
    truth: &[usize],
    classes: usize,
) -> Result<Array2<usize>, PredictError> {
    check_pair(predicted, truth)?;
    check_labels(truth, classes)?;
    check_labels(predicted, classes)?;
    let mut counts = Array2::zeros((classes, classes));
    for (&p, &t) in predicted.iter().zip(truth) {
        counts[(t, p)] += 1;
    }
    Ok(counts)
}

fn check_pair(predicted: &[usize], truth: &[usize]) -> Result<(), PredictError> {
    if truth.is_empty() {
        return Err(PredictError::Empty { what: "set of true labels" });
    }
    validate::length("set of predicted labels", "entries", predicted.len(), truth.len(), "true labels")
}

pub(crate) fn check_labels(labels: &[usize], classes: usize) -> Result<(), PredictError> {
    if classes < 2 {
        return Err(PredictError::TooFewClasses { classes });
    }
    if labels.is_empty() {
        return Err(PredictError::Empty { what: "set of labels" });
    }
    match labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
        None => Ok(()),
        Some((sample, &label)) => Err(PredictError::LabelOutOfRange { sample, label, classes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn one_hot_rows_sum_to_zero() {
        let targets = one_hot_centered(&[2, 0], 4).unwrap();
        assert_eq!(targets, array![[-0.25, -0.25, 0.75, -0.25], [0.75, -0.25, -0.25, -0.25]]);
        assert_eq!(
            one_hot_centered(&[0, 3], 3),
            Err(PredictError::LabelOutOfRange { sample: 1, label: 3, classes: 3 })
        );
        assert_eq!(one_hot_centered(&[0], 1), Err(PredictError::TooFewClasses { classes: 1 }));
        assert_eq!(one_hot_centered(&[], 2), Err(PredictError::Empty { what: "set of labels" }));
    }

    #[test]
    fn argmax_takes_the_lowest_class_of_a_tie() {
        let outputs = array![[0.0, 1.0, 1.0], [-3.0, -2.0, -2.5], [0.0, 0.0, 0.0], [-0.0, 0.0, -1.0]];
        assert_eq!(argmax(outputs.view()), Ok(vec![1, 1, 0, 0]));
        let found = argmax(array![[0.0, f64::NAN]].view());
        assert!(matches!(found, Err(PredictError::NonFinite { row: 0, column: 1, .. })), "{found:?}");
    }

    #[test]
    fn confusion_has_the_truth_in_its_rows() {
        let (predicted, truth) = ([0, 1, 1, 2, 1], [0, 0, 1, 2, 2]);
        assert_eq!(confusion(&predicted, &truth, 3), Ok(array![[1, 1, 0], [0, 1, 0], [0, 1, 1]]));
        assert_eq!(accuracy(&predicted, &truth), Ok(0.6));
        let found = accuracy(&predicted[..2], &truth);
        assert!(matches!(found, Err(PredictError::Mismatch { found: 2, needed: 5, .. })), "{found:?}");
        assert_eq!(accuracy(&[], &[]), Err(PredictError::Empty { what: "set of true labels" }));
    }
}
