//! Networks, samples and fixtures for tests on the sphere.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs::File;

use ekernel_core::{Backend, Control, KernelSet, Kernels, Network, Pairs, Samples};
use ekernel_reference::{ReferenceBackend, RotationMode};
use ndarray::{Array, Array3, Axis, Dimension, OwnedRepr};
use ndarray_npy::NpzReader;

pub(crate) fn network(text: &str) -> Network {
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// An array of the published fixture.
pub(crate) fn oracle<D: Dimension>(name: &str) -> Array<f64, D> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/so3/oracle_so3.npz");
    let mut npz =
        NpzReader::new(File::open(path).expect("the fixture is part of the repository")).expect("an npz");
    npz.by_name::<OwnedRepr<f64>, D>(name).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// One signal, `[θ][φ][channel]`.
pub(crate) fn sphere(signal: &Array3<f64>) -> Samples {
    Samples::Spheres(signal.clone().insert_axis(Axis(0)))
}

pub(crate) fn kernels(network: &Network, mode: RotationMode, pairs: Pairs) -> Kernels {
    let backend = ReferenceBackend::new(network, KernelSet::Both).with_rotations(mode);
    let all = [0..pairs.first().len(), 0..pairs.second().len()];
    let session = backend.prepare(pairs, &Control::new()).unwrap_or_else(|e| panic!("{e}\n{network}"));
    session.tile(all[0].clone(), all[1].clone(), &Control::new()).unwrap_or_else(|e| panic!("{e}\n{network}"))
}

/// K and Θ of two samples.
pub(crate) fn pair(network: &Network, mode: RotationMode, f: &Samples, fp: &Samples) -> [f64; 2] {
    let Kernels { nngp, ntk } = kernels(network, mode, Pairs::cross(f.clone(), fp.clone()));
    [nngp[[0, 0]], ntk.expect("asked for")[[0, 0]]]
}
