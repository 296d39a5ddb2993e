//! Conjugate gradients over a kernel in a store, or over one that Python reads.

use std::sync::{Mutex, PoisonError};

use ekernel_core::CancelToken;
use ekernel_experiment::SplitMix64;
use ekernel_solve::{
    Preconditioner, Settings, Solution, SolveError, State, StoredKernel, SymmetricKernel, solve as solved,
};
use ndarray::{Array1, Array2, ArrayView2, Axis, parallel::prelude::*, s};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::{PyErr, prelude::*};
use rayon::ThreadPoolBuilder;

use crate::{
    failure::Failure,
    store::{Store, kernel},
    work,
};

/// Rows of a band that a thread multiplies at a time.
const ROWS: usize = 64;

/// A kernel that Python reads. An exception is kept, and the work ends as if it were cancelled.
struct Read<'a> {
    /// Has `diagonal()`, `row(i)` and `band(start, end)`, which give arrays of float64.
    reader: Py<PyAny>,
    samples: usize,
    /// Rows that are read at a time.
    band: usize,
    raised: &'a Mutex<Option<PyErr>>,
    cancel: CancelToken,
}

impl Read<'_> {
    /// What `read` gets of Python.
    fn attached<T>(&self, read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T, SolveError> {
        if self.cancel.is_cancelled() {
            return Err(SolveError::Cancelled);
        }
        Python::attach(|py| read(self.reader.bind(py))).map_err(|error| {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            SolveError::Cancelled
        })
    }
}

impl SymmetricKernel for Read<'_> {
    fn samples(&self) -> usize {
        self.samples
    }

    fn diagonal(&self) -> Result<Array1<f64>, SolveError> {
        self.attached(|reader| {
            let values: PyReadonlyArray1<'_, f64> = reader.call_method0("diagonal")?.extract()?;
            Ok(values.as_array().to_owned())
        })
    }

    fn rows(&self, indices: &[usize]) -> Result<Array2<f64>, SolveError> {
        let mut rows = Array2::zeros((indices.len(), self.samples));
        for (mut row, &index) in rows.rows_mut().into_iter().zip(indices) {
            self.attached(|reader| {
                let values: PyReadonlyArray1<'_, f64> = reader.call_method1("row", (index,))?.extract()?;
                row.assign(&values.as_array());
                Ok(())
            })?;
        }
        Ok(rows)
    }

    fn times(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, SolveError> {
        let mut image = Array2::zeros((self.samples, x.ncols()));
        for start in (0..self.samples).step_by(self.band) {
            let end = self.samples.min(start + self.band);
            // A copy, so that other Python threads run while it is multiplied.
            let band = self.attached(|reader| {
                let values: PyReadonlyArray2<'_, f64> =
                    reader.call_method1("band", (start, end))?.extract()?;
                Ok(values.as_array().to_owned())
            })?;
            image
                .slice_mut(s![start..end, ..])
                .axis_chunks_iter_mut(Axis(0), ROWS)
                .into_par_iter()
                .zip(band.axis_chunks_iter(Axis(0), ROWS))
                .for_each(|(mut image, band)| image.assign(&band.dot(&x)));
        }
        Ok(image)
    }

    fn working_memory(&self, _: usize) -> u64 {
        8 * (self.band * self.samples) as u64
    }
}

/// A store with the name of a kernel, or a reader with its number of samples and rows at a time.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Stored(Py<Store>, String),
    Read(Py<PyAny>, usize, usize),
}

/// Numbers that say how a system is solved.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    ridge: f64,
    absolute: bool,
    rank: usize,
    tolerance: f64,
    max_iterations: usize,
    seed: u64,
}

/// Weights, the history of residuals, the residual reached, whether that is enough, and the ridge in units of the kernel.
type Found<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<f64>>, f64, bool, f64);

/// Solves (K + ridge) W = Y.
#[pyfunction]
pub(crate) fn solve<'py>(
    py: Python<'py>,
    source: Source,
    targets: PyReadonlyArray2<'_, f64>,
    how: How,
    start: Option<PyReadonlyArray2<'_, f64>>,
    callback: Option<Py<PyAny>>,
) -> PyResult<Found<'py>> {
    let targets = targets.as_array().to_owned();
    let start = start.map(|start| start.as_array().to_owned());
    let raised = Mutex::new(None);
    let cancel = CancelToken::new();
    let outcome = work::run_with(py, cancel.clone(), None, |_| {
        let run = |kernel: &dyn SymmetricKernel| -> Result<(Solution, f64), SolveError> {
            let mean = kernel.diagonal()?.sum() / kernel.samples() as f64;
            let ridge = if how.absolute { how.ridge } else { how.ridge * mean };
            let mut random = SplitMix64::new(how.seed);
            let preconditioner = Preconditioner::new(kernel, how.rank, ridge, &mut || random.uniform())?;
            let settings = Settings { ridge, tolerance: how.tolerance, steps: how.max_iterations };
            let from = start
                .map(|weights| State::from_weights(kernel, targets.view(), &preconditioner, ridge, weights))
                .transpose()?;
            let mut hear = |state: &State| {
                if cancel.is_cancelled() {
                    return Err(SolveError::Cancelled);
                }
                let Some(callback) = &callback else { return Ok(()) };
                let reached = state.history[state.steps()];
                Python::attach(|py| callback.call1(py, (state.steps(), reached))).map(drop).map_err(|error| {
                    *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    SolveError::Cancelled
                })
            };
            let solution = solved(kernel, targets.view(), &preconditioner, &settings, from, &mut hear)?;
            Ok((solution, ridge))
        };
        match source {
            Source::Stored(store, name) => {
                let (store, kernel) =
                    Python::attach(|py| kernel(&name).map(|kernel| (store.borrow(py).inner.clone(), kernel)))
                        .map_err(|error| Failure::Value(error.to_string()))?;
                let pool = ThreadPoolBuilder::new()
                    .build()
                    .map_err(|error| Failure::Memory(format!("no threads to compute on: {error}")))?;
                Ok(run(&StoredKernel::new(&store, kernel, &pool, &cancel)?)?)
            }
            Source::Read(reader, samples, band) => {
                let read =
                    Read { reader, samples, band: band.max(1), raised: &raised, cancel: cancel.clone() };
                Ok(run(&read)?)
            }
        }
    });
    if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let (Solution { weights, history, reached, converged }, ridge) = outcome?;
    Ok((weights.into_pyarray(py), Array1::from(history).into_pyarray(py), reached, converged, ridge))
}
