# SPDX-License-Identifier: Apache-2.0
"""Cotangent Laplacian of a triangle mesh and smooth spreading of values over it.

Does not know faces from ears: it sees vertices and triangles only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu

from rome_backend.core.types import F64

COTANGENT_RANGE = (0.02, 20.0)


def adjacency(faces: NDArray[np.integer], count: int) -> csr_matrix:
    """Return the symmetric (count, count) 0/1 matrix of the edges of faces (F, 3)."""
    a = np.concatenate([faces[:, 0], faces[:, 1], faces[:, 2]])
    b = np.concatenate([faces[:, 1], faces[:, 2], faces[:, 0]])
    ones = np.ones(2 * len(a))
    edges = coo_matrix((ones, (np.r_[a, b], np.r_[b, a])), (count, count)).tocsr()
    edges.data[:] = 1.0
    return edges


def cotangent_laplacian(vertices: F64, faces: NDArray[np.integer]) -> tuple[csr_matrix, F64]:
    """Return the positive semi-definite cotangent Laplacian and the vertex areas.

    vertices (V, 3) m; faces (F, 3). Result: (V, V) without unit, and (V,) m^2 (a third of the
    adjacent triangles). Cotangents are clamped so that slivers cannot dominate.
    Source: Pinkall and Polthier 1993.
    """
    count = len(vertices)
    rows, columns, values = [], [], []
    for k in range(3):
        a, b, c = faces[:, k], faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        u, v = vertices[b] - vertices[a], vertices[c] - vertices[a]
        sine = np.linalg.norm(np.cross(u, v), axis=1)
        cotangent = np.clip(np.sum(u * v, axis=1) / (sine + 1e-12), *COTANGENT_RANGE) / 2
        rows += [b, c]
        columns += [c, b]
        values += [cotangent, cotangent]
    index = (np.concatenate(rows), np.concatenate(columns))
    weights = coo_matrix((np.concatenate(values), index), (count, count)).tocsr()
    laplacian = diags(np.asarray(weights.sum(axis=1)).ravel()) - weights
    return csr_matrix(laplacian), vertex_areas(vertices, faces)


def vertex_areas(vertices: F64, faces: NDArray[np.integer]) -> F64:
    """Return a third of the area of the triangles round each vertex: (V,) m^2, never zero."""
    edge_u = vertices[faces[:, 1]] - vertices[faces[:, 0]]
    edge_v = vertices[faces[:, 2]] - vertices[faces[:, 0]]
    share = np.linalg.norm(np.cross(edge_u, edge_v), axis=1) / 6
    area = np.bincount(faces.ravel(), np.repeat(share, 3), minlength=len(vertices))
    return np.maximum(area, 1e-12)


def bilaplacian(vertices: F64, faces: NDArray[np.integer]) -> csr_matrix:
    """Return L^T A^-1 L (V, V), scaled to a mean diagonal of 1: bending energy of the mesh."""
    laplacian, area = cotangent_laplacian(vertices, faces)
    energy = csr_matrix(laplacian.T @ diags(1 / area) @ laplacian)
    return energy / np.abs(energy.diagonal()).mean()


class BilaplacianSpread:
    """Spreads values known at some vertices smoothly over the whole mesh.

    Minimises sum weight |x[handles] - targets|^2 + smoothness x^T energy x
    + fixed_weight |x[fixed]|^2 + damping |x|^2; factorised once, milliseconds per solve.

    Args:
        energy: (V, V) from `bilaplacian`.
        handles: (H,) vertex numbers.
        weight: pull towards the targets, one number or (H,).
        smoothness: weight of the bending energy; 1e-3 passes nearly through the targets.
        fixed: (V,) bool, vertices that must stay at zero.
    """

    def __init__(
        self,
        energy: csr_matrix,
        handles: ArrayLike,
        weight: ArrayLike = 1.0,
        smoothness: float = 1e-3,
        fixed: NDArray[np.bool_] | None = None,
        fixed_weight: float = 1.0,
        damping: float = 1e-8,
    ) -> None:
        count = energy.shape[0]
        self.count = count
        self.handles = np.asarray(handles, dtype=np.int64)
        self.weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), self.handles.shape)
        diagonal = np.full(count, damping)
        np.add.at(diagonal, self.handles, self.weight)
        if fixed is not None:
            diagonal = diagonal + fixed_weight * fixed
        self._solve = splu((smoothness * energy + diags(diagonal)).tocsc()).solve

    def __call__(self, targets: F64) -> F64:
        """Spread targets (H, ...) over the mesh: (V, ...), same unit."""
        targets = np.asarray(targets, dtype=np.float64)
        columns = targets.reshape(len(self.handles), -1)
        right = np.zeros((self.count, columns.shape[1]))
        np.add.at(right, self.handles, self.weight[:, None] * columns)
        return self._solve(right).reshape(self.count, *targets.shape[1:])
