"""What users write, checked by mypy and not run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import ekernel as ek

net: ek.Network = ek.serial(ek.Image(8, 8, 1), ek.Conv(3), ek.Relu(), ek.add(ek.Conv(3), ek.Conv((3, 3), b_std=0.1)), ek.Flatten())
chain: ek.Chain = ek.serial(ek.Relu(), ek.Dense())
kernels = ek.gram(net, np.zeros((2, 8, 8, 1)), get=("nngp", "ntk"), progress=lambda done, of: None)
one: NDArray[np.float64] = ek.diagonal(net, np.zeros((2, 8, 8, 1)))
names: list[str] = [device["name"] for device in ek.devices()]
model: Any = ek.NTKRegressor(net, ridge=0.1).fit(np.zeros((2, 64)), np.zeros(2)).predict(np.zeros((2, 64)))
text: str = str(net.plan(quadrature=None))
