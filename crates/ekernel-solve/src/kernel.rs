//! What the solver needs of a kernel.

use ndarray::{Array1, Array2, ArrayView2};

use crate::SolveError;

/// A symmetric kernel K (n, n) that is not in memory as a whole.
pub trait SymmetricKernel {
    /// The number of samples, n.
    fn samples(&self) -> usize;

    /// K\[i, i\], shape (n,).
    ///
    /// # Errors
    /// Those of reading.
    fn diagonal(&self) -> Result<Array1<f64>, SolveError>;

    /// K\[indices, :\], shape (indices, n).
    ///
    /// # Errors
    /// Those of reading.
    fn rows(&self, indices: &[usize]) -> Result<Array2<f64>, SolveError>;

    /// K x for x of shape (n, m). The same x gives the same bits.
    ///
    /// # Errors
    /// Those of reading.
    fn times(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, SolveError>;

    /// Bytes of memory that [`times`](Self::times) takes for m columns, beside x and the result.
    fn working_memory(&self, columns: usize) -> u64;
}
