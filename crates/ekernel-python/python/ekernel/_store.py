"""Kernels in a Zarr store: written shard by shard, read like an array and applied like an operator."""

from __future__ import annotations

import json
import operator
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._native import Network

Matrix = NDArray[np.float64]

#: Bytes of the kernel that are in memory at a time, in float64.
BAND = 1 << 27


class Status(NamedTuple):
    """How far a store is.

    Attributes
    ----------
    blocks, missing, damaged : int
        The files of each array in all, those that are missing, those that are damaged.
    shards : list of int
        The shards, from 1, that have a block that is missing or damaged: run ``gram(..., shard=(i, n))`` for each.
    """

    blocks: int
    missing: int
    damaged: int
    shards: list[int]


class StoredKernel:
    """A kernel in a Zarr store: indexed like an array, multiplied like a matrix, some rows in memory at a time.

    Numbers come as float64. The part above the diagonal of one set's kernel is read from its mirror image. scipy takes it where it
    takes a `LinearOperator` (``scipy.sparse.linalg.cg``, ``eigsh``), and `numpy.asarray` makes an array of all of it.

    Attributes
    ----------
    shape : (n1, n2)
    dtype : numpy.dtype
        float64.
    stored_dtype : numpy.dtype
        What the numbers are in the store.
    name : str
        "nngp" or "ntk".
    chunk : (int, int)
        Rows and columns of a chunk.
    notes : dict
        What was kept with the store: the architecture, the backend, names of samples.
    """

    ndim = 2

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self._path = os.fspath(path)
        self._native = _native.Store(self._path)
        self.name = name
        self.shape: tuple[int, int] = self._native.shape
        self.dtype = np.dtype(np.float64)
        self.stored_dtype = np.dtype(self._native.dtype)
        self.chunk: tuple[int, int] = self._native.chunk
        self.notes: dict[str, Any] = json.loads(self._native.notes)

    @property
    def source(self) -> tuple[_native.Store, str]:
        """What the native part reads."""
        return self._native, self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredKernel, (self._path, self.name)

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape[0]} × {self.shape[1]} of {self.stored_dtype} in {self._path}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Entries by integers, slices and lists of indices, in one or two places, as numpy's ``numpy.ix_`` combines them."""
        key = key if isinstance(key, tuple) else (key,)
        if any(part is Ellipsis for part in key):
            at = next(i for i, part in enumerate(key) if part is Ellipsis)
            key = (*key[:at], *[slice(None)] * (3 - len(key)), *key[at + 1 :])
        if len(key) > 2:
            raise IndexError(f"a kernel has 2 axes, and {len(key)} indices were given")
        key = (*key, *[slice(None)] * (2 - len(key)))
        picked = [_Axis(part, n) for part, n in zip(key, self.shape, strict=True)]
        window = self._native.window(self.name, *(axis.window for axis in picked))
        return window[np.ix_(picked[0].within, picked[1].within)][picked[0].scalar, picked[1].scalar]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a stored kernel is read, so that there is always a copy")
        return np.asarray(self[:, :], dtype=dtype)

    def diagonal(self) -> Matrix:
        """The diagonal, (min(n1, n2),)."""
        n, side = min(self.shape), max(self.chunk)
        parts = [np.diagonal(self[i : i + side, i : i + side]) for i in range(0, n, side)]
        return np.concatenate(parts)[:n]

    @property
    def T(self) -> StoredKernel:
        """The kernel itself, if it is that of one set."""
        if not self._native.symmetric:
            raise ValueError("the kernel of two sets has no stored transpose; use rmatmat")
        return self

    def matmat(self, x: ArrayLike) -> Matrix:
        """K x for x of shape (n2, k)."""
        x = self._operand(x, self.shape[1])
        image = np.empty((self.shape[0], x.shape[1]))
        for rows in self._bands():
            image[rows] = self[rows] @ x
        return image

    def rmatmat(self, x: ArrayLike) -> Matrix:
        """Kᵀ x for x of shape (n1, k)."""
        x = self._operand(x, self.shape[0])
        image = np.zeros((self.shape[1], x.shape[1]))
        for rows in self._bands():
            image += self[rows].T @ x[rows]
        return image

    def matvec(self, x: ArrayLike) -> Matrix:
        """K x for x of shape (n2,) or (n2, 1)."""
        x = np.asarray(x)
        return self.matmat(x.reshape(-1, 1)).reshape((-1, *x.shape[1:]))

    def rmatvec(self, x: ArrayLike) -> Matrix:
        """Kᵀ x for x of shape (n1,) or (n1, 1)."""
        x = np.asarray(x)
        return self.rmatmat(x.reshape(-1, 1)).reshape((-1, *x.shape[1:]))

    def __matmul__(self, x: ArrayLike) -> Matrix:
        return self.matvec(x) if np.ndim(x) == 1 else self.matmat(x)

    dot = __matmul__

    def status(self, shards: int = 1, *, verify: bool = False) -> Status:
        """How far the store is, of all its kernels; `verify` reads every byte."""
        if operator.index(shards) < 1:
            raise ValueError(f"shards is {shards}; give a number of at least 1")
        return Status(*self._native.status(shards, verify))

    def _bands(self) -> list[slice]:
        side = self.chunk[0]
        rows = max(side, BAND // (8 * self.shape[1]) // side * side)
        return [slice(first, min(first + rows, self.shape[0])) for first in range(0, self.shape[0], rows)]

    def _operand(self, x: ArrayLike, n: int) -> Matrix:
        array = np.asarray(x, dtype=np.float64)
        if array.ndim != 2 or len(array) != n:
            raise ValueError(f"the operand has shape {np.shape(x)}; the kernel of shape {self.shape} needs {n} rows")
        return array


class _Axis:
    """What an index takes of an axis: a window of it that is read, and places in that window."""

    def __init__(self, part: Any, n: int) -> None:
        self.scalar: Any = slice(None)
        if isinstance(part, slice):
            places = np.arange(*part.indices(n))
        elif isinstance(part, (list, np.ndarray)):
            places = np.asarray(part)
            if places.dtype == bool:
                if places.shape != (n,):
                    raise IndexError(f"a mask of shape {places.shape} does not fit an axis of {n}")
                places = np.flatnonzero(places)
            places = places.astype(np.intp) if places.size == 0 else places
        else:
            places, self.scalar = np.array([operator.index(part)]), 0
        if places.ndim != 1 or places.dtype.kind not in "iu":
            raise IndexError("indices are integers, slices, lists of integers and masks")
        if places.size and (places.min() < -n or places.max() >= n):
            raise IndexError(f"index {places[(places < -n) | (places >= n)][0]} is out of bounds for an axis of {n}")
        places = np.where(places < 0, places + n, places)
        start, end = (int(places.min()), int(places.max()) + 1) if places.size else (0, 0)
        self.window = (start, end)
        self.within = places - start


def open(path: str | os.PathLike[str], get: str | None = None) -> StoredKernel:
    """Open a kernel in a Zarr store that `gram` or the program wrote.

    Parameters
    ----------
    path : path
        The store.
    get : {"ntk", "nngp"}, optional
        Which kernel; by default the NTK, or the NNGP where there is no other.

    Returns
    -------
    StoredKernel
        Reading a part that has not been computed raises FileNotFoundError, one that is damaged OSError.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no store, or another version wrote it; if it does not have the kernel.

    Examples
    --------
    >>> import numpy as np, ekernel as ek, tempfile
    >>> net = ek.serial(ek.Vector(2), ek.Dense(), ek.Relu(), ek.Dense())
    >>> kernel = ek.gram(net, np.eye(2), out=tempfile.mkdtemp() + "/K.zarr")
    >>> kernel[0, :].round(4), kernel @ np.ones(2).round(4)
    (array([0.5   , 0.0796]), array([0.57957747, 0.57957747]))
    """
    names = _native.Store(os.fspath(path)).kernels
    if get is None:
        get = "ntk" if "ntk" in names or not names else names[0]
    if get not in ("ntk", "nngp"):
        raise ValueError(f"get is {get!r}; give 'nngp' or 'ntk'")
    if get not in names:
        raise ValueError(f"{os.fspath(path)} has no {get}, only {' and '.join(names) or 'an empty group'}")
    return StoredKernel(path, get)


def compute(
    network: Network,
    first: Any,
    second: Any,
    names: list[str],
    path: str,
    shard: tuple[int, int] | None,
    chunk: int | None,
    computing: _native.How,
    progress: _native.Progress | None,
) -> None:
    """Compute a shard of the kernels into a store."""
    try:
        index, of = (1, 1) if shard is None else (operator.index(part) for part in shard)
    except (TypeError, ValueError):
        raise ValueError(f"shard is {shard!r}; give (i, n) with 1 <= i <= n") from None
    if not 1 <= index <= of:
        raise ValueError(f"shard is {shard!r}; give (i, n) with 1 <= i <= n")
    if chunk is not None and operator.index(chunk) < 1:
        raise ValueError(f"chunk is {chunk}; give a number of rows of at least 1")
    _native.gram_shard(network, (first, second), path, ((index, of), chunk, names), computing, progress)
