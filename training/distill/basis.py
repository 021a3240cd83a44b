# SPDX-License-Identifier: Apache-2.0
"""The linear basis of many people's offsets: principal components of hair and of neck.

Does not know pictures, networks or files.

Source: paper section 3.5; rome-spec sections 1.6 and 4. As the released tables imply: mean-centred,
orthonormal inside each region, not scaled by standard deviations. So a person's coefficients are
plain products, and the distance of two people's coefficients is that of their offsets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.open_head.offset_basis import (
    HAIR_COMPONENTS,
    NECK_COMPONENTS,
    principal_components,
)
from rome_backend.open_head.offset_region import offset_regions

COMPONENTS = HAIR_COMPONENTS + NECK_COMPONENTS


@dataclass(frozen=True)
class LinearBasis:
    """mean (V, 3) m; dirs (3 V, 60), row = 3 vertex + axis: hair first, then neck; a component
    that the people do not have is 0; explained: share of the variance that each region's keep."""

    mean: F32
    dirs: F32
    explained: tuple[float, float]

    def coefficients(self, offsets: F32 | F64) -> F64:
        """Return what of the basis offsets (..., V, 3) m are (..., 60): the pseudo-inverse."""
        away = np.asarray(offsets, np.float64) - self.mean
        return np.asarray(away.reshape(*away.shape[:-2], -1) @ self.dirs.astype(np.float64))

    def offsets(self, coefficients: F64) -> F64:
        """Return the offsets (..., V, 3) m of coefficients (..., 60)."""
        flat = np.asarray(coefficients) @ self.dirs.astype(np.float64).T
        return np.asarray(flat.reshape(*flat.shape[:-1], *self.mean.shape) + self.mean)


def fit_basis(offsets: F32, head: HeadModel) -> LinearBasis:
    """Return the basis of people's offsets (M, V, 3) m on a head model.

    Raises FileInvalid for a head model without hair or neck, ValueError for fewer than two people.
    """
    if len(offsets) < 2:
        raise ValueError("a basis is of at least two people")
    mean = np.zeros(head.template.shape)
    dirs = np.zeros((*head.template.shape, COMPONENTS))
    explained, first = [], 0
    for region, count in zip(offset_regions(head), (HAIR_COMPONENTS, NECK_COMPONENTS), strict=True):
        samples = offsets[:, region.vertices].astype(np.float64)
        mean[region.vertices] = samples.mean(axis=0)
        found = principal_components(samples, region, count)
        sizes = np.linalg.norm(found, axis=(0, 1))
        total = samples.var(axis=0, ddof=1).sum()
        explained.append(float((sizes**2).sum() / total) if total > 0 else 1.0)
        dirs[region.vertices, :, first : first + count] = found / np.maximum(sizes, 1e-12)
        first += count
    flat = dirs.reshape(-1, COMPONENTS).astype(np.float32)
    return LinearBasis(mean.astype(np.float32), flat, (explained[0], explained[1]))
