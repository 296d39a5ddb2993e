#!/usr/bin/env python3
"""Writes diabetes.csv from the wheel of scikit-learn. Needs pip; checks the sums of what it reads."""
import gzip, hashlib, io, pathlib, subprocess, sys, tempfile, zipfile

RELEASE = "scikit-learn==1.5.2"
FILES = {
    "sklearn/datasets/data/diabetes_data_raw.csv.gz":
        "a3e94cc7cea00f8a84fa5f6345203913a68efa42df18f87ddf9bead721bfd503",
    "sklearn/datasets/data/diabetes_target.csv.gz":
        "8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
}
COLUMNS = "age,sex,bmi,bp,tc,ldl,hdl,tch,ltg,glu,progression"

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-q",
                    "-d", folder, RELEASE], check=True)
    wheel = zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))
    texts = []
    for name, expected in FILES.items():
        data = wheel.read(name)
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            sys.exit(f"{name} has the sum {found}, not {expected}")
        texts.append(gzip.decompress(data).decode())

rows = [line.split() for line in texts[0].splitlines()]
target = [float(line) for line in texts[1].splitlines()]
assert len(rows) == len(target) == 442 and all(len(row) == 10 for row in rows)
out = io.StringIO()
out.write(COLUMNS + "\n")
for row, value in zip(rows, target):
    out.write(",".join(row + [f"{value:g}"]) + "\n")
pathlib.Path(__file__).with_name("diabetes.csv").write_text(out.getvalue())
