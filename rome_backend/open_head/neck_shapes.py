# SPDX-License-Identifier: Apache-2.0
"""Procedural shapes of neck and shoulders, bare or under clothes.

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
COAT_M, RISE_M = (-0.005, 0.035), (-0.01, 0.04)
COAT_TOP, COAT_FULL = 0.75, 0.35  # heights in the neck where clothes begin and are thickest
RISE_AT_M, RISE_WIDTH_M = 0.075, 0.04  # where beside the neck shoulders rise
BORDER_SLOPE = 0.2
STRETCH_LIMIT = 2.5


def neck_offsets(region: OffsetRegion, random: np.random.Generator, count: int) -> F64:
    """Return the displacements (2 count, H, 3) m of drawn shapes and their mirror images.

    Stretches and shifts of the neck's lower part, clothes round it and shoulders that rise beside
    it, all smooth: a collar that stands off is not said. They fade out towards the face. Source:
    our own.
    """
    normal = np.clip(random.normal(size=(count, len(SIZES))), -STRETCH_LIMIT, STRETCH_LIMIT)
    sizes = {name: normal[:, k] * size for k, (name, size) in enumerate(SIZES)}
    coat, rise = random.uniform(*COAT_M, count), random.uniform(*RISE_M, count)
    shapes = []
    for sign in (1.0, -1.0):
        sizes["shoulder_roll"] = sign * np.abs(sizes["shoulder_roll"])
        shapes.append(body_shape(region, sizes) + clothes(region, coat, rise))
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


def clothes(region: OffsetRegion, coat: F64, rise: F64) -> F64:
    """Return displacements (N, H, 3) m of clothes: coat (N,) m thick below the upper neck, and
    shoulders that rise by rise (N,) m beside it."""
    arm = from_axis(region)
    far = np.linalg.norm(arm, axis=1)
    cover = smooth_step(0.0, COAT_TOP - COAT_FULL, COAT_TOP - height(region))
    flat = coat[:, None, None] * (cover / np.maximum(far, 1e-9))[:, None] * arm
    hill = np.exp(-(((far - RISE_AT_M) / RISE_WIDTH_M) ** 2)) * cover
    # the bust's lower end stays level
    hill = hill * smooth_step(0.0, 0.2, height(region)) * np.abs(arm[:, 0]) / np.maximum(far, 1e-9)
    up = rise[:, None] * hill
    return np.stack([flat[:, :, 0], up, flat[:, :, 1]], axis=2)
