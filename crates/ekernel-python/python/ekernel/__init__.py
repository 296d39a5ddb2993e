"""Exact kernels of infinitely wide neural networks: the NNGP and the neural tangent kernel (NTK).

>>> import numpy as np, ekernel as ek
>>> net = ek.serial(ek.Image(8, 8, 1), ek.Lift("C4", 3), ek.Relu(), ek.GroupConv(3), ek.Relu(), ek.GroupPool(), ek.Dense())
>>> x = np.random.default_rng(0).random((3, 8, 8, 1))
>>> ek.gram(net, x).shape
(3, 3)

Networks: `Network`, `serial`, `branch`, `add` and the layers. Kernels: `gram`, `diagonal`,
`open` for those in a Zarr store, `solve` for systems too large to factor. Molecules: `molecules`,
`read_molecules`. GPUs: `devices`. With scikit-learn installed: `NTKRegressor`, `NTKClassifier`, `kernel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._kernels import Kernels, diagonal, gram
from ._layers import (
    Abs,
    AtomSum,
    AvgPool,
    Chain,
    Conv,
    Cos,
    Dense,
    Dropout,
    Erf,
    Exp,
    Flatten,
    Gaussian,
    Gelu,
    GlobalAvgPool,
    GlobalSumPool,
    GroupConv,
    GroupPool,
    Identity,
    Image,
    Input,
    Layer,
    LayerNorm,
    LeakyRelu,
    Lift,
    MaxPool,
    Molecule,
    Rbf,
    Relu,
    S2Conv,
    Sign,
    Sin,
    So3Conv,
    So3Pool,
    Sphere,
    SumPool,
    Vector,
    add,
    branch,
    serial,
)
from ._molecules import molecules, read_molecules
from ._native import DeviceError, Network, Plan, __version__, devices
from ._solve import Solution, solve
from ._store import Status, StoredKernel, open

if TYPE_CHECKING:
    from ._estimators import NTKClassifier, NTKRegressor
    from ._sklearn_kernel import NetworkKernel, kernel

_NEED_SKLEARN = {
    "NTKClassifier": "_estimators",
    "NTKRegressor": "_estimators",
    "NetworkKernel": "_sklearn_kernel",
    "kernel": "_sklearn_kernel",
}


def __getattr__(name: str) -> Any:
    # What needs scikit-learn is imported when it is first used: the rest is there in a moment, and without it.
    module = _NEED_SKLEARN.get(name)
    if module is None:
        raise AttributeError(f"module 'ekernel' has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f".{module}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name == "sklearn":
            raise ImportError(f"ekernel.{name} needs scikit-learn: pip install 'ekernel[learn]'") from error
        raise


def __dir__() -> list[str]:
    return sorted({*globals(), *_NEED_SKLEARN})


__all__ = [
    "Abs",
    "AtomSum",
    "AvgPool",
    "Chain",
    "Conv",
    "Cos",
    "Dense",
    "DeviceError",
    "Dropout",
    "Erf",
    "Exp",
    "Flatten",
    "Gaussian",
    "Gelu",
    "GlobalAvgPool",
    "GlobalSumPool",
    "GroupConv",
    "GroupPool",
    "Identity",
    "Image",
    "Input",
    "Kernels",
    "Layer",
    "LayerNorm",
    "LeakyRelu",
    "Lift",
    "MaxPool",
    "Molecule",
    "NTKClassifier",
    "NTKRegressor",
    "Network",
    "NetworkKernel",
    "Plan",
    "Rbf",
    "Relu",
    "S2Conv",
    "Sign",
    "Sin",
    "So3Conv",
    "So3Pool",
    "Solution",
    "Sphere",
    "Status",
    "StoredKernel",
    "SumPool",
    "Vector",
    "__version__",
    "add",
    "branch",
    "devices",
    "diagonal",
    "gram",
    "kernel",
    "molecules",
    "open",
    "read_molecules",
    "serial",
    "solve",
]
