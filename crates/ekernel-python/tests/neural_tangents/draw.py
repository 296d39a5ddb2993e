"""Computes the kernels and predictions of cases.py with neural-tangents and stores them in kernels.npz.

Run in an environment of its own: pip install neural-tangents==0.6.5 jax==0.4.30 jaxlib==0.4.30 'numpy<2'.
"""

from __future__ import annotations

import pathlib
import sys

import jax

jax.config.update("jax_enable_x64", True)

import neural_tangents as nt
import numpy as np
from cases import CASES, TARGETS, VECTORS, mlp_nt
from neural_tangents import stax

arrays = {}
for name, (network, _, (x1, x2)) in CASES.items():
    _, _, kernel_fn = network(stax)
    for sets, inputs in {"within": (x1, None), "cross": (x2, x1)}.items():
        kernels = kernel_fn(*inputs, ("nngp", "ntk"))
        arrays[f"{name}_{sets}_nngp"], arrays[f"{name}_{sets}_ntk"] = np.asarray(kernels.nngp), np.asarray(kernels.ntk)

x_train, x_test = VECTORS
_, _, kernel_fn = mlp_nt(stax)
predict_fn = nt.predict.gradient_descent_mse_ensemble(kernel_fn, x_train, TARGETS, diag_reg=1e-3)
for time, t in {"infinite": None, "finite": 5.0}.items():
    mean, covariance = predict_fn(t=t, x_test=x_test, get="ntk", compute_cov=True)
    arrays[f"predict_{time}_mean"], arrays[f"predict_{time}_covariance"] = np.asarray(mean), np.asarray(covariance)
mean, covariance = predict_fn(x_test=x_test, get="nngp", compute_cov=True)
arrays["predict_nngp_mean"], arrays["predict_nngp_covariance"] = np.asarray(mean), np.asarray(covariance)

out = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "kernels.npz"
np.savez_compressed(out, version=nt.__version__, **arrays)
