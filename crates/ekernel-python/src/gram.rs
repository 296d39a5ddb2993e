//! Gram matrices.

use ekernel_core::{Control, KernelSet, Pairs};
use ekernel_gram::Options;
use ndarray::Array1;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::{
    backend::{Chosen, How, choose},
    failure::Failure,
    network::Network,
    samples::samples,
    work,
};

/// The NNGP and the NTK of a call; the latter if it was asked for.
type Both<'py, Array> = (Bound<'py, Array>, Option<Bound<'py, Array>>);

/// The kernels K[i, j] = k(x1[i], x2[j]).
#[pyfunction]
pub(crate) fn gram<'py>(
    py: Python<'py>,
    network: &Bound<'py, Network>,
    x1: &Bound<'py, PyAny>,
    x2: Option<&Bound<'py, PyAny>>,
    ntk: bool,
    how: How,
    progress: Option<Py<PyAny>>,
) -> PyResult<Both<'py, PyArray2<f64>>> {
    let network = &network.get().inner;
    let first = samples(network, x1, "x1")?;
    let pairs = match x2 {
        None => Pairs::within(first),
        Some(x2) => Pairs::cross(first, samples(network, x2, "x2")?),
    };
    let kinds = kinds(ntk);
    let (kernels, note) = work::run(py, progress, |control| {
        pairs.check(network.input())?;
        let mut chosen = choose(&how, network, kinds)?;
        let options = Options { threads: how.threads, ..Options::new(kinds) };
        let kernels = ekernel_gram::gram(&*chosen.backend, pairs, &options, control)?;
        Ok((kernels, chosen.take_note()))
    })?;
    Chosen::warn(note, py)?;
    Ok((kernels.nngp.into_pyarray(py), kernels.ntk.map(|ntk| ntk.into_pyarray(py))))
}

/// The kernels k(x[i], x[i]) of each sample with itself.
#[pyfunction]
pub(crate) fn diagonal<'py>(
    py: Python<'py>,
    network: &Bound<'py, Network>,
    x: &Bound<'py, PyAny>,
    ntk: bool,
    how: How,
) -> PyResult<Both<'py, PyArray1<f64>>> {
    let network = &network.get().inner;
    let pairs = Pairs::within(samples(network, x, "x")?);
    let kinds = kinds(ntk);
    let (diagonal, note) = work::run(py, None, |control| {
        pairs.check(network.input())?;
        let mut chosen = choose(&how, network, kinds)?;
        let diagonal = of_each(&mut chosen, pairs, control)?;
        Ok((diagonal, chosen.take_note()))
    })?;
    Chosen::warn(note, py)?;
    let [nngp, of_ntk] = diagonal.map(|values| Array1::from_vec(values).into_pyarray(py));
    Ok((nngp, ntk.then_some(of_ntk)))
}

/// The NNGP and the NTK of each sample with itself; no NTK if the backend has none.
fn of_each(chosen: &mut Chosen, pairs: Pairs, control: &Control) -> Result<[Vec<f64>; 2], Failure> {
    let n = pairs.first().len();
    let session = chosen.backend.prepare(pairs, control)?;
    let mut diagonal = [Vec::with_capacity(n), Vec::new()];
    for i in 0..n {
        let tile = session.tile(i..i + 1, i..i + 1, control)?;
        diagonal[0].push(tile.nngp[[0, 0]]);
        diagonal[1].extend(tile.ntk.map(|ntk| ntk[[0, 0]]));
    }
    Ok(diagonal)
}

fn kinds(ntk: bool) -> KernelSet {
    if ntk { KernelSet::Both } else { KernelSet::Nngp }
}
