"""The same networks and predictions in neural-tangents and in ekernel, side by side; docs/python.md shows them."""

from __future__ import annotations

import numpy as np

rng = np.random.default_rng(0)
VECTORS = rng.normal(size=(6, 10)), rng.normal(size=(4, 10))
IMAGES = rng.normal(size=(5, 8, 8, 3)), rng.normal(size=(3, 8, 8, 3))
TARGETS = rng.normal(size=(6, 2))


def mlp_nt(stax):
    return stax.serial(stax.Dense(512, W_std=1.5, b_std=0.05), stax.Erf(), stax.Dense(512, W_std=1.5), stax.Relu(), stax.Dense(1))


def mlp_ek(ek):
    return ek.serial(ek.Vector(10), ek.Dense(w_std=1.5, b_std=0.05), ek.Erf(), ek.Dense(w_std=1.5), ek.Relu(), ek.Dense())


def cnn_nt(stax):
    return stax.serial(
        stax.Conv(64, (3, 3), padding="SAME"), stax.Relu(), stax.Conv(64, (3, 3), padding="SAME"), stax.Relu(),
        stax.GlobalAvgPool(), stax.Dense(10))


def cnn_ek(ek):
    return ek.serial(
        ek.Image(8, 8, 3), ek.Conv(3, padding="same"), ek.Relu(), ek.Conv(3, padding="same"), ek.Relu(),
        ek.GlobalAvgPool(), ek.Dense())


def flat_nt(stax):
    return stax.serial(
        stax.Conv(64, (3, 3), padding="VALID"), stax.Gelu(), stax.AvgPool((2, 2), strides=(2, 2)), stax.Flatten(),
        stax.Dense(1, b_std=0.1))


def flat_ek(ek):
    return ek.serial(
        ek.Image(8, 8, 3), ek.Conv(3, padding="valid"), ek.Gelu(), ek.AvgPool(2, strides=2), ek.Flatten(), ek.Dense(b_std=0.1))


def resnet_nt(stax):
    block = stax.serial(
        stax.FanOut(2),
        stax.parallel(stax.serial(stax.Relu(), stax.Conv(64, (3, 3), padding="SAME")), stax.Identity()),
        stax.FanInSum())
    return stax.serial(stax.Conv(64, (3, 3), padding="SAME"), block, block, stax.Relu(), stax.GlobalAvgPool(), stax.Dense(1))


def resnet_ek(ek):
    block = ek.add(ek.serial(ek.Relu(), ek.Conv(3, padding="same")), ek.Identity())
    return ek.serial(ek.Image(8, 8, 3), ek.Conv(3, padding="same"), block, block, ek.Relu(), ek.GlobalAvgPool(), ek.Dense())


def rbf_nt(stax):
    return stax.serial(stax.Dense(512), stax.LayerNorm(), stax.Rbf(0.5), stax.Dense(512), stax.LeakyRelu(0.1), stax.Dense(1))


def rbf_ek(ek):
    return ek.serial(ek.Vector(10), ek.Dense(), ek.LayerNorm(), ek.Rbf(0.5), ek.Dense(), ek.LeakyRelu(0.1), ek.Dense())


CASES = {
    "mlp": (mlp_nt, mlp_ek, VECTORS),
    "cnn": (cnn_nt, cnn_ek, IMAGES),
    "flat": (flat_nt, flat_ek, IMAGES),
    "resnet": (resnet_nt, resnet_ek, IMAGES),
    "rbf": (rbf_nt, rbf_ek, VECTORS),
}
