"""Coefficients of src/relu_chain/arc_cosine.rs: weighted minimax fits (Remez) on d in [0, 1].

With theta = acos(1 - d):  Q(d) = theta / (pi sqrt d),  R(d) = (sin theta - theta cos theta) / (pi d^(3/2)).
Both are analytic up to d = 2. The error is weighted by sqrt(d), the factor both are multiplied with.
Run: python3 arc_cosine_fit.py   (needs mpmath)
"""
from mpmath import mp, mpf, sqrt, asin, pi, sin, cos, cospi, matrix, lu_solve, nstr, taylor

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


def horner(coefficients, x):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def remez(f, degree, rounds=12, grid=60):
    nodes = [(1 - cospi(mpf(2 * i + 1) / (2 * (degree + 2)))) / 2 for i in range(degree + 2)]
    for _ in range(rounds):
        a = matrix(degree + 2, degree + 2)
        b = matrix(degree + 2, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                a[i, j] = x**j
            a[i, degree + 1] = (-1) ** i / sqrt(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        coefficients = [solution[j] for j in range(degree + 1)]
        error = lambda x: (horner(coefficients, x) - f(x)) * sqrt(x)
        # One extremum between neighbouring sign changes of the error, on a grid fine enough near both ends.
        count = grid * (degree + 2)
        xs = [(1 - cospi(mpf(i) / count)) / 2 for i in range(count + 1)]
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


for name, f, degrees in (("Q", q, (6, 16)), ("R", r, (5, 15))):
    for degree in degrees:
        coefficients, bound = remez(f, degree)
        print(f"{name} degree {degree}: weighted error {nstr(bound, 3)}")
        print(", ".join(nstr(c, 18) for c in coefficients))
