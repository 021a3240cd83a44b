# SPDX-License-Identifier: Apache-2.0
"""A person matte as a signed distance field that rays can be marched through.

Does not know head models or cameras.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from rome_backend.core.types import F32, F64, Mask

_STEP = 0.75


class MatteField:
    """Signed distance to the matte's 0.5 contour, positive inside, in px of a smaller square.

    Args:
        matte: (C, C) in [0, 1], 1 = person.
        valid: (C, C) where the matte is known; elsewhere the nearest known value goes on, so
            that the picture's border is no contour, and no contour is reported there.
        size: side of the square that it is reduced to, at most C.
    """

    def __init__(self, matte: F32, valid: Mask, size: int = 256) -> None:
        self.size = min(size, matte.shape[0])
        shape = (self.size, self.size)
        known = cv2.resize(valid.astype(np.float32), shape, interpolation=cv2.INTER_AREA) > 0.99
        small = np.asarray(
            cv2.resize(matte.astype(np.float32), shape, interpolation=cv2.INTER_AREA)
        )
        if known.any() and not known.all():
            nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
            small = small[tuple(nearest)]
        self.person: Mask = small > 0.5
        self.known: Mask = known
        inside = cv2.distanceTransform(self.person.astype(np.uint8), cv2.DIST_L2, 5)
        outside = cv2.distanceTransform((~self.person).astype(np.uint8), cv2.DIST_L2, 5)
        # distances count from pixel centres; the contour runs half a pixel further out
        distance = np.where(self.person, inside - 0.5, 0.5 - outside)
        self._distance: F32 = cv2.GaussianBlur(distance, (0, 0), 0.7).astype(np.float32)
        self._known: F32 = known.astype(np.float32)

    def march(self, points: F64, normals: F64, inwards: float, outwards: float) -> F64:
        """Return how far (N,) px along its normal each point (N, 2) px finds the contour.

        normals (N, 2) unit. A point inside the person looks outwards only, one outside looks
        inwards only, each up to its limit in px; nan where nothing known is found.
        """
        reach = np.arange(0.0, max(inwards, outwards) + _STEP, _STEP)
        inside = self._sample(self._distance, points[:, None])[:, 0] > 0
        sign = np.where(inside, 1.0, -1.0)
        limit = np.where(inside, outwards, inwards)
        steps = sign[:, None] * reach
        along = points[:, None] + normals[:, None] * steps[..., None]
        value = self._sample(self._distance, along) * sign[:, None]
        crossing = (value[:, :-1] > 0) & (value[:, 1:] <= 0)
        first = crossing.argmax(axis=1)
        row = np.arange(len(points))
        before, after = value[row, first], value[row, first + 1]
        share = before / np.where(before - after > 1e-9, before - after, 1.0)
        found = sign * (reach[first] + share * _STEP)
        end = points + normals * found[:, None]
        known = self._sample(self._known, np.stack([points, end], axis=1)).min(axis=1) > 0.99
        ok = crossing.any(axis=1) & known & (np.abs(found) <= limit)
        return np.where(ok, found, np.nan)

    def _sample(self, field: F32, points: F64) -> F64:
        """Return values (N, K) of a field at points (N, K, 2) px; 0 unknown outside."""
        at = points.astype(np.float32) - 0.5
        border = cv2.BORDER_CONSTANT if field is self._known else cv2.BORDER_REPLICATE
        return cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=border).astype(
            np.float64
        )
