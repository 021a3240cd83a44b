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


def joined_identity(shapes: Sequence[F64], precisions: Sequence[F64]) -> F64:
    """Return the likeliest shape (S,) of one person from several photos' fits.

    shapes: each photo's likeliest (S,); precisions (S, S): how sure each is, its prior included.
    The mean, by what each photo tells. Several photos are not surer than one: the tracker errs
    about a person in much the same way in all of them (`bench identity`: when what they tell was
    summed, even halfway, more photos raised the error).
    """
    total = np.sum(precisions, axis=0)
    pairs = zip(precisions, shapes, strict=True)
    right = np.sum([precision @ shape for precision, shape in pairs], axis=0)
    return bounded_identity(np.linalg.solve(total, right))
