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
    decays to zero away from the face. If it would turn faces of the mesh over, it follows the
    landmarks less closely.

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
    shift = np.zeros((len(template), 2))
    flat = _flattened(points, np.asarray(projected, np.float64), template)
    triangles = _facing(flat, head.faces[head.regions["face"][head.faces].all(1)])
    for noise in _NOISE:
        shift = field.follow(residual[skin], noise)
        if not _folds(flat, shift, triangles):
            break
    while _folds(flat, shift, triangles):
        shift = 0.7 * shift
    _move_eyeballs(shift, head, residual)
    return shift


class _Field:
    """A zero-mean Gaussian process on points (L, 3), evaluated at vertices (V, 3)."""

    def __init__(self, points: F64, vertices: F64) -> None:
        self._own = _kernel(points, points)
        self._cross = _kernel(vertices, points)

    def _weights(self, residual: F64, noise: float) -> F64:
        weights = np.linalg.solve(self._own + noise * np.eye(len(self._own)), residual)
        return weights.astype(np.float64, copy=False)

    def follow(self, residual: F64, noise: float) -> F64:
        return self._cross @ self._weights(residual, noise)


def _kernel(a: F64, b: F64) -> F64:
    squared = ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).clip(min=0)
    return np.exp(-squared / (2 * _NEAR**2)) + 2 * np.exp(-squared / (2 * _FAR**2))


def _flattened(points: F64, projected: F64, vertices: F64) -> F64:
    """Project vertices (V, 3) to px (V, 2) by the affine map that projects the landmarks best."""
    matrix = np.linalg.lstsq(np.c_[points, np.ones(len(points))], projected, rcond=None)[0]
    return np.c_[vertices, np.ones(len(vertices))] @ matrix


def _areas(flat: F64, triangles: NDArray[np.integer]) -> F64:
    a, b, c = (flat[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _facing(flat: F64, triangles: NDArray[np.integer]) -> NDArray[np.integer]:
    """The triangles that are not seen nearly edge-on; px run down, so theirs are clockwise."""
    areas = _areas(flat, triangles)
    return (
        triangles[areas < 0.35 * np.median(areas[areas < 0])]
        if (areas < 0).any()
        else triangles[:0]
    )


def _folds(flat: F64, shift: F64, triangles: NDArray[np.integer]) -> bool:
    """Whether more than one triangle in 500 is turned over by the shift."""
    if not len(triangles):
        return False
    return bool((_areas(flat + shift, triangles) >= 0).mean() > 0.002)


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
