//! Several labels for each sample: how well outputs tell those that hold from those that do not.

use ndarray::{ArrayView1, ArrayView2};

use crate::{PredictError, validate};

/// How one output does as a label of 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelScore {
    /// Share of samples on the right side of ½.
    pub accuracy: f64,
    /// The probability that a sample with the label has the larger output than one without, a tie counting half; `None` where
    /// all samples have it, or none.
    pub auc: Option<f64>,
    /// Samples that have the label.
    pub positives: usize,
}

/// The scores of each column, if every entry of the truth (n, m) is 0 or 1.
///
/// # Errors
/// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite).
pub fn label_scores(
    predicted: ArrayView2<'_, f64>,
    truth: ArrayView2<'_, f64>,
) -> Result<Option<Vec<LabelScore>>, PredictError> {
    const LIKE: (&str, &str) = ("true labels", "true labels' columns");
    validate::array("true labels", &truth, truth.dim(), LIKE)?;
    validate::array("prediction", &predicted, truth.dim(), LIKE)?;
    if !truth.iter().all(|value| [0.0, 1.0].contains(value)) {
        return Ok(None);
    }
    let columns = predicted.columns().into_iter().zip(truth.columns());
    Ok(Some(columns.map(|(predicted, truth)| of_label(predicted, truth)).collect()))
}

fn of_label(predicted: ArrayView1<'_, f64>, truth: ArrayView1<'_, f64>) -> LabelScore {
    let right = predicted.iter().zip(truth).filter(|&(p, t)| (*p > 0.5) == (*t == 1.0)).count();
    let positives = truth.iter().filter(|value| **value == 1.0).count();
    LabelScore { accuracy: right as f64 / truth.len() as f64, auc: auc(predicted, truth), positives }
}

/// The area under the receiver operating curve, by the ranks of the positives (Mann and Whitney).
fn auc(predicted: ArrayView1<'_, f64>, truth: ArrayView1<'_, f64>) -> Option<f64> {
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| predicted[a].total_cmp(&predicted[b]));
    let (mut ranks, mut before, mut positives) = (0.0, 0, 0);
    for tied in order.chunk_by(|&a, &b| predicted[a] == predicted[b]) {
        let rank = before as f64 + 0.5 * (tied.len() as f64 + 1.0);
        let found = tied.iter().filter(|&&sample| truth[sample] == 1.0).count();
        ranks += rank * found as f64;
        positives += found;
        before += tied.len();
    }
    let (p, n) = (positives as f64, (truth.len() - positives) as f64);
    (p > 0.0 && n > 0.0).then(|| (ranks - 0.5 * p * (p + 1.0)) / (p * n))
}
