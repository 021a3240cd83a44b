# SPDX-License-Identifier: Apache-2.0
"""Cranium, neck and shoulders: a fan of sections from the face's outline to the neck's base.

Does not know ears; it leaves a block of cells out where they are told to go.

Numbers are drawn after common adult proportions: head about 195 mm long, 152 mm wide, 222 mm from
chin to crown; neck about 110 mm across.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from rome_backend.core.types import F64
from rome_backend.open_head.half_mesh import HalfMesh

# Sagittal profile in mm (y, z): over crown and nape, and under chin and throat; half width in mm.
# Each row is one section. The first ends are replaced by the face's own.
SECTIONS = np.array(
    [
        # top y, top z, bottom y, bottom z, half width
        [53.0, 8.0, -108.0, 8.0, 68.0],
        [86.0, -8.0, -113.5, -9.0, 72.0],
        [107.0, -42.0, -115.0, -22.0, 75.5],
        [112.5, -85.0, -115.5, -32.0, 77.0],
        [102.0, -130.0, -116.0, -41.0, 77.0],
        [72.0, -162.0, -118.0, -49.0, 73.5],
        [34.0, -178.0, -123.0, -56.0, 66.0],
        [-4.0, -170.0, -132.0, -61.0, 58.5],
        [-38.0, -149.0, -143.0, -64.0, 54.0],
        [-68.0, -135.0, -155.0, -65.0, 53.0],
        [-98.0, -133.0, -169.0, -63.0, 57.0],
        [-126.0, -141.0, -185.0, -57.0, 72.0],
        [-152.0, -157.0, -203.0, -44.0, 106.0],
    ]
)
ROWS = np.r_[np.linspace(0.03, 0.42, 10), np.linspace(0.49, 1.0, 8)]
BASE_ROW = 1.05
BASE_HALF = 16
OVAL_FADE = 0.38


@dataclass(frozen=True)
class CraniumRings:
    """rings[0] is the face's oval, each ring 37 vertices from the top to the bottom of the
    sagittal plane; base: the 16 vertices of half the neck's open loop."""

    rings: list[list[int]]
    base: list[int]


class Profile:
    """Smooth sections between the face's outline (t = 0) and the neck's base (t = 1)."""

    def __init__(self, top: F64, bottom: F64) -> None:
        rows = SECTIONS / 1000
        rows[0, :4] = top[1], top[2], bottom[1], bottom[2]
        t = np.linspace(0, 1, len(rows))
        self.ends = CubicSpline(t, rows[:, :4])
        self.half_width = PchipInterpolator(t, rows[:, 4])

    def section(self, t: float, angle: F64) -> F64:
        """Return points (N, 3) of the half section at t; angle 0 is its top, pi its bottom."""
        ends = self.ends(t).reshape(2, 2)
        centre, half = ends.mean(axis=0), (ends[0] - ends[1]) / 2
        sine, cosine = np.sin(angle), np.cos(angle)
        # Under the jaw the section is narrower than an ellipse: the neck stands behind it.
        waist = 0.12 * np.exp(-(((t - 0.3) / 0.15) ** 2)) * np.clip(-cosine, 0, 1) ** 1.5
        # Over the temples it is fuller: a skull has sides before it has a top.
        fuller = 0.22 * np.exp(-(((t - 0.28) / 0.16) ** 2)) * np.clip(cosine, 0, 1)
        x = self.half_width(t) * np.abs(sine) ** (1 - fuller) * (1 - waist)
        x[np.abs(sine) < 1e-9] = 0.0
        return np.column_stack([x, centre + half * cosine[:, None]])


def add_cranium(mesh: HalfMesh, oval: list[int]) -> CraniumRings:
    """Add the rings' vertices, without faces, continuing the face's outline oval (37)."""
    start = mesh.at(oval)
    profile = Profile(start[0], start[-1])
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(start, axis=0), axis=1))]
    own_angle = steps / steps[-1] * np.pi
    even_angle = np.linspace(0, np.pi, len(oval))
    excess = start - profile.section(0.0, own_angle)
    excess[[0, -1]] = 0.0
    rings = [oval]
    for t in ROWS:
        section = profile.section(t, own_angle * (1 - t) + even_angle * t)
        rings.append(mesh.add(section + excess * np.exp(-t / OVAL_FADE) * (1 - t)))
    base = mesh.add(profile.section(BASE_ROW, np.linspace(0, np.pi, BASE_HALF)))
    return CraniumRings(rings, base)


def join_cranium(mesh: HalfMesh, cranium: CraniumRings, skip: set[tuple[int, int]]) -> None:
    """Add the faces between the rings, except the cells (ring, column) in skip."""
    rings = cranium.rings
    for j, (a, b) in enumerate(zip(rings, rings[1:], strict=False)):
        for k in range(len(a) - 1):
            if (j, k) not in skip:
                mesh.strip(a[k : k + 2], b[k : k + 2])
    mesh.zipper(rings[-1], cranium.base)
