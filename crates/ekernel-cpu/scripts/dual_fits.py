"""Coefficients of src/chain/arc_cosine.rs and src/duals/: weighted minimax fits (Remez).

With theta = acos(1 - d) on d in [0, 1]:  Q(d) = theta / (pi sqrt d),  R(d) = (sin theta - theta cos theta) / (pi d^(3/2)),
both weighted by sqrt(d), the factor they are multiplied with. A(z) = atan(sqrt z) / sqrt z on z in [0, 1], and
E(r) = (e^r - 1 - r) / r^2 on |r| <= ln(2)/2.
Run: python3 dual_fits.py   (needs mpmath)
"""
from mpmath import mp, mpf, sqrt, asin, atan, exp, log, pi, sin, cos, cospi, matrix, lu_solve, nstr

mp.dps = 60


def q(d):
    if d < mpf(10) ** -30:
        return sqrt(2) / pi * (1 + d / 12)
    return 2 * asin(sqrt(d / 2)) / (pi * sqrt(d))


def r(d):
    if d < mpf(10) ** -15:
        return 2 * sqrt(2) / (3 * pi) * (1 - 3 * d / 20)
    theta = 2 * asin(sqrt(d / 2))
    return (sin(theta) - theta * cos(theta)) / (pi * d * sqrt(d))


def a(z):
    if z < mpf(10) ** -30:
        return 1 - z / 3
    return atan(sqrt(z)) / sqrt(z)


def e(x):
    if abs(x) < mpf(10) ** -12:
        return mpf(1) / 2 + x / 6
    return (exp(x) - 1 - x) / x**2


def horner(coefficients, x):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def remez(f, degree, weight, low, high, rounds=12, grid=60):
    place = lambda x: low + (high - low) * (1 - cospi(x)) / 2
    nodes = [place(mpf(2 * i + 1) / (2 * (degree + 2))) for i in range(degree + 2)]
    for _ in range(rounds):
        a = matrix(degree + 2, degree + 2)
        b = matrix(degree + 2, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                a[i, j] = x**j
            a[i, degree + 1] = (-1) ** i / weight(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        coefficients = [solution[j] for j in range(degree + 1)]
        error = lambda x: (horner(coefficients, x) - f(x)) * weight(x)
        # One extremum between neighbouring sign changes of the error, on a grid fine enough near both ends.
        count = grid * (degree + 2)
        xs = [place(mpf(i) / count) for i in range(count + 1)]
        es = [error(x) for x in xs]
        runs, start = [], 0
        for i in range(1, count + 1):
            if es[i] * es[i - 1] < 0:
                runs.append((start, i))
                start = i
        runs.append((start, count + 1))
        best = [max(range(a_, b_), key=lambda i: abs(es[i])) for a_, b_ in runs]
        if len(best) < degree + 2:
            break
        while len(best) > degree + 2:
            best.pop(0 if abs(es[best[0]]) < abs(es[best[-1]]) else -1)
        nodes = [xs[i] for i in best]
    return coefficients, max(abs(e) for e in es)


half = log(2) / 2
for name, f, degrees, weight, low, high in (
    ("Q", q, (6, 16), sqrt, mpf(0), mpf(1)),
    ("R", r, (5, 15), sqrt, mpf(0), mpf(1)),
    ("A", a, (8, 19), lambda z: mpf(1), mpf(0), mpf(1)),
    ("E", e, (4, 9), lambda x: mpf(1), -half, half),
):
    for degree in degrees:
        coefficients, bound = remez(f, degree, weight, low, high)
        print(f"{name} degree {degree}: weighted error {nstr(bound, 3)}")
        print(", ".join(nstr(c, 18) for c in coefficients))
