//! A randomly pivoted partial Cholesky factor, and its inverse.

use faer::{Mat, Side, linalg::solvers::Llt, prelude::Solve};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::{SolveError, SymmetricKernel};

/// (F Fᵀ + λ)⁻¹ for F (n, r) from r pivots of a kernel.
///
/// Pivots are drawn by the diagonal that is left (Chen, Epperly, Tropp, Webber 2022), some at a time, of
/// which those are rejected that the others made superfluous (Epperly, Tropp, Webber 2024): the pivots
/// have the same distribution as one by one, and the kernel is read a few times instead of r times.
#[derive(Debug)]
pub struct Preconditioner {
    /// Fᵀ, (r, n).
    factor: Array2<f64>,
    /// The Cholesky factor of λ + FᵀF.
    inner: Option<Llt<f64>>,
    ridge: f64,
}

/// The share of the rank that is drawn at a time.
const SHARE: usize = 10;

impl Preconditioner {
    /// Makes a factor of rank `rank` at most; `uniform` draws numbers from [0, 1).
    ///
    /// # Errors
    /// Those of reading; a kernel with a negative or infinite diagonal.
    pub fn new(
        kernel: &dyn SymmetricKernel,
        rank: usize,
        ridge: f64,
        uniform: &mut dyn FnMut() -> f64,
    ) -> Result<Preconditioner, SolveError> {
        let n = kernel.samples();
        let diagonal = kernel.diagonal()?;
        if !diagonal.iter().all(|value| value.is_finite()) {
            return Err(SolveError::NotFinite { what: "the diagonal of the kernel" });
        }
        let rank = rank.min(n);
        let mut factor = Array2::zeros((rank, n));
        let mut left = diagonal.mapv(|value| value.max(0.0));
        let smallest = n as f64 * f64::EPSILON * left.sum();
        let mut made = 0;
        while made < rank && left.sum() > smallest {
            let wanted = rank.div_ceil(SHARE).max(1).min(rank - made);
            let candidates = draw(&left, wanted, uniform);
            let rows = kernel.rows(&candidates)?;
            if !rows.iter().all(|value| value.is_finite()) {
                return Err(SolveError::NotFinite { what: "the kernel" });
            }
            // What is left of these rows after the pivots so far.
            let known = factor.slice(s![..made, ..]);
            let rows = rows - known.select(Axis(1), &candidates).t().dot(&known);
            let before = made;
            for (position, &pivot) in candidates.iter().enumerate() {
                // Less those of this batch.
                let batch = factor.slice(s![before..made, ..]);
                let row = &rows.row(position) - &batch.t().dot(&batch.column(pivot));
                // Rejected with the chance that the others of the batch explain it.
                let found = row[pivot];
                let kept =
                    found > f64::EPSILON * diagonal[pivot] && uniform() * rows[(position, pivot)] < found;
                if kept {
                    factor.row_mut(made).assign(&(row / found.sqrt()));
                    made += 1;
                } else if found <= f64::EPSILON * diagonal[pivot] {
                    left[pivot] = 0.0;
                }
            }
            for row in factor.slice(s![before..made, ..]).rows() {
                left.zip_mut_with(&row, |left, value| *left = (*left - value * value).max(0.0));
            }
            for &pivot in &candidates {
                if left[pivot] <= f64::EPSILON * diagonal[pivot] {
                    left[pivot] = 0.0;
                }
            }
        }
        let factor = if made == rank { factor } else { factor.slice(s![..made, ..]).to_owned() };
        let inner = (made > 0)
            .then(|| {
                let product = factor.dot(&factor.t());
                let inner =
                    Mat::from_fn(made, made, |i, j| product[(i, j)] + if i == j { ridge } else { 0.0 });
                inner.llt(Side::Lower)
            })
            .transpose()
            .map_err(|_| SolveError::Ridge(ridge))?;
        Ok(Preconditioner { factor, inner, ridge })
    }

    /// The rank that was reached: less than asked for if nothing of the kernel is left.
    pub fn rank(&self) -> usize {
        self.factor.nrows()
    }

    /// Bytes that a factor of rank `rank` takes while it is made.
    pub fn memory(samples: usize, rank: usize) -> u64 {
        let [n, rank] = [samples, rank.min(samples)].map(|n| n as u64);
        // The factor, and twice the rows that are drawn at a time.
        8 * (n * (rank + 2 * rank.div_ceil(SHARE as u64)) + 2 * rank * rank)
    }

    /// (F Fᵀ + λ)⁻¹ x, by Woodbury's identity.
    pub fn apply(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let Some(inner) = &self.inner else { return &x / self.ridge };
        let projected = self.factor.dot(&x);
        let projected = Mat::from_fn(projected.nrows(), projected.ncols(), |i, j| projected[(i, j)]);
        let solved = inner.solve(&projected);
        let solved = Array2::from_shape_fn((solved.nrows(), solved.ncols()), |(i, j)| solved[(i, j)]);
        (&x - &self.factor.t().dot(&solved)) / self.ridge
    }
}

/// `count` different indices, each drawn by its weight; fewer where few have any.
fn draw(weights: &Array1<f64>, count: usize, uniform: &mut dyn FnMut() -> f64) -> Vec<usize> {
    let sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let all = sums.last().copied().unwrap_or(0.0);
    let mut drawn = Vec::with_capacity(count);
    for _ in 0..count {
        let at = uniform() * all;
        let index = sums.partition_point(|&sum| sum <= at).min(weights.len() - 1);
        if weights[index] > 0.0 && !drawn.contains(&index) {
            drawn.push(index);
        }
    }
    drawn
}
