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
    return [block for block in re.findall(r"```python\n(.*?)```", section, re.S) if "ekernel as ek" in block]


@pytest.mark.parametrize("file", ["README.md", "docs/python.md"])
def test_the_first_example_runs(file, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(ROOT)
    found = blocks(file)
    assert len(found) == 1
    exec(compile(found[0], file, "exec"), {})


def test_the_example_of_shards_runs(tmp_path, monkeypatch, images, c4):
    import numpy as np

    import ekernel as ek

    block = re.search(r"```python\n(kernel = ek.gram[^`]*shard=.*?)```", (ROOT / "docs/python.md").read_text(), re.S).group(1)
    monkeypatch.chdir(tmp_path)
    names = {"ek": ek, "net": c4, "x": images}
    exec(compile(block, "docs/python.md", "exec"), names)
    for i in names["kernel"].status(16).shards:
        ek.gram(c4, images, backend="cpu", out="K.zarr", shard=(i, 16))
    due = ek.gram(c4, images, backend="cpu").astype(np.float32)
    assert np.array_equal(names["kernel"][:], due)
