//! From an error of the libraries to a Python exception with its words.

use std::io;

use ekernel_core::{ArchError, BackendError};
use ekernel_data::DataError;
use ekernel_gram::GramError;
use ekernel_predict::PredictError;
use ekernel_solve::SolveError;
use ekernel_wgpu::GpuError;
use pyo3::{
    PyErr, create_exception,
    exceptions::{
        PyFileNotFoundError, PyKeyboardInterrupt, PyMemoryError, PyOSError, PyRuntimeError, PyValueError,
    },
};

create_exception!(ekernel, DeviceError, PyRuntimeError, "A GPU is not there, cannot be used, or failed.");

/// What went wrong, as the class of the exception and its words; it holds nothing of the interpreter.
#[derive(Debug)]
pub(crate) enum Failure {
    Value(String),
    Memory(String),
    Device(String),
    System(Option<i32>, String),
    NotFound(String),
    Bug(String),
    /// The work was cancelled, which only Ctrl-C and a callback that raises do: their exception is the one that is raised.
    Cancelled,
}

impl Failure {
    /// A failed call of the operating system, in these words.
    pub(crate) fn system(source: &io::Error, words: String) -> Failure {
        Failure::System(source.raw_os_error(), words)
    }
}

impl From<ArchError> for Failure {
    fn from(error: ArchError) -> Failure {
        Failure::Value(error.to_string())
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Failure {
        let words = error.to_string();
        match error {
            BackendError::Arch(_) | BackendError::Samples { .. } | BackendError::NotFinite { .. } => {
                Failure::Value(words)
            }
            BackendError::Cancelled => Failure::Cancelled,
            BackendError::Memory { .. } => Failure::Memory(words),
            BackendError::Device { .. } => Failure::Device(words),
        }
    }
}

impl From<GramError> for Failure {
    fn from(error: GramError) -> Failure {
        let words = error.to_string();
        match error {
            GramError::Backend(error) => error.into(),
            GramError::Cancelled { .. } => Failure::Cancelled,
            GramError::Memory { .. } | GramError::Allocation { .. } => Failure::Memory(words),
            GramError::Contract { .. } => Failure::Bug(words),
            GramError::Store { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Failure::NotFound(words)
            }
            GramError::Store { source, .. } | GramError::Threads { source, .. } => {
                Failure::system(&source, words)
            }
            GramError::Room { .. } => Failure::System(None, words),
            _ => Failure::Value(words),
        }
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Failure {
        match error {
            PredictError::Cancelled => Failure::Cancelled,
            error => Failure::Value(error.to_string()),
        }
    }
}

impl From<SolveError> for Failure {
    fn from(error: SolveError) -> Failure {
        match error {
            SolveError::Store(error) => error.into(),
            SolveError::Cancelled => Failure::Cancelled,
            error => Failure::Value(error.to_string()),
        }
    }
}

impl From<GpuError> for Failure {
    fn from(error: GpuError) -> Failure {
        match error {
            GpuError::Cancelled => Failure::Cancelled,
            error => Failure::Device(error.to_string()),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        let words = error.to_string();
        match error {
            DataError::Io { source, .. } => Failure::system(&source, words),
            DataError::NotFound { .. } => Failure::NotFound(words),
            _ => Failure::Value(words),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        match failure {
            Failure::Value(words) => PyValueError::new_err(words),
            Failure::Memory(words) => PyMemoryError::new_err(words),
            Failure::Device(words) => DeviceError::new_err(words),
            Failure::System(Some(code), words) => PyOSError::new_err((code, words)),
            Failure::NotFound(words) => PyFileNotFoundError::new_err(words),
            Failure::System(None, words) => PyOSError::new_err(words),
            Failure::Bug(words) => PyRuntimeError::new_err(words),
            Failure::Cancelled => PyKeyboardInterrupt::new_err(()),
        }
    }
}
