"""What several tests share."""

from __future__ import annotations

import pathlib
import signal

import numpy as np
import pytest

import ekernel as ek

# A shell that starts the tests in the background has them ignore Ctrl-C; Python then raises no KeyboardInterrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def c4() -> ek.Network:
    return ek.serial(
        ek.Image(6, 6, 2), ek.Lift("C4", 3), ek.Relu(), ek.GroupConv(3), ek.Relu(), ek.GroupPool(), ek.Dense()
    )


@pytest.fixture
def mlp() -> ek.Network:
    return ek.serial(ek.Vector(5), ek.Dense(b_std=0.1), ek.Relu(), ek.Dense())


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((7, 6, 6, 2))


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(9, 5))
