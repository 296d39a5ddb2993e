import pytest
from conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")


def test_the_notebook_runs():
    notebook = nbformat.read(ROOT / "examples/python/rotated_digits.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is committed without its outputs"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": ROOT / "examples/python"}}).execute()
    pictures = [o for cell in notebook.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(pictures) == 3
