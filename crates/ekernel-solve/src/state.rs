//! Where conjugate gradients are, so that they can go on from there.

use ndarray::{Array1, Array2, ArrayView2};

/// Everything that the next step depends on, beside the system and its preconditioner.
///
/// A solution that goes on from a state has the same bits as one that was not interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The solution so far, (n, m).
    pub weights: Array2<f64>,
    /// The best solution so far by its residual.
    pub best: Array2<f64>,
    /// What is left of the targets by recurrence, (n, m).
    pub residual: Array2<f64>,
    /// The next direction, (n, m).
    pub direction: Array2<f64>,
    /// The product of the residual with the preconditioned residual, (m,).
    pub product: Array1<f64>,
    /// The largest relative residual of an output before the first step and after each.
    pub history: Vec<f64>,
}

impl State {
    /// The number of steps made.
    pub fn steps(&self) -> usize {
        self.history.len().saturating_sub(1)
    }

    /// The largest |residual| / |target| of a column, where `sizes` are the norms of the targets.
    pub(crate) fn relative(residual: ArrayView2<'_, f64>, sizes: &Array1<f64>) -> f64 {
        let norms = residual.columns().into_iter().map(|column| column.dot(&column).sqrt());
        norms.zip(sizes).map(|(norm, size)| norm / size).fold(0.0, f64::max)
    }
}
