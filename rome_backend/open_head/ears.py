# SPDX-License-Identifier: Apache-2.0
"""The left ear: a relief of rings grown from a block of cells cut out of the cranium.

Does not know the right ear, which is its mirror image.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.half_mesh import HalfMesh

FIRST_ROW, LAST_ROW = 5, 17
FIRST_COLUMN, LAST_COLUMN = 18, 27
CENTRE = np.array([0.0745, -0.0215, -0.0735])
HALF_HEIGHT, HALF_WIDTH = 0.0300, 0.0185
TILT = np.radians(10.0)
ROOT_SCALE = 0.66

# Each ring: size relative to the outline, height of the relief in mm over the tilted sheet
# (negative is towards the head): back of the ear, rim, groove, antihelix, concha.
RINGS = (
    (0.74, -6.0),
    (0.87, -5.4),
    (0.98, -4.4),
    (1.04, -2.4),
    (1.06, 0.2),
    (1.02, 2.0),
    (0.95, 1.4),
    (0.88, -1.0),
    (0.80, -2.6),
    (0.71, -0.2),
    (0.61, -0.8),
    (0.48, -7.0),
    (0.33, -9.6),
    (0.17, -10.8),
)


def ear_cells() -> set[tuple[int, int]]:
    """Return the cells (ring, column) of the cranium the ear replaces."""
    rows, columns = range(FIRST_ROW, LAST_ROW), range(FIRST_COLUMN, LAST_COLUMN)
    return {(j, k) for j in rows for k in columns}


def ear_root(rings: list[list[int]]) -> list[int]:
    """Return the closed loop of 42 cranium vertices round the block, hole to its left."""
    columns = list(range(FIRST_COLUMN, LAST_COLUMN + 1))
    rows = list(range(FIRST_ROW + 1, LAST_ROW))
    front = [rings[FIRST_ROW][k] for k in columns]
    bottom = [rings[j][LAST_COLUMN] for j in rows]
    back = [rings[LAST_ROW][k] for k in reversed(columns)]
    top = [rings[j][FIRST_COLUMN] for j in reversed(rows)]
    return front + bottom + back + top


def outline(angle: F64, scale: float) -> tuple[F64, F64]:
    """Return y, z (N,) in m round the ear's centre; angle 0 is its back, pi / 2 its top."""
    sine, cosine = np.sin(angle), np.cos(angle)
    width = HALF_WIDTH * (1 - 0.28 * np.clip(-sine, 0, 1) ** 1.5)
    y, z = HALF_HEIGHT * sine * scale, -width * cosine * scale
    return y * np.cos(TILT) + 0.4 * z * np.sin(TILT), z * np.cos(TILT) - y * np.sin(TILT)


def relief(angle: F64, z: F64, scale: float, height: float) -> F64:
    """Return x (N,) m of one ring: a sheet that leaves the head towards its back."""
    backward = np.clip((HALF_WIDTH - z) / (2 * HALF_WIDTH), 0, 1.1)
    lobe = np.clip(-np.sin(angle) - 0.45, 0, 1) / 0.55
    shallow = 0.35 + 0.65 * np.clip(backward * 2.2, 0, 1)
    flat = 1 - 0.75 * lobe * (scale < 0.97)
    sheet = CENTRE[0] - 0.0005 + 0.0165 * backward**1.15 - 0.004 * lobe
    floor = CENTRE[0] - 0.0013 - 0.002 * (scale < 0.5)
    return np.maximum(sheet + height / 1000 * shallow * flat, floor)


def add_ear(mesh: HalfMesh, root: list[int]) -> list[list[int]]:
    """Move the root loop to the ear's foot and add the ear; returns its rings, root first."""
    foot = mesh.at(root)
    middle = foot.mean(axis=0)
    start = np.arctan2(foot[0, 1] - middle[1], -(foot[0, 2] - middle[2]) * 1.6)
    # Down the front first: the angle grows from the top-front over the front to the bottom.
    angle = start + np.arange(len(root)) / len(root) * 2 * np.pi
    y, z = outline(angle, ROOT_SCALE)
    for k, vertex in enumerate(root):
        mesh.points[vertex] = np.array([foot[k, 0], CENTRE[1] + y[k], CENTRE[2] + z[k] - 0.001])
    rings = [root]
    for scale, height in RINGS:
        y, z = outline(angle, scale)
        x = relief(angle, z, scale, height)
        ring = mesh.add(np.column_stack([x, CENTRE[1] + y, CENTRE[2] + z]))
        mesh.strip(rings[-1], ring, closed=True)
        rings.append(ring)
    tip = mesh.add([CENTRE + (0.001, -0.002, 0.001)])
    mesh.fan(rings[-1], tip[0])
    return [*rings, tip]
