"""The kernel of a network as scikit-learn takes kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel as _Kernel

from ._kernels import Matrix, diagonal, gram, how_of
from ._native import Network


class NetworkKernel(_Kernel):  # type: ignore[misc]
    """The kernel of a network, for scikit-learn's SVC, KernelRidge and GaussianProcessRegressor; made by `kernel`.

    It has no hyperparameters: the architecture says all. scikit-learn hands over rows of numbers; for a network on images or on
    the sphere, each row is a sample of ``network.input_shape`` in C order.
    """

    def __init__(
        self,
        network: Network,
        kind: str = "ntk",
        *,
        backend: str | None = None,
        adapter: str | int | None = None,
        precision: str | None = None,
        quadrature: str | int | None = None,
        threads: int | None = None,
    ) -> None:
        self.network = network
        self.kind = kind
        self.backend = backend
        self.adapter = adapter
        self.precision = precision
        self.quadrature = quadrature
        self.threads = threads

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Compute K[i, j] = k(X[i], Y[j]), with no columns of gradients if `eval_gradient`."""
        x1 = unflattened(self.network, X)
        x2 = None if Y is None or Y is X else unflattened(self.network, Y)
        kernels = gram(self.network, x1, x2, self.kind, progress=False, **how_of(self))
        return (kernels, np.empty((*np.shape(kernels), 0))) if eval_gradient else kernels

    def diag(self, X: Any) -> Matrix:
        """Compute k(X[i], X[i])."""
        return diagonal(self.network, unflattened(self.network, X), self.kind, **how_of(self))

    def is_stationary(self) -> bool:
        """Whether it depends on differences alone: no."""
        return False

    @property
    def requires_vector_input(self) -> bool:
        """Whether samples are rows of numbers: all but molecules."""
        return not self.network.is_molecular

    def __repr__(self) -> str:
        return f"NetworkKernel({self.network!r}, kind={self.kind!r})"


def kernel(network: Network, kind: str = "ntk", **how: Any) -> NetworkKernel:
    """Make the kernel of a network a callable, for ``kernel=`` of scikit-learn's SVC, KernelRidge, GaussianProcessRegressor.

    Parameters
    ----------
    network : Network
        The architecture.
    kind : {"ntk", "nngp"}
        Which kernel.
    **how
        `backend`, `adapter`, `precision`, `quadrature`, `threads` of `gram`.

    Returns
    -------
    NetworkKernel

    Examples
    --------
    >>> import numpy as np, ekernel as ek
    >>> from sklearn.svm import SVC
    >>> net = ek.serial(ek.Vector(2), ek.Dense(b_std=0.1), ek.Relu(), ek.Dense())
    >>> SVC(kernel=ek.kernel(net)).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]).predict([[0, 0.9]])
    array([1])
    """
    if kind not in ("ntk", "nngp"):
        raise ValueError(f"kind is {kind!r}; give 'ntk' or 'nngp'")
    return NetworkKernel(network, kind, **how)


def unflattened(network: Network, x: Any) -> Any:
    """Rows of numbers as the images or signals that the network reads; anything else as it is."""
    if network.is_molecular:
        return x
    array, shape = np.asarray(x), network.input_shape
    if array.ndim == 2 and len(shape) == 3 and array.shape[1] == int(np.prod(shape)):
        return array.reshape(-1, *shape)
    return array
