import numpy as np
import pytest
from conftest import ROOT

import ekernel as ek

WATER = ([8, 1, 1], [[0.0, 0.0, 0.119], [0.0, 0.763, -0.477], [0.0, -0.763, -0.477]])
HYDROXYL = ([8, 1], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.97]])


@pytest.fixture
def net():
    return ek.serial(
        ek.Molecule(3, [1, 8], powers=[2, 6], atoms="elements"),
        ek.S2Conv(), ek.Relu(), ek.So3Conv(), ek.Relu(), ek.So3Pool(), ek.AtomSum(), ek.Dense(),
    )


class Atoms:
    """What ekernel uses of ase.Atoms."""

    def __init__(self, numbers, positions):
        self.numbers, self.positions = np.array(numbers), np.array(positions)

    def get_atomic_numbers(self):
        return self.numbers

    def get_positions(self):
        return self.positions


def test_molecules_in_all_forms_have_the_same_kernels(net, tmp_path):
    due = ek.gram(net, [WATER, HYDROXYL], quadrature="fast")
    assert due.shape == (2, 2) and due[0, 1] == due[1, 0] > 0
    padded = {
        "charges": np.array([[8, 1, 1], [8, 1, 0]]),
        "positions": np.array([WATER[1], HYDROXYL[1] + [[0.0, 0.0, 0.0]]]),
    }
    files = []
    for name, (charges, positions) in [("a", WATER), ("b", HYDROXYL)]:
        lines = [str(len(charges)), name]
        lines += [f"{'O' if z == 8 else 'H'} {x!r} {y!r} {w!r}" for z, (x, y, w) in zip(charges, positions)]
        files.append(tmp_path / f"{name}.xyz")
        files[-1].write_text("\n".join(lines) + "\n")
    both = tmp_path / "both.xyz"
    both.write_text(files[0].read_text() + files[1].read_text())
    for form in [padded, both, str(both), tmp_path, [Atoms(*WATER), Atoms(*HYDROXYL)], [Atoms(*WATER), HYDROXYL]]:
        if form is tmp_path:
            both.unlink()
        assert np.array_equal(ek.gram(net, form, quadrature="fast"), due)
    assert np.array_equal(ek.gram(net, Atoms(*WATER), quadrature="fast"), due[:1, :1])
    assert np.allclose(ek.diagonal(net, [WATER, HYDROXYL], quadrature="fast"), np.diag(due))


def test_ase_atoms_themselves(net):
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("OHH", positions=WATER[1])
    assert np.array_equal(ek.gram(net, [atoms], quadrature="fast"), ek.gram(net, [WATER], quadrature="fast"))


def test_a_file_with_its_property():
    read, energies = ek.read_molecules(f"{ROOT}/data/qm9_1k.npz:0..3,U0")
    assert len(read) == len(energies) == 3 and read[0][1].shape == (len(read[0][0]), 3)
    assert ek.molecules(f"{ROOT}/data/qm9_1k.npz:0..3")[0][0] == read[0][0]


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (3, TypeError, "list of molecules"),
        ([3], TypeError, "molecule 0"),
        ([WATER, ([8, 1], [[0, 0, 0]])], ValueError, "molecule 1"),
        ([([8, 1.5], HYDROXYL[1])], ValueError, "whole numbers"),
        ([([8, 200], HYDROXYL[1])], ValueError, "1 to 118"),
        ([([8, 6], HYDROXYL[1])], ValueError, "element"),
        ([([8, 1], [[0, 0, 0], [0, 0, np.nan]])], ValueError, "NaN"),
        ([([8, 1], [[0, 0, 0], [0, 0, 0]])], ValueError, "apart"),
        ([([8], [[0, 0, 0]])], ValueError, "at least 2"),
        ([], ValueError, "empty"),
        ({"charges": [[8, 1]]}, ValueError, "positions"),
        ({"charges": [[8, 1]], "positions": [[0, 0, 0]]}, ValueError, "shape"),
        ("nowhere.xyz", OSError, "nowhere.xyz"),
    ],
)
def test_what_is_no_molecule_is_refused_in_words(net, x, error, words):
    with pytest.raises(error, match=words):
        ek.gram(net, x)


def test_signals_on_the_sphere():
    net = ek.serial(ek.Sphere(3, 2), ek.S2Conv(), ek.Relu(), ek.So3Conv(), ek.Relu(), ek.So3Pool(), ek.Dense())
    signals = np.random.default_rng(0).normal(size=(3, 6, 5, 2))
    kernels = ek.gram(net, signals, quadrature=12, precision="f64")
    assert np.abs(kernels - ek.gram(net, signals, quadrature=12, backend="reference")).max() < 1e-10
    with pytest.raises(ValueError, match="bandlimit"):
        ek.gram(net, np.zeros((1, 8, 7, 2)))
