# SPDX-License-Identifier: Apache-2.0
"""Whether two identities are one person: the odds, by what the fit gets right and what it does not.

Does not know photos or cameras. tools/compute_identity_metric.py learned the numbers.

Source: probabilistic linear discriminant analysis (Ioffe 2006, Prince and Elder 2007) of fitted
landmarks; the people it was learned from are synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from rome_backend.core.landmarks import LANDMARKS_105
from rome_backend.core.types import F64, HeadModel

FILE = Path(__file__).with_name("identity_metric.npz")


@dataclass(frozen=True)
class IdentityMetric:
    """Measures of a face in which photos of one person differ by a standard deviation of one.

    mean (315,) mm: the usual fit, of the 105 landmarks' displacements from the average head;
    axes (315, K) per mm; between (K,): variance of each measure from person to person.
    """

    mean: F64
    axes: F64
    between: F64

    def distances(self, displacements: F64) -> F64:
        """Return log odds (N, N) against one person for displacements (N, 315) mm."""
        seen = (displacements - self.mean) @ self.axes
        spread = 1 + self.between
        shared = spread**2 - self.between**2
        squares = seen**2
        pairs = squares[:, None] + squares[None]
        product = seen[:, None] * seen[None]
        one = (spread * pairs - 2 * self.between * product) / shared + np.log(shared)
        two = pairs / spread + 2 * np.log(spread)
        return (one - two).sum(axis=2) / 2


@lru_cache(maxsize=1)
def identity_metric() -> IdentityMetric:
    """Return the metric that belongs to the face fit."""
    with np.load(FILE) as stored:
        return IdentityMetric(
            *(stored[name].astype(np.float64) for name in ("mean", "axes", "between"))
        )


def landmark_displacements(head: HeadModel, shapes: Sequence[F64]) -> F64:
    """Return how far shapes N x (S,) move the 105 landmarks: (N, 315) mm.

    Raises ValueError when the head model lacks some of them.
    """
    place = {int(index): row for row, index in enumerate(head.landmarks.indices)}
    if not set(LANDMARKS_105) <= set(place):
        raise ValueError("the head model lacks landmarks that tell identities apart")
    rows = np.array([place[index] for index in LANDMARKS_105])
    corners = head.faces[head.landmarks.faces[rows]]
    dirs = np.einsum("lc,lcxs->lxs", head.landmarks.barycentric[rows], head.shape_dirs[corners])
    return 1000 * np.stack(shapes) @ dirs.reshape(-1, dirs.shape[2]).T


def identity_distances(head: HeadModel, shapes: Sequence[F64]) -> F64:
    """Return how unlike identities are: (N, N), symmetric, from fitted shapes N x (S,).

    The natural logarithm of the odds that two fits of single photos show two people, when one is
    as likely as two before: 0 is undecided, less than 0 rather one person. What photos of one
    person disagree about counts little, what is rare counts much.
    """
    return identity_metric().distances(landmark_displacements(head, shapes))
