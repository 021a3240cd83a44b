# SPDX-License-Identifier: Apache-2.0
"""Procedural hair volumes on a head model's cranium.

Does not know components or photos: it turns drawn parameters into displacements.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.drape import lay_out, raise_hair, start_place
from rome_backend.open_head.hair_chart import grid_azimuths, grid_ways
from rome_backend.open_head.hair_rest import Curtain, hanging_reach, lying_reach, shoulder_way
from rome_backend.open_head.scalp import Scalp

STYLES = ("bald", "short", "medium", "long", "afro", "bun")
STYLE_SHARES = (0.06, 0.22, 0.24, 0.28, 0.10, 0.10)
WAVES = 6
DRAPE_START = 0.35
INTO_SHOULDER = 0.055  # m that a hem ends below the shoulder it falls on


@dataclass(frozen=True)
class HairParameters:
    """Parameters of N volumes. Lengths in m, the rest without unit; all (N,) but waves, phases.

    base, top, side, back, fringe: thickness; taper: share lost towards the nape; asymmetry,
    parting_depth, parting_place: sideways; recede: share lost at forehead; crown: at the crown;
    curl: noise amplitude; bun, bun_place: height and angle from the crown backwards;
    drape: how far hair falls below the nape; curtain: how far it keeps off the neck, 0..1;
    front: azimuth (rad) of its front edges; flare: extra width at the lower end;
    waves (N, WAVES, 3), phases (N, WAVES): the noise.
    """

    base: F64
    top: F64
    side: F64
    back: F64
    fringe: F64
    taper: F64
    asymmetry: F64
    parting_depth: F64
    parting_place: F64
    recede: F64
    crown: F64
    curl: F64
    bun: F64
    bun_place: F64
    drape: F64
    curtain: F64
    front: F64
    flare: F64
    waves: F64
    phases: F64

    def mirrored(self) -> HairParameters:
        """Return the same styles seen in a mirror."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("asymmetry", "parting_place"):
            values[name] = -values[name]
        values["waves"] = self.waves * np.array([-1.0, 1.0, 1.0])
        return HairParameters(**values)


def draw_hair(random: np.random.Generator, count: int) -> HairParameters:
    """Return parameters of count styles: bald, short, medium, long, afro and tied hair."""
    style = random.choice(len(STYLES), count, p=STYLE_SHARES)

    def each(*ranges: tuple[float, float]) -> F64:
        low, high = np.array(ranges).T
        return random.uniform(low[style], high[style])

    nothing = (0.0, 0.0)
    millimetre = 1e-3
    scale = random.normal(size=(count, 8))
    waves = random.normal(size=(count, WAVES, 3)) * random.uniform(1.5, 4.5, (count, WAVES, 1))
    return HairParameters(
        base=millimetre * each(nothing, (1, 7), (4, 14), (4, 16), (28, 70), (1, 6)),
        top=millimetre * each(nothing, (0, 20), (4, 34), (0, 26), (0, 12), (0, 10)),
        side=millimetre * each(nothing, (0, 8), (2, 24), (4, 32), (0, 8), (0, 6)),
        back=millimetre * each(nothing, (0, 8), (2, 24), (4, 28), (0, 8), (0, 8)),
        fringe=millimetre * each(nothing, (0, 10), (0, 20), (0, 16), (0, 6), (0, 5)),
        taper=each(nothing, (0.3, 1.0), (0.1, 0.9), (0.0, 0.3), (0.0, 0.5), (0.3, 0.9)),
        asymmetry=np.clip(0.12 * scale[:, 0], -0.35, 0.35),
        parting_depth=millimetre * each(nothing, (0, 3), (0, 8), (0, 10), nothing, (0, 3)),
        parting_place=np.clip(0.3 * scale[:, 1], -0.6, 0.6),
        recede=np.clip(each((0, 1), (-1, 1), (-2, 1), (-3, 0.8), (-3, 0.5), (-2, 0.5)), 0, 1),
        crown=np.clip(each(nothing, (-2, 1), (-3, 0.8), nothing, nothing, nothing), 0, 1),
        curl=millimetre * each(nothing, (0, 1.5), (0, 5), (0, 5), (0, 5), (0, 1.5)),
        bun=millimetre * each(nothing, nothing, nothing, nothing, nothing, (20, 60)),
        bun_place=each(nothing, nothing, nothing, nothing, nothing, (-0.1, 2.2)),
        drape=millimetre * each(nothing, nothing, (-60, 40), (10, 160), (-60, 40), nothing),
        curtain=each(nothing, nothing, (0.2, 1), (0.3, 1), (0.2, 1), nothing),
        front=np.radians(each((80, 80), (80, 80), (60, 110), (55, 110), (70, 100), (80, 80))),
        flare=millimetre * each(nothing, nothing, (0, 15), (-10, 30), (0, 10), nothing),
        waves=waves,
        phases=random.uniform(0, 2 * np.pi, (count, WAVES)),
    )


def hair_offsets(scalp: Scalp, styles: HairParameters) -> F64:
    """Return the displacements (N, H, 3) m of N volumes on the H vertices of region 'hair'.

    Thickness over the scalp, and for styles that drape curtains that fall to a hem on both
    sides. Source: our own.
    """
    place = (scalp.rest - scalp.chart.centre) / scalp.chart.radius
    low = low_part(scalp)
    thickness = hair_thickness(place, low, styles)
    volumes = []
    for number, own in enumerate(thickness):
        length = float(styles.drape[number])
        cling = 1 - float(styles.curtain[number])
        curtains: tuple[Curtain, ...] = ()
        outer = scalp.bare
        if length > 0:
            sides = np.abs(place[:, 0]) > 0.7
            outer = hanging_reach(scalp, cling) + own[sides].mean() if sides.any() else scalp.bare
            depth = smooth_step(0.0, 0.1, grid_ways() - scalp.chart.equator)
            outer = outer + float(styles.flare[number]) * depth
            curtains = drawn_curtains(scalp, outer, length, float(styles.front[number]))
            outer = lying_reach(scalp, outer, curtains)
        volumes.append(raise_hair(scalp, lay_out(scalp, curtains), own, outer))
    return np.stack(volumes)


def drawn_curtains(scalp: Scalp, outer: F64, length: float, front: float) -> tuple[Curtain, ...]:
    """Return a curtain for each side that hangs ``length`` m below the nape.

    outer (AZIMUTHS, ROWS) m: reach of the hair; front: azimuth (rad) of its front edges.
    """
    nape = float(np.linalg.norm(scalp.flat[scalp.edge[np.abs(scalp.place).argmax()]]))
    lowest = min(nape + length, scalp.bottom - 0.025)
    behind = smooth_step(np.radians(105), np.radians(135), np.abs(grid_azimuths()))
    hem = np.minimum(lowest, shoulder_way(scalp, outer) + INTO_SHOULDER + 0.07 * behind)
    return tuple(
        Curtain(side, start_place(scalp, side, front - 0.2), front, max(front, 1.4), hem)
        for side in (1, -1)
    )


def smooth_step(low: float, high: float, value: F64) -> F64:
    """Return 0 below low, 1 above high and a smooth rise between."""
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return part**2 * (3 - 2 * part)


def held_back(amount: F64, limit: F64) -> F64:
    """Return amount (N, H) where limit (H,) is large, falling to zero with it."""
    return amount * np.tanh(limit / np.maximum(np.abs(amount), 1e-3))


def low_part(scalp: Scalp) -> F64:
    """Return how low on the back and sides vertices (H,) lie: 0 above the ears, 1 at the nape."""
    way = np.linalg.norm(scalp.flat, axis=1)
    below = np.maximum(way - scalp.chart.equator + DRAPE_START * scalp.chart.radius, 0.0)
    return below / max(float(below.max()), 1e-6)


def hair_thickness(place: F64, low: F64, styles: HairParameters) -> F64:
    """Return the thickness (N, H) m.

    place (H, 3): position in cranium radii from its centre; low (H,) from `low_part`.
    """

    def col(values: F64) -> F64:
        return values[:, None]

    x, y, z = (place / np.linalg.norm(place, axis=1, keepdims=True)).T
    upward = smooth_step(0.1, 0.9, y)
    sideways = np.abs(x) ** 2 * (1 - smooth_step(0.3, 0.9, y))
    backward = np.clip(-z, 0, 1) ** 1.5
    forward = smooth_step(0.1, 0.7, z) * smooth_step(0.0, 0.5, y)
    total = col(styles.base) + col(styles.top) * upward + col(styles.side) * sideways
    total = total + col(styles.back) * backward + col(styles.fringe) * forward
    total = total * (1 + col(styles.asymmetry) * x) * (1 - col(styles.taper) * low)
    valley = np.exp(-(((place[:, 0] - col(styles.parting_place)) / 0.16) ** 2))
    total = total - col(styles.parting_depth) * valley * upward * smooth_step(-0.5, 0.2, z)
    total = total * (1 - col(styles.recede) * smooth_step(-0.1, 0.6, z))
    total = total * (1 - col(styles.crown) * smooth_step(0.5, 0.9, y))
    total = total + col(styles.curl) * noise(place, styles) * np.tanh(total / 0.008)
    angle = col(styles.bun_place)
    bump = (place[:, 0] ** 2 + (place[:, 1] - 1.15 * np.cos(angle)) ** 2) / 0.2
    bump = bump + (place[:, 2] + 1.15 * np.sin(angle)) ** 2 / 0.2
    return np.maximum(total + col(styles.bun) * np.exp(-bump), 0.0)


def noise(place: F64, styles: HairParameters) -> F64:
    """Return smooth noise (N, H) of unit size: a sum of waves of a few centimetres."""
    angle = np.einsum("nwc,hc->nwh", styles.waves, place) + styles.phases[:, :, None]
    return np.sqrt(2 / WAVES) * np.cos(angle).sum(axis=1)
