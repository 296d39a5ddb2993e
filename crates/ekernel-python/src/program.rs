//! The command line.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the program `ekernel` with these arguments, the first of which is its name, and returns its exit code.
#[pyfunction]
pub(crate) fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| ekernel_cli::run(arguments))
}
