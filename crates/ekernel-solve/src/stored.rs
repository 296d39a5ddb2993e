//! A kernel in a Zarr store.

use ekernel_core::CancelToken;
use ekernel_gram::{Kernel, ZarrStore};
use ndarray::{Array1, Array2, ArrayView2, s};
use rayon::{ThreadPool, prelude::*};

use crate::{SolveError, SymmetricKernel};

/// Chunks that are multiplied before their results are added up, in their order.
const BATCH: usize = 32;

/// A kernel of one set with itself in a Zarr store, read chunk by chunk for each product.
#[derive(Debug)]
pub struct StoredKernel<'a> {
    store: &'a ZarrStore,
    kernel: Kernel,
    pool: &'a ThreadPool,
    cancel: CancelToken,
}

impl<'a> StoredKernel<'a> {
    /// The kernel of a store, read and multiplied on the threads of `pool`.
    ///
    /// # Errors
    /// A store of two sets, or without this kernel.
    pub fn new(
        store: &'a ZarrStore,
        kernel: Kernel,
        pool: &'a ThreadPool,
        cancel: &CancelToken,
    ) -> Result<StoredKernel<'a>, SolveError> {
        store.ensure_has(kernel)?;
        if !store.layout().is_symmetric() {
            let needed =
                "it is the kernel of two sets; a system has the kernel of one set with itself".to_owned();
            let found = store.layout().shape().to_vec();
            return Err(SolveError::Shape { what: "the kernel of the store", found, needed });
        }
        Ok(StoredKernel { store, kernel, pool, cancel: cancel.clone() })
    }
}

impl SymmetricKernel for StoredKernel<'_> {
    fn samples(&self) -> usize {
        self.store.layout().shape()[0]
    }

    fn diagonal(&self) -> Result<Array1<f64>, SolveError> {
        let mut diagonal = Array1::zeros(self.samples());
        for chunk in self.store.stored_chunks().filter(|[row, col]| row == col) {
            let (block, values) = self.store.read_chunk(self.kernel, chunk)?;
            diagonal.slice_mut(s![block.rows]).assign(&values.diag());
        }
        Ok(diagonal)
    }

    fn rows(&self, indices: &[usize]) -> Result<Array2<f64>, SolveError> {
        let n = self.samples();
        let side = self.store.layout().chunk()[1];
        let mut rows = Array2::zeros((indices.len(), n));
        let parts: Vec<Array2<f64>> = self.pool.install(|| {
            let starts: Vec<usize> = (0..n).step_by(side).collect();
            let part = |start: usize| {
                if self.cancel.is_cancelled() {
                    return Err(SolveError::Cancelled);
                }
                let cols: Vec<usize> = (start..n.min(start + side)).collect();
                Ok(self.store.select(self.kernel, indices, &cols)?)
            };
            starts.into_par_iter().map(part).collect::<Result<_, SolveError>>()
        })?;
        for (position, part) in parts.iter().enumerate() {
            let start = position * side;
            rows.slice_mut(s![.., start..start + part.ncols()]).assign(part);
        }
        Ok(rows)
    }

    fn times(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, SolveError> {
        product(self.store, self.kernel, x, self.pool, &self.cancel)
    }

    fn working_memory(&self, columns: usize) -> u64 {
        let [rows, cols] = self.store.layout().chunk().map(|side| side as u64);
        let results = BATCH as u64 * (rows + cols) * columns as u64 * 8;
        // On each thread the bytes of a chunk and its numbers as float64.
        let read = rows * cols * (8 + self.store.element().bytes() as u64);
        results + read * self.pool.current_num_threads() as u64
    }
}

/// The predictions K W of the kernel (n₁, n₂) of a store for weights (n₂, m).
///
/// # Errors
/// Weights of another number of samples; those of reading; cancelled.
pub fn predict(
    store: &ZarrStore,
    kernel: Kernel,
    weights: ArrayView2<'_, f64>,
    pool: &ThreadPool,
    cancel: &CancelToken,
) -> Result<Array2<f64>, SolveError> {
    let [_, cols] = store.layout().shape();
    if weights.nrows() != cols {
        let needed = format!("the kernel that predicts has {cols} columns, one for each training sample");
        return Err(SolveError::Shape {
            what: "the array of weights",
            found: weights.shape().to_vec(),
            needed,
        });
    }
    product(store, kernel, weights, pool, cancel)
}

/// K x. Results are added up in the order of the chunks, whatever the threads.
fn product(
    store: &ZarrStore,
    kernel: Kernel,
    x: ArrayView2<'_, f64>,
    pool: &ThreadPool,
    cancel: &CancelToken,
) -> Result<Array2<f64>, SolveError> {
    store.ensure_has(kernel)?;
    let layout = store.layout();
    let mut image = Array2::zeros((layout.shape()[0], x.ncols()));
    let chunks: Vec<[usize; 2]> = store.stored_chunks().collect();
    for batch in chunks.chunks(BATCH) {
        let multiply = |&chunk: &[usize; 2]| {
            if cancel.is_cancelled() {
                return Err(SolveError::Cancelled);
            }
            let (block, values) = store.read_chunk(kernel, chunk)?;
            let direct = values.dot(&x.slice(s![block.cols.clone(), ..]));
            let mirrored = (layout.is_symmetric() && chunk[0] != chunk[1])
                .then(|| values.t().dot(&x.slice(s![block.rows.clone(), ..])));
            Ok((block, direct, mirrored))
        };
        let parts: Vec<_> =
            pool.install(|| batch.par_iter().map(multiply).collect::<Result<_, SolveError>>())?;
        for (block, direct, mirrored) in parts {
            let mut rows = image.slice_mut(s![block.rows, ..]);
            rows += &direct;
            if let Some(mirrored) = mirrored {
                let mut rows = image.slice_mut(s![block.cols, ..]);
                rows += &mirrored;
            }
        }
    }
    Ok(image)
}
