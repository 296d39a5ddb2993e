//! Kernel machines, trained.

use ekernel_core::CancelToken;
use ekernel_data::Targets;
use ekernel_experiment::{Amplitude, Kind, RidgeChoice, Training};
use ekernel_predict::{Center, Fit, KernelMachine, Nngp, PredictError, Ridge, TrainingTime, Workers};
use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{failure::Failure, work};

/// A kernel machine trained on targets. Work that is interrupted leaves it unusable.
#[pyclass(frozen, module = "ekernel._native")]
pub(crate) struct Machine {
    machine: KernelMachine,
    /// What it was trained on, (n, m).
    targets: Array2<f64>,
    /// What was taken off the targets of each output.
    mean: Vec<f64>,
    weights: Array2<f64>,
    ridge: Ridge,
    cancel: CancelToken,
}

/// Values (n, m), or classes with their number.
#[derive(FromPyObject)]
enum Trained<'py> {
    Values(PyReadonlyArray2<'py, f64>),
    Classes(Vec<usize>, usize),
}

#[pymethods]
impl Machine {
    #[new]
    fn new(
        py: Python<'_>,
        kernel: PyReadonlyArray2<'_, f64>,
        targets: Trained<'_>,
        ridge: &str,
        time: f64,
        center: bool,
        threads: usize,
    ) -> PyResult<Machine> {
        let ridge: RidgeChoice =
            ridge.parse().map_err(|needs| PyValueError::new_err(format!("ridge is {ridge}; {needs}")))?;
        let time = TrainingTime::new(time).map_err(Failure::from)?;
        let center = if center { Center::Mean } else { Center::None };
        let targets = match targets {
            Trained::Values(values) => Targets::Regression(values.as_array().to_owned()),
            Trained::Classes(labels, n_classes) => {
                Targets::Classes { labels, n_classes, names: None, numbered: true }
            }
        };
        // The kind and the amplitude matter to covariances alone, which are asked for by name.
        let amplitude = Amplitude::AsComputed;
        let training =
            Training { kind: Kind::Ntk, ridge, time, center, standardize: false, amplitude, threads };
        let cancel = CancelToken::new();
        let workers = Workers::new(threads).cancelled_by(&cancel);
        let kernel = kernel.as_array();
        let trained = work::run_with(py, cancel.clone(), None, |_| {
            let (outputs, mean) = training.outputs(&targets)?;
            let (ridge, machine) = training.machine(kernel, &targets, &mean, &workers)?;
            let weights = machine.fit(outputs.view())?.weights().to_owned();
            Ok((ridge, machine, outputs, mean.values().to_vec(), weights))
        });
        let (ridge, machine, targets, mean, weights) = trained?;
        Ok(Machine { machine, targets, mean, weights, ridge, cancel })
    }

    /// The weight of each training sample, (n, m).
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        self.weights.to_pyarray(py)
    }

    /// What was taken off the targets of each output, (m,).
    #[getter]
    fn mean(&self) -> Vec<f64> {
        self.mean.clone()
    }

    /// The amount added to the diagonal, relative to its mean or absolute.
    #[getter]
    fn ridge(&self) -> (f64, bool) {
        (self.ridge.value(), matches!(self.ridge, Ridge::Absolute(_)))
    }

    /// The posterior variance of a machine on the NNGP, (n_test,), from K(x, X) and the diagonal of K(x, x).
    fn posterior_variance<'py>(
        &self,
        py: Python<'py>,
        cross: PyReadonlyArray2<'_, f64>,
        test: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (cross, test) = (cross.as_array(), test.as_array());
        Ok(self.with_fit(py, |fit| fit.posterior_variance(cross, test))?.into_pyarray(py))
    }

    /// The posterior covariance of a machine on the NNGP, (n_test, n_test), from K(x, X) and K(x, x).
    fn posterior_covariance<'py>(
        &self,
        py: Python<'py>,
        cross: PyReadonlyArray2<'_, f64>,
        test: PyReadonlyArray2<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (cross, test) = (cross.as_array(), test.as_array());
        Ok(self.with_fit(py, |fit| fit.posterior_covariance(cross, test))?.into_pyarray(py))
    }

    /// The variance over an ensemble of trained networks, (n_test,), from Θ(x, X) and the NNGP K(X, X), K(x, X) and the
    /// diagonal of K(x, x).
    fn ensemble_variance<'py>(
        &self,
        py: Python<'py>,
        cross: PyReadonlyArray2<'_, f64>,
        nngp: (PyReadonlyArray2<'_, f64>, PyReadonlyArray2<'_, f64>, PyReadonlyArray1<'_, f64>),
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let cross = cross.as_array();
        let nngp = Nngp { train: nngp.0.as_array(), cross: nngp.1.as_array(), test: nngp.2.as_array() };
        Ok(self.with_fit(py, |fit| fit.ensemble_variance(cross, &nngp))?.into_pyarray(py))
    }

    /// The covariance over an ensemble of trained networks, (n_test, n_test), from Θ(x, X) and the NNGP K(X, X), K(x, X) and
    /// K(x, x).
    fn ensemble_covariance<'py>(
        &self,
        py: Python<'py>,
        cross: PyReadonlyArray2<'_, f64>,
        nngp: (PyReadonlyArray2<'_, f64>, PyReadonlyArray2<'_, f64>, PyReadonlyArray2<'_, f64>),
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let cross = cross.as_array();
        let nngp = Nngp { train: nngp.0.as_array(), cross: nngp.1.as_array(), test: nngp.2.as_array() };
        Ok(self.with_fit(py, |fit| fit.ensemble_covariance(cross, &nngp))?.into_pyarray(py))
    }
}

impl Machine {
    /// What `work` makes of the machine with its targets, without the interpreter's lock.
    fn with_fit<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Fit<'_>) -> Result<T, PredictError> + Send,
    ) -> PyResult<T> {
        work::run_with(py, self.cancel.clone(), None, |_| Ok(work(&self.machine.fit(self.targets.view())?)?))
    }
}
