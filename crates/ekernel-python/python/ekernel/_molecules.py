"""Molecules: from arrays, files and ASE to what a network on molecules reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _native

#: Atomic numbers and positions (atoms, 3) in Å of one molecule.
Atoms: TypeAlias = tuple[list[int], NDArray[np.float64]]


def read_molecules(source: str | os.PathLike[str]) -> list[Atoms] | tuple[list[Atoms], NDArray[np.float64]]:
    """Read molecules from a file.

    Parameters
    ----------
    source : str or path
        An .xyz file or a folder of them, an .npz of positions and charges, a CSV file of qm9pack; rows and a property as
        ``"qm9.npz:train,U0"``.

    Returns
    -------
    list of (atomic numbers, positions), or that list and the property, shape (n,), where one is named
        Positions are arrays (atoms, 3) in Å.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no molecules; the message names the place and the reason.
    """
    read, values = _native.read_molecules(os.fspath(source))
    return read if values is None else (read, np.asarray(values))


def molecules(x: Any) -> list[Atoms]:
    """Turn molecules in any of their forms into pairs of atomic numbers and positions.

    Parameters
    ----------
    x : path, ASE Atoms, list or mapping
        A file as in `read_molecules`; one or a list of ``ase.Atoms``; a list of pairs (atomic numbers, positions); or a mapping
        with ``charges`` (n, atoms), filled up with zeros, and ``positions`` (n, atoms, 3). Positions are in Å.

    Returns
    -------
    list of (list of int, array (atoms, 3))

    Raises
    ------
    TypeError, ValueError
        If that is no molecule; the words name which.
    """
    if isinstance(x, (str, os.PathLike)):
        read = read_molecules(x)
        return read[0] if isinstance(read, tuple) else read
    if _is_ase(x):
        return [_molecule(0, x)]
    if isinstance(x, Mapping):
        missing = [key for key in ("charges", "positions") if key not in x]
        if missing:
            raise ValueError(f"the mapping has no {missing[0]!r}; molecules are charges (n, atoms) and positions (n, atoms, 3)")
        charges, positions = np.asarray(x["charges"]), np.asarray(x["positions"])
        if charges.ndim != 2 or positions.shape != (*charges.shape, 3):
            raise ValueError(
                f"charges have shape {charges.shape} and positions {positions.shape}; they need (n, atoms) and (n, atoms, 3)"
            )
        return [_molecule(i, (z[z != 0], r[z != 0])) for i, (z, r) in enumerate(zip(charges, positions))]
    if isinstance(x, Iterable):
        return [_molecule(i, molecule) for i, molecule in enumerate(x)]
    raise TypeError(f"{type(x).__name__} is no list of molecules; give pairs (atomic numbers, positions), ase.Atoms or a file")


def _is_ase(x: Any) -> bool:
    return hasattr(x, "get_atomic_numbers") and hasattr(x, "get_positions")


def _molecule(index: int, molecule: Any) -> Atoms:
    if _is_ase(molecule):
        molecule = molecule.get_atomic_numbers(), molecule.get_positions()
    try:
        numbers, positions = molecule
        charges = np.asarray(numbers)
        places = np.array(positions, dtype=np.float64, order="C", ndmin=2)
    except (TypeError, ValueError) as error:
        raise TypeError(f"molecule {index} is no pair (atomic numbers, positions in Å): {error}") from error
    whole = charges.ndim == 1 and charges.dtype.kind in "iuf" and np.array_equal(charges, np.floor(charges))
    if not whole or charges.size and not (charges.min() >= 1 and charges.max() <= 118):
        raise ValueError(f"molecule {index} has the atomic numbers {charges.tolist()}; they are whole numbers from 1 to 118")
    if places.ndim != 2:
        raise ValueError(f"molecule {index} has positions of shape {places.shape}; they need (atoms, 3)")
    return charges.astype(int).tolist(), places
