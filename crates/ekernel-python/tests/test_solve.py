import numpy as np
import pytest

import ekernel as ek


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 5)), rng.normal(size=(120, 3))
    net = ek.serial(ek.Vector(5), ek.Dense(b_std=0.1), ek.Relu(), ek.Dense())
    return ek.gram(net, x, precision="f64"), ek.gram(net, rng.normal(size=(20, 5)), x, precision="f64"), y


@pytest.mark.parametrize("rank", [0, 20, 120, 1000])
def test_it_is_the_solution_of_a_factorisation(problem, rank):
    kernel, cross, y = problem
    solution = ek.solve(kernel, y, ridge=1e-4, rank=rank, tolerance=1e-10, max_iterations=3000)
    ridge = 1e-4 * np.trace(kernel) / 120
    due = cross @ np.linalg.solve(kernel + ridge * np.eye(120), y)
    assert solution.converged and np.isclose(solution.ridge, ridge)
    assert np.abs(cross @ solution.weights - due).max() < 1e-8 * np.abs(due).max()
    assert solution.residuals[0] == 1 and solution.residuals[-1] <= 1e-10
    one = ek.solve(kernel, y[:, 0], ridge=1e-4, rank=rank, tolerance=1e-10, max_iterations=3000).weights
    assert one.shape == (120,) and np.abs(cross @ one - due[:, 0]).max() < 1e-8 * np.abs(due).max()


def test_the_preconditioner_saves_steps(problem):
    kernel, _, y = problem
    steps = [len(ek.solve(kernel, y, ridge=1e-4, rank=rank, max_iterations=3000).residuals) for rank in (0, 30, 90)]
    assert steps[0] > 2 * steps[1] > 2 * steps[2]


def test_files_zarr_and_dask_are_read_by_their_rows(problem, tmp_path):
    kernel, _, y = problem
    due = ek.solve(kernel, y, ridge=1e-3).weights
    np.save(tmp_path / "K.npy", kernel)
    assert np.allclose(ek.solve(np.load(tmp_path / "K.npy", mmap_mode="r"), y, ridge=1e-3).weights, due, rtol=1e-6)
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(str(tmp_path / "K.zarr"), data=kernel, chunks=(64, 64))
    assert np.allclose(ek.solve(stored, y, ridge=1e-3).weights, due, rtol=1e-6)
    array = pytest.importorskip("dask.array").from_array(kernel, chunks=100)
    assert np.allclose(ek.solve(array, y, ridge=1e-3).weights, due, rtol=1e-6)
    single = ek.solve(kernel.astype(np.float32), y, ridge=1e-3).weights
    assert np.allclose(single, due, rtol=1e-2)


def test_it_says_what_it_reached_and_goes_on_from_there(problem):
    kernel, cross, y = problem
    with pytest.warns(RuntimeWarning, match="relative residual is"):
        part = ek.solve(kernel, y, ridge=1e-6, rank=10, max_iterations=30)
    assert not part.converged and len(part.residuals) == 31
    rest = ek.solve(kernel, y, ridge=1e-6, rank=10, max_iterations=3000, start=part.weights)
    assert rest.converged and np.isclose(rest.residuals[0], min(part.residuals), rtol=1e-6)
    steps = []

    def stop(step, residual):
        steps.append(residual)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ek.solve(kernel, y, callback=stop)
    assert len(steps) == 1


def test_targets_of_zero_need_no_step(problem):
    kernel, _, y = problem
    solution = ek.solve(kernel, 0 * y)
    assert solution.converged and not solution.weights.any() and len(solution.residuals) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda k, y: (k[:, :5], y), "square"),
        (lambda k, y: (k, y[:5]), "one row for each"),
        (lambda k, y: (k, y * np.nan), "y holds NaN"),
        (lambda k, y: (np.where(np.eye(120, k=7) > 0, np.nan, k), y), "kernel holds NaN"),
        (lambda k, y: (k, y, 0), "ridge is 0"),
        (lambda k, y: (k, y, "much"), "ridge is 'much'"),
        (lambda k, y: (k, y, -1e-3), "ridge"),
        (lambda k, y: (k - 10 * np.outer(y[:, 0], y[:, 0]), y, 1.0), "positive definite|ridge"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_words(problem, change, words):
    with pytest.raises(ValueError, match=words):
        ek.solve(*change(problem[0], problem[2]))
