//! Molecules in files.

use ekernel_data::Source;
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;

use crate::{failure::Failure, work};

/// The atomic numbers and positions of molecules, one pair for each.
type Molecules<'py> = Vec<(Vec<u16>, Bound<'py, PyArray2<f64>>)>;

/// Reads molecules, and the property if one is named after the file: "qm9.npz:train,U0".
#[pyfunction]
pub(crate) fn read_molecules<'py>(
    py: Python<'py>,
    source: String,
) -> PyResult<(Molecules<'py>, Option<Vec<f64>>)> {
    let molecules = work::run(py, None, |_| {
        let source = Source::parse(&source)?;
        ekernel_data::read_molecules(&source).map_err(Failure::from)
    })?;
    let charges = molecules.charges.into_iter().map(|z| z.into_iter().map(u16::from).collect());
    let positions = molecules.positions.into_iter().map(|positions| positions.into_pyarray(py));
    Ok((charges.zip(positions).collect(), molecules.property.map(|property| property.values)))
}
