#!/usr/bin/env python3
"""Draws euler_angles.svg and index_order.svg of ../harmonics.md. Run: python3 docs/images/draw_conventions.py"""

import math
import pathlib

HERE = pathlib.Path(__file__).parent
ALPHA, BETA, GAMMA = (math.radians(a) for a in (50, 40, 35))
COLORS = {"x": "#c0392b", "y": "#1e8449", "z": "#2457a6"}
STYLE = "<style>text{font:13px sans-serif;fill:#222}.small{font-size:11px}.it{font-style:italic}</style>"


def rz(a):
    return [[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]]


def ry(b):
    return [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]]


def times(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def apply(a, x):
    return [sum(a[i][k] * x[k] for k in range(3)) for i in range(3)]


def project(x, center, scale=88):
    """From a point above the first octant: x to the lower left, y to the right, z up."""
    azimuth, tilt = math.radians(32), math.radians(30)
    right = math.cos(azimuth) * x[1] - math.sin(azimuth) * x[0]
    toward = math.sin(azimuth) * x[1] + math.cos(azimuth) * x[0]
    up = math.cos(tilt) * x[2] - math.sin(tilt) * toward
    return center[0] + scale * right, center[1] - scale * up


def line(a, b, color, width, extra=""):
    return f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="{color}" stroke-width="{width}" {extra}/>'


def arc(points, color):
    path = " ".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2" marker-end="url(#arrow)"/>'


def text(at, content, extra=""):
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" {extra}>{content}</text>'


def frame(matrix, center):
    parts = []
    for k, axis in enumerate("xyz"):
        unit = [float(i == k) for i in range(3)]
        fixed = project([1.25 * u for u in unit], center)
        parts.append(line(project([0, 0, 0], center), fixed, "#bbb", 1))
        parts.append(text((fixed[0] + 3, fixed[1] - 2), axis, 'class="small" style="fill:#999"'))
        tip = project(apply(matrix, unit), center)
        parts.append(line(project([0, 0, 0], center), tip, COLORS[axis], 3))
    return parts


def euler():
    steps = [
        ("1. about z by γ", rz(GAMMA), [rz(GAMMA * t / 20) for t in range(21)], [0.7, 0, 0], "γ", COLORS["x"]),
        (
            "2. about y by β",
            times(ry(BETA), rz(GAMMA)),
            [ry(BETA * t / 20) for t in range(21)],
            [0, 0, 0.8],
            "β",
            COLORS["z"],
        ),
        (
            "3. about z by α",
            times(rz(ALPHA), times(ry(BETA), rz(GAMMA))),
            [times(rz(ALPHA * t / 20), ry(BETA)) for t in range(21)],
            [0, 0, 0.8],
            "α",
            COLORS["z"],
        ),
    ]
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 290" role="img" aria-label="Euler angles">',
        STYLE,
        '<rect width="780" height="290" fill="#fff"/>',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="5" markerHeight="5" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
    ]
    for i, (title, matrix, turns, start, label, color) in enumerate(steps):
        center = (130 + 260 * i, 160)
        out += frame(matrix, center)
        points = [project(apply(turn, start), center) for turn in turns]
        out.append(arc(points, color))
        middle = points[len(points) // 2]
        out.append(text((middle[0] + 4, middle[1] - 6), label, 'class="it" style="font-size:16px"'))
        out.append(text((center[0] - 55, 24), title))
    out.append(
        text((40, 280), "R = Rz(α) Ry(β) Rz(γ): the north pole goes to polar angle β and azimuth α. Grey: the axes that stay.")
    )
    out.append("</svg>\n")
    return "\n".join(out)


def index_order():
    cell, top = 30, 60
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 330" role="img" aria-label="Order of coefficients">',
        STYLE,
        '<rect width="780" height="330" fill="#fff"/>',
        text((20, 26), "S²: f_lm stands at l² + l + m"),
        text((360, 26), "SO(3): F^l_mn stands at l(4l²−1)/3 + (l+m)(2l+1) + (l+n)"),
    ]
    shades = ["#dbe7f6", "#e3f2e1", "#fbe9d7"]

    def box(x, y, number, shade):
        return (
            f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{shade}" stroke="#888"/>'
            + text((x + cell / 2, y + cell / 2 + 4), number, 'text-anchor="middle" class="small"')
        )

    for l in range(3):
        y = top + 30 + l * (cell + 14)
        out.append(text((20, y + 19), f"l = {l}"))
        for m in range(-l, l + 1):
            out.append(box(160 + m * cell, y, l * l + l + m, shades[l]))
    for m in range(-2, 3):
        out.append(text((160 + m * cell + cell / 2, top + 20), m, 'text-anchor="middle" class="small"'))
    out.append(text((72, top + 20), "m =", 'class="small"'))
    x = 360
    for l in range(3):
        size = 2 * l + 1
        out.append(text((x, top + 10), f"l = {l}"))
        for m in range(-l, l + 1):
            for n in range(-l, l + 1):
                number = l * (4 * l * l - 1) // 3 + (l + m) * size + l + n
                out.append(box(x + (l + n) * cell, top + 20 + (l + m) * cell, number, shades[l]))
        x += size * cell + 24
    out.append(text((360, top + 20 + 5 * cell + 24), "rows m = −l … l, columns n = −l … l", 'class="small"'))
    out.append(
        text((20, 310), "Degree by degree: the coefficients below a smaller bandlimit are the beginning of the array.")
    )
    out.append("</svg>\n")
    return "\n".join(out)


(HERE / "euler_angles.svg").write_text(euler(), encoding="utf-8")
(HERE / "index_order.svg").write_text(index_order(), encoding="utf-8")
