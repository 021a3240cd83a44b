# SPDX-License-Identifier: Apache-2.0
"""The eyeballs: spheres of rings round the optical axis, with a flat bulge for the cornea.

Does not know lids or sockets.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64, I32
from rome_backend.open_head.cavities import EYE_RADIUS

RINGS, SECTORS = 17, 32
IRIS_RADIUS = 0.0059
FRONT = 0


def eyeball(centre: F64, radius: float = EYE_RADIUS) -> tuple[F64, I32]:
    """Return the left eyeball's vertices (546, 3) m, front pole first, and faces (1088, 3).

    Ring i (1..17) holds the vertices 1 + 32 (i - 1) .. 32 i, starting at +X towards +Y.
    """
    polar = np.pi * np.arange(1, RINGS + 1) / (RINGS + 1)
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.outer(np.cos(polar), np.ones(SECTORS)),
        ],
        axis=-1,
    )
    unit = np.concatenate([[[0, 0, 1.0]], ring.reshape(-1, 3), [[0, 0, -1.0]]])
    points = unit * radius
    points[:, 2] += 0.7 * np.clip(points[:, 2] - 0.86 * radius, 0, None)
    return points + centre, eyeball_faces()


def eyeball_faces() -> I32:
    """Return the faces (1088, 3) of one eyeball, counter-clockwise from outside."""
    k = np.arange(SECTORS)
    n = (k + 1) % SECTORS
    back = 1 + RINGS * SECTORS
    parts = [np.column_stack([np.zeros(SECTORS, dtype=int), 1 + k, 1 + n])]
    for i in range(RINGS - 1):
        a, b = 1 + i * SECTORS + k, 1 + i * SECTORS + n
        parts += [
            np.column_stack([a, a + SECTORS, b]),
            np.column_stack([b, a + SECTORS, b + SECTORS]),
        ]
    last = 1 + (RINGS - 1) * SECTORS
    parts.append(np.column_stack([last + k, np.full(SECTORS, back), last + n]))
    return np.concatenate(parts).astype(np.int32)


def eyeball_uv() -> tuple[F64, I32]:
    """Return positions (577, 2) in the unit disc, front pole in the middle, and faces (1088, 3).

    The radius grows with the square root of the angle, which gives iris and pupil more texels.
    The back pole opens into 32 positions on the rim, one for each face: its own and 31 more.
    """
    radius = np.sqrt(np.arange(1, RINGS + 1) / (RINGS + 1))
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    rings = radius[:, None, None] * np.column_stack([np.cos(around), np.sin(around)])
    between = around + np.pi / SECTORS
    rim = np.column_stack([np.cos(between), np.sin(between)])
    faces = eyeball_faces()
    back = 1 + RINGS * SECTORS
    faces[-SECTORS:, 1] = back + np.arange(SECTORS)
    return np.concatenate([[[0.0, 0.0]], rings.reshape(-1, 2), rim]), faces
