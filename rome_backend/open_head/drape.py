# SPDX-License-Identifier: Apache-2.0
"""Lays the scalp's mesh out as hair: front edges, hem and height over the body.

Does not know photos or how styles are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter
from scipy.spatial import cKDTree

from rome_backend.core.types import F64
from rome_backend.open_head.hair_chart import (
    azimuth_of,
    grid_azimuths,
    grid_ways,
    sample,
    smooth,
)
from rome_backend.open_head.hair_rest import LIES, Curtain, inner_reach, lies_along, slim_reach
from rome_backend.open_head.scalp import Scalp
from rome_backend.open_head.unfold import unfolded

MARGIN = 0.004  # m that hanging hair keeps off the skin
HAIRLINE_SLOPE = 1.0  # m of thickness per m from the hairline
NAPE_SLOPE = 0.7
_ROUNDING, _ROUNDED = 0.022, 0.030  # m from hem or edge over which hair rises: at least, at most
_DIP, _DEEPER = 0.004, 0.010  # m that hem and front edges lie below the skin; the latter besides
_HEM = 0.002  # m that such a hem is nearer to the skin than hanging hair
_CORNERS = 0.05  # m from a front edge over which a hem comes out of the neck
_BURIED = 0.004  # m from them that lie there too, so that no gap shows
_GATHERED = 0.10  # m from the hem and the front edge within which rows move closer
_LEAST = 0.25  # share of their way that such rows keep
_HANGING = 0.015  # m that an edge point sinks before it counts as hanging
_ROUND_EARS = (5, 5)  # columns and rows of the chart
_EARS = 0.08  # m below the equator down to which ears reach
_PATH = 160
_CORNER = 7.0


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
    flat = _shortened(flat, hanging, curtains, longest, scalp.chart.equator)
    hung = scalp.edge[sunk > 0.5]
    if not len(hung):
        return Layout(flat, hanging, np.clip(moved[:, 3], 0, 1), np.full(len(flat), 1.0))
    flat = _gathered(flat, flat[hung], hanging, scalp.chart.equator)
    flat = unfolded(flat, scalp.flat, scalp.faces, scalp.edge)
    away = cKDTree(flat[scalp.edge]).query(flat)[0]
    return Layout(flat, hanging, np.clip(moved[:, 3], 0, 1), away)


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


def _gathered(flat: F64, edge: F64, hanging: F64, equator: float) -> F64:
    """Return chart points (H, 2) m drawn towards the edge (E, 2) m where they hang.

    So the edge is finely rounded.
    """
    away, nearest = cKDTree(edge).query(flat)
    low = _step((np.linalg.norm(flat, axis=1) - equator - 0.02) / 0.05)
    part = np.clip(away / _GATHERED, 0, 1)
    share = hanging * low * (1 - part * np.sqrt(part) * (1 - _LEAST) - _LEAST) * (part < 1)
    moved: F64 = flat + share[:, None] * (edge[nearest] - flat)
    return moved


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
    reach of the surface where it hangs. Hanging hair is solid: at its hem and front edges it falls
    to below the skin, so that nothing of its lining shows.
    """
    slope = HAIRLINE_SLOPE + (NAPE_SLOPE - HAIRLINE_SLOPE) * _step(
        (np.linalg.norm(scalp.flat, axis=1) - scalp.chart.equator) / 0.05
    )
    room = slope * scalp.inner
    lying = scalp.reach + thickness * np.tanh(room / np.maximum(np.abs(thickness), 1e-3))
    skin = sample(_over_ears(scalp), layout.flat) + MARGIN
    surface = sample(outer, layout.flat)
    # into the body, but over ears
    body = np.where(grid_ways() < scalp.chart.equator + _EARS, scalp.bare, scalp.body)
    deep = _step((sample(body, layout.flat) + MARGIN - surface - LIES) / LIES)
    surface = np.maximum(surface, skin) * (1 - deep) + surface * deep
    sunk = np.minimum(sample(slim_reach(scalp), layout.flat), surface) - _DIP
    sunk -= _DEEPER * layout.open * layout.hanging
    # a hem on back or chest need not go deep
    shallow = np.minimum(sample(inner_reach(scalp), layout.flat), surface) - _DIP
    behind = (1 - layout.open) * _step((_from_front(scalp, layout) - 0.01) / _CORNERS)
    sunk += behind * np.maximum(shallow - sunk, 0.0)
    free = behind * (1 - deep) * sample(lies_along(scalp, outer), layout.flat)
    sunk += free * np.maximum(np.minimum(skin, surface) - _HEM - sunk, 0.0)
    drop = surface - sunk
    away = layout.away - _BURIED
    rise = np.clip(away / np.clip(drop, _ROUNDING, _ROUNDED), 0, 1)
    hang = sunk + drop * np.sqrt(1 - (1 - rise) ** 2)
    # an ear close behind the front edge stays under it
    hang = np.maximum(hang, sunk + (np.minimum(skin, surface) - sunk) * _step(away / 0.008))
    reach = lying + layout.hanging * (hang - lying)
    return scalp.chart.solid(layout.flat, reach) - scalp.rest


def _over_ears(scalp: Scalp) -> F64:
    """Return the reach (AZIMUTHS, ROWS) m of the body, wider round its ears: hair is coarse."""
    out = np.where(grid_ways() < scalp.chart.equator + _EARS, scalp.body - scalp.bare, 0.0)
    out = smooth(maximum_filter(out, _ROUND_EARS, mode=("wrap", "nearest")), 0.6, 0.6)
    return np.maximum(scalp.body, scalp.bare + out)


def _from_front(scalp: Scalp, layout: Layout) -> F64:
    """Return how far (H,) m vertices lie from the front edges in the chart."""
    edge = scalp.edge[(layout.open[scalp.edge] > 0.5) & (layout.hanging[scalp.edge] > 0.5)]
    if not len(edge):
        return np.full(len(layout.flat), np.inf)
    return np.asarray(cKDTree(layout.flat[edge]).query(layout.flat)[0])


def start_place(scalp: Scalp, side: int, azimuth: float) -> float:
    """Return the place 0..1 at which one side's edge of the scalp first lies behind an azimuth."""
    around = np.abs(azimuth_of(scalp.flat[scalp.edge]))
    behind = (side * scalp.place > 0.02) & (around > azimuth)
    return float(np.abs(scalp.place[behind]).min()) if behind.any() else 0.5


def _step(value: F64) -> F64:
    part = np.clip(value, 0.0, 1.0)
    return part**2 * (3 - 2 * part)
