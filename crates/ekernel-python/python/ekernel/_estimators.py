"""Kernel machines of infinitely wide networks as scikit-learn's estimators."""

from __future__ import annotations

import os
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ._kernels import Kernels, Matrix, diagonal, gram, how_of
from ._layers import Dense, Relu, Vector, serial
from ._molecules import molecules
from ._native import Machine, Network
from ._sklearn_kernel import unflattened

_PARAMETERS = """
    Parameters
    ----------
    network : Network, optional
        The architecture; by default a ReLU network with one hidden layer on vectors.
    kind : {"ntk", "nngp"}
        The kernel: "ntk" for the mean of an ensemble of trained networks, "nngp" for the posterior of a Gaussian process.
    ridge : float or str
        Added to the diagonal of the kernel, relative to its mean; "NUMBER:absolute" in units of the kernel; "auto" chooses a
        power of ten by cross-validation on the training samples, "fine" among twice as many; "likelihood" the one under which the
        targets are most likely.
    time : float
        Training time of gradient flow, learning rate times steps; infinite by default.
    backend, adapter, precision, quadrature, threads
        As in `gram`; `threads` also solve.
"""


class _NetworkMachine(BaseEstimator):  # type: ignore[misc]
    network: Network | None
    kind: str
    ridge: float | str
    time: float
    backend: str | None
    adapter: str | int | None
    precision: str | None
    quadrature: str | int | None
    threads: int | None

    #: The process that made it, the machine, and the NNGP of the training set.
    _solver: tuple[int, Machine, Matrix] | None

    def _train(self, X: Any, targets: Matrix | tuple[list[int], int], center: bool) -> None:
        if self.kind not in ("ntk", "nngp"):
            raise ValueError(f"kind is {self.kind!r}; give 'ntk' or 'nngp'")
        if self.network is None:
            self.network_ = serial(Vector(X.shape[1]), Dense(w_std=2**0.5, b_std=0.1), Relu(), Dense(b_std=0.1))
        else:
            self.network_ = self.network
        self.X_fit_ = unflattened(self.network_, X)
        self._targets = targets, center
        ridge = self.ridge if isinstance(self.ridge, str) else repr(float(self.ridge))
        machine = self._machine(ridge)
        self.dual_coef_ = machine.weights
        self._mean = np.array(machine.mean)
        value, absolute = machine.ridge
        self.ridge_ = f"{value!r}:absolute" if absolute else value

    def _machine(self, ridge: str) -> Machine:
        """The machine, made anew; it and the NNGP of the training set are kept for covariances."""
        self._solver = None
        nngp, ntk = self._kernels(self.X_fit_)
        kernel = nngp if ntk is None else ntk
        machine = Machine(kernel, self._targets[0], ridge, float(self.time), self._targets[1], _threads(self.threads))
        self._solver = os.getpid(), machine, nngp
        return machine

    def _kernels(self, x1: Any, x2: Any = None) -> tuple[Matrix, Matrix | None]:
        get = ("nngp", "ntk") if self.kind == "ntk" else ("nngp",)
        kernels = cast("Matrix | Kernels", gram(self.network_, x1, x2, get, progress=False, **how_of(self)))
        return (kernels.nngp, kernels.ntk) if isinstance(kernels, Kernels) else (kernels, None)

    def _checked(self, X: Any, reset: bool, **y: Any) -> Any:
        """The samples of a call as arrays, or as molecules; with the targets where those are given."""
        if self.network is None or not self.network.is_molecular:
            return validate_data(self, X, reset=reset, allow_nd=True, dtype="numeric", **y)
        read = molecules(X)
        if "y" not in y:
            return read
        targets = np.asarray(y["y"])
        if targets.shape[:1] != (len(read),):
            raise ValueError(f"there are {len(read)} molecules and targets of shape {targets.shape}; give one for each")
        return read, targets

    def _predicted(self, X: Any) -> tuple[Any, Matrix, Matrix | None, Matrix]:
        """The samples, their NNGP and NTK with the training set, and the mean prediction (n, outputs)."""
        check_is_fitted(self)
        x = unflattened(self.network_, self._checked(X, reset=False))
        nngp, ntk = self._kernels(x, self.X_fit_)
        return x, nngp, ntk, (nngp if ntk is None else ntk) @ self.dual_coef_ + self._mean

    def _spread(self, x: Any, nngp: Matrix, ntk: Matrix | None, covariance: bool) -> Matrix:
        """The variances (n,) or the covariance (n, n) of predictions."""
        if self._solver is None or self._solver[0] != os.getpid():
            # Not kept by pickles, and its threads do not survive a fork.
            self._machine(self.ridge_ if isinstance(self.ridge_, str) else repr(self.ridge_))
        assert self._solver is not None
        _, machine, train = self._solver
        try:
            if covariance:
                test = np.asarray(gram(self.network_, x, None, "nngp", progress=False, **how_of(self)))
                if ntk is None:
                    return machine.posterior_covariance(nngp, test)
                return machine.ensemble_covariance(ntk, (train, nngp, test))
            test = diagonal(self.network_, x, "nngp", **how_of(self))
            if ntk is None:
                return machine.posterior_variance(nngp, test)
            return machine.ensemble_variance(ntk, (train, nngp, test))
        except BaseException:
            # Interrupted, a machine is of no use.
            self._solver = None
            raise

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_solver" in state:
            state["_solver"] = None
        return state


class NTKRegressor(RegressorMixin, MultiOutputMixin, _NetworkMachine):  # type: ignore[misc]
    __doc__ = f"""Regression with the kernel of an infinitely wide network.
{_PARAMETERS}    center : bool
        Whether the mean of the targets is taken off before training and put back on predictions.

    Attributes
    ----------
    network_ : Network
    ridge_ : float or str
        The ridge that was given or chosen.
    dual_coef_ : array (n, outputs)
        The weight of each training sample.
    X_fit_ : array or list
        The training samples.
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        kind: str = "ntk",
        ridge: float | str = "auto",
        time: float = np.inf,
        center: bool = True,
        backend: str | None = None,
        adapter: str | int | None = None,
        precision: str | None = None,
        quadrature: str | int | None = None,
        threads: int | None = None,
    ) -> None:
        self.network = network
        self.kind = kind
        self.ridge = ridge
        self.time = time
        self.center = center
        self.backend = backend
        self.adapter = adapter
        self.precision = precision
        self.quadrature = quadrature
        self.threads = threads

    def fit(self, X: Any, y: Any) -> NTKRegressor:
        """Train on samples X and targets y, (n,) or (n, outputs)."""
        X, y = self._checked(X, reset=True, y=y, multi_output=True, y_numeric=True)
        values = np.asarray(y, dtype=np.float64)
        self._is_flat = values.ndim == 1
        self._train(X, values.reshape(len(values), -1), bool(self.center))
        return self

    def predict(self, X: Any, return_std: bool = False, return_cov: bool = False) -> Any:
        """Predict targets, (n,) or (n, outputs).

        With `return_std` also their standard deviations (n,), with `return_cov` their covariance (n, n): of the posterior for
        "nngp", of the ensemble of trained networks for "ntk"; the same for every output, without the noise of new targets.
        """
        if return_std and return_cov:
            raise ValueError("return_std and return_cov are both true; ask for one of them")
        x, nngp, ntk, mean = self._predicted(X)
        mean = mean[:, 0] if self._is_flat else mean
        if return_cov:
            return mean, self._spread(x, nngp, ntk, covariance=True)
        if return_std:
            return mean, np.sqrt(self._spread(x, nngp, ntk, covariance=False))
        return mean


class NTKClassifier(ClassifierMixin, _NetworkMachine):  # type: ignore[misc]
    __doc__ = f"""Classification with the kernel of an infinitely wide network: regression on centred one-hot targets.
{_PARAMETERS}
    Attributes
    ----------
    classes_ : array (classes,)
    network_ : Network
    ridge_ : float or str
        The ridge that was given or chosen.
    dual_coef_ : array (n, classes)
        The weight of each training sample.
    X_fit_ : array or list
        The training samples.
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        kind: str = "ntk",
        ridge: float | str = "auto",
        time: float = np.inf,
        backend: str | None = None,
        adapter: str | int | None = None,
        precision: str | None = None,
        quadrature: str | int | None = None,
        threads: int | None = None,
    ) -> None:
        self.network = network
        self.kind = kind
        self.ridge = ridge
        self.time = time
        self.backend = backend
        self.adapter = adapter
        self.precision = precision
        self.quadrature = quadrature
        self.threads = threads

    def fit(self, X: Any, y: Any) -> NTKClassifier:
        """Train on samples X and their classes y, (n,)."""
        X, y = self._checked(X, reset=True, y=y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        self._train(X, (labels.tolist(), len(self.classes_)), False)
        return self

    def decision_function(self, X: Any) -> Matrix:
        """Predict the scores of classes, (n, classes); of two classes the lead of the second, (n,)."""
        scores = self._predicted(X)[3]
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict classes, (n,)."""
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        classes: NDArray[Any] = self.classes_[best]
        return classes


_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _threads(threads: int | None) -> int:
    """Threads to solve on: in the child of a fork one, because a pool of the parent's threads is not there."""
    if _forked:
        return 1
    if threads is not None:
        return threads
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
