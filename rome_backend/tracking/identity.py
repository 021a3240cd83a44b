# SPDX-License-Identifier: Apache-2.0
"""Identities of several photos: joined into one, kept within what real faces need.

Does not know photos, cameras or expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rome_backend.core.types import F64

# Faces of photos need up to 4 standard deviations in all, misplaced landmarks twice that.
_LONGEST = 5.0


def bounded_identity(coefficients: F64) -> F64:
    """Return coefficients (S,), scaled down to the longest that real faces have needed.

    Landmarks that missed the face would otherwise make a monster.
    """
    return coefficients * min(1.0, _LONGEST / max(float(np.linalg.norm(coefficients)), 1e-12))


def joined_identity(shapes: Sequence[F64], precisions: Sequence[F64], priors: Sequence[F64]) -> F64:
    """Return the likeliest shape (S,) of one person from several photos' fits.

    shapes: each photo's likeliest (S,); precisions (S, S): how sure each is, its prior included;
    priors (S, S): what it held before. What photos add to their priors is summed, halfway to their
    mean: photos of one session share the tracker's errors.
    """
    count = len(shapes)
    share = (1 + 1 / count) / 2
    prior = np.mean(priors, axis=0)
    added = sum(precision - before for precision, before in zip(precisions, priors, strict=True))
    right = sum(precision @ shape for precision, shape in zip(precisions, shapes, strict=True))
    return bounded_identity(np.linalg.solve(prior + share * added, share * right))
