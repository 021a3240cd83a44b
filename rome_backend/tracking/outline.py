# SPDX-License-Identifier: Apache-2.0
"""The outline of a posed head in a picture, and how far it is from a matte's contour.

Does not know offsets, bases or fitting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rome_backend.core.normals import face_crosses, vertex_normals
from rome_backend.core.types import F64, I32, FaceFit, Mask
from rome_backend.render.rasterizer import Rasterizer
from rome_backend.tracking.matte_field import MatteField

_OUTSIDE_PX = 2.0
_NEAREST = 0.2  # of the camera's distance: nothing of a head is nearer


@dataclass(frozen=True)
class Outline:
    """Vertices on the outline: vertices (N,) i32; normals (N, 3) unit, head space, in the
    picture's plane; gaps (N,) m along them to the matte's contour."""

    vertices: I32
    normals: F64
    gaps: F64


@dataclass(frozen=True)
class SquareView:
    """A fit's camera in a square of ``size`` px cut out of ``full`` px."""

    fit: FaceFit
    full: int
    size: int

    @property
    def scale(self) -> float:
        """Return px of the square per metre at the head's origin."""
        return self.fit.scale * self.size / self.full

    def project(self, vertices: F64) -> F64:
        """Return (V, 3): x, y px of the square (y down) and m towards the viewer."""
        view = vertices @ self.fit.rotation.T
        shift = self.fit.translation * self.size / self.full
        flat = self.scales(vertices)[:, None] * view[:, :2] * np.array([1.0, -1.0]) + shift
        return np.column_stack([flat, view[:, 2]])

    def scales(self, vertices: F64) -> F64:
        """Return px of the square per metre (V,) at the depth of vertices (V, 3)."""
        depth = vertices @ self.fit.rotation[2] / self.fit.distance
        return self.scale / np.maximum(1 - depth, _NEAREST)

    def silhouette(self, vertices: F64, faces: I32, rasterizer: Rasterizer) -> Mask:
        """Return the pixels (size, size) that the mesh covers."""
        px = self.project(vertices)
        ndc = np.column_stack([2 * px[:, :2] / self.size - 1, -px[:, 2]])
        points = torch.from_numpy(ndc).float()[None]
        index = torch.from_numpy(np.ascontiguousarray(faces)).long()
        return rasterizer.rasterize(points, index, self.size, self.size).covered()[0].numpy()


def find_outline(
    vertices: F64,
    faces: I32,
    movable: Mask,
    view: SquareView,
    field: MatteField,
    rasterizer: Rasterizer,
    reach: tuple[float, float],
) -> Outline:
    """Return the movable vertices on the outline with their distance to the matte.

    vertices (V, 3) m posed; movable (V,); reach: how far in m inwards and outwards the contour
    may be. Vertices of contour edges (one face to the viewer, one away) whose outside is empty.
    """
    sight = view.fit.rotation[2] - vertices[faces[:, 0]] / view.fit.distance
    towards = np.einsum("fx,fx->f", face_crosses(vertices, faces), sight) > 0
    rim = np.zeros(len(vertices), np.int8)
    np.bitwise_or.at(rim, faces[towards].ravel(), 1)
    np.bitwise_or.at(rim, faces[~towards].ravel(), 2)
    chosen = np.flatnonzero((rim == 3) & movable)
    normals = vertex_normals(vertices, faces)[chosen] @ view.fit.rotation.T
    length = np.linalg.norm(normals[:, :2], axis=1)
    chosen, normals = chosen[length > 0.3], normals[length > 0.3]
    flat = normals[:, :2] / np.linalg.norm(normals[:, :2], axis=1, keepdims=True)
    down = flat * np.array([1.0, -1.0])
    points = view.project(vertices)[chosen, :2]
    mask = view.silhouette(vertices, faces, rasterizer)
    keep = _empty_outside(points, down, mask)
    chosen, flat, down, points = chosen[keep], flat[keep], down[keep], points[keep]
    gaps = field.march(points, down, reach[0] * view.scale, reach[1] * view.scale)
    gaps /= view.scales(vertices[chosen])
    keep = _plausible(gaps, points)
    head = np.column_stack([flat, np.zeros(len(flat))]) @ view.fit.rotation
    return Outline(chosen[keep].astype(np.int32), head[keep], gaps[keep])


def _empty_outside(points: F64, normals: F64, mask: Mask) -> Mask:
    """Return which points (N, 2) px have no rendered pixel just outside, inside the picture."""
    at = np.floor(points + _OUTSIDE_PX * normals).astype(int)
    size = mask.shape[0]
    inside = ((at >= 0) & (at < size)).all(axis=1)
    at = np.clip(at, 0, size - 1)
    return inside & ~mask[at[:, 1], at[:, 0]]


def _plausible(gaps: F64, points: F64, window: int = 9, tolerance: float = 0.008) -> Mask:
    """Return which gaps (N,) m are near the median of their neighbours along the contour."""
    found = np.flatnonzero(np.isfinite(gaps))
    keep = np.zeros(len(gaps), bool)
    if len(found) < window:
        return keep
    centred = points[found] - points[found].mean(0)
    order = found[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]))]
    around = np.arange(len(order))[:, None] + np.arange(window) - window // 2
    median = np.median(gaps[order][around % len(order)], axis=1)
    keep[order] = np.abs(gaps[order] - median) < tolerance + 0.25 * np.abs(median)
    return keep


def head_iou(
    vertices: F64,
    faces: I32,
    bottom: float,
    view: SquareView,
    field: MatteField,
    rasterizer: Rasterizer,
) -> float:
    """Return intersection over union of the rendered head and the matte above the shoulders.

    bottom: the row in px of the square where the shoulders begin; unknown pixels do not count.
    0 when neither shows anything there.
    """
    mask = view.silhouette(vertices, faces, rasterizer)
    rows = np.arange(view.size)[:, None] + 0.5 < bottom
    counted = field.known & rows
    union = ((mask | field.person) & counted).sum()
    return float(((mask & field.person) & counted).sum() / union) if union else 0.0
