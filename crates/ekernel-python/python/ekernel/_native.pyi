from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

__version__: str

class DeviceError(RuntimeError): ...

class Device(TypedDict):
    index: int
    name: str
    type: str
    backend: str
    driver: str
    driver_info: str
    usable: bool
    reason: str | None

class How(TypedDict):
    backend: str | None
    adapter: str | int | None
    precision: str | None
    quadrature: str | int | None
    threads: int | None

class Plan:
    def __str__(self) -> str: ...
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

class Network:
    def __new__(cls, toml: str) -> Network: ...
    @staticmethod
    def load(path: str | PathLike[str]) -> Network: ...
    @staticmethod
    def from_toml(toml: str) -> Network: ...
    def to_toml(self) -> str: ...
    @property
    def input_shape(self) -> list[int]: ...
    @property
    def is_molecular(self) -> bool: ...
    def plan(self, quadrature: str | int | None = None) -> Plan: ...
    def __getnewargs__(self) -> tuple[str]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...
    def _repr_html_(self) -> str: ...

class Machine:
    def __new__(
        cls,
        kernel: NDArray[np.float64],
        targets: NDArray[np.float64] | tuple[Sequence[int], int],
        ridge: str,
        time: float,
        center: bool,
        threads: int,
    ) -> Machine: ...
    @property
    def weights(self) -> NDArray[np.float64]: ...
    @property
    def mean(self) -> list[float]: ...
    @property
    def ridge(self) -> tuple[float, bool]: ...
    def posterior_variance(self, cross: NDArray[np.float64], test: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def posterior_covariance(self, cross: NDArray[np.float64], test: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def ensemble_variance(
        self,
        cross: NDArray[np.float64],
        nngp: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    ) -> NDArray[np.float64]: ...
    def ensemble_covariance(
        self,
        cross: NDArray[np.float64],
        nngp: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    ) -> NDArray[np.float64]: ...

class Store:
    def __new__(cls, path: str) -> Store: ...
    @property
    def kernels(self) -> list[str]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def chunk(self) -> tuple[int, int]: ...
    @property
    def symmetric(self) -> bool: ...
    @property
    def dtype(self) -> str: ...
    @property
    def notes(self) -> str: ...
    def status(self, of: int, verify: bool) -> tuple[int, int, int, list[int]]: ...
    def window(self, name: str, rows: tuple[int, int], cols: tuple[int, int]) -> NDArray[np.float64]: ...

class SolveHow(TypedDict):
    ridge: float
    absolute: bool
    rank: int
    tolerance: float
    max_iterations: int
    seed: int

Progress = Callable[[float, int], object]

def gram(
    network: Network, x1: Any, x2: Any | None, ntk: bool, how: How, progress: Progress | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]: ...
def gram_shard(
    network: Network,
    sets: tuple[Any, Any | None],
    path: str,
    part: tuple[tuple[int, int], int | None, Sequence[str]],
    how: How,
    progress: Progress | None,
) -> Store: ...
def diagonal(
    network: Network, x: Any, ntk: bool, how: How
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]: ...
def solve(
    source: tuple[Store, str] | tuple[Any, int, int],
    targets: NDArray[np.float64],
    how: SolveHow,
    start: NDArray[np.float64] | None,
    callback: Callable[[int, float], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, bool, float]: ...
def devices() -> list[Device]: ...
def read_molecules(
    source: str,
) -> tuple[list[tuple[list[int], NDArray[np.float64]]], list[float] | None]: ...
def run_program(arguments: Sequence[str]) -> int: ...
