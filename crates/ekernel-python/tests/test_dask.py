import os
import signal
import time

import numpy as np
import pytest

pytest.importorskip("distributed")
import dask
from dask.distributed import Client, LocalCluster

import ekernel as ek
import ekernel.dask


def pieces(net, x1, x2, size, **arguments):
    """What the blocks are, one by one."""
    starts = [range(0, len(x), size) for x in (x1, x2)]
    return np.block([[ek.gram(net, x1[i : i + size], x2[j : j + size], **arguments) for j in starts[1]] for i in starts[0]])


def test_blocks_are_those_of_gram(c4, images):
    with dask.config.set(scheduler="threads"):
        cross = ekernel.dask.gram(c4, images, images[:5], chunks=3, get="nngp")
        assert cross.chunks == ((3, 3, 1), (3, 2))
        assert np.array_equal(cross.compute(), pieces(c4, images, images[:5], 3, get="nngp"))
        within = ekernel.dask.gram(c4, images, chunks=3).compute()
    assert np.array_equal(within, within.T)
    assert np.allclose(within, ek.gram(c4, images), rtol=1e-5)
    below = pieces(c4, images, images, 3)
    assert np.array_equal(within[3:, :3], below[3:, :3])
    assert np.array_equal(within[:3, :3], ek.gram(c4, images[:3]))


def test_molecules():
    net = ek.serial(ek.Molecule(3, [1, 8], "shared"), ek.S2Conv(), ek.Relu(), ek.So3Pool(), ek.AtomSum(), ek.Dense())
    chains = [([8, 1], [[0.0, 0.0, 0.0], [0.0, 0.0, r]]) for r in np.linspace(0.8, 1.6, 4)]
    lazy = ekernel.dask.gram(net, chains, chunks=3, quadrature="fast")
    assert np.allclose(lazy.compute(scheduler="synchronous"), ek.gram(net, chains, quadrature="fast"), rtol=1e-5)


def test_a_cluster_of_processes_that_loses_a_worker(images, tmp_path):
    layers = [part for _ in range(3) for part in (ek.Conv(3, padding="same"), ek.Relu())]
    net = ek.serial(ek.Image(16, 16), *layers, ek.GlobalAvgPool(), ek.Dense())
    x = np.random.default_rng(0).random((160, 16, 16, 1))
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        future = client.compute(ekernel.dask.gram(net, x, chunks=16, threads=1))
        time.sleep(0.5)
        victim = next(iter(cluster.workers.values()))
        os.kill(victim.pid if hasattr(victim, "pid") else victim.process.pid, signal.SIGKILL)
        survived = future.result(timeout=120)
        stored = ekernel.dask.gram(net, x[:20], chunks=8, threads=1)
        stored.to_zarr(str(tmp_path / "K.zarr"))
    import zarr

    assert np.array_equal(zarr.open(str(tmp_path / "K.zarr"), mode="r")[:], stored.compute(scheduler="synchronous"))
    assert np.array_equal(survived, ekernel.dask.gram(net, x, chunks=16, threads=1).compute(scheduler="synchronous"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"chunks": 0}, "chunks"), ({"chunks": 2.5}, "chunks"), ({"get": "both"}, "get is"), ({"x2": []}, "x2 is empty")],
)
def test_arguments_that_cannot_be_are_refused_in_words(c4, images, arguments, words):
    with pytest.raises(ValueError, match=words):
        ekernel.dask.gram(c4, images, **arguments)


def test_a_bad_sample_is_raised_by_its_block(c4, images):
    images[5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ekernel.dask.gram(c4, images, chunks=3).compute(scheduler="synchronous")
