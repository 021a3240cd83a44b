# SPDX-License-Identifier: Apache-2.0
"""Unfolds a flat mesh: turns faces back that were turned over.

Does not know hair, charts or any topology.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F64

_LEAST_AREA = 0.1  # share of a face's first area that it keeps
_ROUNDS = 400
_ENOUGH = 0.7  # share of that area that may be missing at the end
_EASE = 0.4
_MOST = 1.5
_STIFF = 0.2


def unfolded(flat: F64, first: F64, faces: NDArray[np.integer], fixed: NDArray[np.integer]) -> F64:
    """Return points (H, 2) m among which no face is turned over or crushed any more.

    flat (H, 2) m: where they were laid; first (H, 2) m: where they lay before, which says how
    faces (F, 3) turn and how large they are; fixed: points that stay if that can be. Only such
    faces move, each round by what would mend it alone; that may take more rounds than there are.
    Source: our own, a Jacobi iteration on the squares of missing areas.
    """
    before = _turning(first, faces)
    scale = np.sign(before) / np.maximum(_LEAST_AREA * np.abs(before), 1e-12)
    loose = np.ones(len(flat))
    loose[fixed] = _STIFF
    result = flat.copy()
    for _ in range(_ROUNDS):
        lack = 1 - scale * _turning(result, faces)
        bad = lack > 0
        if lack.max(initial=0.0) < _ENOUGH:
            break
        own, lack = faces[bad], np.minimum(lack[bad], _MOST)
        a, b, c = (result[own[:, k]] for k in range(3))
        turn = np.concatenate([b - c, c - a, a - b])
        slope = np.tile(scale[bad], 3)[:, None] * np.column_stack([turn[:, 1], -turn[:, 0]])
        corner = own.T.ravel()
        steps = np.tile(lack, 3)[:, None] * slope
        size = np.bincount(corner, (slope**2).sum(axis=1), len(flat)) + 1e-12
        for axis in (0, 1):
            moved = np.bincount(corner, steps[:, axis], len(flat)) / size
            result[:, axis] += _EASE * loose * moved
    return result


def _turning(flat: F64, faces: NDArray[np.integer]) -> F64:
    a, b = (flat[faces[:, k]] - flat[faces[:, 0]] for k in (1, 2))
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
