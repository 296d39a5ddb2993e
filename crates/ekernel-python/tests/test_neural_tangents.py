"""ekernel against neural-tangents 0.6.5: its kernels and predictions, stored by neural_tangents/draw.py.

With NEURAL_TANGENTS_PYTHON, an interpreter that has neural-tangents, they are computed anew.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import ekernel as ek

HERE = pathlib.Path(__file__).parent / "neural_tangents"
sys.path.insert(0, str(HERE))
from cases import CASES, TARGETS, VECTORS, mlp_ek  # noqa: E402


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    stored = HERE / "kernels.npz"
    interpreter = os.environ.get("NEURAL_TANGENTS_PYTHON")
    if interpreter:
        stored = tmp_path_factory.mktemp("nt") / "kernels.npz"
        subprocess.run([interpreter, HERE / "draw.py", stored], check=True)
    return np.load(stored)


def apart(found, due):
    return np.abs(found - due).max() / np.abs(due).max()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("precision", "tolerance"), [("f64", 1e-8), ("f32", 1e-6)])
def test_kernels(theirs, name, precision, tolerance):
    """Measured in float64: 3e-15 of the largest entry, but 4e-9 in the NTK of a sample with itself, where theirs rounds."""
    _, network, (x1, x2) = CASES[name]
    for sets, inputs in {"within": (x1, None), "cross": (x2, x1)}.items():
        kernels = ek.gram(network(ek), *inputs, get=("nngp", "ntk"), precision=precision)
        assert apart(kernels.nngp, theirs[f"{name}_{sets}_nngp"]) < (1e-13 if precision == "f64" else tolerance)
        assert apart(kernels.ntk, theirs[f"{name}_{sets}_ntk"]) < tolerance


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("infinite", {}), ("finite", {"time": 5.0}), ("nngp", {"kind": "nngp"})],
)
def test_predictions(theirs, name, parameters):
    x_train, x_test = VECTORS
    model = ek.NTKRegressor(mlp_ek(ek), ridge=1e-3, center=False, precision="f64", **parameters).fit(x_train, TARGETS)
    mean, covariance = model.predict(x_test, return_cov=True)
    assert apart(mean, theirs[f"predict_{name}_mean"]) < 1e-9
    assert apart(covariance, theirs[f"predict_{name}_covariance"]) < 1e-9
