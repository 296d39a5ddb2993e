//! The native part of the Python package `ekernel`, imported there as `ekernel._native`.
//!
//! It turns Python's values into those of the libraries and back, and nothing else: what a network, a kernel or a machine
//! is, is theirs. What users see is in the package's Python files, which check words and shapes and document them.

mod backend;
mod devices;
mod failure;
mod gram;
mod machine;
mod molecules;
mod network;
mod program;
mod samples;
mod solve;
mod store;
mod work;

use pyo3::prelude::*;

/// The native part of ekernel.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DeviceError", module.py().get_type::<failure::DeviceError>())?;
    module.add_class::<network::Network>()?;
    module.add_class::<network::Plan>()?;
    module.add_class::<machine::Machine>()?;
    module.add_class::<store::Store>()?;
    module.add_function(wrap_pyfunction!(gram::gram, module)?)?;
    module.add_function(wrap_pyfunction!(gram::diagonal, module)?)?;
    module.add_function(wrap_pyfunction!(store::gram_shard, module)?)?;
    module.add_function(wrap_pyfunction!(solve::solve, module)?)?;
    module.add_function(wrap_pyfunction!(devices::devices, module)?)?;
    module.add_function(wrap_pyfunction!(molecules::read_molecules, module)?)?;
    module.add_function(wrap_pyfunction!(program::run_program, module)?)
}
