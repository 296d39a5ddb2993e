//! Kernels in a Zarr store.

use std::{ops::Range, path::PathBuf};

use ekernel_core::{KernelSet, Pairs};
use ekernel_gram::{Division, Element, Kernel, Shard, ShardJob, ZarrOptions, ZarrStore};
use numpy::{IntoPyArray, PyArray2};
use pyo3::{exceptions::PyValueError, prelude::*};
use serde_json::json;

use crate::{
    backend::{Chosen, How, choose},
    failure::Failure,
    network::Network,
    samples::samples,
    work,
};

/// A Zarr store of kernels, or the part of it that has been computed.
#[pyclass(frozen, module = "ekernel._native")]
pub(crate) struct Store {
    pub(crate) inner: ZarrStore,
}

/// A shard (index, of), the chunk side, and the arrays that are wanted.
type Part = ((usize, usize), Option<usize>, Vec<String>);

/// Computes a shard of the kernels K[i, j] = k(x1[i], x2[j]) into a store.
#[pyfunction]
pub(crate) fn gram_shard(
    py: Python<'_>,
    network: &Bound<'_, Network>,
    sets: (Bound<'_, PyAny>, Option<Bound<'_, PyAny>>),
    path: PathBuf,
    part: Part,
    how: How,
    progress: Option<Py<PyAny>>,
) -> PyResult<Store> {
    let (x1, x2) = sets;
    let ((index, of), chunk, names) = part;
    let shard = Shard::new(index, of).ok_or_else(|| {
        PyValueError::new_err(format!("shard is ({index}, {of}); give (i, n) with 1 <= i <= n"))
    })?;
    let network = &network.get().inner;
    let first = samples(network, &x1, "x1")?;
    let pairs = match x2 {
        None => Pairs::within(first),
        Some(x2) => Pairs::cross(first, samples(network, &x2, "x2")?),
    };
    let kernels = names.iter().map(|name| kernel(name)).collect::<PyResult<Vec<Kernel>>>()?;
    let kinds = if kernels.contains(&Kernel::Ntk) { KernelSet::Both } else { KernelSet::Nngp };
    let (inner, note) = work::run(py, progress, |control| {
        pairs.check(network.input())?;
        let mut chosen = choose(&how, network, kinds)?;
        let options = ZarrOptions {
            kernels,
            element: if chosen.is_single { Element::F32 } else { Element::F64 },
            chunk,
            shard,
            notes: json!({
                "architecture": network.to_toml(),
                "backend": chosen.backend.describe(),
                "shape": [pairs.first().len(), pairs.second().len()],
            }),
            threads: how.threads,
            memory_limit: None,
        };
        let store = ShardJob::prepare(&*chosen.backend, pairs, &path, &options, control)?.run(control)?;
        Ok((store, chosen.take_note()))
    })?;
    Chosen::warn(note, py)?;
    Ok(Store { inner })
}

#[pymethods]
impl Store {
    #[new]
    fn new(path: PathBuf) -> PyResult<Store> {
        Ok(Store { inner: ZarrStore::open(&path).map_err(Failure::from)? })
    }

    /// The names of its arrays.
    #[getter]
    fn kernels(&self) -> Vec<&'static str> {
        self.inner.kernels().iter().map(|kernel| kernel.name()).collect()
    }

    /// Shape (n1, n2).
    #[getter]
    fn shape(&self) -> (usize, usize) {
        self.inner.layout().shape().into()
    }

    /// Rows and columns of a chunk.
    #[getter]
    fn chunk(&self) -> (usize, usize) {
        self.inner.layout().chunk().into()
    }

    /// Whether it holds the kernels of one set with itself.
    #[getter]
    fn symmetric(&self) -> bool {
        self.inner.layout().is_symmetric()
    }

    /// `float32` or `float64`.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.inner.element().name()
    }

    /// The facts that were kept with it, as JSON.
    #[getter]
    fn notes(&self) -> String {
        self.inner.notes().to_string()
    }

    /// The number of blocks, of missing and of damaged ones, and which of `of` shards have one of the latter two.
    fn status(&self, py: Python<'_>, of: usize, verify: bool) -> PyResult<(usize, usize, usize, Vec<usize>)> {
        let status = py.detach(|| self.inner.status(verify)).map_err(Failure::from)?;
        let open = [status.missing.clone(), status.damaged.clone()].concat();
        let shards = Division::new(self.inner.layout(), of).holding(&open);
        Ok((status.blocks, status.missing.len(), status.damaged.len(), shards))
    }

    /// The entries of the array `name` in rows and columns, from the first to before the last.
    fn window<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        rows: (usize, usize),
        cols: (usize, usize),
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let kernel = kernel(name)?;
        let [n, m] = self.inner.layout().shape();
        let range = |(start, end): (usize, usize), n: usize| -> Range<usize> { start.min(n)..end.min(n) };
        let (rows, cols) = (range(rows, n), range(cols, m));
        let window = py.detach(|| self.inner.window(kernel, rows, cols)).map_err(Failure::from)?;
        Ok(window.into_pyarray(py))
    }
}

/// The kernel of a name.
pub(crate) fn kernel(name: &str) -> PyResult<Kernel> {
    Kernel::ALL
        .into_iter()
        .find(|kernel| kernel.name() == name)
        .ok_or_else(|| PyValueError::new_err(format!("get is {name:?}; give 'nngp' or 'ntk'")))
}
