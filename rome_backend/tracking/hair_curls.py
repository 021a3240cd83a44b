# SPDX-License-Identifier: Apache-2.0
"""Lumps of curly hair: as rough as its outline is seen to be, all over the head.

Does not know photos or meshes.

Method (our own): how far the outline's rows stray from their own smooth line tells curls from
straight hair; a billowy noise of the size of locks repeats that where nobody can see it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from rome_backend.core.types import F64
from rome_backend.open_head.hair_chart import ROW_M, grid_points
from rome_backend.open_head.hair_rest import slim_reach
from rome_backend.open_head.scalp import Scalp

_STRAIGHT_M, _CURLY_M = 0.0019, 0.0034  # roughness of straight hair, and of dreads and curls
_HEIGHT_M = 0.008  # of the lumps of the curliest
_LOCK_M = 0.034  # from lump to lump
_THIN_M = 0.012  # m of hair over which lumps grow to their height
_WAVES = 24
_CROWN_M = 0.024  # m from the pole where rows are too short to tell


def roughness(rows: F64, lowest: float) -> float:
    """Return how far (m, root mean square) an outline strays from its smooth line.

    rows (ROWS,) m beyond the skin, nan where unknown; lowest m: the way from the pole down to
    which they count. 0 where too little is known.
    """
    own = rows[round(_CROWN_M / ROW_M) : round(lowest / ROW_M)]
    known = np.flatnonzero(np.isfinite(own))
    if len(known) < 12:
        return 0.0
    whole = np.interp(np.arange(len(own)), known, own[known])
    stray = (whole - gaussian_filter1d(whole, 3.0, mode="nearest"))[2:-2]
    return float(np.sqrt(np.mean(stray**2)))


def curled(scalp: Scalp, outer: F64, rough: Sequence[float]) -> F64:
    """Return the reach outer (AZIMUTHS, ROWS) m with lumps for outlines as rough (m) as these."""
    share = (float(np.mean(rough)) - _STRAIGHT_M) / (_CURLY_M - _STRAIGHT_M)
    if share <= 0:
        return outer
    thick = np.clip((outer - slim_reach(scalp)) / _THIN_M, 0, 1)
    height = _HEIGHT_M * min(share, 1.0)
    return outer + height * thick * _billows(scalp.chart.solid(grid_points(), outer))


def _billows(points: F64) -> F64:
    """Return round lumps with creases between, of mean 0 and about unit height, at points
    (..., 3) m."""
    random = np.random.default_rng(0)
    ways = random.normal(size=(_WAVES, 3))
    ways *= np.pi / _LOCK_M / np.linalg.norm(ways, axis=1, keepdims=True)
    angle = points @ ways.T + random.uniform(0, 2 * np.pi, _WAVES)
    field = np.sqrt(2 / _WAVES) * np.cos(angle).sum(axis=-1)
    lumps: F64 = np.minimum(np.abs(field), 2.0) - np.sqrt(2 / np.pi)
    return lumps
