# SPDX-License-Identifier: Apache-2.0
"""Procedural shapes of neck, shoulders, collars and of long hair lying on them.

Does not know components or photos: it turns drawn parameters into displacements.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.hair import held_back, smooth_step
from rome_backend.open_head.offset_region import OffsetRegion

SIZES = (
    ("width", 0.10),
    ("depth", 0.09),
    ("length", 0.012),
    ("lean", 0.012),
    ("shoulder_width", 0.14),
    ("shoulder_height", 0.016),
    ("shoulder_slope", 0.012),
    ("shoulder_depth", 0.12),
    ("shoulder_roll", 0.005),
)
COLLAR_SHARE, HAIR_SHARE = 0.5, 0.3
COLLAR_M, HAIR_M = (0.002, 0.016), (0.005, 0.035)
BORDER_SLOPE = 0.3
STRETCH_LIMIT = 2.5


def neck_offsets(region: OffsetRegion, random: np.random.Generator, count: int) -> F64:
    """Return the displacements (2 count, H, 3) m of drawn shapes and their mirror images.

    Stretches and shifts of the neck's lower part, a collar's band and hair on sides and back.
    They fade out towards the face. Source: our own.
    """
    normal = np.clip(random.normal(size=(count, len(SIZES))), -STRETCH_LIMIT, STRETCH_LIMIT)
    sizes = {name: normal[:, k] * size for k, (name, size) in enumerate(SIZES)}
    collar = random.uniform(*COLLAR_M, count) * (random.random(count) < COLLAR_SHARE)
    collar_place = random.uniform(0.15, 0.6, count)
    hair = random.uniform(*HAIR_M, count) * (random.random(count) < HAIR_SHARE)
    hair_front = random.uniform(-0.2, 0.6, count)
    shapes = []
    for sign in (1.0, -1.0):
        sizes["shoulder_roll"] = sign * np.abs(sizes["shoulder_roll"])
        stretched = body_shape(region, sizes)
        outward = collar_band(region, collar, collar_place) + hair_layer(region, hair, hair_front)
        shapes.append(stretched + outward[:, :, None] * region.outward)
    total = np.concatenate(shapes)
    size = np.linalg.norm(total, axis=2)
    kept = held_back(size, BORDER_SLOPE * region.border)
    return total * (kept / np.maximum(size, 1e-9))[:, :, None]


def height(region: OffsetRegion) -> F64:
    """Return the height (H,) in the neck: 0 at its lower end, 1 at its upper end."""
    y = region.positions[:, 1]
    return (y - y.min()) / max(float(np.ptp(y)), 1e-9)


def from_axis(region: OffsetRegion) -> F64:
    """Return the horizontal vectors (H, 2) m, x and z, from the neck's slanted axis."""
    x, y, z = region.positions.T
    slope, start = np.polyfit(y, z, 1)
    return np.column_stack([x, z - (start + slope * y)])


def body_shape(region: OffsetRegion, sizes: dict[str, F64]) -> F64:
    """Return stretches and shifts (N, H, 3) m of neck and shoulders."""
    up = height(region)
    arm = from_axis(region)
    low, middle = (1 - up) ** 2, np.exp(-(((up - 0.6) / 0.3) ** 2))
    side = arm[:, 0] / max(float(np.abs(arm[:, 0]).max()), 1e-9)

    def by(name: str, field: F64) -> F64:
        return sizes[name][:, None] * field

    x = by("width", arm[:, 0] * middle) + by("shoulder_width", arm[:, 0] * low)
    y = by("length", -(1 - up)) + by("shoulder_height", np.abs(side) * low)
    y = y + by("shoulder_slope", side**2 * (1 - up)) + by("shoulder_roll", side * (1 - up))
    z = by("depth", arm[:, 1] * middle) + by("shoulder_depth", arm[:, 1] * low)
    return np.stack([x, y, z + by("lean", 1 - up)], axis=2)


def collar_band(region: OffsetRegion, thickness: F64, place: F64) -> F64:
    """Return the outward thickness (N, H) m of collars round the neck at a height 0..1."""
    band = np.exp(-(((height(region) - place[:, None]) / 0.18) ** 2))
    below = smooth_step(0.0, 0.3, place[:, None] - height(region))
    return thickness[:, None] * np.maximum(band, 0.5 * below)


def hair_layer(region: OffsetRegion, thickness: F64, front: F64) -> F64:
    """Return the outward thickness (N, H) m of hair on sides and back; front: how far forward."""
    arm = from_axis(region)
    forward = arm[:, 1] / np.maximum(np.linalg.norm(arm, axis=1), 1e-9)
    cover = 1 - smooth_step(-0.3, 0.3, forward - front[:, None])
    return thickness[:, None] * cover * smooth_step(0.05, 0.5, height(region))
