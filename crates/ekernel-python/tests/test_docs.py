"""The examples of docstrings, of docs/python.md and of the README."""

import doctest
import importlib
import re

import pytest
from conftest import ROOT

MODULES = ["ekernel", "ekernel._solve", "ekernel._kernels", "ekernel._layers", "ekernel._sklearn_kernel"]


@pytest.mark.parametrize("module", MODULES)
def test_docstrings(module):
    pytest.importorskip("sklearn")
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0 and results.failed == 0


def blocks(file):
    text = (ROOT / file).read_text()
    section = text[text.index("ek.serial") - 400 :] if file == "README.md" else text
    return [block for block in re.findall(r"```python\n(.*?)```", section, re.S) if "ekernel as ek" in block and not block.startswith("import os")]


@pytest.mark.parametrize("file", ["README.md", "docs/python.md"])
def test_the_first_example_runs(file, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(ROOT)
    found = blocks(file)
    assert len(found) == 1
    exec(compile(found[0], file, "exec"), {})


@pytest.mark.parametrize("shards", [3])
def test_the_bands_of_a_job_array_are_the_matrix(shards, tmp_path, monkeypatch, images, c4):
    """The script of docs/python.md, with the environment that Slurm gives its tasks."""
    import numpy as np

    import ekernel as ek

    script = re.search(r"```python\n(import os\n.*?)```", (ROOT / "docs/python.md").read_text(), re.S).group(1)
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", x=images)
    (tmp_path / "A.toml").write_text(c4.to_toml())
    for task in range(shards):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(task))
        monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", str(shards))
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
        exec(compile(script, "band.py", "exec"), {})
    bands = np.concatenate([np.load(f"band-{task}.npy", mmap_mode="r") for task in range(shards)])
    assert np.array_equal(bands, ek.gram(c4, images, images))
