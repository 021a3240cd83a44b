# SPDX-License-Identifier: Apache-2.0
"""Cranium, neck and shoulders: a fan of sections from the face's outline to the bust's hem.

Does not know ears; it leaves a block of cells out where they are told to go.

Numbers are drawn after common adult proportions: head about 190 mm long, 155 mm wide, 215 mm from
chin to crown; neck about 112 mm across, shoulders 360 mm, cut off below the collarbones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from rome_backend.core.types import F64
from rome_backend.open_head.half_mesh import HalfMesh

# Sagittal profile in mm (y, z): over crown, nape and upper back, and under chin, throat and chest;
# half width in mm; how far its sides rise and lie in front, mm. Each row is one section. The first
# ends are replaced by the face's own.
SECTIONS = np.array(
    [
        # top y, top z, bottom y, bottom z, half width, rise, front
        [54.0, 8.0, -110.0, 8.0, 68.0, 0.0, -65.0],
        [74.0, -6.0, -117.0, 3.0, 72.0, 0.0, -61.0],
        [92.0, -28.0, -121.0, -5.0, 74.5, 0.0, -54.0],
        [104.0, -62.0, -124.0, -13.0, 76.5, 0.0, -40.0],
        [105.0, -100.0, -126.5, -20.0, 77.5, 0.0, -24.0],
        [94.0, -140.0, -129.0, -26.0, 77.0, 0.0, -8.0],
        [66.0, -165.0, -132.0, -31.0, 76.0, 0.0, 0.0],
        [28.0, -175.0, -135.5, -34.0, 72.0, 0.0, 0.0],
        [-10.0, -172.0, -139.5, -36.0, 66.0, 0.0, 0.0],
        [-44.0, -158.0, -145.0, -38.0, 60.0, 0.0, 0.0],
        [-78.0, -145.0, -152.0, -41.0, 56.0, 0.0, 0.0],
        [-106.0, -143.0, -161.0, -45.0, 56.5, 0.0, 0.0],
        [-130.0, -150.0, -172.0, -49.0, 68.0, 2.0, 0.0],
        [-148.0, -158.0, -183.0, -52.0, 98.0, 8.0, 0.0],
        [-164.0, -168.0, -196.0, -50.0, 138.0, 12.0, 0.0],
        [-182.0, -176.0, -212.0, -45.0, 166.0, 17.0, 0.0],
        [-206.0, -181.0, -228.0, -40.0, 179.0, 12.0, 0.0],
        [-232.0, -183.0, -244.0, -36.0, 182.0, 6.0, 0.0],
        [-252.0, -182.0, -254.0, -34.0, 180.0, 0.0, 0.0],
    ]
)
COLUMNS = 49
ROWS = np.r_[np.linspace(0.018, 0.53, 33), np.linspace(0.565, 0.70, 5), np.linspace(0.75, 1.0, 6)]
# The hem turns inwards and closes but for a pinhole, where the atlas ends. Size, rise in m.
HEM_RINGS = ((0.975, -0.002), (0.95, 0.008), (0.003, 0.014))
OVAL_FADE = 0.12


@dataclass(frozen=True)
class CraniumRings:
    """Half rings from the top (back) to the bottom (front) of the sagittal plane.

    oval: the 37 of the face's outline; rings: 49 each, from behind it to the bust's hem;
    hem: the hem's inside, 49 each, the last a pinhole.
    """

    oval: list[int]
    rings: list[list[int]]
    hem: list[list[int]]


class Profile:
    """Smooth sections between the face's outline (t = 0) and the bust's hem (t = 1)."""

    def __init__(self, top: F64, bottom: F64) -> None:
        rows = SECTIONS / 1000
        rows[0, :4] = top[1], top[2], bottom[1], bottom[2]
        t = np.linspace(0, 1, len(rows))
        self.ends = CubicSpline(t, rows[:, :4])
        self.half_width = PchipInterpolator(t, rows[:, 4])
        self.side = PchipInterpolator(t, rows[:, 5:])

    def section(self, t: float, angle: F64) -> F64:
        """Return points (N, 3) of the half section at t; angle 0 is its top, pi its bottom."""
        ends = self.ends(t).reshape(2, 2)
        centre, half = ends.mean(axis=0), (ends[0] - ends[1]) / 2
        sine, cosine = np.sin(angle), np.cos(angle)
        # Under the jaw the section is narrower than an ellipse: the neck stands behind it.
        waist = 0.12 * np.exp(-(((t - 0.2) / 0.1) ** 2)) * np.clip(-cosine, 0, 1) ** 1.5
        # Over the temples it is fuller: a skull has sides before it has a top. So has a chest.
        fuller = 0.22 * np.exp(-(((t - 0.19) / 0.11) ** 2)) * np.clip(cosine, 0, 1)
        fuller = fuller + 0.3 * np.clip((t - 0.72) / 0.2, 0, 1)
        x = self.half_width(t) * np.abs(sine) ** (1 - fuller) * (1 - waist)
        x[np.abs(sine) < 1e-9] = 0.0
        points = np.column_stack([x, centre + half * cosine[:, None]])
        rise, front = self.side(t)
        points[:, 1] += rise * sine**4
        points[:, 2] += front * sine**2
        return points


def add_cranium(mesh: HalfMesh, oval: list[int]) -> CraniumRings:
    """Add the rings' vertices, without faces, continuing the face's outline oval (37)."""
    start = mesh.at(oval)
    profile = Profile(start[0], start[-1])
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(start, axis=0), axis=1))]
    own_angle = steps / steps[-1] * np.pi
    excess = start - profile.section(0.0, own_angle)
    excess[[0, -1]] = 0.0
    even = np.linspace(0, 1, COLUMNS)
    place = np.linspace(0, 1, len(oval))
    own_angle = np.interp(even, place, own_angle)
    excess = np.column_stack([np.interp(even, place, axis) for axis in excess.T])
    rings = []
    for t in ROWS:
        section = profile.section(t, own_angle * (1 - t) + even * np.pi * t)
        rings.append(mesh.add(section + excess * np.exp(-t / OVAL_FADE) * (1 - t)))
    return CraniumRings(oval, rings, _add_hem(mesh, rings[-1]))


def _add_hem(mesh: HalfMesh, last: list[int]) -> list[list[int]]:
    """Add the vertices of the hem's inside: rings that shrink towards the bust's axis."""
    edge = mesh.at(last)
    middle = np.array([0.0, edge[:, 1].mean(), (edge[0, 2] + edge[-1, 2]) / 2])
    rings = []
    for size, rise in HEM_RINGS:
        points = middle + (edge - middle) * size + (0.0, rise, 0.0)
        points[[0, -1], 0] = 0.0
        rings.append(mesh.add(points))
    return rings


def join_cranium(mesh: HalfMesh, cranium: CraniumRings, skip: set[tuple[int, int]]) -> None:
    """Add the faces between the rings, except the cells (ring, column) in skip."""
    rings = cranium.rings
    mesh.zipper(cranium.oval, rings[0])
    for j, (a, b) in enumerate(zip(rings, rings[1:], strict=False)):
        for k in range(len(a) - 1):
            if (j, k) not in skip:
                mesh.strip(a[k : k + 2], b[k : k + 2])
    hem = [rings[-1], *cranium.hem]
    for a, b in zip(hem, hem[1:], strict=False):
        mesh.strip(a, b)
