# SPDX-License-Identifier: Apache-2.0
"""Measures on the surfaces of triangle meshes: random points, distances, hits of rays.

Does not know heads, cameras or files.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rome_backend.core.types import F64, I32

_DENSE = 150_000
_CANDIDATES = 6
_RAYS_AT_ONCE = 32


def sample_surface(
    vertices: F64, faces: I32, count: int, seed: int, lowest: float = -np.inf
) -> tuple[F64, NDArray[np.int64]]:
    """Return points (count, 3), uniform by area on what lies above y = lowest, and their faces.

    vertices (V, 3); faces (F, 3). Raises ValueError when nothing lies above.
    """
    random = np.random.default_rng(seed)
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) * (corners[:, :, 1].max(axis=1) > lowest)
    if not area.sum() > 0:
        raise ValueError("the mesh has no surface there")
    points, chosen = np.empty((0, 3)), np.empty(0, np.int64)
    while len(points) < count:
        face = random.choice(len(faces), size=count, p=area / area.sum())
        u, v = np.sqrt(random.random(count)), random.random(count)
        weights = np.stack([1 - u, u * (1 - v), u * v], axis=1)
        drawn = np.einsum("nc,ncx->nx", weights, corners[face])
        above = drawn[:, 1] > lowest
        points = np.concatenate([points, drawn[above]])
        chosen = np.concatenate([chosen, face[above]])
    return points[:count], chosen[:count]


class Surface:
    """A mesh that can be asked how far points are from it.

    Args:
        vertices: (V, 3); faces: (F, 3); lowest: what lies wholly below y = lowest is cut away.
    """

    def __init__(self, vertices: F64, faces: I32, lowest: float = -np.inf) -> None:
        self._corners = vertices[faces]
        points, self._face = sample_surface(vertices, faces, _DENSE, 0, lowest)
        self._tree = cKDTree(points)

    def distance(self, points: F64) -> F64:
        """Return the distance (N,) of points (N, 3) to the surface.

        Exact for the faces of the nearest of 150,000 points on the surface.
        """
        _, nearest = self._tree.query(points, k=_CANDIDATES)
        return np.min(
            [
                distance_to_triangles(points, self._corners[self._face[nearest[:, k]]])
                for k in range(_CANDIDATES)
            ],
            axis=0,
        )


def distance_to_triangles(points: F64, corners: F64) -> F64:
    """Return the distance (N,) of each point (N, 3) to its own triangle (N, 3, 3)."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    square = np.maximum((normal**2).sum(axis=1), 1e-30)
    inside = (normal**2).sum(axis=1) > 0
    best = np.full(len(points), np.inf)
    for k in range(3):
        start, edge = corners[:, k], corners[:, (k + 1) % 3] - corners[:, k]
        arm = points - start
        inside &= np.einsum("nx,nx->n", np.cross(edge, arm), normal) >= 0
        part = np.einsum("nx,nx->n", arm, edge) / np.maximum((edge**2).sum(axis=1), 1e-30)
        away = arm - np.clip(part, 0, 1)[:, None] * edge
        best = np.minimum(best, np.linalg.norm(away, axis=1))
    height = np.abs(np.einsum("nx,nx->n", points - corners[:, 0], normal)) / np.sqrt(square)
    return np.where(inside, height, best)


def ray_hits(origin: F64, directions: F64, vertices: F64, faces: I32) -> tuple[F64, F64]:
    """Return where rays first meet the mesh (N, 3), nan where they miss, and the cosine (N,)
    between the ray and the surface's normal there, 1 when met head on.

    origin (3,); directions (N, 3). Both sides of a face count. Source: Moeller and Trumbore 1997.
    """
    corner = vertices[faces[:, 0]]
    edge_a, edge_b = vertices[faces[:, 1]] - corner, vertices[faces[:, 2]] - corner
    arm = origin - corner
    normal = np.cross(edge_a, edge_b)
    height = np.einsum("fx,fx->f", arm, normal)
    points, facing = np.full((len(directions), 3), np.nan), np.zeros(len(directions))
    for start in range(0, len(directions), _RAYS_AT_ONCE):
        rays = directions[start : start + _RAYS_AT_ONCE]
        slope = -(rays @ normal.T)
        slope = np.where(np.abs(slope) < 1e-18, 1e-18, slope)
        turned = np.cross(arm, rays[:, None])
        u = np.einsum("fx,nfx->nf", edge_b, turned) / slope
        v = -np.einsum("fx,nfx->nf", edge_a, turned) / slope
        along = np.where((u >= 0) & (v >= 0) & (u + v <= 1), height / slope, np.inf)
        along[along <= 0] = np.inf
        face = along.argmin(axis=1)
        depth = along[np.arange(len(rays)), face]
        hit = np.flatnonzero(np.isfinite(depth))
        points[start + hit] = origin + depth[hit, None] * rays[hit]
        length = np.linalg.norm(normal[face], axis=1) * np.linalg.norm(rays, axis=1)
        cosine = np.abs(np.einsum("nx,nx->n", rays, normal[face])) / np.maximum(length, 1e-30)
        facing[start + hit] = cosine[hit]
    return points, facing
