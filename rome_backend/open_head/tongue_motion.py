# SPDX-License-Identifier: Apache-2.0
"""tongueOut: the tongue bends over the lower lip of a mouth that is a little open.

Does not know the tongue's own mesh, and is an approximation: no muscle, no contact with teeth.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from rome_backend.core.types import F64
from rome_backend.open_head.geometry import HeadGeometry

JAW_OPENS = 0.32
UPPER_LIP, LOWER_LIP = 13, 14
# Along the tongue from its root (0) to its tip (1): how high its middle runs over the lower lip's
# edge and how far before that edge, in mm; at the root it stays.
ALONG = (0.5, 0.72, 0.85, 1.0)
HEIGHT_MM = (1.5, 3.6, 3.0, -3.5)
BEFORE_LIP_MM = (-22.0, -4.0, 4.0, 12.0)
FLATTER, NARROWER = 0.42, 0.85


def tongue_out(geometry: HeadGeometry, opened: F64) -> F64:
    """Return tongueOut (V, 3) m: the mouth a little open, the tongue's tip before the lower lip.

    opened (V, 3) m: jawOpen. A head without a tongue opens its mouth only.
    """
    delta = JAW_OPENS * opened
    tongue = geometry.regions.get("tongue")
    if tongue is None or not tongue.any():
        return delta
    points = geometry.vertices[tongue]
    back, front = points[:, 2].min(), points[:, 2].max()
    along = (points[:, 2] - back) / (front - back)
    middle = np.polyval(np.polyfit(along, points[:, 1], 3), along)
    root = np.polyval(np.polyfit(along, points[:, 1], 3), 0.0)
    lip = geometry.vertices[LOWER_LIP] + delta[LOWER_LIP]
    places = np.r_[0.0, ALONG]
    height = PchipInterpolator(places, np.r_[root, lip[1] + np.array(HEIGHT_MM) / 1000])(along)
    depth = PchipInterpolator(places, np.r_[back, lip[2] + np.array(BEFORE_LIP_MM) / 1000])(along)
    forward = along * along * (3 - 2 * along)
    out = points.copy()
    out[:, 0] *= 1 - (1 - NARROWER) * forward
    out[:, 1] = height + (points[:, 1] - middle) * (1 - (1 - FLATTER) * forward)
    out[:, 2] = depth
    delta[tongue] = out - points
    return delta
