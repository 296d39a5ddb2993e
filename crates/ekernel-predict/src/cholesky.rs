//! The direct solve of infinite time: Θ̃ = L Lᵀ.

use std::sync::Arc;

use faer::{
    Mat,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt::{
            factor::{LltError, cholesky_in_place, cholesky_in_place_scratch},
            solve::solve_in_place,
        },
        triangular_solve::solve_lower_triangular_in_place,
    },
    mat::AsMatMut,
};
use faer_ext::IntoFaer;
use ndarray::{Array2, ArrayView2, ShapeBuilder};

use crate::{
    PredictError, Ridge, Workers,
    diagonal::{Spread, mean_diagonal},
    spectrum::eigenvalues,
};

/// L of a training kernel with its ridge; what lies above the diagonal means nothing.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    factor: Arc<Mat<f64>>,
}

impl Cholesky {
    /// Factors a checked symmetric kernel, whose upper triangle is read, and gives λ_abs beside the factor.
    pub(crate) fn new(
        kernel: ArrayView2<'_, f64>,
        ridge: Ridge,
        workers: &Workers,
    ) -> Result<(Cholesky, f64), PredictError> {
        let n = kernel.nrows();
        let absolute = ridge.on_diagonal(mean_diagonal(kernel))?;
        let mut factor = Mat::<f64>::zeros(n, n);
        for j in 0..n {
            // Row j of a row-major kernel is column j of the column-major factor: both run along memory.
            for i in j..n {
                factor[(i, j)] = kernel[(j, i)];
            }
            factor[(j, j)] += absolute;
        }
        let par = workers.par();
        let (factor, outcome) = workers.run((n as f64).powi(3) / 6.0, move || {
            let mut buffer = MemBuffer::new(cholesky_in_place_scratch::<f64>(n, par, Default::default()));
            let stack = MemStack::new(&mut buffer);
            let outcome =
                cholesky_in_place(factor.as_mat_mut(), Default::default(), par, stack, Default::default());
            (factor, outcome)
        })?;
        let bad = match outcome {
            // On failure the entry at the pivot is left as the pivot found, before its root is taken.
            Err(LltError::NonPositivePivot { index }) => Some((index, factor[(index, index)])),
            Ok(_) => (0..n).find_map(|i| {
                let pivot = factor[(i, i)] * factor[(i, i)];
                let rounding = n as f64 * f64::EPSILON * (kernel[(i, i)] + absolute);
                if pivot > rounding { None } else { Some((i, pivot)) }
            }),
        };
        match bad {
            None => Ok((Cholesky { factor: Arc::new(factor) }, absolute)),
            Some((pivot, value)) => {
                // Freed first: the eigenvalues need as much memory again.
                drop(factor);
                Err(refusal(kernel, ridge, pivot, value, workers))
            }
        }
    }

    /// Θ̃⁻¹B.
    pub(crate) fn solve(
        &self,
        rhs: ArrayView2<'_, f64>,
        workers: &Workers,
    ) -> Result<Array2<f64>, PredictError> {
        let (factor, par, mut solution) = (Arc::clone(&self.factor), workers.par(), column_major(rhs));
        workers.run(2.0 * self.half_cost(rhs), move || {
            let stack = MemStack::new(&mut []);
            solve_in_place(factor.as_ref().as_ref(), solution.view_mut().into_faer(), par, stack);
            solution
        })
    }

    /// L⁻¹B, whose columns have the inner products BᵀΘ̃⁻¹B.
    pub(crate) fn half_solve(
        &self,
        rhs: ArrayView2<'_, f64>,
        workers: &Workers,
    ) -> Result<Array2<f64>, PredictError> {
        let (factor, par, mut half) = (Arc::clone(&self.factor), workers.par(), column_major(rhs));
        workers.run(self.half_cost(rhs), move || {
            solve_lower_triangular_in_place(factor.as_ref().as_ref(), half.view_mut().into_faer(), par);
            half
        })
    }

    /// log|Θ̃|.
    pub(crate) fn log_determinant(&self) -> f64 {
        (0..self.factor.nrows()).map(|i| 2.0 * self.factor[(i, i)].ln()).sum()
    }

    /// Multiplications of one triangular solve.
    fn half_cost(&self, rhs: ArrayView2<'_, f64>) -> f64 {
        (self.factor.nrows() * rhs.len()) as f64 / 2.0
    }
}

/// A copy with contiguous columns, which is what faer's solves are fast on.
fn column_major(view: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut copy = Array2::zeros(view.raw_dim().f());
    copy.assign(&view);
    copy
}

fn refusal(
    kernel: ArrayView2<'_, f64>,
    ridge: Ridge,
    pivot: usize,
    value: f64,
    workers: &Workers,
) -> PredictError {
    if !value.is_finite() {
        return PredictError::Overflow { what: "Cholesky factor of the training kernel" };
    }
    let n = kernel.nrows();
    match eigenvalues(kernel, workers) {
        Err(error) => error,
        Ok(values) => {
            let spread = Spread::new(&values, mean_diagonal(kernel));
            let enough = ridge.that_would_do(&spread);
            PredictError::NotPositiveDefinite { pivot, value, n, ridge, smallest: spread.smallest, enough }
        }
    }
}
