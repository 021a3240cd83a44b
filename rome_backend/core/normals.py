# SPDX-License-Identifier: Apache-2.0
"""Vertex and face normals of triangle meshes.

Does not know head models, and no torch: the array namespace is an argument.
"""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np

_EPSILON = 1e-6


def face_crosses(vertices: Any, faces: Any, xp: ModuleType = np) -> Any:
    """Return the cross products (..., F, 3) of face edges: normal times twice the area.

    vertices (..., V, 3) in any unit; faces (F, 3) int, counter-clockwise from outside.
    """
    if xp is np:
        vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces)
        first, second, third = (vertices[..., faces[:, corner], :] for corner in range(3))
    else:
        corners = xp.asarray(faces, dtype=xp.int64, device=vertices.device).T.reshape(-1)
        rows = vertices.index_select(vertices.ndim - 2, corners)  # faster than vertices[faces]
        first, second, third = rows.tensor_split(3, dim=-2)
    u, v = second - first, third - first
    components = [
        u[..., 1] * v[..., 2] - u[..., 2] * v[..., 1],
        u[..., 2] * v[..., 0] - u[..., 0] * v[..., 2],
        u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0],
    ]
    return xp.stack(components, -1)


def vertex_normals(vertices: Any, faces: Any, xp: ModuleType = np) -> Any:
    """Return unit vertex normals (..., V, 3): the normalised sum of face cross products.

    vertices (..., V, 3) m; faces (F, 3) int. Sums shorter than 1e-6 are divided by 1e-6, so an
    unused vertex has the zero normal (the rule of the released networks).
    """
    crosses = face_crosses(vertices, faces, xp)
    sums = _scatter(crosses, faces, vertices.shape[-2], xp)
    squared = (sums * sums).sum(-1)[..., None]
    floor = xp.full_like(squared, _EPSILON**2)
    return sums / xp.sqrt(xp.where(squared < floor, floor, squared))


def _scatter(crosses: Any, faces: Any, count: int, xp: ModuleType) -> Any:
    """Sum (..., F, 3) face vectors into the (..., count, 3) vertices of the faces."""
    shape = tuple(crosses.shape[:-2]) + (count, 3)
    if xp is not np:
        index = xp.asarray(faces, dtype=xp.int64, device=crosses.device)
        rows = crosses.reshape(-1, 3)
        heads = xp.arange(prod(shape[:-2]), device=crosses.device) * count
        sums = xp.zeros((len(heads) * count, 3), dtype=crosses.dtype, device=crosses.device)
        for corner in range(3):  # along the first axis, where adding is fast
            sums = sums.index_add(0, (index[:, corner] + heads[:, None]).reshape(-1), rows)
        return sums.reshape(shape)
    flat = crosses.reshape(-1, crosses.shape[-2], 3)
    corners = np.asarray(faces).T.reshape(-1)
    sums = [
        np.bincount(corners, np.tile(part[:, axis], 3), minlength=count)
        for part in flat
        for axis in range(3)
    ]
    return np.stack(sums).reshape(-1, 3, count).swapaxes(-1, -2).reshape(shape)
