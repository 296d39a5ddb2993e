import copy
import pickle

import numpy as np
import pytest
from conftest import ROOT

import ekernel as ek

# Networks with max_pool are of finite width alone: they have no plan.
FILES = sorted((ROOT / "examples/architectures").glob("*.toml"))
ARCHITECTURES = [path for path in FILES if 'op = "max_pool"' not in path.read_text()]


@pytest.mark.parametrize("path", ARCHITECTURES, ids=lambda path: path.stem)
def test_a_network_goes_through_its_text_pickle_and_copies(path):
    net = ek.Network.load(path)
    assert net == ek.Network.from_toml(path.read_text()) == ek.Network(net.to_toml())
    for twin in [pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)]:
        assert twin == net and hash(twin) == hash(net)
    assert str(net.plan()).startswith("input") and repr(net.plan()) in str(net.plan())
    assert net._repr_html_().startswith("<table>") and net.plan()._repr_html_().startswith("<pre>")
    assert repr(net).startswith("Network(")


def test_the_builder_writes_what_the_file_says():
    built = ek.serial(
        ek.Image(28, 28, 1),
        *[part for _ in range(2) for part in (ek.Conv((3, 3)), ek.Relu())],
        ek.GlobalAvgPool(),
        ek.Dense(),
    )
    text = '[input]\nspace = "image"\nshape = [28, 28, 1]\n'
    for op in ["conv", "relu"] * 2:
        text += f'[[layers]]\nop = "{op}"\n' + ("filter = [3, 3]\n" if op == "conv" else "")
    text += '[[layers]]\nop = "global_avg_pool"\n[[layers]]\nop = "dense"\n'
    assert built == ek.Network(text)


def test_every_layer_of_files_has_its_class():
    """A layer that is added to the engine and forgotten here turns this red: the error names all ops."""
    with pytest.raises(ValueError) as refused:
        ek.Network('[input]\nspace = "vector"\nshape = [2]\n[[layers]]\nop = "xyzzy"\n')
    known = str(refused.value)
    classes = {value.op for value in vars(ek).values() if isinstance(value, type) and hasattr(value, "op")}
    listed = {word.strip(" ,;.\"'") for word in known[known.index("dense") :].replace(",", " ").split()}
    assert listed - {"sum"} <= classes and classes <= listed, listed ^ classes


def test_every_key_reaches_the_file():
    weights = dict(w_std=1.5, b_std=0.25, parameterization="standard", width=64, width_scale=2.0)
    net = ek.serial(
        ek.Image(9, 8, 3),
        ek.Conv((3, 2), strides=(1, 1), padding="same", name="first", **weights),
        ek.LeakyRelu(alpha=0.2),
        ek.AvgPool(2, strides=(1, 2), padding="valid"),
        ek.Flatten(),
        ek.Dense(**weights),
        ek.Erf(a=2.0, b=0.5, c=0.1),
        ek.Dense(**weights),
        ek.Dropout(0.9),
        ek.Dense(),
    )
    text = net.to_toml()
    for key in ["filter = [3, 2]", 'padding = "same"', 'name = "first"', "w_std = 1.5", "b_std = 0.25", "width = 64",
                "width_scale = 2", "alpha = 0.2", "strides = [1, 2]", "keep_rate = 0.9", "b = 0.5"]:
        assert key in text, (key, text)


def test_branches_are_those_of_the_example():
    block = ek.branch(ek.serial(ek.Relu(), ek.Conv(3, padding="same")), ek.Identity())
    net = ek.serial(ek.Image(6, 6, 1), ek.Conv(3, padding="same"), block, ek.add(), ek.Relu(), ek.GlobalAvgPool(), ek.Dense())
    other = ek.serial(
        ek.Image(6, 6, 1), ek.Conv(3, padding="same"), ek.add(*block.paths), ek.Relu(), ek.GlobalAvgPool(), ek.Dense()
    )
    assert net == other
    by_hand = ek.Network(
        '[input]\nspace = "image"\nshape = [6, 6, 1]\n'
        '[[layers]]\nop = "conv"\nfilter = [3, 3]\npadding = "same"\nname = "a"\n'
        '[[layers]]\nop = "relu"\n'
        '[[layers]]\nop = "conv"\nfilter = [3, 3]\npadding = "same"\nname = "b"\n'
        '[[layers]]\nop = "sum"\ninputs = ["a", "b"]\n'
        '[[layers]]\nop = "relu"\n[[layers]]\nop = "global_avg_pool"\n[[layers]]\nop = "dense"\n'
    )
    x = np.random.default_rng(0).random((3, 6, 6, 1))
    assert np.array_equal(ek.gram(net, x), ek.gram(by_hand, x))


def test_paths_may_be_the_way_straight_ahead_or_start_at_the_input():
    net = ek.serial(
        ek.Vector(4),
        ek.branch(ek.serial(ek.Dense(), ek.Relu(), ek.Dense()), ek.Dense(b_std=0.5)),
        ek.add(),
        ek.branch(ek.serial(), ek.serial(ek.Relu(), ek.Dense())),
        ek.add(),
    )
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert ek.gram(net, x).shape == (3, 3)
    nested = ek.add(ek.Dense(), ek.serial(ek.Dense(), ek.Relu(), ek.add(ek.Dense(), ek.Dense(b_std=1.0))))
    assert ek.gram(ek.serial(ek.Vector(4), nested), x).shape == (3, 3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ek.branch(ek.Dense()), "at least two"),
        (lambda: ek.serial(ek.Vector(2), ek.Dense(), ek.add()), "follows no branch"),
        (lambda: ek.serial(ek.Vector(2), ek.branch(ek.Dense(), ek.Dense())), "ends with 2 paths"),
        (lambda: ek.serial(ek.Vector(2), ek.branch(ek.Dense(), ek.Dense()), ek.Relu()), "put ek.add"),
        (lambda: ek.serial(ek.Vector(2), ek.branch(ek.Dense(), ek.branch(ek.Dense(), ek.Dense()))), "of its own"),
        (lambda: ek.serial(ek.Vector(2)), "layer"),
        (lambda: ek.serial(ek.Vector(2), ek.Relu(), ek.Relu()), "Gaussian"),
        (lambda: ek.serial(ek.Image(4, 4), ek.Conv(5), ek.Dense()), "5"),
        (lambda: ek.serial(ek.Image(4, 4), ek.Lift("C5", 3)), "C4"),
        (lambda: ek.serial(ek.Vector(2), ek.Dense(w_std=float("nan"))), "w_std"),
        (lambda: ek.serial(ek.Vector(2), ek.Dense(name='a"\n\x00b'), ek.Relu(), ek.Dense(w_std=-1)), "w_std"),
        (lambda: ek.Network("["), "TOML"),
    ],
)
def test_what_is_no_network_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("part", [ek.Dense, 3, "dense", None, ek.Vector(2)])
def test_what_is_no_layer_is_refused_by_its_type(part):
    with pytest.raises(TypeError):
        ek.serial(ek.Vector(2), ek.Dense(), part)


def test_a_file_that_is_not_there_or_no_network_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.toml"):
        ek.Network.load(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="bad.toml"):
        ek.Network.load(tmp_path / "bad.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ValueError, match="empty.toml.*input"):
        ek.Network.load(tmp_path / "empty.toml")
