"""The layers, and how they are put together: what an architecture file says, in Python.

Everything here makes the text of an architecture file, which `Network` reads: names, defaults and errors are those of the file.
"""

from __future__ import annotations

import dataclasses
import json
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, Union, overload

from ._native import Network

Pair: TypeAlias = Union[int, Sequence[int]]


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(_toml, value)) + "]"
    try:
        return str(operator.index(value))
    except TypeError:
        return repr(float(value))


def _pair(value: Pair) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


@dataclass(frozen=True)
class Input:
    """What a network reads."""

    space: ClassVar[str]

    def _keys(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


@dataclass(frozen=True)
class Vector(Input):
    """Vectors, shape (n, features)."""

    features: int
    space: ClassVar[str] = "vector"

    def _keys(self) -> dict[str, Any]:
        return {"shape": [self.features]}


@dataclass(frozen=True)
class Image(Input):
    """Images, shape (n, height, width, channels)."""

    height: int
    width: int
    channels: int = 1
    space: ClassVar[str] = "image"

    def _keys(self) -> dict[str, Any]:
        return {"shape": [self.height, self.width, self.channels]}


@dataclass(frozen=True)
class Sphere(Input):
    """Signals on the sphere, shape (n, 2L, 2L-1, channels) for bandlimit L, on the grid of Driscoll and Healy."""

    bandlimit: int
    channels: int = 1
    space: ClassVar[str] = "sphere"


@dataclass(frozen=True)
class Molecule(Input):
    """Molecules: each atom sees the others as a signal on the sphere around it.

    Parameters
    ----------
    bandlimit : int
        Degrees l < bandlimit of the spherical harmonics.
    elements : sequence of int
        Atomic numbers; a channel for each of them and each function of the distance.
    atoms : {"shared", "elements", "indexed"}
        One network for all atoms, one for each element, or one for each atom.
    powers, shells : sequences of float
        Powers of the distance, and radii of Gaussian shells, in Å.
    shell_width : float
        Width of the shells, in Å.
    shell_power : float
        Power of the distance by which shells fall off; 0 by default.
    centers : sequence of int
        Elements of the atoms that have a signal; all by default.
    charge_power : float
        1 for signals that grow with the product of the charges, 0 for signals that do not.
    cutoff_angle : float
        The angle from a neighbour, in degrees, at which its signal has fallen to 5 %.
    """

    bandlimit: int
    elements: Sequence[int]
    atoms: str
    powers: Sequence[float] | None = None
    shells: Sequence[float] | None = None
    shell_width: float | None = None
    centers: Sequence[int] | None = None
    charge_power: float | None = None
    cutoff_angle: float | None = None
    shell_power: float | None = None
    space: ClassVar[str] = "molecule"


@dataclass(frozen=True)
class Layer:
    """A layer; `name` is what errors call it."""

    op: ClassVar[str]
    #: Keys that are a pair (rows, columns); one number stands for both.
    pairs: ClassVar[frozenset[str]] = frozenset({"filter", "strides", "window"})
    name: str | None = dataclasses.field(default=None, kw_only=True)

    def _keys(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {key: _pair(value) if key in self.pairs and value is not None else value for key, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class _Weighted(Layer):
    w_std: float | None = None
    b_std: float | None = None
    parameterization: str | None = None
    width: int | None = None
    width_scale: float | None = None


@dataclass(frozen=True)
class Dense(_Weighted):
    """A dense layer: weights of standard deviation `w_std` (1), biases of `b_std` (none)."""

    op: ClassVar[str] = "dense"


@dataclass(frozen=True)
class Conv(_Weighted):
    """A convolution; `padding` is "valid" (default), "same" or "circular"."""

    filter: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "conv"


@dataclass(frozen=True)
class Lift(_Weighted):
    """A lifting convolution from images to the group of their translations and `group`: C1 C2 C4 D1 D2 D4."""

    group: str
    filter: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "lift"


@dataclass(frozen=True)
class GroupConv(_Weighted):
    """A convolution on the group."""

    filter: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "group_conv"


@dataclass(frozen=True)
class S2Conv(_Weighted):
    """A convolution from the sphere to rotations; its bandlimit is that of the signals by default."""

    bandlimit: int | None = None
    op: ClassVar[str] = "s2_conv"


@dataclass(frozen=True)
class So3Conv(_Weighted):
    """A convolution on SO(3)."""

    bandlimit: int | None = None
    op: ClassVar[str] = "so3_conv"


@dataclass(frozen=True)
class AvgPool(Layer):
    """Means over windows; `strides` are the window's size by default."""

    window: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "avg_pool"


@dataclass(frozen=True)
class SumPool(Layer):
    """Sums over windows; `strides` are the window's size by default."""

    window: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "sum_pool"


@dataclass(frozen=True)
class MaxPool(Layer):
    """The largest of each window, in networks of finite width: an infinite one has no closed kernel for it."""

    window: Pair
    strides: Pair | None = dataclasses.field(default=None, kw_only=True)
    padding: str | None = dataclasses.field(default=None, kw_only=True)
    op: ClassVar[str] = "max_pool"


@dataclass(frozen=True)
class GroupPool(Layer):
    """The mean over all positions and group elements."""

    op: ClassVar[str] = "group_pool"


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """The mean over all positions."""

    op: ClassVar[str] = "global_avg_pool"


@dataclass(frozen=True)
class GlobalSumPool(Layer):
    """The sum over all positions."""

    op: ClassVar[str] = "global_sum_pool"


@dataclass(frozen=True)
class Flatten(Layer):
    """All positions as one vector."""

    op: ClassVar[str] = "flatten"


@dataclass(frozen=True)
class So3Pool(Layer):
    """The mean over all rotations."""

    op: ClassVar[str] = "so3_pool"


@dataclass(frozen=True)
class AtomSum(Layer):
    """The sum over the atoms of a molecule."""

    op: ClassVar[str] = "atom_sum"


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalisation."""

    over: str | None = None
    op: ClassVar[str] = "layer_norm"


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout that keeps a value with probability `keep_rate`."""

    keep_rate: float
    op: ClassVar[str] = "dropout"


@dataclass(frozen=True)
class Identity(Layer):
    """What comes in."""

    op: ClassVar[str] = "identity"


@dataclass(frozen=True)
class Relu(Layer):
    """max(0, x)."""

    op: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyRelu(Layer):
    """x for x > 0, else alpha x."""

    alpha: float | None = None
    op: ClassVar[str] = "leaky_relu"


@dataclass(frozen=True)
class Abs(Layer):
    """|x|."""

    op: ClassVar[str] = "abs"


@dataclass(frozen=True)
class Sign(Layer):
    """The sign of x; its NTK has no finite value where two inputs are equal."""

    op: ClassVar[str] = "sign"


@dataclass(frozen=True)
class Gelu(Layer):
    """x Φ(x)."""

    op: ClassVar[str] = "gelu"


@dataclass(frozen=True)
class Erf(Layer):
    """a erf(b x) + c."""

    a: float | None = None
    b: float | None = None
    c: float | None = None
    op: ClassVar[str] = "erf"


@dataclass(frozen=True)
class Sin(Layer):
    """a sin(b x + c)."""

    a: float | None = None
    b: float | None = None
    c: float | None = None
    op: ClassVar[str] = "sin"


@dataclass(frozen=True)
class Cos(Layer):
    """a cos(b x + c)."""

    a: float | None = None
    b: float | None = None
    c: float | None = None
    op: ClassVar[str] = "cos"


@dataclass(frozen=True)
class Rbf(Layer):
    """The features of an RBF kernel exp(-gamma |x - x'|^2)."""

    gamma: float | None = None
    op: ClassVar[str] = "rbf"


@dataclass(frozen=True)
class Exp(Layer):
    """a exp(b x)."""

    a: float | None = None
    b: float | None = None
    op: ClassVar[str] = "exp"


@dataclass(frozen=True)
class Gaussian(Layer):
    """a exp(b x^2)."""

    a: float | None = None
    b: float | None = None
    op: ClassVar[str] = "gaussian"


@dataclass(frozen=True)
class Chain:
    """Layers one after the other, which no input precedes yet; made by `serial`."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Branch:
    """Several paths from one place; made by `branch`."""

    paths: tuple[Part, ...]


@dataclass(frozen=True)
class _Add:
    """The sum of the paths of the branch before; made by `add`."""


Part: TypeAlias = Union[Layer, Chain, _Branch, _Add]


def branch(*paths: Part) -> _Branch:
    """Lead what comes in along several paths; `add` follows.

    Parameters
    ----------
    *paths : Layer or Chain
        At least two; `serial()` without layers, or `Identity()`, is the way straight ahead.

    Examples
    --------
    >>> import ekernel as ek
    >>> net = ek.serial(
    ...     ek.Image(8, 8, 1), ek.Conv(3, padding="same"),
    ...     ek.branch(ek.serial(ek.Relu(), ek.Conv(3, padding="same")), ek.Identity()), ek.add(),
    ...     ek.Relu(), ek.GlobalAvgPool(), ek.Dense())
    """
    if len(paths) < 2:
        raise ValueError(f"a branch of {len(paths)} path(s) is none; give at least two, ek.Identity() for the way straight ahead")
    return _Branch(tuple(map(_part, paths)))


def add(*paths: Part) -> _Add | Chain:
    """Add up the paths of the branch before, or, with paths, of a branch of these: `branch(*paths), add()`."""
    return Chain((branch(*paths), _Add())) if paths else _Add()


@overload
def serial(first: Input, /, *parts: Part) -> Network: ...
@overload
def serial(*parts: Part) -> Chain: ...
def serial(*parts: Input | Part) -> Network | Chain:
    """Put layers one after the other.

    Parameters
    ----------
    *parts : Input, Layer, Chain, `branch(...)` or `add()`
        With an input first they are a network; without one a chain, which is a part of others.

    Returns
    -------
    Network or Chain

    Raises
    ------
    ValueError
        If a layer does not fit what comes in; the words name the layer, what it found and what it needs.

    Examples
    --------
    >>> import ekernel as ek
    >>> ek.serial(ek.Vector(10), ek.Dense(), ek.Relu(), ek.Dense())
    Network(vectors of 10 features: dense, relu, dense)
    """
    if parts and isinstance(parts[0], Input):
        return Network(_Writer(parts[0], Chain(tuple(map(_part, parts[1:])))).text())
    return Chain(tuple(map(_part, parts)))


def _part(part: Any) -> Part:
    if isinstance(part, Input):
        raise TypeError(f"{part} stands behind a layer; an input comes first")
    if isinstance(part, type) and issubclass(part, (Layer, Input)):
        raise TypeError(f"{part.__name__} is a class; write {part.__name__}()")
    if not isinstance(part, (Layer, Chain, _Branch, _Add)):
        raise TypeError(f"{part!r} is no layer; a network is made of layers such as ek.Dense() and ek.Relu()")
    return part


class _Writer:
    """From a chain to the text of an architecture file, in which a layer reads the one before unless it names others."""

    def __init__(self, first: Input, chain: Chain) -> None:
        self.input = first
        self.tables: list[dict[str, Any]] = []
        self.taken: set[str] = set()
        ends = self._write(chain, [-1])
        if len(ends) > 1:
            raise ValueError(f"the network ends with {len(ends)} paths of a branch; ek.add() adds them up")

    def text(self) -> str:
        sections = [("[input]", {"space": self.input.space, **self.input._keys()})]
        sections += [("[[layers]]", table) for table in self.tables]
        lines = []
        for head, table in sections:
            lines.append(head)
            lines += [f"{key} = {_toml(value)}" for key, value in table.items() if value is not None]
        return "\n".join(lines) + "\n"

    def _write(self, part: Part, ends: list[int]) -> list[int]:
        """Append a part that reads `ends`, places in the list of layers of which -1 is the input; return its own ends."""
        if isinstance(part, Chain):
            for inner in part.parts:
                ends = self._write(inner, ends)
            return ends
        if isinstance(part, _Add):
            if len(ends) < 2:
                raise ValueError("ek.add() follows no branch; write ek.branch(a, b), ek.add(), or ek.add(a, b)")
            return [self._append({"op": "sum"}, ends)]
        if len(ends) > 1:
            what = type(part).__name__.strip("_")
            raise ValueError(f"{what} follows a branch of {len(ends)} paths and reads one; put ek.add() between")
        if isinstance(part, _Branch):
            branches = [self._write(path, ends) for path in part.paths]
            for path, its in zip(part.paths, branches):
                if len(its) > 1:
                    raise ValueError(f"a path of a branch ends with {len(its)} paths of its own; end it with ek.add()")
            return [its[0] for its in branches]
        return [self._append({"op": part.op, **part._keys()}, ends)]

    def _append(self, table: dict[str, Any], ends: list[int]) -> int:
        if ends != [len(self.tables) - 1]:
            table["inputs"] = [self._name(end) for end in ends]
        if table.get("name") is not None:
            self.taken.add(table["name"])
        self.tables.append(table)
        return len(self.tables) - 1

    def _name(self, place: int) -> str:
        if place < 0:
            return "input"
        table = self.tables[place]
        if table.get("name") is None:
            name = f"layer{place + 1}"
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            table["name"] = name
        return str(table["name"])
