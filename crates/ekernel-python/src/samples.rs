//! From arrays of numpy to samples.

use ekernel_core::{Input, Molecule, Network, Samples};
use ndarray::{ArrayD, ArrayViewD, Ix2, Ix4};
use numpy::{PyReadonlyArray2, PyReadonlyArrayDyn};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

/// The samples of a call: an array (n, features), (n, height, width), (n, height, width, channels) of float64, float32 or
/// uint8 (which means x/255) in any order of memory, or a list of pairs (atomic numbers, positions).
///
/// Whether they fit the network is checked by its backends.
pub(crate) fn samples(network: &Network, x: &Bound<'_, PyAny>, argument: &str) -> PyResult<Samples> {
    if matches!(network.input(), Input::Molecule { .. }) {
        return molecules(x).map(Samples::Molecules);
    }
    let values = values(x, argument)?;
    let shape = values.shape().to_vec();
    let wrong = || {
        PyValueError::new_err(format!(
            "{argument} has shape {shape:?}; samples are vectors (n, features), images (n, height, width) or (n, height, \
             width, channels), or signals on the sphere (n, 2L, 2L-1, channels)"
        ))
    };
    let four = |values: ArrayD<f64>| values.into_dimensionality::<Ix4>().map_err(|_| wrong());
    let grid = match values.ndim() {
        2 => return values.into_dimensionality::<Ix2>().map(Samples::Vectors).map_err(|_| wrong()),
        3 => four(values.insert_axis(ndarray::Axis(3)))?,
        _ => four(values)?,
    };
    Ok(match network.input() {
        Input::Sphere { .. } => Samples::Spheres(grid),
        _ => Samples::Images(grid),
    })
}

/// The numbers in C order, copied once.
fn values(x: &Bound<'_, PyAny>, argument: &str) -> PyResult<ArrayD<f64>> {
    if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'_, f64>>() {
        return Ok(converted(&x.as_array(), |x| x));
    }
    if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'_, f32>>() {
        return Ok(converted(&x.as_array(), f64::from));
    }
    if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        return Ok(converted(&x.as_array(), |x| f64::from(x) / 255.0));
    }
    Err(PyTypeError::new_err(format!("{argument} is no array of float64, float32 or uint8")))
}

fn converted<T: Copy>(x: &ArrayViewD<'_, T>, number: impl Fn(T) -> f64) -> ArrayD<f64> {
    let values = match x.as_slice() {
        Some(slice) => slice.iter().map(|&x| number(x)).collect(),
        None => x.iter().map(|&x| number(x)).collect(),
    };
    ArrayD::from_shape_vec(x.raw_dim(), values).expect("as many numbers as the array has")
}

fn molecules(x: &Bound<'_, PyAny>) -> PyResult<Vec<Molecule>> {
    let pairs: Vec<(Vec<u8>, PyReadonlyArray2<'_, f64>)> = x.extract()?;
    let molecule = |(charges, positions): (Vec<u8>, PyReadonlyArray2<'_, f64>)| Molecule {
        charges,
        positions: positions.as_array().as_standard_layout().into_owned(),
    };
    Ok(pairs.into_iter().map(molecule).collect())
}
