# SPDX-License-Identifier: Apache-2.0
"""One step of Loop subdivision that passes through the given vertices, and mesh boundaries.

Does not know faces, eyes or mouths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import spsolve

from rome_backend.core.types import F64, I32


def unique_edges(faces: NDArray[np.integer]) -> tuple[I32, I32, I32]:
    """Return edges (E, 2) with ascending ends, the edge of each side of each face (F, 3), where
    side k runs from corner k to corner k + 1, and how many faces share each edge (E,)."""
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, side_edge, uses = np.unique(
        np.sort(sides, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return edges.astype(np.int32), side_edge.reshape(-1, 3).astype(np.int32), uses.astype(np.int32)


def subdivision_matrix(faces: NDArray[np.integer], count: int) -> csc_matrix:
    """Return Loop's masks (V + E, V): old vertices first, then one new vertex per edge.

    Source: Loop 1987, Warren's weights 3 / (8 n), boundaries as cubic B-splines.
    """
    edges, side_edge, uses = unique_edges(faces)
    border = uses == 1
    entries: list[tuple[NDArray, NDArray, NDArray]] = []

    def put(rows: NDArray, columns: NDArray, value: float | NDArray) -> None:
        entries.append((rows, columns, np.broadcast_to(value, rows.shape)))

    ends = edges.ravel()
    valence = np.bincount(ends, minlength=count)
    on_border = np.isin(np.arange(count), edges[border])
    share = np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1)))
    vertex = np.arange(count)
    put(vertex, vertex, np.where(on_border, 0.75, 1 - valence * share))
    rows, columns = np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]]
    inner = ~on_border[rows]
    put(rows[inner], columns[inner], share[rows[inner]])
    along = np.r_[border, border] & on_border[rows]
    put(rows[along], columns[along], 0.125)
    odd = count + np.arange(len(edges))
    for end in (0, 1):
        put(odd, edges[:, end], np.where(border, 0.5, 0.375))
    opposite = np.roll(faces, -2, axis=1)
    free = ~border[side_edge]
    put(count + side_edge[free], opposite[free], 0.125)
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    return coo_matrix((values, (rows, columns)), (count + len(edges), count)).tocsc()


def interpolating_loop(vertices: F64, faces: NDArray[np.integer]) -> tuple[F64, I32, I32]:
    """Subdivide once; the first V results are the given vertices unmoved.

    vertices (V, 3) m; faces (F, 3). The control points are chosen so that Loop's masks give the
    vertices back. Returns vertices (V + E, 3), faces (4 F, 3) and the edges (E, 2) split.
    """
    count = len(vertices)
    matrix = subdivision_matrix(faces, count)
    control = spsolve(csc_matrix(matrix[:count]), vertices)
    fine = matrix @ control
    fine[:count] = vertices
    edges, side_edge, _ = unique_edges(faces)
    m = side_edge + count
    a, b, c = faces.T
    split = [(a, m[:, 0], m[:, 2]), (b, m[:, 1], m[:, 0]), (c, m[:, 2], m[:, 1]), tuple(m.T)]
    fine_faces = np.concatenate([np.stack(t, axis=1) for t in split]).astype(np.int32)
    return fine, fine_faces, edges


def boundary_loops(faces: NDArray[np.integer]) -> list[list[int]]:
    """Return the open loops of a consistently wound mesh, each with the hole to its left."""
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    directed = {(int(a), int(b)) for a, b in sides}
    following = {b: a for a, b in directed if (b, a) not in directed}
    loops = []
    while following:
        start, at = following.popitem()
        loop = [start]
        while at != start:
            loop.append(at)
            at = following.pop(at)
        loops.append(loop)
    return sorted(loops, key=lambda ring: (len(ring), min(ring)))
