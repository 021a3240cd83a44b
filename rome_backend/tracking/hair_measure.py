# SPDX-License-Identifier: Apache-2.0
"""Measures a person's hair in a photo: how far it stands off on each side, and how it falls.

Does not know meshes' topology or the offset basis.

Method (our own): the chart's two sides that a viewer sees as outline are compared with the matte
row by row; where hair is seen beside and below the jaw it falls in curtains down to its hem. What
no one can see follows from the sides: hair as thick at the back as beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from rome_backend.core.types import F64
from rome_backend.open_head.drape import start_place
from rome_backend.open_head.hair import INTO_SHOULDER
from rome_backend.open_head.hair_chart import (
    AZIMUTHS,
    ROW_M,
    grid_azimuths,
    grid_ways,
    sample,
    smooth,
)
from rome_backend.open_head.hair_rest import (
    Curtain,
    hanging_reach,
    lying_reach,
    shoulder_way,
    slim_reach,
)
from rome_backend.open_head.scalp import Scalp
from rome_backend.tracking.hair_curls import curled, roughness
from rome_backend.tracking.hair_rays import HairSide, Seen, hair_side, mirrored
from rome_backend.tracking.hair_tails import tail_way, tied_reach, with_tail
from rome_backend.tracking.outline import SquareView

_FREE_M = 0.12  # m of hair at most where it does not lie on anything
_LYING = 0.018  # m: thickness of hair that lies on shoulders or chest
_BUSHY = 0.02  # m of hair beside the ear that covers it
_FLARE = 0.45  # m by which hair may widen per m downwards
_THIN = -0.008  # m that a skull may be smaller than the fitted one
_TURNED = np.radians(62.0)  # a side whose outline lies further in front shows the face
_BESIDE, _HANGS = 0.006, 0.010  # m of hair beside the skin: some; enough to be long hair
_KNOWN_ROWS = 8
_LOW_FRONT = 0.35
_NEAR_FRONT, _DRAPED, _COVERING, _TUCKED = np.radians((50.0, 70.0, 80.0, 100.0))
_BEHIND = 0.007  # m: hair whose inner edge lies so near the face's outline comes from behind it


@dataclass(frozen=True)
class HairShape:
    """outer (AZIMUTHS, ROWS) m: reach of the hair's surface; curtains: none to two."""

    outer: F64
    curtains: tuple[Curtain, ...]


def measure_hair(scalp: Scalp, view: SquareView, seen: Seen) -> HairShape | None:
    """Return the hair that explains what is seen round a bald head, None if nothing is known."""
    sides = [hair_side(scalp, view, seen, sign) for sign in (1, -1)]
    usable = [s for s in sides if abs(s.azimuth) > _TURNED]
    if all(np.isfinite(s.rows).sum() < _KNOWN_ROWS for s in usable):
        return None
    upper = 0.75 * scalp.chart.equator
    sides = [s if s in usable else mirrored(usable[0], s, upper) for s in sides]
    hems = [_hem(scalp, s) for s in sides]
    if any(hems) and not all(hems):
        sides, hems = _both(scalp, sides, hems)
    tail = tail_way(sides, hems, _ear_rows(scalp), _nape(scalp), seen.cover)
    if tail:
        sides, hems = _tied(scalp, sides)
    rows = np.stack([_completed(_own_rows(scalp, s)) for s in sides])
    ways = grid_ways()
    # both sides meet at the crown
    crown = rows[:, : round(0.03 / ROW_M)].mean()
    rows = crown + (rows - crown) * _step(ways / 0.05)
    below = ways > ways[_ear_rows(scalp)[0]]
    grown = np.minimum.accumulate(np.where(below, rows - _FLARE * ways, np.inf), axis=1)
    rows = np.where(below, grown + _FLARE * ways, rows)
    outer = _outer(scalp, sides, rows, hems)
    curtains = tuple(
        _curtain(scalp, view, side, hem, outer)
        for side, hem in zip(sides, hems, strict=True)
        if hem
    )
    curtains = _agreeing(scalp, curtains)
    if tail:
        outer = tied_reach(outer, slim_reach(scalp), _ear_rows(scalp)[0], seen.cover)
        tail = min(tail, scalp.bottom - 0.025)
        curtains = tuple(replace(c, hem=with_tail(c.hem, tail)) for c in curtains)
    rough = [roughness(side.rows, _ear_rows(scalp)[0] * ROW_M) for side in usable]
    outer = curled(scalp, lying_reach(scalp, outer, curtains), rough)
    return HairShape(outer, curtains)


def _nape(scalp: Scalp) -> float:
    return float(np.linalg.norm(scalp.flat[scalp.edge[np.argmax(np.abs(scalp.place))]]))


def _tied(scalp: Scalp, sides: list[HairSide]) -> tuple[list[HairSide], list[float]]:
    """Return sides and hems (m) of what is tied behind: it covers the ears and ends there."""
    _, bottom = _ear_rows(scalp)
    return [replace(s, covered=True) for s in sides], [float((bottom + 1) * ROW_M)] * 2


def _both(
    scalp: Scalp, sides: list[HairSide], hems: list[float]
) -> tuple[list[HairSide], list[float]]:
    """Return sides and hems (m) when hair was seen to hang on one side only."""
    top, bottom = _ear_rows(scalp)
    other = hems.index(0.0)
    if max(hems) > grid_ways()[bottom] + 0.03:
        # long hair is tucked behind the other ear
        return sides, [hem or _nape(scalp) + 0.01 for hem in hems]
    beside = sides[other].rows[top : (top + bottom) // 2]
    if np.isfinite(beside).any() and np.nanmedian(beside) > _BUSHY:
        covered = [replace(s, covered=True) if k == other else s for k, s in enumerate(sides)]
        return covered, [max(hems)] * 2
    return sides, [0.0, 0.0]


def _agreeing(scalp: Scalp, curtains: tuple[Curtain, ...]) -> tuple[Curtain, ...]:
    """Return the curtains with one hem at the nape, and not above it."""
    if len(curtains) < 2:
        return curtains
    middle = np.maximum((curtains[0].hem + curtains[1].hem) / 2, _nape(scalp) + 0.004)
    share = _step((np.abs(grid_azimuths()) - np.radians(110)) / np.radians(60))
    return tuple(replace(c, hem=c.hem + share * (middle - c.hem)) for c in curtains)


def _own_rows(scalp: Scalp, side: HairSide) -> F64:
    """Return the outline's rows (ROWS,) m without what is shoulder or arm and no hair."""
    _, bottom = _ear_rows(scalp)
    low = np.arange(len(side.rows)) > bottom + round(0.02 / ROW_M)
    hair = np.where(side.hairy > _BESIDE, np.fmin(side.hairy, side.rows), np.nan)
    return np.where(low, hair, side.rows)


def _completed(rows: F64) -> F64:
    """Return an outline (ROWS,) m with gaps closed and single hairs smoothed away."""
    known = np.flatnonzero(np.isfinite(rows))
    if not len(known):
        return np.zeros(len(rows))
    whole = np.interp(np.arange(len(rows)), known, rows[known])
    whole = median_filter(whole, 7, mode="nearest")
    return np.maximum(gaussian_filter1d(whole, 2.0, mode="nearest"), _THIN)


def _ear_rows(scalp: Scalp) -> tuple[int, int]:
    """Return the first and last row at which the ears stand out."""
    beside = np.abs(np.abs(grid_azimuths()) - np.radians(95)) < np.radians(30)
    out = (scalp.body - scalp.bare)[beside].max(axis=0) > 0.008
    rows = np.flatnonzero(out & (grid_ways() < scalp.chart.equator + 0.12))
    if not len(rows):
        first = int(scalp.chart.equator / ROW_M)
        return first, first + 15
    return int(rows[0]), int(rows[-1])


def _hem(scalp: Scalp, side: HairSide) -> float:
    """Return the way (m) from the pole to the hem of one side's hair, 0 when none hangs.

    Nothing tells where hair hangs beside a head without ears.
    """
    if not scalp.ears:
        return 0.0
    top, bottom = _ear_rows(scalp)
    start = (top + bottom) // 2
    gap = round(0.012 / ROW_M)
    last = start
    for row in range(start, len(side.hairy)):
        if side.hairy[row] > _BESIDE:
            last = row
        elif row - last > gap:
            break
    reach = round(0.02 / ROW_M)
    long_ = last > bottom + reach and np.median(side.hairy[bottom : bottom + reach]) > _HANGS
    if not long_ and not (side.covered and last >= bottom - round(0.008 / ROW_M)):
        return 0.0
    return float((last + 1) * ROW_M)


def _outer(scalp: Scalp, sides: list[HairSide], rows: F64, hems: list[float]) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m: measured at the sides, concluded between them."""
    azimuth, ways = grid_azimuths(), grid_ways()
    top, _ = _ear_rows(scalp)
    weight = (1 + np.cos(azimuth[:, None] - np.array([s.azimuth for s in sides]))) / 2
    weight /= weight.sum(axis=1, keepdims=True)
    thickness = weight @ rows
    # swept back or combed forward, hair rises gently from the forehead
    front = 1 - _step((np.abs(azimuth) - np.radians(35)) / np.radians(40))[:, None]
    thickness = thickness * (1 - _LOW_FRONT * front * _step((ways - 0.04) / 0.05)[None])
    slim = slim_reach(scalp)
    lying = slim + thickness
    low = np.clip((ways - ways[top]) / 0.03, 0, 1)[None]
    cap = thickness[:, max(top - 8, 0) : top + 1].mean(axis=1, keepdims=True)
    hang = hanging_reach(scalp, 0.35) + cap
    back = _step((np.abs(azimuth) - np.radians(100)) / np.radians(60))[:, None] * low
    result = lying + back * (hang - lying)
    for side, hem in zip(sides, hems, strict=True):
        if not hem:
            # short hair tapers off below the ears
            own = np.cos((azimuth - np.sign(side.azimuth) * np.pi / 2) / 2)[:, None] ** 2
            fade = _step((ways - ways[top]) / 0.06)[None]
            result = result - own * fade * np.maximum(result - slim - 0.003, 0)
    soft = gaussian_filter1d(result, 5.0, axis=1, mode="nearest")
    rear = _step((np.abs(azimuth) - np.radians(95)) / np.radians(40))[:, None]
    rear = rear * _step((ways - 0.03) / 0.04)
    result = smooth(result + rear * (soft - result), 2.0, 2.0)
    # on shoulders and chest it lies flat
    flat = _step((scalp.body - slim - 0.005) / 0.03)
    return np.minimum(result, scalp.body + _LYING + _FREE_M * (1 - flat))


def _curtain(scalp: Scalp, view: SquareView, side: HairSide, hem: float, outer: F64) -> Curtain:
    ways = grid_ways()
    top, bottom = _ear_rows(scalp)
    shoulder = shoulder_way(scalp, outer)
    last = min(int(hem / ROW_M), bottom + round(0.03 / ROW_M))
    front = _front(scalp, view, side, slice((top + bottom) // 2, last))
    front = min(front, _COVERING) if side.covered else max(front, _TUCKED)
    azimuth = np.abs(grid_azimuths())
    in_front = 1 - _step((azimuth - np.radians(68)) / np.radians(16))
    behind = _step((azimuth - np.radians(105)) / np.radians(30))
    draped = hem > float(np.interp(np.radians(60), grid_azimuths(), shoulder)) + 0.02
    slack = INTO_SHOULDER + 0.035 * behind + (0.09 * in_front if draped else 0.0)
    line = np.minimum(np.minimum(hem, shoulder + slack), scalp.bottom - 0.025)
    line = gaussian_filter1d(line, 2.0 * AZIMUTHS / 144, mode="wrap")
    low = front if hem < ways[bottom] + 0.05 else max(front, _COVERING)
    if draped and side.covered:
        low = min(front, _DRAPED)
    begin = front - np.radians(12) if side.covered else np.radians(100)
    return Curtain(side.sign, start_place(scalp, side.sign, begin), front, low, line)


def _front(scalp: Scalp, view: SquareView, side: HairSide, rows: slice) -> float:
    """Return the azimuth (rad) at which the hair's inner edge is seen beside the face.

    Where it lies on the face's own outline, the hair comes from behind it.
    """
    angles = np.linspace(_NEAR_FRONT, np.radians(110), 61)
    ring = side.sign * angles
    slim, found = slim_reach(scalp), []
    for row in range(rows.start, rows.stop):
        if not np.isfinite(side.inner[row]):
            continue
        way = grid_ways()[row]
        flat = way * np.stack([np.sin(ring), np.cos(ring)], axis=1)
        skin = side.sign * view.project(scalp.chart.solid(flat, sample(slim, flat)))[:, 0]
        edge = way * np.array([[np.sin(side.azimuth), np.cos(side.azimuth)]])
        reach = sample(slim, edge) + side.inner[row]
        inner = side.sign * float(view.project(scalp.chart.solid(edge, reach))[0, 0])
        beside = inner > skin.max() - _BEHIND * view.scale
        found.append(_COVERING if beside else angles[int(np.argmax(skin >= inner))])
    return float(np.median(found)) if found else _COVERING


def _step(value: F64 | NDArray[np.float64]) -> F64:
    part = np.clip(value, 0.0, 1.0)
    return part**2 * (3 - 2 * part)
