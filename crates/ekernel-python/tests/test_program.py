import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT

import ekernel as ek

MODULE = [sys.executable, "-m", "ekernel"]
ARCHITECTURE = ROOT / "examples/architectures/mnist_c4.toml"


def entry_point():
    found = shutil.which("ekernel", path=os.path.dirname(sys.executable))
    assert found, "the wheel installs the command beside its interpreter"
    return [found]


@pytest.mark.parametrize("command", [MODULE, entry_point()], ids=["module", "command"])
def test_both_run_the_program(command):
    version = subprocess.check_output([*command, "--version"], text=True)
    assert version.split() == ["ekernel", ek.__version__] and ek.__version__ == importlib.metadata.version("ekernel")
    plan = subprocess.check_output([*command, "plan", ARCHITECTURE], text=True)
    assert plan.startswith(str(ek.Network.load(ARCHITECTURE).plan()))
    wrong = subprocess.run([*command, "plan", "nowhere.toml"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "nowhere.toml" in wrong.stderr


@pytest.mark.skipif(os.name == "nt", reason="there are no Unix signals")
def test_ctrl_c_stops_it_as_it_stops_the_program(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((400, 32, 32, 1)))
    layers = [part for _ in range(5) for part in (ek.Conv(3, padding="same"), ek.Relu())]
    net = ek.serial(ek.Image(32, 32, 1), *layers, ek.GlobalAvgPool(), ek.Dense())
    (tmp_path / "A.toml").write_text(net.to_toml())
    command = [*MODULE, "gram", "--arch", "A.toml", "--x1", "d.npz:x", "--out", "K.npz", "--backend", "cpu"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=20)
    assert process.returncode == 130 and "cancelled" in words and "Traceback" not in words
