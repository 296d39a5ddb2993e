//! A kernel in memory.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::{SolveError, SymmetricKernel};

/// A kernel in memory, or mapped into it.
#[derive(Clone, Copy, Debug)]
pub struct DenseKernel<'a>(ArrayView2<'a, f64>);

impl<'a> DenseKernel<'a> {
    /// Takes a square matrix; it is taken to be symmetric.
    ///
    /// # Errors
    /// A matrix that is not square, or empty.
    pub fn new(values: ArrayView2<'a, f64>) -> Result<DenseKernel<'a>, SolveError> {
        if values.nrows() == values.ncols() && !values.is_empty() {
            return Ok(DenseKernel(values));
        }
        let needed = "it must be square, one row and one column for each sample".to_owned();
        Err(SolveError::Shape { what: "the kernel", found: values.shape().to_vec(), needed })
    }
}

impl SymmetricKernel for DenseKernel<'_> {
    fn samples(&self) -> usize {
        self.0.nrows()
    }

    fn diagonal(&self) -> Result<Array1<f64>, SolveError> {
        Ok(self.0.diag().to_owned())
    }

    fn rows(&self, indices: &[usize]) -> Result<Array2<f64>, SolveError> {
        Ok(self.0.select(Axis(0), indices))
    }

    fn times(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, SolveError> {
        Ok(self.0.dot(&x))
    }

    fn working_memory(&self, _: usize) -> u64 {
        0
    }
}
