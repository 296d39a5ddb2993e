import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import ekernel as ek


def test_the_kernels_are_those_of_the_program(c4, images, tmp_path):
    (tmp_path / "A.toml").write_text(c4.to_toml())
    np.savez(tmp_path / "d.npz", x=images, t=images[:3])
    command = [sys.executable, "-m", "ekernel", "gram", "--arch", "A.toml", "--x1", "d.npz:t", "--x2", "d.npz:x",
               "--out", "K.npz", "--backend", "cpu", "--quiet"]
    subprocess.run(command, cwd=tmp_path, check=True)
    stored = np.load(tmp_path / "K.npz")
    kernels = ek.gram(c4, images[:3], images, ("nngp", "ntk"), backend="cpu")
    assert np.array_equal(kernels.nngp, stored["nngp"]) and np.array_equal(kernels.ntk, stored["ntk"])
    assert json.loads(str(stored["metadata"]))["shape"] == [3, 7]


def test_get_chooses_the_kernels(mlp, vectors):
    both = ek.gram(mlp, vectors, get=("ntk", "nngp"))
    assert isinstance(both, ek.Kernels)
    assert np.array_equal(ek.gram(mlp, vectors), both.ntk)
    assert np.array_equal(ek.gram(mlp, vectors, get="nngp"), both.nngp)
    assert np.array_equal(ek.gram(mlp, vectors, get=["nngp"]), both.nngp)
    assert both.ntk.dtype == np.float64 and both.ntk.flags.c_contiguous and both.ntk.flags.writeable
    for get in ["NTK", "", [], ("ntk", "ntk"), ("ntk", 3)]:
        with pytest.raises(ValueError, match="get is"):
            ek.gram(mlp, vectors, get=get)


def test_known_values(vectors):
    """Dense, relu, dense: the arc-cosine kernel of degree 1, and its NTK."""
    net = ek.serial(ek.Vector(5), ek.Dense(), ek.Relu(), ek.Dense())
    inner = vectors @ vectors.T / 5
    length = np.sqrt(np.diag(inner))
    cosine = np.clip(inner / np.outer(length, length), -1, 1)
    angle = np.arccos(cosine)
    nngp = np.outer(length, length) * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    ntk = nngp + inner * (np.pi - angle) / (2 * np.pi)
    for precision, tolerance in [("f64", 1e-12), ("f32", 1e-6), (None, 1e-6)]:
        kernels = ek.gram(net, vectors, get=("nngp", "ntk"), precision=precision)
        assert np.abs(kernels.nngp - nngp).max() < tolerance * nngp.max()
        assert np.abs(kernels.ntk - ntk).max() < tolerance * ntk.max()


def test_backends_agree_and_the_diagonal_is_that_of_the_matrix(c4, images):
    reference = ek.gram(c4, images, backend="reference")
    assert np.abs(ek.gram(c4, images, precision="f64") - reference).max() < 1e-12
    assert np.abs(ek.gram(c4, images, backend="cpu") - reference).max() < 1e-6 * reference.max()
    for kind in ["ntk", "nngp"]:
        assert np.array_equal(ek.diagonal(c4, images, kind), np.diag(ek.gram(c4, images, get=kind)))
    assert ek.diagonal(c4, images[:1]).shape == (1,)
    with pytest.raises(ValueError, match="get is"):
        ek.diagonal(c4, images, ("nngp", "ntk"))


def test_threads_do_not_change_a_bit(c4, images):
    one = ek.gram(c4, images, threads=1)
    assert np.array_equal(one, ek.gram(c4, images, threads=3)) and np.array_equal(one, ek.gram(c4, images))


def layouts(x):
    padded = np.zeros((x.shape[0] * 2, *x.shape[1:-1], x.shape[-1] * 3))
    padded[::2, ..., ::3] = x
    frozen = x.copy()
    frozen.setflags(write=False)
    swapped = x.astype(x.dtype.newbyteorder())
    return {
        "Fortran": np.asfortranarray(x),
        "view": padded[::2, ..., ::3],
        "backwards": x[::-1].copy()[::-1],
        "read-only": frozen,
        "list": x.tolist(),
        "object": x.astype(object),
        "swapped": swapped,
        "longdouble": x.astype(np.longdouble),
    }


@pytest.mark.parametrize("layout", ["Fortran", "view", "backwards", "read-only", "list", "swapped", "longdouble"])
def test_the_order_of_memory_does_not_matter(c4, images, layout):
    assert np.array_equal(ek.gram(c4, layouts(images)[layout]), ek.gram(c4, images))


def test_dtypes(c4, images):
    single = images.astype(np.float32)
    assert np.array_equal(ek.gram(c4, single), ek.gram(c4, single.astype(np.float64)))
    half = images.astype(np.float16)
    assert np.array_equal(ek.gram(c4, half), ek.gram(c4, half.astype(np.float64)))
    bytes_ = (images * 255).astype(np.uint8)
    assert np.array_equal(ek.gram(c4, bytes_), ek.gram(c4, bytes_ / 255.0))
    assert np.array_equal(ek.gram(c4, bytes_.astype(np.int32)), ek.gram(c4, bytes_.astype(np.float64)))
    assert np.array_equal(ek.gram(c4, images > 0.5), ek.gram(c4, (images > 0.5).astype(np.float64)))
    gray = ek.serial(ek.Image(6, 6), ek.Conv(3), ek.Relu(), ek.GlobalAvgPool(), ek.Dense())
    assert np.array_equal(ek.gram(gray, images[..., 0]), ek.gram(gray, images[..., :1]))


class Tensor:
    """A tensor of another library, as DLPack sees it."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnGpu(Tensor):
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **arguments):
        raise BufferError("cannot export from CUDA")


def test_tensors_of_other_libraries(c4, images):
    assert np.array_equal(ek.gram(c4, Tensor(images)), ek.gram(c4, images))
    with pytest.raises(ValueError, match="move it to the CPU"):
        ek.gram(c4, OnGpu(images))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: x[:0], ValueError, "empty"),
        (lambda x: x[..., :0], ValueError, "empty|shape"),
        (lambda x: x[0, 0, 0], ValueError, "x1 has shape"),
        (lambda x: x[None], ValueError, "x1 has shape"),
        (lambda x: x.reshape(7, -1), ValueError, "vectors"),
        (lambda x: x.transpose(0, 3, 1, 2), ValueError, "NCHW"),
        (lambda x: np.where(x > 0.99, np.nan, x), ValueError, "NaN"),
        (lambda x: np.where(x > 0.99, np.inf, x), ValueError, "inf"),
        (lambda x: x * 1e30, ValueError, "rescale"),
        (lambda x: x.astype(object), TypeError, "objects"),
        (lambda x: x + 1j, TypeError, "complex"),
        (lambda x: x.astype(str), TypeError, "strings"),
        (lambda x: [[1.0, 2.0], [3.0]], ValueError, "no array"),
        (lambda x: None, TypeError, "objects"),
        (lambda x: np.ma.masked_less(x, 0.5), ValueError, "masked"),
        (lambda x: np.full(x.shape, 2**60), ValueError, "2\\^53"),
    ],
)
def test_samples_that_do_not_fit_are_refused_in_words(c4, images, change, error, words):
    with pytest.raises(error, match=words):
        ek.gram(c4, change(images))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"backend": "gpu"}, ValueError, "backend is gpu"),
        ({"precision": "f16"}, ValueError, "precision is f16"),
        ({"precision": "f64", "backend": "wgpu"}, ValueError, "GPUs compute in f32"),
        ({"backend": "cpu", "adapter": 0}, ValueError, "adapter"),
        ({"backend": "reference", "precision": "f32"}, ValueError, "reference"),
        ({"quadrature": "fast"}, ValueError, "sphere"),
        ({"quadrature": 0}, ValueError, "quadrature"),
        ({"threads": 0}, ValueError, "threads is 0"),
        ({"threads": 10_000}, ValueError, "threads"),
        ({"threads": "two"}, TypeError, "threads"),
        ({"adapter": "no such card"}, ek.DeviceError, "no such card|adapter"),
        ({"out": "kernels.txt"}, ValueError, "npz"),
        ({"out": "kernels.npy", "get": ("nngp", "ntk")}, ValueError, "npz"),
        ({"out": "no/such/folder/K.npz"}, FileNotFoundError, "folder"),
    ],
)
def test_arguments_that_cannot_be_are_refused_in_words(c4, images, arguments, error, words):
    with pytest.raises(error, match=words):
        ek.gram(c4, images, **arguments)


def test_a_kernel_that_does_not_exist_is_a_value_error():
    net = ek.serial(ek.Vector(2), ek.Dense(), ek.Exp(b=100.0), ek.Dense())
    with pytest.raises(ValueError, match="sample"):
        ek.gram(net, np.eye(2))


def test_what_is_no_network_is_a_type_error(images):
    with pytest.raises(TypeError, match="ek.serial"):
        ek.gram("A.toml", images)


def test_one_sample_and_two_sets(c4, images):
    assert ek.gram(c4, images[:1]).shape == (1, 1)
    cross = ek.gram(c4, images[:2], images)
    assert cross.shape == (2, 7) and np.allclose(cross, ek.gram(c4, images)[:2], rtol=1e-6)
    assert np.array_equal(np.triu(cross), np.triu(ek.gram(c4, images)[:2]))


def test_results_are_stored_whole(c4, images, tmp_path):
    kernels = ek.gram(c4, images, get=("nngp", "ntk"), out=tmp_path / "K.npz")
    with np.load(tmp_path / "K.npz") as stored:
        assert np.array_equal(stored["nngp"], kernels.nngp) and np.array_equal(stored["ntk"], kernels.ntk)
    ek.gram(c4, images, out=tmp_path / "K.npy")
    assert np.array_equal(np.load(tmp_path / "K.npy", mmap_mode="r"), kernels.ntk)
    assert sorted(os.listdir(tmp_path)) == ["K.npy", "K.npz"]


def test_progress_is_reported_and_may_stop_the_work(c4, images):
    heard = []
    ek.gram(c4, images, progress=lambda done, of: heard.append((done, of)))
    assert heard[-1] == (28, 28) and [done for done, _ in heard] == sorted(done for done, _ in heard)

    def stop(done, of):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        slow(progress=stop)


def slow(**arguments):
    """Work of minutes."""
    net = ek.serial(ek.Image(32, 32, 1), *[p for _ in range(5) for p in (ek.Conv(3, padding="same"), ek.Relu())],
                    ek.GlobalAvgPool(), ek.Dense())
    return ek.gram(net, np.random.default_rng(0).random((400, 32, 32, 1)), backend="cpu", **arguments)


def test_a_bar_of_tqdm(c4, images, capfd):
    tqdm = pytest.importorskip("tqdm")
    assert tqdm
    started = time.monotonic()

    def interrupt():
        time.sleep(1.5)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        slow(progress=True)
    assert time.monotonic() - started < 5
    assert "gram" in capfd.readouterr().err


def test_ctrl_c_raises_within_a_second():
    sent = []

    def interrupt():
        time.sleep(0.7)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        slow()
    assert time.monotonic() - sent[0] < 1
    # And the next call is not disturbed.
    assert ek.gram(ek.serial(ek.Vector(1), ek.Dense()), [[1.0]]).shape == (1, 1)


def test_other_threads_run_meanwhile_and_two_may_compute(c4, images):
    due = ek.gram(c4, images)
    results = [None] * 4

    def compute(i):
        results[i] = ek.gram(c4, images)

    threads = [threading.Thread(target=compute, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(result, due) for result in results)

    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    def enough(done, of):
        if len(ticks) > 50:
            raise LookupError

    ticker = threading.Thread(target=tick)
    ticker.start()
    with pytest.raises(LookupError):
        slow(progress=enough)
    stop.set()
    ticker.join()
    assert max(np.diff(ticks)) < 0.5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_after_threads_computes(c4, images):
    due = ek.gram(c4, images)
    code = """if True:
        import os, sys, numpy as np, ekernel as ek
        from ekernel import NTKRegressor
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(700, 3)), rng.normal(size=700)
        model = NTKRegressor(ridge=0.1, threads=2).fit(x, y)
        due = model.predict(x[:5], return_std=True)
        child = os.fork()
        if child == 0:
            again = model.predict(x[:5], return_std=True)
            fresh = NTKRegressor(ridge=0.1, threads=2).fit(x, y).predict(x[:5])
            same = all(np.allclose(a, b, rtol=1e-9) for a, b in zip(due, again)) and np.allclose(fresh, due[0], rtol=1e-9)
            os._exit(0 if same else 1)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    pytest.importorskip("sklearn")
    assert due.shape == (7, 7)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_networks_and_kernels_travel_to_other_processes(c4, images):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(ek.gram, [c4, c4], [images[:3], images[3:]], [images, images]))
    assert np.array_equal(np.concatenate(parts), ek.gram(c4, images, images))
    assert pickle.loads(pickle.dumps(c4)) == copy.deepcopy(c4)


def test_importing_is_quick():
    code = "import time, numpy; begun = time.process_time(); import ekernel; print(time.process_time() - begun)"
    # Processor time: the machine may be busy.
    best = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5))
    assert best < 0.3
    code = "import ekernel, sys; print([m for m in ('sklearn', 'tqdm', 'scipy', 'dask') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_devices_are_a_list_of_facts():
    for device in ek.devices():
        assert {"index", "name", "usable", "reason"} <= set(device)
