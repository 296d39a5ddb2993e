"""Gram matrices as dask arrays: one block for each chunk, computed wherever dask computes.

>>> import ekernel.dask                                                    # doctest: +SKIP
>>> kernels = ekernel.dask.gram(net, x, chunks=1024)                       # doctest: +SKIP
>>> kernels.to_zarr("K.zarr")                                              # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
from dask.delayed import delayed
from numpy.typing import NDArray

from ._kernels import gram as _gram
from ._kernels import how, samples
from ._native import Network

if TYPE_CHECKING:
    from ._native import How


def gram(
    network: Network,
    x1: Any,
    x2: Any = None,
    chunks: int = 1024,
    get: str = "ntk",
    *,
    backend: str | None = "cpu",
    adapter: str | int | None = None,
    precision: str | None = None,
    quadrature: str | int | None = None,
    threads: int | None = None,
) -> Any:
    """Compute the kernels K[i, j] = k(x1[i], x2[j]) block by block on whatever scheduler dask uses.

    Parameters
    ----------
    network, x1, x2, get, backend, adapter, precision, quadrature, threads
        As in `ekernel.gram`; `get` names one kernel. The backend is the CPU unless another is named, so that all workers take one.
    chunks : int
        Rows and columns of a block.

    Returns
    -------
    dask.array.Array (n1, n2) of float64
        Without `x2`, a block above the diagonal is the mirror image of the one below it: each pair is computed once.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be. What is wrong with a sample is raised by the block that has it.

    Notes
    -----
    Each block is sent the samples of its rows and its columns, cut out of the arrays here. The kernels of a block are those of
    ``gram(network, x1[rows], x2[cols])``, bit for bit.
    """
    if get not in ("ntk", "nngp"):
        raise ValueError(f"get is {get!r}; give 'ntk' or 'nngp'")
    if not isinstance(chunks, (int, np.integer)) or chunks < 1:
        raise ValueError(f"chunks is {chunks!r}; give a number of rows of at least 1")
    computing = how(backend, adapter, precision, quadrature, threads)
    first = samples(network, x1, "x1")
    second = first if x2 is None else samples(network, x2, "x2")
    for name, x in (("x1", first), ("x2", second)):
        if len(x) == 0:
            raise ValueError(f"{name} is empty; a Gram matrix needs at least one sample on each side")
    rows, cols = (_parts(x, int(chunks)) for x in (first, second))
    # One task for the samples of each part, which its blocks share.
    row_samples = [delayed(part, pure=True) for _, part in rows]
    col_samples = row_samples if x2 is None else [delayed(part, pure=True) for _, part in cols]
    block = delayed(_block, pure=True)
    grid: list[list[Any]] = [[None] * len(cols) for _ in rows]
    for i, (height, _) in enumerate(rows):
        for j, (width, _) in enumerate(cols):
            if x2 is None and j > i:
                continue
            within = x2 is None and i == j
            task = block(network, row_samples[i], None if within else col_samples[j], get, computing)
            grid[i][j] = dask.array.from_delayed(task, (height, width), np.float64)
    if x2 is None:
        for i in range(len(rows)):
            for j in range(i + 1, len(rows)):
                grid[i][j] = grid[j][i].T
    return dask.array.block(grid)


def _parts(x: Any, size: int) -> list[tuple[int, Any]]:
    return [(len(part), part) for part in (x[start : start + size] for start in range(0, len(x), size))]


def _block(network: Network, rows: Any, cols: Any, get: str, computing: How) -> NDArray[np.float64]:
    return np.asarray(_gram(network, rows, cols, get, progress=False, **computing))
