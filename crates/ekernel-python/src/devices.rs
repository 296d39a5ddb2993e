//! The GPUs of this machine.

use ekernel_wgpu::Adapter;
use pyo3::{prelude::*, types::PyDict};

/// The adapters of this machine, a dict each.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let adapters = py.detach(Adapter::list_blocking);
    let describe = |adapter: &Adapter| {
        let facts = PyDict::new(py);
        facts.set_item("index", adapter.index)?;
        facts.set_item("name", &adapter.info.name)?;
        facts.set_item("type", adapter.kind())?;
        facts.set_item("backend", adapter.info.backend.to_str())?;
        facts.set_item("driver", &adapter.info.driver)?;
        facts.set_item("driver_info", &adapter.info.driver_info)?;
        facts.set_item("usable", adapter.refusal().is_none())?;
        facts.set_item("reason", adapter.refusal())?;
        Ok(facts)
    };
    adapters.iter().map(describe).collect()
}
