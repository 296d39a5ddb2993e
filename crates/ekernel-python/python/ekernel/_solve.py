"""Solving kernel systems that are too large to factor: conjugate gradients, some rows of the kernel in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._kernels import Matrix

#: Bytes of the kernel that are in memory at a time, in float64.
_BAND = 1 << 27


@dataclass(frozen=True)
class Solution:
    """What `solve` reached.

    Attributes
    ----------
    weights : array (n,) or (n, outputs)
        Predictions are ``cross @ weights``.
    residuals : array (iterations + 1,)
        The largest relative residual of an output, |y - A w| / |y|, before the first step and after each.
    converged : bool
        Whether every output is within the tolerance, by the residual of the system itself.
    ridge : float
        What was added to the diagonal, in units of the kernel.
    """

    weights: Matrix
    residuals: Matrix
    converged: bool
    ridge: float


def solve(
    kernel: Any,
    y: ArrayLike,
    ridge: float | str = 1e-6,
    *,
    rank: int = 500,
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
    start: ArrayLike | None = None,
    seed: int = 0,
    callback: Callable[[int, float], object] | None = None,
) -> Solution:
    """Solve (K + ridge) W = Y by preconditioned conjugate gradients, all outputs at once.

    The kernel is read some rows at a time, once for each step: it may be a memory-mapped file, a Zarr or a dask array. Numbers are
    added up in float64. The preconditioner is a randomly pivoted partial Cholesky factor, made from `rank` rows.

    Parameters
    ----------
    kernel : array_like (n, n)
        The kernel of the training set with itself: anything with a shape, whose rows ``kernel[a:b]`` and ``kernel[i]`` numpy can
        read. It is taken to be symmetric.
    y : array (n,) or (n, outputs)
        Targets.
    ridge : float or str
        Added to the diagonal, relative to its mean; "NUMBER:absolute" in units of the kernel. It must be positive.
    rank : int
        Rows of the preconditioner. It costs ``8 n (rank + 5 outputs)`` bytes beside a band of 128 MiB; 0 does without.
    tolerance : float
        The relative residual at which an output is done.
    max_iterations : int
        Steps at most.
    start : array, optional
        The weights of an earlier, unfinished solution to go on from.
    seed : int
        Draws the pivots.
    callback : callable, optional
        Is called with the number of steps and the largest relative residual after each; what it raises stops the work.

    Returns
    -------
    Solution
        With a warning (`RuntimeWarning`) if an output is not within the tolerance: it says what was reached.

    Raises
    ------
    ValueError
        If an argument cannot be, or if the kernel holds NaN or is not positive definite with this ridge.

    Examples
    --------
    >>> import numpy as np, ekernel as ek
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> ek.solve(kernel, np.array([3.0, 3.0]), ridge=1e-9).weights.round(6)
    array([1., 1.])
    """
    if not hasattr(kernel, "shape"):
        kernel = np.asarray(kernel)
    shape = tuple(kernel.shape)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"the kernel has shape {shape}; it must be square, one row and one column for each sample")
    n = shape[0]
    targets = np.array(y, dtype=np.float64)
    flat = targets.ndim == 1
    if targets.ndim not in (1, 2) or len(targets) != n:
        raise ValueError(f"y has shape {targets.shape}; give one row for each of the {n} samples")
    targets = targets.reshape(n, -1)
    if not np.isfinite(targets).all():
        raise ValueError("y holds NaN or an infinity; every target must be finite")
    if tolerance <= 0 or max_iterations < 0 or rank < 0:
        raise ValueError(f"tolerance is {tolerance}, max_iterations {max_iterations}, rank {rank}; they must not be negative")

    diagonal = _diagonal(kernel)
    amount = _absolute(ridge, diagonal)
    precondition = _preconditioner(kernel, diagonal, min(rank, n), amount, np.random.default_rng(seed))
    size = np.linalg.norm(targets, axis=0)
    size[size == 0] = 1

    if start is None:
        weights = np.zeros_like(targets)
        residual = targets.copy()
    else:
        weights = np.array(start, dtype=np.float64).reshape(n, -1)
        if weights.shape != targets.shape:
            raise ValueError(f"start has shape {np.shape(start)}; give the weights of the same targets, {targets.shape}")
        residual = targets - _times(kernel, weights, amount)
    history = [float((np.linalg.norm(residual, axis=0) / size).max())]
    best = weights.copy()

    preconditioned = precondition(residual)
    direction = preconditioned.copy()
    product = (residual * preconditioned).sum(axis=0)
    for step in range(1, max_iterations + 1):
        if history[-1] <= tolerance:
            break
        image = _times(kernel, direction, amount)
        curvature = (direction * image).sum(axis=0)
        active = product > 0
        if (curvature[active] <= 0).any():
            raise ValueError(
                f"the kernel is not positive definite with a ridge of {amount:.3g}: a direction has curvature "
                f"{curvature[active].min():.3g}; take a larger ridge, or a kernel in float64"
            )
        length = np.divide(product, curvature, out=np.zeros_like(product), where=active)
        weights += length * direction
        # The recurrence drifts from the residual itself, which is computed anew now and then.
        residual = targets - _times(kernel, weights, amount) if step % 50 == 0 else residual - length * image
        reached = float((np.linalg.norm(residual, axis=0) / size).max())
        if reached <= min(history):
            best = weights.copy()
        history.append(reached)
        if callback is not None:
            callback(step, reached)
        preconditioned = precondition(residual)
        following = (residual * preconditioned).sum(axis=0)
        ratio = np.divide(following, product, out=np.zeros_like(product), where=product > 0)
        direction = preconditioned + ratio * direction
        product = following

    reached = float((np.linalg.norm(targets - _times(kernel, best, amount), axis=0) / size).max())
    # What rounding adds to the recurrence may pass for convergence: the residual itself decides.
    converged = reached <= 10 * tolerance
    if not converged:
        warnings.warn(
            f"after {len(history) - 1} steps the relative residual is {reached:.2g}, above the tolerance of {tolerance:.2g}; "
            "take a larger rank, more steps or a larger ridge",
            RuntimeWarning,
            stacklevel=2,
        )
    return Solution(best[:, 0] if flat else best, np.array(history), converged, amount)


def _bands(n: int) -> list[slice]:
    rows = max(1, _BAND // (8 * n))
    return [slice(first, min(first + rows, n)) for first in range(0, n, rows)]


def _read(kernel: Any, rows: Any) -> Matrix:
    values = np.asarray(kernel[rows], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("the kernel holds NaN or an infinity: a part of it has not been computed, or its file is damaged")
    return values


def _times(kernel: Any, vectors: Matrix, ridge: float) -> Matrix:
    image = ridge * vectors
    for rows in _bands(len(vectors)):
        image[rows] += _read(kernel, rows) @ vectors
    return image


def _diagonal(kernel: Any) -> Matrix:
    n = kernel.shape[0]
    if isinstance(kernel, np.ndarray):
        return np.diagonal(kernel).astype(np.float64)
    return np.concatenate([np.diagonal(_read(kernel, rows), offset=rows.start) for rows in _bands(n)])


def _absolute(ridge: float | str, diagonal: Matrix) -> float:
    number, absolute = (ridge.removesuffix(":absolute"), ridge.endswith(":absolute")) if isinstance(ridge, str) else (ridge, False)
    try:
        value = float(number)
    except ValueError:
        value = np.nan
    amount = value if absolute else value * float(diagonal.mean())
    if not (np.isfinite(amount) and amount > 0):
        raise ValueError(f"ridge is {ridge!r}; give a positive number, relative to the mean diagonal, or 'NUMBER:absolute'")
    return amount


def _preconditioner(
    kernel: Any, diagonal: Matrix, rank: int, ridge: float, rng: np.random.Generator
) -> Callable[[Matrix], Matrix]:
    """The inverse of F Fᵀ + ridge, F (n, rank) a randomly pivoted Cholesky factor (Chen, Epperly, Tropp, Webber 2022)."""
    n = len(diagonal)
    factor = np.zeros((rank, n))
    left = diagonal.copy()
    made = 0
    for k in range(rank):
        left = np.maximum(left, 0)
        if left.sum() <= n * np.finfo(np.float64).eps * diagonal.sum():
            break
        pivot = int(rng.choice(n, p=left / left.sum()))
        row = _read(kernel, pivot) - factor[:k, pivot] @ factor[:k]
        if row[pivot] <= np.finfo(np.float64).eps * diagonal[pivot]:
            left[pivot] = 0
            continue
        factor[k] = row / np.sqrt(row[pivot])
        left -= factor[k] ** 2
        left[pivot] = 0
        made = k + 1
    factor = factor[:made]
    if made == 0:
        return lambda vectors: vectors / ridge
    # By Woodbury: (F Fᵀ + λ)⁻¹ = (1 - F (λ + FᵀF)⁻¹ Fᵀ) / λ, with (λ + FᵀF)⁻¹ = RᵀR.
    root = np.linalg.inv(np.linalg.cholesky(factor @ factor.T + ridge * np.eye(made)))

    def apply(vectors: Matrix) -> Matrix:
        return (vectors - factor.T @ (root.T @ (root @ (factor @ vectors)))) / ridge

    return apply
