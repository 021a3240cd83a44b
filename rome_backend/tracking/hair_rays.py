# SPDX-License-Identifier: Apache-2.0
"""Looks along rays from a bald head's outline: how far person and hair go on on each side.

Does not know hair styles or meshes' topology.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.types import F64, Mask
from rome_backend.open_head.hair_chart import ROWS, grid_ways, sample
from rome_backend.open_head.hair_rest import slim_reach
from rome_backend.open_head.scalp import Scalp
from rome_backend.tracking.outline import SquareView

_OUT_M, _IN_M = 0.12, 0.012
_STEP_M = 0.001
_GAP_M = 0.004
_CLEAR_M = 0.008  # m beyond the outline that must be known
_NEAR_M = 0.02  # m beyond the outline that the photo shows where it shows it at all
_COVERED = 0.55
_HIDDEN_M = 0.025


@dataclass(frozen=True)
class Seen:
    """What a photo shows in the view's square (S, S): person, hair and known pixels; ears: the
    pixels where the bald head would show its ears; cover: a scarf or hat is worn, not hair."""

    person: Mask
    hair: Mask
    known: Mask
    ears: Mask
    cover: bool = False


@dataclass(frozen=True)
class HairSide:
    """One side's outline: rows (ROWS,) m beyond bare skin, nan where unknown; hairy (ROWS,):
    how far hair is seen beyond the skin in m, and inner (ROWS,) where it begins; azimuth rad;
    covered: hair lies over the ear; sign: 1 left, -1 right; last: row up to which the photo shows
    the outline."""

    sign: int
    azimuth: float
    rows: F64
    hairy: F64
    covered: bool
    inner: F64
    last: int = ROWS


def hair_side(scalp: Scalp, view: SquareView, seen: Seen, sign: int) -> HairSide:
    """Return what is seen along the outline of one side: sign 1 the subject's left, -1 its right.

    In each of the chart's rows a ray runs outwards through the outline of the bald head.
    """
    right = sign * view.fit.rotation[0]
    azimuth = float(np.arctan2(right[0], right[2]))
    ways = grid_ways()
    flat = np.stack([ways * np.sin(azimuth), ways * np.cos(azimuth)], axis=1)
    bare = sample(slim_reach(scalp), flat)
    reach = np.arange(-_IN_M, _OUT_M, _STEP_M)
    points = scalp.chart.solid(
        np.repeat(flat[:, None], len(reach), axis=1), bare[:, None] + reach[None]
    )
    px = view.project(points.reshape(-1, 3))[:, :2].reshape(*points.shape[:2], 2)
    person, known = _look(seen.person, px), _look(seen.known, px)
    hair = _look(seen.hair, px)
    extent = _last(person, reach)
    beyond = np.searchsorted(reach, extent + _CLEAR_M)
    end = np.clip(beyond, 0, len(reach) - 1)
    whole = np.logical_and.accumulate(known, axis=1)
    told = whole[np.arange(len(ways)), end] & (extent < _OUT_M - 2 * _STEP_M)
    ear = seen.ears & (np.arange(seen.ears.shape[1])[None] * sign > _middle(seen, sign))
    covered = bool(ear.sum() < 8 or seen.hair[ear].mean() > _COVERED)
    hairy, inner = _run(hair, reach)
    shown = np.flatnonzero(known[:, : round((_IN_M + _NEAR_M) / _STEP_M)].all(axis=1))
    last = int(shown[-1]) if len(shown) else 0
    return HairSide(sign, azimuth, np.where(told, extent, np.nan), hairy, covered, inner, last)


def mirrored(side: HairSide, hidden: HairSide, upper: float) -> HairSide:
    """Return the hidden side as the mirror image of the seen one, but modestly.

    Of a turned head's far side the outline is known down to the way ``upper`` m, where the face
    begins; below, its hair is not thicker than what would stay hidden.
    """
    own = np.where((grid_ways() < upper) & np.isfinite(hidden.rows), hidden.rows, np.inf)
    rows = np.minimum(np.minimum(side.rows, _HIDDEN_M), own)
    hairy = np.minimum(side.hairy, _HIDDEN_M)
    return HairSide(hidden.sign, -side.azimuth, rows, hairy, side.covered, side.inner)


def _middle(seen: Seen, sign: int) -> float:
    columns = np.nonzero(seen.ears.any(axis=0))[0]
    return sign * float((columns.min() + columns.max()) / 2) if len(columns) else 0.0


def _look(mask: Mask, px: F64) -> Mask:
    """Return the mask's values at points (..., 2) px; False outside."""
    at = np.floor(px).astype(int)
    size = mask.shape[0]
    inside = ((at >= 0) & (at < size)).all(axis=-1)
    at = np.clip(at, 0, size - 1)
    return np.asarray(mask[at[..., 1], at[..., 0]] & inside)


def _last(inside: Mask, reach: F64) -> F64:
    """Return how far (R,) m the person goes on along rays (R, K), small gaps allowed."""
    gap = round(_GAP_M / _STEP_M)
    result = np.empty(len(inside))
    for row, ray in enumerate(inside):
        out = np.flatnonzero(~ray)
        runs = out[np.convolve(~ray, np.ones(gap), "valid")[np.minimum(out, len(ray) - gap)] >= gap]
        result[row] = reach[runs[0]] if len(runs) else reach[-1]
    return result


def _run(hair: Mask, reach: F64) -> tuple[F64, F64]:
    """Return outer and inner end (R,) m of the hair on rays (R, K); 0 and nan without hair."""
    some = hair.sum(axis=1) * _STEP_M > 0.003
    outer = reach[hair.shape[1] - 1 - hair[:, ::-1].argmax(axis=1)]
    inner = reach[hair.argmax(axis=1)]
    return np.where(some, outer, 0.0), np.where(some, inner, np.nan)
