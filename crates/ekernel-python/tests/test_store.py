import copy
import os
import pathlib
import pickle
import random
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import ekernel as ek


def files(root):
    """Every file of a store, apart from files in the making."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in pathlib.Path(root).rglob("*")
        if path.is_file() and not path.name.startswith(".ekernel-")
    }


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(23, 5))


@pytest.fixture
def stored(mlp, x, tmp_path):
    return ek.gram(mlp, x, backend="cpu", out=tmp_path / "K.zarr", chunk=4)


def test_shards_have_the_bytes_of_one_call_and_of_the_program(mlp, x, tmp_path):
    both = ("nngp", "ntk")
    ek.gram(mlp, x, get=both, backend="cpu", out=tmp_path / "one.zarr", chunk=4)
    order = [3, 1, 4, 2, 1]
    for i in order:
        kernels = ek.gram(mlp, x, get=both, backend="cpu", threads=1, out=tmp_path / "K.zarr", shard=(i, 4), chunk=4)
    assert [kernel.name for kernel in kernels] == list(both)
    assert files(tmp_path / "one.zarr") == files(tmp_path / "K.zarr")
    (tmp_path / "A.toml").write_text(mlp.to_toml())
    np.savez(tmp_path / "d.npz", x=x)
    command = [sys.executable, "-m", "ekernel", "gram", "A.toml", "--x1", "d.npz:x", "--backend", "cpu", "--quiet", "--chunk", "4"]
    subprocess.run([*command, "--out", "P.zarr"], cwd=tmp_path, check=True)
    # The program and the package fill one store.
    subprocess.run([*command, "--out", "K.zarr"], cwd=tmp_path, check=True)
    chunks = {name: bytes_ for name, bytes_ in files(tmp_path / "P.zarr").items() if "/c/" in name}
    assert chunks and all(files(tmp_path / "K.zarr")[name] == bytes_ for name, bytes_ in chunks.items())


@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_zarr_python_reads_what_was_written(mlp, x, tmp_path, precision):
    zarr = pytest.importorskip("zarr")
    due = ek.gram(mlp, x, get=("nngp", "ntk"), backend="cpu", precision=precision)
    ek.gram(mlp, x, get=("nngp", "ntk"), backend="cpu", precision=precision, out=tmp_path / "K.zarr", chunk=10)
    group = zarr.open_group(str(tmp_path / "K.zarr"), mode="r")
    for name in ("nngp", "ntk"):
        array = group[name]
        assert array.shape == (23, 23) and array.chunks == (10, 10) and np.isnan(array.fill_value)
        assert array.dtype == (np.float32 if precision == "f32" else np.float64)
        found = array[:]
        below = np.tril(np.ones((23, 23), bool))
        assert np.array_equal(found[below], getattr(due, name).astype(array.dtype)[below])
        # The chunks above the diagonal are not stored.
        assert np.isnan(found[:10, 10:]).all() and np.isfinite(found[:10, :10]).all()
    assert "conv" not in group.attrs["ekernel"]["notes"]["architecture"]
    cross = ek.gram(mlp, x[:3], x, backend="cpu", precision=precision, out=tmp_path / "T.zarr", chunk=10)
    assert np.array_equal(zarr.open_group(str(tmp_path / "T.zarr"), mode="r")["ntk"][:], cross[:])


def test_chunks_that_share_a_file_are_read_by_zarr_python(tmp_path):
    zarr = pytest.importorskip("zarr")
    net = ek.serial(ek.Vector(1), ek.Dense())
    x, t = np.linspace(-1, 1, 100_001)[:, None], np.array([[0.5], [2.0]])
    kernel = ek.gram(net, x, t, backend="cpu", out=tmp_path / "K.zarr")
    array = zarr.open_group(str(tmp_path / "K.zarr"), mode="r")["ntk"]
    assert array.shards == (4096, 8) and array.chunks == (1024, 2)
    assert np.array_equal(array[:], kernel[:]) and np.array_equal(array[100_000:], kernel[100_000:])


def test_it_is_an_array(mlp, x, stored):
    due = ek.gram(mlp, x, backend="cpu").astype(np.float32).astype(np.float64)
    assert stored.shape == (23, 23) and len(stored) == 23 and stored.ndim == 2 and stored.stored_dtype == np.float32
    for key in [
        np.s_[:], np.s_[3], np.s_[-1], np.s_[3, 5], np.s_[5, 3], np.s_[2:9], np.s_[2:9, 7:3:-2], np.s_[..., 4], np.s_[:, [1, 22, 1]],
        np.s_[[4, 2]], np.s_[9:2], np.s_[np.arange(23) > 20, 0], np.s_[...], np.s_[[]], np.s_[3, ...],
    ]:
        assert np.array_equal(stored[key], due[key]), key
    assert isinstance(stored[3, 5], float) and np.array_equal(np.asarray(stored), due)
    assert np.array_equal(stored[[1, 2], [3, 4]], due[np.ix_([1, 2], [3, 4])])
    assert np.array_equal(stored.diagonal(), np.diag(due)) and stored.T is stored
    for key in [23, -24, np.s_[0, 0, 0], 1.5, "a", np.s_[[0.5]], np.s_[np.ones(3, bool)], None]:
        with pytest.raises((IndexError, TypeError)):
            stored[key]
    for other in (pickle.loads(pickle.dumps(stored)), copy.deepcopy(stored)):
        assert np.array_equal(other[:], due)


def test_it_is_an_operator(mlp, x, stored, tmp_path):
    due = np.asarray(stored)
    v, block = np.random.default_rng(0).normal(size=23), np.random.default_rng(0).normal(size=(23, 3))
    assert np.allclose(stored @ v, due @ v) and np.allclose(stored @ block, due @ block) and np.allclose(stored.rmatvec(v), due @ v)
    cross = ek.gram(mlp, x[:7], x, backend="cpu", out=tmp_path / "T.zarr", chunk=4)
    assert np.allclose(cross @ v, np.asarray(cross) @ v) and np.allclose(cross.rmatmat(block[:7]), np.asarray(cross).T @ block[:7])
    with pytest.raises(ValueError, match="needs 23 rows"):
        stored @ v[:5]
    with pytest.raises(ValueError, match="two sets"):
        cross.T
    linalg = pytest.importorskip("scipy.sparse.linalg")
    operator = linalg.aslinearoperator(stored)
    shifted = operator + 0.1 * linalg.aslinearoperator(np.eye(23))
    weights, failed = linalg.cg(shifted, v, rtol=1e-10)
    assert failed == 0 and np.allclose(weights, np.linalg.solve(due + 0.1 * np.eye(23), v))
    assert np.allclose(linalg.eigsh(operator, k=2, return_eigenvectors=False), np.linalg.eigvalsh(due)[-2:])


def test_it_solves_as_an_array_does(mlp, x, stored):
    y = np.random.default_rng(2).normal(size=(23, 2))
    found = ek.solve(stored, y, ridge=1e-4, rank=10)
    due = np.linalg.solve(np.asarray(stored) + found.ridge * np.eye(23), y)
    test = ek.gram(mlp, x[:5] + 0.1, x, backend="cpu")
    assert found.converged and np.abs(test @ found.weights - test @ due).max() < 1e-8 * np.abs(test @ due).max()


def test_status_names_the_shards_to_run(mlp, x, tmp_path):
    for i in (1, 4):
        kernel = ek.gram(mlp, x, backend="cpu", out=tmp_path / "K.zarr", shard=(i, 5), chunk=4)
    status = kernel.status(5)
    assert (status.blocks, status.damaged, status.shards) == (21, 0, [2, 3, 5]) and 0 < status.missing < 21
    with pytest.raises(FileNotFoundError, match="has not been computed"):
        kernel[:]
    for i in status.shards:
        ek.gram(mlp, x, backend="cpu", out=tmp_path / "K.zarr", shard=(i, 5))
    assert kernel.status(5) == (21, 0, 0, [])
    chunk = tmp_path / "K.zarr" / "ntk" / "c" / "3" / "1"
    whole = chunk.read_bytes()
    for damage, seen in [(whole[:9], 1), (b"", 1), (whole[:8] + b"\0\1" + whole[10:], 0)]:
        chunk.write_bytes(damage)
        assert kernel.status().damaged == seen and kernel.status(verify=True).damaged == 1
        with pytest.raises(OSError, match="run its shard again"):
            kernel[12, 4]
    ek.gram(mlp, x, backend="cpu", out=tmp_path / "K.zarr")
    assert chunk.read_bytes() == whole


def test_what_cannot_be_is_refused_in_words(mlp, x, stored, tmp_path):
    store, before = tmp_path / "K.zarr", files(tmp_path / "K.zarr")
    for change, words in [
        ({"x1": x[1:]}, "first set"),
        ({"x1": x, "x2": x}, "second set"),
        ({"x1": x, "precision": "f64"}, "precision.*float64"),
        ({"x1": x, "backend": "reference"}, "backend"),
        ({"x1": x, "chunk": 5}, "4 × 4, here 5 × 5"),
        ({"x1": x, "network": ek.serial(ek.Vector(5), ek.Dense(), ek.Erf(), ek.Dense())}, "plan of the network"),
    ]:
        arguments = {"network": mlp, "backend": "cpu", **change}
        with pytest.raises(ValueError, match=words):
            ek.gram(arguments.pop("network"), arguments.pop("x1"), arguments.pop("x2", None), out=store, **arguments)
        assert files(store) == before
    for arguments, words in [
        ({"shard": (0, 4)}, "shard is"),
        ({"shard": (5, 4)}, "shard is"),
        ({"shard": 3}, "shard is"),
        ({"shard": ("a", 4)}, "shard is"),
        ({"chunk": 0}, "chunk is 0"),
        ({"shard": (1, 2), "out": tmp_path / "K.npz"}, "only a Zarr store"),
        ({"chunk": 8, "out": None}, "only a Zarr store"),
    ]:
        with pytest.raises(ValueError, match=words):
            ek.gram(mlp, x, **{"out": tmp_path / "new.zarr", **arguments})
    assert not (tmp_path / "new.zarr").exists()
    with pytest.raises(ValueError, match="float32 does not hold"):
        ek.gram(ek.serial(ek.Vector(5), ek.Dense()), x * 1e-18, backend="cpu", out=tmp_path / "faint.zarr")
    with pytest.raises(ValueError, match="has no nngp, only ntk"):
        ek.open(store, "nngp")
    with pytest.raises(FileNotFoundError, match="no zarr.json"):
        ek.open(tmp_path)
    (tmp_path / "thesis.zarr").mkdir()
    (tmp_path / "thesis.zarr" / "chapter.tex").write_text("")
    with pytest.raises(ValueError, match="chapter.tex"):
        ek.gram(mlp, x, out=tmp_path / "thesis.zarr")
    header = store / "zarr.json"
    header.write_text(header.read_text().replace('"format": 2', '"format": 7'))
    with pytest.raises(ValueError, match="another version"):
        ek.open(store)
    with pytest.raises(ValueError, match="another version"):
        ek.gram(mlp, x, out=store)


def test_a_read_only_store_is_read_and_not_written(mlp, x, stored, tmp_path):
    due = np.asarray(stored)
    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    (tmp_path / "K.zarr" / "ntk" / "c" / "5" / "5").unlink()
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert np.array_equal(ek.open(tmp_path / "K.zarr")[:4], due[:4])
        if os.getuid() != 0:
            with pytest.raises(OSError, match="cannot write"):
                ek.gram(mlp, x, backend="cpu", out=tmp_path / "K.zarr")
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_two_threads_fill_one_store_and_progress_may_stop_the_work(mlp, x, stored, tmp_path):
    threads = [
        threading.Thread(target=ek.gram, args=(mlp, x), kwargs={"backend": "cpu", "out": tmp_path / "T.zarr", "shard": (i, 2), "chunk": 4})
        for i in (1, 2, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files(tmp_path / "T.zarr") == files(tmp_path / "K.zarr")

    def stop(done, of):
        raise LookupError("enough")

    with pytest.raises(LookupError):
        ek.gram(mlp, x, backend="cpu", out=tmp_path / "S.zarr", chunk=4, progress=stop)


SHARD = """
import sys, numpy as np, ekernel as ek
net = ek.serial(ek.Image(6, 6, 2), ek.Lift("C4", 3), ek.Relu(), ek.GroupConv(3), ek.Relu(), ek.GroupPool(), ek.Dense())
x = np.random.default_rng(0).random((24, 6, 6, 2))
print("begun", flush=True)
ek.gram(net, x, backend="cpu", threads=1, out=sys.argv[1], shard=(int(sys.argv[2]), 3), chunk=2, progress=False)
"""


def test_shards_killed_at_random_moments_change_no_byte(tmp_path):
    run = [sys.executable, "-c", SHARD]
    for i in (1, 2, 3):
        subprocess.run([*run, tmp_path / "due.zarr", str(i)], check=True, stdout=subprocess.DEVNULL)
    due, before = files(tmp_path / "due.zarr"), {}
    draw = random.Random(0)
    for _ in range(12):
        process = subprocess.Popen([*run, tmp_path / "K.zarr", str(draw.randint(1, 3))], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(draw.random() * 0.05)
        process.kill()
        process.communicate()
        now = files(tmp_path / "K.zarr") if (tmp_path / "K.zarr").exists() else {}
        assert all(due[name] == content for name, content in now.items()) and set(before) <= set(now)
        before = now
    for i in (1, 2, 3):
        subprocess.run([*run, tmp_path / "K.zarr", str(i)], check=True, stdout=subprocess.DEVNULL)
    assert files(tmp_path / "K.zarr") == due
