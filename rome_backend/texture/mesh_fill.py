# SPDX-License-Identifier: Apache-2.0
"""Smooth continuation of vertex values over a mesh, so that UV cuts leave no trace.

Does not know what the values are.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from rome_backend.core.types import F32, F64, HeadModel


class MeshFill:
    """Fills values over a head's template by minimising differences along edges (harmonic).

    Edges count by the inverse of their length, so that values vary per metre, not per vertex.
    """

    def __init__(self, head: HeadModel) -> None:
        corners = head.faces
        pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
        template = head.template.astype(np.float64)
        length = np.linalg.norm(template[pairs[:, 0]] - template[pairs[:, 1]], axis=1)
        self._pairs = pairs
        self._strength = length.mean() / np.maximum(length, 0.1 * length.mean())
        self._count = len(template)
        self._edge = float(length.mean())

    def fill(
        self,
        values: F32 | F64,
        weights: F32 | F64,
        rest: NDArray[np.floating],
        reach: float | F64,
    ) -> F64:
        """Continue known values over the mesh.

        Args:
            values: (V, C); weights: (V,), 0 unknown, about 1 well known.
            rest: (C,) or (V, C), what values return to far from anything known.
            reach: m over which they do, one for all or (V,).

        Returns:
            (V, C), finite everywhere.
        """
        a, b = self._pairs.T
        adjacency = sparse.coo_matrix((self._strength, (a, b)), (self._count, self._count))
        adjacency = (adjacency + adjacency.T).tocsr()
        degree = np.asarray(adjacency.sum(1)).ravel()
        known = 20 * np.asarray(weights, np.float64)
        pull = np.maximum(degree, 1e-3) / 4 * (self._edge / reach) ** 2
        system = sparse.diags(degree + known + pull) - adjacency
        rest = np.broadcast_to(rest, values.shape).astype(np.float64)
        right = known[:, None] * np.nan_to_num(values) + pull[:, None] * rest
        return splu(system.tocsc()).solve(right)
