# SPDX-License-Identifier: Apache-2.0
"""Two rows of teeth with their gums, and a tongue: small meshes behind the lips.

Does not know lips or joints: it is told where the lips' line is.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64, I32, Mask

# Widths in mm from the middle to the back, incisors first; crowns' heights; their thickness.
UPPER_WIDTHS = np.array([8.4, 6.6, 7.4, 6.8, 6.6, 9.6, 9.0])
LOWER_WIDTHS = np.array([5.4, 5.8, 6.6, 6.8, 6.9, 10.2, 9.4])
UPPER_CROWNS = np.array([11.8, 10.4, 11.4, 9.4, 8.4, 7.2, 6.8])
LOWER_CROWNS = np.array([9.0, 8.8, 9.4, 7.6, 7.0, 6.4, 6.2])
THICKNESS = np.array([2.4, 2.4, 3.4, 6.2, 7.0, 9.0, 9.0])
STEPS = 4
COLUMNS = 2 * STEPS * len(UPPER_WIDTHS) + 1
# Row by row: share of the crown above the edge in a tooth's middle and between teeth, what comes
# on top of it in mm, how far it stands out in mm in the middle and between teeth.
FRONT_ROWS = np.array(
    [
        [1.0, 1.0, 5.0, -0.6, -0.6],
        [1.0, 0.80, 0.3, 0.5, 0.5],
        [0.96, 0.76, 0.0, -0.1, -0.7],
        [0.45, 0.45, 0.0, 0.4, -0.7],
        [0.0, 0.05, 0.0, -0.4, -1.0],
    ]
)
ROWS = len(FRONT_ROWS) + 2
GUM_ROWS = (0, 1, ROWS - 1)
TOOTH_VERTICES = ROWS * COLUMNS
# Behind and above the middle of the lips' line, in m: the upper incisors' edges overlap the lower.
UPPER_EDGE, LOWER_EDGE = np.array([0.0, -0.0048, -0.0092]), np.array([0.0, -0.0032, -0.0128])
UPPER_HALF_WIDTH, LOWER_HALF_WIDTH = 0.0270, 0.0242
ARCH_DEPTH = 0.042
TONGUE_ALONG, TONGUE_ACROSS = 13, 11
TONGUE_VERTICES = TONGUE_ALONG * TONGUE_ACROSS
# Along the tongue from the root to the tip: z behind the lower incisors, height, half width in mm.
TONGUE = np.array(
    [
        [-45.0, -9.0, 12.0],
        [-38.0, -3.5, 14.0],
        [-28.0, -1.0, 14.5],
        [-17.0, -1.8, 13.5],
        [-8.0, -3.2, 10.5],
        [-4.0, -4.6, 6.0],
        [-3.2, -6.0, 2.5],
    ]
)
TONGUE_BELOW = 9.0


def arch(place: F64, half_width: float) -> tuple[F64, F64]:
    """Return points and outward unit normals (N, 2) in x, z of a dental arch at place (N,).

    place: distance in m along the arch from its middle, positive on the left. The arch is half
    an ellipse, which looks like a catenary.
    """
    angle = np.linspace(-np.pi / 2, np.pi / 2, 801)
    line = np.column_stack([half_width * np.sin(angle), ARCH_DEPTH * (np.cos(angle) - 1)])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    found = np.interp(place, length - length[400], angle)
    sine, cosine = np.sin(found), np.cos(found)
    points = np.column_stack([half_width * sine, ARCH_DEPTH * (cosine - 1)])
    normal = np.column_stack([ARCH_DEPTH * sine, half_width * cosine])
    return points, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def teeth_row(lips: F64, upper: bool) -> F64:
    """Return the vertices (399, 3) m of one row of teeth, row by row from the outer gum inwards.

    lips (3,) m: the middle of the lips' line.
    """
    widths = (UPPER_WIDTHS if upper else LOWER_WIDTHS) / 1000
    edge = lips + (UPPER_EDGE if upper else LOWER_EDGE)
    starts = np.r_[0, np.cumsum(widths)]
    steps = np.arange(STEPS * len(widths) + 1) / STEPS
    half = np.interp(steps, np.arange(len(starts)), starts)
    place = np.r_[-half[:0:-1], half]
    tooth = np.minimum(np.abs(np.arange(COLUMNS) - COLUMNS // 2) / STEPS, len(widths) - 1e-6)
    between = np.cos(np.pi * (tooth % 1.0)) ** 4
    index = tooth.astype(int)
    crown = (UPPER_CROWNS if upper else LOWER_CROWNS)[index]
    thick = THICKNESS[index]
    points, normal = arch(place, UPPER_HALF_WIDTH if upper else LOWER_HALF_WIDTH)
    rows = []
    for middle, gap, more, out, out_gap in FRONT_ROWS:
        height = crown * (middle + (gap - middle) * between) + more
        rows.append((height, out + (out_gap - out) * between))
    rows += [(0.5 + 0 * crown, -thick), (crown + 2.0, -thick - 2.0)]
    up = 1.0 if upper else -1.0
    result = []
    for height, out in rows:
        flat = points + normal * out[:, None] / 1000
        result.append(edge + np.column_stack([flat[:, 0], up * height / 1000, flat[:, 1]]))
    return np.concatenate(result)


def teeth_faces(upper: bool) -> I32:
    """Return the faces (672, 3) of one row of teeth, wound outwards."""
    faces = grid_faces(ROWS, COLUMNS)
    return faces if upper else faces[:, ::-1]


def gums() -> Mask:
    """Return which vertices (399,) of a row of teeth are gums."""
    return np.repeat(np.isin(np.arange(ROWS), GUM_ROWS), COLUMNS)


def tongue(lips: F64) -> F64:
    """Return the tongue's vertices (143, 3) m: rows from its root to its tip, each from its right
    rim over its back to its left rim. lips (3,) m: the middle of the lips' line."""
    along = np.linspace(0, 1, TONGUE_ALONG)
    knots = np.linspace(0, 1, len(TONGUE))
    behind, height, half = (np.interp(along, knots, axis) for axis in TONGUE.T)
    angle = np.linspace(-1, 1, TONGUE_ACROSS) * np.radians(115)
    base = lips + LOWER_EDGE
    rows = []
    for z, top, wide in zip(behind, height, half, strict=True):
        x = wide * np.sin(angle) / np.sin(np.pi / 2)
        thick = TONGUE_BELOW * min(1.0, wide / 12.0)
        groove = 0.9 * np.exp(-((angle / 0.25) ** 2)) * min(1.0, wide / 12.0)
        y = top - groove - thick * (1 - np.cos(angle)) * 0.75
        rows.append(base + np.column_stack([x, y, np.full(len(x), z)]) / 1000)
    return np.concatenate(rows)


def tongue_faces() -> I32:
    """Return the tongue's faces (240, 3), wound outwards."""
    return grid_faces(TONGUE_ALONG, TONGUE_ACROSS)


def grid_faces(rows: int, columns: int) -> I32:
    """Return the triangles of a grid of vertices numbered row by row; its right and left halves
    are split into triangles like mirror images."""
    start = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    a, b, c, d = start, start + 1, start + columns + 1, start + columns
    right = (start % columns < columns // 2)[:, None]
    first = np.where(right, np.column_stack([a, d, b]), np.column_stack([a, d, c]))
    second = np.where(right, np.column_stack([b, d, c]), np.column_stack([a, c, b]))
    return np.concatenate([first, second]).astype(np.int32)


def grid_mirror(rows: int, columns: int) -> I32:
    """Return the mirror numbering of a grid whose rows run from right to left."""
    return np.arange(rows * columns).reshape(rows, columns)[:, ::-1].ravel().astype(np.int32)
