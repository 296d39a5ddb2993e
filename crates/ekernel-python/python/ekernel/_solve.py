"""Solving kernel systems that are too large to factor: conjugate gradients, some rows of the kernel in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _native
from ._store import Matrix, StoredKernel

#: Bytes of the kernel that are in memory at a time, in float64.
_BAND = 1 << 25


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

    The kernel is read some rows at a time, once for each step: it may be a store (`open`), a memory-mapped file, a Zarr or a dask array. Numbers are
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
        Rows of the preconditioner. It costs ``8 n (1.2 rank + 8 outputs)`` bytes beside the rows that are read at a time; 0 does without.
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

    amount, absolute = _ridge(ridge)
    begin = None
    if start is not None:
        begin = np.array(start, dtype=np.float64).reshape(n, -1)
    how: _native.SolveHow = {
        "ridge": amount,
        "absolute": absolute,
        "rank": min(rank, n),
        "tolerance": tolerance,
        "max_iterations": max_iterations,
        "seed": seed,
    }
    source = kernel.source if isinstance(kernel, StoredKernel) else (_Reader(kernel), n, max(1, _BAND // (8 * n)))
    weights, residuals, reached, converged, amount = _native.solve(source, targets, how, begin, callback)
    if not converged:
        warnings.warn(
            f"after {len(residuals) - 1} steps the relative residual is {reached:.2g}, above the tolerance of {tolerance:.2g}; "
            "take a larger rank, more steps or a larger ridge",
            RuntimeWarning,
            stacklevel=2,
        )
    return Solution(weights[:, 0] if flat else weights, residuals, converged, amount)


class _Reader:
    """A kernel as the native part reads it."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    def diagonal(self) -> Matrix:
        n = self._kernel.shape[0]
        if isinstance(self._kernel, np.ndarray):
            return self._checked(np.diagonal(self._kernel))
        rows = max(1, _BAND // (8 * n))
        return np.concatenate([np.diagonal(self.band(i, min(i + rows, n)), offset=i) for i in range(0, n, rows)])

    def row(self, index: int) -> Matrix:
        return self._checked(self._kernel[index])

    def band(self, start: int, end: int) -> Matrix:
        return self._checked(self._kernel[start:end])

    @staticmethod
    def _checked(part: Any) -> Matrix:
        values = np.asarray(part, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError("the kernel holds NaN or an infinity: a part of it has not been computed, or its file is damaged")
        return values


def _ridge(ridge: float | str) -> tuple[float, bool]:
    number, absolute = (ridge.removesuffix(":absolute"), ridge.endswith(":absolute")) if isinstance(ridge, str) else (ridge, False)
    try:
        value = float(number)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"ridge is {ridge!r}; give a positive number, relative to the mean diagonal, or 'NUMBER:absolute'")
    return value, absolute
