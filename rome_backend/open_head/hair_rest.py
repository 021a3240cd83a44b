# SPDX-License-Identifier: Apache-2.0
"""What hair hangs and lies on: how far it reaches beside neck, on shoulders, back and chest.

Does not know photos, styles or the scalp's mesh laid out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter, minimum_filter1d

from rome_backend.core.types import F64
from rome_backend.open_head.hair_chart import grid_azimuths, grid_ways, smooth
from rome_backend.open_head.scalp import Scalp

LIES = 0.008  # m of body above hair that it lies on; into twice as much it goes
_FLAT = 0.012  # m over the skin up to which hair lies on it
_ALONG = 3  # half the rows above its hem in which it must, too
_SLOPES = (1.2, 1.8)  # m outwards per m downwards: of what hair lies on, and goes into
_LINING, _MOST_LINING = 0.005, 0.012  # m of hair over its lining; that it is raised by for it
_SKIN_OF_HEM = (5, 9)  # columns and rows of the chart round a hem that are all body
_ON_BODY = 0.010  # m of hair at least where it lies on back or chest
_SHOULDER = np.radians(78.0)  # azimuth behind which a hem ends on the shoulder


@dataclass(frozen=True)
class Curtain:
    """Hair that falls beyond the scalp on one side.

    side: 1 left, -1 right; start: place on the scalp's edge (0..1, from the forehead to the nape)
    where its front edge begins; front: azimuth (0..pi rad) of the front edge beside the jaw; low:
    the same at the hem; hem (AZIMUTHS,) m: way from the pole to the hem, of which this side counts.
    """

    side: int
    start: float
    front: float
    low: float
    hem: F64


def lying_reach(scalp: Scalp, outer: F64, curtains: tuple[Curtain, ...]) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of hair that lies on the back, and on the chest where a
    curtain ends there, instead of falling into them. outer: as it would fall."""
    azimuth = grid_azimuths()
    lies = _step((np.abs(azimuth) - np.radians(105)) / np.radians(30))
    for curtain in curtains:
        front = 1 - _step((np.abs(azimuth) - np.radians(68)) / np.radians(16))
        own = (curtain.side * azimuth > 0) & (curtain.low < _SHOULDER)
        lies = np.where(own, np.maximum(lies, front), lies)
    below = np.clip((grid_ways() - scalp.chart.equator) / 0.05, 0, 1)
    # what falls on a shoulder goes into it and does not come out below
    over = np.maximum.accumulate(shelf(scalp) * (scalp.body > outer - LIES), axis=1)
    below = below * (1 - smooth(over, 2.0, 2.0))
    outer = outer + lies[:, None] * below * np.maximum(scalp.body + _ON_BODY - outer, 0)
    return _over_lining(scalp, outer, curtains)


def _over_lining(scalp: Scalp, outer: F64, curtains: tuple[Curtain, ...]) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of hair that covers the straight way from nape to hem,
    on which its lining lies."""
    ways, azimuth = grid_ways(), grid_azimuths()
    nape = float(np.linalg.norm(scalp.flat[scalp.edge], axis=1).max()) if curtains else 0.0
    inner = slim_reach(scalp)[:, np.searchsorted(ways, nape), None]
    raised = np.zeros_like(outer)
    for curtain in curtains:
        row = np.clip(np.searchsorted(ways, curtain.hem), 1, len(ways) - 1)
        end = outer[np.arange(len(outer)), row, None]
        share = (ways - nape) / np.maximum(ways[row, None] - nape, 0.01)
        straight = inner + (end - inner) * share + _LINING
        own = (curtain.side * azimuth > 0) & (np.abs(azimuth) > curtain.low)
        within = own[:, None] & (share > 0) & (share < 1)
        raised += np.where(within, np.clip(straight - outer, 0.0, _MOST_LINING), 0.0)
    return outer + smooth(raised, 1.0, 1.0)


def shelf(scalp: Scalp) -> F64:
    """Return how far the body (AZIMUTHS, ROWS) is too flat to lie on: 0 a back, 1 a shoulder."""
    slope = np.gradient(smooth(scalp.body, 2.0, 2.0), grid_ways(), axis=1)
    return _step((slope - _SLOPES[0]) / (_SLOPES[1] - _SLOPES[0]))


def lies_along(scalp: Scalp, outer: F64) -> F64:
    """Return how far (AZIMUTHS, ROWS) hair with this reach lies on the body, here and above."""
    away = np.maximum(outer - scalp.body, 0.0)
    lying = (1 - _step((away - _FLAT) / _FLAT)) * (1 - shelf(scalp))
    rows = 2 * _ALONG + 1
    return smooth(minimum_filter1d(lying, rows, origin=_ALONG, axis=1, mode="nearest"), 1.0, 1.0)


def slim_reach(scalp: Scalp) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of head and neck, the neck going on in the shoulders."""
    low = grid_ways() > scalp.chart.equator + 0.06
    return np.where(low, np.minimum.accumulate(np.where(low, scalp.bare, np.inf), 1), scalp.bare)


def inner_reach(scalp: Scalp) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m up to which all is body."""
    inner: F64 = minimum_filter(scalp.bare, _SKIN_OF_HEM, mode=("wrap", "nearest"))
    return inner


def hanging_reach(scalp: Scalp, cling: float) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of a cloth over the head: straight down where widest.

    cling: 0 falls straight, 1 follows the neck. It falls into the shoulders.
    """
    ways, slim = grid_ways(), slim_reach(scalp)
    below = ways > scalp.chart.equator - 0.02
    widest = np.where(below[None], slim, 0.0)
    widest = np.where(below[None], np.maximum.accumulate(widest, axis=1), slim)
    depth = _step((ways - scalp.chart.equator - 0.03) / 0.10)[None]
    return slim + (widest - slim) * (1 - cling * depth)


def shoulder_way(scalp: Scalp, outer: F64, slack: float = -0.008) -> F64:
    """Return the way (AZIMUTHS,) m at which hair with this outer reach lies on the shoulders."""
    over = (scalp.body > outer + slack) & (grid_ways() > scalp.chart.equator + 0.08)[None]
    found = np.where(over.any(axis=1), over.argmax(axis=1), outer.shape[1] - 1)
    ways = minimum_filter1d(grid_ways()[found], 9, mode="wrap")
    return gaussian_filter1d(ways, 3.0, mode="wrap")


def _step(value: F64) -> F64:
    part = np.clip(value, 0.0, 1.0)
    return part**2 * (3 - 2 * part)
