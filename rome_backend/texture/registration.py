# SPDX-License-Identifier: Apache-2.0
"""A smooth shift of projected vertices that brings a photo's landmarks onto the mesh.

Does not know photos, textures or how landmarks are found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F64, HeadModel

_IRIS = 468  # MediaPipe's landmarks from here on are the irises
_NEAR, _FAR = 0.014, 0.045  # m: lengths of the fine and the coarse part of the field
_NOISE = (0.05, 0.2, 0.8, 3.0)  # tried in turn until no face of the mesh folds


def registration_warp(
    head: HeadModel, projected: NDArray[np.floating], observed: NDArray[np.floating]
) -> F64:
    """Spread landmark residuals over the mesh.

    A Gaussian process over the template (our own): it follows the landmarks, is smooth, and
    decays to zero away from the face. If triangles between landmarks would turn over, it follows
    them less closely.

    Args:
        head: the template and landmark table.
        projected: (L, 2) px, the mesh's landmarks in the picture, rows as head.landmarks.
        observed: (L, 2) px, where the photo has them.

    Returns:
        (V, 2) px to add to projected vertices; each eyeball shifts as one.
    """
    table = head.landmarks
    residual = np.asarray(observed, np.float64) - np.asarray(projected, np.float64)
    if len(residual) != len(table.indices):
        raise ValueError(f"{len(table.indices)} landmarks expected, {len(residual)} given")
    template = head.template.astype(np.float64)
    points = np.einsum("lkc,lk->lc", template[head.faces[table.faces]], table.barycentric)
    skin = table.indices < _IRIS
    field = _Field(points[skin], template)
    for noise in _NOISE:
        shift = field.follow(residual[skin], noise)
        if not _folds(points[skin], projected[skin], field.at_points(residual[skin], noise)):
            break
    _move_eyeballs(shift, head, residual)
    return shift


class _Field:
    """A zero-mean Gaussian process on points (L, 3), evaluated at vertices (V, 3)."""

    def __init__(self, points: F64, vertices: F64) -> None:
        self._own = _kernel(points, points)
        self._cross = _kernel(vertices, points)

    def _weights(self, residual: F64, noise: float) -> F64:
        return np.linalg.solve(self._own + noise * np.eye(len(self._own)), residual)

    def follow(self, residual: F64, noise: float) -> F64:
        return self._cross @ self._weights(residual, noise)

    def at_points(self, residual: F64, noise: float) -> F64:
        return self._own @ self._weights(residual, noise)


def _kernel(a: F64, b: F64) -> F64:
    squared = ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).clip(min=0)
    return np.exp(-squared / (2 * _NEAR**2)) + 2 * np.exp(-squared / (2 * _FAR**2))


def _folds(points: F64, projected: NDArray[np.floating], shift: F64) -> bool:
    """Whether any landmark overtakes a neighbour: the shift's slope along the picture exceeds 1."""
    gap = np.linalg.norm(points[:, None] - points, axis=-1)
    near = np.argwhere((gap > 0) & (gap < 0.012))
    a, b = near[near[:, 0] < near[:, 1]].T
    before = np.asarray(projected, np.float64)[a] - np.asarray(projected, np.float64)[b]
    after = before + shift[a] - shift[b]
    return bool(((before * after).sum(1) < 0.1 * (before**2).sum(1)).mean() > 0.02)


def _move_eyeballs(shift: F64, head: HeadModel, residual: F64) -> None:
    """Shift each eyeball as one: by its iris landmarks if there are any, else by its middle."""
    table = head.landmarks
    for name, irises in (("right_eyeball", range(468, 473)), ("left_eyeball", range(473, 478))):
        ball = head.regions.get(name)
        if ball is None or not ball.any():
            continue
        iris = np.isin(table.indices, irises)
        front = head.template[ball, 2] > np.quantile(head.template[ball, 2], 0.7)
        middle = shift[ball][front].mean(0)
        shift[ball] = residual[iris].mean(0) if iris.any() else middle
