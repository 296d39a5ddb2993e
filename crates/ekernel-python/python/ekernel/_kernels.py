"""Kernels between samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._molecules import molecules
from ._native import Network
from ._progress import Report, reporter
from ._store import StoredKernel, compute

Matrix = NDArray[np.float64]


class Kernels(NamedTuple):
    """The NNGP and the NTK, arrays of one shape."""

    nngp: Matrix
    ntk: Matrix


def gram(
    network: Network,
    x1: Any,
    x2: Any = None,
    get: str | Sequence[str] = "ntk",
    *,
    backend: str | None = None,
    adapter: str | int | None = None,
    precision: str | None = None,
    quadrature: str | int | None = None,
    threads: int | None = None,
    progress: bool | Report | None = None,
    out: str | os.PathLike[str] | None = None,
    shard: tuple[int, int] | None = None,
    chunk: int | None = None,
) -> Matrix | Kernels | StoredKernel | tuple[StoredKernel, ...]:
    """Compute the kernels K[i, j] = k(x1[i], x2[j]).

    Parameters
    ----------
    network : Network
        The architecture.
    x1, x2 : array_like or molecules
        Vectors (n, features), images (n, height, width, channels) or (n, height, width), signals on the sphere (n, 2L, 2L-1,
        channels); uint8 x means x/255, every other number is taken as it is. Arrays of any order and stride, and CPU tensors of
        other libraries (DLPack). For a network on molecules what `molecules` takes. Without `x2`, or with None, the kernels of
        `x1` with itself, computed once for each pair.
    get : {"ntk", "nngp"} or a sequence of them
        Which kernels.
    backend : {"auto", "cpu", "wgpu", "reference"}, optional
        What computes; "auto", the default, is a hardware GPU where there is one and the network is planar, else the CPU.
    adapter : str or int, optional
        The GPU: a part of its name, or its number in `devices`.
    precision : {"f32", "f64"}, optional
        Numbers to compute with; f32 by default, f64 for the reference.
    quadrature : {"accurate", "fast"} or int, optional
        Rotations of a network on the sphere.
    threads : int, optional
        Threads to compute with; one per core by default.
    progress : bool or callable, optional
        A bar (of tqdm, if it is installed): by default in terminals and notebooks. A function is called now and then with the
        pairs done and the pairs in all; what it raises stops the work.
    out : path ending in .npz, .npy or .zarr, optional
        Where to store the kernels too; .npy takes one of them. A Zarr store takes the place of the arrays: it is computed block by
        block, and what is there is not computed again.
    shard : (i, n), optional
        Of a Zarr store, the part i of n (from 1) that is computed here: any part in any order, on any machine. Of one backend they
        have the bytes that one process computes; name it, as GPUs and CPUs differ.
    chunk : int, optional
        Rows and columns of a chunk of a Zarr store; 1024 by default, or those it has.

    Returns
    -------
    array (n1, n2) of float64, or Kernels
        `Kernels` for a sequence of both. With a Zarr store `StoredKernel`, or one for each name.

    Raises
    ------
    ValueError, TypeError
        If an argument or a sample cannot be; the message names it, and what would do.
    MemoryError
        If more memory is needed than there is.
    DeviceError
        If a GPU is not there or fails.
    KeyboardInterrupt
        Within a second of Ctrl-C.

    Examples
    --------
    >>> import numpy as np, ekernel as ek
    >>> net = ek.serial(ek.Vector(2), ek.Dense(), ek.Relu(), ek.Dense())
    >>> ek.gram(net, np.eye(2)).round(4)
    array([[0.5   , 0.0796],
           [0.0796, 0.5   ]])
    """
    names = [get] if isinstance(get, str) else list(get)
    if not names or any(name not in ("nngp", "ntk") for name in names) or len(set(names)) < len(names):
        raise ValueError(f"get is {get!r}; give 'nngp', 'ntk' or ('nngp', 'ntk')")
    file = None if out is None else _storable(out, names)
    in_store = file is not None and file.endswith(".zarr")
    for argument, value in (("shard", shard), ("chunk", chunk)):
        if value is not None and not in_store:
            raise ValueError(f"{argument} is {value!r}, but out is {out!r}; only a Zarr store has one: give out='K.zarr'")
    computing = how(backend, adapter, precision, quadrature, threads)
    first = samples(network, x1, "x1")
    second = None if x2 is None else samples(network, x2, "x2")
    with reporter(progress, "gram") as report:
        if in_store and file is not None:
            compute(network, first, second, names, file, shard, chunk, computing, report)
            stored = tuple(StoredKernel(file, name) for name in names)
            return stored[0] if isinstance(get, str) else stored
        nngp, ntk = _native.gram(network, first, second, "ntk" in names, computing, report)
    arrays = {"nngp": nngp, **({} if ntk is None else {"ntk": ntk})}
    if file is not None:
        _store(file, {name: arrays[name] for name in names})
    if isinstance(get, str):
        return arrays[get]
    return Kernels(nngp, ntk) if ntk is not None and len(names) == 2 else arrays[names[0]]


def diagonal(
    network: Network,
    x: Any,
    get: str = "ntk",
    *,
    backend: str | None = None,
    adapter: str | int | None = None,
    precision: str | None = None,
    quadrature: str | int | None = None,
    threads: int | None = None,
) -> Matrix:
    """Compute k(x[i], x[i]), shape (n,), the diagonal of ``gram(network, x)``; arguments as in `gram`."""
    if get not in ("nngp", "ntk"):
        raise ValueError(f"get is {get!r}; give 'nngp' or 'ntk'")
    computing = how(backend, adapter, precision, quadrature, threads)
    nngp, ntk = _native.diagonal(network, samples(network, x, "x"), get == "ntk", computing)
    return nngp if ntk is None else ntk


def samples(network: Network, x: Any, argument: str) -> Any:
    """The samples in a form that the native part takes: an array of float64, float32 or uint8, or a list of molecules."""
    if not isinstance(network, Network):
        raise TypeError(f"network is of type {type(network).__name__}; make one with ek.serial or ek.Network.load")
    return molecules(x) if network.is_molecular else _array(x, argument)


def _array(x: Any, argument: str) -> NDArray[Any]:
    if isinstance(x, np.ma.MaskedArray):
        if np.ma.is_masked(x):
            raise ValueError(f"{argument} has masked entries; kernels need all of them")
        x = x.data
    if hasattr(x, "__dlpack__") and not isinstance(x, (np.ndarray, np.generic)):
        try:
            array = np.from_dlpack(x)
        except (BufferError, RuntimeError, TypeError) as error:
            raise ValueError(f"{argument} is a tensor that numpy cannot read: {error}; move it to the CPU and detach it") from error
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise ValueError(f"{argument} is no array of numbers: {error}") from error
    kind = array.dtype.kind
    if array.dtype.isnative and array.dtype in (np.float64, np.float32, np.uint8):
        return array
    if kind in "iu":
        if array.size and (array.max() > 2**53 or array.min() < -(2**53)):
            raise ValueError(f"{argument} holds integers beyond 2^53, which float64 cannot tell apart; rescale the data")
        return array.astype(np.float64)
    if kind in "fb":
        return array.astype(np.float64)
    what = {"O": "objects", "c": "complex numbers", "U": "strings", "S": "bytes", "M": "dates", "m": "time differences"}
    raise TypeError(f"{argument} is an array of {what.get(kind, str(array.dtype))}; samples are real numbers")


class _Settings(Protocol):
    backend: str | None
    adapter: str | int | None
    precision: str | None
    quadrature: str | int | None
    threads: int | None


def how_of(settings: _Settings) -> _native.How:
    """The arguments of `gram` that say what computes, as an estimator or a kernel keeps them."""
    return how(settings.backend, settings.adapter, settings.precision, settings.quadrature, settings.threads)


def how(
    backend: str | None, adapter: str | int | None, precision: str | None, quadrature: str | int | None, threads: int | None
) -> _native.How:
    """The arguments of `gram` that say what computes."""
    return {
        "backend": backend,
        "adapter": adapter,
        "precision": precision,
        "quadrature": quadrature,
        "threads": threads,
    }


def _storable(out: str | os.PathLike[str], names: list[str]) -> str:
    """The file to store kernels in; refused before the work if it cannot be one."""
    file = os.fspath(out)
    if not file.endswith((".npz", ".npy", ".zarr")):
        raise ValueError(f"out is {file!r}; give a path that ends in .npz, .npy or .zarr")
    if file.endswith(".npy") and len(names) > 1:
        raise ValueError(f"out is {file!r}, which holds one array; give an .npz file for both kernels")
    folder = os.path.dirname(file) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"out is {file!r}, but there is no folder {folder!r}")
    return file


def _store(file: str, arrays: dict[str, Matrix]) -> None:
    """Write the file whole or not at all."""
    partial = f"{file}.{os.getpid()}.tmp"
    try:
        with open(partial, "wb") as stream:
            if file.endswith(".npy"):
                np.save(stream, next(iter(arrays.values())))
            else:
                np.savez(stream, **arrays)  # type: ignore[arg-type]
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, file)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise
