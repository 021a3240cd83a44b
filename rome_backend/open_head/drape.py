# SPDX-License-Identifier: Apache-2.0
"""Lays the scalp's mesh out as hair: front edges, hem and height over the body.

Does not know photos or how styles are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d
from scipy.spatial import cKDTree

from rome_backend.core.types import F64
from rome_backend.open_head.hair_chart import (
    azimuth_of,
    grid_azimuths,
    grid_ways,
    sample,
)
from rome_backend.open_head.scalp import Scalp

MARGIN = 0.004  # m that hanging hair keeps off the skin
HAIRLINE_SLOPE = 1.0  # m of thickness per m from the hairline
NAPE_SLOPE = 0.7
_ROUNDING = 0.022  # m from the front edge over which hair rises to its thickness
_DIP = 0.0015  # m that the front edge lies below the cheek's skin, so that no gap shows
_SHELL = 0.02  # m: thickness of hair's front edge beside the neck
_GATHERED = 0.10  # m from the hem and the front edge within which rows move closer
_LEAST = 0.25  # share of their way that such rows keep
_ROLLED = 0.04  # m from the hem over which it turns in
_ROLL = 0.022  # m by which the hem turns in
_HANGING = 0.015  # m that an edge point sinks before it counts as hanging
_PATH = 160
_CORNER = 7.0
_ROUNDS = 40
_ORDER = 0.5


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


@dataclass(frozen=True)
class Layout:
    """Where the scalp's vertices lie: flat (H, 2) m in the chart; hanging (H,) 0..1: how far they
    left the skin; open (H,) 0..1: nearer to a front edge (1) than to the hem; away (H,) m: how
    far from the hanging edge."""

    flat: F64
    hanging: F64
    open: F64
    away: F64


def lay_out(scalp: Scalp, curtains: tuple[Curtain, ...]) -> Layout:
    """Return the layout of hair with these curtains, none or one for each side.

    It is made with a hem of one length, whose disc is convex, so that nothing folds; the ways are
    shortened to the real hem afterwards.
    """
    if not len(scalp.edge):
        curtains = ()
    longest = max((float(curtain.hem.max()) for curtain in curtains), default=1.0)
    rest = scalp.flat[scalp.edge]
    target, opened = rest.copy(), np.zeros(len(rest))
    for curtain in curtains:
        chosen = np.flatnonzero(curtain.side * scalp.place >= curtain.start)
        if len(chosen) < 4:
            continue
        # the middle of the nape belongs to both sides
        path, front = _path(curtain, longest, rest[chosen], scalp.place[chosen])
        ways = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        share = (np.abs(scalp.place[chosen]) - curtain.start) / max(1 - curtain.start, 1e-9)
        # at first as slowly as the scalp's own edge, so that nothing is torn beside the start
        own = np.linalg.norm(np.diff(rest[chosen[np.argsort(share)]], axis=0), axis=1).sum()
        own = min(own / ways[-1], 1.0)
        at = ways[-1] * (own * share + (1 - own) * share**2)
        target[chosen] = np.column_stack([np.interp(at, ways, path[:, k]) for k in (0, 1)])
        opened[chosen] = 1 - _step((at - ways[front] + 0.02) / 0.04)
    sunk = np.clip(np.linalg.norm(target - rest, axis=1) / _HANGING, 0, 1)
    moved = scalp.follow @ np.column_stack([target - rest, sunk, opened])
    flat = scalp.flat + moved[:, :2]
    hanging = _step(np.clip(moved[:, 2], 0, 1) * 2)
    flat = _untangled(scalp, flat) if curtains else flat
    for curtain in curtains:
        own = (curtain.side * scalp.place > 0) & (opened > 0.5)
        flat = _kept_behind(scalp, flat, hanging, target[own], curtain.side)
    flat = _shortened(flat, hanging, curtains, longest, scalp.chart.equator)
    edge = flat[scalp.edge[sunk > 0.5]]
    flat, away = _gathered(flat, edge, hanging, scalp.chart.equator)
    return Layout(flat, hanging, np.clip(moved[:, 3], 0, 1), away)


def _untangled(scalp: Scalp, flat: F64) -> F64:
    """Return chart points (H, 2) m in which faces that were turned over lie flat again."""
    free = np.ones(len(flat), bool)
    free[scalp.edge] = False
    first = _turning(scalp.flat, scalp.faces)
    for _ in range(_ROUNDS):
        turned = (_turning(flat, scalp.faces) * first) <= 0
        if not turned.any():
            break
        near = np.zeros(len(flat))
        near[scalp.faces[turned]] = 1.0
        near = scalp.average @ (scalp.average @ near) + near
        chosen = free & (near > 0)
        flat = np.where(chosen[:, None], scalp.average @ flat, flat)
    return flat


def _turning(flat: F64, faces: NDArray[np.integer]) -> F64:
    a, b = (flat[faces[:, k]] - flat[faces[:, 0]] for k in (1, 2))
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _kept_behind(scalp: Scalp, flat: F64, hanging: F64, edge: F64, side: int) -> F64:
    """Return chart points (H, 2) m none of which lies before one side's front edge (E, 2) m.

    Rows keep their order: those further from the scalp's edge stay further behind.
    """
    if len(edge) < 2:
        return flat
    ways = np.linalg.norm(edge, axis=1)
    order = np.argsort(ways)
    azimuth, way = side * azimuth_of(flat), np.linalg.norm(flat, axis=1)
    least = np.interp(way, ways[order], side * azimuth_of(edge[order]))
    least = least + _ORDER * np.minimum(scalp.inner, 0.03) / np.maximum(way, 1e-6)
    # near the hem rows are drawn to the edge anyway
    upper = (way > ways.min()) & (way < 0.5 * (ways.min() + ways.max()))
    chosen = (azimuth > 0.5) & (azimuth < least) & upper & (hanging > 0.5)
    chosen[scalp.edge] = False
    kept = way[:, None] * np.column_stack([side * np.sin(least), np.cos(least)])
    return np.where(chosen[:, None], kept, flat)


def _shortened(
    flat: F64, hanging: F64, curtains: tuple[Curtain, ...], longest: float, equator: float
) -> F64:
    """Return chart points (H, 2) m with a hem of one length brought to the curtains' hems."""
    azimuth, way = azimuth_of(flat), np.linalg.norm(flat, axis=1)
    hem = np.full(len(flat), longest)
    for curtain in curtains:
        own = curtain.side * azimuth > 0
        behind = np.maximum(np.abs(azimuth), curtain.low) * curtain.side
        hem = np.where(own, np.interp(behind, grid_azimuths(), curtain.hem, period=2 * np.pi), hem)
    start = 0.8 * equator
    share = np.clip((way - start) / max(longest - start, 1e-6), 0, None)
    shorter = np.where(way > start, start + share * (hem - start), way)
    factor = 1 + hanging * (shorter / np.maximum(way, 1e-9) - 1)
    return flat * factor[:, None]


def _gathered(flat: F64, edge: F64, hanging: F64, equator: float) -> tuple[F64, F64]:
    """Draw hanging rows towards the edge (E, 2) m, so that it is finely rounded.

    Returns the moved chart points (H, 2) and their distances to the edge (H,) m.
    """
    if not len(edge):
        return flat, np.full(len(flat), 1.0)
    away, nearest = cKDTree(edge).query(flat)
    low = _step((np.linalg.norm(flat, axis=1) - equator - 0.02) / 0.05)
    part = np.clip(away / _GATHERED, 0, 1)
    share = hanging * low * (1 - part * np.sqrt(part) * (1 - _LEAST) - _LEAST) * (part < 1)
    return flat + share[:, None] * (edge[nearest] - flat), away * (1 - share)


def _path(curtain: Curtain, longest: float, rest: F64, place: F64) -> tuple[F64, int]:
    """Return the line (P, 2) m of front edge and hem, and the number of the point between."""
    first = rest[int(np.argmin(np.abs(place)))]
    way = float(np.linalg.norm(first))
    azimuth = abs(float(azimuth_of(first)))
    bottom = max(longest, way + 1e-3)
    down = np.linspace(way, bottom, _PATH)
    to_front = _step((down - way) / 0.06)
    to_low = _step((down - way - 0.06) / max(bottom - way - 0.06, 0.02))
    angle = azimuth + (curtain.front - azimuth) * to_front + (curtain.low - curtain.front) * to_low
    around = np.linspace(curtain.low, np.pi, _PATH)
    ways = np.concatenate([down, np.full(_PATH, bottom)])
    angles = np.concatenate([angle, around])
    line = np.column_stack([curtain.side * ways * np.sin(angles), ways * np.cos(angles)])
    soft = gaussian_filter1d(line, _CORNER, axis=0, mode="nearest")
    soft[0] = first
    soft[-1, 0] = 0.0
    return soft, _PATH


def raise_hair(scalp: Scalp, layout: Layout, thickness: F64, outer: F64) -> F64:
    """Return the displacements (H, 3) m of hair laid out.

    thickness (H,) m: of hair on the scalp, along the chart's height; outer (AZIMUTHS, ROWS) m:
    reach of the surface where it hangs. Hanging hair stays outside the body, its lining inside it.
    """
    slope = HAIRLINE_SLOPE + (NAPE_SLOPE - HAIRLINE_SLOPE) * _step(
        (np.linalg.norm(scalp.flat, axis=1) - scalp.chart.equator) / 0.05
    )
    room = slope * scalp.inner
    lying = scalp.reach + thickness * np.tanh(room / np.maximum(np.abs(thickness), 1e-3))
    skin = sample(scalp.body, layout.flat) + MARGIN
    above = np.maximum(sample(outer, layout.flat) - skin, 0.0)
    # on the cheek the front edge dips into the skin; beside the neck it keeps off it
    low = _step((np.linalg.norm(layout.flat, axis=1) - scalp.chart.equator - 0.03) / 0.05)
    bare = sample(scalp.bare, layout.flat) - _DIP
    cheek = skin + above - bare
    drop = cheek + low * (np.minimum(above, _SHELL) - cheek)
    rise = np.clip(layout.away / np.maximum(_ROUNDING, drop), 0, 1)
    edge = drop * (1 - np.sqrt(1 - (1 - rise) ** 2))
    roll = np.minimum(above, _ROLL) * (1 - np.clip(layout.away / _ROLLED, 0, 1)) ** 2
    hang = skin + above - layout.open * edge - (1 - layout.open) * roll
    # an ear close behind the front edge stays under it
    hang = np.maximum(hang, bare + (skin - bare) * _step(layout.away / 0.008))
    reach = lying + layout.hanging * (hang - lying)
    hem = scalp.edge[layout.hanging[scalp.edge] > 0.9]
    less = np.zeros(len(reach))
    margin = MARGIN + _SHELL * layout.open[hem]
    less[hem] = _lining_depth(scalp, layout.flat[hem], reach[hem], hem, outer, margin)
    # the same along the edge, or the hem has teeth
    along = gaussian_filter1d(maximum_filter1d(less[scalp.edge], 7, mode="wrap"), 2.0, mode="wrap")
    drawn_in = reach[hem] - along[layout.hanging[scalp.edge] > 0.9]
    reach[hem] = np.maximum(drawn_in, np.minimum(reach[hem], skin[hem] - 0.002 - low[hem]))
    return scalp.chart.solid(layout.flat, reach) - scalp.rest


def _lining_depth(
    scalp: Scalp, flat: F64, reach: F64, hem: NDArray[np.integer], outer: F64, margin: F64
) -> F64:
    """Return how far (E,) m hem points must draw in to have lines to their roots inside.

    flat (E, 2), reach (E,) m: the hem; hem (E,): its numbers; margin (E,) m: how far inside.
    """
    roots = scalp.rest[hem]
    share = np.linspace(0.25, 0.95, 8)[:, None, None]
    depth = np.zeros(len(reach))
    for _ in range(3):
        lines = roots + share * (scalp.chart.solid(flat, reach - depth) - roots)
        at, height = scalp.chart.flat(lines.reshape(-1, 3))
        over = (height - sample(outer, at)).reshape(len(share), -1) + margin
        over = over / share[:, :, 0]
        depth = depth + np.clip(over.max(axis=0, initial=0.0), 0.0, 0.02)
    return depth


def hanging_reach(scalp: Scalp, cling: float) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of a cloth over the head: straight down where widest.

    cling: 0 falls straight, 1 follows the neck.
    """
    ways = grid_ways()
    below = ways > scalp.chart.equator - 0.02
    widest = np.where(below[None], scalp.bare, 0.0)
    widest = np.where(below[None], np.maximum.accumulate(widest, axis=1), scalp.bare)
    depth = _step((ways - scalp.chart.equator - 0.03) / 0.10)[None]
    return scalp.bare + (widest - scalp.bare) * (1 - cling * depth)


def shoulder_way(scalp: Scalp, outer: F64, slack: float = -0.008) -> F64:
    """Return the way (AZIMUTHS,) m at which hair with this outer reach lies on the shoulders."""
    over = (scalp.body > outer + slack) & (grid_ways() > scalp.chart.equator + 0.08)[None]
    found = np.where(over.any(axis=1), over.argmax(axis=1), outer.shape[1] - 1)
    ways = minimum_filter1d(grid_ways()[found], 9, mode="wrap")
    return gaussian_filter1d(ways, 3.0, mode="wrap")


def start_place(scalp: Scalp, side: int, azimuth: float) -> float:
    """Return the place 0..1 at which one side's edge of the scalp first lies behind an azimuth."""
    around = np.abs(azimuth_of(scalp.flat[scalp.edge]))
    behind = (side * scalp.place > 0.02) & (around > azimuth)
    return float(np.abs(scalp.place[behind]).min()) if behind.any() else 0.5


def _step(value: F64) -> F64:
    part = np.clip(value, 0.0, 1.0)
    return part**2 * (3 - 2 * part)
