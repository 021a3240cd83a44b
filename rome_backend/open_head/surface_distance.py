# SPDX-License-Identifier: Apache-2.0
"""Distances along the edges of a mesh.

Does not know what the sources are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from rome_backend.core.types import F64, Mask
from rome_backend.open_head.laplacian import adjacency


def surface_distance(vertices: F64, faces: NDArray[np.integer], sources: Mask) -> F64:
    """Return the length (V,) m of the shortest path over edges to any source vertex.

    vertices (V, 3) m; faces (F, 3); sources (V,) bool. inf where no path leads.
    """
    if not np.any(sources):
        return np.full(len(vertices), np.inf)
    edges = adjacency(faces, len(vertices)).tocoo()
    edges.data = np.linalg.norm(vertices[edges.row] - vertices[edges.col], axis=1)
    return dijkstra(edges.tocsr(), indices=np.flatnonzero(sources), min_only=True)
