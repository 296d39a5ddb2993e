import copy
import pickle
import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import ekernel as ek


@parametrize_with_checks([ek.NTKRegressor(), ek.NTKClassifier(), ek.NTKRegressor(kind="nngp", ridge=1e-3)])
def test_scikit_learn_finds_its_habits(estimator, check):
    check(estimator)


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size=40)
    x = rng.normal(scale=0.3, size=(40, 6, 6, 2))
    for i, label in enumerate(labels):
        x[i, label : label + 3] += 1
    return x, np.array(["a", "b", "c"])[labels]


def cnn():
    return ek.serial(ek.Image(6, 6, 2), ek.Conv(3), ek.Relu(), ek.Flatten(), ek.Dense())


def test_the_prediction_is_the_formula(vectors, mlp):
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=(9, 2)), rng.normal(size=(4, 5))
    train, cross = (ek.gram(mlp, *sets, precision="f64") for sets in [(vectors,), (x, vectors)])
    for ridge, absolute in [(0.1, 0.1 * np.trace(train) / 9), ("0.1:absolute", 0.1)]:
        model = ek.NTKRegressor(mlp, ridge=ridge, center=False, precision="f64").fit(vectors, y)
        due = cross @ np.linalg.solve(train + absolute * np.eye(9), y)
        assert np.allclose(model.predict(x), due, rtol=1e-10) and model.ridge_ == ridge
    model = ek.NTKRegressor(mlp, ridge=0.1, precision="f64").fit(vectors, y + 100)
    due = 100 + y.mean(0) + cross @ np.linalg.solve(train + 0.1 * np.trace(train) / 9 * np.eye(9), y - y.mean(0))
    assert np.allclose(model.predict(x), due, rtol=1e-10)
    flat = ek.NTKRegressor(mlp, ridge=0.1, precision="f64").fit(vectors, y[:, 0])
    assert flat.predict(x).shape == (4,)


def test_the_posterior_is_that_of_a_gaussian_process(vectors, mlp):
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=9), rng.normal(size=(4, 5))
    model = ek.NTKRegressor(mlp, kind="nngp", ridge="0.1:absolute", center=False, precision="f64").fit(vectors, y)
    process = GaussianProcessRegressor(ek.kernel(mlp, "nngp", precision="f64"), alpha=0.1, optimizer=None).fit(vectors, y)
    mean, covariance = model.predict(x, return_cov=True)
    due_mean, due_covariance = process.predict(x, return_cov=True)
    assert np.allclose(mean, due_mean, rtol=1e-9) and np.allclose(covariance, due_covariance, rtol=1e-9)
    assert np.allclose(model.predict(x, return_std=True)[1], np.sqrt(np.diag(covariance)), rtol=1e-9)
    with pytest.raises(ValueError, match="one of them"):
        model.predict(x, return_std=True, return_cov=True)


def test_the_ensemble_spreads_as_the_formula_says(vectors, mlp):
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=9), rng.normal(size=(4, 5))
    model = ek.NTKRegressor(mlp, ridge=0.1, center=False, precision="f64").fit(vectors, y)
    _, std = model.predict(x, return_std=True)
    _, covariance = model.predict(x, return_cov=True)
    both = [ek.gram(mlp, *sets, get=("nngp", "ntk"), precision="f64") for sets in [(vectors,), (x, vectors), (x,)]]
    train = both[0].ntk + 0.1 * np.trace(both[0].ntk) / 9 * np.eye(9)
    a = np.linalg.solve(train, both[1].ntk.T).T
    due = both[2].nngp + a @ both[0].nngp @ a.T - a @ both[1].nngp.T - both[1].nngp @ a.T
    assert np.allclose(covariance, due, atol=1e-12) and np.allclose(std, np.sqrt(np.diag(due)))


def test_a_time_of_zero_predicts_the_mean(vectors, mlp):
    y = np.arange(9.0)
    assert np.allclose(ek.NTKRegressor(mlp, ridge=0.1, time=0).fit(vectors, y).predict(vectors), 4)
    late = ek.NTKRegressor(mlp, ridge=0.1, time=1e9).fit(vectors, y).predict(vectors)
    assert np.allclose(late, ek.NTKRegressor(mlp, ridge=0.1).fit(vectors, y).predict(vectors), rtol=1e-4)


def test_images_and_their_flat_rows(digits):
    x, y = digits
    model = ek.NTKClassifier(cnn(), ridge=0.1).fit(x[:30], y[:30])
    assert model.score(x[30:], y[30:]) > 0.7 and set(model.predict(x)) <= set("abc")
    assert model.decision_function(x).shape == (40, 3)
    flat = ek.NTKClassifier(cnn(), ridge=0.1).fit(x[:30].reshape(30, -1), y[:30])
    assert np.array_equal(flat.decision_function(x.reshape(40, -1)), model.decision_function(x))
    auto = ek.NTKClassifier(cnn()).fit(x, y)
    assert isinstance(auto.ridge_, float) and 1e-8 <= auto.ridge_ <= 10


def test_it_goes_into_pipelines_and_searches(digits):
    x, y = digits
    flat = x.reshape(40, -1)
    scores = cross_val_score(make_pipeline(StandardScaler(), ek.NTKClassifier(cnn(), ridge=0.1)), flat, y, cv=2)
    assert scores.min() > 0.5
    search = GridSearchCV(ek.NTKClassifier(cnn()), {"ridge": [1e-3, 1e-1], "kind": ["ntk", "nngp"]}, cv=2, n_jobs=2)
    assert search.fit(flat, y).best_score_ > 0.5


def test_the_kernel_as_scikit_learn_takes_it(digits):
    x, y = digits
    flat, kernel = x.reshape(40, -1), ek.kernel(cnn())
    due = ek.gram(cnn(), x)
    assert np.array_equal(kernel(flat), due) and np.array_equal(kernel.diag(flat), np.diag(due))
    assert SVC(kernel=kernel).fit(flat, y).score(flat, y) > 0.9
    values = np.arange(40.0)
    ridge = KernelRidge(kernel=kernel, alpha=0.1).fit(flat, values)
    assert np.allclose(ridge.predict(flat), due @ np.linalg.solve(due + 0.1 * np.eye(40), values), rtol=1e-4)
    process = GaussianProcessRegressor(kernel + 1.0 * kernel, alpha=0.1).fit(flat, values)
    assert process.predict(flat).shape == (40,)
    twin = pickle.loads(pickle.dumps(kernel))
    assert twin == kernel == clone(kernel) and np.array_equal(twin(flat), due)
    with pytest.raises(ValueError, match="kind is"):
        ek.kernel(cnn(), "gp")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_trained_models_travel(vectors, mlp, copied):
    model = ek.NTKRegressor(mlp, ridge=0.1).fit(vectors, np.arange(9.0))
    for due, found in zip(model.predict(vectors, return_std=True), copied(model).predict(vectors, return_std=True)):
        assert np.array_equal(due, found)
    assert copied(ek.NTKRegressor(mlp, ridge="auto")).get_params()["network"] == mlp


def test_an_interrupted_prediction_is_not_the_end(vectors, mlp):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3000, 5)), rng.normal(size=3000)
    model = ek.NTKRegressor(mlp, ridge="auto")
    timer = threading.Timer(2.0, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y)
    assert time.monotonic() - started < 3.5
    model.set_params(ridge=0.1).fit(x[:50], y[:50])
    assert model.predict(x[:3], return_std=True)[1].shape == (3,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "gp"}, "kind is"),
        ({"ridge": -1.0}, "ridge"),
        ({"ridge": "some"}, "ridge is some"),
        ({"time": -1}, "time"),
        ({"time": np.nan}, "time"),
        ({"backend": "abacus"}, "backend"),
    ],
)
def test_parameters_that_cannot_be_are_refused_in_words(vectors, mlp, change, words):
    with pytest.raises(ValueError, match=words):
        ek.NTKRegressor(mlp).set_params(**change).fit(vectors, np.arange(9.0))


def test_targets_that_do_not_fit_are_refused_in_words(vectors, mlp):
    for y in [np.arange(8.0), np.full(9, np.nan), np.array(["a"] * 9), None]:
        with pytest.raises((ValueError, TypeError)):
            ek.NTKRegressor(mlp).fit(vectors, y)
    with pytest.raises(ValueError, match="classes"):
        ek.NTKClassifier(mlp).fit(vectors, np.zeros(9, dtype=int))


def test_molecules():
    net = ek.serial(ek.Molecule(3, [1, 8], "shared"), ek.S2Conv(), ek.Relu(), ek.So3Pool(), ek.AtomSum(), ek.Dense())
    chains = [([8, 1], [[0.0, 0.0, 0.0], [0.0, 0.0, r]]) for r in np.linspace(0.8, 1.6, 8)]
    model = ek.NTKRegressor(net, ridge=1e-3, quadrature="fast").fit(chains, np.linspace(0, 1, 8))
    assert model.score(chains, np.linspace(0, 1, 8)) > 0.8
    with pytest.raises(ValueError, match="8 molecules"):
        ek.NTKRegressor(net).fit(chains, np.zeros(7))
