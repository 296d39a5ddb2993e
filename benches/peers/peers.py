"""ekernel against neural-tangents, both on the same processor, alternately in one run.

Networks at 32x32x3, NNGP and NTK together, float32: table 1 of "Equivariant Neural Tangent Kernels", Myrtle-5 (local pools) and a
wide residual network of 16 convolutions with layer norms. The figure is CPU-seconds (user and system, all threads) per kernel
entry, self variances included. neural-tangents: compiled, compilation not counted, on the square batch with the least CPU time per
pair. ekernel: the whole program, from start to written file. neural-tangents has no C4 layers; the C4 network needs at least four
evaluations of the CNN there, and is compared with exactly four.
"""

import argparse
import os
import pathlib
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.filterwarnings("ignore", category=UserWarning)

import jax
import neural_tangents
import numpy as np
from neural_tangents import stax

ARCHITECTURES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "architectures"
# What is compared, per network: its architecture file, that of `same` written for the other padding where there is none.
FILES = {
    "cnn": {"valid": "table1_cnn.toml", "same": "table1_cnn_same.toml"},
    "c4": {"valid": "table1_c4.toml", "same": "table1_c4_same.toml"},
    "myrtle5": {"valid": "myrtle5.toml", "same": "myrtle5.toml"},
    # A sum needs images of one size.
    "wrn16": {"same": "wrn16.toml"},
}
TURNS = 4
KEEPING = dict(W_std=2**0.5)


def cnn(padding):
    """Five 3x3 convolutions with ReLU, global mean, dense, ReLU, dense."""
    convolutions = [stax.Conv(1, (3, 3), padding=padding), stax.Relu()] * 5
    return [*convolutions, stax.GlobalAvgPool(), stax.Dense(1), stax.Relu(), stax.Dense(1)]


def myrtle5(padding):
    """Two, one and one 3x3 convolutions with ReLU, 2x2 means between them, global mean, dense."""
    convolution = [stax.Conv(1, (3, 3), padding=padding, **KEEPING), stax.Relu()]
    pool = [stax.AvgPool((2, 2), (2, 2))]
    return [*convolution * 2, *pool, *convolution, *pool, *convolution, stax.GlobalAvgPool(), stax.Dense(1, **KEEPING)]


def wrn16(padding):
    """A 3x3 convolution, three groups of two residual blocks of two, ReLU, global mean, dense."""

    def convolution(stride):
        return stax.Conv(1, (3, 3), (stride, stride), padding=padding, **KEEPING)

    def block(stride, shortcut):
        norm = [stax.LayerNorm(axis=-1), stax.Relu()]
        main = stax.serial(*norm, convolution(stride), *norm, convolution(1))
        return stax.serial(stax.FanOut(2), stax.parallel(main, shortcut), stax.FanInSum())

    groups = [layer for stride in (1, 2, 2) for layer in (block(stride, convolution(stride)), block(1, stax.Identity()))]
    return [convolution(1), *groups, stax.Relu(), stax.GlobalAvgPool(), stax.Dense(1, **KEEPING)]


LAYERS = {"cnn": cnn, "myrtle5": myrtle5, "wrn16": wrn16}


def peer_network(network, padding):
    kernel_fn = stax.serial(*LAYERS[network](padding.upper()))[2]
    return jax.jit(lambda a, b: tuple(kernel_fn(a, b, ("nngp", "ntk"))))


def architecture(network, padding, folder):
    """The file of the network, written for this padding if it is of the other."""
    path = ARCHITECTURES / FILES[network][padding]
    if network != "myrtle5" or padding == "same":
        return path
    written = pathlib.Path(folder) / f"{network}_{padding}.toml"
    written.write_text(path.read_text().replace('padding = "same"', f'padding = "{padding}"'))
    return written


class Peer:
    """neural-tangents on one network at its best batch."""

    def __init__(self, network, padding, batches, seconds):
        self.kernel = peer_network(network, padding)
        self.seconds = seconds
        self.sweep = {}
        for batch in batches:
            self.sweep[batch] = self.measure(batch, 0.0)
            print(f"  neural-tangents, batch {batch}: {self.sweep[batch]:.3f} CPU-s a pair", file=sys.stderr)
        self.batch = min(self.sweep, key=self.sweep.get)

    def measure(self, batch=None, seconds=None):
        """CPU-seconds per pair; at least `seconds` of them are spent."""
        batch = batch or self.batch
        a, b = images(batch, 1), images(batch, 2)
        jax.block_until_ready(self.kernel(a, b))
        spent, calls = 0.0, 0
        while calls == 0 or spent < (self.seconds if seconds is None else seconds):
            start = time.process_time()
            jax.block_until_ready(self.kernel(a, b))
            spent += time.process_time() - start
            calls += 1
        return spent / (calls * batch * batch)

    def values(self, a, b):
        return [np.asarray(array) for array in self.kernel(a, b)]


def images(count, seed):
    return np.random.default_rng(seed).random((count, 32, 32, 3), dtype=np.float32)


class Ekernel:
    """The program on one architecture file, with the options of one mode."""

    def __init__(self, program, architecture, options, folder, count):
        self.program, self.architecture, self.options = program, architecture, options
        self.folder, self.count = pathlib.Path(folder), count

    def gram(self, a, b):
        """The arrays of the program's output, and the CPU-seconds that it took."""
        np.savez(self.folder / "x.npz", a=a, b=b)
        out = self.folder / "k.npz"
        out.unlink(missing_ok=True)
        command = [self.program, "gram", "--arch", self.architecture, "--x1", f"{self.folder}/x.npz:a"]
        command += ["--x2", f"{self.folder}/x.npz:b", "--kind", "nngp,ntk", "--backend", "cpu", "--out", out, "--quiet"]
        command += [*self.options, "--threads", "1"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with np.load(out) as arrays:
            found = [arrays["nngp"], arrays["ntk"]]
        return found, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def measure(self):
        _, seconds = self.gram(images(self.count, 1), images(self.count, 2))
        return seconds / self.count**2


def difference(peer, ours):
    """Largest difference of the two programs on four pairs, relative to the largest entry."""
    a, b = images(2, 3), images(2, 4)
    theirs, (mine, _) = peer.values(a, b), ours.gram(a, b)
    return max(float(np.abs(t - m).max() / np.abs(t).max()) for t, m in zip(theirs, mine))


def figure(values):
    """Median, with the range."""
    return f"{statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(rows, args, batches):
    header = ["network", "padding", "neural-tangents, CPU-s a pair", "ekernel mode", "ekernel, CPU-s a pair", "ratio", "difference"]
    lines = [
        f"Processor: {processor()}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} logical CPUs. "
        f"neural-tangents {neural_tangents.__version__}, jax {jax.__version__}, Python {platform.python_version()}; "
        f"median (and range) of {args.rounds} alternating rounds; batch "
        + ", ".join(f"{batch}×{batch} ({network}, {padding})" for (network, padding), batch in batches.items())
        + ". Command: `benches/peers/run.sh " + shlex.join(sys.argv[1:]) + "`",
        "",
        "| " + " | ".join(header) + " |",
        "| " + " | ".join("---" for _ in header) + " |",
    ]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="write the table to this file instead of stdout")
    parser.add_argument("--network", choices=list(LAYERS), action="append", help="only this one (repeatable)")
    parser.add_argument("--padding", choices=["valid", "same"], action="append", help="only this one (repeatable)")
    parser.add_argument("--batches", default="1,2,4,6,8", help="batch sizes to try for neural-tangents (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU-seconds of neural-tangents a round (default %(default)s)")
    parser.add_argument("--images", type=int, default=64, help="ekernel computes this many squared pairs a round (default %(default)s)")
    parser.add_argument(
        "--mode", action="append", metavar="LABEL=OPTIONS",
        help="an ekernel mode and its options (repeatable; default 'f32=--precision f32')",
    )  # fmt: skip
    parser.add_argument("--program", default=os.environ.get("EKERNEL_BIN", "ekernel"), help="the ekernel program")
    parser.add_argument("--peer-only", action="store_true", help="measure neural-tangents alone")
    parser.add_argument("--all-cpus", action="store_true", help="let neural-tangents use every CPU (default: both sides use one)")
    args = parser.parse_args()
    if not args.all_cpus:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    modes = [mode.partition("=")[::2] for mode in args.mode or ["f32=--precision f32"]]
    if args.peer_only:
        modes = []

    rows, chosen = [], {}
    with tempfile.TemporaryDirectory() as folder:
        networks, paddings = args.network or list(LAYERS), args.padding or ["valid", "same"]
        for network, padding in [(n, p) for n in networks for p in paddings if p in FILES[n]]:
            print(f"{network}, {padding}", file=sys.stderr)
            peer = Peer(network, padding, [int(batch) for batch in args.batches.split(",")], args.seconds)
            chosen[network, padding] = peer.batch
            ours = {}
            for label, options in modes:
                options = shlex.split(options)
                path = architecture(network, padding, folder)
                ours[network, label] = Ekernel(args.program, path, options, folder, args.images)
                if network == "cnn":
                    count = max(1, args.images // 2)
                    path = architecture("c4", padding, folder)
                    ours["c4", label] = Ekernel(args.program, path, options, folder, count)
            theirs, times = [], {key: [] for key in ours}
            for _ in range(args.rounds):
                theirs.append(peer.measure())
                for key, program in ours.items():
                    times[key].append(program.measure())
            if not ours:
                rows.append([network, padding, figure(theirs), "", "", "", ""])
            for (name, label), values in times.items():
                cost = [value * (TURNS if name == "c4" else 1) for value in theirs]
                ratio = statistics.median(cost) / statistics.median(values)
                error = f"{difference(peer, ours[name, label]):.0e}" if name == network else ""
                name = "c4 (four cnn)" if name == "c4" else name
                rows.append([name, padding, figure(cost), label, figure(values), f"{ratio:.0f}", error])
    text = table(rows, args, chosen)
    if args.out:
        args.out.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
