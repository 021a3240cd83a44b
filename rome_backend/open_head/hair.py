# SPDX-License-Identifier: Apache-2.0
"""Procedural hair volumes on a head model's cranium.

Does not know components or photos: it turns drawn parameters into displacements.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.offset_region import FAR_M, OffsetRegion

STYLES = ("bald", "short", "medium", "long", "afro", "bun")
STYLE_SHARES = (0.06, 0.22, 0.24, 0.28, 0.10, 0.10)
WAVES = 6
BORDER_SLOPE, NAPE_SLOPE, DRAPE_SLOPE = 2.2, 1.1, 3.0
DRAPE_START = 0.35
HEM_FADE_M = 0.03


@dataclass(frozen=True)
class HairParameters:
    """Parameters of N volumes. Lengths in m, the rest without unit; all (N,) but waves, phases.

    base, top, side, back, fringe: thickness; taper: share lost towards the nape; asymmetry,
    parting_depth, parting_place: sideways; recede: share lost at forehead; crown: at the crown;
    curl: noise amplitude; bun, bun_place: height and angle from the crown backwards;
    drape: how far the lower rows hang; curtain: how far they keep off the neck, 0..1;
    flare: extra width at the lower end; waves (N, WAVES, 3), phases (N, WAVES): the noise.
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
        drape=millimetre * each(nothing, nothing, (-30, 30), (10, 100), (-60, 40), nothing),
        curtain=each(nothing, nothing, (0.2, 1), (0.3, 1), (0.2, 1), nothing),
        flare=millimetre * each(nothing, nothing, (0, 15), (-10, 30), (0, 10), nothing),
        waves=waves,
        phases=random.uniform(0, 2 * np.pi, (count, WAVES)),
    )


def hair_offsets(region: OffsetRegion, styles: HairParameters) -> F64:
    """Return the displacements (N, H, 3) m of N volumes on the H vertices of region 'hair'.

    Thickness along the outward direction, held back near skin that may not move, plus the drape
    of the lower rows. Source: our own.
    """
    place = (region.positions - region.centre) / region.radius
    low = low_part(region)
    thickness = hair_thickness(place, low, styles)
    slope = BORDER_SLOPE + (NAPE_SLOPE - BORDER_SLOPE) * low
    thickness = held_back(thickness, slope * region.border)
    return thickness[:, :, None] * region.outward + drape(region, place, low, styles)


def smooth_step(low: float, high: float, value: F64) -> F64:
    """Return 0 below low, 1 above high and a smooth rise between."""
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return part**2 * (3 - 2 * part)


def held_back(amount: F64, limit: F64) -> F64:
    """Return amount (N, H) where limit (H,) is large, falling to zero with it."""
    return amount * np.tanh(limit / np.maximum(np.abs(amount), 1e-3))


def low_part(region: OffsetRegion) -> F64:
    """Return how low on the back and sides vertices (H,) lie: 0 above the ears, 1 at the hem."""
    place = (region.positions - region.centre) / region.radius
    below = np.maximum(DRAPE_START - place[:, 1], 0.0)
    if not np.any(region.hem < FAR_M):
        return below / max(float(below.max()), 0.5)
    return below / np.maximum(below + region.hem / region.radius, 1e-6)


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


def drape(region: OffsetRegion, place: F64, low: F64, styles: HairParameters) -> F64:
    """Return how the lower rows hang (N, H, 3) m: down, and out to below the widest point."""
    length = np.maximum(styles.drape, 0.0)[:, None]
    hanging = np.tanh(length / 0.03)
    fall = np.sin(np.pi / 2 * low)
    down = length * fall + hanging * above_hem(region)
    down = held_back(down, DRAPE_SLOPE * region.border)
    flat = place[:, [0, 2]]
    reach = np.linalg.norm(flat, axis=1)
    direction = flat / np.maximum(reach, 1e-6)[:, None]
    depth = np.abs(place[:, 2]).max()
    widest = 1 / np.sqrt(direction[:, 0] ** 2 + (direction[:, 1] / depth) ** 2)
    gap = region.radius * np.maximum(widest - reach, 0.0)
    out = hanging * fall * (styles.curtain[:, None] * gap + styles.flare[:, None] * low)
    out = held_back(out, NAPE_SLOPE * region.border)
    return np.stack([out * direction[:, 0], -down, out * direction[:, 1]], axis=2)


def above_hem(region: OffsetRegion) -> F64:
    """Return how far (H,) m the hair's lower edge must sink to become a straight hem.

    The line is fitted to the vertices that touch the neck; the rows above follow less.
    """
    edge = region.hem == 0
    if np.count_nonzero(edge) < 3:
        return np.zeros(len(region.hem))
    y, z = region.positions[:, 1], region.positions[:, 2]
    line = np.polyval(np.polyfit(z[edge], y[edge], 1), z)
    return (y - line) * np.exp(-((region.hem / HEM_FADE_M) ** 2))
