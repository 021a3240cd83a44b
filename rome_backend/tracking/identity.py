# SPDX-License-Identifier: Apache-2.0
"""Shrinking an identity by what its photos can really tell, and joining several into one.

Does not know photos, cameras or expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rome_backend.core.types import F64, HeadModel
from rome_backend.tracking.priors import identity_gains

# A single landmark's displacement counts as known to 1.5 mm when gains are projected back.
_SIGMA = 0.0015
# Faces of photos need up to 4 standard deviations in all, misplaced landmarks twice that.
_LONGEST = 5.0


def bounded_identity(coefficients: F64) -> F64:
    """Return coefficients (S,), scaled down to the longest that real faces have needed.

    Landmarks that missed the face would otherwise make a monster.
    """
    return coefficients * min(1.0, _LONGEST / max(float(np.linalg.norm(coefficients)), 1e-12))


class IdentityShrinker:
    """Scales the landmark displacement of an identity, sideways/up and in depth apart.

    Args:
        shape: (L, 3, S) displacement of the landmarks per unit of each shape coefficient.
    """

    def __init__(self, shape: F64) -> None:
        grams = np.einsum("lxs,lxt->xst", shape, shape) / _SIGMA**2
        self._across = grams[0] + grams[1]
        self._along = grams[2]
        ridge = self._across + self._along + np.eye(shape.shape[2])
        self._inverse = np.linalg.inv(ridge)

    def __call__(self, coefficients: F64, across: float, along: float) -> F64:
        """Return coefficients (S,) whose landmark displacement is the given one times the gains.

        across: gain of x and y, along: of z (head space). Ridge least squares on the modes.
        """
        target = across * (self._across @ coefficients) + along * (self._along @ coefficients)
        return self._inverse @ target


def joined_identity(shapes: Sequence[F64], yaws: Sequence[float]) -> tuple[F64, float, float]:
    """Return the precision-weighted mean (S,) of several fits' shapes and its two gains.

    A photo's precision follows from its gains (priors.identity_gains): error variance over signal
    is (1 - g) / g for a gain g that is optimal. Independent photos add up their precision, so the
    joint gains are larger than each photo's own; at most 0.9.
    """
    gains = np.array([identity_gains(yaw) for yaw in yaws])
    precision = gains / (1 - gains)
    weights = precision[:, 0] / precision[:, 0].sum()
    # photos of one session share the tracker's bias: half of the added precision counts
    pooled = (precision.max(0) + precision.sum(0)) / 2
    across, along = np.minimum(pooled / (1 + pooled), 0.9)
    return weights @ np.stack(shapes), float(across), float(along)


def identity_distances(head: HeadModel, shapes: Sequence[F64]) -> F64:
    """Return how unlike identities are: (N, N), symmetric, 0 for the same, from shapes N x (S,).

    The root mean square distance of the head's landmarks, in m.
    """
    rows = head.faces[head.landmarks.faces]
    dirs = np.einsum("lc,lcxs->lxs", head.landmarks.barycentric, head.shape_dirs[rows])
    points = np.stack(shapes) @ dirs.reshape(-1, dirs.shape[2]).T
    square = (points**2).sum(axis=1)
    apart = square[:, None] + square[None] - 2 * points @ points.T
    return np.sqrt(np.maximum(apart, 0.0) / len(dirs))
